//! What stands in the slots of classes written in Python: each looks its special method up on the type and calls it.
//! One function a signature; the row of the slot table is a const parameter where several slots share one.

use super::slotdefs::{SLOT_DEFS, row_name, row_reflected, slot_value};
use crate::args::{boundary_bool, boundary_hash, boundary_len, boundary_obj, boundary_status};
use crate::exceptions::exc;
use crate::prelude::*;
use crate::protocol::attributes::generic_get_attr;

/// Calls the special method `name` of the object's type with `object` and `args`; AttributeError when there is none.
fn call_method(object: &PyObject, name: &'static PyUnicodeObject, args: &[&PyObject]) -> PyResult {
    match lookup_for_call(object, name)? {
        Some((function, true)) => match args {
            [] => function.call(&[object]),
            [first] => function.call(&[object, first]),
            [first, second] => function.call(&[object, first, second]),
            _ => {
                let mut all = Vec::with_capacity(args.len() + 1);
                all.push(object);
                all.extend_from_slice(args);
                function.call(&all)
            }
        },
        Some((bound, false)) => bound.call(args),
        None => Err(raise!(AttributeError, value => name.as_object())),
    }
}

/// The special method and whether it takes `object` as its first argument.
fn lookup_for_call(object: &PyObject, name: &PyUnicodeObject) -> PyResult<Option<(Ref, bool)>> {
    let ty = object.ty();
    let Some(found) = ty.lookup(name) else {
        return Ok(None);
    };
    let found = found.to_ref();
    let descriptor_type = found.ty();
    if descriptor_type.has_flag(Py_TPFLAGS_METHOD_DESCRIPTOR) {
        return Ok(Some((found, true)));
    }
    match descriptor_type.tp_descr_get.get() {
        Some(get) => {
            // SAFETY: the descriptor's own slot.
            let bound = unsafe { get(found.as_raw(), object.as_ptr(), ty.as_ptr()) };
            // SAFETY: a new reference or NULL.
            let bound = unsafe { Ref::from_owned_opt(bound) }.ok_or_else(|| Raised::from_c("__get__"))?;
            Ok(Some((bound, false)))
        }
        None => Ok(Some((found, false))),
    }
}

macro_rules! slot_fn {
    ($(#[$doc:meta])* fn $name:ident $(<const $row:ident>)? ($($arg:ident),*) -> $ret:ty, $boundary:ident, $body:expr) => {
        $(#[$doc])*
        pub unsafe extern "C" fn $name $(<const $row: usize>)? ($($arg: *mut PyObject),*) -> $ret {
            $boundary(|| {
                // SAFETY: slots get live objects.
                $(let $arg = unsafe { &*$arg };)*
                $body
            })
        }
    };
}

slot_fn!(fn unary_slot<const ROW>(object) -> *mut PyObject, boundary_obj, call_method(object, row_name(ROW), &[]));
slot_fn!(fn one_argument_slot<const ROW>(object, other) -> *mut PyObject, boundary_obj,
    call_method(object, row_name(ROW), &[other]));

/// A binary operator: the left operand's method, the right one's reflected method, in the order of the language.
pub unsafe extern "C" fn binary_slot<const ROW: usize>(
    left: *mut PyObject,
    right: *mut PyObject,
) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: slots get live objects.
        let (left, right) = unsafe { (&*left, &*right) };
        binary(ROW, binary_slot::<ROW> as *const c_void, left, right)
    })
}

fn binary(row: usize, own: *const c_void, left: &PyObject, right: &PyObject) -> PyResult {
    let def = &SLOT_DEFS[row];
    let (name, reflected) = (row_name(row), row_reflected(row));
    let same_type = std::ptr::eq(left.ty(), right.ty());
    let mut do_right = !same_type && slot_value(right.ty(), def) == own;
    if slot_value(left.ty(), def) == own {
        if do_right && right.ty().is_subtype(left.ty()) && is_overridden(left, right, reflected)? {
            let result = call_maybe(right, reflected, &[left])?;
            if !result.is(not_implemented()) {
                return Ok(result);
            }
            do_right = false;
        }
        let result = call_maybe(left, name, &[right])?;
        if !result.is(not_implemented()) || same_type {
            return Ok(result);
        }
    }
    if do_right {
        return call_maybe(right, reflected, &[left]);
    }
    Ok(not_implemented().to_ref())
}

