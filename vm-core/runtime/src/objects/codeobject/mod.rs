//! Code objects: `PyCodeObject` for C and Python, `CodeData` behind `adder_code` for the interpreter.
//!
//! Comes in: `CodeParts`, from the compiler's output, or checked, from marshal and `code.replace`. A code object never changes
//! after its creation, except for the interpreter's caches in `CodeData::words`.

use crate::memory;
use crate::objects::watchers;
use crate::prelude::*;
use std::cell::{Cell, OnceCell};
use std::mem::offset_of;

mod attributes;
mod lines;

pub use attributes::BYTES_PER_WORD;
pub use lines::{
    ExceptionHandler, Location, decode_exception_table, decode_linetable, encode_exception_table,
    encode_linetable,
};

/// What the interpreter runs: no object pointers of its own, the code object owns names and constants.
pub struct CodeData {
    /// Instruction and extension words. The interpreter specialises opcodes and fills caches in place.
    pub words: Box<[Cell<u64>]>,
    pub consts: *const *mut PyObject,
    pub names: *const *mut PyObject,
    /// `CO_FAST_*` bits of each `localsplus` entry.
    pub kinds: Box<[u8]>,
    pub n_localsplus: u32,
    /// All registers of a frame: `localsplus`, then temporaries.
    pub n_registers: u32,
    pub n_args: u32,
    pub n_kwonly: u32,
    pub n_posonly: u32,
    /// A call with exactly `n_args` positional arguments needs no binding.
    pub simple_arguments: bool,
    pub exceptions: Box<[ExceptionHandler]>,
    /// `co_linetable`, which the code object owns.
    linetable: *const PyBytesObject,
    firstlineno: i32,
    /// What `linetable` says, once somebody has asked.
    locations: OnceCell<Box<[Location]>>,
    /// Starts and counters for the JIT; null until there are any.
    pub jit: Cell<*mut c_void>,
    /// Counts runs of the code, for specialisation.
    pub warmth: Cell<u32>,
}

// SAFETY: touched only under the GIL.
unsafe impl Sync for CodeData {}
// SAFETY: as above.
unsafe impl Send for CodeData {}

impl CodeData {
    /// The handler that covers a word.
    #[inline]
    pub fn handler_at(&self, index: u32) -> Option<&ExceptionHandler> {
        let n = self.exceptions.partition_point(|entry| entry.start <= index);
        let entry = self.exceptions.get(n.checked_sub(1)?)?;
        (index < entry.end).then_some(entry)
    }
    /// Where the words come from, as runs in their order.
    pub fn locations(&self) -> &[Location] {
        self.locations.get_or_init(|| {
            // SAFETY: the code object owns the bytes as long as it has this data.
            let linetable = unsafe { &*self.linetable };
            decode_linetable(linetable.as_bytes(), self.firstlineno).into()
        })
    }
    /// Where a word comes from.
    pub fn location_at(&self, index: u32) -> Location {
        let locations = self.locations();
        match locations.partition_point(|run| run.start <= index) {
            0 => Location::NONE,
            n => locations[n - 1],
        }
    }
    /// The conditional jumps: (jump, where it goes on, where it leads), as word indices.
    pub fn branches(&self) -> Vec<[u32; 3]> {
        crate::hooks::get().map_or_else(Vec::new, |hooks| (hooks.code_branches)(self))
    }
    /// The words without caches and specialisations.
    pub fn pristine_words(&self) -> Vec<u64> {
        match crate::hooks::get() {
            Some(hooks) => (hooks.code_words)(self),
            None => self.words.iter().map(Cell::get).collect(),
        }
    }
}

/// Everything that a code object is made from.
pub struct CodeParts {
    pub argcount: i32,
    pub posonlyargcount: i32,
    pub kwonlyargcount: i32,
    /// Temporaries needed at most.
    pub stacksize: i32,
    pub flags: i32,
    pub firstlineno: i32,
    pub words: Vec<u64>,
    pub consts: Ref<PyTupleObject>,
    pub names: Ref<PyTupleObject>,
    pub localsplus_names: Ref<PyTupleObject>,
    pub localsplus_kinds: Vec<u8>,
    pub filename: Ref,
    pub name: Ref,
    pub qualname: Ref,
    pub exceptiontable: Ref<PyBytesObject>,
    pub linetable: Ref<PyBytesObject>,
}

/// `CO_FAST_*`.
pub const CO_FAST_HIDDEN: u8 = 0x10;
pub const CO_FAST_LOCAL: u8 = 0x20;
pub const CO_FAST_CELL: u8 = 0x40;
pub const CO_FAST_FREE: u8 = 0x80;

