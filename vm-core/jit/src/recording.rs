//! `Recording`: each primitive of a fast path is performed, by `Direct`, and noted.
//!
//! A value is what it is now, for going on, together with its number in the trace. A type that was not the right one is not
//! noted: a fast path that goes on guards on another, and one that gives up ends in a residual call, which fits any type. All
//! other guards are noted as they came out.

use crate::trace::{Operand, Trace};
use adder_interp::eval::direct::Direct;
use adder_runtime::prelude::*;
use adder_semantics::machine::Cmp;
use adder_semantics::{Exit, Fast, Machine};

/// A borrowed object.
#[derive(Clone, Copy)]
pub struct Obj {
    pub raw: *mut PyObject,
    pub id: Operand,
}
#[derive(Clone, Copy)]
pub struct Int {
    value: i64,
    id: Operand,
}
#[derive(Clone, Copy)]
pub struct Float {
    value: f64,
    id: Operand,
}
#[derive(Clone, Copy)]
pub struct Bool {
    pub value: bool,
    id: Operand,
}

/// The recorder's machine.
#[derive(Default)]
pub struct Recording {
    pub trace: Trace,
    /// Off until the loop is reached: primitives are performed only.
    pub is_on: bool,
}

/// How a trace names a constant: without its address.
fn constant_text(object: &PyObject) -> String {
    if let Some(function) = object.downcast::<PyFunctionObject>() {
        return format!("<function {}>", function.qualname().to_string_lossy());
    }
    if let Some(class) = object.downcast::<PyTypeObject>() {
        return format!("<class {}>", class.name());
    }
    let has_plain_text = is_none(object)
        || PyLongObject::check(object)
        || PyFloatObject::check_exact(object)
        || PyUnicodeObject::check_exact(object);
    match object.repr() {
        Ok(text) if has_plain_text => text.to_string_lossy(),
        Ok(_) => format!("<{}>", object.ty().name()),
        Err(raised) => {
            raised.clear();
            format!("<{}>", object.ty().name())
        }
    }
}

impl Recording {
    pub fn value(&mut self, name: &'static str, operands: &[Operand]) -> Operand {
        if self.is_on {
            self.trace.value(name, operands)
        } else {
            Operand::Bool(false)
        }
    }
    pub fn effect(&mut self, name: &'static str, operands: &[Operand]) {
        if self.is_on {
            self.trace.effect(name, operands);
        }
    }
    pub fn note(&mut self, text: impl FnOnce() -> String) {
        if self.is_on {
            self.trace.note(text());
        }
    }
    pub fn text(&mut self, text: &str) -> Operand {
        self.trace.text(text.to_owned())
    }
    fn type_text(&mut self, ty: &PyTypeObject) -> Operand {
        self.trace.text(ty.name().to_string())
    }
    fn guard_known_type(&mut self, object: Obj, ty: &PyTypeObject) {
        if self.is_on {
            let ty = self.type_text(ty);
            self.effect("guard_type", &[object.id, ty]);
        }
    }
    fn offset(offset: usize) -> Operand {
        Operand::Int(offset as isize as i64)
    }
    fn int_op(&mut self, name: &'static str, value: i64, left: Int, right: Int) -> Int {
        let id = self.value(name, &[left.id, right.id]);
        Int { value, id }
    }
    fn overflowing(&mut self, name: &'static str, value: Fast<i64>, left: Int, right: Int) -> Fast<Int> {
        let id = self.value(name, &[left.id, right.id]);
        match value {
            Ok(value) => {
                self.effect("guard_no_overflow", &[id]);
                Ok(Int { value, id })
            }
            Err(exit) => {
                self.effect("guard_overflow", &[id]);
                Err(exit)
            }
        }
    }
    fn loaded(&mut self, name: &'static str, value: i64, object: Operand, offset: usize) -> Int {
        let id = self.value(name, &[object, Self::offset(offset)]);
        Int { value, id }
    }
    fn compared(
        &mut self,
        names: [&'static str; 6],
        cmp: Cmp,
        value: bool,
        left: Operand,
        right: Operand,
    ) -> Bool {
        let id = self.value(names[cmp as usize], &[left, right]);
        Bool { value, id }
    }
}

impl Recording {
    /// The other truth value.
    pub fn not(&mut self, value: Bool) -> Bool {
        let id = self.value("not", &[value.id]);
        Bool {
            value: !value.value,
            id,
        }
    }
}

impl Machine for Recording {
    type Obj = Obj;
    type Int = Int;
    type Float = Float;
    type Bool = Bool;

