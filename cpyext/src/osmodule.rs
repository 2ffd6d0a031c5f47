//! osmodule.h, fileutils.h, pystrcmp.h, sysmodule's neighbours: paths, C strings, the file system's encoding.

use crate::export::{Void, put};
use adder_runtime::prelude::*;
use std::ffi::CStr;

/// `os.fspath`: str and bytes as they are, others by `__fspath__`.
pub fn fspath(path: &PyObject) -> PyResult {
    if PyUnicodeObject::check(path) || PyBytesObject::check(path) {
        return Ok(path.to_ref());
    }
    let Some(method) = path.lookup_special(identifier!("__fspath__"))? else {
        return Err(raise!(
            TypeError,
            "expected str, bytes or os.PathLike object, not {}",
            path.ty().name()
        ));
    };
    let result = method.call0()?;
    if PyUnicodeObject::check(&result) || PyBytesObject::check(&result) {
        return Ok(result);
    }
    Err(raise!(
        TypeError,
        "expected {}.__fspath__() to return str or bytes, not {}",
        path.ty().name(),
        result.ty().name()
    ))
}

/// The bytes of a path, without embedded zeros.
pub fn fs_bytes(path: &PyObject) -> PyResult<Ref<PyBytesObject>> {
    let path = fspath(path)?;
    let bytes = match path.downcast::<PyBytesObject>() {
        Ok(bytes) => bytes,
        Err(path) => match path.downcast::<PyUnicodeObject>() {
            Ok(text) => crate::unicodeobject::encode(&text, "utf-8", Some(c"surrogateescape"))?,
            Err(other) => {
                return Err(raise!(
                    TypeError,
                    "path should be string or bytes, not {}",
                    other.ty().name()
                ));
            }
        },
    };
    if bytes.as_bytes().contains(&0) {
        return Err(raise!(ValueError, "embedded null byte"));
    }
    Ok(bytes)
}

/// A path of C as text: UTF-8, other bytes as lone surrogates.
pub fn fs_text(path: &CStr) -> Ref<PyUnicodeObject> {
    PyUnicodeObject::from_code_points(&decode_surrogateescape(path.to_bytes()))
}

const CONVERTED: c_int = 0x20000;

/// A converter for `O&`: with NULL it gives back what it stored.
fn convert(
    object: *mut PyObject,
    place: *mut *mut PyObject,
    make: impl FnOnce(&PyObject) -> PyResult,
) -> c_int {
    // SAFETY: C gives an object or NULL, and a place.
    unsafe {
        let Some(object) = object.as_ref() else {
            drop(Ref::<PyObject>::from_owned_opt(
                place.replace(std::ptr::null_mut()),
            ));
            return 1;
        };
        match make(object) {
            Ok(made) => {
                put(place, made.into_raw());
                CONVERTED
            }
            Err(_) => 0,
        }
    }
}

pub fn fs_converter(object: *mut PyObject, place: *mut *mut PyObject) -> c_int {
    convert(object, place, |path| Ok(fs_bytes(path)?.into_object()))
}

pub fn fs_decoder(object: *mut PyObject, place: *mut *mut PyObject) -> c_int {
    convert(object, place, |path| {
        let path = fspath(path)?;
        let text = match path.downcast::<PyUnicodeObject>() {
            Ok(text) => text,
            Err(path) => {
                // SAFETY: fspath gave bytes; they are copied before anything runs.
                let bytes = unsafe { crate::memoryobject::bytes_of(&path) };
                crate::unicodeobject::decode(bytes, "utf-8", Some(c"surrogateescape"))?
            }
        };
        if text.code_points().any(|code| code == 0) {
            return Err(raise!(ValueError, "embedded null character"));
        }
        Ok(text.into_object())
    })
}

fn lower(byte: u8) -> c_int {
    c_int::from(byte.to_ascii_lowercase())
}

/// Compares two C strings without case, up to `limit` bytes.
fn compare_no_case(a: *const c_char, b: *const c_char, limit: isize) -> c_int {
    let mut at = 0;
    while at < limit {
        // SAFETY: C gives terminated strings; the loop stops at the first 0.
        let (x, y) = unsafe { (*a.offset(at) as u8, *b.offset(at) as u8) };
        if lower(x) != lower(y) || x == 0 {
            return lower(x) - lower(y);
        }
        at += 1;
    }
    0
}

