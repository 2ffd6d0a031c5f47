//! The one table between special method names and slots.
//!
//! A row says: the dunder, the suite and field of its slot, the function that stands in the slot when the method is
//! written in Python, and the wrapper that makes the slot callable from Python. Order matters where a slot has several
//! names. Used for: slot wrappers in the dicts of static types (`add_operators`), slots of classes made by `class`
//! (`fix_up_slots`), and updates when a class attribute is assigned (`update_slots_for`).

use super::slots::*;
use super::wrappers::{self, Wrapper};
use crate::objects::descrobject;
use crate::prelude::*;
use std::cell::Cell;
use std::mem::offset_of;

/// Which struct holds a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Suite {
    Type,
    Number,
    Sequence,
    Mapping,
    Async,
    Buffer,
}

/// One row of the table.
pub struct SlotDef {
    pub name: &'static str,
    /// The reflected name of a binary operator's row: `__radd__` on the row of `__add__`, and the other way round.
    pub reflected: &'static str,
    pub suite: Suite,
    pub offset: usize,
    /// Stands in the slot when a class defines the method in Python; null when nothing does.
    pub generic: GenericFn,
    /// How Python calls the slot; `None` when the method cannot be called through this row.
    pub wrapper: Option<Wrapper>,
    pub doc: &'static str,
}

/// A slot function of any signature.
#[derive(Clone, Copy)]
pub struct GenericFn(pub *const c_void);

// SAFETY: a code address.
unsafe impl Sync for GenericFn {}
// SAFETY: a code address.
unsafe impl Send for GenericFn {}

macro_rules! suite_offset {
    (Type, $field:ident) => {
        offset_of!(PyTypeObject, $field)
    };
    (Number, $field:ident) => {
        offset_of!(PyNumberMethods, $field)
    };
    (Sequence, $field:ident) => {
        offset_of!(PySequenceMethods, $field)
    };
    (Mapping, $field:ident) => {
        offset_of!(PyMappingMethods, $field)
    };
    (Async, $field:ident) => {
        offset_of!(PyAsyncMethods, $field)
    };
    (Buffer, $field:ident) => {
        offset_of!(PyBufferProcs, $field)
    };
}

/// Where the number of a row is in the flags of a `wrapperbase`.
pub const ROW_SHIFT: c_int = 8;

macro_rules! slot_table {
    ($($row:ident $name:literal $(/ $reflected:literal)? $suite:ident $field:ident $generic:expr, $wrapper:expr, $doc:literal;)*) => {
        /// The rows by name, for the const parameter of the generic functions.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(usize)]
        pub enum Row { $($row,)* }

        const N_ROWS: usize = [$($name,)*].len();
        pub static SLOT_DEFS: &[SlotDef] = &[
            $(SlotDef {
                name: $name,
                reflected: slot_table!(@reflected $($reflected)?),
                suite: Suite::$suite,
                offset: suite_offset!($suite, $field),
                generic: GenericFn($generic),
                wrapper: $wrapper,
                doc: $doc,
            },)*
        ];

        /// What a slot wrapper of a row shows to C, which may copy it and change the docstring. The row is above the flags.
        pub fn row_base(row: usize) -> &'static wrapperbase {
            static BASES: [wrapperbase; N_ROWS] = [
                $(wrapperbase {
                    name: Cell::new(concat!($name, "\0").as_ptr().cast()),
                    doc: Cell::new(concat!($doc, "\0").as_ptr().cast()),
                    flags: Cell::new((Row::$row as c_int) << ROW_SHIFT),
                    ..wrapperbase::zeroed()
                },)*
            ];
            &BASES[row]
        }
        /// The name of a row as an interned string.
        #[inline]
        pub fn row_name(row: usize) -> &'static PyUnicodeObject {
            static NAMES: [crate::intern::Identifier; N_ROWS] =
                [$(crate::intern::Identifier::new($name),)*];
            NAMES[row].get()
        }
        /// The reflected name of a row as an interned string.
        #[inline]
        pub fn row_reflected(row: usize) -> &'static PyUnicodeObject {
            static NAMES: [crate::intern::Identifier; N_ROWS] =
                [$(crate::intern::Identifier::new(slot_table!(@reflected $($reflected)?)),)*];
            NAMES[row].get()
        }
    };
    (@reflected) => { "" };
    (@reflected $reflected:literal) => { $reflected };
}

