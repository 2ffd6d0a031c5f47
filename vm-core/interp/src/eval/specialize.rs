//! Quickening: generic instructions count their runs in their extension word and are then written over, in place, by the
//! form that fits the operands seen; a form that misses goes back and waits longer.
//!
//! The high half of the first extension word is the counter of a generic instruction, and a version in most
//! specialised ones. The low half is the compiler's where the opcode table says so.

use super::direct::Direct;
use super::{ic, op};
use crate::frame::*;
use adder_compiler::bytecode::opcode::{NO_REG, SRC_CONST, SRC_INDEX, SRC_TAKE};
use adder_runtime::abi::*;
use adder_runtime::memory;
use adder_runtime::objects::classobject::PyMethod_Type;
use adder_runtime::objects::dictobject::instance;
use adder_runtime::objects::dictobject::keys::DictKeys;
use adder_runtime::objects::funcobject::PyFunction_Type;
use adder_runtime::objects::listobject::iter::PyListIter_Type;
use adder_runtime::objects::tupleobject::PyTupleIter_Type;
use adder_runtime::prelude::*;
use adder_runtime::types::assign_version;
use adder_semantics::arithmetic::{self, nb};
use adder_semantics::attribute::{self, Own};
use adder_semantics::machine::Cmp;
use adder_semantics::{Exit, compare, dict, iteration, subscript};

mod call;
mod items;
pub use call::call;
pub use items::{dict_item, list_item, load_subscr, set_list_item, store_subscr, str_item, tuple_item};

/// Runs before an instruction is specialised.
const WARM: u32 = adder_runtime::hooks::SPECIALIZATION_THRESHOLD;
/// Misses after which `miss_again` gives a form up.
const PATIENCE: u8 = 40;
/// Counter values from which the count wraps around to `WARM` after that many runs.
const AFTER_MISS: u32 = 0u32.wrapping_sub(adder_runtime::hooks::SPECIALIZATION_COOLDOWN);
const AFTER_FAILURE: u32 = 0u32.wrapping_sub(500);

/// Counts a run of a generic instruction; true when it is time to specialise.
#[inline(always)]
unsafe fn tick(pc: *const u64) -> bool {
    // SAFETY: the instruction has an extension word, and the words are writable.
    unsafe {
        let word = pc.add(1).cast_mut();
        let count = ((*word >> 32) as u32).wrapping_add(1);
        if count == WARM {
            return true;
        }
        set_high(pc, count);
        false
    }
}

unsafe fn set_high(pc: *const u64, value: u32) {
    // SAFETY: as in `tick`.
    unsafe {
        let word = pc.add(1).cast_mut();
        *word = *word & 0xFFFF_FFFF | u64::from(value) << 32;
    }
}

unsafe fn set_low(pc: *const u64, value: u32) {
    // SAFETY: as in `tick`.
    unsafe {
        let word = pc.add(1).cast_mut();
        *word = *word & !0xFFFF_FFFF | u64::from(value);
    }
}

unsafe fn set_word(pc: *const u64, index: usize, value: u64) {
    // SAFETY: the opcode has that many extension words.
    unsafe { *pc.add(index).cast_mut() = value }
}

/// Gives the instruction a specialised form.
unsafe fn set_opcode(pc: *const u64, opcode: u8) {
    ic::specialised(opcode);
    // SAFETY: the words are writable.
    unsafe { *pc.cast_mut() = *pc & !0xFF | u64::from(opcode) }
}

/// Takes it away again.
unsafe fn set_generic(pc: *const u64, generic: u8) {
    // SAFETY: the words are writable.
    unsafe {
        ic::missed(*pc as u8);
        ic::dropped(*pc as u8);
        *pc.cast_mut() = *pc & !0xFF | u64::from(generic);
    }
}

/// The operands do not suit any specialised form.
unsafe fn give_up(pc: *const u64) {
    // SAFETY: as above.
    unsafe {
        ic::unsuitable(*pc as u8);
        set_high(pc, AFTER_FAILURE)
    }
}

/// A specialised form met operands that it is not for.
///
/// # Safety
/// `pc` is at an instruction with an extension word.
#[cold]
pub unsafe fn miss(pc: *const u64, generic: u8) {
    // SAFETY: the caller's contract.
    unsafe {
        set_generic(pc, generic);
        set_high(pc, AFTER_MISS);
    }
}

/// As `miss`, for instructions that do not use the field `x`: it counts the misses, so that a form that mostly fits stays.
///
/// # Safety
/// As `miss`.
#[cold]
pub unsafe fn miss_again(pc: *const u64, generic: u8) {
    // SAFETY: the caller's contract.
    unsafe {
        let n_misses = super::field_x(*pc) + 1;
        if n_misses < PATIENCE {
            ic::missed(*pc as u8);
            *pc.cast_mut() = *pc & !0xFF00 | u64::from(n_misses) << 8;
            return;
        }
        set_generic(pc, generic);
        *pc.cast_mut() &= !0xFF00;
        // Other operands may be the rule by now: the next run looks again.
        set_high(pc, WARM - 1);
    }
}

