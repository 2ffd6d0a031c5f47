//! Struct sequences: named tuples from C, such as `time.struct_time` and `os.stat_result`.
//!
//! A type is made from a description. Its first fields are the tuple's items; further ones are attributes only, and
//! lie behind the items in memory.

use super::freelist::alloc_instance;
use super::tupleobject::{PyTuple_Type, fast_items};
use crate::memory::{self, gc};
use crate::prelude::*;
use crate::types::TypeSpec;
use std::ffi::CString;

/// A field of a struct sequence; one without a name is an item only.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: Option<&'static str>,
    pub doc: &'static str,
}

impl Field {
    pub const fn new(name: &'static str, doc: &'static str) -> Field {
        Field {
            name: Some(name),
            doc,
        }
    }
    pub const fn unnamed(doc: &'static str) -> Field {
        Field { name: None, doc }
    }
}

/// What a struct sequence type is made from.
#[derive(Clone, Debug)]
pub struct Desc<'a> {
    /// As `tp_name`: with the module before the last dot.
    pub name: &'a str,
    pub doc: &'a str,
    pub fields: &'a [Field],
    /// How many of the fields are items of the tuple.
    pub n_in_sequence: usize,
    /// Whether `type(...)` may be called from Python.
    pub instantiable: bool,
}

/// The layout is the tuple's; the marker type carries the methods.
#[repr(transparent)]
pub struct PyStructSequence(PyTupleObject);

const ITEM: usize = size_of::<*mut PyObject>();