/// `fgets` for which `\r`, `\n` and `\r\n` end a line and are read as `\n`.
///
/// # Safety
/// There is room for `size` bytes, and `file` is open.
unsafe fn universal_fgets(buffer: *mut c_char, size: c_int, file: *mut libc::FILE) -> *mut c_char {
    let mut n_read = 0;
    while n_read < size as isize - 1 {
        // SAFETY: the caller's contract.
        let mut c = unsafe { libc::fgetc(file) };
        if c == libc::EOF {
            break;
        }
        if c == c_int::from(b'\r') {
            // SAFETY: as above; one character may be put back.
            unsafe {
                let next = libc::fgetc(file);
                if next != c_int::from(b'\n') && next != libc::EOF {
                    libc::ungetc(next, file);
                }
            }
            c = c_int::from(b'\n');
        }
        // SAFETY: the caller's contract.
        unsafe { *buffer.offset(n_read) = c as c_char };
        n_read += 1;
        if c == c_int::from(b'\n') {
            break;
        }
    }
    // SAFETY: the caller's contract.
    unsafe { *buffer.offset(n_read) = 0 };
    if n_read == 0 { std::ptr::null_mut() } else { buffer }
}

capi! {
    /// A line of `input` with its end, in PyMem_Malloc memory: empty at the end, NULL when interrupted.
    fn PyOS_Readline(input: *mut libc::FILE, output: *mut libc::FILE, prompt: *const c_char) -> *mut c_char {
        let function = PyOS_ReadlineFunctionPointer.get();
        if !function.is_null() {
            type Readline = unsafe extern "C" fn(*mut libc::FILE, *mut libc::FILE, *const c_char) -> *mut c_char;
            // SAFETY: C gave a function of this kind, and gives its arguments.
            return unsafe { std::mem::transmute::<*mut c_void, Readline>(function)(input, output, prompt) };
        }
        if !prompt.is_null() {
            // SAFETY: a terminated text.
            let prompt = unsafe { CStr::from_ptr(prompt) };
            eprint!("{}", prompt.to_string_lossy());
        }
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            // SAFETY: C gives an open stream.
            match unsafe { libc::fgetc(input) } {
                libc::EOF => break,
                byte => line.push(byte as u8),
            }
        }
        // SAFETY: the block has room for the line and its end.
        unsafe {
            let copy = crate::pymem::PyMem_Malloc(line.len() + 1).cast::<u8>();
            if !copy.is_null() {
                std::ptr::copy_nonoverlapping(line.as_ptr(), copy, line.len());
                *copy.add(line.len()) = 0;
            }
            copy.cast()
        }
    }
    fn PyOS_FSPath(path: &PyObject) -> PyResult { fspath(path) }
    fn PyOS_mystricmp(a: *const c_char, b: *const c_char) -> c_int { compare_no_case(a, b, isize::MAX) }
    fn PyOS_mystrnicmp(a: *const c_char, b: *const c_char, limit: isize) -> c_int { compare_no_case(a, b, limit) }
    fn Py_UniversalNewlineFgets(buffer: *mut c_char, size: c_int, file: *mut libc::FILE, _object: *mut PyObject) -> *mut c_char {
        // SAFETY: C gives room for that many bytes and an open stream.
        unsafe { universal_fgets(buffer, size, file) }
    }
    fn Py_fopen(path: &PyObject, mode: &CStr) -> PyResult<*mut libc::FILE> {
        let bytes = fs_bytes(path)?;
        // SAFETY: bytes end with a 0.
        let file = unsafe { libc::fopen(bytes.data_ptr().cast(), mode.as_ptr()) };
        if file.is_null() { Err(crate::pyerrors::raise_errno(Some(path), None)) } else { Ok(file) }
    }
    fn Py_fclose(file: *mut libc::FILE) -> c_int {
        // SAFETY: C gives an open stream.
        unsafe { libc::fclose(file) }
    }
    /// A C string in the locale's encoding (UTF-8) as wide characters, in PyMem_RawMalloc memory.
    fn Py_DecodeLocale(text: &CStr, n_chars: *mut usize) -> *mut wchar_t {
        let chars: Vec<u32> = decode_surrogateescape(text.to_bytes());
        // SAFETY: malloc takes any size.
        let wide = unsafe { crate::pymem::PyMem_RawMalloc((chars.len() + 1) * size_of::<wchar_t>()) }.cast::<wchar_t>();
        if wide.is_null() {
            return wide;
        }
        // SAFETY: there is room for the characters and a 0; C gives a place or NULL.
        unsafe {
            for (char_idx, code) in chars.iter().enumerate() {
                *wide.add(char_idx) = *code as wchar_t;
            }
            *wide.add(chars.len()) = 0;
            if let Some(place) = n_chars.as_mut() {
                *place = chars.len();
            }
        }
        wide
    }
    fn Py_EncodeLocale(text: *const wchar_t, error_place: *mut usize) -> *mut c_char {
        let mut bytes = Vec::new();
        let mut char_idx = 0;
        // SAFETY: C gives a terminated wide string, and a place or NULL.
        unsafe {
            loop {
                let code = *text.add(char_idx) as u32;
                match char::from_u32(code) {
                    Some('\0') => break,
                    Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                    None if (0xdc80..=0xdcff).contains(&code) => bytes.push(code as u8),
                    None => {
                        if let Some(place) = error_place.as_mut() {
                            *place = char_idx;
                        }
                        return std::ptr::null_mut();
                    }
                }
                char_idx += 1;
            }
            let copy = crate::pymem::PyMem_Malloc(bytes.len() + 1).cast::<u8>();
            if !copy.is_null() {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len());
                *copy.add(bytes.len()) = 0;
            }
            copy.cast()
        }
    }
    fn _Py_BreakPoint() -> Void { Void }
}

