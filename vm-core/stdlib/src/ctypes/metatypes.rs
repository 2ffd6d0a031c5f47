//! The metatypes: they make C types of classes, from `_fields_`, `_type_`, `_length_`, `_argtypes_`.

use super::arrays::{self, ARRAY_TYPE};
use super::cdata::{CData, at_address, from_base, keep_reference};
use super::info::*;
use super::pointers::POINTER_TYPE;
use super::simple::{self, SIMPLE_TYPE};
use super::structures;
use super::{call, function};
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::prelude::*;
use libffi_sys as ffi;


fn heap(ty: &PyTypeObject) -> &CType {
    // SAFETY: called with heap types that the metatypes made.
    unsafe { &*(ty as *const PyTypeObject).cast::<CType>() }
}

/// `type.__init__`, then a fresh place for the info. The class and, when it is not abstract, whether to go on.
fn init_class<'a>(this: &'a PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<&'a PyTypeObject> {
    let init = adder_runtime::PyType_Type.tp_init.get().expect("type is ready");
    let kwargs = kwargs.map_or(std::ptr::null_mut(), |kwargs| kwargs.as_object().as_ptr());
    // SAFETY: a slot of the metatype's base with its arguments.
    let status = unsafe { init(this.as_ptr(), args.as_object().as_ptr(), kwargs) };
    adder_runtime::protocol::from_status(status, "tp_init")?;
    Ok(this.downcast_type().expect("a metatype makes types"))
}

fn set_info(ty: &PyTypeObject, info: TypeInfo) -> &TypeInfo {
    let place = &heap(ty).info;
    let old = place.replace(Box::into_raw(Box::new(info)));
    if !old.is_null() {
        // SAFETY: the type owned it.
        drop(unsafe { Box::from_raw(old) });
    }
    info_of(ty).expect("just set")
}

fn own_attribute(ty: &PyTypeObject, name: &str) -> Option<Ref> {
    ty.dict()?.get_str(&PyUnicodeObject::intern(PyUnicodeObject::from_str(name)))
}

fn attribute(ty: &PyTypeObject, name: &str) -> PyResult<Option<Ref>> {
    ty.as_object().get_attr_opt(&PyUnicodeObject::intern(PyUnicodeObject::from_str(name)))
}

fn base_info(ty: &PyTypeObject) -> Option<&'static TypeInfo> {
    ty.base().and_then(info_of)
}