/// As `miss`, for forms whose versions change while a module is loaded: they may come back soon.
///
/// # Safety
/// As `miss`.
#[cold]
pub unsafe fn reset(pc: *const u64, generic: u8) {
    // SAFETY: the caller's contract.
    unsafe {
        set_generic(pc, generic);
        set_high(pc, 0u32.wrapping_sub(8));
    }
}

// Every function below that takes `pc` is called by the handler of the generic form of that instruction.

/// # Safety
/// As said above (here and below).
#[inline(always)]
pub unsafe fn load_global(frame: *mut Frame, pc: *const u64, name: &PyUnicodeObject) {
    // SAFETY: the caller's contract.
    unsafe {
        if tick(pc) {
            specialize_load_global(frame, pc, name);
        }
    }
}

#[cold]
unsafe fn specialize_load_global(frame: *mut Frame, pc: *const u64, name: &PyUnicodeObject) {
    // SAFETY: the running frame.
    unsafe {
        let globals = (*frame).globals();
        let builtins = &*(*frame).builtins;
        if !PyDictObject::check_exact(globals.as_object()) || !PyDictObject::check_exact(builtins) {
            return give_up(pc);
        }
        let builtins = builtins.cast_unchecked::<PyDictObject>();
        let version = globals.keys_version();
        if version == 0 || globals.is_split() || globals.keys_table().is_general() {
            return give_up(pc);
        }
        if let Some(index) = globals.index_of_str(name) {
            set_high(pc, version);
            set_low(pc, index);
            set_opcode(pc, op::LOAD_GLOBAL_MODULE);
            return;
        }
        let builtins_version = builtins.keys_version();
        match builtins.index_of_str(name) {
            Some(index) if builtins_version != 0 => {
                set_high(pc, version);
                set_low(pc, index);
                set_word(pc, 2, u64::from(builtins_version) << 32);
                set_opcode(pc, op::LOAD_GLOBAL_BUILTIN);
            }
            _ => give_up(pc),
        }
    }
}

// ---- attributes ----

/// Where instances of the type have their dict: an offset, 0 for none.
fn dict_offset(ty: &PyTypeObject) -> Option<i64> {
    if ty.tp_flags.get() & Py_TPFLAGS_MANAGED_DICT != 0 {
        return Some(memory::MANAGED_DICT_OFFSET as i64);
    }
    match ty.tp_dictoffset.get() {
        offset if offset > 0 => Some(offset as i64),
        0 => Some(0),
        _ => None,
    }
}

fn is_generic_getattro(ty: &PyTypeObject) -> bool {
    ty.tp_getattro.get().is_some_and(|slot| {
        slot as usize == adder_runtime::protocol::attributes::generic_get_attr_slot as *const () as usize
    })
}

fn is_generic_setattro(ty: &PyTypeObject) -> bool {
    ty.tp_setattro.get().is_some_and(|slot| {
        slot as usize == adder_runtime::protocol::attributes::generic_set_attr_slot as *const () as usize
    })
}

#[inline(always)]
unsafe fn dict_at(object: &PyObject, offset: u64) -> *mut PyDictObject {
    // SAFETY: the type, guarded by its version, has its dict pointer there.
    unsafe {
        *object
            .as_ptr()
            .byte_offset(offset as i64 as isize)
            .cast::<*mut PyDictObject>()
    }
}

/// The value of `name` in a dict, at the entry `hint` if it is still there; borrowed or null.
#[inline(always)]
unsafe fn value_with_hint(dict: &PyDictObject, hint: u32, name: &PyUnicodeObject) -> *mut PyObject {
    let keys: &DictKeys = dict.keys_table();
    if !keys.is_general() && !dict.is_split() && (hint as isize) < keys.n_entries.get() {
        // SAFETY: a used entry of a table of strings.
        unsafe {
            let entry = keys.unicode_entry(hint as isize);
            if std::ptr::eq(entry.key.get(), name.as_ptr()) {
                return entry.value.get();
            }
        }
    }
    dict.borrow_str(name)
}

#[inline(always)]
unsafe fn version_matches(object: &PyObject, pc: *const u64) -> bool {
    // SAFETY: the instruction has an extension word with the version.
    unsafe { (*object.ob_type.get()).tp_version_tag.get() == (*pc.add(1) >> 32) as u32 }
}

/// LOAD_ATTR_INSTANCE: the low half is the number of the value among the inline values at the offset in word 2; borrowed or
/// null.
#[inline(always)]
pub unsafe fn inline_attribute(object: &PyObject, pc: *const u64, name: &PyUnicodeObject) -> *mut PyObject {
    // SAFETY: the version says that instances have inline values at the offset, and room for the number.
    unsafe {
        let (cache, values) = (*pc.add(1), *pc.add(2) as usize);
        let (version, index) = ((cache >> 32) as u32, cache as u32 as usize);
        match attribute::inline_value(&mut Direct, object.as_ptr(), version, values, index) {
            Ok(value) => value,
            Err(_) => attribute_in_dict(object, version, name),
        }
    }
}

