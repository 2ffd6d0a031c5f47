//! The table of exception types -> static types, the pointers that C knows (`PyExc_…`), the names in `exc`, and the order
//! in which they are readied. Types with methods or fields of their own are declared beside them.

use super::base::{_PyExc_BaseException, base_new, base_vectorcall};
use super::fields::*;
use super::group::{_PyExc_BaseExceptionGroup, _PyExc_ExceptionGroup};
use super::os_error::_PyExc_OSError;
use super::syntax::_PyExc_SyntaxError;
use super::unicode::{_PyExc_UnicodeDecodeError, _PyExc_UnicodeEncodeError, _PyExc_UnicodeTranslateError};
use crate::prelude::*;
use std::ffi::CStr;

/// A `PyExc_…` symbol: the address of an exception type.
#[repr(transparent)]
pub struct ExcPtr(*mut PyObject);

// SAFETY: the pointer is to an immortal static and never changes.
unsafe impl Sync for ExcPtr {}

impl ExcPtr {
    const fn new(ty: *const PyTypeObject) -> ExcPtr {
        ExcPtr(ty.cast_mut().cast())
    }
    pub fn get(&self) -> *mut PyObject {
        self.0
    }
}

const fn plain(
    name: &'static CStr,
    doc: &'static CStr,
    base: *const PyTypeObject,
    size: usize,
) -> PyTypeObject {
    PyTypeObject {
        ob_base: PyVarObject::immortal((&raw const crate::types::PyType_Type).cast_mut(), 0),
        tp_name: Cell::new(name.as_ptr()),
        tp_doc: Cell::new(doc.as_ptr()),
        tp_basicsize: Cell::new(size as isize),
        tp_flags: Cell::new(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_BASETYPE),
        tp_base: Cell::new(base.cast_mut()),
        ..PyTypeObject::zeroed()
    }
}

/// A type that adds nothing to BaseException.
const fn simple(name: &'static CStr, doc: &'static CStr, base: *const PyTypeObject) -> PyTypeObject {
    PyTypeObject {
        tp_new: Cell::new(Some(base_new)),
        tp_vectorcall: Cell::new(Some(base_vectorcall)),
        ..plain(name, doc, base, size_of::<PyBaseExceptionObject>())
    }
}

/// The text and its end, as a C string.
const fn c_text(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a name or docstring without its end"),
    }
}

macro_rules! simple_types {
    ($($static_name:ident $name:ident($base:ident): $doc:literal;)*) => {$(
        #[doc = $doc]
        pub static $static_name: PyTypeObject =
            simple(c_text(concat!(stringify!($name), "\0")), c_text(concat!($doc, "\0")), &raw const $base);
    )*};
}

/// Types that differ from their base by name only, with its struct.
macro_rules! derived_types {
    ($($static_name:ident $name:ident($base:ident, $layout:ident): $doc:literal;)*) => {$(
        #[doc = $doc]
        pub static $static_name: PyTypeObject = plain(
            c_text(concat!(stringify!($name), "\0")), c_text(concat!($doc, "\0")), &raw const $base, size_of::<$layout>(),
        );
    )*};
}

