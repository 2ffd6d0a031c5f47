//! `typing.Union`: `int | str`. PEP 604; in 3.14 `typing.Union[...]` makes the same objects.

use super::freelist::alloc_static;
use super::genericaliasobject::{PyGenericAlias, make_parameters, push_type_repr, substitute_parameters};
use super::reprs::ReprBuilder;
use super::weakrefobject;
use crate::memory::{self, gc};
use crate::prelude::*;
use std::cell::Cell;
use std::mem::offset_of;

#[repr(C)]
pub struct PyUnion {
    ob_base: PyObject,
    /// All members, in order, each once.
    args: Cell<*mut PyTupleObject>,
    /// The members that have a hash, as a frozenset.
    hashable_args: Cell<*mut PySetObject>,
    /// The others, as a tuple, or null.
    unhashable_args: Cell<*mut PyTupleObject>,
    /// Made on demand; null before.
    parameters: Cell<*mut PyTupleObject>,
    weakreflist: Cell<*mut PyObject>,
}

/// Gathers members: nested unions are spread out, equal ones kept once, None taken as its type.
struct UnionBuilder {
    args: Vec<Ref>,
    hashable: Ref<PySetObject>,
    unhashable: Vec<Ref>,
    /// Whether members come from `Union[...]`, so that `typing` checks them.
    is_checked: bool,
}

impl UnionBuilder {
    fn new(is_checked: bool) -> UnionBuilder {
        UnionBuilder {
            args: Vec::new(),
            hashable: PySetObject::new_set(),
            unhashable: Vec::new(),
            is_checked,
        }
    }

    fn add(&mut self, arg: &PyObject) -> PyResult<()> {
        if let Some(union) = arg.downcast::<PyUnion>() {
            for member in union.args().as_slice() {
                self.add_single(member)?;
            }
            return Ok(());
        }
        if is_none(arg) {
            return self.add_single(super::singletons::_PyNone_Type.as_object());
        }
        if self.is_checked && !is_unionable(arg) {
            let message = PyUnicodeObject::from_str("Union[arg, ...]: each arg must be a type.");
            let check = crate::hooks::import_module("typing")?.get_attr(identifier!("_type_check"))?;
            let checked = check.call(&[arg, message.as_object()])?;
            return self.add_single(&checked);
        }
        self.add_single(arg)
    }

    fn add_single(&mut self, arg: &PyObject) -> PyResult<()> {
        match arg.hash() {
            Ok(hash) => {
                if self.hashable.add_known_hash(arg, hash)? {
                    self.args.push(arg.to_ref());
                }
            }
            Err(raised) => {
                raised.clear_if(crate::exceptions::exc::TypeError)?;
                for other in &self.unhashable {
                    if other.compare_bool(arg, CompareOp::Eq)? {
                        return Ok(());
                    }
                }
                self.unhashable.push(arg.to_ref());
                self.args.push(arg.to_ref());
            }
        }
        Ok(())
    }

    fn finish(mut self) -> PyResult {
        match self.args.len() {
            0 => return Err(raise!(TypeError, "Cannot take a Union of no types.")),
            1 => return Ok(self.args.pop().expect("one member")),
            _ => {}
        }
        let hashable = PySetObject::new_frozenset();
        hashable.merge_set(&self.hashable)?;
        let object = alloc_static(&_PyUnion_Type, size_of::<PyUnion>());
        // SAFETY: zeroed memory for a union, its header set.
        unsafe {
            let union = &*object.cast::<PyUnion>();
            union.args.set(PyTupleObject::from_vec(self.args).into_raw());
            union.hashable_args.set(hashable.into_raw());
            if !self.unhashable.is_empty() {
                union
                    .unhashable_args
                    .set(PyTupleObject::from_vec(self.unhashable).into_raw());
            }
            gc::track(object);
            Ok(Ref::from_owned(object))
        }
    }
}

/// What may stand beside `|` without asking `typing`.
fn is_unionable(object: &PyObject) -> bool {
    is_none(object)
        || PyTypeObject::check(object)
        || PyGenericAlias::check(object)
        || PyUnion::check(object)
        || object.ty().full_name() == "typing.TypeAliasType"
}

/// `a | b` for types: `type.__or__` and the like.
pub fn union_of(a: &PyObject, b: &PyObject) -> PyResult {
    // Beside a union anything may stand that `typing` takes, forward references too.
    let has_union = PyUnion::check(a) || PyUnion::check(b);
    if !has_union && (!is_unionable(a) || !is_unionable(b)) {
        return Ok(not_implemented().to_ref());
    }
    let mut builder = UnionBuilder::new(has_union);
    builder.add(a)?;
    builder.add(b)?;
    builder.finish()
}

/// The members of an object that is a union.
pub fn members(object: &PyObject) -> Option<Ref<PyTupleObject>> {
    object.downcast::<PyUnion>().map(|union| union.args().to_ref())
}

/// A union of members that are taken as they are: `_Py_union_from_tuple` and type variables' `|`.
pub fn union_of_members(members: &[&PyObject]) -> PyResult {
    let mut builder = UnionBuilder::new(false);
    members.iter().try_for_each(|member| builder.add(member))?;
    builder.finish()
}

/// `typing.Union[args]`.
pub fn union_from_subscript(args: &PyObject) -> PyResult {
    let mut builder = UnionBuilder::new(true);
    match args.downcast::<PyTupleObject>() {
        Some(args) => args.as_slice().iter().try_for_each(|arg| builder.add(arg))?,
        None => builder.add(args)?,
    }
    builder.finish()
}