    fn guard_type(&mut self, object: Obj, ty: &'static PyTypeObject) -> Fast<()> {
        Direct.guard_type(object.raw, ty)?;
        self.guard_known_type(object, ty);
        Ok(())
    }
    fn guard_version(&mut self, object: Obj, version: u32) -> Fast<()> {
        Direct.guard_version(object.raw, version)?;
        // SAFETY: a live object.
        let ty = self.type_text(unsafe { (*object.raw).ty() });
        self.effect("guard_version", &[object.id, ty]);
        Ok(())
    }
    fn guard(&mut self, condition: Bool) -> Fast<()> {
        let name = if condition.value {
            "guard_true"
        } else {
            "guard_false"
        };
        self.effect(name, &[condition.id]);
        Direct.guard(condition.value)
    }
    fn guard_not_null(&mut self, object: Obj) -> Fast<()> {
        let found = Direct.guard_not_null(object.raw);
        let name = if found.is_ok() {
            "guard_not_null"
        } else {
            "guard_null"
        };
        self.effect(name, &[object.id]);
        found
    }

    fn int(&mut self, value: i64) -> Int {
        let id = Operand::Int(value);
        Int { value, id }
    }
    fn version(&mut self, version: u32) -> Int {
        Int {
            value: i64::from(version),
            id: Operand::Version,
        }
    }
    fn constant(&mut self, object: *mut PyObject) -> Obj {
        if !self.is_on {
            return Obj {
                raw: object,
                id: Operand::Bool(false),
            };
        }
        // SAFETY: code or a cache keeps the object alive.
        let text = constant_text(unsafe { &*object });
        let id = self.trace.text(text);
        Obj { raw: object, id }
    }

    fn load_field(&mut self, object: Obj, offset: usize) -> Int {
        let value = Direct.load_field(object.raw, offset);
        self.loaded("load_field", value, object.id, offset)
    }
    fn store_field(&mut self, object: Obj, offset: usize, value: Int) {
        Direct.store_field(object.raw, offset, value.value);
        self.effect("store_field", &[object.id, Self::offset(offset), value.id]);
    }
    fn load_object(&mut self, object: Obj, offset: usize) -> Obj {
        let raw = Direct.load_object(object.raw, offset);
        let id = self.value("load_object", &[object.id, Self::offset(offset)]);
        Obj { raw, id }
    }
    fn load_item(&mut self, array: Int, index: Int) -> Obj {
        let raw = Direct.load_item(array.value, index.value);
        let id = self.value("load_item", &[array.id, index.id]);
        Obj { raw, id }
    }
    fn field_address(&mut self, object: Obj, offset: usize) -> Int {
        let value = Direct.field_address(object.raw, offset);
        self.loaded("field_address", value, object.id, offset)
    }
    fn load_nullable(&mut self, object: Obj, offset: usize) -> Obj {
        let raw = Direct.load_nullable(object.raw, offset);
        let id = self.value("load_nullable", &[object.id, Self::offset(offset)]);
        Obj { raw, id }
    }
    fn store_object(&mut self, object: Obj, offset: usize, value: Obj) {
        Direct.store_object(object.raw, offset, value.raw);
        self.effect("store_object", &[object.id, Self::offset(offset), value.id]);
    }
    fn store_item(&mut self, array: Int, index: Int, value: Obj) {
        Direct.store_item(array.value, index.value, value.raw);
        self.effect("store_item", &[array.id, index.id, value.id]);
    }
    fn load_u32(&mut self, object: Obj, offset: usize) -> Int {
        let value = Direct.load_u32(object.raw, offset);
        self.loaded("load_u32", value, object.id, offset)
    }
    fn load_u8(&mut self, object: Obj, offset: usize) -> Int {
        let value = Direct.load_u8(object.raw, offset);
        self.loaded("load_u8", value, object.id, offset)
    }
    fn store_u8(&mut self, object: Obj, offset: usize, value: Int) {
        Direct.store_u8(object.raw, offset, value.value);
        self.effect("store_u8", &[object.id, Self::offset(offset), value.id]);
    }
    fn raw_load_u32(&mut self, address: Int, offset: usize) -> Int {
        let value = Direct.raw_load_u32(address.value, offset);
        self.loaded("raw_load_u32", value, address.id, offset)
    }
    fn raw_load_u8(&mut self, address: Int, offset: usize) -> Int {
        let value = Direct.raw_load_u8(address.value, offset);
        self.loaded("raw_load_u8", value, address.id, offset)
    }
    fn raw_store_u8(&mut self, address: Int, offset: usize, value: Int) {
        Direct.raw_store_u8(address.value, offset, value.value);
        self.effect("raw_store_u8", &[address.id, Self::offset(offset), value.id]);
    }
    fn raw_load_object(&mut self, address: Int, offset: usize) -> Obj {
        let raw = Direct.raw_load_object(address.value, offset);
        let id = self.value("raw_load_object", &[address.id, Self::offset(offset)]);
        Obj { raw, id }
    }
    fn is(&mut self, left: Obj, right: Obj) -> Bool {
        let id = self.value("is", &[left.id, right.id]);
        Bool {
            value: std::ptr::eq(left.raw, right.raw),
            id,
        }
    }
    fn incref(&mut self, object: Obj) {
        Direct.incref(object.raw);
        self.effect("incref", &[object.id]);
    }
    fn decref(&mut self, object: Obj) {
        Direct.decref(object.raw);
        self.effect("decref", &[object.id]);
    }