/// As `call_method`, with NotImplemented when there is no such method.
fn call_maybe(object: &PyObject, name: &'static PyUnicodeObject, args: &[&PyObject]) -> PyResult {
    if object.ty().lookup(name).is_none() {
        return Ok(not_implemented().to_ref());
    }
    call_method(object, name, args)
}

/// Whether the right operand's class gives the reflected method anew.
fn is_overridden(left: &PyObject, right: &PyObject, name: &PyUnicodeObject) -> PyResult<bool> {
    let Some(right_method) = right.ty().as_object().get_attr_opt(name)? else {
        return Ok(false);
    };
    match left.ty().as_object().get_attr_opt(name)? {
        Some(left_method) => left_method.compare_bool(&right_method, CompareOp::Ne),
        None => Ok(true),
    }
}

pub unsafe extern "C" fn power_slot(
    base: *mut PyObject,
    exponent: *mut PyObject,
    modulus: *mut PyObject,
) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: slots get live objects.
        let (base, exponent, modulus) = unsafe { (&*base, &*exponent, &*modulus) };
        use super::slotdefs::Row;
        let own = power_slot as *const c_void;
        if is_none(modulus) {
            return binary(Row::POW as usize, own, base, exponent);
        }
        if slot_value(base.ty(), &SLOT_DEFS[Row::POW as usize]) == own {
            let result = call_maybe(base, identifier!("__pow__"), &[exponent, modulus])?;
            if !result.is(not_implemented()) {
                return Ok(result);
            }
        }
        if slot_value(exponent.ty(), &SLOT_DEFS[Row::POW as usize]) == own {
            return call_maybe(exponent, identifier!("__rpow__"), &[base, modulus]);
        }
        Ok(not_implemented().to_ref())
    })
}

pub unsafe extern "C" fn inplace_power_slot(
    base: *mut PyObject,
    exponent: *mut PyObject,
    _modulus: *mut PyObject,
) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: slots get live objects.
        let (base, exponent) = unsafe { (&*base, &*exponent) };
        call_method(base, identifier!("__ipow__"), &[exponent])
    })
}

slot_fn!(fn repr_slot(object) -> *mut PyObject, boundary_obj, {
    if object.ty().lookup(identifier!("__repr__")).is_none() {
        let text = format!("<{} object at {:p}>", object.ty().short_name(), object.as_ptr());
        return Ok(PyUnicodeObject::from_string(text).into_object());
    }
    call_method(object, identifier!("__repr__"), &[])
});

pub unsafe extern "C" fn hash_slot(object: *mut PyObject) -> Py_hash_t {
    boundary_hash(|| {
        // SAFETY: slots get live objects.
        let object = unsafe { &*object };
        let method = object.lookup_special(identifier!("__hash__"))?;
        let Some(method) = method.filter(|method| !is_none(method)) else {
            return Err(raise!(TypeError, "unhashable type: '{}'", object.ty().name()));
        };
        let result = method.call0()?;
        let Some(number) = result.downcast::<PyLongObject>().ok() else {
            return Err(raise!(TypeError, "__hash__ method should return an integer"));
        };
        // A value out of range is reduced as an int's own hash.
        let hash = match number.to_i64() {
            Some(hash) => hash as Py_hash_t,
            None => number.as_object().hash()?,
        };
        Ok(if hash == -1 { -2 } else { hash })
    })
}

pub unsafe extern "C" fn call_slot(
    object: *mut PyObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: slots get live objects; args is a tuple, kwargs a dict or null.
        let (object, args, kwargs) = unsafe {
            (
                &*object,
                (*args).cast_unchecked::<PyTupleObject>(),
                kwargs.cast::<PyDictObject>().as_ref(),
            )
        };
        let Some((function, unbound)) = lookup_for_call(object, identifier!("__call__"))? else {
            return Err(raise!(
                TypeError,
                "'{}' object is not callable",
                object.ty().name()
            ));
        };
        crate::protocol::enter_native_call(" while calling a Python object")?;
        if !unbound {
            return function.call_tuple(args, kwargs);
        }
        let mut all = Vec::with_capacity(args.len() + 1);
        all.push(object);
        all.extend_from_slice(args.as_slice());
        if kwargs.is_none_or(|kwargs| kwargs.len() == 0) {
            return function.call(&all);
        }
        function.call_tuple(&PyTupleObject::from_slice(&all), kwargs)
    })
}