const NO_FN: *const c_void = std::ptr::null();

macro_rules! unary {
    ($row:ident) => {
        unary_slot::<{ Row::$row as usize }> as *const c_void
    };
}
macro_rules! binary {
    ($row:ident) => {
        binary_slot::<{ Row::$row as usize }> as *const c_void
    };
}
macro_rules! inplace {
    ($row:ident) => {
        one_argument_slot::<{ Row::$row as usize }> as *const c_void
    };
}

use wrappers as w;

slot_table! {
    GETATTRIBUTE "__getattribute__" Type tp_getattro getattro_slot as *const c_void, Some(w::binary), "Return getattr(self, name).";
    GETATTR "__getattr__" Type tp_getattro getattro_slot as *const c_void, None, "";
    SETATTR "__setattr__" Type tp_setattro setattro_slot as *const c_void, Some(w::setattr), "Implement setattr(self, name, value).";
    DELATTR "__delattr__" Type tp_setattro setattro_slot as *const c_void, Some(w::delattr), "Implement delattr(self, name).";
    REPR "__repr__" Type tp_repr repr_slot as *const c_void, Some(w::unary), "Return repr(self).";
    HASH "__hash__" Type tp_hash hash_slot as *const c_void, Some(w::hash), "Return hash(self).";
    CALL "__call__" Type tp_call call_slot as *const c_void, Some(w::call), "Call self as a function.";
    STR "__str__" Type tp_str unary!(STR), Some(w::unary), "Return str(self).";
    LT "__lt__" Type tp_richcompare richcompare_slot as *const c_void, Some(w::richcompare::<0>), "Return self<value.";
    LE "__le__" Type tp_richcompare richcompare_slot as *const c_void, Some(w::richcompare::<1>), "Return self<=value.";
    EQ "__eq__" Type tp_richcompare richcompare_slot as *const c_void, Some(w::richcompare::<2>), "Return self==value.";
    NE "__ne__" Type tp_richcompare richcompare_slot as *const c_void, Some(w::richcompare::<3>), "Return self!=value.";
    GT "__gt__" Type tp_richcompare richcompare_slot as *const c_void, Some(w::richcompare::<4>), "Return self>value.";
    GE "__ge__" Type tp_richcompare richcompare_slot as *const c_void, Some(w::richcompare::<5>), "Return self>=value.";
    ITER "__iter__" Type tp_iter iter_slot as *const c_void, Some(w::unary), "Implement iter(self).";
    NEXT "__next__" Type tp_iternext next_slot as *const c_void, Some(w::next), "Implement next(self).";
    GET "__get__" Type tp_descr_get descr_get_slot as *const c_void, Some(w::descr_get), "Return an attribute of instance, which is of type owner.";
    SET "__set__" Type tp_descr_set descr_set_slot as *const c_void, Some(w::descr_set), "Set an attribute of instance to value.";
    DELETE "__delete__" Type tp_descr_set descr_set_slot as *const c_void, Some(w::descr_delete), "Delete an attribute of instance.";
    INIT "__init__" Type tp_init init_slot as *const c_void, Some(w::init), "Initialize self.  See help(type(self)) for accurate signature.";
    NEW "__new__" Type tp_new new_slot as *const c_void, None, "";
    DEL "__del__" Type tp_finalize finalize_slot as *const c_void, Some(w::finalize), "Called when the instance is about to be destroyed.";

    BUFFER "__buffer__" Buffer bf_getbuffer getbuffer_slot as *const c_void, Some(w::buffer), "Return a buffer object that exposes the underlying memory of the object.";
    RELEASE_BUFFER "__release_buffer__" Buffer bf_releasebuffer releasebuffer_slot as *const c_void, Some(w::release_buffer), "Release the buffer object that exposes the underlying memory of the object.";

    AWAIT "__await__" Async am_await unary!(AWAIT), Some(w::unary), "Return an iterator to be used in await expression.";
    AITER "__aiter__" Async am_aiter unary!(AITER), Some(w::unary), "Return an awaitable, that resolves in asynchronous iterator.";
    ANEXT "__anext__" Async am_anext unary!(ANEXT), Some(w::unary), "Return a value or raise StopAsyncIteration.";

    ADD "__add__" / "__radd__" Number nb_add binary!(ADD), Some(w::binary_left), "Return self+value.";
    RADD "__radd__" / "__add__" Number nb_add binary!(ADD), Some(w::binary_right), "Return value+self.";
    SUB "__sub__" / "__rsub__" Number nb_subtract binary!(SUB), Some(w::binary_left), "Return self-value.";
    RSUB "__rsub__" / "__sub__" Number nb_subtract binary!(SUB), Some(w::binary_right), "Return value-self.";
    MUL "__mul__" / "__rmul__" Number nb_multiply binary!(MUL), Some(w::binary_left), "Return self*value.";
    RMUL "__rmul__" / "__mul__" Number nb_multiply binary!(MUL), Some(w::binary_right), "Return value*self.";
    MOD "__mod__" / "__rmod__" Number nb_remainder binary!(MOD), Some(w::binary_left), "Return self%value.";
    RMOD "__rmod__" / "__mod__" Number nb_remainder binary!(MOD), Some(w::binary_right), "Return value%self.";
    DIVMOD "__divmod__" / "__rdivmod__" Number nb_divmod binary!(DIVMOD), Some(w::binary_left), "Return divmod(self, value).";
    RDIVMOD "__rdivmod__" / "__divmod__" Number nb_divmod binary!(DIVMOD), Some(w::binary_right), "Return divmod(value, self).";
    POW "__pow__" / "__rpow__" Number nb_power power_slot as *const c_void, Some(w::power_left), "Return pow(self, value, mod).";
    RPOW "__rpow__" / "__pow__" Number nb_power power_slot as *const c_void, Some(w::power_right), "Return pow(value, self, mod).";
    NEG "__neg__" Number nb_negative unary!(NEG), Some(w::unary), "-self";
    POS "__pos__" Number nb_positive unary!(POS), Some(w::unary), "+self";
    ABS "__abs__" Number nb_absolute unary!(ABS), Some(w::unary), "abs(self)";
    BOOL "__bool__" Number nb_bool bool_slot as *const c_void, Some(w::inquiry), "True if self else False";
    INVERT "__invert__" Number nb_invert unary!(INVERT), Some(w::unary), "~self";
    LSHIFT "__lshift__" / "__rlshift__" Number nb_lshift binary!(LSHIFT), Some(w::binary_left), "Return self<<value.";
    RLSHIFT "__rlshift__" / "__lshift__" Number nb_lshift binary!(LSHIFT), Some(w::binary_right), "Return value<<self.";
    RSHIFT "__rshift__" / "__rrshift__" Number nb_rshift binary!(RSHIFT), Some(w::binary_left), "Return self>>value.";
    RRSHIFT "__rrshift__" / "__rshift__" Number nb_rshift binary!(RSHIFT), Some(w::binary_right), "Return value>>self.";
    AND "__and__" / "__rand__" Number nb_and binary!(AND), Some(w::binary_left), "Return self&value.";
    RAND "__rand__" / "__and__" Number nb_and binary!(AND), Some(w::binary_right), "Return value&self.";
    XOR "__xor__" / "__rxor__" Number nb_xor binary!(XOR), Some(w::binary_left), "Return self^value.";
    RXOR "__rxor__" / "__xor__" Number nb_xor binary!(XOR), Some(w::binary_right), "Return value^self.";
    OR "__or__" / "__ror__" Number nb_or binary!(OR), Some(w::binary_left), "Return self|value.";
    ROR "__ror__" / "__or__" Number nb_or binary!(OR), Some(w::binary_right), "Return value|self.";
    INT "__int__" Number nb_int unary!(INT), Some(w::unary), "int(self)";
    FLOAT "__float__" Number nb_float unary!(FLOAT), Some(w::unary), "float(self)";
    IADD "__iadd__" Number nb_inplace_add inplace!(IADD), Some(w::binary), "Return self+=value.";
    ISUB "__isub__" Number nb_inplace_subtract inplace!(ISUB), Some(w::binary), "Return self-=value.";
    IMUL "__imul__" Number nb_inplace_multiply inplace!(IMUL), Some(w::binary), "Return self*=value.";
    IMOD "__imod__" Number nb_inplace_remainder inplace!(IMOD), Some(w::binary), "Return self%=value.";
    IPOW "__ipow__" Number nb_inplace_power inplace_power_slot as *const c_void, Some(w::power_left), "Return self**=value.";
    ILSHIFT "__ilshift__" Number nb_inplace_lshift inplace!(ILSHIFT), Some(w::binary), "Return self<<=value.";
    IRSHIFT "__irshift__" Number nb_inplace_rshift inplace!(IRSHIFT), Some(w::binary), "Return self>>=value.";
    IAND "__iand__" Number nb_inplace_and inplace!(IAND), Some(w::binary), "Return self&=value.";
    IXOR "__ixor__" Number nb_inplace_xor inplace!(IXOR), Some(w::binary), "Return self^=value.";
    IOR "__ior__" Number nb_inplace_or inplace!(IOR), Some(w::binary), "Return self|=value.";
    FLOORDIV "__floordiv__" / "__rfloordiv__" Number nb_floor_divide binary!(FLOORDIV), Some(w::binary_left), "Return self//value.";
    RFLOORDIV "__rfloordiv__" / "__floordiv__" Number nb_floor_divide binary!(FLOORDIV), Some(w::binary_right), "Return value//self.";
    TRUEDIV "__truediv__" / "__rtruediv__" Number nb_true_divide binary!(TRUEDIV), Some(w::binary_left), "Return self/value.";
    RTRUEDIV "__rtruediv__" / "__truediv__" Number nb_true_divide binary!(TRUEDIV), Some(w::binary_right), "Return value/self.";
    IFLOORDIV "__ifloordiv__" Number nb_inplace_floor_divide inplace!(IFLOORDIV), Some(w::binary), "Return self//=value.";
    ITRUEDIV "__itruediv__" Number nb_inplace_true_divide inplace!(ITRUEDIV), Some(w::binary), "Return self/=value.";
    INDEX "__index__" Number nb_index unary!(INDEX), Some(w::unary), "Return self converted to an integer, if self is suitable for use as an index into a list.";
    MATMUL "__matmul__" / "__rmatmul__" Number nb_matrix_multiply binary!(MATMUL), Some(w::binary_left), "Return self@value.";
    RMATMUL "__rmatmul__" / "__matmul__" Number nb_matrix_multiply binary!(MATMUL), Some(w::binary_right), "Return value@self.";
    IMATMUL "__imatmul__" Number nb_inplace_matrix_multiply inplace!(IMATMUL), Some(w::binary), "Return self@=value.";

    MP_LEN "__len__" Mapping mp_length length_slot as *const c_void, Some(w::length), "Return len(self).";
    MP_GETITEM "__getitem__" Mapping mp_subscript inplace!(MP_GETITEM), Some(w::binary), "Return self[key].";
    MP_SETITEM "__setitem__" Mapping mp_ass_subscript ass_subscript_slot as *const c_void, Some(w::set_item), "Set self[key] to value.";
    MP_DELITEM "__delitem__" Mapping mp_ass_subscript ass_subscript_slot as *const c_void, Some(w::del_item), "Delete self[key].";

    SQ_LEN "__len__" Sequence sq_length length_slot as *const c_void, Some(w::length), "Return len(self).";
    SQ_ADD "__add__" Sequence sq_concat NO_FN, Some(w::binary), "Return self+value.";
    SQ_MUL "__mul__" Sequence sq_repeat NO_FN, Some(w::index_argument), "Return self*value.";
    SQ_RMUL "__rmul__" Sequence sq_repeat NO_FN, Some(w::index_argument), "Return value*self.";
    SQ_GETITEM "__getitem__" Sequence sq_item item_slot as *const c_void, Some(w::sequence_item), "Return self[key].";
    SQ_SETITEM "__setitem__" Sequence sq_ass_item ass_item_slot as *const c_void, Some(w::sequence_set_item), "Set self[key] to value.";
    SQ_DELITEM "__delitem__" Sequence sq_ass_item ass_item_slot as *const c_void, Some(w::sequence_del_item), "Delete self[key].";
    SQ_CONTAINS "__contains__" Sequence sq_contains contains_slot as *const c_void, Some(w::contains), "Return bool(key in self).";
    SQ_IADD "__iadd__" Sequence sq_inplace_concat NO_FN, Some(w::binary), "Implement self+=value.";
    SQ_IMUL "__imul__" Sequence sq_inplace_repeat NO_FN, Some(w::index_argument), "Implement self*=value.";
}

