//! `BaseExceptionGroup` and `ExceptionGroup` (PEP 654), and what `except*` needs: matching a part of a group, putting
//! together what was raised and re-raised.

use super::base::{_PyExc_BaseException, args_of, base, base_new, no_keywords};
use super::layout::{self, load, load_or_none, store};
use super::types::{_PyExc_Exception, exc};
use super::{given_exception_matches, is_exception_class};
use crate::prelude::*;
use crate::protocol::enter_native_call;
use std::collections::HashSet;
use std::mem::offset_of;

/// `ExceptionGroup` derives from `BaseExceptionGroup` and `Exception`; its bases are set before it is readied.
pub static _PyExc_ExceptionGroup: PyTypeObject = PyTypeObject {
    ob_base: PyVarObject::immortal((&raw const crate::types::PyType_Type).cast_mut(), 0),
    tp_name: Cell::new(c"ExceptionGroup".as_ptr()),
    tp_basicsize: Cell::new(size_of::<PyBaseExceptionGroupObject>() as isize),
    tp_flags: Cell::new(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_MANAGED_WEAKREF),
    tp_weaklistoffset: Cell::new(crate::memory::MANAGED_WEAKREF_OFFSET),
    tp_base: Cell::new((&raw const _PyExc_BaseExceptionGroup).cast_mut()),
    ..PyTypeObject::zeroed()
};

/// Gives `ExceptionGroup` its two bases.
pub fn set_bases() {
    if _PyExc_ExceptionGroup.tp_bases.get().is_null() {
        let bases = PyTupleObject::from_slice(&[
            _PyExc_BaseExceptionGroup.as_object(),
            _PyExc_Exception.as_object(),
        ]);
        _PyExc_ExceptionGroup.tp_bases.set(bases.into_object_raw());
    }
}

