//! Structures and unions: `_fields_` -> a layout (`ctypes._layout` computes it) -> a `CField` per name.

use super::cdata::{CDATA_TYPE, CData, get_value, new_instance, set_value};
use super::info::*;
use adder_runtime::prelude::*;
use std::cell::Cell;

/// Takes `_fields_` as the layout of a class.
pub fn set_fields(class: &PyTypeObject, fields: &PyObject) -> PyResult<()> {
    let Some(info) = info_of(class) else {
        return if class.as_object().has_attr(identifier!("_abstract_"))? {
            Ok(())
        } else {
            Err(raise!(TypeError, "ctypes state is not initialized"))
        };
    };
    if info.has(FINAL) {
        return Err(raise!(AttributeError, "_fields_ is final"));
    }
    let is_struct = info.kind == Kind::Struct;
    let base = class.base().filter(|base| info_of(base).is_some());
    let layout_function = adder_runtime::hooks::import_module("ctypes._layout")?.get_attr_str("get_layout")?;
    let layout = layout_function.call_kw(
        &[],
        &[
            ("cls", class.as_object()),
            ("input_fields", fields),
            ("is_struct", &py_bool(is_struct)),
            ("base", base.map_or(none(), |base| base.as_object())),
        ],
    )?;
    let number = |name: &str| -> PyResult<usize> { layout.get_attr_str(name)?.index()?.as_usize() };
    let (align, size) = (number("align")?, number("size")?);
    let format = layout.get_attr_str("format_spec")?.str()?.to_string_lossy();
    let laid_out = layout.get_attr_str("fields")?.collect()?;
    if info.has(FINAL) {
        return Err(raise!(AttributeError, "Structure or union cannot contain itself"));
    }
    let mut elements = Vec::new();
    let mut length = laid_out.len();
    if let Some(base) = base.and_then(info_of) {
        elements = base.element_list();
        if base.size.get() == 0 {
            elements.clear();
        }
        length += base.length.get();
        base.set_flag(FINAL);
        info.set_flag(base.flags.get() & (TYPEFLAG_HASPOINTER | TYPEFLAG_HASUNION | TYPEFLAG_HASBITFIELD));
    }
    if !is_struct {
        info.set_flag(TYPEFLAG_HASUNION);
    }
    for field in &laid_out {
        let Some(descriptor) = field.as_object().downcast::<CField>() else {
            return Err(raise!(TypeError, "fields must be of type CField, got {}", field.ty().full_name()));
        };
        let proto = descriptor.proto.get().ok_or_else(abstract_class)?;
        let Some(part) = info_of_object(&proto) else {
            return Err(raise!(TypeError, "second item in _fields_ tuple (index {}) must be a C type", descriptor.index.get()));
        };
        if part.has(TYPEFLAG_ISPOINTER | TYPEFLAG_HASPOINTER) {
            info.set_flag(TYPEFLAG_HASPOINTER);
        }
        info.set_flag(part.flags.get() & (TYPEFLAG_HASUNION | TYPEFLAG_HASBITFIELD));
        if descriptor.is_bitfield.get() {
            info.set_flag(TYPEFLAG_HASBITFIELD);
        }
        part.set_flag(FINAL);
        elements.push(part.as_element_of(info));
        let name = descriptor.name.get().expect("a field has a name");
        class.as_object().set_attr(&name, field)?;
    }
    info.set_elements(elements, size, align);
    info.length.set(length);
    info.set_format(&format);
    make_anonymous(class)
}

/// Fields of fields that `_anonymous_` names become fields of the whole.
fn make_anonymous(class: &PyTypeObject) -> PyResult<()> {
    let Some(names) = class.as_object().get_attr_opt(identifier!("_anonymous_"))? else {
        return Ok(());
    };
    if !names.is_sequence() {
        return Err(raise!(TypeError, "_anonymous_ must be a sequence"));
    }
    for name in names.collect()? {
        let Some(text) = name.as_object().downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name()));
        };
        let found = class.as_object().get_attr(text)?;
        let Some(field) = found.as_object().downcast_exact::<CField>() else {
            return Err(raise!(
                AttributeError,
                "'{}' is specified in _anonymous_ but not in _fields_",
                text.to_string_lossy()
            ));
        };
        field.is_anonymous.set(true);
        lift_fields(class, field, field.index.get(), field.offset.get())?;
    }
    Ok(())
}