#[pytype(
    name = "_ctypes.CType_Type",
    static_name = CTYPE_TYPE,
    base = adder_runtime::PyType_Type,
    flags = BASETYPE | HAVE_GC,
    basicsize = size_of::<CType>() as isize,
    typed = false,
    dealloc = inherit,
)]
impl CType {
    #[slot]
    fn tp_traverse(this: &PyObject, visitor: &Visitor) -> c_int {
        if let Some(info) = info_of_object(this) {
            let status = info.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        let traverse = adder_runtime::PyType_Type.tp_traverse.get().expect("type is ready");
        // SAFETY: the base's slot on an instance.
        unsafe { traverse(this.as_ptr(), visitor.visit, visitor.arg) }
    }
    #[slot]
    fn tp_clear(this: &PyObject) {
        if let Some(info) = info_of_object(this) {
            info.clear();
        }
        if let Some(clear) = adder_runtime::PyType_Type.tp_clear.get() {
            // SAFETY: the base's slot on an instance.
            unsafe { clear(this.as_ptr()) };
        }
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut CType) {
        // SAFETY: the type is dead; it owned its info.
        unsafe {
            let info = (*this).info.replace(std::ptr::null_mut());
            if !info.is_null() {
                drop(Box::from_raw(info));
            }
            let dealloc = adder_runtime::PyType_Type.tp_dealloc.get().expect("type is ready");
            dealloc(this.cast());
        }
    }
    #[slot(sq_repeat)]
    fn repeat(this: &PyObject, count: isize) -> PyResult {
        if count < 0 {
            return Err(raise!(ValueError, "Array length must be >= 0, not {count}"));
        }
        let class = this.downcast_type().expect("an instance of a metatype");
        arrays::array_type_of(class, count as usize)
    }
    /// Return memory consumption of the type object.
    #[method("($self, /)", name = "__sizeof__")]
    fn sizeof_(this: &PyObject) -> usize {
        size_of::<CType>() + info_of_object(this).map_or(0, |_| size_of::<TypeInfo>())
    }
    #[getter(name = "__pointer_type__")]
    fn pointer_type(this: &PyObject) -> PyResult {
        let Some(info) = info_of_object(this) else {
            return Err(raise!(TypeError, "{} must have storage info", this.repr()?.to_string_lossy()));
        };
        match info.pointer_type.get() {
            Some(pointer) => Ok(pointer),
            None => Err(raise!(
                AttributeError,
                "type {} has no attribute '__pointer_type__'",
                this.repr()?.to_string_lossy()
            )),
        }
    }
    #[setter(name = "__pointer_type__")]
    fn set_pointer_type(this: &PyObject, value: &PyObject) -> PyResult<()> {
        let Some(info) = info_of_object(this) else {
            return Err(raise!(TypeError, "{} must have storage info", this.repr()?.to_string_lossy()));
        };
        info.pointer_type.set(Some(value.to_ref()));
        Ok(())
    }
}

/// The methods that all C types have, on each metatype as in CPython.
#[pymethods(part = MAKERS)]
impl CType {
    /// C.from_address(integer) -> C instance
    #[method("($self, value, /)")]
    fn from_address(this: &PyObject, value: &PyObject) -> PyResult {
        let Some(address) = value.as_object().downcast::<PyLongObject>() else {
            return Err(raise!(TypeError, "integer expected"));
        };
        at_address(class_of(this)?, address.as_u64_mask() as usize as *mut u8)
    }
    /// C.from_buffer(object, offset=0) -> C instance
    #[method("($self, obj, offset=0, /)")]
    fn from_buffer(this: &PyObject, obj: &PyObject, offset: isize) -> PyResult {
        let class = class_of(this)?;
        let info = info_of(class).ok_or_else(abstract_class)?;
        let view = PyMemoryViewObject::from_object(obj)?;
        let buffer = &view.view;
        if buffer.readonly.get() != 0 {
            return Err(raise!(TypeError, "underlying buffer is not writable"));
        }
        if !adder_runtime::objects::buffer::is_contiguous(buffer, b'C') {
            return Err(raise!(TypeError, "underlying buffer is not C contiguous"));
        }
        check_room(info, buffer.len.get(), offset)?;
        let made = at_address(class, buffer.buf.get().cast::<u8>().wrapping_add(offset as usize))?;
        let data = CData::of(&made).expect("an instance of a C type");
        keep_reference(data, usize::MAX, &view.into_object())?;
        Ok(made)
    }
    /// C.from_buffer_copy(object, offset=0) -> C instance
    #[method("($self, buffer, offset=0, /)")]
    fn from_buffer_copy(this: &PyObject, buffer: Buffer, offset: isize) -> PyResult {
        let class = class_of(this)?;
        let info = info_of(class).ok_or_else(abstract_class)?;
        check_room(info, buffer.len() as isize, offset)?;
        let made = class.as_object().call0()?;
        let data = CData::of(&made).expect("an instance of a C type");
        let bytes = &buffer.as_bytes()[offset as usize..];
        // SAFETY: the new instance has room for its size, the buffer was checked to have as much.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), data.ptr.get(), info.size.get()) };
        Ok(made)
    }
    /// C.in_dll(dll, name) -> C instance
    #[method("($self, dll, name, /)")]
    fn in_dll(this: &PyObject, dll: &PyObject, name: &str) -> PyResult {
        let handle = dll.get_attr_str("_handle")?;
        let Some(handle) = handle.as_object().downcast::<PyLongObject>() else {
            return Err(raise!(TypeError, "the _handle attribute of the second argument must be an integer"));
        };
        let address = call::symbol(handle.as_u64_mask() as usize, name).map_err(|why| raise!(ValueError, "{why}"))?;
        at_address(class_of(this)?, address as *mut u8)
    }
}

#[pymethods(part = FROM_PARAM)]
impl CType {
    /// Convert a Python object into a function call parameter.
    #[method("($self, value, /)")]
    fn from_param(this: &PyObject, value: &PyObject) -> PyResult {
        from_param(class_of(this)?, value)
    }
}

fn class_of(this: &PyObject) -> PyResult<&PyTypeObject> {
    this.downcast_type().ok_or_else(|| raise!(TypeError, "a type is required"))
}

fn check_room(info: &TypeInfo, len: isize, offset: isize) -> PyResult<()> {
    if offset < 0 {
        return Err(raise!(ValueError, "offset cannot be negative"));
    }
    let size = info.size.get() as isize;
    if size > len - offset {
        return Err(raise!(
            ValueError,
            "Buffer size too small ({len} instead of at least {} bytes)",
            size.saturating_add(offset)
        ));
    }
    Ok(())
}

/// What every C type takes as a parameter: its instances, and what `_as_parameter_` gives.
pub fn from_param(class: &PyTypeObject, value: &PyObject) -> PyResult {
    if value.is_instance(class.as_object())? {
        return Ok(value.to_ref());
    }
    let mut found = value.ty().name();
    if let Some(param) = value.as_object().downcast::<call::CParam>() {
        if let Some(object) = param.object.borrow() {
            if object.is_instance(class.as_object())? {
                return Ok(value.to_ref());
            }
            found = object.ty().name();
        } else {
            found = "???".to_string();
        }
    }
    if let Some(inner) = value.get_attr_opt(identifier!("_as_parameter_"))? {
        adder_runtime::protocol::enter_native_call(" while processing _as_parameter_")?;
        return class.as_object().call_method(identifier!("from_param"), &[&inner]);
    }
    Err(raise!(TypeError, "expected {} instance instead of {found}", class.name()))
}

fn aggregate_init(this: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>, kind: Kind) -> PyResult<()> {
    let class = init_class(this, args, kwargs)?;
    if own_attribute(class, "_abstract_").is_some() {
        return Ok(());
    }
    let base = base_info(class);
    let info = set_info(class, base.map_or_else(|| TypeInfo::empty_aggregate(kind), TypeInfo::inherited));
    if kind == Kind::Struct && base.is_none() {
        info.set_format("B");
    }
    match own_attribute(class, "_fields_") {
        Some(fields) => this.set_attr(identifier!("_fields_"), &fields),
        None => {
            if let Some(base) = base {
                base.set_flag(FINAL);
            }
            Ok(())
        }
    }
}

fn aggregate_setattr(this: &PyObject, name: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let set = adder_runtime::PyType_Type.tp_setattro.get().expect("type is ready");
    let raw = value.map_or(std::ptr::null_mut(), PyObject::as_ptr);
    // SAFETY: the base's slot with its arguments.
    adder_runtime::protocol::from_status(unsafe { set(this.as_ptr(), name.as_ptr(), raw) }, "tp_setattro")?;
    if name.as_object().downcast::<PyUnicodeObject>().is_some_and(|name| name.eq_str("_fields_"))
        && let Some(fields) = value
    {
        return structures::set_fields(class_of(this)?, fields);
    }
    Ok(())
}

struct StructMeta;
#[pytype(
    name = "_ctypes.PyCStructType", static_name = STRUCT_META, base = CTYPE_TYPE, flags = BASETYPE,
    basicsize = size_of::<CType>() as isize, typed = false, dealloc = inherit, parts = [MAKERS, FROM_PARAM],
    doc = "metatype for the Structure objects",
)]
impl StructMeta {
    #[slot]
    fn tp_init(this: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        aggregate_init(this, args, kwargs, Kind::Struct)
    }
    #[slot]
    fn tp_setattro(this: &PyObject, name: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        aggregate_setattr(this, name, value)
    }
}

