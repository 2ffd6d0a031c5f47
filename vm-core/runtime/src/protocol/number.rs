//! The number protocol: binary dispatch with subclass priority and reflected operands, in-place forms, conversions.

use super::{enter_native_call, from_slot};
use crate::prelude::*;

type BinarySlot = fn(&PyNumberMethods) -> Option<binaryfunc>;

/// Tries a binary slot of both operands in the order of the language: the right one first when its type is a proper
/// subtype. The result may be NotImplemented.
pub fn binary_op1(left: &PyObject, right: &PyObject, slot: BinarySlot) -> PyResult {
    let left_slot = left.ty().number_slot(slot);
    let mut right_slot = None;
    if !std::ptr::eq(left.ty(), right.ty()) {
        right_slot = right.ty().number_slot(slot);
        if right_slot.map(|slot| slot as usize) == left_slot.map(|slot| slot as usize) {
            right_slot = None;
        }
    }
    // SAFETY: slots of the operands' types.
    unsafe {
        if let Some(left_function) = left_slot {
            if let Some(right_function) = right_slot
                && right.ty().is_subtype(left.ty())
            {
                let result = from_slot(right_function(left.as_ptr(), right.as_ptr()), "operator")?;
                if !result.is(not_implemented()) {
                    return Ok(result);
                }
                right_slot = None;
            }
            let result = from_slot(left_function(left.as_ptr(), right.as_ptr()), "operator")?;
            if !result.is(not_implemented()) {
                return Ok(result);
            }
        }
        if let Some(right_function) = right_slot {
            return from_slot(right_function(left.as_ptr(), right.as_ptr()), "operator");
        }
    }
    Ok(not_implemented().to_ref())
}

#[cold]
fn unsupported(left: &PyObject, right: &PyObject, symbol: &str) -> Raised {
    raise!(
        TypeError,
        "unsupported operand type(s) for {symbol}: '{}' and '{}'",
        left.ty().full_name(),
        right.ty().full_name()
    )
}

fn binary_op(left: &PyObject, right: &PyObject, slot: BinarySlot, symbol: &str) -> PyResult {
    let result = binary_op1(left, right, slot)?;
    if result.is(not_implemented()) {
        return Err(unsupported(left, right, symbol));
    }
    Ok(result)
}

/// The in-place slot of the left operand, then the binary operation. The result may be NotImplemented.
fn inplace_op1(left: &PyObject, right: &PyObject, inplace: BinarySlot, slot: BinarySlot) -> PyResult {
    if let Some(function) = left.ty().number_slot(inplace) {
        // SAFETY: a slot of the operand's type.
        let result = unsafe { from_slot(function(left.as_ptr(), right.as_ptr()), "operator")? };
        if !result.is(not_implemented()) {
            return Ok(result);
        }
    }
    binary_op1(left, right, slot)
}

macro_rules! binary_operators {
    ($($name:ident, $inplace:ident, $slot:ident, $inplace_slot:ident, $symbol:literal, $inplace_symbol:literal;)*) => {
        $(
            #[doc = concat!("`left ", $symbol, " right`.")]
            pub fn $name(left: &PyObject, right: &PyObject) -> PyResult {
                binary_op(left, right, |slots| slots.$slot.get(), $symbol)
            }
            #[doc = concat!("`left ", $inplace_symbol, " right`.")]
            pub fn $inplace(left: &PyObject, right: &PyObject) -> PyResult {
                let result =
                    inplace_op1(left, right, |slots| slots.$inplace_slot.get(), |slots| slots.$slot.get())?;
                if result.is(not_implemented()) {
                    return Err(unsupported(left, right, $inplace_symbol));
                }
                Ok(result)
            }
        )*
    };
}

binary_operators! {
    subtract, inplace_subtract, nb_subtract, nb_inplace_subtract, "-", "-=";
    remainder, inplace_remainder, nb_remainder, nb_inplace_remainder, "%", "%=";
    floor_divide, inplace_floor_divide, nb_floor_divide, nb_inplace_floor_divide, "//", "//=";
    true_divide, inplace_true_divide, nb_true_divide, nb_inplace_true_divide, "/", "/=";
    matrix_multiply, inplace_matrix_multiply, nb_matrix_multiply, nb_inplace_matrix_multiply, "@", "@=";
    lshift, inplace_lshift, nb_lshift, nb_inplace_lshift, "<<", "<<=";
    rshift, inplace_rshift, nb_rshift, nb_inplace_rshift, ">>", ">>=";
    and, inplace_and, nb_and, nb_inplace_and, "&", "&=";
    or, inplace_or, nb_or, nb_inplace_or, "|", "|=";
    xor, inplace_xor, nb_xor, nb_inplace_xor, "^", "^=";
}