/// The attribute of an instance whose `__dict__` has taken the values over; borrowed or null.
#[inline(never)]
unsafe fn attribute_in_dict(object: &PyObject, version: u32, name: &PyUnicodeObject) -> *mut PyObject {
    if object.ty().tp_version_tag.get() != version || instance::inline_values(object).valid.get() != 0 {
        return std::ptr::null_mut();
    }
    // SAFETY: the version says that there is a managed dict.
    unsafe {
        match instance::managed_dict_slot(object).get().as_ref() {
            Some(dict) => dict.borrow_str(name),
            None => std::ptr::null_mut(),
        }
    }
}

/// LOAD_ATTR_WITH_HINT: word 2 is the dict's offset; borrowed or null.
#[inline(always)]
pub unsafe fn dict_attribute(object: &PyObject, pc: *const u64, name: &PyUnicodeObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        if !version_matches(object, pc) {
            return std::ptr::null_mut();
        }
        let dict = dict_at(object, *pc.add(2));
        match dict.as_ref() {
            Some(dict) => value_with_hint(dict, *pc.add(1) as u32, name),
            None => std::ptr::null_mut(),
        }
    }
}

/// Word 2 of forms that must know that the instance has no attribute of that name.
const NO_DICT: u64 = 0;
const INLINE: u64 = 1;

/// Whether the instance has an attribute of its own called `name`: by the version of the shared keys in the low half of the
/// first word where it still holds.
#[inline(never)]
unsafe fn has_own(object: &PyObject, pc: *const u64, name: &PyUnicodeObject) -> bool {
    // SAFETY: the caller checked the type's version.
    unsafe {
        match *pc.add(2) {
            NO_DICT => false,
            INLINE => {
                let values = instance::inline_values(object);
                if values.valid.get() != 0 {
                    let keys = instance::shared_keys(object.ty());
                    let version = keys.version.get();
                    if version != 0 && version == *pc.add(1) as u32 {
                        return false;
                    }
                    return match instance::shared_index_of(object.ty(), name) {
                        Some(index) => !values.value(index as isize).get().is_null(),
                        None => false,
                    };
                }
                match instance::managed_dict_slot(object).get().as_ref() {
                    Some(dict) => !dict.borrow_str(name).is_null(),
                    None => false,
                }
            }
            offset => match dict_at(object, offset).as_ref() {
                Some(dict) => !dict.is_empty() && !dict.borrow_str(name).is_null(),
                None => false,
            },
        }
    }
}

/// LOAD_ATTR_TYPE_VALUE and LOAD_METHOD_CACHED: word 3 is what the type has, unless the instance hides it; borrowed or
/// null.
#[inline(always)]
pub unsafe fn type_value(object: &PyObject, pc: *const u64, name: &PyUnicodeObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        let (version, value) = ((*pc.add(1) >> 32) as u32, *pc.add(3) as *mut PyObject);
        if let Some(own) = own_of(pc) {
            if let Ok(value) = attribute::type_value(&mut Direct, object.as_ptr(), version, own, value) {
                return value;
            }
            if matches!(own, Own::Never) {
                return std::ptr::null_mut();
            }
        }
        if !version_matches(object, pc) || has_own(object, pc, name) {
            return std::ptr::null_mut();
        }
        value
    }
}

/// What a form that reads from the type knows of the instance's own attributes; `None`: it has a dict to look into.
///
/// # Safety
/// `pc` is at an instruction in such a form.
#[inline(always)]
pub unsafe fn own_of(pc: *const u64) -> Option<Own> {
    // SAFETY: the form has the words.
    unsafe {
        match *pc.add(2) {
            NO_DICT => Some(Own::Never),
            // Keys that changed have version 0, as has a cache whose keys have the name.
            INLINE => Some(*pc.add(1) as u32)
                .filter(|version| *version != 0)
                .map(Own::Keys),
            _ => None,
        }
    }
}

/// What word 2 (and the low half of word 1) of such a form must be for instances of the type; `None` when it cannot be
/// told.
unsafe fn own_attributes(pc: *const u64, ty: &PyTypeObject, name: &PyUnicodeObject) -> Option<u64> {
    // SAFETY: the caller's contract.
    unsafe {
        if ty.tp_flags.get() & Py_TPFLAGS_INLINE_VALUES != 0 {
            // Only keys without the name say that no instance has it.
            let missing = instance::shared_index_of(ty, name).is_none();
            set_low(
                pc,
                if missing {
                    instance::shared_keys(ty).version()
                } else {
                    0
                },
            );
            return Some(INLINE);
        }
        dict_offset(ty).map(|offset| offset as u64)
    }
}

/// LOAD_ATTR_MODULE and LOAD_METHOD_MODULE: keys version and entry in the first word.
#[inline(always)]
pub unsafe fn module_attribute(object: &PyObject, pc: *const u64) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        let (version, index) = ((*pc.add(1) >> 32) as u32, *pc.add(1) as u32 as usize);
        attribute::module_value(&mut Direct, object.as_ptr(), version, index).unwrap_or(std::ptr::null_mut())
    }
}

#[inline(always)]
pub unsafe fn load_attr(pc: *const u64, object: &PyObject, name: &PyUnicodeObject) {
    // SAFETY: the caller's contract.
    unsafe {
        if tick(pc) && !specialize_load_attr(pc, object, name) {
            give_up(pc);
        }
    }
}

