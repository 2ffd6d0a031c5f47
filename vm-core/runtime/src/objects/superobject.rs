//! `super`: attributes found in the MRO after a class, bound to an object.

use crate::exceptions::layout::{load, store};
use crate::memory::{Visitor, gc};
use crate::prelude::*;
use crate::protocol::attributes::{attribute_name, generic_get_attr};
use crate::protocol::from_slot;
use crate::types::heap::{allocate_instance, free_instance};
use std::mem::offset_of;

/// A super object's fields; the layout is ours.
#[repr(C)]
pub struct PySuperObject {
    pub ob_base: PyObject,
    /// The class after which the search starts.
    pub r#type: ObjCell,
    pub obj: ObjCell,
    pub obj_type: ObjCell,
}

// SAFETY: as every object, used under the GIL.
unsafe impl Sync for PySuperObject {}

/// What the search found.
enum Found {
    /// An attribute, bound or plain.
    Bound(Ref),
    /// A function that is to be called with the object first.
    Method(Ref),
}

/// The class whose MRO is searched: `object` itself when it is a subclass of `start`, else its class.
fn start_class(start: &PyTypeObject, object: &PyObject) -> PyResult<Ref<PyTypeObject>> {
    let type_of = |ty: &PyTypeObject| -> Ref<PyTypeObject> { TypedObject::to_ref(ty) };
    // A class that its own `mro()` leaves out is not even a subclass of itself.
    if let Some(ty) = object.downcast::<PyTypeObject>()
        && ty.is_subtype(start)
        && ty
            .mro()
            .is_none_or(|mro| mro.as_slice().iter().any(|class| class.is(start.as_object())))
    {
        return Ok(type_of(ty));
    }
    let ty = object.ty();
    if ty.is_subtype(start) {
        return Ok(type_of(ty));
    }
    // A proxy may claim another class.
    if let Some(class) = object.get_attr_opt(identifier!("__class__"))?
        && let Some(class) = (*class).downcast::<PyTypeObject>()
        && !std::ptr::eq(class, ty)
        && class.is_subtype(start)
    {
        return Ok(type_of(class));
    }
    let (kind, name) = match object.downcast::<PyTypeObject>() {
        Some(ty) => ("type", ty.full_name().to_owned()),
        None => ("instance of", ty.full_name().to_owned()),
    };
    Err(raise!(
        TypeError,
        "super(type, obj): obj ({kind} {name}) is not an instance or subtype of type ({}).",
        start.full_name()
    ))
}

/// Finds `name` in the MRO of `class` after `start`. With `for_call`, a function is left unbound.
fn search(
    start: &PyTypeObject,
    class: &PyTypeObject,
    object: &PyObject,
    name: &PyUnicodeObject,
    for_call: bool,
) -> PyResult<Option<Found>> {
    if name.eq_str("__class__") {
        return Ok(None);
    }
    let Some(mro) = class.mro() else { return Ok(None) };
    let mro = TypedObject::to_ref(mro);
    let after = mro
        .as_slice()
        .iter()
        .skip_while(|entry| !std::ptr::eq(entry.as_ptr(), start.as_ptr()))
        .skip(1);
    for entry in after {
        // SAFETY: an MRO holds types only.
        let entry = unsafe { entry.cast_unchecked::<PyTypeObject>() };
        let Some(found) = entry.dict().and_then(|dict| dict.get_str(name)) else {
            continue;
        };
        let descriptor_type = found.ty();
        if for_call && descriptor_type.has_flag(Py_TPFLAGS_METHOD_DESCRIPTOR) {
            return Ok(Some(Found::Method(found)));
        }
        let Some(get) = descriptor_type.tp_descr_get.get() else {
            return Ok(Some(Found::Bound(found)));
        };
        // For a class as the object, the descriptor sees no instance.
        let instance = if std::ptr::eq(object.as_ptr(), class.as_ptr()) {
            std::ptr::null_mut()
        } else {
            object.as_ptr()
        };
        // SAFETY: the descriptor's own slot.
        let bound = unsafe { from_slot(get(found.as_raw(), instance, class.as_ptr()), "__get__")? };
        return Ok(Some(Found::Bound(bound)));
    }
    Ok(None)
}

/// `getattr(super(start, object), name)`.
pub fn lookup(start: &PyTypeObject, object: &PyObject, name: &PyUnicodeObject) -> PyResult {
    lookup_method(start, object, name, false).map(|(found, _)| found)
}

/// As `lookup`; with `for_call`, `(function, true)` when the function is to be called with `object` first.
pub fn lookup_method(
    start: &PyTypeObject,
    object: &PyObject,
    name: &PyUnicodeObject,
    for_call: bool,
) -> PyResult<(Ref, bool)> {
    let class = start_class(start, object)?;
    match search(start, &class, object, name, for_call)? {
        Some(Found::Bound(found)) => Ok((found, false)),
        // A function found through a class is not bound to it.
        Some(Found::Method(function)) => Ok((function.clone(), !object.is(class.as_object()))),
        None => {
            let proxy = new_super(start, object, &class)?;
            generic_get_attr(&proxy, name).map(|found| (found, false))
        }
    }
}