simple_types! {
    _PyExc_Exception Exception(_PyExc_BaseException): "The class from which all exceptions but those that end the program derive.";
    _PyExc_GeneratorExit GeneratorExit(_PyExc_BaseException): "A generator is asked to end.";
    _PyExc_KeyboardInterrupt KeyboardInterrupt(_PyExc_BaseException): "The user interrupted the program.";
    _PyExc_StopAsyncIteration StopAsyncIteration(_PyExc_Exception): "The end of an asynchronous iteration.";
    _PyExc_ArithmeticError ArithmeticError(_PyExc_Exception): "Arithmetic failed.";
    _PyExc_FloatingPointError FloatingPointError(_PyExc_ArithmeticError): "A floating-point operation failed.";
    _PyExc_OverflowError OverflowError(_PyExc_ArithmeticError): "A result is too large.";
    _PyExc_ZeroDivisionError ZeroDivisionError(_PyExc_ArithmeticError): "Division by zero.";
    _PyExc_AssertionError AssertionError(_PyExc_Exception): "An assertion does not hold.";
    _PyExc_BufferError BufferError(_PyExc_Exception): "A buffer operation is not possible.";
    _PyExc_EOFError EOFError(_PyExc_Exception): "The input ended.";
    _PyExc_LookupError LookupError(_PyExc_Exception): "There is no such index or key.";
    _PyExc_IndexError IndexError(_PyExc_LookupError): "An index is out of range.";
    _PyExc_ReferenceError ReferenceError(_PyExc_Exception): "The object of a weak reference proxy is gone.";
    _PyExc_RuntimeError RuntimeError(_PyExc_Exception): "An error that fits no other class.";
    _PyExc_NotImplementedError NotImplementedError(_PyExc_RuntimeError): "A method is to be implemented by a subclass.";
    _PyExc_PythonFinalizationError PythonFinalizationError(_PyExc_RuntimeError): "The operation is not possible any more: the interpreter shuts down.";
    _PyExc_RecursionError RecursionError(_PyExc_RuntimeError): "Calls are nested too deeply.";
    _PyExc_SystemError SystemError(_PyExc_Exception): "An error within the interpreter.";
    _PyExc_TypeError TypeError(_PyExc_Exception): "An operation got an object of a type that does not fit.";
    _PyExc_ValueError ValueError(_PyExc_Exception): "An operation got a value that does not fit.";
    _PyExc_UnicodeError UnicodeError(_PyExc_ValueError): "Encoding or decoding of text failed.";
    _PyExc_Warning Warning(_PyExc_Exception): "The class from which warning categories derive.";
    _PyExc_BytesWarning BytesWarning(_PyExc_Warning): "Warnings about mixing bytes and text.";
    _PyExc_DeprecationWarning DeprecationWarning(_PyExc_Warning): "Warnings about features that will go.";
    _PyExc_EncodingWarning EncodingWarning(_PyExc_Warning): "Warnings about encodings.";
    _PyExc_FutureWarning FutureWarning(_PyExc_Warning): "Warnings about constructs whose meaning will change.";
    _PyExc_ImportWarning ImportWarning(_PyExc_Warning): "Warnings about probable mistakes in imports.";
    _PyExc_PendingDeprecationWarning PendingDeprecationWarning(_PyExc_Warning): "Warnings about features that will be deprecated.";
    _PyExc_ResourceWarning ResourceWarning(_PyExc_Warning): "Warnings about resources that were not released.";
    _PyExc_RuntimeWarning RuntimeWarning(_PyExc_Warning): "Warnings about dubious behaviour at run time.";
    _PyExc_SyntaxWarning SyntaxWarning(_PyExc_Warning): "Warnings about dubious syntax.";
    _PyExc_UnicodeWarning UnicodeWarning(_PyExc_Warning): "Warnings about text conversions.";
    _PyExc_UserWarning UserWarning(_PyExc_Warning): "Warnings made by user code.";
}