/// The place of a row's slot in a type; null when the type does not have the suite.
pub fn slot_place(ty: &PyTypeObject, def: &SlotDef) -> *const std::cell::Cell<*const c_void> {
    let suite: *const u8 = match def.suite {
        Suite::Type => (ty as *const PyTypeObject).cast(),
        Suite::Number => ty.tp_as_number.get().cast_const().cast(),
        Suite::Sequence => ty.tp_as_sequence.get().cast_const().cast(),
        Suite::Mapping => ty.tp_as_mapping.get().cast_const().cast(),
        Suite::Async => ty.tp_as_async.get().cast_const().cast(),
        Suite::Buffer => ty.tp_as_buffer.get().cast_const().cast(),
    };
    if suite.is_null() {
        return std::ptr::null();
    }
    // SAFETY: the row's offset lies in its suite.
    unsafe { suite.add(def.offset).cast() }
}

/// The function in a row's slot; null when there is none.
pub fn slot_value(ty: &PyTypeObject, def: &SlotDef) -> *const c_void {
    let place = slot_place(ty, def);
    // SAFETY: null or the slot's place; a slot is pointer-sized.
    unsafe { place.as_ref() }.map_or(std::ptr::null(), |slot| slot.get())
}

/// Puts slot wrappers into the dict of a type for the slots that it has itself.
pub fn add_operators(ty: &PyTypeObject) -> PyResult<()> {
    let dict = ty.dict().expect("set before");
    for (row, def) in SLOT_DEFS.iter().enumerate() {
        let Some(_) = def.wrapper else { continue };
        let function = slot_value(ty, def);
        if function.is_null() {
            continue;
        }
        let name = row_name(row);
        if dict.get_str(name).is_some() {
            continue;
        }
        if function == super::hash_not_implemented as *const c_void {
            dict.set_str(name, none())?;
        } else {
            let descriptor = descrobject::new_wrapper(ty, row, function)?;
            dict.set_str(name, &descriptor)?;
        }
    }
    Ok(())
}