fn lift_fields(class: &PyTypeObject, outer: &CField, index: usize, offset: usize) -> PyResult<()> {
    let proto = outer.proto.get().ok_or_else(abstract_class)?;
    for row in proto.get_attr(identifier!("_fields_"))?.collect()? {
        let name = row.get_index(0)?;
        let Ok(name) = name.downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "field names are strings"));
        };
        let found = proto.get_attr(&name)?;
        let Some(inner) = found.as_object().downcast_exact::<CField>() else {
            return Err(raise!(TypeError, "unexpected type"));
        };
        if inner.is_anonymous.get() {
            lift_fields(class, inner, index + inner.index.get(), offset + inner.offset.get())?;
            continue;
        }
        let made = CField::blank(inner.as_object().ty())?;
        let copy = made.as_object().downcast::<CField>().expect("just made");
        copy.name.set(inner.name.get());
        copy.proto.set(inner.proto.get());
        copy.offset.set(inner.offset.get() + offset);
        copy.index.set(inner.index.get() + index);
        copy.size.set(inner.size.get());
        copy.bit_size.set(inner.bit_size.get());
        copy.bit_offset.set(inner.bit_offset.get());
        copy.is_bitfield.set(inner.is_bitfield.get());
        class.as_object().set_attr(&name, &made)?;
    }
    Ok(())
}

/// A field: a descriptor that reads and writes a part of an instance.
#[repr(C)]
pub struct CField {
    ob_base: PyObject,
    name: ObjectCell<PyUnicodeObject>,
    proto: ObjectCell,
    offset: Cell<usize>,
    size: Cell<usize>,
    index: Cell<usize>,
    bit_size: Cell<usize>,
    bit_offset: Cell<usize>,
    is_bitfield: Cell<bool>,
    is_anonymous: Cell<bool>,
}

impl CField {
    fn as_object(&self) -> &PyObject {
        &self.ob_base
    }
    fn blank(class: &PyTypeObject) -> PyResult {
        class.alloc_instance(0)
    }
    /// Arrays of characters read and write as text.
    fn text_code(&self) -> u8 {
        let Some(info) = self.proto.borrow().and_then(info_of_object).filter(|info| info.kind == Kind::Array) else {
            return 0;
        };
        match info.proto.borrow().and_then(info_of_object).map(|item| item.code.get()) {
            Some(b'c') => b's',
            Some(b'u') => b'U',
            _ => 0,
        }
    }
    fn place(&self, data: &CData) -> *mut u8 {
        data.ptr.get().wrapping_add(self.offset.get())
    }
    fn info(&self) -> PyResult<&TypeInfo> {
        self.proto.borrow().and_then(info_of_object).ok_or_else(abstract_class)
    }
    /// The bits of the whole unit that a bit field lies in.
    fn unit(&self, place: *mut u8, swapped: bool) -> u64 {
        let size = self.size.get().min(8);
        let mut bytes = [0; 8];
        // SAFETY: the field lies inside its instance.
        unsafe { std::ptr::copy_nonoverlapping(place, bytes.as_mut_ptr(), size) };
        if swapped {
            bytes[..size].reverse();
        }
        u64::from_le_bytes(bytes)
    }
    fn mask(&self) -> u64 {
        match self.bit_size.get() {
            64.. => u64::MAX,
            bits => (1 << bits) - 1,
        }
    }
    fn read_bits(&self, place: *mut u8) -> PyResult {
        let info = self.info()?;
        let value = (self.unit(place, info.swapped.get()) >> self.bit_offset.get()) & self.mask();
        let bits = self.bit_size.get() as u32;
        Ok(match info.code.get() {
            b'?' => py_bool(value != 0),
            b'b' | b'h' | b'i' | b'l' | b'q' => {
                let shift = 64 - bits.min(64);
                PyLongObject::from_i64(((value << shift) as i64) >> shift).into_object()
            }
            _ => PyLongObject::from_u64(value).into_object(),
        })
    }
    fn write_bits(&self, place: *mut u8, value: &PyObject) -> PyResult<()> {
        let info = self.info()?;
        let number = match info.code.get() {
            b'?' => value.is_true()?.into(),
            _ => value.index()?.as_u64_mask(),
        };
        let (mask, shift) = (self.mask(), self.bit_offset.get());
        let unit = self.unit(place, info.swapped.get()) & !(mask << shift) | (number & mask) << shift;
        let size = self.size.get().min(8);
        let mut bytes = unit.to_le_bytes();
        if info.swapped.get() {
            bytes[..size].reverse();
        }
        // SAFETY: the field lies inside its instance.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), place, size) };
        Ok(())
    }
}

