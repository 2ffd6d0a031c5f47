//! What a C type is: size, alignment, libffi's description, the types that it is made of. Behind each class that a metatype of
//! `metatypes.rs` makes; static base classes and abstract ones have none.

use adder_runtime::prelude::*;
use libffi_sys as ffi;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::ptr::null_mut;

use super::metatypes::CTYPE_TYPE;

/// How instances of a type go into a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Struct,
    Union,
    Array,
    Pointer,
    Simple,
    Function,
}

pub const FUNCFLAG_CDECL: u32 = 0x1;
pub const FUNCFLAG_PYTHONAPI: u32 = 0x4;
pub const FUNCFLAG_USE_ERRNO: u32 = 0x8;
pub const FUNCFLAG_USE_LASTERROR: u32 = 0x10;
pub const TYPEFLAG_ISPOINTER: u32 = 0x100;
pub const TYPEFLAG_HASPOINTER: u32 = 0x200;
pub const TYPEFLAG_HASUNION: u32 = 0x400;
pub const TYPEFLAG_HASBITFIELD: u32 = 0x800;
/// The layout is settled: there are instances, or other types that contain it.
pub const FINAL: u32 = 0x1000;

/// A type made by a metatype: CPython's heap type, then what is ours.
#[repr(C)]
pub struct CType {
    pub heap: PyHeapTypeObject,
    pub info: Cell<*mut TypeInfo>,
}

pub struct TypeInfo {
    pub kind: Kind,
    pub size: Cell<usize>,
    pub align: Cell<usize>,
    /// Of an array; the number of fields of a structure.
    pub length: Cell<usize>,
    /// The character of a simple type, `s` and `U` for arrays of characters that are fields; 0 for none.
    pub code: Cell<u8>,
    pub swapped: Cell<bool>,
    pub flags: Cell<u32>,
    /// The item type of arrays and pointers.
    pub proto: ObjectCell,
    pub pointer_type: ObjectCell,
    /// Of function types.
    pub argtypes: ObjectCell<PyTupleObject>,
    pub converters: ObjectCell<PyTupleObject>,
    pub restype: ObjectCell,
    pub checker: ObjectCell,
    /// Array types of this type by length: weak references.
    pub arrays: ObjectCell<PyDictObject>,
    pub format: RefCell<std::ffi::CString>,
    pub shape: RefCell<Vec<isize>>,
    pub ffi: UnsafeCell<ffi::ffi_type>,
    elements: RefCell<Vec<*mut ffi::ffi_type>>,
    /// Descriptions made for arrays inside structures; libffi has pointers to them.
    #[allow(clippy::vec_box)]
    nested: RefCell<Vec<Box<Nested>>>,
}

struct Nested {
    ffi: UnsafeCell<ffi::ffi_type>,
    _elements: Vec<*mut ffi::ffi_type>,
}

/// Aggregates above this size go through memory on all our platforms, whatever is in them.
const MOST_DESCRIBED: usize = 64;

pub fn copy_of(kind: *const ffi::ffi_type) -> ffi::ffi_type {
    // SAFETY: a static of libffi.
    unsafe { std::ptr::read(kind) }
}