/// Sets every slot of a class made by `class` from what its MRO says.
pub fn fix_up_slots(ty: &PyTypeObject) {
    let mut row = 0;
    while row < SLOT_DEFS.len() {
        row = update_slot(ty, row);
    }
}

/// Sets the slots that `name` can change, in the class and in those subclasses that do not override it.
pub fn update_slots_for(ty: &PyTypeObject, name: &PyUnicodeObject) {
    let text = name.to_string_lossy();
    if !(text.starts_with("__") && text.ends_with("__")) {
        return;
    }
    let rows: Vec<usize> = SLOT_DEFS
        .iter()
        .enumerate()
        .filter(|(_, def)| def.name == text)
        .map(|(row, _)| first_row_of(row))
        .collect();
    if !rows.is_empty() {
        update_with_subclasses(ty, name, &rows);
        if matches!(text.as_str(), "__get__" | "__set__" | "__delete__") {
            super::lookup::descriptors_changed();
        }
    }
}

/// Whether instances of a class are descriptors that are read, written.
pub fn descriptor_kind(ty: &PyTypeObject) -> (bool, bool) {
    (ty.tp_descr_get.get().is_some(), ty.tp_descr_set.get().is_some())
}

fn update_with_subclasses(ty: &PyTypeObject, name: &PyUnicodeObject, rows: &[usize]) {
    for row in rows {
        update_slot(ty, *row);
    }
    for subclass in super::subclasses::of(ty) {
        if subclass.dict().is_some_and(|dict| dict.get_str(name).is_some()) {
            continue;
        }
        update_with_subclasses(&subclass, name, rows);
    }
}