pub unsafe extern "C" fn richcompare_slot(
    object: *mut PyObject,
    other: *mut PyObject,
    op: c_int,
) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: slots get live objects.
        let (object, other) = unsafe { (&*object, &*other) };
        let name = match op {
            Py_LT => identifier!("__lt__"),
            Py_LE => identifier!("__le__"),
            Py_EQ => identifier!("__eq__"),
            Py_NE => identifier!("__ne__"),
            Py_GT => identifier!("__gt__"),
            _ => identifier!("__ge__"),
        };
        match object.ty().lookup(name) {
            None => return Ok(not_implemented().to_ref()),
            Some(method) if method.ty().has_flag(Py_TPFLAGS_METHOD_DESCRIPTOR) => {
                return call_method(object, name, &[other]);
            }
            Some(_) => {}
        }
        // Another descriptor may refuse: the operation is not implemented then.
        match object.lookup_special(name) {
            Ok(Some(method)) => method.call1(other),
            Ok(None) => Ok(not_implemented().to_ref()),
            Err(raised) => {
                raised.clear();
                Ok(not_implemented().to_ref())
            }
        }
    })
}

slot_fn!(fn iter_slot(object) -> *mut PyObject, boundary_obj, {
    match object.ty().lookup(identifier!("__iter__")) {
        Some(method) if is_none(method) => {
            Err(raise!(TypeError, "'{}' object is not iterable", object.ty().name()))
        }
        Some(_) => call_method(object, identifier!("__iter__"), &[]),
        None if object.ty().lookup(identifier!("__getitem__")).is_some() => {
            Ok(crate::objects::iterobject::sequence_iterator(object))
        }
        None => Err(raise!(TypeError, "'{}' object is not iterable", object.ty().name())),
    }
});

slot_fn!(fn next_slot(object) -> *mut PyObject, boundary_obj, call_method(object, identifier!("__next__"), &[]));

pub unsafe extern "C" fn descr_get_slot(
    descriptor: *mut PyObject,
    object: *mut PyObject,
    ty: *mut PyObject,
) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: slots get live objects; the last two may be null.
        let (descriptor, object, ty) = unsafe { (&*descriptor, object.as_ref(), ty.as_ref()) };
        let Some(getter) = descriptor.ty().lookup(identifier!("__get__")) else {
            return Ok(descriptor.to_ref());
        };
        getter
            .to_ref()
            .call(&[descriptor, object.unwrap_or(none()), ty.unwrap_or(none())])
    })
}

pub unsafe extern "C" fn descr_set_slot(
    descriptor: *mut PyObject,
    object: *mut PyObject,
    value: *mut PyObject,
) -> c_int {
    boundary_status(|| {
        // SAFETY: slots get live objects; a null value means deletion.
        let (descriptor, object, value) = unsafe { (&*descriptor, &*object, value.as_ref()) };
        match value {
            Some(value) => call_method(descriptor, identifier!("__set__"), &[object, value])?,
            None => call_method(descriptor, identifier!("__delete__"), &[object])?,
        };
        Ok(())
    })
}

pub unsafe extern "C" fn setattro_slot(
    object: *mut PyObject,
    name: *mut PyObject,
    value: *mut PyObject,
) -> c_int {
    boundary_status(|| {
        // SAFETY: slots get live objects; a null value means deletion.
        let (object, name, value) = unsafe { (&*object, &*name, value.as_ref()) };
        match value {
            Some(value) => call_method(object, identifier!("__setattr__"), &[name, value])?,
            None => call_method(object, identifier!("__delattr__"), &[name])?,
        };
        Ok(())
    })
}