unsafe fn specialize_module(pc: *const u64, object: &PyObject, name: &PyUnicodeObject, opcode: u8) -> bool {
    // SAFETY: the caller's contract.
    unsafe {
        let module = object.cast_unchecked::<PyModuleObject>();
        let Some(dict) = module.md_dict.get().cast::<PyDictObject>().as_ref() else {
            return false;
        };
        let version = dict.keys_version();
        match dict.index_of_str(name) {
            Some(index) if version != 0 => {
                set_high(pc, version);
                set_low(pc, index);
                set_opcode(pc, opcode);
                true
            }
            _ => false,
        }
    }
}

/// The offset of a `__slots__` member that may be read or written as an object pointer.
fn slot_offset(descriptor: &PyObject, ty: &PyTypeObject, write: bool) -> Option<u64> {
    if !std::ptr::eq(
        descriptor.ty(),
        &adder_runtime::objects::descrobject::PyMemberDescr_Type,
    ) {
        return None;
    }
    // SAFETY: the type is checked; member rows live as long as their types.
    unsafe {
        let descriptor = descriptor.cast_unchecked::<PyMemberDescrObject>();
        let member = &*descriptor.d_member.get();
        let owner = &*descriptor.d_common.d_type.get();
        let plain = member.r#type.get() == Py_T_OBJECT_EX
            && member.flags.get() & (Py_AUDIT_READ | Py_RELATIVE_OFFSET) == 0
            && !(write && member.flags.get() & Py_READONLY != 0);
        (plain && ty.is_subtype(owner)).then(|| member.offset.get() as u64)
    }
}

#[cold]
unsafe fn specialize_load_attr(pc: *const u64, object: &PyObject, name: &PyUnicodeObject) -> bool {
    // SAFETY: the caller's contract; cached pointers are guarded by the version of the type that owns them.
    unsafe {
        let ty = object.ty();
        if std::ptr::eq(ty, PyModuleObject::type_object()) {
            return is_module_getattro(ty) && specialize_module(pc, object, name, op::LOAD_ATTR_MODULE);
        }
        if std::ptr::eq(ty, PyTypeObject::type_object()) {
            return specialize_class_attr(pc, object.cast_unchecked(), name);
        }
        if !is_generic_getattro(ty) || !assign_version(ty) {
            return false;
        }
        let version = ty.tp_version_tag.get();
        let Some(offset) = dict_offset(ty) else {
            return false;
        };
        let descriptor = ty.lookup(name);
        if let Some(descriptor) = descriptor {
            let descriptor_type = descriptor.ty();
            if descriptor_type.tp_flags.get() & Py_TPFLAGS_IMMUTABLETYPE == 0 {
                // Its class may become a descriptor's, which no version of this type would tell.
                return false;
            }
            let is_data = descriptor_type.tp_descr_set.get().is_some();
            if is_data {
                if let Some(offset) = slot_offset(descriptor, ty, false) {
                    set_high(pc, version);
                    set_word(pc, 2, offset);
                    set_opcode(pc, op::LOAD_ATTR_SLOT);
                    return true;
                }
                return specialize_descriptor(pc, descriptor, ty, version, op::LOAD_ATTR_DESCRIPTOR)
                    || specialize_property(pc, descriptor, version);
            }
            if matches!(object.instance_attribute(name), Ok(None)) {
                if descriptor_type.tp_descr_get.get().is_some() {
                    return false;
                }
                let Some(own) = own_attributes(pc, ty, name) else {
                    return false;
                };
                set_high(pc, version);
                set_word(pc, 2, own);
                set_word(pc, 3, descriptor.as_ptr() as u64);
                set_opcode(pc, op::LOAD_ATTR_TYPE_VALUE);
                return true;
            }
        }
        if offset == 0 || !matches!(object.instance_attribute(name), Ok(Some(_))) {
            return false;
        }
        if let Some(index) = instance::shared_index_of(ty, name) {
            set_high(pc, version);
            set_low(pc, index);
            set_word(pc, 2, ty.tp_basicsize.get() as u64);
            set_opcode(pc, op::LOAD_ATTR_INSTANCE);
            return true;
        }
        let Some(dict) = object.instance_dict() else {
            return false;
        };
        set_high(pc, version);
        set_low(pc, dict.index_of_str(name).unwrap_or(u32::MAX));
        set_word(pc, 2, offset as u64);
        set_opcode(pc, op::LOAD_ATTR_WITH_HINT);
        true
    }
}

