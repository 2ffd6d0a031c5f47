//! The primitives that fast paths are made of.

use adder_runtime::Raised;
use adder_runtime::abi::{PyObject, PyTypeObject};
use adder_runtime::error::PyResult;

/// Why a fast path gave no result.
#[derive(Debug)]
pub enum Exit {
    /// The operands are not of the kind that it is for; nothing has been done.
    Miss,
    /// An exception is set.
    Raised(Raised),
}

impl From<Raised> for Exit {
    #[inline(always)]
    fn from(raised: Raised) -> Exit {
        Exit::Raised(raised)
    }
}

pub type Fast<T> = Result<T, Exit>;

/// Comparison of machine numbers, with the numbers of `Py_LT` …
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Cmp {
    Lt = 0,
    Le = 1,
    Eq = 2,
    Ne = 3,
    Gt = 4,
    Ge = 5,
}

impl Cmp {
    #[inline(always)]
    pub fn from_number(number: u8) -> Cmp {
        match number {
            0 => Cmp::Lt,
            1 => Cmp::Le,
            2 => Cmp::Eq,
            3 => Cmp::Ne,
            4 => Cmp::Gt,
            _ => Cmp::Ge,
        }
    }
    #[inline(always)]
    pub fn holds<T: PartialOrd>(self, left: T, right: T) -> bool {
        match self {
            Cmp::Lt => left < right,
            Cmp::Le => left <= right,
            Cmp::Eq => left == right,
            Cmp::Ne => left != right,
            Cmp::Gt => left > right,
            Cmp::Ge => left >= right,
        }
    }
}

/// What runs, or records, the primitives. `Obj` is a borrowed object; functions that make or return objects return an
/// owned count of it, which `incref` also makes of a borrowed one.
pub trait Machine {
    type Obj: Copy;
    type Int: Copy;
    type Float: Copy;
    type Bool: Copy;

