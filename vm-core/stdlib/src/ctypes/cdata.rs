//! Instances of C types: a pointer to memory of their own or somebody else's, and the Python objects that must live as long.

use super::info::*;
use super::simple;
use adder_runtime::exceptions::exc;
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::prelude::*;
use std::cell::{Cell, UnsafeCell};

/// The memory of an instance that owns it: in the object when it is small.
pub struct OwnedMemory {
    is_heap: Cell<bool>,
    heap: Cell<*mut u8>,
    small: UnsafeCell<[u64; 4]>,
}

impl OwnedMemory {
    /// Zeroed memory of a size.
    fn allocate(&self, size: usize) -> PyResult<*mut u8> {
        if size <= size_of::<[u64; 4]>() {
            return Ok(self.small.get().cast());
        }
        let memory = adder_runtime::memory::raw_calloc(size).cast::<u8>();
        if memory.is_null() {
            return Err(adder_runtime::memory::no_memory());
        }
        self.is_heap.set(true);
        self.heap.set(memory);
        Ok(memory)
    }
}

impl Drop for OwnedMemory {
    fn drop(&mut self) {
        if self.is_heap.get() {
            // SAFETY: allocated above, and nobody uses it any more.
            unsafe { adder_runtime::memory::raw_free(self.heap.get().cast()) };
        }
    }
}

/// An instance. All C types have this layout; function pointers have more behind it.
#[repr(C)]
pub struct CData {
    ob_base: PyObject,
    pub ptr: Cell<*mut u8>,
    pub size: Cell<usize>,
    pub length: Cell<usize>,
    /// The place in the instance that this is a part of.
    pub index: Cell<usize>,
    pub owns: Cell<bool>,
    pub base: ObjectCell,
    pub objects: ObjectCell,
    memory: OwnedMemory,
}

impl CData {
    pub fn of(object: &PyObject) -> Option<&CData> {
        object.as_object().downcast::<CData>()
    }
    /// The bytes that the instance covers.
    pub fn bytes(&self) -> &[u8] {
        if self.size.get() == 0 || self.ptr.get().is_null() {
            return &[];
        }
        // SAFETY: an instance's memory has its size; that from elsewhere is as good as the program that gave it.
        unsafe { std::slice::from_raw_parts(self.ptr.get(), self.size.get()) }
    }
    pub fn base_data(&self) -> Option<&CData> {
        self.base.borrow().and_then(CData::of)
    }
    /// The instance whose memory this one lies in, in the end; it keeps the objects.
    fn container(&self) -> &CData {
        let mut data = self;
        while let Some(base) = data.base_data() {
            data = base;
        }
        if !data.objects.is_some() {
            let objects = match data.length.get() {
                0 => none().to_ref(),
                _ => PyDictObject::new().into_object(),
            };
            data.objects.set(Some(objects));
        }
        data
    }
    /// What must live as long as what the instance points to.
    pub fn kept(&self) -> Ref {
        self.container().objects.get().expect("a container has objects")
    }
    /// The address that a pointer instance holds.
    pub fn pointer(&self) -> *mut u8 {
        // SAFETY: an instance of a pointer type has a pointer's room.
        unsafe { self.ptr.get().cast::<*mut u8>().read_unaligned() }
    }
    pub fn set_pointer(&self, pointer: *mut u8) {
        // SAFETY: as above.
        unsafe { self.ptr.get().cast::<*mut u8>().write_unaligned(pointer) }
    }
    /// More or less memory, for `resize`.
    pub fn resize(&self, size: usize) -> PyResult<()> {
        let old = self.bytes().to_vec();
        let fresh = adder_runtime::memory::raw_calloc(size.max(1)).cast::<u8>();
        if fresh.is_null() {
            return Err(adder_runtime::memory::no_memory());
        }
        let n_bytes = old.len().min(size);
        // SAFETY: both have so many bytes; the old block, if one, is not used any more.
        unsafe {
            std::ptr::copy_nonoverlapping(old.as_ptr(), fresh, n_bytes);
            if self.memory.is_heap.get() {
                adder_runtime::memory::raw_free(self.memory.heap.get().cast());
            }
        }
        self.memory.is_heap.set(true);
        self.memory.heap.set(fresh);
        self.ptr.set(fresh);
        self.size.set(size);
        Ok(())
    }
}

fn allocate(class: &PyTypeObject) -> PyResult<(Ref, &TypeInfo)> {
    let info = info_of(class).ok_or_else(abstract_class)?;
    info.set_flag(FINAL);
    let made = class.alloc_instance(0)?;
    let data = CData::of(&made).expect("an instance of a C type");
    data.size.set(info.size.get());
    data.length.set(info.length.get());
    Ok((made, info))
}