slot_fn!(
    /// `__getattribute__`, then `__getattr__` when that raises AttributeError.
    fn getattro_slot(object, name) -> *mut PyObject, boundary_obj, {
        let ty = object.ty();
        let getattr = ty.lookup(identifier!("__getattr__")).map(PyObject::to_ref);
        let getattribute = ty.lookup(identifier!("__getattribute__")).map(PyObject::to_ref);
        let result = match &getattribute {
            Some(function) if !is_object_getattribute(function) => {
                call_method(object, identifier!("__getattribute__"), &[name])
            }
            _ => {
                let name = crate::protocol::attributes::attribute_name(name)?;
                if getattr.is_some() {
                    match crate::protocol::attributes::generic_get_attr_opt(object, name, None)? {
                        Some(value) => return Ok(value),
                        None => return call_method(object, identifier!("__getattr__"), &[name.as_object()]),
                    }
                }
                generic_get_attr(object, name)
            }
        };
        match result {
            Err(raised) if getattr.is_some() => {
                raised.clear_if(exc::AttributeError)?;
                call_method(object, identifier!("__getattr__"), &[name])
            }
            result => result,
        }
    }
);

fn is_object_getattribute(function: &PyObject) -> bool {
    crate::objects::descrobject::wrapped_slot(function).is_some_and(|(_, slot, _)| {
        slot == crate::protocol::attributes::generic_get_attr_slot as *const c_void
    })
}

pub unsafe extern "C" fn init_slot(
    object: *mut PyObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> c_int {
    boundary_status(|| {
        // SAFETY: slots get live objects; args is a tuple, kwargs a dict or null.
        let (object, args, kwargs) = unsafe {
            (
                &*object,
                (*args).cast_unchecked::<PyTupleObject>(),
                kwargs.cast::<PyDictObject>().as_ref(),
            )
        };
        let (function, unbound) = init_of(object)?;
        let result = if unbound {
            let mut all = Vec::with_capacity(args.len() + 1);
            all.push(object);
            all.extend_from_slice(args.as_slice());
            if kwargs.is_none_or(|kwargs| kwargs.len() == 0) {
                function.call(&all)?
            } else {
                function.call_tuple(&PyTupleObject::from_slice(&all), kwargs)?
            }
        } else {
            function.call_tuple(args, kwargs)?
        };
        if !is_none(&result) {
            return Err(init_returned(&result));
        }
        Ok(())
    })
}

/// The `__init__` of an object's class, and whether it wants the object as its first argument.
pub fn init_of(object: &PyObject) -> PyResult<(Ref, bool)> {
    match lookup_for_call(object, identifier!("__init__"))? {
        Some(found) => Ok(found),
        None => Err(raise!(AttributeError, value => identifier!("__init__").as_object())),
    }
}

#[cold]
pub fn init_returned(result: &PyObject) -> Raised {
    raise!(
        TypeError,
        "__init__() should return None, not '{}'",
        result.ty().name()
    )
}

pub unsafe extern "C" fn new_slot(
    class: *mut PyTypeObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: slots get live objects; args is a tuple, kwargs a dict or null.
        let (class, args, kwargs) = unsafe {
            (
                &*class,
                (*args).cast_unchecked::<PyTupleObject>(),
                kwargs.cast::<PyDictObject>().as_ref(),
            )
        };
        let function = class.as_object().get_attr(identifier!("__new__"))?;
        let mut all = Vec::with_capacity(args.len() + 1);
        all.push(class.as_object());
        all.extend_from_slice(args.as_slice());
        if kwargs.is_none_or(|kwargs| kwargs.len() == 0) {
            return function.call(&all);
        }
        function.call_tuple(&PyTupleObject::from_slice(&all), kwargs)
    })
}

pub unsafe extern "C" fn finalize_slot(object: *mut PyObject) {
    // SAFETY: slots get live objects.
    let object = unsafe { &*object };
    let method = object.lookup_special(identifier!("__del__"));
    if let Ok(Some(method)) = method
        && let Err(raised) = method.call0()
    {
        let exception = raised.take();
        // The function itself is shown, not what binds it.
        let shown = match method.downcast::<PyMethodObject>() {
            Ok(bound) => bound.function().to_ref(),
            Err(other) => other,
        };
        let repr = shown
            .repr()
            .map(|repr| repr.to_string_lossy())
            .unwrap_or_else(|raised| {
                raised.clear();
                "<object repr() failed>".to_owned()
            });
        let raised = crate::error::restore(exception);
        let context = format!("Exception ignored while calling deallocator {repr}");
        crate::error::write_unraisable(raised, Some(&context), None);
    }
    if crate::error::occurred() {
        crate::error::write_unraisable(Raised::assume(), None, None);
    }
}