fn intern_all(names: &PyTupleObject) -> Ref<PyTupleObject> {
    let items = names
        .as_slice()
        .iter()
        .map(|name| match name.to_ref().downcast::<PyUnicodeObject>() {
            Ok(name) => PyUnicodeObject::intern(name).into_object(),
            Err(other) => other,
        });
    PyTupleObject::from_vec(items.collect())
}

fn intern_object(name: Ref) -> Ref {
    match name.downcast::<PyUnicodeObject>() {
        Ok(name) => PyUnicodeObject::intern(name).into_object(),
        Err(other) => other,
    }
}

impl PyCodeObject {
    /// From parts that anybody may have made. ValueError when they cannot run.
    pub fn from_foreign_parts(parts: CodeParts) -> PyResult<Ref<PyCodeObject>> {
        let Some(hooks) = crate::hooks::get() else {
            return Err(raise!(SystemError, "there is no interpreter to check code"));
        };
        (hooks.check_code)(&parts)?;
        PyCodeObject::from_parts(parts)
    }

    /// From parts that the compiler made. ValueError for an exception table that is none.
    pub fn from_parts(parts: CodeParts) -> PyResult<Ref<PyCodeObject>> {
        let Some(exceptions) = decode_exception_table(parts.exceptiontable.as_bytes()) else {
            return Err(raise!(ValueError, "code: co_exceptiontable is malformed"));
        };
        let names = intern_all(&parts.names);
        let localsplus = intern_all(&parts.localsplus_names);
        let n_localsplus = parts.localsplus_kinds.len() as u32;
        let count = |bit: u8| {
            parts
                .localsplus_kinds
                .iter()
                .filter(|kind| **kind & bit != 0)
                .count() as c_int
        };
        let simple = CO_OPTIMIZED | CO_NEWLOCALS;
        let data = Box::new(CodeData {
            words: parts.words.into_iter().map(Cell::new).collect(),
            consts: parts.consts.as_slice().as_ptr().cast(),
            names: names.as_slice().as_ptr().cast(),
            n_localsplus,
            n_registers: n_localsplus + parts.stacksize as u32,
            n_args: parts.argcount as u32,
            n_kwonly: parts.kwonlyargcount as u32,
            n_posonly: parts.posonlyargcount as u32,
            simple_arguments: parts.kwonlyargcount == 0
                && parts.flags & (CO_VARARGS | CO_VARKEYWORDS) == 0
                && parts.flags & simple == simple,
            exceptions: exceptions.into(),
            linetable: &raw const *parts.linetable,
            firstlineno: parts.firstlineno,
            locations: OnceCell::new(),
            jit: Cell::new(std::ptr::null_mut()),
            warmth: Cell::new(0),
            kinds: parts.localsplus_kinds.clone().into(),
        });
        let code = PyCodeObject::zeroed();
        code.co_flags.set(parts.flags);
        code.co_argcount.set(parts.argcount);
        code.co_posonlyargcount.set(parts.posonlyargcount);
        code.co_kwonlyargcount.set(parts.kwonlyargcount);
        code.co_stacksize.set(parts.stacksize);
        code.co_firstlineno.set(parts.firstlineno);
        code.co_nlocalsplus.set(n_localsplus as c_int);
        code.co_framesize.set(n_localsplus as c_int + parts.stacksize);
        code.co_nlocals.set(count(CO_FAST_LOCAL));
        code.co_ncellvars.set(count(CO_FAST_CELL));
        code.co_nfreevars.set(count(CO_FAST_FREE));
        code._co_firsttraceable.set(0);
        code.co_consts.set(parts.consts.into_object_raw());
        code.co_names.set(names.into_object_raw());
        code.co_localsplusnames.set(localsplus.into_object_raw());
        code.co_localspluskinds
            .set(PyBytesObject::from_slice(&parts.localsplus_kinds).into_object_raw());
        code.co_filename.set(intern_object(parts.filename).into_raw());
        code.co_name.set(intern_object(parts.name).into_raw());
        code.co_qualname.set(intern_object(parts.qualname).into_raw());
        code.co_linetable.set(parts.linetable.into_object_raw());
        code.co_exceptiontable.set(parts.exceptiontable.into_object_raw());
        code.adder_code.set(Box::into_raw(data).cast());
        let code = Ref::new(code)?;
        if watchers::CODE.is_active() {
            watchers::code_event(watchers::CodeEvent::Create, &code);
        }
        Ok(code)
    }