/// `divmod(left, right)`.
pub fn divmod(left: &PyObject, right: &PyObject) -> PyResult {
    binary_op(left, right, |slots| slots.nb_divmod.get(), "divmod()")
}

/// Two exact ints of one digit, or two exact floats.
macro_rules! quick_operators {
    ($($name:ident $operator:tt;)*) => {$(
        #[doc = concat!("`left ", stringify!($operator), " right` of two compact ints or two floats.")]
        #[inline(always)]
        pub fn $name(left: &PyObject, right: &PyObject) -> Option<Ref> {
            if let Some(left) = left.downcast_exact::<PyLongObject>() {
                let right = right.downcast_exact::<PyLongObject>()?;
                if !left.is_compact() || !right.is_compact() {
                    return None;
                }
                // Each is below 2 to the 30th.
                let value = left.compact_value() as i64 $operator right.compact_value() as i64;
                return PyLongObject::from_i64_quick(value).map(Ref::into_object);
            }
            let left = left.downcast_exact::<PyFloatObject>()?;
            let right = right.downcast_exact::<PyFloatObject>()?;
            PyFloatObject::from_f64_quick(left.value() $operator right.value()).map(Ref::into_object)
        }
    )*};
}
quick_operators! {
    quick_add +;
    quick_subtract -;
    quick_multiply *;
}

/// `left + right`: numbers, then concatenation.
pub fn add(left: &PyObject, right: &PyObject) -> PyResult {
    let result = binary_op1(left, right, |slots| slots.nb_add.get())?;
    if !result.is(not_implemented()) {
        return Ok(result);
    }
    if let Some(concat) = left.ty().sequence_slot(|slots| slots.sq_concat.get()) {
        // SAFETY: a slot of the operand's type.
        return unsafe { from_slot(concat(left.as_ptr(), right.as_ptr()), "+") };
    }
    Err(unsupported(left, right, "+"))
}

/// `left += right`.
pub fn inplace_add(left: &PyObject, right: &PyObject) -> PyResult {
    let result = inplace_op1(
        left,
        right,
        |slots| slots.nb_inplace_add.get(),
        |slots| slots.nb_add.get(),
    )?;
    if !result.is(not_implemented()) {
        return Ok(result);
    }
    let concat = left
        .ty()
        .sequence_slot(|slots| slots.sq_inplace_concat.get().or(slots.sq_concat.get()));
    if let Some(concat) = concat {
        // SAFETY: a slot of the operand's type.
        return unsafe { from_slot(concat(left.as_ptr(), right.as_ptr()), "+=") };
    }
    Err(unsupported(left, right, "+="))
}

fn repeat_by(
    repeat: unsafe extern "C" fn(*mut PyObject, isize) -> *mut PyObject,
    sequence: &PyObject,
    count: &PyObject,
) -> PyResult {
    if !count.has_index() {
        return Err(raise!(
            TypeError,
            "can't multiply sequence by non-int of type '{}'",
            count.ty().full_name()
        ));
    }
    let count = count.to_index_clipped(crate::exceptions::exc::OverflowError)?;
    // SAFETY: a slot of the sequence's type.
    unsafe { from_slot(repeat(sequence.as_ptr(), count), "*") }
}

/// `left * right`: numbers, then repetition.
pub fn multiply(left: &PyObject, right: &PyObject) -> PyResult {
    let result = binary_op1(left, right, |slots| slots.nb_multiply.get())?;
    if !result.is(not_implemented()) {
        return Ok(result);
    }
    if let Some(repeat) = left.ty().sequence_slot(|slots| slots.sq_repeat.get()) {
        return repeat_by(repeat, left, right);
    }
    if let Some(repeat) = right.ty().sequence_slot(|slots| slots.sq_repeat.get()) {
        return repeat_by(repeat, right, left);
    }
    Err(unsupported(left, right, "*"))
}

/// `left *= right`.
pub fn inplace_multiply(left: &PyObject, right: &PyObject) -> PyResult {
    let result = inplace_op1(
        left,
        right,
        |slots| slots.nb_inplace_multiply.get(),
        |slots| slots.nb_multiply.get(),
    )?;
    if !result.is(not_implemented()) {
        return Ok(result);
    }
    let repeat = left
        .ty()
        .sequence_slot(|slots| slots.sq_inplace_repeat.get().or(slots.sq_repeat.get()));
    if let Some(repeat) = repeat {
        return repeat_by(repeat, left, right);
    }
    if let Some(repeat) = right.ty().sequence_slot(|slots| slots.sq_repeat.get()) {
        return repeat_by(repeat, right, left);
    }
    Err(unsupported(left, right, "*="))
}

