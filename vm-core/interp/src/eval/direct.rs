//! `Direct`: each primitive of a fast path is the operation itself.

use adder_runtime::abi::*;
use adder_runtime::error::PyResult;
use adder_runtime::memory;
use adder_runtime::object::{TypedObject, false_, true_};
use adder_semantics::machine::Cmp;
use adder_semantics::{Exit, Fast, Machine};

/// The interpreter's machine: it has no state.
#[derive(Clone, Copy)]
pub struct Direct;

/// `lv_tag` of a compact int is below this: at most one digit, of either sign.
const COMPACT_TAG_LIMIT: usize = 2 << 3;

// SAFETY comments below: callers of fast paths pass live objects, and a load or store follows the guard of its type.
impl Machine for Direct {
    type Obj = *mut PyObject;
    type Int = i64;
    type Float = f64;
    type Bool = bool;

    #[inline(always)]
    fn guard_type(&mut self, object: *mut PyObject, ty: &'static PyTypeObject) -> Fast<()> {
        // SAFETY: a live object.
        if std::ptr::eq(unsafe { (*object).ob_type.get() }, ty) {
            Ok(())
        } else {
            Err(Exit::Miss)
        }
    }
    #[inline(always)]
    fn guard_version(&mut self, object: *mut PyObject, version: u32) -> Fast<()> {
        // SAFETY: a live object.
        if unsafe { (*(*object).ob_type.get()).tp_version_tag.get() } == version {
            Ok(())
        } else {
            Err(Exit::Miss)
        }
    }
    #[inline(always)]
    fn guard(&mut self, condition: bool) -> Fast<()> {
        if condition { Ok(()) } else { Err(Exit::Miss) }
    }
    #[inline(always)]
    fn guard_not_null(&mut self, object: *mut PyObject) -> Fast<()> {
        if object.is_null() { Err(Exit::Miss) } else { Ok(()) }
    }
    #[inline(always)]
    fn version(&mut self, version: u32) -> i64 {
        i64::from(version)
    }
    #[inline(always)]
    fn constant(&mut self, object: *mut PyObject) -> *mut PyObject {
        object
    }
    #[inline(always)]
    fn int(&mut self, value: i64) -> i64 {
        value
    }
    #[inline(always)]
    fn load_field(&mut self, object: *mut PyObject, offset: usize) -> i64 {
        // SAFETY: a word of the guarded type's struct.
        unsafe { *object.byte_offset(offset as isize).cast::<i64>() }
    }
    #[inline(always)]
    fn store_field(&mut self, object: *mut PyObject, offset: usize, value: i64) {
        // SAFETY: a word of the guarded type's struct.
        unsafe { *object.byte_offset(offset as isize).cast::<i64>() = value }
    }
    #[inline(always)]
    fn load_object(&mut self, object: *mut PyObject, offset: usize) -> *mut PyObject {
        // SAFETY: a pointer field of the guarded type's struct.
        unsafe { *object.byte_offset(offset as isize).cast::<*mut PyObject>() }
    }
    #[inline(always)]
    fn load_item(&mut self, array: i64, index: i64) -> *mut PyObject {
        // SAFETY: the index was checked against the array's length.
        unsafe { *(array as *const *mut PyObject).offset(index as isize) }
    }
    #[inline(always)]
    fn field_address(&mut self, object: *mut PyObject, offset: usize) -> i64 {
        object as i64 + offset as i64
    }
    #[inline(always)]
    fn load_nullable(&mut self, object: *mut PyObject, offset: usize) -> *mut PyObject {
        self.load_object(object, offset)
    }
    #[inline(always)]
    fn store_object(&mut self, object: *mut PyObject, offset: usize, value: *mut PyObject) {
        // SAFETY: a pointer field of the guarded type's struct.
        unsafe { *object.byte_offset(offset as isize).cast::<*mut PyObject>() = value }
    }
    #[inline(always)]
    fn store_item(&mut self, array: i64, index: i64, value: *mut PyObject) {
        // SAFETY: the index was checked against the array's length.
        unsafe { *(array as *mut *mut PyObject).offset(index as isize) = value }
    }
    #[inline(always)]
    fn load_u32(&mut self, object: *mut PyObject, offset: usize) -> i64 {
        // SAFETY: a field of the guarded type's struct.
        i64::from(unsafe { *object.byte_offset(offset as isize).cast::<u32>() })
    }
    #[inline(always)]
    fn load_u8(&mut self, object: *mut PyObject, offset: usize) -> i64 {
        // SAFETY: a field of the guarded type's struct.
        i64::from(unsafe { *object.byte_offset(offset as isize).cast::<u8>() })
    }
    #[inline(always)]
    fn store_u8(&mut self, object: *mut PyObject, offset: usize, value: i64) {
        // SAFETY: a field of the guarded type's struct.
        unsafe { *object.byte_offset(offset as isize).cast::<u8>() = value as u8 }
    }
    #[inline(always)]
    fn raw_load_u32(&mut self, address: i64, offset: usize) -> i64 {
        // SAFETY: the fast path knows what is at the address.
        i64::from(unsafe { *(address as *const u32).byte_add(offset) })
    }
    #[inline(always)]
    fn raw_load_u8(&mut self, address: i64, offset: usize) -> i64 {
        // SAFETY: as above.
        i64::from(unsafe { *(address as *const u8).byte_add(offset) })
    }
    #[inline(always)]
    fn raw_store_u8(&mut self, address: i64, offset: usize, value: i64) {
        // SAFETY: as above.
        unsafe { *(address as *mut u8).byte_add(offset) = value as u8 }
    }
    #[inline(always)]
    fn raw_load_object(&mut self, address: i64, offset: usize) -> *mut PyObject {
        // SAFETY: as above.
        unsafe { *(address as *const *mut PyObject).byte_add(offset) }
    }
    #[inline(always)]
    fn is(&mut self, left: *mut PyObject, right: *mut PyObject) -> bool {
        std::ptr::eq(left, right)
    }
    #[inline(always)]
    fn incref(&mut self, object: *mut PyObject) {
        // SAFETY: a live object.
        unsafe { (*object).incref() }
    }
    #[inline(always)]
    fn decref(&mut self, object: *mut PyObject) {
        // SAFETY: the fast path owns a count.
        unsafe { memory::decref(object) }
    }