impl PyUnion {
    pub fn args(&self) -> &PyTupleObject {
        // SAFETY: a union owns its members.
        unsafe { &*self.args.get() }
    }
    fn hashable(&self) -> &PySetObject {
        // SAFETY: a union owns its set.
        unsafe { &*self.hashable_args.get() }
    }
    fn unhashable(&self) -> &[&PyObject] {
        // SAFETY: null or owned by the union.
        unsafe { self.unhashable_args.get().as_ref() }.map_or(&[], PyTupleObject::as_slice)
    }
    fn parameters(&self) -> PyResult<Ref<PyTupleObject>> {
        if self.parameters.get().is_null() {
            let parameters = make_parameters(self.args())?;
            if self.parameters.get().is_null() {
                self.parameters.set(parameters.into_raw());
            }
        }
        // SAFETY: set above, owned by the union.
        Ok(unsafe { Ref::from_borrowed(self.parameters.get()) })
    }
    fn equals(&self, other: &PyUnion) -> PyResult<bool> {
        let (mine, theirs) = (self.unhashable(), other.unhashable());
        if mine.len() != theirs.len()
            || !self
                .hashable()
                .as_object()
                .compare_bool(other.hashable().as_object(), CompareOp::Eq)?
        {
            return Ok(false);
        }
        for (members, others) in [(mine, theirs), (theirs, mine)] {
            for member in members {
                let mut found = false;
                for other in others {
                    if other.compare_bool(member, CompareOp::Eq)? {
                        found = true;
                        break;
                    }
                }
                if !found {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

#[pytype(
    name = "typing.Union",
    static_name = _PyUnion_Type,
    flags = HAVE_GC | DISALLOW_INSTANTIATION,
    weaklistoffset = offset_of!(PyUnion, weakreflist),
    members = [("__args__", _Py_T_OBJECT, offset_of!(PyUnion, args), Py_READONLY)]
)]
/// A type that is any of several types, such as int | str.
impl PyUnion {
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the union is dead and owned these.
        unsafe {
            gc::untrack(this.cast());
            if !(*this).weakreflist.get().is_null() {
                weakrefobject::clear_weakrefs((*this).as_object());
            }
            memory::xdecref((*this).args.get().cast());
            memory::xdecref((*this).hashable_args.get().cast());
            memory::xdecref((*this).unhashable_args.get().cast());
            memory::xdecref((*this).parameters.get().cast());
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let owned: [*mut PyObject; 4] = [
            self.args.get().cast(),
            self.hashable_args.get().cast(),
            self.unhashable_args.get().cast(),
            self.parameters.get().cast(),
        ];
        for object in owned {
            let stop = visitor.visit(object);
            if stop != 0 {
                return stop;
            }
        }
        0
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        let unhashable = self.unhashable();
        if unhashable.is_empty() {
            return self.hashable().as_object().hash();
        }
        // One of them may have got a hash since.
        for member in unhashable {
            member.hash()?;
        }
        let plural = if unhashable.len() == 1 { "" } else { "s" };
        Err(raise!(
            TypeError,
            "union contains {} unhashable element{plural}",
            unhashable.len()
        ))
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<PyUnion>() else {
            return Ok(not_implemented().to_ref());
        };
        match op {
            CompareOp::Eq => Ok(py_bool(self.equals(other)?)),
            CompareOp::Ne => Ok(py_bool(!self.equals(other)?)),
            _ => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let mut out = ReprBuilder::new("");
        for (idx, member) in self.args().as_slice().iter().enumerate() {
            if idx > 0 {
                out.push_str(" | ");
            }
            push_type_repr(&mut out, member)?;
        }
        Ok(out.finish())
    }
    #[slot]
    fn mp_subscript(&self, item: &PyObject) -> PyResult {
        let parameters = self.parameters()?;
        let args = substitute_parameters(self.as_object(), self.args(), &parameters, item)?;
        // Whatever was put in may have an `|` of its own.
        let mut members = args.as_slice().iter();
        let mut result = members.next().map_or_else(none_ref, |first| first.to_ref());
        for member in members {
            result = crate::protocol::number::or(&result, member)?;
        }
        Ok(result)
    }
    #[slot]
    fn nb_or(a: &PyObject, b: &PyObject) -> PyResult {
        union_of(a, b)
    }
    /// "Union".
    #[getter]
    fn __name__(&self) -> Ref {
        PyUnicodeObject::from_str("Union").into_object()
    }
    /// "Union".
    #[getter]
    fn __qualname__(&self) -> Ref {
        PyUnicodeObject::from_str("Union").into_object()
    }
    /// "typing".
    #[getter]
    fn __module__(&self) -> &'static str {
        "typing"
    }
    /// typing.Union itself.
    #[getter]
    fn __origin__(&self) -> Ref {
        _PyUnion_Type.to_object()
    }
    /// The type parameters in the members.
    #[getter]
    fn __parameters__(&self) -> PyResult<Ref<PyTupleObject>> {
        self.parameters()
    }
    /// Refused: a union is no base class.
    #[method("($self, object, /)")]
    fn __mro_entries__(&self, _bases: &PyObject) -> PyResult {
        Err(raise!(
            TypeError,
            "Cannot subclass {}",
            self.as_object().repr()?.to_string_lossy()
        ))
    }
    /// typing.Union[...].
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(_cls: &PyTypeObject, object: &PyObject) -> PyResult {
        union_from_subscript(object)
    }
}