fn ternary_op1(
    base: &PyObject,
    exponent: &PyObject,
    modulus: &PyObject,
    inplace: Option<ternaryfunc>,
) -> PyResult {
    let slot = |object: &PyObject| object.ty().number_slot(|slots| slots.nb_power.get());
    let mut candidates: Vec<ternaryfunc> = Vec::with_capacity(4);
    let mut add = |candidate: Option<ternaryfunc>| {
        if let Some(function) = candidate
            && !candidates
                .iter()
                .any(|other| *other as usize == function as usize)
        {
            candidates.push(function);
        }
    };
    add(inplace);
    if !std::ptr::eq(base.ty(), exponent.ty()) && exponent.ty().is_subtype(base.ty()) {
        add(slot(exponent));
    }
    add(slot(base));
    add(slot(exponent));
    add(slot(modulus));
    for function in candidates {
        // SAFETY: a slot of one of the operands' types.
        let result =
            unsafe { from_slot(function(base.as_ptr(), exponent.as_ptr(), modulus.as_ptr()), "**")? };
        if !result.is(not_implemented()) {
            return Ok(result);
        }
    }
    Ok(not_implemented().to_ref())
}

fn checked_power(
    base: &PyObject,
    exponent: &PyObject,
    modulus: &PyObject,
    inplace: Option<ternaryfunc>,
    symbol: &str,
) -> PyResult {
    let result = ternary_op1(base, exponent, modulus, inplace)?;
    if !result.is(not_implemented()) {
        return Ok(result);
    }
    if is_none(modulus) {
        return Err(unsupported(base, exponent, symbol));
    }
    Err(raise!(
        TypeError,
        "unsupported operand type(s) for {symbol}: '{}', '{}', '{}'",
        base.ty().full_name(),
        exponent.ty().full_name(),
        modulus.ty().full_name()
    ))
}

/// `pow(base, exponent, modulus)`; `None` for no modulus.
pub fn power(base: &PyObject, exponent: &PyObject, modulus: &PyObject) -> PyResult {
    checked_power(base, exponent, modulus, None, "** or pow()")
}

/// `base **= exponent`.
pub fn inplace_power(base: &PyObject, exponent: &PyObject, modulus: &PyObject) -> PyResult {
    let inplace = base.ty().number_slot(|slots| slots.nb_inplace_power.get());
    checked_power(base, exponent, modulus, inplace, "**=")
}

macro_rules! unary_operators {
    ($($name:ident, $slot:ident, $what:literal;)*) => {
        $(
            pub fn $name(operand: &PyObject) -> PyResult {
                match operand.ty().number_slot(|slots| slots.$slot.get()) {
                    // SAFETY: a slot of the operand's type.
                    Some(function) => unsafe { from_slot(function(operand.as_ptr()), "operator") },
                    None => Err(raise!(TypeError, concat!("bad operand type for ", $what, ": '{}'"), operand.ty().full_name())),
                }
            }
        )*
    };
}

unary_operators! {
    negative, nb_negative, "unary -";
    positive, nb_positive, "unary +";
    invert, nb_invert, "unary ~";
    absolute, nb_absolute, "abs()";
}