/// A type with this layout, which lives for ever.
pub fn new_type(desc: &Desc<'_>) -> PyResult<&'static PyTypeObject> {
    let ty: &'static PyTypeObject = Box::leak(Box::new(PyTypeObject::zeroed()));
    init_type(ty, desc)?;
    Ok(ty)
}

fn leak(text: &str) -> *mut c_char {
    CString::new(text).unwrap_or_default().into_raw()
}

/// `PyStructSequence_InitType2`: makes a zeroed static type into the type described.
pub fn init_type(ty: &'static PyTypeObject, desc: &Desc<'_>) -> PyResult<()> {
    let n_hidden = desc.fields.len() - desc.n_in_sequence;
    ty.ob_base.ob_base.ob_refcnt.set(_Py_IMMORTAL_INITIAL_REFCNT);
    ty.ob_base.ob_base.ob_flags.set(_Py_STATIC_FLAG_BITS);
    ty.ob_base
        .ob_base
        .ob_type
        .set((&raw const crate::types::PyType_Type).cast_mut());
    ty.tp_name.set(leak(desc.name));
    ty.tp_doc.set(leak(desc.doc));
    ty.tp_base.set((&raw const PyTuple_Type).cast_mut());
    ty.tp_basicsize
        .set((PyTupleObject::ITEMS_OFFSET + n_hidden * ITEM) as isize);
    ty.tp_itemsize.set(ITEM as isize);
    ty.tp_flags
        .set(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE);
    ty.tp_dealloc.set(Some(struct_dealloc));
    ty.tp_traverse.set(Some(struct_traverse));
    ty.tp_repr.set(Some(struct_repr));
    if desc.instantiable {
        ty.tp_new.set(Some(struct_new));
    } else {
        ty.tp_flags
            .set(ty.tp_flags.get() | Py_TPFLAGS_DISALLOW_INSTANTIATION);
    }
    let mut members = Vec::new();
    for (idx, field) in desc.fields.iter().enumerate() {
        let Some(name) = field.name else { continue };
        let offset = PyTupleObject::ITEMS_OFFSET + idx * ITEM;
        let doc = if field.doc.is_empty() {
            std::ptr::null()
        } else {
            leak(field.doc).cast_const()
        };
        members.push(PyMemberDef::new(
            leak(name),
            _Py_T_OBJECT,
            offset as isize,
            Py_READONLY,
            doc,
        ));
    }
    members.push(PyMemberDef::zeroed());
    ty.tp_members
        .set(Box::leak(members.into_boxed_slice()).as_mut_ptr());
    static METHODS: [&[PyMethodDef]; 1] = [&STRUCT_SEQUENCE_METHODS];
    let spec = TypeSpec {
        ty,
        methods: &METHODS,
        getsets: &[],
        members: &[],
    };
    crate::types::registry::register(Box::leak(Box::new(spec)));
    crate::types::ready(ty)?;
    let dict = ty.dict().expect("a ready type has a dict");
    let n_unnamed = desc.fields.iter().filter(|field| field.name.is_none()).count();
    let numbers = [
        ("n_sequence_fields", desc.n_in_sequence),
        ("n_fields", desc.fields.len()),
        ("n_unnamed_fields", n_unnamed),
    ];
    for (name, number) in numbers {
        let name = PyUnicodeObject::intern(PyUnicodeObject::from_str(name));
        dict.set_str(&name, PyLongObject::from_usize(number).as_object())?;
    }
    let visible = desc
        .fields
        .iter()
        .take(desc.n_in_sequence)
        .filter_map(|field| field.name);
    let names = visible.map(|name| PyUnicodeObject::intern(PyUnicodeObject::from_str(name)).into_object());
    let names = PyTupleObject::from_vec(names.collect());
    dict.set_str(identifier!("__match_args__"), names.as_object())?;
    crate::types::modified(ty);
    Ok(())
}

/// How many fields of a type are attributes only.
fn n_hidden(ty: &PyTypeObject) -> usize {
    (ty.tp_basicsize.get() as usize - PyTupleObject::ITEMS_OFFSET) / ITEM
}

fn number(ty: &PyTypeObject, name: &'static PyUnicodeObject) -> usize {
    let found = ty.dict().and_then(|dict| dict.get_str(name));
    let number = found
        .as_ref()
        .and_then(|found| found.downcast_exact::<PyLongObject>()?.to_i64());
    number.unwrap_or(0) as usize
}

fn n_visible(ty: &PyTypeObject) -> usize {
    number(ty, identifier!("n_sequence_fields"))
}

/// An instance with these fields; missing ones at the end are None.
pub fn new_instance(ty: &PyTypeObject, fields: Vec<Ref>) -> PyResult {
    let visible = n_visible(ty);
    let total = visible + n_hidden(ty);
    assert!(fields.len() <= total, "more values than fields");
    let object = alloc_instance(ty, visible)?;
    // SAFETY: an instance has room for its items and, by its basic size, for its hidden fields.
    unsafe {
        let tuple = &*object.as_raw().cast::<PyTupleObject>();
        tuple.ob_hash.set(-1);
        let n_given = fields.len();
        for (idx, field) in fields.into_iter().enumerate() {
            *tuple.items_ptr().add(idx) = field.into_raw();
        }
        for idx in n_given..total {
            *tuple.items_ptr().add(idx) = none_ref().into_raw();
        }
    }
    Ok(object)
}

/// `PyStructSequence_GetItem`: any field, hidden ones too.
pub fn get_field(object: &PyObject, index: usize) -> Option<Ref> {
    // SAFETY: a struct sequence has the tuple's layout with its hidden fields behind the items.
    unsafe {
        let tuple = &*object.as_ptr().cast::<PyTupleObject>();
        let total = tuple.len() + n_hidden(object.ty());
        if index < total {
            Ref::from_borrowed_opt(*tuple.items_ptr().add(index))
        } else {
            None
        }
    }
}

/// `PyStructSequence_SetItem`.
pub fn set_field(object: &PyObject, index: usize, value: Ref) {
    // SAFETY: as in `get_field`; the old value was the object's.
    unsafe {
        let tuple = &*object.as_ptr().cast::<PyTupleObject>();
        assert!(index < tuple.len() + n_hidden(object.ty()));
        memory::xdecref(std::ptr::replace(tuple.items_ptr().add(index), value.into_raw()));
    }
}

/// The names of a type's named fields, with their field numbers.
pub fn field_names(ty: &PyTypeObject) -> Vec<(String, usize)> {
    let mut names = Vec::new();
    let mut row = ty.tp_members.get();
    // SAFETY: the table ends with a row without a name.
    unsafe {
        while !row.is_null() && !(*row).name.get().is_null() {
            let name = std::ffi::CStr::from_ptr((*row).name.get())
                .to_string_lossy()
                .into_owned();
            let idx = ((*row).offset.get() as usize - PyTupleObject::ITEMS_OFFSET) / ITEM;
            names.push((name, idx));
            row = row.add(1);
        }
    }
    names
}

unsafe extern "C" fn struct_dealloc(object: *mut PyObject) {
    // SAFETY: the object is dead and owned its fields.
    unsafe {
        gc::untrack(object);
        let tuple = &*object.cast::<PyTupleObject>();
        for idx in 0..tuple.len() + n_hidden((*object).ty()) {
            memory::xdecref(*tuple.items_ptr().add(idx));
        }
        super::freelist::free_instance(object);
    }
}

unsafe extern "C" fn struct_traverse(object: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    let visitor = Visitor { visit, arg };
    // SAFETY: the collector passes live objects.
    unsafe {
        let tuple = &*object.cast::<PyTupleObject>();
        for idx in 0..tuple.len() + n_hidden((*object).ty()) {
            let stop = visitor.visit(*tuple.items_ptr().add(idx));
            if stop != 0 {
                return stop;
            }
        }
    }
    0
}

unsafe extern "C" fn struct_repr(object: *mut PyObject) -> *mut PyObject {
    crate::args::boundary_obj(|| {
        // SAFETY: slots get live objects of their type.
        let (object, tuple) = unsafe { (&*object, &*object.cast::<PyTupleObject>()) };
        let ty = object.ty();
        let mut out = super::reprs::ReprBuilder::new(&format!("{}(", ty.full_name()));
        for (idx, ((name, _), value)) in field_names(ty).iter().zip(tuple.as_slice()).enumerate() {
            if idx > 0 {
                out.push_str(", ");
            }
            out.push_str(name);
            out.push_str("=");
            out.push_repr(value)?;
        }
        out.push_str(")");
        Ok(out.finish())
    })
}

pub unsafe extern "C" fn struct_new(
    cls: *mut PyTypeObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    crate::args::boundary_obj(|| {
        // SAFETY: `tp_new` gets its type, a tuple and NULL or a dict.
        let (cls, args, kwargs) = unsafe {
            (
                &*cls,
                &*args.cast::<PyTupleObject>(),
                kwargs.cast::<PyDictObject>().as_ref(),
            )
        };
        let argument = |idx: usize, name: &'static PyUnicodeObject| {
            args.get(idx)
                .or_else(|| kwargs.and_then(|kwargs| kwargs.get_str(name)))
        };
        let Some(sequence) = argument(0, identifier!("sequence")) else {
            return Err(raise!(
                TypeError,
                "structseq() missing required argument 'sequence' (pos 1)"
            ));
        };
        let dict = argument(1, identifier!("dict"));
        construct(cls, &sequence, dict.as_deref())
    })
}