/// UTF-8 with each undecodable byte as a lone surrogate.
fn decode_surrogateescape(mut bytes: &[u8]) -> Vec<u32> {
    let mut chars = Vec::new();
    loop {
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                chars.extend(text.chars().map(u32::from));
                return chars;
            }
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                chars.extend(
                    std::str::from_utf8(valid)
                        .unwrap_or_default()
                        .chars()
                        .map(u32::from),
                );
                chars.push(0xdc00 + u32::from(rest[0]));
                bytes = &rest[1..];
            }
        }
    }
}

/// The names of the file system's encoding, as variables that old code reads.
#[repr(transparent)]
pub struct CText(*const c_char);
impl CText {
    pub const fn new(text: &'static CStr) -> CText {
        CText(text.as_ptr())
    }
    pub const fn as_ptr(&self) -> *const c_char {
        self.0
    }
}
// SAFETY: it points to static text.
unsafe impl Sync for CText {}

#[unsafe(no_mangle)]
pub static Py_FileSystemDefaultEncoding: CText = CText(c"utf-8".as_ptr());
#[unsafe(no_mangle)]
pub static Py_FileSystemDefaultEncodeErrors: CText = CText(c"surrogateescape".as_ptr());
#[unsafe(no_mangle)]
pub static Py_HasFileSystemDefaultEncoding: c_int = 1;
#[unsafe(no_mangle)]
pub static Py_UTF8Mode: c_int = 1;
#[unsafe(no_mangle)]
pub static PyStructSequence_UnnamedField: CText = CText(c"unnamed field".as_ptr());

/// A pointer that C may set.
#[repr(transparent)]
pub struct CPointer(std::cell::Cell<*mut c_void>);
// SAFETY: set and read under the GIL.
unsafe impl Sync for CPointer {}
impl CPointer {
    pub const fn null() -> CPointer {
        CPointer(std::cell::Cell::new(std::ptr::null_mut()))
    }
    fn get(&self) -> *mut c_void {
        self.0.get()
    }
}
/// What reads lines in place of `PyOS_Readline`.
#[unsafe(no_mangle)]
pub static PyOS_ReadlineFunctionPointer: CPointer = CPointer::null();
