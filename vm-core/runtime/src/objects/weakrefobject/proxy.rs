//! Weak proxies: whatever is done to one is done to its object, while that lives.

use super::dealloc_reference;
use crate::prelude::*;
use crate::protocol::number;

/// The object behind a proxy, owned while it is used; any other object as it is.
fn unwrap(object: &PyObject) -> PyResult {
    let is_proxy = object.ob_type.get().cast_const() == &raw const _PyWeakref_ProxyType
        || object.ob_type.get().cast_const() == &raw const _PyWeakref_CallableProxyType;
    if !is_proxy {
        return Ok(object.to_ref());
    }
    // SAFETY: proxies have this layout.
    let proxy = unsafe { object.cast_unchecked::<PyWeakReference>() };
    proxy
        .get_object()
        .ok_or_else(|| raise!(ReferenceError, "weakly-referenced object no longer exists"))
}

macro_rules! proxy_type {
    ($struct:ident, $name:literal, $static:ident, { $($extra:tt)* }) => {
        #[repr(transparent)]
        pub struct $struct(PyWeakReference);

        #[pytype(
            name = $name,
            static_name = $static,
            export = true,
            flags = HAVE_GC,
            slots = [tp_hash = crate::types::hash_not_implemented]
        )]
        impl $struct {
            $($extra)*
            #[slot]
            unsafe fn tp_dealloc(this: *mut Self) {
                // SAFETY: the slot's contract.
                unsafe { dealloc_reference(this.cast()) }
            }
            #[slot]
            fn tp_traverse(&self, visitor: &Visitor) -> c_int {
                visitor.visit(self.0.wr_callback.get())
            }
            #[slot]
            fn tp_clear(&self) {
                self.0.unlink();
                drop(self.0.take_callback());
            }
            #[slot]
            fn tp_repr(this: &PyObject) -> PyResult {
                let Some(object) = super::referent(this) else {
                    let text = format!("<weakproxy at {:p}; dead>", this.as_ptr());
                    return Ok(PyUnicodeObject::from_string(text).into_object());
                };
                let text = format!(
                    "<weakproxy at {:p}; to '{}' at {:p}>", this.as_ptr(), object.ty().fully_qualified_name(), object.as_raw()
                );
                Ok(PyUnicodeObject::from_string(text).into_object())
            }
            #[slot]
            fn tp_str(this: &PyObject) -> PyResult {
                Ok(unwrap(this)?.str()?.into_object())
            }
            #[slot]
            fn tp_getattro(this: &PyObject, name: &PyObject) -> PyResult {
                unwrap(this)?.get_attr_object(name)
            }
            #[slot]
            fn tp_setattro(this: &PyObject, name: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
                let name = crate::protocol::attributes::attribute_name(name)?;
                unwrap(this)?.set_or_del_attr(name, value)
            }
            #[slot]
            fn tp_richcompare(this: &PyObject, other: &PyObject, op: CompareOp) -> PyResult {
                unwrap(this)?.rich_compare(&*unwrap(other)?, op)
            }
            #[slot]
            fn tp_iter(this: &PyObject) -> PyResult {
                unwrap(this)?.iter()
            }
            #[slot]
            fn tp_iternext(this: &PyObject) -> PyResult<Option<Ref>> {
                let object = unwrap(this)?;
                if !object.is_iterator() {
                    return Err(raise!(
                        TypeError, "Weakref proxy referenced a non-iterator '{}' object", object.ty().full_name()
                    ));
                }
                object.next()
            }
            #[slot]
            fn nb_bool(this: &PyObject) -> PyResult<bool> {
                unwrap(this)?.is_true()
            }
            #[slot]
            fn nb_int(this: &PyObject) -> PyResult {
                Ok(unwrap(this)?.to_int()?.into_object())
            }
            #[slot]
            fn nb_float(this: &PyObject) -> PyResult {
                Ok(PyFloatObject::from_f64(unwrap(this)?.to_f64()?).into_object())
            }
            #[slot]
            fn nb_index(this: &PyObject) -> PyResult {
                Ok(unwrap(this)?.index()?.into_object())
            }
            #[slot]
            fn nb_negative(this: &PyObject) -> PyResult {
                number::negative(&*unwrap(this)?)
            }
            #[slot]
            fn nb_positive(this: &PyObject) -> PyResult {
                number::positive(&*unwrap(this)?)
            }
            #[slot]
            fn nb_absolute(this: &PyObject) -> PyResult {
                number::absolute(&*unwrap(this)?)
            }
            #[slot]
            fn nb_invert(this: &PyObject) -> PyResult {
                number::invert(&*unwrap(this)?)
            }
            #[slot]
            fn nb_add(a: &PyObject, b: &PyObject) -> PyResult {
                number::add(&*unwrap(a)?, &*unwrap(b)?)
            }
            #[slot]
            fn nb_subtract(a: &PyObject, b: &PyObject) -> PyResult {
                number::subtract(&*unwrap(a)?, &*unwrap(b)?)
            }
            #[slot]
            fn nb_multiply(a: &PyObject, b: &PyObject) -> PyResult {
                number::multiply(&*unwrap(a)?, &*unwrap(b)?)
            }
            #[slot]
            fn nb_remainder(a: &PyObject, b: &PyObject) -> PyResult {
                number::remainder(&*unwrap(a)?, &*unwrap(b)?)
            }
            #[slot]
            fn nb_divmod(a: &PyObject, b: &PyObject) -> PyResult {
                number::divmod(&*unwrap(a)?, &*unwrap(b)?)
            }
            #[slot]
            fn nb_floor_divide(a: &PyObject, b: &PyObject) -> PyResult {
                number::floor_divide(&*unwrap(a)?, &*unwrap(b)?)
            }
            #[slot]
            fn nb_true_divide(a: &PyObject, b: &PyObject) -> PyResult {
                number::true_divide(&*unwrap(a)?, &*unwrap(b)?)
            }
            #[slot]
            fn nb_matrix_multiply(a: &PyObject, b: &PyObject) -> PyResult {
                number::matrix_multiply(&*unwrap(a)?, &*unwrap(b)?)
            }
            #[slot]
            fn nb_lshift(a: &PyObject, b: &PyObject) -> PyResult {
                number::lshift(&*unwrap(a)?, &*unwrap(b)?)
            }
            #[slot]
            fn nb_rshift(a: &PyObject, b: &PyObject) -> PyResult {
                number::rshift(&*unwrap(a)?, &*unwrap(b)?)
            }
            #[slot]
            fn nb_and(a: &PyObject, b: &PyObject) -> PyResult {
                number::and(&*unwrap(a)?, &*unwrap(b)?)
            }
            #[slot]
            fn nb_or(a: &PyObject, b: &PyObject) -> PyResult {
                number::or(&*unwrap(a)?, &*unwrap(b)?)
            }
            #[slot]
            fn nb_xor(a: &PyObject, b: &PyObject) -> PyResult {
                number::xor(&*unwrap(a)?, &*unwrap(b)?)
            }
            #[slot]
            fn nb_power(a: &PyObject, b: &PyObject, modulus: &PyObject) -> PyResult {
                number::power(&*unwrap(a)?, &*unwrap(b)?, &*unwrap(modulus)?)
            }
            #[slot]
            fn nb_inplace_add(this: &PyObject, other: &PyObject) -> PyResult {
                number::inplace_add(&*unwrap(this)?, &*unwrap(other)?)
            }
            #[slot]
            fn nb_inplace_subtract(this: &PyObject, other: &PyObject) -> PyResult {
                number::inplace_subtract(&*unwrap(this)?, &*unwrap(other)?)
            }
            #[slot]
            fn nb_inplace_multiply(this: &PyObject, other: &PyObject) -> PyResult {
                number::inplace_multiply(&*unwrap(this)?, &*unwrap(other)?)
            }
            #[slot]
            fn nb_inplace_remainder(this: &PyObject, other: &PyObject) -> PyResult {
                number::inplace_remainder(&*unwrap(this)?, &*unwrap(other)?)
            }
            #[slot]
            fn nb_inplace_floor_divide(this: &PyObject, other: &PyObject) -> PyResult {
                number::inplace_floor_divide(&*unwrap(this)?, &*unwrap(other)?)
            }
            #[slot]
            fn nb_inplace_true_divide(this: &PyObject, other: &PyObject) -> PyResult {
                number::inplace_true_divide(&*unwrap(this)?, &*unwrap(other)?)
            }
            #[slot]
            fn nb_inplace_matrix_multiply(this: &PyObject, other: &PyObject) -> PyResult {
                number::inplace_matrix_multiply(&*unwrap(this)?, &*unwrap(other)?)
            }
            #[slot]
            fn nb_inplace_lshift(this: &PyObject, other: &PyObject) -> PyResult {
                number::inplace_lshift(&*unwrap(this)?, &*unwrap(other)?)
            }
            #[slot]
            fn nb_inplace_rshift(this: &PyObject, other: &PyObject) -> PyResult {
                number::inplace_rshift(&*unwrap(this)?, &*unwrap(other)?)
            }
            #[slot]
            fn nb_inplace_and(this: &PyObject, other: &PyObject) -> PyResult {
                number::inplace_and(&*unwrap(this)?, &*unwrap(other)?)
            }
            #[slot]
            fn nb_inplace_or(this: &PyObject, other: &PyObject) -> PyResult {
                number::inplace_or(&*unwrap(this)?, &*unwrap(other)?)
            }
            #[slot]
            fn nb_inplace_xor(this: &PyObject, other: &PyObject) -> PyResult {
                number::inplace_xor(&*unwrap(this)?, &*unwrap(other)?)
            }
            #[slot]
            fn sq_contains(this: &PyObject, item: &PyObject) -> PyResult<bool> {
                unwrap(this)?.contains(item)
            }
            #[slot]
            fn mp_length(this: &PyObject) -> PyResult<usize> {
                unwrap(this)?.len()
            }
            #[slot]
            fn sq_length(this: &PyObject) -> PyResult<usize> {
                unwrap(this)?.len()
            }
            #[slot]
            fn mp_subscript(this: &PyObject, key: &PyObject) -> PyResult {
                unwrap(this)?.get_item(key)
            }
            #[slot]
            fn mp_ass_subscript(this: &PyObject, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
                let object = unwrap(this)?;
                match value {
                    Some(value) => object.set_item(key, value),
                    None => object.del_item(key),
                }
            }
            /// bytes(object).
            #[method("($self, /)")]
            fn __bytes__(this: &PyObject) -> PyResult {
                unwrap(this)?.call_method(identifier!("__bytes__"), &[])
            }
            /// reversed(object).
            #[method("($self, /)")]
            fn __reversed__(this: &PyObject) -> PyResult {
                unwrap(this)?.call_method(identifier!("__reversed__"), &[])
            }
        }
    };
}

proxy_type!(PyWeakProxy, "weakref.ProxyType", _PyWeakref_ProxyType, {});
proxy_type!(
    PyWeakCallableProxy,
    "weakref.CallableProxyType",
    _PyWeakref_CallableProxyType,
    {
        #[slot]
        fn tp_call(this: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
            unwrap(this)?.call_tuple(args, kwargs)
        }
    }
);