/// A zeroed instance with memory of its own: `__new__`.
pub fn new_instance(class: &PyTypeObject) -> PyResult {
    let (made, info) = allocate(class)?;
    let data = CData::of(&made).expect("an instance of a C type");
    data.ptr.set(data.memory.allocate(info.size.get())?);
    data.owns.set(true);
    Ok(made)
}

/// An instance for memory at an address, whatever it is.
pub fn at_address(class: &PyTypeObject, address: *mut u8) -> PyResult {
    let value = PyLongObject::from_usize(address as usize);
    adder_runtime::hooks::audit("ctypes.cdata", &[value.as_object()])?;
    let (made, _) = allocate(class)?;
    CData::of(&made).expect("an instance of a C type").ptr.set(address);
    Ok(made)
}

/// An instance for a part of another one, or with a copy of what is at an address.
pub fn from_base(class: &PyTypeObject, base: Option<&CData>, index: usize, address: *mut u8) -> PyResult {
    let (made, info) = allocate(class)?;
    let data = CData::of(&made).expect("an instance of a C type");
    data.index.set(index);
    match base {
        Some(base) => {
            data.ptr.set(address);
            data.base.set(Some(base.as_object().to_ref()));
        }
        None => {
            let memory = data.memory.allocate(info.size.get())?;
            // SAFETY: both have the type's size.
            unsafe { std::ptr::copy_nonoverlapping(address, memory, info.size.get()) };
            data.ptr.set(memory);
            data.owns.set(true);
        }
    }
    Ok(made)
}

impl CData {
    pub fn as_object(&self) -> &PyObject {
        &self.ob_base
    }
}

/// Has `target` keep an object for what is at `index`.
pub fn keep_reference(target: &CData, index: usize, keep: &PyObject) -> PyResult<()> {
    if is_none(keep) {
        return Ok(());
    }
    let container = target.container();
    let objects = container.objects.get().expect("a container has objects");
    let Some(dict) = objects.as_object().downcast::<PyDictObject>() else {
        container.objects.set(Some(keep.to_ref()));
        return Ok(());
    };
    let mut key = format!("{:x}", index as u32);
    let mut data = target;
    while let Some(base) = data.base_data() {
        key.push_str(&format!(":{:x}", data.index.get() as u32));
        data = base;
    }
    dict.set_str(&PyUnicodeObject::from_string(key), keep)
}

/// A class made directly from `_SimpleCData`, whose instances become plain Python values.
pub fn is_plain_simple(class: &PyTypeObject) -> bool {
    info_of(class).is_some_and(|info| info.kind == Kind::Simple)
        && class.base().is_some_and(|base| std::ptr::eq(base, &simple::SIMPLE_TYPE))
}

/// The Python value of a part of an instance: `code` overrides the type's own.
pub fn get_value(class: &PyObject, code: u8, base: &CData, index: usize, size: usize, address: *mut u8) -> PyResult {
    let class = class.downcast_type().ok_or_else(abstract_class)?;
    let info = info_of(class).ok_or_else(abstract_class)?;
    if code != 0 {
        return simple::read(code, info.swapped.get(), address, size);
    }
    if is_plain_simple(class) {
        return simple::read(info.code.get(), info.swapped.get(), address, size);
    }
    from_base(class, Some(base), index, address)
}

/// Stores a Python value as a C type at an address; what must be kept alive for it.
fn store(class: &PyTypeObject, code: u8, value: &PyObject, size: usize, address: *mut u8) -> PyResult {
    let info = info_of(class).ok_or_else(abstract_class)?;
    if code != 0 {
        return simple::write(code, info.swapped.get(), address, value, size);
    }
    let Some(source) = CData::of(value) else {
        if info.kind == Kind::Simple {
            return simple::write(info.code.get(), info.swapped.get(), address, value, size);
        }
        if let Some(args) = value.as_object().downcast::<PyTupleObject>() {
            let made = class.as_object().call_tuple(args, None).map_err(|raised| {
                super::call::extend_error(raised, exc::RuntimeError, &format!("({}) ", class.short_name()))
            })?;
            return store(class, code, &made, size, address);
        }
        if is_none(value) && info.kind == Kind::Pointer {
            // SAFETY: the place has a pointer's room.
            unsafe { address.cast::<*mut u8>().write_unaligned(std::ptr::null_mut()) };
            return Ok(none().to_ref());
        }
        return Err(raise!(TypeError, "expected {} instance, got {}", class.name(), value.ty().name()));
    };
    if value.is_instance(class.as_object())? {
        // SAFETY: both places have the size of the type; they may overlap.
        unsafe { std::ptr::copy(source.ptr.get(), address, size) };
        return Ok(source.kept());
    }
    if info.kind == Kind::Pointer
        && let Some(theirs) = info_of(value.ty()).filter(|theirs| theirs.kind == Kind::Array)
    {
        let same = match (theirs.proto.borrow(), info.proto.borrow()) {
            (Some(theirs), Some(ours)) => theirs.is(ours),
            _ => false,
        };
        if same {
            // SAFETY: the place has a pointer's room.
            unsafe { address.cast::<*mut u8>().write_unaligned(source.ptr.get()) };
            let kept = source.kept();
            return Ok(PyTupleObject::from_slice(&[&kept, value]).into_object());
        }
    }
    Err(raise!(
        TypeError,
        "incompatible types, {} instance instead of {} instance",
        value.ty().name(),
        class.name()
    ))
}