struct UnionMeta;
#[pytype(
    name = "_ctypes.UnionType", static_name = UNION_META, base = CTYPE_TYPE, flags = BASETYPE,
    basicsize = size_of::<CType>() as isize, typed = false, dealloc = inherit, parts = [MAKERS, FROM_PARAM],
    doc = "metatype for the Union objects",
)]
impl UnionMeta {
    #[slot]
    fn tp_init(this: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        aggregate_init(this, args, kwargs, Kind::Union)
    }
    #[slot]
    fn tp_setattro(this: &PyObject, name: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        aggregate_setattr(this, name, value)
    }
}

struct PointerMeta;
#[pytype(
    name = "_ctypes.PyCPointerType", static_name = POINTER_META, base = CTYPE_TYPE, flags = BASETYPE,
    basicsize = size_of::<CType>() as isize, typed = false, dealloc = inherit, parts = [MAKERS],
    doc = "metatype for the Pointer objects",
)]
impl PointerMeta {
    #[slot]
    fn tp_init(this: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        let class = init_class(this, args, kwargs)?;
        let info = set_info(class, TypeInfo::new(Kind::Pointer, copy_of(&raw const ffi::ffi_type_pointer), "&B"));
        info.length.set(1);
        info.set_flag(TYPEFLAG_ISPOINTER);
        match own_attribute(class, "_type_") {
            Some(proto) => {
                set_target(info, &proto)?;
                let target = info_of_object(&proto).expect("just checked");
                if !target.pointer_type.is_some() {
                    target.pointer_type.set(Some(this.to_ref()));
                }
                Ok(())
            }
            None => {
                if let Some(base) = base_info(class) {
                    info.proto.set(base.proto.get());
                    *info.format.borrow_mut() = base.format.borrow().clone();
                }
                Ok(())
            }
        }
    }
    /// Sets what the pointer points to.
    #[method("($self, type, /)")]
    fn set_type(this: &PyObject, ty: &PyObject) -> PyResult<()> {
        let class = class_of(this)?;
        let info = info_of(class).ok_or_else(abstract_class)?;
        set_target(info, ty)?;
        let target = info_of_object(ty).expect("just checked");
        if !target.pointer_type.is_some() {
            target.pointer_type.set(Some(this.to_ref()));
        }
        this.set_attr(identifier!("_type_"), ty)
    }
    /// Convert a Python object into a function call parameter.
    #[method("($self, value, /)", name = "from_param")]
    fn pointer_from_param(this: &PyObject, value: &PyObject) -> PyResult {
        if is_none(value) {
            return Ok(none().to_ref());
        }
        let class = class_of(this)?;
        let info = info_of(class).ok_or_else(abstract_class)?;
        let Some(target) = info.proto.get() else {
            return Err(raise!(TypeError, "cannot construct parameter"));
        };
        if value.is_instance(&target)? {
            info.set_flag(FINAL);
            return call::byref(value, 0);
        }
        if (value.is_instance_of(&POINTER_TYPE) || value.is_instance_of(&ARRAY_TYPE))
            && let Some(theirs) = info_of(value.ty()).and_then(|theirs| theirs.proto.get())
            && theirs.is_subclass(&target)?
        {
            return Ok(value.to_ref());
        }
        from_param(class, value)
    }
}