/// A getter, setter or member of a native type; false for other descriptors.
unsafe fn specialize_descriptor(
    pc: *const u64,
    descriptor: &PyObject,
    ty: &PyTypeObject,
    version: u32,
    opcode: u8,
) -> bool {
    let is_member = std::ptr::eq(
        descriptor.ty(),
        &adder_runtime::objects::descrobject::PyMemberDescr_Type,
    );
    let is_getset = std::ptr::eq(
        descriptor.ty(),
        &adder_runtime::objects::descrobject::PyGetSetDescr_Type,
    );
    if !is_member && !is_getset {
        return false;
    }
    // SAFETY: the type is checked; the version of the object's type says that its class keeps the descriptor.
    unsafe {
        if is_member {
            let member = &*descriptor.cast_unchecked::<PyMemberDescrObject>().d_member.get();
            if member.flags.get() & Py_AUDIT_READ != 0 {
                return false;
            }
        }
        // A class may have the descriptor of another one in its dict.
        let owner = &*descriptor.cast_unchecked::<PyDescrObject>().d_type.get();
        if !ty.is_subtype(owner) {
            return false;
        }
        set_high(pc, version);
        set_word(pc, 2, u64::from(is_member));
        set_word(pc, 3, descriptor.as_ptr() as u64);
        set_opcode(pc, opcode);
    }
    true
}

/// LOAD_ATTR_DESCRIPTOR: an owned value, `Err(Miss)` when the object is of another type.
#[inline(always)]
pub unsafe fn descriptor_value(
    object: &PyObject,
    pc: *const u64,
    name: &PyUnicodeObject,
) -> Result<*mut PyObject, Exit> {
    // SAFETY: the version says that the object's type has the descriptor, which is of the kind that word 2 says.
    unsafe {
        if !version_matches(object, pc) {
            return Err(Exit::Miss);
        }
        let descriptor = *pc.add(3) as *mut PyObject;
        let value = if *pc.add(2) == 0 {
            let def = &*(*descriptor.cast::<PyGetSetDescrObject>()).d_getset.get();
            match def.get.get() {
                Some(get) => get(object.as_ptr(), def.closure.get()),
                None => return Err(Exit::Miss),
            }
        } else {
            let member = &*(*descriptor.cast::<PyMemberDescrObject>()).d_member.get();
            adder_runtime::objects::structmember::get(object, member)
                .map_or(std::ptr::null_mut(), Ref::into_raw)
        };
        if value.is_null() {
            return Err(Exit::Raised(getter_failed(object, name)));
        }
        Ok(value)
    }
}

#[cold]
#[inline(never)]
fn getter_failed(object: &PyObject, name: &PyUnicodeObject) -> Raised {
    adder_runtime::protocol::attributes::with_attribute_context(Raised::from_c("getter"), object, name)
}

/// STORE_ATTR_DESCRIPTOR: `Err(Miss)` when the object is of another type.
#[inline(always)]
pub unsafe fn store_descriptor(object: &PyObject, pc: *const u64, value: &PyObject) -> Result<(), Exit> {
    // SAFETY: as in `descriptor_value`.
    unsafe {
        if !version_matches(object, pc) {
            return Err(Exit::Miss);
        }
        let descriptor = *pc.add(3) as *mut PyObject;
        if *pc.add(2) != 0 {
            let member = &*(*descriptor.cast::<PyMemberDescrObject>()).d_member.get();
            return adder_runtime::objects::structmember::set(object, member, Some(value))
                .map_err(Exit::Raised);
        }
        let def = &*(*descriptor.cast::<PyGetSetDescrObject>()).d_getset.get();
        match def.set.get() {
            Some(set) if set(object.as_ptr(), value.as_ptr(), def.closure.get()) == 0 => Ok(()),
            Some(_) => Err(Exit::Raised(Raised::from_c("setter"))),
            None => Err(Exit::Miss),
        }
    }
}

fn is_module_getattro(ty: &PyTypeObject) -> bool {
    ty.tp_getattro.get().is_some()
}

unsafe fn specialize_property(pc: *const u64, descriptor: &PyObject, version: u32) -> bool {
    // SAFETY: the caller's contract.
    unsafe {
        let property = descriptor.downcast_exact::<adder_runtime::objects::property::PyPropertyObject>();
        let Some(getter) = property.and_then(|property| property.fget()) else {
            return false;
        };
        if !std::ptr::eq(getter.ty(), &PyFunction_Type) {
            return false;
        }
        let function = getter.cast_unchecked::<PyFunctionObject>();
        let data = function.code().data();
        if !data.simple_arguments || data.n_args != 1 || function.code().is_generator_like() {
            return false;
        }
        let function_version = function.version();
        if function_version == 0 {
            return false;
        }
        set_high(pc, version);
        set_low(pc, function_version);
        set_word(pc, 2, getter.as_ptr() as u64);
        set_opcode(pc, op::LOAD_ATTR_PROPERTY);
        true
    }
}

unsafe fn specialize_class_attr(pc: *const u64, class: &PyTypeObject, name: &PyUnicodeObject) -> bool {
    // SAFETY: the caller's contract.
    unsafe {
        let metatype = class.as_object().ty();
        if metatype.lookup(name).is_some() || !assign_version(class) {
            return false;
        }
        let Some(value) = class.lookup(name) else {
            return false;
        };
        // What binds to the class is not a constant, except for functions, which stay themselves.
        if value.ty().tp_descr_get.get().is_some() && !std::ptr::eq(value.ty(), &PyFunction_Type) {
            return false;
        }
        set_high(pc, class.tp_version_tag.get());
        set_word(pc, 2, class.as_ptr() as u64);
        set_word(pc, 3, value.as_ptr() as u64);
        set_opcode(pc, op::LOAD_ATTR_CLASS);
        true
    }
}