fn data_of(this: &PyObject) -> PyResult<&CData> {
    CData::of(this).ok_or_else(|| raise!(TypeError, "not a ctype instance"))
}

#[pytype(
    name = "ctypes.CField",
    static_name = CFIELD_TYPE,
    flags = HAVE_GC,
    doc = "Structure/Union member",
)]
impl CField {
    #[new("(*, name, type, byte_size, byte_offset, index, _internal_use, bit_size=None, bit_offset=None)")]
    fn new(
        cls: &PyTypeObject,
        name: &PyUnicodeObject,
        ty: &PyObject,
        byte_size: isize,
        byte_offset: isize,
        index: isize,
        _internal_use: bool,
        bit_size: Option<&PyObject>,
        bit_offset: Option<&PyObject>,
    ) -> PyResult {
        if !_internal_use {
            return Err(raise!(TypeError, "CField is not intended to be used directly; this is an internal API"));
        }
        if byte_size < 0 || byte_offset < 0 || index < 0 {
            return Err(raise!(ValueError, "byte size, offset and index of field {} must not be negative", name.as_object().repr()?.to_string_lossy()));
        }
        let Some(info) = info_of_object(ty) else {
            return Err(raise!(TypeError, "type of field {} must be a C type", name.as_object().repr()?.to_string_lossy()));
        };
        if byte_size as usize != info.size.get() {
            return Err(raise!(
                ValueError,
                "byte size of field {} must match type size ({})",
                name.as_object().repr()?.to_string_lossy(),
                info.size.get()
            ));
        }
        let made = CField::blank(cls)?;
        let field = made.as_object().downcast::<CField>().expect("just made");
        if let Some(bits) = bit_size {
            let bits = bits.index()?.as_isize()?;
            let offset = match bit_offset {
                Some(offset) => offset.index()?.as_isize()?,
                None => return Err(raise!(ValueError, "bit_offset must be specified if bit_size is")),
            };
            if info.kind != Kind::Simple || !b"bBhHiIlLqQ?v".contains(&info.code.get()) {
                return Err(raise!(
                    TypeError,
                    "bit fields not allowed for type {}",
                    ty.downcast_type().map(PyTypeObject::name).unwrap_or_default()
                ));
            }
            if bits <= 0 || bits > 8 * byte_size {
                return Err(raise!(ValueError, "number of bits invalid for bit field {}", name.as_object().repr()?.to_string_lossy()));
            }
            if offset < 0 || offset + bits > 8 * byte_size {
                return Err(raise!(ValueError, "bit field {} overflows its type ({offset} + {bits} > {})", name.as_object().repr()?.to_string_lossy(), 8 * byte_size));
            }
            field.is_bitfield.set(true);
            field.bit_size.set(bits as usize);
            field.bit_offset.set(offset as usize);
        }
        field.name.set(Some(PyUnicodeObject::intern(name.to_ref())));
        field.proto.set(Some(ty.to_ref()));
        field.size.set(byte_size as usize);
        field.offset.set(byte_offset as usize);
        field.index.set(index as usize);
        Ok(made)
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.proto.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.proto.set(None);
    }
    #[slot]
    fn tp_descr_get(&self, instance: Option<&PyObject>, _ty: Option<&PyObject>) -> PyResult {
        let Some(instance) = instance else {
            return Ok(self.as_object().to_ref());
        };
        let data = data_of(instance)?;
        let place = self.place(data);
        if self.is_bitfield.get() {
            return self.read_bits(place);
        }
        let proto = self.proto.get().ok_or_else(abstract_class)?;
        get_value(&proto, self.text_code(), data, self.index.get(), self.size.get(), place)
    }
    #[slot]
    fn tp_descr_set(&self, instance: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        let data = data_of(instance)?;
        let Some(value) = value else {
            return Err(raise!(TypeError, "can't delete attribute"));
        };
        let place = self.place(data);
        if self.is_bitfield.get() {
            return self.write_bits(place, value);
        }
        let proto = self.proto.get().ok_or_else(abstract_class)?;
        set_value(data, &proto, self.text_code(), value, self.index.get(), self.size.get(), place)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let name = self.name.get().expect("a field has a name").as_object().repr()?.to_string_lossy();
        let proto = self.proto.get().ok_or_else(abstract_class)?;
        let ty = proto.downcast_type().map(PyTypeObject::short_name).unwrap_or_default();
        let offset = self.offset.get();
        Ok(if self.is_bitfield.get() {
            let (bits, at) = (self.bit_size.get(), self.bit_offset.get());
            format!("<ctypes.CField {name} type={ty}, ofs={offset}, bit_size={bits}, bit_offset={at}>")
        } else {
            format!("<ctypes.CField {name} type={ty}, ofs={offset}, size={}>", self.size.get())
        })
    }
    /// name of this field
    #[getter]
    fn name(&self) -> Option<Ref<PyUnicodeObject>> {
        self.name.get()
    }
    /// type of this field
    #[getter(name = "type")]
    fn proto(&self) -> Option<Ref> {
        self.proto.get()
    }
    /// offset in bytes of this field (same as byte_offset)
    #[getter]
    fn offset(&self) -> usize {
        self.offset.get()
    }
    /// offset in bytes of this field. For bitfields: excludes bit_offset.
    #[getter]
    fn byte_offset(&self) -> usize {
        self.offset.get()
    }
    /// size of this field in bytes
    #[getter]
    fn byte_size(&self) -> usize {
        self.size.get()
    }
    /// size in bytes of this field. For bitfields, this is a legacy packed value; use byte_size instead
    #[getter]
    fn size(&self) -> usize {
        match self.is_bitfield.get() {
            true => self.bit_size.get() << 16 | self.bit_offset.get(),
            false => self.size.get(),
        }
    }
    /// size of this field in bits
    #[getter]
    fn bit_size(&self) -> usize {
        match self.is_bitfield.get() {
            true => self.bit_size.get(),
            false => 8 * self.size.get(),
        }
    }
    /// additional offset in bits (relative to byte_offset); zero for non-bitfields
    #[getter]
    fn bit_offset(&self) -> usize {
        self.bit_offset.get()
    }
    /// true if this is a bitfield
    #[getter]
    fn is_bitfield(&self) -> bool {
        self.is_bitfield.get()
    }
    /// true if this field is anonymous
    #[getter]
    fn is_anonymous(&self) -> bool {
        self.is_anonymous.get()
    }
}