impl TypeInfo {
    pub fn new(kind: Kind, ffi: ffi::ffi_type, format: &str) -> TypeInfo {
        TypeInfo {
            kind,
            size: Cell::new(ffi.size),
            align: Cell::new(ffi.alignment as usize),
            length: Cell::new(0),
            code: Cell::new(0),
            swapped: Cell::new(false),
            flags: Cell::new(0),
            proto: ObjectCell::new(None),
            pointer_type: ObjectCell::new(None),
            argtypes: ObjectCell::new(None),
            converters: ObjectCell::new(None),
            restype: ObjectCell::new(None),
            checker: ObjectCell::new(None),
            arrays: ObjectCell::new(None),
            format: RefCell::new(c_string(format)),
            shape: RefCell::new(Vec::new()),
            ffi: UnsafeCell::new(ffi),
            elements: RefCell::new(Vec::new()),
            nested: RefCell::new(Vec::new()),
        }
    }
    /// A structure or union without fields.
    pub fn empty_aggregate(kind: Kind) -> TypeInfo {
        let ffi = ffi::ffi_type { size: 0, alignment: 1, type_: ffi::FFI_TYPE_STRUCT, elements: null_mut() };
        let info = TypeInfo::new(kind, ffi, "B");
        info.set_elements(Vec::new(), 0, 1);
        info
    }
    /// What a subclass without fields of its own has.
    pub fn inherited(&self) -> TypeInfo {
        let info = TypeInfo::empty_aggregate(self.kind);
        info.length.set(self.length.get());
        info.flags.set(self.flags.get() & !FINAL);
        *info.format.borrow_mut() = self.format.borrow().clone();
        let mut elements = self.elements.borrow().clone();
        elements.pop();
        info.set_elements(elements, self.size.get(), self.align.get());
        info
    }
    pub fn has(&self, flag: u32) -> bool {
        self.flags.get() & flag != 0
    }
    pub fn set_flag(&self, flag: u32) {
        self.flags.set(self.flags.get() | flag);
    }
    pub fn set_format(&self, format: &str) {
        *self.format.borrow_mut() = c_string(format);
    }
    pub fn format_text(&self) -> String {
        self.format.borrow().to_string_lossy().into_owned()
    }
    pub fn ffi(&self) -> *mut ffi::ffi_type {
        self.ffi.get()
    }
    /// The elements without the end.
    pub fn element_list(&self) -> Vec<*mut ffi::ffi_type> {
        let mut elements = self.elements.borrow().clone();
        elements.pop();
        elements
    }
    /// Describes an aggregate to libffi.
    pub fn set_elements(&self, mut elements: Vec<*mut ffi::ffi_type>, size: usize, align: usize) {
        if elements.is_empty() || size > MOST_DESCRIBED {
            elements = vec![&raw mut ffi::ffi_type_uint8];
        }
        elements.push(null_mut());
        self.size.set(size);
        self.align.set(align);
        *self.elements.borrow_mut() = elements;
        // SAFETY: nobody else holds a reference into the cell.
        unsafe {
            *self.ffi.get() = ffi::ffi_type {
                size,
                alignment: align as u16,
                type_: ffi::FFI_TYPE_STRUCT,
                elements: self.elements.borrow_mut().as_mut_ptr(),
            };
        }
    }
    /// How a field of this type is described inside `whole`: an array is its items there, not a pointer.
    pub fn as_element_of(&self, whole: &TypeInfo) -> *mut ffi::ffi_type {
        if self.kind != Kind::Array {
            return self.ffi();
        }
        let item = self.proto.borrow().and_then(info_of_object);
        let mut elements = match item {
            Some(item) if self.size.get() <= MOST_DESCRIBED => vec![item.as_element_of(whole); self.length.get()],
            _ => vec![&raw mut ffi::ffi_type_uint8],
        };
        if elements.is_empty() {
            elements.push(&raw mut ffi::ffi_type_uint8);
        }
        elements.push(null_mut());
        let nested = Box::new(Nested {
            ffi: UnsafeCell::new(ffi::ffi_type {
                size: self.size.get(),
                alignment: self.align.get() as u16,
                type_: ffi::FFI_TYPE_STRUCT,
                elements: elements.as_mut_ptr(),
            }),
            _elements: elements,
        });
        let pointer = nested.ffi.get();
        whole.nested.borrow_mut().push(nested);
        pointer
    }
    pub fn visit(&self, visitor: &Visitor) -> c_int {
        for cell in [&self.proto, &self.pointer_type, &self.restype, &self.checker] {
            let status = cell.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        for cell in [&self.argtypes, &self.converters] {
            let status = cell.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        self.arrays.visit(visitor)
    }
    pub fn clear(&self) {
        for cell in [&self.proto, &self.pointer_type, &self.restype, &self.checker] {
            cell.set(None);
        }
        self.argtypes.set(None);
        self.converters.set(None);
        self.arrays.set(None);
    }
}

pub fn c_string(text: &str) -> std::ffi::CString {
    std::ffi::CString::new(text.replace('\0', "")).unwrap_or_default()
}

/// What a class is in C; `None` for what is no C type, and for abstract ones.
pub fn info_of(ty: &PyTypeObject) -> Option<&TypeInfo> {
    if !ty.has_flag(Py_TPFLAGS_HEAPTYPE) || !ty.as_object().ty().is_subtype(&CTYPE_TYPE) {
        return None;
    }
    // SAFETY: all instances of the metatype that are heap types have its layout; the info lives as long as the type.
    unsafe { (*(ty as *const PyTypeObject).cast::<CType>()).info.get().as_ref() }
}

pub fn info_of_object(object: &PyObject) -> Option<&TypeInfo> {
    info_of(object.downcast_type()?)
}

/// What an instance's class is in C: concrete classes have it.
pub fn instance_info(object: &PyObject) -> PyResult<&'static TypeInfo> {
    info_of(object.ty()).ok_or_else(abstract_class)
}

#[cold]
pub fn abstract_class() -> Raised {
    raise!(TypeError, "abstract class")
}