/// What `split` and `subgroup` select by.
enum Matcher<'a> {
    /// An exception type or a tuple of them.
    Type(&'a PyObject),
    Predicate(&'a PyObject),
    /// The leaves with these addresses.
    Instances(&'a HashSet<usize>),
}

impl<'a> Matcher<'a> {
    fn of(value: &'a PyObject) -> PyResult<Matcher<'a>> {
        if value.is_callable() && !PyTypeObject::check(value) {
            return Ok(Matcher::Predicate(value));
        }
        if is_exception_class(value) {
            return Ok(Matcher::Type(value));
        }
        if let Some(types) = value.downcast_exact::<PyTupleObject>()
            && types.as_slice().iter().all(|ty| is_exception_class(ty))
        {
            return Ok(Matcher::Type(value));
        }
        Err(raise!(
            TypeError,
            "expected an exception type, a tuple of exception types, or a callable (other than a class)"
        ))
    }

    fn matches(&self, exception: &PyObject) -> PyResult<bool> {
        match self {
            Matcher::Type(ty) => Ok(given_exception_matches(exception, ty)),
            Matcher::Predicate(predicate) => predicate.call1(exception)?.is_true(),
            Matcher::Instances(addresses) => {
                Ok(as_group(exception).is_none() && addresses.contains(&(exception.as_ptr() as usize)))
            }
        }
    }
}

/// The exception as a group, if it is one.
pub fn as_group(exception: &PyObject) -> Option<&PyBaseExceptionGroupObject> {
    exception.downcast()
}

/// The part of an exception that matched and the rest.
#[derive(Default)]
pub struct Split {
    pub matched: Option<Ref>,
    pub rest: Option<Ref>,
}

fn split_recursive(exception: &PyObject, matcher: &Matcher<'_>, with_rest: bool) -> PyResult<Split> {
    if matcher.matches(exception)? {
        return Ok(Split {
            matched: Some(exception.to_ref()),
            rest: None,
        });
    }
    let Some(group) = as_group(exception) else {
        return Ok(Split {
            matched: None,
            rest: with_rest.then(|| exception.to_ref()),
        });
    };
    let (mut matched, mut rest) = (Vec::new(), Vec::new());
    for part in group.parts().as_slice() {
        enter_native_call(" in exceptiongroup_split_recursive")?;
        let split = split_recursive(part, matcher, with_rest)?;
        matched.extend(split.matched);
        rest.extend(split.rest);
    }
    Ok(Split {
        matched: subset(exception, matched)?,
        rest: if with_rest { subset(exception, rest)? } else { None },
    })
}

/// A group like `original` with fewer exceptions; `None` when none are left.
fn subset(original: &PyObject, parts: Vec<Ref>) -> PyResult<Option<Ref>> {
    if parts.is_empty() {
        return Ok(None);
    }
    let parts = PyListObject::from_vec(parts);
    let group = original.call_method(identifier!("derive"), &[parts.as_object()])?;
    if as_group(&group).is_none() {
        return Err(raise!(
            TypeError,
            "derive must return an instance of BaseExceptionGroup"
        ));
    }
    let (from, to) = (base(original), base(&group));
    if let Some(traceback) = load(&from.traceback) {
        store(&to.traceback, Some(traceback));
    }
    store(&to.context, load(&from.context));
    super::set_cause(&group, load(&from.cause));
    if let Some(notes) = original.get_attr_opt(identifier!("__notes__"))?
        && notes.is_sequence()
    {
        // The parts have independent lists of notes.
        let copy = PyListObject::from_vec(notes.collect()?);
        group.set_attr(identifier!("__notes__"), copy.as_object())?;
    }
    Ok(Some(group))
}

/// Splits off what matches `value` (a type, a tuple of types or a predicate).
pub fn split(exception: &PyObject, value: &PyObject) -> PyResult<Split> {
    split_recursive(exception, &Matcher::of(value)?, true)
}

impl PyBaseExceptionGroupObject {
    /// The exceptions of the group.
    pub fn parts(&self) -> Ref<PyTupleObject> {
        load(&self.excs)
            .and_then(|excs| excs.downcast::<PyTupleObject>().ok())
            .unwrap_or_else(PyTupleObject::empty)
    }
}

/// The type of the new group, by what it is to hold.
fn choose_class(cls: &PyTypeObject, has_base_exceptions: bool) -> PyResult<&PyTypeObject> {
    if std::ptr::eq(cls, &_PyExc_ExceptionGroup) {
        if has_base_exceptions {
            return Err(raise!(
                TypeError,
                "Cannot nest BaseExceptions in an ExceptionGroup"
            ));
        }
    } else if std::ptr::eq(cls, &_PyExc_BaseExceptionGroup) {
        if !has_base_exceptions {
            return Ok(exc::ExceptionGroup);
        }
    } else if has_base_exceptions && cls.as_object().is_subclass(exc::Exception.as_object())? {
        return Err(raise!(
            TypeError,
            "Cannot nest BaseExceptions in '{}'",
            cls.full_name()
        ));
    }
    Ok(cls)
}

/// Several exceptions raised together.
#[pytype(
    name = "BaseExceptionGroup",
    static_name = _PyExc_BaseExceptionGroup,
    export = false,
    base = _PyExc_BaseException,
    flags = BASETYPE | HAVE_GC,
    members = [
        ("message", _Py_T_OBJECT, offset_of!(PyBaseExceptionGroupObject, msg), Py_READONLY, "the group's message"),
        ("exceptions", _Py_T_OBJECT, offset_of!(PyBaseExceptionGroupObject, excs), Py_READONLY, "the exceptions"),
    ],
    slots = [
        tp_traverse = layout::traverse::<PyBaseExceptionGroupObject>,
        tp_clear = layout::clear::<PyBaseExceptionGroupObject>,
        tp_dealloc = layout::dealloc::<PyBaseExceptionGroupObject>,
    ],
)]
impl PyBaseExceptionGroupObject {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let &[message, exceptions] = args.as_slice() else {
            let given = args.len();
            return Err(raise!(
                TypeError,
                "BaseExceptionGroup.__new__() takes exactly 2 arguments ({given} given)"
            ));
        };
        if !PyUnicodeObject::check(message) {
            let found = if is_none(message) {
                "None"
            } else {
                message.ty().full_name()
            };
            return Err(raise!(
                TypeError,
                "BaseExceptionGroup.__new__() argument 1 must be str, not {found}"
            ));
        }
        if !exceptions.is_sequence() {
            return Err(raise!(
                TypeError,
                "second argument (exceptions) must be a sequence"
            ));
        }
        // The repr of a sequence of another type is kept: it cannot be made again from the tuple.
        let shown = match PyListObject::check(exceptions) || PyTupleObject::check(exceptions) {
            true => None,
            false => Some(exceptions.repr()?.into_object()),
        };
        let parts = exceptions.to_tuple()?;
        if parts.is_empty() {
            return Err(raise!(
                ValueError,
                "second argument (exceptions) must be a non-empty sequence"
            ));
        }
        let mut has_base_exceptions = false;
        for (idx, part) in parts.as_slice().iter().enumerate() {
            if !part.type_has(Py_TPFLAGS_BASE_EXC_SUBCLASS) {
                return Err(raise!(
                    ValueError,
                    "Item {idx} of second argument (exceptions) is not an exception"
                ));
            }
            has_base_exceptions |= !part.is_instance(exc::Exception.as_object())?;
        }
        let chosen = choose_class(cls, has_base_exceptions)?;
        let kwargs = kwargs.map_or(std::ptr::null_mut(), |kwargs| kwargs.as_ptr());
        // SAFETY: `tp_new` of BaseException with its own arguments.
        let group = unsafe {
            crate::protocol::from_slot(
                base_new((chosen as *const PyTypeObject).cast_mut(), args.as_ptr(), kwargs),
                "BaseException.__new__",
            )?
        };
        // SAFETY: the chosen class is a group.
        let this = unsafe { group.cast_unchecked::<PyBaseExceptionGroupObject>() };
        store(&this.msg, Some(message.to_ref()));
        store(&this.excs, Some(parts.into_object()));
        store(&this.excs_str, shown);
        Ok(group)
    }
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(no_keywords(self.as_object().ty()));
        }
        store(&self.args, Some(args.to_object()));
        Ok(())
    }
    #[slot]
    fn tp_str(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let count = self.parts().len();
        let mut out = PyUnicodeObject::writer(40);
        out.push_object(&*load_or_none(&self.msg).str()?);
        out.push_str(&format!(
            " ({count} sub-exception{})",
            if count == 1 { "" } else { "s" }
        ));
        out.finish()
    }
    /// The exceptions are shown as a list if they were given as one.
    #[slot]
    fn tp_repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let this = self.as_object();
        let shown = match load(&self.excs_str) {
            Some(shown) => shown.str()?,
            None => {
                let given_as_list = args_of(this)
                    .as_slice()
                    .get(1)
                    .is_some_and(|excs| PyListObject::check(excs));
                let parts = self.parts();
                if given_as_list {
                    let list = parts.as_slice().iter().map(|part| part.to_ref()).collect();
                    PyListObject::from_vec(list).as_object().repr()?
                } else {
                    parts.as_object().repr()?
                }
            }
        };
        let mut out = PyUnicodeObject::writer(40);
        out.push_str(&this.ty().short_name());
        out.push_str("(");
        out.push_object(&*load_or_none(&self.msg).repr()?);
        out.push_str(", ");
        out.push_object(&shown);
        out.push_str(")");
        out.finish()
    }

    /// A parametrised alias.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        crate::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
    /// A group with this message and the given exceptions; subclasses override it.
    #[method("($self, excs, /)")]
    fn derive(&self, excs: &PyObject) -> PyResult {
        let message = load_or_none(&self.msg);
        exc::BaseExceptionGroup.as_object().call(&[&message, excs])
    }
    /// The part that matches and the rest.
    #[method("($self, matcher_value, /)")]
    fn split(&self, matcher_value: &PyObject) -> PyResult<Ref<PyTupleObject>> {
        let split = split(self.as_object(), matcher_value)?;
        let part = |part: Option<Ref>| part.unwrap_or_else(none_ref);
        Ok(PyTupleObject::from_vec(vec![
            part(split.matched),
            part(split.rest),
        ]))
    }
    /// The part that matches.
    #[method("($self, matcher_value, /)")]
    fn subgroup(&self, matcher_value: &PyObject) -> PyResult {
        let split = split_recursive(self.as_object(), &Matcher::of(matcher_value)?, false)?;
        Ok(split.matched.unwrap_or_else(none_ref))
    }
}