fn set_target(info: &TypeInfo, proto: &PyObject) -> PyResult<()> {
    if proto.downcast_type().is_none() {
        return Err(raise!(TypeError, "_type_ must be a type"));
    }
    let Some(target) = info_of_object(proto) else {
        return Err(raise!(TypeError, "_type_ must have storage info"));
    };
    let shape: Vec<String> = target.shape.borrow().iter().map(isize::to_string).collect();
    let format = target.format_text();
    info.set_format(&match shape.is_empty() {
        true => format!("&{format}"),
        false => format!("&({}){format}", shape.join(",")),
    });
    info.proto.set(Some(proto.to_ref()));
    Ok(())
}

struct ArrayMeta;
#[pytype(
    name = "_ctypes.PyCArrayType", static_name = ARRAY_META, base = CTYPE_TYPE, flags = BASETYPE,
    basicsize = size_of::<CType>() as isize, typed = false, dealloc = inherit, parts = [MAKERS, FROM_PARAM],
    doc = "metatype for the Array objects",
)]
impl ArrayMeta {
    #[slot]
    fn tp_init(this: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        let class = init_class(this, args, kwargs)?;
        let Some(length) = attribute(class, "_length_")?.filter(|length| !is_none(length)) else {
            return Err(raise!(AttributeError, "class must define a '_length_' attribute"));
        };
        let Some(length) = length.as_object().downcast::<PyLongObject>().map(|length| (length.sign(), length.to_isize())) else {
            return Err(raise!(TypeError, "The '_length_' attribute must be an integer"));
        };
        let length = match length {
            (sign, _) if sign < 0 => {
                return Err(raise!(ValueError, "The '_length_' attribute must not be negative"));
            }
            (_, None) => return Err(raise!(OverflowError, "The '_length_' attribute is too large")),
            (_, Some(length)) => length as usize,
        };
        let Some(item_type) = attribute(class, "_type_")?.filter(|item| !is_none(item)) else {
            return Err(raise!(AttributeError, "class must define a '_type_' attribute"));
        };
        let Some(item) = info_of_object(&item_type) else {
            return Err(raise!(TypeError, "_type_ must have storage info"));
        };
        let Some(size) = item.size.get().checked_mul(length).filter(|size| *size <= isize::MAX as usize) else {
            return Err(raise!(OverflowError, "array too large"));
        };
        let info = set_info(class, TypeInfo::new(Kind::Array, copy_of(&raw const ffi::ffi_type_pointer), "B"));
        info.size.set(size);
        info.align.set(item.align.get());
        info.length.set(length);
        *info.format.borrow_mut() = item.format.borrow().clone();
        let mut shape = vec![length as isize];
        shape.extend_from_slice(&item.shape.borrow());
        *info.shape.borrow_mut() = shape;
        if item.has(TYPEFLAG_ISPOINTER | TYPEFLAG_HASPOINTER) {
            info.set_flag(TYPEFLAG_HASPOINTER);
        }
        item.set_flag(FINAL);
        info.proto.set(Some(item_type.clone()));
        match item.code.get() {
            b'c' if item.kind == Kind::Simple => arrays::add_char_attributes(class),
            b'u' if item.kind == Kind::Simple => arrays::add_wchar_attributes(class),
            _ => Ok(()),
        }
    }
}