derived_types! {
    _PyExc_ModuleNotFoundError ModuleNotFoundError(_PyExc_ImportError, PyImportErrorObject): "There is no such module.";
    _PyExc_UnboundLocalError UnboundLocalError(_PyExc_NameError, PyNameErrorObject): "A local variable is used before it is bound.";
    _PyExc_BlockingIOError BlockingIOError(_PyExc_OSError, PyOSErrorObject): "The operation would block.";
    _PyExc_ChildProcessError ChildProcessError(_PyExc_OSError, PyOSErrorObject): "An operation on a child process failed.";
    _PyExc_ConnectionError ConnectionError(_PyExc_OSError, PyOSErrorObject): "A connection failed.";
    _PyExc_BrokenPipeError BrokenPipeError(_PyExc_ConnectionError, PyOSErrorObject): "The other end of the pipe is closed.";
    _PyExc_ConnectionAbortedError ConnectionAbortedError(_PyExc_ConnectionError, PyOSErrorObject): "The peer aborted the connection.";
    _PyExc_ConnectionRefusedError ConnectionRefusedError(_PyExc_ConnectionError, PyOSErrorObject): "The peer refused the connection.";
    _PyExc_ConnectionResetError ConnectionResetError(_PyExc_ConnectionError, PyOSErrorObject): "The peer reset the connection.";
    _PyExc_FileExistsError FileExistsError(_PyExc_OSError, PyOSErrorObject): "The file or directory exists already.";
    _PyExc_FileNotFoundError FileNotFoundError(_PyExc_OSError, PyOSErrorObject): "There is no such file or directory.";
    _PyExc_InterruptedError InterruptedError(_PyExc_OSError, PyOSErrorObject): "A signal interrupted the operation.";
    _PyExc_IsADirectoryError IsADirectoryError(_PyExc_OSError, PyOSErrorObject): "The operation is not for directories.";
    _PyExc_NotADirectoryError NotADirectoryError(_PyExc_OSError, PyOSErrorObject): "The operation is for directories.";
    _PyExc_PermissionError PermissionError(_PyExc_OSError, PyOSErrorObject): "The access rights do not allow the operation.";
    _PyExc_ProcessLookupError ProcessLookupError(_PyExc_OSError, PyOSErrorObject): "There is no such process.";
    _PyExc_TimeoutError TimeoutError(_PyExc_OSError, PyOSErrorObject): "The operation timed out.";
    _PyExc_IndentationError IndentationError(_PyExc_SyntaxError, PySyntaxErrorObject): "The indentation is wrong.";
    _PyExc_TabError TabError(_PyExc_IndentationError, PySyntaxErrorObject): "Tabs and spaces are mixed.";
    _PyExc__IncompleteInputError _IncompleteInputError(_PyExc_SyntaxError, PySyntaxErrorObject): "The input is incomplete.";
}

/// The names by which Rust and C code know the types, bases before what derives from them.
macro_rules! names {
    ($($name:ident $static_name:ident $pointer:ident;)*) => {
        /// The exception types by their Python names.
        pub mod exc {
            use crate::abi::PyTypeObject;
            $(pub static $name: &PyTypeObject = &super::$static_name;)*
        }
        $(
            #[unsafe(no_mangle)]
            pub static $pointer: ExcPtr = ExcPtr::new(&raw const $static_name);
        )*
        /// All exception types, bases first.
        pub static TYPES: &[&PyTypeObject] = &[$(&$static_name,)*];
    };
}