/// Stores a Python value in a part of an instance, which keeps what the value needs.
pub fn set_value(
    target: &CData,
    class: &PyObject,
    code: u8,
    value: &PyObject,
    index: usize,
    size: usize,
    address: *mut u8,
) -> PyResult<()> {
    let class = class.downcast_type().ok_or_else(abstract_class)?;
    let keep = store(class, code, value, size, address)?;
    keep_reference(target, index, &keep)
}

#[pytype(
    name = "_ctypes._CData",
    static_name = CDATA_TYPE,
    metatype = super::metatypes::CTYPE_TYPE,
    flags = BASETYPE | HAVE_GC,
    doc = "XXX to be provided",
)]
impl CData {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match self.objects.visit(visitor) {
            0 => self.base.visit(visitor),
            status => status,
        }
    }
    #[slot]
    fn tp_clear(&self) {
        self.objects.set(None);
        self.base.set(None);
    }
    #[slot]
    fn tp_hash(this: &PyObject) -> PyResult<Py_hash_t> {
        let _ = this;
        Err(raise!(TypeError, "unhashable type"))
    }
    #[slot]
    fn bf_getbuffer(this: &PyObject, view: *mut Py_buffer, _flags: c_int) -> PyResult<()> {
        let data = CData::of(this).expect("the slot's own type");
        let info = instance_info(this)?;
        // Of an array, the items' type says how large one is.
        let mut item = info;
        while item.kind == Kind::Array
            && let Some(inner) = item.proto.borrow().and_then(info_of_object)
        {
            // SAFETY: the inner type is owned by the outer one, which the instance's class owns.
            item = unsafe { &*(inner as *const TypeInfo) };
        }
        // SAFETY: C gives a view to fill; the format and the shape live as long as the class, which the view's object owns.
        let view = unsafe { &*view };
        view.buf.set(data.ptr.get().cast());
        view.obj.set(this.to_ref().into_raw());
        view.len.set(data.size.get() as isize);
        view.readonly.set(0);
        view.format.set(info.format.borrow().as_ptr().cast_mut());
        let shape = info.shape.borrow();
        view.ndim.set(shape.len() as c_int);
        view.shape.set(shape.as_ptr().cast_mut());
        view.itemsize.set(item.size.get() as isize);
        view.strides.set(std::ptr::null_mut());
        view.suboffsets.set(std::ptr::null_mut());
        view.internal.set(std::ptr::null_mut());
        Ok(())
    }
    #[getter]
    fn _b_base_(&self) -> Option<Ref> {
        self.base.get()
    }
    #[getter]
    fn _b_needsfree_(&self) -> bool {
        self.owns.get()
    }
    #[getter]
    fn _objects(&self) -> Option<Ref> {
        self.objects.get()
    }
    #[method("($self, /)")]
    fn __ctypes_from_outparam__(this: &PyObject) -> Ref {
        this.to_ref()
    }
    #[method("($self, /)")]
    fn __reduce__(this: &PyObject) -> PyResult {
        let data = CData::of(this).expect("the method's own type");
        if instance_info(this)?.has(TYPEFLAG_ISPOINTER | TYPEFLAG_HASPOINTER) {
            return Err(raise!(ValueError, "ctypes objects containing pointers cannot be pickled"));
        }
        let dict = match this.instance_dict_or_make() {
            Some(dict) => dict.into_object(),
            None => PyDictObject::new().into_object(),
        };
        let bytes = PyBytesObject::from_slice(data.bytes()).into_object();
        let state = PyTupleObject::from_vec(vec![dict, bytes]).into_object();
        let arguments = PyTupleObject::from_vec(vec![this.ty().as_object().to_ref(), state]).into_object();
        let unpickle = adder_runtime::hooks::import_module("_ctypes")?.get_attr_str("_unpickle")?;
        Ok(PyTupleObject::from_vec(vec![unpickle, arguments]).into_object())
    }
    #[method("($self, dict, data, /)")]
    fn __setstate__(this: &PyObject, dict: &PyDictObject, bytes: Buffer) -> PyResult<()> {
        let data = CData::of(this).expect("the method's own type");
        let n_bytes = bytes.len().min(data.size.get());
        // SAFETY: both have so many bytes.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_bytes().as_ptr(), data.ptr.get(), n_bytes) };
        if let Some(own) = this.instance_dict_or_make() {
            own.update(dict.as_object())?;
        }
        Ok(())
    }
}
