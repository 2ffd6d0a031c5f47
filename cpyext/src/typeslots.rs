//! typeslots.h: slot number -> place in a heap type.

use adder_runtime::prelude::*;
use std::mem::offset_of;

/// Makes the table from a list of `slot number: place`.
macro_rules! slot_places {
    ($($slot:ident: $suite:ident . $field:ident,)*) => {
        /// Byte offsets into PyHeapTypeObject by slot number; 0 where there is no such slot.
        const SLOT_OFFSETS: [usize; _Py_LAST_SLOT + 1] = {
            let mut offsets = [0; _Py_LAST_SLOT + 1];
            $(offsets[$slot as usize] = offset_of!(PyHeapTypeObject, $suite.$field);)*
            offsets[Py_tp_token as usize] = offset_of!(PyHeapTypeObject, ht_token);
            offsets
        };
    };
}

const _Py_LAST_SLOT: usize = 83;

slot_places! {
    Py_bf_getbuffer: as_buffer.bf_getbuffer,
    Py_bf_releasebuffer: as_buffer.bf_releasebuffer,
    Py_mp_ass_subscript: as_mapping.mp_ass_subscript,
    Py_mp_length: as_mapping.mp_length,
    Py_mp_subscript: as_mapping.mp_subscript,
    Py_nb_absolute: as_number.nb_absolute,
    Py_nb_add: as_number.nb_add,
    Py_nb_and: as_number.nb_and,
    Py_nb_bool: as_number.nb_bool,
    Py_nb_divmod: as_number.nb_divmod,
    Py_nb_float: as_number.nb_float,
    Py_nb_floor_divide: as_number.nb_floor_divide,
    Py_nb_index: as_number.nb_index,
    Py_nb_inplace_add: as_number.nb_inplace_add,
    Py_nb_inplace_and: as_number.nb_inplace_and,
    Py_nb_inplace_floor_divide: as_number.nb_inplace_floor_divide,
    Py_nb_inplace_lshift: as_number.nb_inplace_lshift,
    Py_nb_inplace_multiply: as_number.nb_inplace_multiply,
    Py_nb_inplace_or: as_number.nb_inplace_or,
    Py_nb_inplace_power: as_number.nb_inplace_power,
    Py_nb_inplace_remainder: as_number.nb_inplace_remainder,
    Py_nb_inplace_rshift: as_number.nb_inplace_rshift,
    Py_nb_inplace_subtract: as_number.nb_inplace_subtract,
    Py_nb_inplace_true_divide: as_number.nb_inplace_true_divide,
    Py_nb_inplace_xor: as_number.nb_inplace_xor,
    Py_nb_int: as_number.nb_int,
    Py_nb_invert: as_number.nb_invert,
    Py_nb_lshift: as_number.nb_lshift,
    Py_nb_multiply: as_number.nb_multiply,
    Py_nb_negative: as_number.nb_negative,
    Py_nb_or: as_number.nb_or,
    Py_nb_positive: as_number.nb_positive,
    Py_nb_power: as_number.nb_power,
    Py_nb_remainder: as_number.nb_remainder,
    Py_nb_rshift: as_number.nb_rshift,
    Py_nb_subtract: as_number.nb_subtract,
    Py_nb_true_divide: as_number.nb_true_divide,
    Py_nb_xor: as_number.nb_xor,
    Py_nb_matrix_multiply: as_number.nb_matrix_multiply,
    Py_nb_inplace_matrix_multiply: as_number.nb_inplace_matrix_multiply,
    Py_sq_ass_item: as_sequence.sq_ass_item,
    Py_sq_concat: as_sequence.sq_concat,
    Py_sq_contains: as_sequence.sq_contains,
    Py_sq_inplace_concat: as_sequence.sq_inplace_concat,
    Py_sq_inplace_repeat: as_sequence.sq_inplace_repeat,
    Py_sq_item: as_sequence.sq_item,
    Py_sq_length: as_sequence.sq_length,
    Py_sq_repeat: as_sequence.sq_repeat,
    Py_am_await: as_async.am_await,
    Py_am_aiter: as_async.am_aiter,
    Py_am_anext: as_async.am_anext,
    Py_am_send: as_async.am_send,
    Py_tp_alloc: ht_type.tp_alloc,
    Py_tp_base: ht_type.tp_base,
    Py_tp_bases: ht_type.tp_bases,
    Py_tp_call: ht_type.tp_call,
    Py_tp_clear: ht_type.tp_clear,
    Py_tp_dealloc: ht_type.tp_dealloc,
    Py_tp_del: ht_type.tp_del,
    Py_tp_descr_get: ht_type.tp_descr_get,
    Py_tp_descr_set: ht_type.tp_descr_set,
    Py_tp_doc: ht_type.tp_doc,
    Py_tp_getattr: ht_type.tp_getattr,
    Py_tp_getattro: ht_type.tp_getattro,
    Py_tp_hash: ht_type.tp_hash,
    Py_tp_init: ht_type.tp_init,
    Py_tp_is_gc: ht_type.tp_is_gc,
    Py_tp_iter: ht_type.tp_iter,
    Py_tp_iternext: ht_type.tp_iternext,
    Py_tp_methods: ht_type.tp_methods,
    Py_tp_new: ht_type.tp_new,
    Py_tp_repr: ht_type.tp_repr,
    Py_tp_richcompare: ht_type.tp_richcompare,
    Py_tp_setattr: ht_type.tp_setattr,
    Py_tp_setattro: ht_type.tp_setattro,
    Py_tp_str: ht_type.tp_str,
    Py_tp_traverse: ht_type.tp_traverse,
    Py_tp_members: ht_type.tp_members,
    Py_tp_getset: ht_type.tp_getset,
    Py_tp_free: ht_type.tp_free,
    Py_tp_finalize: ht_type.tp_finalize,
    Py_tp_vectorcall: ht_type.tp_vectorcall,
}