names! {
    BaseException _PyExc_BaseException PyExc_BaseException;
    Exception _PyExc_Exception PyExc_Exception;
    BaseExceptionGroup _PyExc_BaseExceptionGroup PyExc_BaseExceptionGroup;
    ExceptionGroup _PyExc_ExceptionGroup PyExc_ExceptionGroup;
    GeneratorExit _PyExc_GeneratorExit PyExc_GeneratorExit;
    KeyboardInterrupt _PyExc_KeyboardInterrupt PyExc_KeyboardInterrupt;
    SystemExit _PyExc_SystemExit PyExc_SystemExit;
    StopIteration _PyExc_StopIteration PyExc_StopIteration;
    StopAsyncIteration _PyExc_StopAsyncIteration PyExc_StopAsyncIteration;
    ArithmeticError _PyExc_ArithmeticError PyExc_ArithmeticError;
    FloatingPointError _PyExc_FloatingPointError PyExc_FloatingPointError;
    OverflowError _PyExc_OverflowError PyExc_OverflowError;
    ZeroDivisionError _PyExc_ZeroDivisionError PyExc_ZeroDivisionError;
    AssertionError _PyExc_AssertionError PyExc_AssertionError;
    BufferError _PyExc_BufferError PyExc_BufferError;
    EOFError _PyExc_EOFError PyExc_EOFError;
    AttributeError _PyExc_AttributeError PyExc_AttributeError;
    ImportError _PyExc_ImportError PyExc_ImportError;
    NameError _PyExc_NameError PyExc_NameError;
    MemoryError _PyExc_MemoryError PyExc_MemoryError;
    OSError _PyExc_OSError PyExc_OSError;
    SyntaxError _PyExc_SyntaxError PyExc_SyntaxError;
    LookupError _PyExc_LookupError PyExc_LookupError;
    KeyError _PyExc_KeyError PyExc_KeyError;
    IndexError _PyExc_IndexError PyExc_IndexError;
    ReferenceError _PyExc_ReferenceError PyExc_ReferenceError;
    RuntimeError _PyExc_RuntimeError PyExc_RuntimeError;
    NotImplementedError _PyExc_NotImplementedError PyExc_NotImplementedError;
    PythonFinalizationError _PyExc_PythonFinalizationError PyExc_PythonFinalizationError;
    RecursionError _PyExc_RecursionError PyExc_RecursionError;
    SystemError _PyExc_SystemError PyExc_SystemError;
    TypeError _PyExc_TypeError PyExc_TypeError;
    ValueError _PyExc_ValueError PyExc_ValueError;
    UnicodeError _PyExc_UnicodeError PyExc_UnicodeError;
    UnicodeDecodeError _PyExc_UnicodeDecodeError PyExc_UnicodeDecodeError;
    UnicodeEncodeError _PyExc_UnicodeEncodeError PyExc_UnicodeEncodeError;
    UnicodeTranslateError _PyExc_UnicodeTranslateError PyExc_UnicodeTranslateError;
    Warning _PyExc_Warning PyExc_Warning;
    BytesWarning _PyExc_BytesWarning PyExc_BytesWarning;
    DeprecationWarning _PyExc_DeprecationWarning PyExc_DeprecationWarning;
    EncodingWarning _PyExc_EncodingWarning PyExc_EncodingWarning;
    FutureWarning _PyExc_FutureWarning PyExc_FutureWarning;
    ImportWarning _PyExc_ImportWarning PyExc_ImportWarning;
    PendingDeprecationWarning _PyExc_PendingDeprecationWarning PyExc_PendingDeprecationWarning;
    ResourceWarning _PyExc_ResourceWarning PyExc_ResourceWarning;
    RuntimeWarning _PyExc_RuntimeWarning PyExc_RuntimeWarning;
    SyntaxWarning _PyExc_SyntaxWarning PyExc_SyntaxWarning;
    UnicodeWarning _PyExc_UnicodeWarning PyExc_UnicodeWarning;
    UserWarning _PyExc_UserWarning PyExc_UserWarning;
    ModuleNotFoundError _PyExc_ModuleNotFoundError PyExc_ModuleNotFoundError;
    UnboundLocalError _PyExc_UnboundLocalError PyExc_UnboundLocalError;
    BlockingIOError _PyExc_BlockingIOError PyExc_BlockingIOError;
    ChildProcessError _PyExc_ChildProcessError PyExc_ChildProcessError;
    ConnectionError _PyExc_ConnectionError PyExc_ConnectionError;
    BrokenPipeError _PyExc_BrokenPipeError PyExc_BrokenPipeError;
    ConnectionAbortedError _PyExc_ConnectionAbortedError PyExc_ConnectionAbortedError;
    ConnectionRefusedError _PyExc_ConnectionRefusedError PyExc_ConnectionRefusedError;
    ConnectionResetError _PyExc_ConnectionResetError PyExc_ConnectionResetError;
    FileExistsError _PyExc_FileExistsError PyExc_FileExistsError;
    FileNotFoundError _PyExc_FileNotFoundError PyExc_FileNotFoundError;
    InterruptedError _PyExc_InterruptedError PyExc_InterruptedError;
    IsADirectoryError _PyExc_IsADirectoryError PyExc_IsADirectoryError;
    NotADirectoryError _PyExc_NotADirectoryError PyExc_NotADirectoryError;
    PermissionError _PyExc_PermissionError PyExc_PermissionError;
    ProcessLookupError _PyExc_ProcessLookupError PyExc_ProcessLookupError;
    TimeoutError _PyExc_TimeoutError PyExc_TimeoutError;
    IndentationError _PyExc_IndentationError PyExc_IndentationError;
    TabError _PyExc_TabError PyExc_TabError;
    _IncompleteInputError _PyExc__IncompleteInputError PyExc_IncompleteInputError;
}

/// `OSError` by its old names.
#[unsafe(no_mangle)]
pub static PyExc_EnvironmentError: ExcPtr = ExcPtr::new(&raw const _PyExc_OSError);
#[unsafe(no_mangle)]
pub static PyExc_IOError: ExcPtr = ExcPtr::new(&raw const _PyExc_OSError);