    #[inline(always)]
    fn call<const N: usize>(
        &mut self,
        _name: &'static str,
        operands: [*mut PyObject; N],
        function: fn([*mut PyObject; N]) -> PyResult,
    ) -> Fast<*mut PyObject> {
        Ok(function(operands)?.into_raw())
    }
    #[inline(always)]
    fn new_bool(&mut self, value: bool) -> *mut PyObject {
        // Both are immortal.
        if value {
            true_().as_ptr()
        } else {
            false_().as_ptr()
        }
    }

    #[inline(always)]
    fn compact_int(&mut self, object: *mut PyObject) -> Fast<i64> {
        // SAFETY: a live object; the layout follows the type.
        unsafe {
            if !std::ptr::eq((*object).ob_type.get(), PyLongObject::type_object()) {
                return Err(Exit::Miss);
            }
            let value = &(*object.cast::<PyLongObject>()).long_value;
            let tag = value.lv_tag.get();
            if tag >= COMPACT_TAG_LIMIT {
                return Err(Exit::Miss);
            }
            let sign = 1 - (tag & 3) as i64;
            Ok(sign * i64::from(value.ob_digit[0].get()))
        }
    }
    #[inline(always)]
    fn new_int(&mut self, value: i64) -> *mut PyObject {
        PyLongObject::from_i64(value).into_object_raw()
    }
    #[inline(always)]
    fn int_add_ovf(&mut self, left: i64, right: i64) -> Fast<i64> {
        left.checked_add(right).ok_or(Exit::Miss)
    }
    #[inline(always)]
    fn int_sub_ovf(&mut self, left: i64, right: i64) -> Fast<i64> {
        left.checked_sub(right).ok_or(Exit::Miss)
    }
    #[inline(always)]
    fn int_mul_ovf(&mut self, left: i64, right: i64) -> Fast<i64> {
        left.checked_mul(right).ok_or(Exit::Miss)
    }
    #[inline(always)]
    fn int_floor_divide(&mut self, left: i64, right: i64) -> i64 {
        if (left | right) as u64 <= u64::from(u32::MAX) {
            return i64::from(left as u32 / right as u32);
        }
        let quotient = left / right;
        if left % right != 0 && (left < 0) != (right < 0) {
            quotient - 1
        } else {
            quotient
        }
    }
    #[inline(always)]
    fn int_modulo(&mut self, left: i64, right: i64) -> i64 {
        if (left | right) as u64 <= u64::from(u32::MAX) {
            return i64::from(left as u32 % right as u32);
        }
        let remainder = left % right;
        if remainder != 0 && (remainder < 0) != (right < 0) {
            remainder + right
        } else {
            remainder
        }
    }
    #[inline(always)]
    fn int_and(&mut self, left: i64, right: i64) -> i64 {
        left & right
    }
    #[inline(always)]
    fn int_or(&mut self, left: i64, right: i64) -> i64 {
        left | right
    }
    #[inline(always)]
    fn int_xor(&mut self, left: i64, right: i64) -> i64 {
        left ^ right
    }
    #[inline(always)]
    fn int_lshift(&mut self, left: i64, right: i64) -> i64 {
        left << right
    }
    #[inline(always)]
    fn int_rshift(&mut self, left: i64, right: i64) -> i64 {
        left >> right
    }
    #[inline(always)]
    fn int_compare(&mut self, cmp: Cmp, left: i64, right: i64) -> bool {
        cmp.holds(left, right)
    }
    #[inline(always)]
    fn int_to_float(&mut self, value: i64) -> f64 {
        value as f64
    }