/// `ExceptionGroup(message, exceptions)`, or BaseExceptionGroup where the exceptions need it.
pub fn new_exception_group(message: &str, exceptions: &PyObject) -> PyResult {
    let message = PyUnicodeObject::from_str(message);
    exc::BaseExceptionGroup
        .as_object()
        .call(&[message.as_object(), exceptions])
}

/// What `except* match_type` makes of an exception.
pub struct StarMatch {
    pub matched: Option<Ref>,
    pub rest: Option<Ref>,
    /// `matched` is a new group around a naked exception: it still needs the frame's traceback.
    pub wrapped: bool,
}

/// Checks an exception (or `None`, when all was handled before) against the type of an `except*` clause.
pub fn match_star(exception: &PyObject, match_type: &PyObject) -> PyResult<StarMatch> {
    if is_none(exception) {
        return Ok(StarMatch {
            matched: None,
            rest: None,
            wrapped: false,
        });
    }
    let group = as_group(exception);
    if given_exception_matches(exception, match_type) {
        let wrapped = group.is_none();
        let matched = if wrapped {
            new_exception_group("", PyTupleObject::from_slice(&[exception]).as_object())?
        } else {
            exception.to_ref()
        };
        return Ok(StarMatch {
            matched: Some(matched),
            rest: None,
            wrapped,
        });
    }
    if group.is_none() {
        return Ok(StarMatch {
            matched: None,
            rest: Some(exception.to_ref()),
            wrapped: false,
        });
    }
    let pair = exception.call_method(identifier!("split"), &[match_type])?;
    let Some(pair) = (*pair).downcast_exact::<PyTupleObject>() else {
        let (group, found) = (exception.ty().full_name(), pair.ty().full_name());
        return Err(raise!(
            TypeError,
            "{group}.split must return a tuple, not {found}"
        ));
    };
    if pair.len() < 2 {
        let (group, len) = (exception.ty().full_name(), pair.len());
        return Err(raise!(
            TypeError,
            "{group}.split must return a 2-tuple, got tuple of size {len}"
        ));
    }
    let part = |idx: usize| {
        Some(pair.as_slice()[idx])
            .filter(|part| !is_none(part))
            .map(PyObject::to_ref)
    };
    Ok(StarMatch {
        matched: part(0),
        rest: part(1),
        wrapped: false,
    })
}