    /// The parts that would make an equal code object.
    pub fn to_parts(&self) -> CodeParts {
        let data = self.data();
        CodeParts {
            argcount: self.co_argcount.get(),
            posonlyargcount: self.co_posonlyargcount.get(),
            kwonlyargcount: self.co_kwonlyargcount.get(),
            stacksize: self.co_stacksize.get(),
            flags: self.co_flags.get(),
            firstlineno: self.co_firstlineno.get(),
            words: data.pristine_words(),
            consts: self.consts().to_ref(),
            names: self.names().to_ref(),
            localsplus_names: self.localsplus_names().to_ref(),
            localsplus_kinds: data.kinds.to_vec(),
            filename: self.filename().to_object(),
            name: self.name().to_object(),
            qualname: self.qualname().to_object(),
            exceptiontable: self.exceptiontable().to_ref(),
            linetable: self.linetable().to_ref(),
        }
    }

    #[inline(always)]
    pub fn data(&self) -> &CodeData {
        // SAFETY: set at creation, freed with the object.
        unsafe { &*self.adder_code.get().cast::<CodeData>() }
    }
    pub fn consts(&self) -> &PyTupleObject {
        // SAFETY: a tuple since creation.
        unsafe { &*self.co_consts.get().cast() }
    }
    pub fn linetable(&self) -> &PyBytesObject {
        // SAFETY: bytes since creation.
        unsafe { &*self.co_linetable.get().cast() }
    }
    pub fn exceptiontable(&self) -> &PyBytesObject {
        // SAFETY: bytes since creation.
        unsafe { &*self.co_exceptiontable.get().cast() }
    }
    pub fn names(&self) -> &PyTupleObject {
        // SAFETY: a tuple since creation.
        unsafe { &*self.co_names.get().cast() }
    }
    pub fn localsplus_names(&self) -> &PyTupleObject {
        // SAFETY: a tuple since creation.
        unsafe { &*self.co_localsplusnames.get().cast() }
    }
    pub fn filename(&self) -> &PyUnicodeObject {
        // SAFETY: a str since creation.
        unsafe { &*self.co_filename.get().cast() }
    }
    pub fn name(&self) -> &PyUnicodeObject {
        // SAFETY: a str since creation.
        unsafe { &*self.co_name.get().cast() }
    }
    pub fn qualname(&self) -> &PyUnicodeObject {
        // SAFETY: a str since creation.
        unsafe { &*self.co_qualname.get().cast() }
    }
    /// The name of a `localsplus` entry.
    pub fn local_name(&self, index: usize) -> &PyUnicodeObject {
        // SAFETY: names are str.
        unsafe { self.localsplus_names().as_slice()[index].cast_unchecked() }
    }
    /// The line of a word; the first line of the code for a negative index, `None` for an artificial instruction.
    pub fn line_at(&self, index: i32) -> Option<i32> {
        if index < 0 {
            return Some(self.co_firstlineno.get());
        }
        let line = self.data().location_at(index as u32).line;
        (line >= 0).then_some(line)
    }
    /// An owned `None`-like code for frames that have no source: no names, no constants.
    pub fn is_generator_like(&self) -> bool {
        self.co_flags.get() & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR) != 0
    }
}

/// Frees what C code attached to a code object: who attaches it says how.
pub static FREE_EXTRA: std::sync::OnceLock<unsafe fn(*mut c_void)> = std::sync::OnceLock::new();

/// Gives back a code object's memory.
pub(super) unsafe fn dealloc_code(this: *mut PyCodeObject) {
    // SAFETY: called once, by tp_dealloc; each field was owned.
    unsafe {
        let code = &*this;
        if watchers::CODE.is_active() {
            let tell = || watchers::code_event(watchers::CodeEvent::Destroy, code);
            if !watchers::tell_of_death(code.as_object(), tell) {
                return;
            }
        }
        if !code.co_weakreflist.get().is_null() {
            crate::objects::weakrefobject::clear_weakrefs(code.as_object());
        }
        let extra = code.co_extra.replace(std::ptr::null_mut());
        if !extra.is_null()
            && let Some(free) = FREE_EXTRA.get()
        {
            free(extra);
        }
        for field in [
            &code.co_consts,
            &code.co_names,
            &code.co_localsplusnames,
            &code.co_localspluskinds,
            &code.co_filename,
            &code.co_name,
            &code.co_qualname,
            &code.co_linetable,
            &code.co_exceptiontable,
        ] {
            memory::xdecref(field.replace(std::ptr::null_mut()));
        }
        drop(Box::from_raw(code.adder_code.get().cast::<CodeData>()));
        memory::free_object(this.cast());
    }
}

pub(super) const WEAKLIST_OFFSET: usize = offset_of!(PyCodeObject, co_weakreflist);