pub unsafe extern "C" fn bool_slot(object: *mut PyObject) -> c_int {
    boundary_bool(|| {
        // SAFETY: slots get live objects.
        let object = unsafe { &*object };
        if object.ty().lookup(identifier!("__bool__")).is_none() {
            return match object.ty().lookup(identifier!("__len__")) {
                Some(_) => Ok(checked_len(object)? != 0),
                None => Ok(true),
            };
        }
        let result = call_method(object, identifier!("__bool__"), &[])?;
        if result.is(true_()) {
            return Ok(true);
        }
        if result.is(false_()) {
            return Ok(false);
        }
        Err(raise!(
            TypeError,
            "__bool__ should return bool, returned {}",
            result.ty().name()
        ))
    })
}

fn checked_len(object: &PyObject) -> PyResult<isize> {
    let result = call_method(object, identifier!("__len__"), &[])?;
    let number = result.index_subclass()?;
    if number.sign() < 0 {
        return Err(raise!(ValueError, "__len__() should return >= 0"));
    }
    number.as_object().to_index(exc::OverflowError)
}

pub unsafe extern "C" fn length_slot(object: *mut PyObject) -> isize {
    // SAFETY: slots get live objects.
    boundary_len(|| checked_len(unsafe { &*object }).map(|length| length as usize))
}

pub unsafe extern "C" fn ass_subscript_slot(
    object: *mut PyObject,
    key: *mut PyObject,
    value: *mut PyObject,
) -> c_int {
    boundary_status(|| {
        // SAFETY: slots get live objects; a null value means deletion.
        let (object, key, value) = unsafe { (&*object, &*key, value.as_ref()) };
        match value {
            Some(value) => call_method(object, identifier!("__setitem__"), &[key, value])?,
            None => call_method(object, identifier!("__delitem__"), &[key])?,
        };
        Ok(())
    })
}

pub unsafe extern "C" fn item_slot(object: *mut PyObject, index: isize) -> *mut PyObject {
    boundary_obj(|| {
        let index = PyLongObject::from_isize(index);
        // SAFETY: slots get live objects.
        call_method(
            unsafe { &*object },
            identifier!("__getitem__"),
            &[index.as_object()],
        )
    })
}

pub unsafe extern "C" fn ass_item_slot(object: *mut PyObject, index: isize, value: *mut PyObject) -> c_int {
    boundary_status(|| {
        let index = PyLongObject::from_isize(index);
        // SAFETY: slots get live objects; a null value means deletion.
        let (object, value) = unsafe { (&*object, value.as_ref()) };
        match value {
            Some(value) => call_method(object, identifier!("__setitem__"), &[index.as_object(), value])?,
            None => call_method(object, identifier!("__delitem__"), &[index.as_object()])?,
        };
        Ok(())
    })
}

pub unsafe extern "C" fn contains_slot(object: *mut PyObject, item: *mut PyObject) -> c_int {
    boundary_bool(|| {
        // SAFETY: slots get live objects.
        let (object, item) = unsafe { (&*object, &*item) };
        match object.ty().lookup(identifier!("__contains__")) {
            Some(method) if is_none(method) => Err(raise!(
                TypeError,
                "'{}' object is not a container",
                object.ty().name()
            )),
            Some(_) => Ok(call_method(object, identifier!("__contains__"), &[item])?.is_true()?),
            None => {
                let iterator = object.iter()?;
                while let Some(candidate) = iterator.next()? {
                    if candidate.eq(item)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    })
}

/// `__buffer__` written in Python (PEP 688): the view is of the memoryview that it returns.
pub unsafe extern "C" fn getbuffer_slot(object: *mut PyObject, view: *mut Py_buffer, flags: c_int) -> c_int {
    boundary_status(|| {
        // SAFETY: slots get live objects.
        let object = unsafe { &*object };
        let flags_object = PyLongObject::from_i64(flags.into());
        let result = call_method(object, identifier!("__buffer__"), &[flags_object.as_object()])?;
        crate::objects::memoryobject::export_python_buffer(object, &result, view, flags)
    })
}

pub unsafe extern "C" fn releasebuffer_slot(object: *mut PyObject, view: *mut Py_buffer) {
    // SAFETY: slots get live objects.
    let object = unsafe { &*object };
    crate::objects::memoryobject::release_python_buffer(object, view);
}