/// TypeError when an `except*` type is not an exception type, or is a group type.
pub fn check_star_type(match_type: &PyObject) -> PyResult<()> {
    super::check_except_type(match_type)?;
    let is_group = |ty: &PyObject| ty.is_subclass(exc::BaseExceptionGroup.as_object());
    let grouped = match match_type.downcast::<PyTupleObject>() {
        Some(types) => {
            let mut any = false;
            for ty in types.as_slice() {
                any |= is_group(ty)?;
            }
            any
        }
        None => is_group(match_type)?,
    };
    if grouped {
        return Err(raise!(
            TypeError,
            "catching ExceptionGroup with except* is not allowed. Use except instead."
        ));
    }
    Ok(())
}

fn collect_leaves(exception: &PyObject, leaves: &mut HashSet<usize>) -> PyResult<()> {
    let Some(group) = as_group(exception) else {
        leaves.insert(exception.as_ptr() as usize);
        return Ok(());
    };
    enter_native_call(" in collect_exception_group_leaf_ids")?;
    for part in group.parts().as_slice() {
        collect_leaves(part, leaves)?;
    }
    Ok(())
}

/// Whether `a` is a part of the group `b`, by what splitting copies.
fn same_metadata(a: &PyObject, b: &PyObject) -> bool {
    let (a, b) = (base(a), base(b));
    a.notes.get() == b.notes.get()
        && a.traceback.get() == b.traceback.get()
        && a.cause.get() == b.cause.get()
        && a.context.get() == b.context.get()
}

/// What is to be raised at the end of a `try` with `except*` clauses: `original` is what was caught, `exceptions` what
/// the clauses raised, re-raised or left over. `None` when all was handled.
pub fn prep_reraise_star(original: &PyObject, exceptions: &PyListObject) -> PyResult<Option<Ref>> {
    let all: Vec<Ref> = exceptions
        .as_slice()
        .iter()
        .map(|exception| exception.to_ref())
        .collect();
    if all.is_empty() {
        return Ok(None);
    }
    if let Some(other) = all
        .iter()
        .find(|item| !is_none(item) && !item.is_instance_of(exc::BaseException))
    {
        return Err(raise!(
            TypeError,
            "an except* clause raised a {}, which is no exception",
            other.ty().name()
        ));
    }
    if as_group(original).is_none() {
        // A naked exception: at most one clause ran.
        return Ok(Some(all[0].clone()).filter(|exception| !is_none(exception)));
    }
    let (mut raised, mut leaves) = (Vec::new(), HashSet::new());
    for exception in all {
        if is_none(&exception) {
            continue;
        }
        if same_metadata(&exception, original) {
            collect_leaves(&exception, &mut leaves)?;
        } else {
            raised.push(exception);
        }
    }
    let reraised = split_recursive(original, &Matcher::Instances(&leaves), false)?.matched;
    if raised.is_empty() {
        return Ok(reraised);
    }
    raised.extend(reraised);
    if raised.len() > 1 {
        return new_exception_group("", PyListObject::from_vec(raised).as_object()).map(Some);
    }
    Ok(raised.pop())
}
