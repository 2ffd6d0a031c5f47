//! Calls: vectorcall first, `tp_call` otherwise.

use super::{enter_native_call, from_slot};
use crate::prelude::*;

impl PyTypeObject {
    /// The vectorcall function of an instance, when it has one.
    #[inline(always)]
    pub fn vectorcall_of(&self, object: &PyObject) -> Option<vectorcallfunc> {
        if self.tp_flags.get() & Py_TPFLAGS_HAVE_VECTORCALL == 0 {
            return None;
        }
        let offset = self.tp_vectorcall_offset.get();
        // SAFETY: a type with the flag has the pointer at that offset of its instances.
        unsafe {
            *object
                .as_ptr()
                .byte_offset(offset)
                .cast::<Option<vectorcallfunc>>()
        }
    }
}

/// `PyObject_Vectorcall`.
///
/// # Safety
/// `args` holds `nargsf`'s count of live objects followed by one for each name of `kwnames` (a tuple or null).
#[inline]
pub unsafe fn vectorcall(
    callable: &PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> PyResult {
    if let Some(function) = callable.ty().vectorcall_of(callable) {
        // SAFETY: the caller's contract is vectorcall's.
        let result = unsafe { function(callable.as_ptr(), args, nargsf, kwnames) };
        // SAFETY: a new reference or NULL with an exception.
        return unsafe { checked_result(callable, result) };
    }
    // SAFETY: the caller's contract.
    unsafe { call_by_tp_call(callable, args, PyVectorcall_NARGS(nargsf), kwnames) }
}

/// What a native function gave: a result without an exception, or NULL with one; anything else is a SystemError.
///
/// # Safety
/// `result` is a new reference or NULL.
#[inline]
pub unsafe fn checked_result(callable: &PyObject, result: *mut PyObject) -> PyResult {
    // SAFETY: the caller's contract.
    match unsafe { Ref::from_owned_opt(result) } {
        Some(result) if !crate::error::occurred() => Ok(result),
        Some(result) => Err(result_with_error(callable, result)),
        None => Err(check_call_failed(callable)),
    }
}

/// The SystemError of a function that gave a result with an exception set, which becomes its cause.
#[cold]
fn result_with_error(callable: &PyObject, result: Ref) -> Raised {
    let cause = crate::error::fetch();
    drop(result);
    let raised = match callable.repr() {
        Ok(repr) => raise!(
            SystemError,
            "{} returned a result with an exception set",
            repr.to_string_lossy()
        ),
        Err(raised) => raised,
    };
    let Some(cause) = cause else { return raised };
    let exception = raised.take();
    for name in [identifier!("__context__"), identifier!("__cause__")] {
        if let Err(raised) = exception.set_attr(name, &cause) {
            raised.clear();
        }
    }
    crate::error::restore(exception)
}

#[cold]
fn check_call_failed(callable: &PyObject) -> Raised {
    if crate::error::occurred() {
        return Raised::assume();
    }
    match callable.repr() {
        Ok(repr) => raise!(
            SystemError,
            "{} returned NULL without setting an exception",
            repr.to_string_lossy()
        ),
        Err(raised) => raised,
    }
}

/// Whether instances are made by `object.__new__`, which looks at no argument, and an `__init__` found by name.
fn has_only_init(class: &PyTypeObject) -> bool {
    let address = |slot: Option<newfunc>| slot.map(|slot| slot as usize);
    address(class.tp_new.get()) == address(crate::objects::object::PyBaseObject_Type.tp_new.get())
        && class
            .tp_init
            .get()
            .is_some_and(|slot| slot as usize == crate::types::slots::init_slot as *const () as usize)
        && class.tp_flags.get() & (Py_TPFLAGS_IS_ABSTRACT | Py_TPFLAGS_HEAPTYPE) == Py_TPFLAGS_HEAPTYPE
}

/// Calls such a class without making a tuple of the arguments.
///
/// # Safety
/// As `vectorcall`.
unsafe fn instantiate(
    class: &PyTypeObject,
    args: *const *mut PyObject,
    nargs: usize,
    kwnames: *mut PyObject,
) -> PyResult {
    const FEW: usize = 8;
    let instance = crate::types::heap::allocate_instance(class, 0)?;
    let (init, wants_self) = crate::types::slots::init_of(&instance)?;
    // SAFETY: the values of the names follow the arguments, as the caller vouches; the arrays have room for all.
    let result = unsafe {
        let n_names = kwnames
            .as_ref()
            .map_or(0, |names| names.cast_unchecked::<PyTupleObject>().len());
        let n_values = nargs + n_names;
        if !wants_self {
            vectorcall(&init, args, nargs, kwnames)?
        } else if n_values < FEW {
            let mut all = [std::ptr::null_mut(); FEW];
            all[0] = instance.as_raw();
            std::ptr::copy_nonoverlapping(args, all.as_mut_ptr().add(1), n_values);
            vectorcall(&init, all.as_ptr(), nargs + 1, kwnames)?
        } else {
            let mut all = Vec::with_capacity(n_values + 1);
            all.push(instance.as_raw());
            all.extend_from_slice(std::slice::from_raw_parts(args, n_values));
            vectorcall(&init, all.as_ptr(), nargs + 1, kwnames)?
        }
    };
    if !is_none(&result) {
        return Err(crate::types::slots::init_returned(&result));
    }
    Ok(instance)
}

/// Calls through `tp_call`, making the tuple and the dict that it wants.
///
/// # Safety
/// As `vectorcall`.
unsafe fn call_by_tp_call(
    callable: &PyObject,
    args: *const *mut PyObject,
    nargs: usize,
    kwnames: *mut PyObject,
) -> PyResult {
    if std::ptr::eq(callable.ty(), PyTypeObject::type_object()) {
        // SAFETY: its type is `type`; the array is the caller's.
        unsafe {
            if nargs == 1
                && kwnames.is_null()
                && std::ptr::eq(callable, PyTypeObject::type_object().as_object())
            {
                return Ok((**args).ty().as_object().to_ref());
            }
            let class = callable.cast_unchecked::<PyTypeObject>();
            if has_only_init(class) {
                return instantiate(class, args, nargs, kwnames);
            }
            if kwnames.is_null() && !std::ptr::eq(class, PyTypeObject::type_object()) {
                enter_native_call(" while calling a Python object")?;
                let result = class.instantiate(&PyTupleObject::from_slice(slice_of(args, nargs)), None)?;
                return if crate::error::occurred() {
                    Err(result_with_error(callable, result))
                } else {
                    Ok(result)
                };
            }
        }
    }
    // SAFETY: `&PyObject` has the layout of a pointer and the caller vouches for the array.
    let positional = unsafe { slice_of(args, nargs) };
    let tuple = PyTupleObject::from_slice(positional);
    // SAFETY: a tuple or null.
    let kwargs = match unsafe { kwnames.as_ref() } {
        None => None,
        Some(names) => {
            // SAFETY: vectorcall passes a tuple of names.
            let names = unsafe { names.cast_unchecked::<PyTupleObject>() };
            // SAFETY: one value a name follows the positional arguments.
            let values = unsafe { slice_of(args.add(nargs), names.len()) };
            let dict = PyDictObject::new();
            for (name, value) in names.as_slice().iter().zip(values) {
                dict.set(name, value)?;
            }
            Some(dict)
        }
    };
    callable.call_tuple(&tuple, kwargs.as_deref())
}

/// A vectorcall argument array as a slice of borrowed references.
///
/// # Safety
/// `args` points to `len` live objects (it may be null when `len` is 0).
#[inline(always)]
pub unsafe fn slice_of<'a>(args: *const *mut PyObject, len: usize) -> &'a [&'a PyObject] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller's contract; a reference has the layout of a pointer.
    unsafe { std::slice::from_raw_parts(args.cast::<&PyObject>(), len) }
}

impl PyObject {
    /// `self(*args)`.
    #[inline]
    pub fn call(&self, args: &[&PyObject]) -> PyResult {
        // SAFETY: a slice of references is an array of live objects.
        unsafe { vectorcall(self, args.as_ptr().cast(), args.len(), std::ptr::null_mut()) }
    }
    #[inline]
    pub fn call0(&self) -> PyResult {
        self.call(&[])
    }
    #[inline]
    pub fn call1(&self, arg: &PyObject) -> PyResult {
        self.call(&[arg])
    }
    /// A call with keywords: the last `kwnames.len()` of `args` are their values.
    pub fn call_keywords(&self, args: &[&PyObject], kwnames: &PyTupleObject) -> PyResult {
        let nargs = args.len() - kwnames.len();
        // SAFETY: as in `call`, with the names' values last.
        unsafe { vectorcall(self, args.as_ptr().cast(), nargs, kwnames.as_ptr()) }
    }
    /// A call with keywords given as Rust names.
    pub fn call_kw(&self, args: &[&PyObject], keywords: &[(&str, &PyObject)]) -> PyResult {
        let names = PyTupleObject::from_vec(
            keywords
                .iter()
                .map(|(name, _)| PyUnicodeObject::from_str(name).into_object())
                .collect(),
        );
        let all: Vec<&PyObject> = args
            .iter()
            .copied()
            .chain(keywords.iter().map(|(_, value)| *value))
            .collect();
        self.call_keywords(&all, &names)
    }
    /// `self(*args, **kwargs)`.
    pub fn call_tuple(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        if let Some(function) = self.ty().vectorcall_of(self) {
            return call_function_tuple(self, function, args, kwargs);
        }
        let Some(tp_call) = self.ty().tp_call.get() else {
            return Err(not_callable(self));
        };
        enter_native_call(" while calling a Python object")?;
        let kwargs = kwargs.map_or(std::ptr::null_mut(), |kwargs| kwargs.as_ptr());
        // SAFETY: a slot of this object's type, with the tuple and dict it takes.
        let result = unsafe { tp_call(self.as_ptr(), args.as_ptr(), kwargs) };
        // SAFETY: a new reference or NULL.
        unsafe { Ref::from_owned_opt(result) }.ok_or_else(|| check_call_failed(self))
    }
    /// `self.name(*args)`, without making a bound method where the type allows.
    pub fn call_method(&self, name: &PyUnicodeObject, args: &[&PyObject]) -> PyResult {
        match self.get_method(name)? {
            (function, true) => {
                let mut all: smallbuf::Args = smallbuf::Args::new();
                all.push(self);
                all.extend(args);
                function.call(all.as_slice())
            }
            (attribute, false) => attribute.call(args),
        }
    }
    /// Calls the special method `name`, looked up on the type; `None` when the type has none.
    pub fn call_special(&self, name: &PyUnicodeObject, args: &[&PyObject]) -> PyResult<Option<Ref>> {
        match self.lookup_special(name)? {
            Some(method) => method.call(args).map(Some),
            None => Ok(None),
        }
    }
}

/// `PyVectorcall_Call` as a `tp_call`: for types whose instances have a vectorcall function.
///
/// # Safety
/// The slot's contract: an object with a vectorcall function, a tuple, a dict or NULL.
pub unsafe extern "C" fn call_by_vectorcall(
    callable: *mut PyObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    crate::args::boundary_obj(|| {
        // SAFETY: the caller's contract.
        let (callable, args, kwargs) = unsafe {
            (
                &*callable,
                &*args.cast::<PyTupleObject>(),
                kwargs.cast::<PyDictObject>().as_ref(),
            )
        };
        callable.call_tuple(args, kwargs)
    })
}

/// The result of calling a C function that takes a tuple and a dict, checked.
///
/// # Safety
/// `result` is a new reference or NULL.
pub unsafe fn check_result(result: *mut PyObject) -> PyResult {
    // SAFETY: the caller's contract.
    unsafe { from_slot(result, "a native function") }
}

/// The TypeError of calling what cannot be called; a module that has a callable of its own name gets a hint.
#[cold]
fn not_callable(object: &PyObject) -> Raised {
    let type_name = object.ty().full_name();
    if let Some(module) = object.downcast::<PyModuleObject>()
        && let Ok(name) = module.name().map_err(Raised::clear)
        && let Ok(Some(own)) = object.get_attr_opt(&name).map_err(Raised::clear)
        && own.is_callable()
    {
        let name = name.to_string_lossy();
        return raise!(
            TypeError,
            "'{type_name}' object is not callable. Did you mean: '{name}.{name}(...)'?"
        );
    }
    raise!(TypeError, "'{type_name}' object is not callable")
}

/// A call of a vectorcall function with a tuple and a dict.
fn call_function_tuple(
    callable: &PyObject,
    function: vectorcallfunc,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    let mut all: Vec<&PyObject>;
    let mut held = Vec::new();
    let mut names = None;
    let mut pointer = args.as_slice().as_ptr();
    if let Some(kwargs) = kwargs.filter(|kwargs| kwargs.len() != 0) {
        let mut keys = Vec::with_capacity(kwargs.len());
        held.reserve(kwargs.len());
        let mut position = 0;
        while let Some((name, value, _)) = kwargs.next_entry(&mut position) {
            if !PyUnicodeObject::check(name) {
                return Err(raise!(TypeError, "keywords must be strings"));
            }
            keys.push(name.to_ref());
            held.push(value.to_ref());
        }
        all = args.as_slice().to_vec();
        all.extend(held.iter().map(|value: &Ref| &**value));
        pointer = all.as_ptr();
        names = Some(PyTupleObject::from_vec(keys));
    }
    let names = names
        .as_ref()
        .map_or(std::ptr::null_mut(), |names| names.as_ptr());
    // SAFETY: positional arguments, then a value a name; a new reference or NULL.
    unsafe {
        let result = function(callable.as_ptr(), pointer.cast(), args.len(), names);
        checked_result(callable, result)
    }
}

/// `tp_call` of types with a vectorcall: `PyVectorcall_Call`.
pub unsafe extern "C" fn vectorcall_call(
    callable: *mut PyObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    crate::args::boundary_obj(|| {
        // SAFETY: slots get live objects; args is a tuple, kwargs a dict or null.
        let (callable, args, kwargs) = unsafe {
            (
                &*callable,
                (*args).cast_unchecked::<PyTupleObject>(),
                kwargs.cast::<PyDictObject>().as_ref(),
            )
        };
        // A subclass with its own `__call__` has not got the flag, but has the function.
        let offset = callable.ty().tp_vectorcall_offset.get();
        let function = if offset > 0 {
            // SAFETY: the offset is that of the pointer in each instance.
            unsafe {
                *callable
                    .as_ptr()
                    .byte_offset(offset)
                    .cast::<Option<vectorcallfunc>>()
            }
        } else {
            None
        };
        match function {
            Some(function) => call_function_tuple(callable, function, args, kwargs),
            None => Err(raise!(
                TypeError,
                "'{}' object does not support vectorcall",
                callable.ty().full_name()
            )),
        }
    })
}

/// A short argument list that lives on the stack.
mod smallbuf {
    use crate::abi::PyObject;

    pub struct Args<'a> {
        inline: [Option<&'a PyObject>; 8],
        len: usize,
        spilled: Vec<&'a PyObject>,
    }

    impl<'a> Args<'a> {
        pub fn new() -> Args<'a> {
            Args {
                inline: [None; 8],
                len: 0,
                spilled: Vec::new(),
            }
        }
        pub fn push(&mut self, arg: &'a PyObject) {
            if !self.spilled.is_empty() {
                self.spilled.push(arg);
            } else if self.len == self.inline.len() {
                self.spilled = self.inline.iter().map(|arg| arg.unwrap()).collect();
                self.spilled.push(arg);
            } else {
                self.inline[self.len] = Some(arg);
                self.len += 1;
            }
        }
        pub fn extend(&mut self, args: &[&'a PyObject]) {
            for arg in args {
                self.push(arg);
            }
        }
        pub fn as_slice(&self) -> &[&'a PyObject] {
            if !self.spilled.is_empty() {
                return &self.spilled;
            }
            // SAFETY: the first `len` entries are `Some`, which has the layout of the reference itself.
            unsafe { std::slice::from_raw_parts(self.inline.as_ptr().cast(), self.len) }
        }
    }
}