struct SimpleMeta;
#[pytype(
    name = "_ctypes.PyCSimpleType", static_name = SIMPLE_META, base = CTYPE_TYPE, flags = BASETYPE,
    basicsize = size_of::<CType>() as isize, typed = false, dealloc = inherit, parts = [MAKERS],
    doc = "metatype for the PyCSimpleType objects",
)]
impl SimpleMeta {
    #[slot]
    fn tp_init(this: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        let class = init_class(this, args, kwargs)?;
        let Some(code) = attribute(class, "_type_")? else {
            return Err(raise!(AttributeError, "class must define a '_type_' attribute"));
        };
        let Some(code) = code.as_object().downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "class must define a '_type_' string attribute"));
        };
        if code.len() != 1 {
            return Err(raise!(
                ValueError,
                "class must define a '_type_' attribute which must be a string of length 1"
            ));
        }
        let code = u8::try_from(code.char_at(0)).unwrap_or(0);
        let Some(ffi) = simple::ffi_type_of(code) else {
            return Err(raise!(
                AttributeError,
                "class must define a '_type_' attribute which must be\na single character string containing one of '{}'.",
                simple::CODES
            ));
        };
        let info = set_info(class, TypeInfo::new(Kind::Simple, ffi, &simple::format_of(code, false)));
        info.code.set(code);
        if b"zZPO".contains(&code) {
            info.set_flag(TYPEFLAG_ISPOINTER);
        }
        let is_direct = class.base().is_some_and(|base| std::ptr::eq(base, &SIMPLE_TYPE));
        if is_direct {
            simple::add_from_param(class, code)?;
        }
        if is_direct && simple::has_swapped(code) {
            let swapped = swapped_type(this.ty(), args)?;
            let swapped_class = swapped.downcast_type().expect("a metatype makes types");
            let info = info_of(swapped_class).expect("a simple type has one");
            info.swapped.set(true);
            info.set_format(&simple::format_of(code, true));
            for owner in [this, &*swapped] {
                set_type_attribute(owner, "__ctype_le__", this)?;
                set_type_attribute(owner, "__ctype_be__", &swapped)?;
            }
        }
        Ok(())
    }
    /// Convert a Python object into a function call parameter.
    #[method("($self, value, /)", name = "from_param")]
    fn simple_from_param(this: &PyObject, value: &PyObject) -> PyResult {
        simple::from_param(class_of(this)?, value)
    }
}


