//! The type `int`: its slots, methods and attributes, over `arith`, `convert` and `new`.

use super::digits::BitOp;
use super::{arith, new};
use crate::args::Kwargs;
use crate::objects::formatter;
use crate::prelude::*;

type Int = Ref<PyLongObject>;

/// `object` as an int, exact or of a subtype.
#[inline(always)]
pub(crate) fn as_int(object: &PyObject) -> Option<&PyLongObject> {
    if object.type_has(Py_TPFLAGS_LONG_SUBCLASS) {
        // SAFETY: the flag is set on int and its subtypes only.
        Some(unsafe { object.cast_unchecked() })
    } else {
        None
    }
}

/// Applies `f` to two ints, or answers NotImplemented.
#[inline(always)]
fn binary(
    a: &PyObject,
    b: &PyObject,
    f: impl FnOnce(&PyLongObject, &PyLongObject) -> PyResult<Int>,
) -> PyResult {
    match (as_int(a), as_int(b)) {
        (Some(a), Some(b)) => f(a, b).map(Ref::into_object),
        _ => Ok(not_implemented().to_ref()),
    }
}

/// The decimal text of a machine integer, made on the stack.
fn decimal_text(value: i64) -> Ref<PyUnicodeObject> {
    let mut buffer = [0; 20];
    let mut at = buffer.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    PyUnicodeObject::from_ascii(&buffer[at..])
}

/// `byteorder` of `to_bytes` and `from_bytes`: whether it is little.
fn is_little(byteorder: Option<&PyUnicodeObject>) -> PyResult<bool> {
    match byteorder {
        None => Ok(false),
        Some(order) if order.eq_str("big") => Ok(false),
        Some(order) if order.eq_str("little") => Ok(true),
        Some(_) => Err(raise!(ValueError, "byteorder must be either 'little' or 'big'")),
    }
}

/// The arguments of `int()` by position and keyword.
fn bind_new<'a>(
    positional: &[&'a PyObject],
    keywords: impl Iterator<Item = (&'a PyObject, &'a PyObject)>,
) -> PyResult<(Option<&'a PyObject>, Option<&'a PyObject>)> {
    let mut base = positional.get(1).copied();
    for (name, value) in keywords {
        let name = name.downcast::<PyUnicodeObject>();
        if !name.is_some_and(|name| name.eq_str("base")) {
            let name = name.map(PyUnicodeObject::to_string_lossy).unwrap_or_default();
            return Err(raise!(
                TypeError,
                "int() got an unexpected keyword argument '{name}'"
            ));
        }
        if base.is_some() {
            return Err(raise!(
                TypeError,
                "argument for int() given by name ('base') and position (2)"
            ));
        }
        base = Some(value);
    }
    Ok((positional.first().copied(), base))
}

fn check_count(n_given: usize) -> PyResult<()> {
    if n_given > 2 {
        return Err(raise!(
            TypeError,
            "int() takes at most 2 arguments ({n_given} given)"
        ));
    }
    Ok(())
}

/// int([x]) -> integer
/// int(x, base=10) -> integer
///
/// Converts a number or a string to an integer; without arguments gives 0.
/// A number is converted by its __int__() or __index__(); a float loses its
/// fraction.
///
/// A str, bytes or bytearray is read as an integer literal in the given base,
/// with an optional sign and surrounding whitespace. Bases are 2 to 36, and 0
/// for the base that the literal's own prefix says.
/// >>> int('0b100', base=0)
/// 4
#[pytype(
    name = "int",
    static_name = PyLong_Type,
    flags = BASETYPE | LONG_SUBCLASS | MATCH_SELF,
    basicsize = super::DIGITS_OFFSET as isize,
    itemsize = size_of::<digit>() as isize
)]
impl PyLongObject {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<Int> {
        let positional = args.as_slice();
        let n_keywords = kwargs.map_or(0, PyDictObject::len);
        check_count(positional.len() + n_keywords)?;
        let mut pairs = Vec::with_capacity(n_keywords);
        if let Some(kwargs) = kwargs {
            let mut at = 0;
            while let Some((name, value, _)) = kwargs.next_entry(&mut at) {
                pairs.push((name, value));
            }
        }
        let (x, base) = bind_new(positional, pairs.into_iter())?;
        new::new_int(cls, x, base)
    }
    #[slot]
    fn tp_vectorcall(
        cls: &PyTypeObject,
        args: &[&PyObject],
        kwnames: Option<&PyTupleObject>,
    ) -> PyResult<Int> {
        if let ([x], None) = (args, kwnames) {
            return new::new_int(cls, Some(*x), None);
        }
        // SAFETY: these are the vectorcall's own arguments: the keywords' values follow.
        let keywords = unsafe {
            let kwnames = kwnames.map_or(std::ptr::null_mut(), TypedObject::as_ptr);
            Kwargs::new(args.as_ptr().cast(), args.len() as isize, kwnames)
        };
        let n_keywords = kwnames.map_or(0, PyTupleObject::len);
        if n_keywords > 0 {
            check_count(args.len() + n_keywords)?;
        } else if args.len() > 2 {
            return Err(raise!(
                TypeError,
                "int expected at most 2 arguments, got {}",
                args.len()
            ));
        }
        let (x, base) = bind_new(args, keywords.iter())?;
        new::new_int(cls, x, base)
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut PyLongObject) {
        // SAFETY: a destructor gets an object whose count is zero.
        unsafe { super::dealloc(this) }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        if let Some(value) = self.to_i64() {
            return Ok(decimal_text(value));
        }
        Ok(PyUnicodeObject::from_string(self.to_decimal_string()?))
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        Ok(self.hash_value())
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        match as_int(other) {
            Some(other) => Ok(py_bool(op.holds(arith::compare(self, other)))),
            None => Ok(not_implemented().to_ref()),
        }
    }