    #[inline(always)]
    fn exact_float(&mut self, object: *mut PyObject) -> Fast<f64> {
        // SAFETY: a live object; the layout follows the type.
        unsafe {
            if !std::ptr::eq((*object).ob_type.get(), PyFloatObject::type_object()) {
                return Err(Exit::Miss);
            }
            Ok((*object.cast::<PyFloatObject>()).ob_fval.get())
        }
    }
    #[inline(always)]
    fn new_float(&mut self, value: f64) -> *mut PyObject {
        PyFloatObject::from_f64(value).into_object_raw()
    }
    #[inline(always)]
    fn float_add(&mut self, left: f64, right: f64) -> f64 {
        left + right
    }
    #[inline(always)]
    fn float_sub(&mut self, left: f64, right: f64) -> f64 {
        left - right
    }
    #[inline(always)]
    fn float_mul(&mut self, left: f64, right: f64) -> f64 {
        left * right
    }
    #[inline(always)]
    fn float_div(&mut self, left: f64, right: f64) -> f64 {
        left / right
    }
    #[inline(always)]
    fn float_compare(&mut self, cmp: Cmp, left: f64, right: f64) -> bool {
        cmp.holds(left, right)
    }
    #[inline(always)]
    fn float_const(&mut self, value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn str_compare(&mut self, cmp: Cmp, left: *mut PyObject, right: *mut PyObject) -> Fast<bool> {
        // SAFETY: live objects; the layout follows the type.
        unsafe {
            let ty = PyUnicodeObject::type_object();
            if !std::ptr::eq((*left).ob_type.get(), ty) || !std::ptr::eq((*right).ob_type.get(), ty) {
                return Err(Exit::Miss);
            }
            let (left, right) = (
                &*left.cast::<PyUnicodeObject>(),
                &*right.cast::<PyUnicodeObject>(),
            );
            Ok(match cmp {
                Cmp::Eq => std::ptr::eq(left, right) || left.eq(right),
                Cmp::Ne => !std::ptr::eq(left, right) && !left.eq(right),
                _ => cmp.holds(left.compare(right), std::cmp::Ordering::Equal),
            })
        }
    }
}