fn construct(cls: &PyTypeObject, sequence: &PyObject, dict: Option<&PyObject>) -> PyResult {
    let (min, name) = (n_visible(cls), cls.full_name());
    let max = min + n_hidden(cls);
    let sequence = sequence.to_fast_sequence("constructor requires a sequence")?;
    let dict = match dict {
        None => None,
        Some(dict) => match dict.downcast::<PyDictObject>() {
            Some(dict) => Some(dict),
            None => return Err(raise!(TypeError, "{name}() takes a dict as second arg, if any")),
        },
    };
    let items = fast_items(&sequence);
    let len = items.len();
    if len < min || len > max {
        let (bound, limit) = match (min == max, len < min) {
            (true, _) => ("a", min),
            (false, true) => ("an at least", min),
            (false, false) => ("an at most", max),
        };
        return Err(raise!(
            TypeError,
            "{name}() takes {bound} {limit}-sequence ({len}-sequence given)"
        ));
    }
    let mut fields: Vec<Ref> = items.iter().map(|item| item.to_ref()).collect();
    let mut n_found = 0;
    if let Some(dict) = dict {
        let names = field_names(cls);
        for idx in len..max {
            let field = names.iter().find(|(_, field)| *field == idx);
            let found = match field {
                Some((field, _)) => dict.get(PyUnicodeObject::from_str(field).as_object())?,
                None => None,
            };
            n_found += usize::from(found.is_some());
            fields.push(found.unwrap_or_else(none_ref));
        }
        if dict.len() > n_found {
            return Err(raise!(
                TypeError,
                "{name}() got duplicate or unexpected field name(s)"
            ));
        }
    }
    new_instance(cls, fields)
}

#[pymethods(part = STRUCT_SEQUENCE)]
impl PyStructSequence {
    /// State for pickling.
    #[method("($self, /)")]
    fn __reduce__(this: &PyObject) -> PyResult {
        // SAFETY: a method of struct sequences.
        let tuple = unsafe { this.cast_unchecked::<PyTupleObject>() };
        let hidden = PyDictObject::new();
        for (name, idx) in field_names(this.ty()) {
            if idx >= tuple.len()
                && let Some(value) = get_field(this, idx)
            {
                hidden.set(PyUnicodeObject::from_str(&name).as_object(), &value)?;
            }
        }
        let items = PyTupleObject::from_slice(tuple.as_slice()).into_object();
        let args = PyTupleObject::from_vec(vec![items, hidden.into_object()]).into_object();
        Ok(PyTupleObject::from_vec(vec![this.ty().to_object(), args]).into_object())
    }
    /// A copy with some fields changed.
    #[method(raw, "($self, /, **changes)")]
    fn __replace__(this: &PyObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        let ty = this.ty();
        if !args.is_empty() {
            return Err(raise!(TypeError, "__replace__() takes no positional arguments"));
        }
        if number(ty, identifier!("n_unnamed_fields")) > 0 {
            return Err(raise!(
                TypeError,
                "__replace__() is not supported for {} because it has unnamed field(s)",
                ty.full_name()
            ));
        }
        let changes = PyDictObject::new();
        changes.take_keywords(args, kwnames)?;
        let mut fields = Vec::new();
        for (name, idx) in field_names(ty) {
            let name = PyUnicodeObject::from_str(&name);
            let changed = changes.pop(name.as_object())?;
            fields.push(changed.or_else(|| get_field(this, idx)).unwrap_or_else(none_ref));
        }
        if !changes.is_empty() {
            let names = changes.keys_list();
            return Err(raise!(
                TypeError,
                "Got unexpected field name(s): {}",
                names.as_object().repr()?.to_string_lossy()
            ));
        }
        new_instance(ty, fields)
    }
}