/// The class with the other byte order: same name, bases and code.
fn swapped_type(metatype: &PyTypeObject, args: &PyTupleObject) -> PyResult {
    let dict = PyDictObject::new();
    if let Some(given) = args.get(2)
        && let Some(given) = given.as_object().downcast::<PyDictObject>()
    {
        dict.update(given.as_object())?;
    }
    let new = adder_runtime::PyType_Type.tp_new.get().expect("type is ready");
    let arguments = PyTupleObject::from_slice(&[
        &args.get(0).expect("checked by type"),
        &args.get(1).expect("checked by type"),
        dict.as_object(),
    ]);
    let metatype = (metatype as *const PyTypeObject).cast_mut();
    // SAFETY: a slot of the metatype's base with its arguments.
    let swapped = unsafe {
        let made = new(metatype, arguments.as_object().as_ptr(), std::ptr::null_mut());
        adder_runtime::protocol::from_slot(made, "tp_new")?
    };
    let class = swapped.downcast_type().expect("a metatype makes types");
    let code = attribute(class, "_type_")?.and_then(|code| Some(code.as_object().downcast::<PyUnicodeObject>()?.char_at(0) as u8)).unwrap_or(0);
    let ffi = simple::ffi_type_of(code).expect("checked for the first byte order");
    set_info(class, TypeInfo::new(Kind::Simple, ffi, "")).code.set(code);
    Ok(swapped)
}

fn set_type_attribute(class: &PyObject, name: &str, value: &PyObject) -> PyResult<()> {
    class.set_attr_str(name, value)
}

struct FunctionMeta;
#[pytype(
    name = "_ctypes.PyCFuncPtrType", static_name = FUNCTION_META, base = CTYPE_TYPE, flags = BASETYPE,
    basicsize = size_of::<CType>() as isize, typed = false, dealloc = inherit, parts = [MAKERS, FROM_PARAM],
    doc = "metatype for C function pointers",
)]
impl FunctionMeta {
    #[slot]
    fn tp_init(this: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        let class = init_class(this, args, kwargs)?;
        let info = set_info(class, TypeInfo::new(Kind::Function, copy_of(&raw const ffi::ffi_type_pointer), "X{}"));
        info.set_flag(TYPEFLAG_ISPOINTER);
        let flags = attribute(class, "_flags_")?;
        let Some(flags) = flags.as_ref().and_then(|flags| flags.as_object().downcast::<PyLongObject>()) else {
            return Err(raise!(TypeError, "class must define _flags_ which must be an integer"));
        };
        info.set_flag(flags.as_u64_mask() as u32);
        if let Some(argtypes) = attribute(class, "_argtypes_")?.filter(|argtypes| !is_none(argtypes)) {
            let Ok(argtypes) = argtypes.downcast::<PyTupleObject>() else {
                return Err(raise!(TypeError, "_argtypes_ must be a sequence of types"));
            };
            info.converters.set(Some(function::converters_of(&argtypes)?));
            info.argtypes.set(Some(argtypes));
        }
        if let Some(restype) = attribute(class, "_restype_")? {
            if !is_none(&restype) && info_of_object(&restype).is_none() && !restype.is_callable() {
                return Err(raise!(TypeError, "_restype_ must be a type, a callable, or None"));
            }
            info.checker.set(restype.get_attr_opt(identifier!("_check_retval_"))?);
            info.restype.set(Some(restype));
        }
        Ok(())
    }
}

/// A part of `base` as an instance of `class`.
pub fn part_of(class: &PyObject, base: &CData, index: usize, ptr: *mut u8) -> PyResult {
    let class = class.downcast_type().ok_or_else(abstract_class)?;
    from_base(class, Some(base), index, ptr)
}