impl PyObject {
    /// Whether the object has `__index__`.
    #[inline]
    pub fn has_index(&self) -> bool {
        self.type_has(Py_TPFLAGS_LONG_SUBCLASS)
            || self.ty().number_slot(|slots| slots.nb_index.get()).is_some()
    }
    /// `operator.index(self)`; the result is an exact int or an instance of a subclass.
    pub fn index_subclass(&self) -> PyResult<Ref<PyLongObject>> {
        if let Some(long) = self.downcast::<PyLongObject>() {
            return Ok(long.to_ref());
        }
        let Some(nb_index) = self.ty().number_slot(|slots| slots.nb_index.get()) else {
            return Err(raise!(
                TypeError,
                "'{}' object cannot be interpreted as an integer",
                self.ty().full_name()
            ));
        };
        // SAFETY: a slot of this object's type.
        let result = unsafe { from_slot(nb_index(self.as_ptr()), "__index__")? };
        int_from_slot(result, "__index__")
    }
    /// `operator.index(self)`: an exact int.
    pub fn index(&self) -> PyResult<Ref<PyLongObject>> {
        Ok(self.index_subclass()?.to_exact())
    }
    /// `PyNumber_AsSsize_t` with an exception type: out of range raises it.
    pub fn to_index(&self, overflow: &PyTypeObject) -> PyResult<isize> {
        self.to_index_clipped(overflow)
    }
    /// As `to_index`; the message of the overflow is CPython's.
    pub fn to_index_clipped(&self, overflow: &PyTypeObject) -> PyResult<isize> {
        let value = self.index_subclass()?;
        match value.to_i64() {
            Some(value) => Ok(value as isize),
            None => Err(crate::error::raise_message(
                overflow,
                format_args!(
                    "cannot fit '{}' into an index-sized integer",
                    self.ty().full_name()
                ),
            )),
        }
    }
    /// `PyNumber_AsSsize_t(self, NULL)`: out of range clips.
    pub fn to_index_saturating(&self) -> PyResult<isize> {
        let value = self.index_subclass()?;
        Ok(match value.to_i64() {
            Some(value) => value as isize,
            None if value.sign() < 0 => isize::MIN,
            None => isize::MAX,
        })
    }
    /// `PyNumber_Long`: `int(self)` for one argument.
    pub fn to_int(&self) -> PyResult<Ref<PyLongObject>> {
        if let Some(long) = self.downcast_exact::<PyLongObject>() {
            return Ok(long.to_ref());
        }
        if let Some(nb_int) = self.ty().number_slot(|slots| slots.nb_int.get()) {
            // SAFETY: a slot of this object's type.
            let result = unsafe { from_slot(nb_int(self.as_ptr()), "__int__")? };
            return Ok(int_from_slot(result, "__int__")?.to_exact());
        }
        if self.ty().number_slot(|slots| slots.nb_index.get()).is_some() {
            return self.index();
        }
        crate::objects::longobject::from_text_like(self)
    }
    /// `PyFloat_AsDouble`.
    pub fn to_f64(&self) -> PyResult<f64> {
        if let Some(float) = self.downcast::<PyFloatObject>() {
            return Ok(float.value());
        }
        match self.number_to_f64()? {
            Some(value) => Ok(value),
            None => Err(raise!(
                TypeError,
                "must be real number, not {}",
                self.ty().full_name()
            )),
        }
    }
    /// What `__float__` gives, or `__index__`; `None` when the object has neither. A subclass's `__float__` is called.
    pub fn number_to_f64(&self) -> PyResult<Option<f64>> {
        if let Some(float) = self.downcast_exact::<PyFloatObject>() {
            return Ok(Some(float.value()));
        }
        let Some(nb_float) = self.ty().number_slot(|slots| slots.nb_float.get()) else {
            return if self.has_index() {
                self.index()?.to_f64().map(Some)
            } else {
                Ok(None)
            };
        };
        // SAFETY: a slot of this object's type.
        let result = unsafe { from_slot(nb_float(self.as_ptr()), "__float__")? };
        if let Some(float) = result.downcast_exact::<PyFloatObject>() {
            return Ok(Some(float.value()));
        }
        checked_float(self, result).map(Some)
    }
}

/// The value of what an object's `__float__` gave, when that is not exactly a float.
#[cold]
pub fn checked_float(object: &PyObject, result: Ref) -> PyResult<f64> {
    let own = object.ty().full_name();
    let float = result.downcast::<PyFloatObject>().map_err(|other| {
        raise!(
            TypeError,
            "{own}.__float__ returned non-float (type {})",
            other.ty().full_name()
        )
    })?;
    crate::exceptions::warn(
        crate::exceptions::exc::DeprecationWarning,
        &format!(
            "{own}.__float__ returned non-float (type {}).  The ability to return an instance of a strict \
             subclass of float is deprecated, and may be removed in a future version of Python.",
            float.as_object().ty().full_name()
        ),
        1,
    )?;
    Ok(float.value())
}

/// The int that `__int__` or `__index__` returned; a strict subclass's instance is deprecated.
fn int_from_slot(result: Ref, method: &str) -> PyResult<Ref<PyLongObject>> {
    if PyLongObject::check_exact(&result) {
        // SAFETY: just checked.
        return Ok(unsafe { result.cast() });
    }
    let result = result.downcast::<PyLongObject>().map_err(|other| {
        raise!(
            TypeError,
            "{method} returned non-int (type {})",
            other.ty().full_name()
        )
    })?;
    enter_native_call("")?;
    crate::exceptions::warn(
        crate::exceptions::exc::DeprecationWarning,
        &format!(
            "{method} returned non-int (type {}).  The ability to return an instance of a strict subclass of int \
             is deprecated, and may be removed in a future version of Python.",
            result.as_object().ty().full_name()
        ),
        1,
    )?;
    Ok(result)
}