#[inline(always)]
pub unsafe fn load_method(pc: *const u64, object: &PyObject, name: &PyUnicodeObject) {
    // SAFETY: the caller's contract.
    unsafe {
        if tick(pc) && !specialize_load_method(pc, object, name) {
            give_up(pc);
        }
    }
}

#[cold]
unsafe fn specialize_load_method(pc: *const u64, object: &PyObject, name: &PyUnicodeObject) -> bool {
    // SAFETY: the caller's contract.
    unsafe {
        let ty = object.ty();
        if std::ptr::eq(ty, PyModuleObject::type_object()) {
            return specialize_module(pc, object, name, op::LOAD_METHOD_MODULE);
        }
        if !is_generic_getattro(ty) || !assign_version(ty) {
            return false;
        }
        let Some(function) = ty.lookup(name) else {
            return false;
        };
        if function.ty().tp_flags.get() & Py_TPFLAGS_METHOD_DESCRIPTOR == 0
            || !matches!(object.instance_attribute(name), Ok(None))
        {
            return false;
        }
        let Some(own) = own_attributes(pc, ty, name) else {
            return false;
        };
        set_high(pc, ty.tp_version_tag.get());
        set_word(pc, 2, own);
        set_word(pc, 3, function.as_ptr() as u64);
        set_opcode(pc, op::LOAD_METHOD_CACHED);
        true
    }
}

#[inline(always)]
pub unsafe fn store_attr(pc: *const u64, object: &PyObject, name: &PyUnicodeObject) {
    // SAFETY: the caller's contract.
    unsafe {
        if tick(pc) && !specialize_store_attr(pc, object, name) {
            give_up(pc);
        }
    }
}

#[cold]
unsafe fn specialize_store_attr(pc: *const u64, object: &PyObject, name: &PyUnicodeObject) -> bool {
    // SAFETY: the caller's contract.
    unsafe {
        let ty = object.ty();
        if !is_generic_setattro(ty) || !assign_version(ty) {
            return false;
        }
        let version = ty.tp_version_tag.get();
        if let Some(descriptor) = ty.lookup(name) {
            if let Some(offset) = slot_offset(descriptor, ty, true) {
                set_high(pc, version);
                set_word(pc, 2, offset);
                set_opcode(pc, op::STORE_ATTR_SLOT);
                return true;
            }
            if descriptor.ty().tp_descr_set.get().is_some() {
                return specialize_descriptor(pc, descriptor, ty, version, op::STORE_ATTR_DESCRIPTOR);
            }
        }
        let Some(offset) = dict_offset(ty).filter(|offset| *offset != 0) else {
            return false;
        };
        if let Some(index) = instance::shared_index_of(ty, name) {
            set_high(pc, version);
            set_low(pc, index);
            set_word(pc, 2, ty.tp_basicsize.get() as u64);
            set_opcode(pc, op::STORE_ATTR_INSTANCE);
            return true;
        }
        if ty.tp_flags.get() & Py_TPFLAGS_INLINE_VALUES != 0 {
            return false;
        }
        let hint = object
            .instance_dict()
            .and_then(|dict| dict.index_of_str(name))
            .unwrap_or(u32::MAX);
        set_high(pc, version);
        set_low(pc, hint);
        set_word(pc, 2, offset as u64);
        set_opcode(pc, op::STORE_ATTR_WITH_HINT);
        true
    }
}

/// STORE_ATTR_INSTANCE: into the inline values; false on a miss. `value` is borrowed.
#[inline(always)]
pub unsafe fn store_inline_attribute(
    object: &PyObject,
    pc: *const u64,
    name: &PyUnicodeObject,
    value: *mut PyObject,
) -> bool {
    // SAFETY: the version says that instances have inline values at the offset, and room for the number.
    unsafe {
        let (version, index) = ((*pc.add(1) >> 32) as u32, *pc.add(1) as u32 as usize);
        let values = *pc.add(2) as usize;
        attribute::store_inline_value(&mut Direct, object.as_ptr(), version, values, index, value).is_ok()
            || store_in_dict(object, version, name, value)
    }
}

/// As `store_inline_attribute`, where a `__dict__` shares the values or has taken them over.
#[inline(never)]
unsafe fn store_in_dict(
    object: &PyObject,
    version: u32,
    name: &PyUnicodeObject,
    value: *mut PyObject,
) -> bool {
    if object.ty().tp_version_tag.get() != version {
        return false;
    }
    // SAFETY: the version says that there is a managed dict.
    unsafe {
        instance::set_attribute(object, name, Some(&*value))
            .map_err(Raised::clear)
            .is_ok()
    }
}