/// Sets fields from positional arguments, those of base classes first; how many were taken.
fn init_positional(this: &PyObject, class: &PyTypeObject, args: &[&PyObject], kwargs: Option<&PyDictObject>) -> PyResult<usize> {
    let mut taken = 0;
    if let Some(base) = class.base()
        && info_of(base).is_some()
    {
        taken = init_positional(this, base, args, kwargs)?;
    }
    let fields = class.dict().and_then(|dict| dict.get_str(identifier!("_fields_")));
    let Some(fields) = fields else { return Ok(taken) };
    for row in fields.collect()? {
        let Some(value) = args.get(taken) else { break };
        let name = row.get_index(0)?;
        let Some(name) = name.as_object().downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "field names are strings"));
        };
        if let Some(kwargs) = kwargs
            && kwargs.contains(name.as_object())?
        {
            return Err(raise!(TypeError, "duplicate values for field {}", name.as_object().repr()?.to_string_lossy()));
        }
        this.set_attr(name, value)?;
        taken += 1;
    }
    Ok(taken)
}

fn init(this: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
    if args.len() > 0 {
        let taken = init_positional(this, this.ty(), args.as_slice(), kwargs)?;
        if taken < args.len() {
            return Err(raise!(TypeError, "too many initializers"));
        }
    }
    let Some(kwargs) = kwargs else { return Ok(()) };
    let mut position = 0;
    let mut pairs = Vec::new();
    while let Some((key, value, _)) = kwargs.next_entry(&mut position) {
        pairs.push((key.to_ref(), value.to_ref()));
    }
    for (key, value) in pairs {
        let Some(name) = key.as_object().downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "keywords must be strings"));
        };
        this.set_attr(name, &value)?;
    }
    Ok(())
}

struct Structure;
#[pytype(
    name = "_ctypes.Structure", static_name = STRUCTURE_TYPE, base = CDATA_TYPE, metatype = super::metatypes::STRUCT_META,
    basicsize = size_of::<CData>() as isize, flags = BASETYPE, typed = false, dealloc = inherit,
    doc = "Structure base class",
)]
impl Structure {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        new_instance(cls)
    }
    #[slot]
    fn tp_init(this: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        init(this, args, kwargs)
    }
}

struct Union;
#[pytype(
    name = "_ctypes.Union", static_name = UNION_TYPE, base = CDATA_TYPE, metatype = super::metatypes::UNION_META,
    basicsize = size_of::<CData>() as isize, flags = BASETYPE, typed = false, dealloc = inherit,
    doc = "Union base class",
)]
impl Union {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        new_instance(cls)
    }
    #[slot]
    fn tp_init(this: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        init(this, args, kwargs)
    }
}