fn same_slot(a: &SlotDef, b: &SlotDef) -> bool {
    a.suite == b.suite && a.offset == b.offset
}

fn first_row_of(mut row: usize) -> usize {
    while row > 0 && same_slot(&SLOT_DEFS[row - 1], &SLOT_DEFS[row]) {
        row -= 1;
    }
    row
}

/// Sets one slot: the function of a slot wrapper when exactly one decides, else the generic function. Returns the
/// first row of the next slot.
fn update_slot(ty: &PyTypeObject, first: usize) -> usize {
    let end = (first..SLOT_DEFS.len())
        .find(|row| !same_slot(&SLOT_DEFS[*row], &SLOT_DEFS[first]))
        .unwrap_or(SLOT_DEFS.len());
    let place = slot_place(ty, &SLOT_DEFS[first]);
    // SAFETY: null or the slot's place.
    let Some(slot) = (unsafe { place.as_ref() }) else {
        return end;
    };
    let mut generic: *const c_void = std::ptr::null();
    let mut specific: *const c_void = std::ptr::null();
    let mut use_generic = false;
    for (row, def) in SLOT_DEFS.iter().enumerate().take(end).skip(first) {
        let Some(descriptor) = ty.find_in_mro(row_name(row)) else {
            if place == (&raw const ty.tp_iternext).cast() {
                specific = super::next_not_implemented as *const c_void;
            }
            continue;
        };
        if let Some((wrapped_row, function, owner)) = descrobject::wrapped_slot(descriptor)
            && SLOT_DEFS[wrapped_row].name == def.name
        {
            let same_place = same_slot(&SLOT_DEFS[wrapped_row], def);
            if same_place && (specific.is_null() || specific == function) && ty.is_subtype(owner) {
                specific = function;
            } else if same_place {
                use_generic = true;
            } else if specific.is_null() && generic.is_null() {
                // A wrapper of the other suite (`mp_length` against `sq_length`): a subclass has what the owner has here, be it
                // nothing, as `nb_multiply` for `__mul__` of `sq_repeat`.
                if !ty.is_subtype(owner) {
                    use_generic = true;
                } else if slot_value(owner, def).is_null() {
                    continue;
                } else {
                    specific = slot_value(owner, def);
                }
            }
            generic = def.generic.0;
        } else if def.name == "__new__" && super::typeobject::is_tp_new_wrapper(descriptor) {
            // The base that has the layout makes the instances, whichever base is the first to have a `__new__`.
            specific = ty
                .base()
                .and_then(|base| base.tp_new.get())
                .map_or(std::ptr::null(), |new| new as *const c_void);
        } else if is_none(descriptor) && def.name == "__hash__" {
            specific = super::hash_not_implemented as *const c_void;
        } else {
            use_generic = true;
            generic = def.generic.0;
        }
    }
    if use_generic && std::ptr::eq(place, (&raw const ty.tp_call).cast()) {
        // A `__call__` of its own and vectorcall exclude each other.
        ty.clear_flag(Py_TPFLAGS_HAVE_VECTORCALL);
    }
    slot.set(if !specific.is_null() && !use_generic {
        specific
    } else {
        generic
    });
    end
}

/// The first row of the slot that a dunder names.
pub fn row_named(name: &str) -> Option<usize> {
    SLOT_DEFS.iter().position(|row| row.name == name)
}