/// STORE_ATTR_WITH_HINT: into the dict; false on a miss. `value` is borrowed.
#[inline(always)]
pub unsafe fn store_dict_attribute(
    object: &PyObject,
    pc: *const u64,
    name: &PyUnicodeObject,
    value: *mut PyObject,
) -> bool {
    // SAFETY: the caller's contract.
    unsafe {
        if !version_matches(object, pc) {
            return false;
        }
        let dict = dict_at(object, *pc.add(2));
        let Some(dict) = dict.as_ref() else { return false };
        let keys = dict.keys_table();
        let hint = *pc.add(1) as u32;
        if !keys.is_general() && !dict.is_split() && (hint as isize) < keys.n_entries.get() {
            let entry = keys.unicode_entry(hint as isize);
            if std::ptr::eq(entry.key.get(), name.as_ptr()) && !entry.value.get().is_null() {
                dict.set_value_at(hint, Ref::from_borrowed(value));
                return true;
            }
        }
        // A new key, or one at another place: an insertion of a string cannot fail but for memory.
        dict.set_str(name, &*value).map_err(Raised::clear).is_ok()
    }
}

// ---- results of fast paths ----

#[inline(always)]
fn fast<T>(result: adder_semantics::Fast<T>) -> Option<T> {
    result.ok()
}

fn is_compact_int(object: &PyObject) -> bool {
    use adder_semantics::Machine;
    Direct.compact_int(object.as_ptr()).is_ok()
}

/// The count that a fast path made.
#[inline(always)]
fn owned(object: Option<*mut PyObject>) -> Option<Ref> {
    // SAFETY: fast paths return owned objects.
    object.map(|object| unsafe { Ref::from_owned(object) })
}

// ---- operators ----

#[inline(always)]
pub unsafe fn binary_op(pc: *const u64, x: u8, left: &PyObject, right: &PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        if tick(pc) {
            specialize_binary_op(pc, x, left, right);
        }
    }
}

#[cold]
unsafe fn specialize_binary_op(pc: *const u64, x: u8, left: &PyObject, right: &PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        let operator = arithmetic::plain(x);
        let float = |object: &PyObject| PyFloatObject::check_exact(object);
        let int = |object: &PyObject| is_compact_int(object);
        let opcode = if int(left) && int(right) {
            match operator {
                nb::ADD => op::BINARY_OP_ADD_INT,
                nb::SUBTRACT => op::BINARY_OP_SUBTRACT_INT,
                nb::MULTIPLY => op::BINARY_OP_MULTIPLY_INT,
                nb::AND
                | nb::OR
                | nb::XOR
                | nb::LSHIFT
                | nb::RSHIFT
                | nb::FLOOR_DIVIDE
                | nb::REMAINDER
                | nb::TRUE_DIVIDE => op::BINARY_OP_INT,
                _ => return give_up(pc),
            }
        } else if (float(left) && (float(right) || int(right))) || (int(left) && float(right)) {
            match operator {
                nb::ADD | nb::SUBTRACT | nb::MULTIPLY | nb::TRUE_DIVIDE => op::BINARY_OP_FLOAT,
                _ => return give_up(pc),
            }
        } else if operator == nb::ADD
            && PyUnicodeObject::check_exact(left)
            && PyUnicodeObject::check_exact(right)
        {
            op::BINARY_OP_ADD_STR
        } else {
            return give_up(pc);
        };
        set_opcode(pc, opcode);
    }
}

#[inline(always)]
pub fn add_int(left: &PyObject, right: &PyObject) -> Option<Ref> {
    owned(fast(arithmetic::int_add(
        &mut Direct,
        left.as_ptr(),
        right.as_ptr(),
    )))
}
#[inline(always)]
pub fn subtract_int(left: &PyObject, right: &PyObject) -> Option<Ref> {
    owned(fast(arithmetic::int_subtract(
        &mut Direct,
        left.as_ptr(),
        right.as_ptr(),
    )))
}
#[inline(always)]
pub fn multiply_int(left: &PyObject, right: &PyObject) -> Option<Ref> {
    owned(fast(arithmetic::int_multiply(
        &mut Direct,
        left.as_ptr(),
        right.as_ptr(),
    )))
}
#[inline]
pub fn other_int(x: u8, left: &PyObject, right: &PyObject) -> Option<Ref> {
    owned(fast(arithmetic::int_binary(
        &mut Direct,
        x,
        left.as_ptr(),
        right.as_ptr(),
    )))
}
/// Whether the operand is a float whose only count is the register that the instruction takes.
#[inline(always)]
pub unsafe fn is_dying_float(raw: u16, operand: *mut PyObject) -> bool {
    // SAFETY: a live operand.
    unsafe {
        raw & (SRC_CONST | SRC_TAKE) == SRC_TAKE
            && (*operand).ob_refcnt.get() == 1
            && std::ptr::eq((*operand).ob_type.get(), PyFloatObject::type_object())
    }
}
/// `left + right` of strings. `name = name + …`, where the variable holds the only other count of `left`, appends in
/// place.
///
/// # Safety
/// The registers and constants of the running frame.
#[inline]
pub unsafe fn add_str(
    regs: *mut *mut PyObject,
    pc: *const u64,
    a: u16,
    b: u16,
    c: u16,
    consts: *const *mut PyObject,
) -> Option<PyResult> {
    // SAFETY: the caller's contract.
    unsafe {
        let read = |raw: u16| {
            if raw & SRC_CONST != 0 {
                *consts.add((raw & SRC_INDEX) as usize)
            } else {
                *regs.add((raw & SRC_INDEX) as usize)
            }
        };
        let _ = pc;
        let (left, right) = (&*read(b), &*read(c));
        let left_str = left.downcast_exact::<PyUnicodeObject>()?;
        let right_str = right.downcast_exact::<PyUnicodeObject>()?;
        // The register that will be overwritten anyway may give its count away.
        let target_is_left = a != NO_REG && b & SRC_CONST == 0 && (b & SRC_INDEX) == a;
        let taken = b & (SRC_CONST | SRC_TAKE) == SRC_TAKE;
        if (target_is_left || taken) && left.ob_refcnt.get() == 1 && !left.is(right) {
            let register = regs.add((b & SRC_INDEX) as usize);
            let own =
                Ref::from_owned(std::ptr::replace(register, std::ptr::null_mut()).cast::<PyUnicodeObject>());
            return match PyUnicodeObject::append(own, right_str) {
                Ok(result) => {
                    // What the caller drops as its left operand: an immortal stand-in.
                    *register = none().as_ptr();
                    Some(Ok(result.into_object()))
                }
                Err(raised) => {
                    *register = none().as_ptr();
                    Some(Err(raised))
                }
            };
        }
        Some(left_str.concat(right_str).map(Ref::into_object))
    }
}