    #[slot]
    fn nb_add(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, arith::add)
    }
    #[slot]
    fn nb_subtract(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, arith::sub)
    }
    #[slot]
    fn nb_multiply(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, arith::mul)
    }
    #[slot]
    fn nb_floor_divide(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, arith::floor_div)
    }
    #[slot]
    fn nb_remainder(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, arith::modulo)
    }
    #[slot]
    fn nb_divmod(a: &PyObject, b: &PyObject) -> PyResult {
        let (Some(a), Some(b)) = (as_int(a), as_int(b)) else {
            return Ok(not_implemented().to_ref());
        };
        let (quotient, rest) = arith::divmod(a, b)?;
        Ok(PyTupleObject::from_vec(vec![quotient.into_object(), rest.into_object()]).into_object())
    }
    #[slot]
    fn nb_true_divide(a: &PyObject, b: &PyObject) -> PyResult {
        let (Some(a), Some(b)) = (as_int(a), as_int(b)) else {
            return Ok(not_implemented().to_ref());
        };
        Ok(PyFloatObject::from_f64(arith::true_div(a, b)?).into_object())
    }
    #[slot]
    fn nb_power(a: &PyObject, b: &PyObject, modulus: &PyObject) -> PyResult {
        let (Some(base), Some(exponent)) = (as_int(a), as_int(b)) else {
            return Ok(not_implemented().to_ref());
        };
        if is_none(modulus) {
            if exponent.is_negative() {
                // A negative exponent makes a float.
                let value = crate::objects::floatobject::power(base.to_f64()?, exponent.to_f64()?)?;
                return Ok(value);
            }
            return arith::pow_unsigned(base, exponent).map(Ref::into_object);
        }
        match as_int(modulus) {
            Some(modulus) => arith::pow_mod(base, exponent, modulus).map(Ref::into_object),
            None => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn nb_lshift(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, arith::lshift)
    }
    #[slot]
    fn nb_rshift(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, arith::rshift)
    }
    #[slot]
    fn nb_and(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, |a, b| arith::bit_op(BitOp::And, a, b))
    }
    #[slot]
    fn nb_or(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, |a, b| arith::bit_op(BitOp::Or, a, b))
    }
    #[slot]
    fn nb_xor(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, |a, b| arith::bit_op(BitOp::Xor, a, b))
    }
    #[slot]
    fn nb_negative(&self) -> PyResult<Int> {
        arith::neg(self)
    }
    #[slot]
    fn nb_positive(&self) -> Int {
        self.to_exact()
    }
    #[slot]
    fn nb_absolute(&self) -> PyResult<Int> {
        arith::abs(self)
    }
    #[slot]
    fn nb_invert(&self) -> PyResult<Int> {
        arith::invert(self)
    }
    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(!self.is_zero())
    }
    #[slot]
    fn nb_int(&self) -> Int {
        self.to_exact()
    }
    #[slot]
    fn nb_index(&self) -> Int {
        self.to_exact()
    }
    #[slot]
    fn nb_float(&self) -> PyResult<Ref<PyFloatObject>> {
        Ok(PyFloatObject::from_f64(self.to_f64()?))
    }

    /// Returns self, the complex conjugate of any int.
    #[method("($self, /)")]
    fn conjugate(&self) -> Int {
        self.to_exact()
    }
    /// Number of bits that the value needs in binary, without its sign.
    ///
    /// >>> bin(37)
    /// '0b100101'
    /// >>> (37).bit_length()
    /// 6
    #[method("($self, /)", name = "bit_length")]
    fn py_bit_length(&self) -> Int {
        PyLongObject::from_u64(self.bit_length())
    }
    /// Number of ones in the binary representation of the absolute value.
    ///
    /// >>> bin(13)
    /// '0b1101'
    /// >>> (13).bit_count()
    /// 3
    #[method("($self, /)")]
    fn bit_count(&self) -> Int {
        PyLongObject::from_u64(
            self.digits()
                .iter()
                .map(|digit| u64::from(digit.count_ones()))
                .sum(),
        )
    }
    /// Returns the value as an array of bytes.
    ///
    ///   length
    ///     Number of bytes. OverflowError when the value needs more.
    ///   byteorder
    ///     'big' puts the most significant byte first, 'little' last.
    ///   signed
    ///     Whether two's complement is used. Without it a negative value
    ///     raises OverflowError.
    #[method("($self, /, length=1, byteorder='big', *, signed=False)")]
    fn to_bytes(
        &self,
        length: Option<isize>,
        byteorder: Option<&PyUnicodeObject>,
        signed: Option<bool>,
    ) -> PyResult<Ref<PyBytesObject>> {
        let little = is_little(byteorder)?;
        let Ok(length) = usize::try_from(length.unwrap_or(1)) else {
            return Err(raise!(ValueError, "length argument must be non-negative"));
        };
        let mut bytes = crate::memory::vec_with_room(length)?;
        bytes.resize(length, 0);
        self.write_bytes(&mut bytes, little, signed.unwrap_or(false))
            .map_err(|error| error.raise())?;
        Ok(PyBytesObject::from_slice(&bytes))
    }
    /// Returns the integer that an array of bytes writes.
    ///
    ///   bytes
    ///     A bytes-like object or an iterable of byte values.
    ///   byteorder
    ///     'big' when the most significant byte is first, 'little' when last.
    ///   signed
    ///     Whether the bytes are in two's complement.
    #[classmethod("($type, /, bytes, byteorder='big', *, signed=False)")]
    fn from_bytes_(
        cls: &PyTypeObject,
        bytes: &PyObject,
        byteorder: Option<&PyUnicodeObject>,
        signed: Option<bool>,
    ) -> PyResult {
        let little = is_little(byteorder)?;
        let bytes = new::bytes_of(bytes)?;
        let value = PyLongObject::from_bytes(bytes.as_bytes(), little, signed.unwrap_or(false))?;
        if std::ptr::eq(cls, &PyLong_Type) {
            return Ok(value.into_object());
        }
        cls.as_object().call1(value.as_object())
    }
    /// Returns a pair of integers whose ratio is the value: itself and 1.
    ///
    /// >>> (10).as_integer_ratio()
    /// (10, 1)
    /// >>> (-7).as_integer_ratio()
    /// (-7, 1)
    /// >>> (0).as_integer_ratio()
    /// (0, 1)
    #[method("($self, /)")]
    fn as_integer_ratio(&self) -> Ref<PyTupleObject> {
        PyTupleObject::from_vec(vec![
            self.to_exact().into_object(),
            PyLongObject::from_i64(1).into_object(),
        ])
    }
    /// The value itself: an int has no fraction.
    #[method("($self, /)")]
    fn __trunc__(&self) -> Int {
        self.to_exact()
    }
    /// The value itself: an int has no fraction.
    #[method("($self, /)")]
    fn __floor__(&self) -> Int {
        self.to_exact()
    }
    /// The value itself: an int has no fraction.
    #[method("($self, /)")]
    fn __ceil__(&self) -> Int {
        self.to_exact()
    }
    /// Rounds to a power of ten, half to even, when ndigits is negative.
    #[method("($self, ndigits=None, /)")]
    fn __round__(&self, ndigits: Option<&PyObject>) -> PyResult<Int> {
        let Some(ndigits) = ndigits else {
            return Ok(self.to_exact());
        };
        let ndigits = ndigits.index()?;
        if !ndigits.is_negative() || self.is_zero() {
            return Ok(self.to_exact());
        }
        // A value of b bits is below 10**(b/3 + 1), and less than half of the power rounds to zero.
        let n = ndigits.to_i64().map_or(u64::MAX, i64::unsigned_abs);
        if n > self.bit_length() / 3 + 2 {
            return Ok(PyLongObject::from_i64(0));
        }
        let power = arith::pow_unsigned(&PyLongObject::from_i64(10), &PyLongObject::from_u64(n))?;
        let (_, rest) = arith::divmod_near(self, &power)?;
        arith::sub(self, &rest)
    }
    #[method("($self, /)")]
    fn __getnewargs__(&self) -> Ref<PyTupleObject> {
        PyTupleObject::from_vec(vec![self.to_exact().into_object()])
    }
    /// Formats the value according to format_spec.
    #[method("($self, format_spec, /)")]
    fn __format__(&self, format_spec: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
        formatter::format_int(self, format_spec)
    }
    /// Returns the size in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        let basic = self.as_object().ty().tp_basicsize.get() as usize;
        basic + self.digits().len().max(1) * size_of::<digit>()
    }
    /// Returns True: an int is a whole number.
    #[method("($self, /)")]
    fn is_integer(&self) -> bool {
        true
    }
    /// the real part of a complex number
    #[getter]
    fn real(&self) -> Int {
        self.to_exact()
    }
    /// the imaginary part of a complex number
    #[getter]
    fn imag(&self) -> Int {
        PyLongObject::from_i64(0)
    }
    /// the numerator of a rational number in lowest terms
    #[getter]
    fn numerator(&self) -> Int {
        self.to_exact()
    }
    /// the denominator of a rational number in lowest terms
    #[getter]
    fn denominator(&self) -> Int {
        PyLongObject::from_i64(1)
    }
}