/// The place of a slot in a heap type, or nothing for a number that does not exist.
pub fn slot_place(ty: &PyHeapTypeObject, slot: c_int) -> Option<&Cell<*mut c_void>> {
    let offset = *SLOT_OFFSETS
        .get(usize::try_from(slot).ok()?)
        .filter(|offset| **offset != 0)?;
    // SAFETY: the offset is that of a pointer-sized cell of the struct.
    Some(unsafe {
        &*(ty as *const PyHeapTypeObject)
            .byte_add(offset)
            .cast::<Cell<*mut c_void>>()
    })
}

/// The value of a slot of any type: the suites of a static type stand outside of it.
pub fn slot_value(ty: &PyTypeObject, slot: c_int) -> Option<*mut c_void> {
    let offset = *SLOT_OFFSETS
        .get(usize::try_from(slot).ok()?)
        .filter(|offset| **offset != 0)?;
    let suites = [
        (
            offset_of!(PyHeapTypeObject, as_async),
            size_of::<PyAsyncMethods>(),
            ty.tp_as_async.get() as usize,
        ),
        (
            offset_of!(PyHeapTypeObject, as_number),
            size_of::<PyNumberMethods>(),
            ty.tp_as_number.get() as usize,
        ),
        (
            offset_of!(PyHeapTypeObject, as_mapping),
            size_of::<PyMappingMethods>(),
            ty.tp_as_mapping.get() as usize,
        ),
        (
            offset_of!(PyHeapTypeObject, as_sequence),
            size_of::<PySequenceMethods>(),
            ty.tp_as_sequence.get() as usize,
        ),
        (
            offset_of!(PyHeapTypeObject, as_buffer),
            size_of::<PyBufferProcs>(),
            ty.tp_as_buffer.get() as usize,
        ),
    ];
    let address = match suites
        .iter()
        .find(|(start, size, _)| offset >= *start && offset < start + size)
    {
        Some((_, _, 0)) => return Some(std::ptr::null_mut()),
        Some((start, _, suite)) => suite + (offset - start),
        None if offset >= size_of::<PyTypeObject>() && !ty.is_heap_type() => {
            return Some(std::ptr::null_mut());
        }
        None => ty as *const PyTypeObject as usize + offset,
    };
    // SAFETY: a pointer-sized cell of the type or of its suite.
    Some(unsafe { (*(address as *const Cell<*mut c_void>)).get() })
}