    // ---- guards: `Miss` when they do not hold ----
    fn guard_type(&mut self, object: Self::Obj, ty: &'static PyTypeObject) -> Fast<()>;
    /// The type's version tag.
    fn guard_version(&mut self, object: Self::Obj, version: u32) -> Fast<()>;
    fn guard(&mut self, condition: Self::Bool) -> Fast<()>;
    fn guard_not_null(&mut self, object: Self::Obj) -> Fast<()>;

    // ---- constants ----
    fn int(&mut self, value: i64) -> Self::Int;
    /// A version that a cache holds.
    fn version(&mut self, version: u32) -> Self::Int;
    /// An object that code or a cache keeps alive.
    fn constant(&mut self, object: *mut PyObject) -> Self::Obj;

    // ---- memory ----
    /// The word at a byte offset of an object.
    fn load_field(&mut self, object: Self::Obj, offset: usize) -> Self::Int;
    fn store_field(&mut self, object: Self::Obj, offset: usize, value: Self::Int);
    /// The object pointer at a byte offset of an object; not null.
    fn load_object(&mut self, object: Self::Obj, offset: usize) -> Self::Obj;
    /// Item `index` of an array of object pointers at an address.
    fn load_item(&mut self, array: Self::Int, index: Self::Int) -> Self::Obj;
    /// The address of a part of an object.
    fn field_address(&mut self, object: Self::Obj, offset: usize) -> Self::Int;
    /// As `load_object`, for a field that may be null: `guard_not_null` comes before any use.
    fn load_nullable(&mut self, object: Self::Obj, offset: usize) -> Self::Obj;
    /// Overwrites the pointer without looking at the old one; the count of `value` goes into the field.
    fn store_object(&mut self, object: Self::Obj, offset: usize, value: Self::Obj);
    fn store_item(&mut self, array: Self::Int, index: Self::Int, value: Self::Obj);
    /// 32 and 8 bits at a byte offset of an object, without a sign.
    fn load_u32(&mut self, object: Self::Obj, offset: usize) -> Self::Int;
    fn load_u8(&mut self, object: Self::Obj, offset: usize) -> Self::Int;
    fn store_u8(&mut self, object: Self::Obj, offset: usize, value: Self::Int);
    /// Memory that is no object: at a byte offset of an address.
    fn raw_load_u32(&mut self, address: Self::Int, offset: usize) -> Self::Int;
    fn raw_load_u8(&mut self, address: Self::Int, offset: usize) -> Self::Int;
    fn raw_store_u8(&mut self, address: Self::Int, offset: usize, value: Self::Int);
    /// An object pointer, which may be null.
    fn raw_load_object(&mut self, address: Self::Int, offset: usize) -> Self::Obj;
    fn is(&mut self, left: Self::Obj, right: Self::Obj) -> Self::Bool;
    fn incref(&mut self, object: Self::Obj);
    fn decref(&mut self, object: Self::Obj);

    // ---- residual calls ----
    /// A call that the fast path ends in, by name: borrowed operands, an owned result. It may do anything.
    fn call<const N: usize>(
        &mut self,
        name: &'static str,
        operands: [Self::Obj; N],
        function: fn([*mut PyObject; N]) -> PyResult,
    ) -> Fast<Self::Obj>;

    // ---- bool ----
    /// `True` or `False`.
    fn new_bool(&mut self, value: Self::Bool) -> Self::Obj;

    // ---- int ----
    /// The value of an exact int of at most one digit.
    fn compact_int(&mut self, object: Self::Obj) -> Fast<Self::Int>;
    fn new_int(&mut self, value: Self::Int) -> Self::Obj;
    /// `Miss` on overflow of 64 bits.
    fn int_add_ovf(&mut self, left: Self::Int, right: Self::Int) -> Fast<Self::Int>;
    fn int_sub_ovf(&mut self, left: Self::Int, right: Self::Int) -> Fast<Self::Int>;
    fn int_mul_ovf(&mut self, left: Self::Int, right: Self::Int) -> Fast<Self::Int>;
    /// Towards minus infinity; `right` is not zero.
    fn int_floor_divide(&mut self, left: Self::Int, right: Self::Int) -> Self::Int;
    fn int_modulo(&mut self, left: Self::Int, right: Self::Int) -> Self::Int;
    fn int_and(&mut self, left: Self::Int, right: Self::Int) -> Self::Int;
    fn int_or(&mut self, left: Self::Int, right: Self::Int) -> Self::Int;
    fn int_xor(&mut self, left: Self::Int, right: Self::Int) -> Self::Int;
    /// By 0 to 63.
    fn int_lshift(&mut self, left: Self::Int, right: Self::Int) -> Self::Int;
    fn int_rshift(&mut self, left: Self::Int, right: Self::Int) -> Self::Int;
    fn int_compare(&mut self, cmp: Cmp, left: Self::Int, right: Self::Int) -> Self::Bool;
    fn int_to_float(&mut self, value: Self::Int) -> Self::Float;

    // ---- float ----
    /// The value of an exact float.
    fn exact_float(&mut self, object: Self::Obj) -> Fast<Self::Float>;
    fn new_float(&mut self, value: Self::Float) -> Self::Obj;
    fn float_add(&mut self, left: Self::Float, right: Self::Float) -> Self::Float;
    fn float_sub(&mut self, left: Self::Float, right: Self::Float) -> Self::Float;
    fn float_mul(&mut self, left: Self::Float, right: Self::Float) -> Self::Float;
    fn float_div(&mut self, left: Self::Float, right: Self::Float) -> Self::Float;
    fn float_compare(&mut self, cmp: Cmp, left: Self::Float, right: Self::Float) -> Self::Bool;
    fn float_const(&mut self, value: f64) -> Self::Float;

    // ---- str ----
    /// Both are exact strings: their comparison. `Eq`, `Ne` by bytes, order by code points.
    fn str_compare(&mut self, cmp: Cmp, left: Self::Obj, right: Self::Obj) -> Fast<Self::Bool>;
}