    fn call<const N: usize>(
        &mut self,
        name: &'static str,
        operands: [Obj; N],
        function: fn([*mut PyObject; N]) -> PyResult,
    ) -> Fast<Obj> {
        let raw = Direct.call(name, operands.map(|operand| operand.raw), function)?;
        let mut all = vec![self.text(name)];
        all.extend(operands.iter().map(|operand| operand.id));
        let id = self.value("call", &all);
        self.effect("guard_no_exception", &[]);
        Ok(Obj { raw, id })
    }
    fn new_bool(&mut self, value: Bool) -> Obj {
        let id = self.value("new_bool", &[value.id]);
        Obj {
            raw: Direct.new_bool(value.value),
            id,
        }
    }

    fn compact_int(&mut self, object: Obj) -> Fast<Int> {
        let value = Direct.compact_int(object.raw)?;
        self.guard_known_type(object, PyLongObject::type_object());
        self.effect("guard_compact", &[object.id]);
        let id = self.value("load_compact", &[object.id]);
        Ok(Int { value, id })
    }
    fn new_int(&mut self, value: Int) -> Obj {
        let id = self.value("new_int", &[value.id]);
        Obj {
            raw: Direct.new_int(value.value),
            id,
        }
    }
    fn int_and(&mut self, left: Int, right: Int) -> Int {
        let value = Direct.int_and(left.value, right.value);
        self.int_op("int_and", value, left, right)
    }
    fn int_or(&mut self, left: Int, right: Int) -> Int {
        let value = Direct.int_or(left.value, right.value);
        self.int_op("int_or", value, left, right)
    }
    fn int_xor(&mut self, left: Int, right: Int) -> Int {
        let value = Direct.int_xor(left.value, right.value);
        self.int_op("int_xor", value, left, right)
    }
    fn int_lshift(&mut self, left: Int, right: Int) -> Int {
        let value = Direct.int_lshift(left.value, right.value);
        self.int_op("int_lshift", value, left, right)
    }
    fn int_rshift(&mut self, left: Int, right: Int) -> Int {
        let value = Direct.int_rshift(left.value, right.value);
        self.int_op("int_rshift", value, left, right)
    }
    fn int_floor_divide(&mut self, left: Int, right: Int) -> Int {
        let value = Direct.int_floor_divide(left.value, right.value);
        self.int_op("int_floor_divide", value, left, right)
    }
    fn int_modulo(&mut self, left: Int, right: Int) -> Int {
        let value = Direct.int_modulo(left.value, right.value);
        self.int_op("int_modulo", value, left, right)
    }
    fn int_add_ovf(&mut self, left: Int, right: Int) -> Fast<Int> {
        let value = Direct.int_add_ovf(left.value, right.value);
        self.overflowing("int_add_ovf", value, left, right)
    }
    fn int_sub_ovf(&mut self, left: Int, right: Int) -> Fast<Int> {
        let value = Direct.int_sub_ovf(left.value, right.value);
        self.overflowing("int_sub_ovf", value, left, right)
    }
    fn int_mul_ovf(&mut self, left: Int, right: Int) -> Fast<Int> {
        let value = Direct.int_mul_ovf(left.value, right.value);
        self.overflowing("int_mul_ovf", value, left, right)
    }
    fn int_compare(&mut self, cmp: Cmp, left: Int, right: Int) -> Bool {
        let value = Direct.int_compare(cmp, left.value, right.value);
        let names = ["int_lt", "int_le", "int_eq", "int_ne", "int_gt", "int_ge"];
        self.compared(names, cmp, value, left.id, right.id)
    }
    fn int_to_float(&mut self, value: Int) -> Float {
        let id = self.value("int_to_float", &[value.id]);
        Float {
            value: Direct.int_to_float(value.value),
            id,
        }
    }