fn new_super(start: &PyTypeObject, object: &PyObject, class: &PyTypeObject) -> PyResult {
    let proxy = allocate_instance(&PySuper_Type, 0)?;
    // SAFETY: an instance of this type.
    unsafe { proxy.cast_unchecked::<PySuperObject>() }.set(start, Some(object), Some(class));
    Ok(proxy)
}

impl PySuperObject {
    fn set(&self, start: &PyTypeObject, object: Option<&PyObject>, class: Option<&PyTypeObject>) {
        store(&self.r#type, Some(start.as_object().to_ref()));
        store(&self.obj, object.map(PyObject::to_ref));
        store(&self.obj_type, class.map(|class| class.as_object().to_ref()));
    }
    fn type_in(cell: &ObjCell) -> Option<Ref<PyTypeObject>> {
        load(cell).and_then(|ty| ty.downcast::<PyTypeObject>().ok())
    }
}

/// super() -> attributes of the classes after this one, bound to the method's object.
/// super(type) -> the same, not bound yet.
/// super(type, object) -> bound to an instance or to a subclass.
#[pytype(
    name = "super",
    static_name = PySuper_Type,
    flags = BASETYPE | HAVE_GC,
    members = [
        ("__thisclass__", _Py_T_OBJECT, offset_of!(PySuperObject, r#type), Py_READONLY, "the class after which the search starts"),
        ("__self__", _Py_T_OBJECT, offset_of!(PySuperObject, obj), Py_READONLY, "the object it is bound to; may be None"),
        ("__self_class__", _Py_T_OBJECT, offset_of!(PySuperObject, obj_type), Py_READONLY, "the class that is searched; may be None"),
    ],
    slots = [tp_dealloc = super_dealloc],
)]
impl PySuperObject {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        allocate_instance(cls, 0)
    }
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(raise!(TypeError, "super() takes no keyword arguments"));
        }
        let (start, object): (Ref<PyTypeObject>, Option<Ref>) = match args.as_slice() {
            [] => match crate::hooks::get() {
                Some(hooks) => {
                    let (start, object) = (hooks.super_arguments)()?;
                    (start, Some(object))
                }
                None => return Err(raise!(RuntimeError, "super(): no current frame")),
            },
            &[start, ref object @ ..] if object.len() <= 1 => {
                let Some(start) = start.downcast::<PyTypeObject>() else {
                    let found = if is_none(start) {
                        "None"
                    } else {
                        start.ty().full_name()
                    };
                    return Err(raise!(
                        TypeError,
                        "super() argument 1 must be a type, not {found}"
                    ));
                };
                (
                    TypedObject::to_ref(start),
                    object.first().map(|object| object.to_ref()),
                )
            }
            more => {
                return Err(raise!(
                    TypeError,
                    "super() expected at most 2 arguments, got {}",
                    more.len()
                ));
            }
        };
        let object = object.filter(|object| !is_none(object));
        let class = object
            .as_ref()
            .map(|object| start_class(&start, object))
            .transpose()?;
        self.set(&start, object.as_deref(), class.as_deref());
        Ok(())
    }
    #[slot]
    fn tp_getattro(&self, name: &PyObject) -> PyResult {
        let name = attribute_name(name)?;
        let parts = (
            Self::type_in(&self.r#type),
            load(&self.obj),
            Self::type_in(&self.obj_type),
        );
        if let (Some(start), Some(object), Some(class)) = parts
            && let Some(Found::Bound(found) | Found::Method(found)) =
                search(&start, &class, &object, name, false)?
        {
            return Ok(found);
        }
        generic_get_attr(self.as_object(), name)
    }
    #[slot]
    fn tp_repr(&self) -> String {
        let name = |cell| Self::type_in(cell).map_or("NULL".to_owned(), |ty| ty.full_name().to_owned());
        let start = name(&self.r#type);
        match self.obj_type.get().is_null() {
            true => format!("<super: <class '{start}'>, NULL>"),
            false => format!("<super: <class '{start}'>, <{} object>>", name(&self.obj_type)),
        }
    }
    #[slot]
    fn tp_descr_get(&self, object: Option<&PyObject>, _owner: Option<&PyObject>) -> PyResult {
        let Some(object) = object.filter(|object| !is_none(object)) else {
            return Ok(self.to_object());
        };
        let Some(start) = Self::type_in(&self.r#type).filter(|_| self.obj.get().is_null()) else {
            return Ok(self.to_object());
        };
        let own_type = self.as_object().ty();
        if !std::ptr::eq(own_type, &PySuper_Type) {
            return own_type.as_object().call(&[start.as_object(), object]);
        }
        let class = start_class(&start, object)?;
        new_super(&start, object, &class)
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for cell in [&self.obj, &self.r#type, &self.obj_type] {
            let status = visitor.visit(cell.get());
            if status != 0 {
                return status;
            }
        }
        0
    }
}

unsafe extern "C" fn super_dealloc(object: *mut PyObject) {
    // SAFETY: the slot's contract: a dead super object; what it owned is given back once.
    unsafe {
        gc::untrack(object);
        let this = &*object.cast::<PySuperObject>();
        for cell in [&this.obj, &this.r#type, &this.obj_type] {
            store(cell, None);
        }
        free_instance(object);
    }
}