fn comparable(left: &PyObject, right: &PyObject) -> bool {
    fast(compare::compare(
        &mut Direct,
        Cmp::Eq,
        left.as_ptr(),
        right.as_ptr(),
    ))
    .is_some()
}

#[inline(always)]
pub unsafe fn compare_op(pc: *const u64, left: &PyObject, right: &PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        if tick(pc) {
            if comparable(left, right) {
                set_opcode(pc, op::COMPARE_OP_FAST)
            } else {
                give_up(pc)
            }
        }
    }
}

#[inline(always)]
pub unsafe fn compare_jump(pc: *const u64, left: &PyObject, right: &PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        if tick(pc) {
            if comparable(left, right) {
                set_opcode(pc, op::COMPARE_JUMP_FAST)
            } else {
                give_up(pc)
            }
        }
    }
}

#[inline(always)]
pub fn compare_fast(x: u8, left: &PyObject, right: &PyObject) -> Option<bool> {
    fast(compare::compare(
        &mut Direct,
        Cmp::from_number(x),
        left.as_ptr(),
        right.as_ptr(),
    ))
}

// ---- iteration ----

#[inline(always)]
pub unsafe fn for_iter(pc: *const u64, iterator: &PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        if !tick(pc) {
            return;
        }
        let ty = iterator.ty();
        let opcode = if std::ptr::eq(ty, &PyListIter_Type) {
            op::FOR_ITER_LIST
        } else if std::ptr::eq(ty, &PyTupleIter_Type) {
            op::FOR_ITER_TUPLE
        } else if std::ptr::eq(
            ty,
            adder_runtime::objects::rangeobject::PyRangeIterator::type_object(),
        ) {
            op::FOR_ITER_RANGE
        } else if crate::genobject::is_generator(iterator) {
            op::FOR_ITER_GENERATOR
        } else {
            return give_up(pc);
        };
        set_opcode(pc, opcode);
    }
}

/// The next item (owned), null at the end; `None` when the iterator is of another type.
#[inline(always)]
pub fn list_next(iterator: &PyObject) -> Option<*mut PyObject> {
    if !std::ptr::eq(iterator.ob_type.get(), &PyListIter_Type) {
        return None;
    }
    match iteration::list_next(&mut Direct, iterator.as_ptr(), &PyListIter_Type) {
        Ok(item) => Some(item),
        Err(_) => exhausted(iterator),
    }
}

#[inline(always)]
pub fn tuple_next(iterator: &PyObject) -> Option<*mut PyObject> {
    if !std::ptr::eq(iterator.ob_type.get(), &PyTupleIter_Type) {
        return None;
    }
    match iteration::tuple_next(&mut Direct, iterator.as_ptr(), &PyTupleIter_Type) {
        Ok(item) => Some(item),
        Err(_) => exhausted(iterator),
    }
}

/// The iterator's slot ends it: it gives its sequence back.
#[cold]
fn exhausted(iterator: &PyObject) -> Option<*mut PyObject> {
    match iterator.next() {
        Ok(Some(item)) => Some(item.into_raw()),
        Ok(None) => Some(std::ptr::null_mut()),
        Err(_) => None,
    }
}

#[inline(always)]
pub fn range_next(iterator: &PyObject) -> Option<*mut PyObject> {
    match iteration::range_next(&mut Direct, iterator.as_ptr()) {
        Ok(Some(item)) => Some(item),
        Ok(None) => Some(std::ptr::null_mut()),
        Err(_) => None,
    }
}

/// UNPACK_SEQUENCE of a tuple.
pub unsafe fn unpack_sequence(pc: *const u64, tuple: &PyObject, n: usize) {
    // SAFETY: the caller's contract.
    unsafe {
        if tick(pc) {
            if n == 2 && tuple.cast_unchecked::<PyTupleObject>().len() == 2 {
                set_opcode(pc, op::UNPACK_SEQUENCE_PAIR);
            } else {
                give_up(pc);
            }
        }
    }
}