    fn exact_float(&mut self, object: Obj) -> Fast<Float> {
        let value = Direct.exact_float(object.raw)?;
        self.guard_known_type(object, PyFloatObject::type_object());
        let id = self.value("load_float", &[object.id]);
        Ok(Float { value, id })
    }
    fn new_float(&mut self, value: Float) -> Obj {
        let id = self.value("new_float", &[value.id]);
        Obj {
            raw: Direct.new_float(value.value),
            id,
        }
    }
    fn float_add(&mut self, left: Float, right: Float) -> Float {
        let value = Direct.float_add(left.value, right.value);
        let id = self.value("float_add", &[left.id, right.id]);
        Float { value, id }
    }
    fn float_sub(&mut self, left: Float, right: Float) -> Float {
        let value = Direct.float_sub(left.value, right.value);
        let id = self.value("float_sub", &[left.id, right.id]);
        Float { value, id }
    }
    fn float_mul(&mut self, left: Float, right: Float) -> Float {
        let value = Direct.float_mul(left.value, right.value);
        let id = self.value("float_mul", &[left.id, right.id]);
        Float { value, id }
    }
    fn float_div(&mut self, left: Float, right: Float) -> Float {
        let value = Direct.float_div(left.value, right.value);
        let id = self.value("float_div", &[left.id, right.id]);
        Float { value, id }
    }
    fn float_compare(&mut self, cmp: Cmp, left: Float, right: Float) -> Bool {
        let value = Direct.float_compare(cmp, left.value, right.value);
        let names = [
            "float_lt", "float_le", "float_eq", "float_ne", "float_gt", "float_ge",
        ];
        self.compared(names, cmp, value, left.id, right.id)
    }
    fn float_const(&mut self, value: f64) -> Float {
        let id = Operand::Float(value);
        Float { value, id }
    }

    fn str_compare(&mut self, cmp: Cmp, left: Obj, right: Obj) -> Fast<Bool> {
        let value = Direct.str_compare(cmp, left.raw, right.raw)?;
        for object in [left, right] {
            self.guard_known_type(object, PyUnicodeObject::type_object());
        }
        let names = ["str_lt", "str_le", "str_eq", "str_ne", "str_gt", "str_ge"];
        Ok(self.compared(names, cmp, value, left.id, right.id))
    }
}

/// Whether a fast path ended with an exception; a miss is none.
pub fn raised<T>(result: &Fast<T>) -> bool {
    matches!(result, Err(Exit::Raised(_)))
}
