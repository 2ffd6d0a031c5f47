//! LAYOUT, CONSTANTS and byte images -> compared with what CPython 3.14's own headers say, by compiling C against them.
//!
//! The headers are found under `$ORACLE_ROOT` or `~/.cache/adder-oracle`; without them the tests say that they are skipped.
#![allow(clippy::undocumented_unsafe_blocks)] // one argument for all: the C side only reads images that outlive the call

use adder_runtime::TypedObject;
use adder_runtime::abi::*;
use std::ffi::{CStr, CString, c_char, c_int, c_long, c_void};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr::null_mut;

fn oracle_headers() -> Option<PathBuf> {
    let root = std::env::var_os("ORACLE_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/adder-oracle")))?;
    let headers = root.join("headers");
    if headers.join("python3.14/Python.h").exists() {
        return Some(headers);
    }
    println!("skipped: no CPython 3.14 headers under {}", headers.display());
    None
}

const PRELUDE: &str = "
#define Py_BUILD_CORE 1
#define NDEBUG 1
#include <Python.h>
#include <datetime.h>
#include <structmember.h>
#include <internal/pycore_frame.h>
#include <internal/pycore_interpframe_structs.h>
#include <internal/pycore_moduleobject.h>
#include <internal/pycore_gc.h>
typedef struct { const char *what; const char *name; long long a, b; } Row;
";

/// Compiles a C text against the headers and opens the result.
fn compile(headers: &Path, stem: &str, text: &str) -> *mut c_void {
    let dir = std::env::temp_dir().join(format!("adder-abi-{}-{stem}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let (source, library) = (dir.join("probe.c"), dir.join("probe.so"));
    std::fs::write(&source, format!("{PRELUDE}{text}")).unwrap();
    let python = headers.join("python3.14");
    let output = Command::new("cc")
        .args(["-std=c11", "-O1", "-w", "-shared", "-fPIC"])
        .arg("-I")
        .arg(&python)
        .arg("-I")
        .arg(python.join("internal"))
        .arg("-I")
        .arg(headers)
        .arg(&source)
        .arg("-o")
        .arg(&library)
        .output()
        .expect("cc runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let path = CString::new(library.to_str().unwrap()).unwrap();
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY) };
    assert!(
        !handle.is_null(),
        "{}",
        unsafe { CStr::from_ptr(libc::dlerror()) }.to_string_lossy()
    );
    std::fs::remove_dir_all(&dir).ok();
    handle
}

fn symbol(handle: *mut c_void, name: &str) -> *mut c_void {
    let c_name = CString::new(name).unwrap();
    let address = unsafe { libc::dlsym(handle, c_name.as_ptr()) };
    assert!(!address.is_null(), "{name} is not in the probe");
    address
}

#[repr(C)]
struct Row {
    what: *const c_char,
    name: *const c_char,
    a: i64,
    b: i64,
}

/// The field's name in C.
fn c_field(field: &'static str) -> &'static str {
    match field.trim_start_matches("r#") {
        "adder_code" => "co_code_adaptive",
        name => name,
    }
}

#[test]
fn structs_and_constants_are_those_of_the_headers() {
    let Some(headers) = oracle_headers() else { return };
    let mut text = String::from("Row rows[] = {\n");
    let mut expected = Vec::new();
    for layout in LAYOUT
        .iter()
        .flat_map(|group| group.iter())
        .filter(|layout| !layout.c_name.is_empty())
    {
        let c_name = layout.c_name;
        text.push_str(&format!("{{\"size\", \"{c_name}\", sizeof({c_name}), 0}},\n"));
        expected.push((layout.size as i64, 0));
        for field in layout.fields {
            let name = c_field(field.name);
            // Our own pointer stands where an open array begins: only the place can be compared.
            let size = if field.name == "adder_code" {
                "8".to_string()
            } else {
                format!("sizeof((({c_name}*)0)->{name})")
            };
            text.push_str(&format!(
                "{{\"field\", \"{c_name}.{name}\", offsetof({c_name}, {name}), {size}}},\n"
            ));
            expected.push((field.offset as i64, field.size as i64));
        }
    }
    for &(name, value) in CONSTANTS.iter().flat_map(|group| group.iter()) {
        text.push_str(&format!(
            "{{\"constant\", \"{name}\", (long long)({name}), 0}},\n"
        ));
        expected.push((value as i64, 0));
    }
    text.push_str("};\n");
    let handle = compile(&headers, "layout", &text);
    let rows = symbol(handle, "rows") as *const Row;
    let mut differences = Vec::new();
    for (row_idx, &(a, b)) in expected.iter().enumerate() {
        let row = unsafe { &*rows.add(row_idx) };
        if (row.a, row.b) != (a, b) {
            let (what, name) = unsafe { (CStr::from_ptr(row.what), CStr::from_ptr(row.name)) };
            differences.push(format!(
                "{what:?} {name:?}: headers ({}, {}), ours ({a}, {b})",
                row.a, row.b
            ));
        }
    }
    assert!(expected.len() > 900, "only {} rows", expected.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

const INLINE_FUNCTIONS: &str = "
Py_ssize_t probe_refcnt(PyObject *op) { return Py_REFCNT(op); }
int probe_immortal(PyObject *op) { return _Py_IsImmortal(op); }
int probe_static_immortal(PyObject *op) { return _Py_IsStaticImmortal(op); }
void probe_incref(PyObject *op) { Py_INCREF(op); }
int probe_compact(PyLongObject *op) { return _PyLong_IsCompact(op); }
Py_ssize_t probe_compact_value(PyLongObject *op) { return _PyLong_CompactValue(op); }
unsigned probe_kind(PyObject *op) { return PyUnicode_KIND(op); }
unsigned probe_ascii(PyObject *op) { return PyUnicode_IS_ASCII(op); }
unsigned probe_compact_str(PyObject *op) { return PyUnicode_IS_COMPACT(op); }
unsigned probe_compact_ascii(PyObject *op) { return PyUnicode_IS_COMPACT_ASCII(op); }
unsigned probe_interned(PyObject *op) { return PyUnicode_CHECK_INTERNED(op); }
void *probe_data(PyObject *op) { return PyUnicode_DATA(op); }
unsigned probe_read(PyObject *op, Py_ssize_t i) { return PyUnicode_READ_CHAR(op, i); }
Py_ssize_t probe_length(PyObject *op) { return PyUnicode_GET_LENGTH(op); }
unsigned probe_max_char(PyObject *op) { return PyUnicode_MAX_CHAR_VALUE(op); }
PyObject *probe_tuple_item(PyObject *op, Py_ssize_t i) { return PyTuple_GET_ITEM(op, i); }
Py_ssize_t probe_tuple_size(PyObject *op) { return PyTuple_GET_SIZE(op); }
PyObject *probe_list_item(PyObject *op, Py_ssize_t i) { return PyList_GET_ITEM(op, i); }
Py_ssize_t probe_list_size(PyObject *op) { return PyList_GET_SIZE(op); }
char *probe_bytes(PyObject *op) { return PyBytes_AS_STRING(op); }
Py_ssize_t probe_vectorcall_nargs(size_t n) { return PyVectorcall_NARGS(n); }
size_t probe_var_size(PyTypeObject *t, Py_ssize_t n) { return _PyObject_VAR_SIZE(t, n); }
";

/// Calls a probe with the signature that the annotation gives.
macro_rules! call {
    ($handle:expr, $name:literal, ($($arg:expr => $ty:ty),*) -> $ret:ty) => {{
        let probe: extern "C" fn($($ty),*) -> $ret = unsafe { std::mem::transmute(symbol($handle, $name)) };
        probe($($arg),*)
    }};
}

fn long_image(value: i64) -> PyLongObject {
    PyLongObject {
        ob_base: PyObject::mortal(null_mut()),
        long_value: _PyLongValue::compact(value),
    }
}

#[test]
fn inline_functions_read_our_objects_as_we_do() {
    let Some(headers) = oracle_headers() else { return };
    let handle = compile(&headers, "inline", INLINE_FUNCTIONS);
    counts(handle);
    integers(handle);
    strings(handle);
    containers(handle);
}

fn counts(handle: *mut c_void) {
    let mortal = PyObject::mortal(null_mut());
    assert_eq!(
        call!(handle, "probe_refcnt", (mortal.as_ptr() => *mut PyObject) -> isize),
        1
    );
    call!(handle, "probe_incref", (mortal.as_ptr() => *mut PyObject) -> ());
    assert_eq!(mortal.refcnt(), 2);
    mortal.incref();
    assert_eq!(
        call!(handle, "probe_refcnt", (mortal.as_ptr() => *mut PyObject) -> isize),
        3
    );
    assert!(!unsafe { mortal.decref_count() });
    let statically = PyObject::immortal(null_mut());
    let made = PyObject::mortal(null_mut());
    made.set_immortal();
    for object in [&mortal, &statically, &made] {
        let immortal = call!(handle, "probe_immortal", (object.as_ptr() => *mut PyObject) -> c_int) != 0;
        assert_eq!(immortal, object.is_immortal());
    }
    assert_eq!(
        call!(handle, "probe_static_immortal", (statically.as_ptr() => *mut PyObject) -> c_int),
        1
    );
    assert_eq!(
        call!(handle, "probe_static_immortal", (made.as_ptr() => *mut PyObject) -> c_int),
        0
    );
    let before = statically.refcnt();
    call!(handle, "probe_incref", (statically.as_ptr() => *mut PyObject) -> ());
    statically.incref();
    assert_eq!(statically.refcnt(), before);
    let nargsf = 3 | PY_VECTORCALL_ARGUMENTS_OFFSET;
    assert_eq!(
        call!(handle, "probe_vectorcall_nargs", (nargsf => usize) -> isize),
        3
    );
    assert_eq!(PyVectorcall_NARGS(nargsf), 3);
}

fn integers(handle: *mut c_void) {
    for value in [0, 1, -1, 255, -256, (1 << 30) - 1, -((1 << 30) - 1)] {
        let image = long_image(value);
        let pointer = &image as *const PyLongObject;
        assert_eq!(
            call!(handle, "probe_compact", (pointer => *const PyLongObject) -> c_int),
            1
        );
        assert_eq!(
            call!(handle, "probe_compact_value", (pointer => *const PyLongObject) -> isize) as i64,
            value
        );
        assert_eq!(image.compact_value() as i64, value);
        assert_eq!(image.long_value.sign() as i64, value.signum());
    }
    let big = long_image(1);
    big.long_value.lv_tag.set(lv_tag(-1, 2));
    let pointer = &big as *const PyLongObject;
    assert_eq!(
        call!(handle, "probe_compact", (pointer => *const PyLongObject) -> c_int),
        0
    );
    assert!(!big.is_compact() && big.long_value.is_negative() && big.long_value.digit_count() == 2);
}

/// A compact string in raw memory.
fn string_image(text: &str, interned: u32) -> Vec<u64> {
    let (ascii, widest) = (text.is_ascii(), text.chars().map(|c| c as u32).max().unwrap_or(0));
    let kind = if widest < 0x100 {
        1
    } else if widest < 0x10000 {
        2
    } else {
        4
    };
    let head = if ascii {
        size_of::<PyASCIIObject>()
    } else {
        size_of::<PyCompactUnicodeObject>()
    };
    let mut image = vec![0u64; (head + kind * (text.len() + 1)) / 8 + 1];
    let start = image.as_mut_ptr() as *mut u8;
    let string = unsafe { &*(start as *const PyASCIIObject) };
    string.length.set(text.chars().count() as isize);
    string
        .state
        .set(UnicodeState::compact(kind as u32, ascii).with_interned(interned));
    for (char_idx, c) in text.chars().enumerate() {
        let bytes = (c as u32).to_le_bytes();
        for (byte_idx, byte) in bytes[..kind].iter().enumerate() {
            unsafe { *start.add(head + char_idx * kind + byte_idx) = *byte };
        }
    }
    image
}

fn strings(handle: *mut c_void) {
    for (text, interned) in [
        ("", 0),
        ("adder", 1),
        ("caf\u{e9}", 0),
        ("\u{3bb}x", 2),
        ("\u{1f40d}!", 3),
    ] {
        let image = string_image(text, interned);
        let string = unsafe { &*(image.as_ptr() as *const PyASCIIObject) };
        let pointer = std::ptr::from_ref(string).cast_mut().cast::<PyObject>();
        assert_eq!(
            call!(handle, "probe_kind", (pointer => *mut PyObject) -> u32),
            string.kind()
        );
        assert_eq!(
            call!(handle, "probe_ascii", (pointer => *mut PyObject) -> u32) != 0,
            text.is_ascii()
        );
        assert_eq!(
            call!(handle, "probe_compact_str", (pointer => *mut PyObject) -> u32),
            1
        );
        assert_eq!(
            call!(handle, "probe_compact_ascii", (pointer => *mut PyObject) -> u32) != 0,
            string.state.get().is_compact_ascii()
        );
        assert_eq!(
            call!(handle, "probe_interned", (pointer => *mut PyObject) -> u32),
            interned
        );
        assert_eq!(
            call!(handle, "probe_length", (pointer => *mut PyObject) -> isize),
            string.length.get()
        );
        assert_eq!(
            call!(handle, "probe_data", (pointer => *mut PyObject) -> *mut u8),
            unsafe { string.data() }
        );
        for (char_idx, c) in text.chars().enumerate() {
            let read =
                call!(handle, "probe_read", (pointer => *mut PyObject, char_idx as isize => isize) -> u32);
            assert_eq!(read, c as u32);
        }
    }
    let state = UnicodeState::static_ascii();
    assert!(state.is_statically_allocated() && state.is_compact_ascii() && state.kind() == 1);
}

fn containers(handle: *mut c_void) {
    let (one, two) = (long_image(1), long_image(2));
    let items = [one.as_ptr(), two.as_ptr()];
    let mut tuple_image = [0u64; 6];
    let tuple = unsafe { &*(tuple_image.as_mut_ptr() as *const PyTupleObject) };
    tuple.ob_base.ob_size.set(2);
    for (item_idx, item) in items.iter().enumerate() {
        unsafe { *tuple.items_ptr().add(item_idx) = *item };
        let read = call!(handle, "probe_tuple_item",
            (tuple.as_ptr() => *mut PyObject, item_idx as isize => isize) -> *mut PyObject);
        assert_eq!(read, *item);
    }
    assert_eq!(
        call!(handle, "probe_tuple_size", (tuple.as_ptr() => *mut PyObject) -> isize),
        tuple.len() as isize
    );

    let list = PyListObject::zeroed();
    list.ob_base.ob_size.set(2);
    list.ob_item.set(items.as_ptr() as *mut *mut PyObject);
    let read =
        call!(handle, "probe_list_item", (list.as_ptr() => *mut PyObject, 1 => isize) -> *mut PyObject);
    assert_eq!(read, items[1]);
    assert_eq!(
        call!(handle, "probe_list_size", (list.as_ptr() => *mut PyObject) -> isize),
        2
    );

    let bytes = PyBytesObject::zeroed();
    assert_eq!(
        call!(handle, "probe_bytes", (bytes.as_ptr() => *mut PyObject) -> *mut u8),
        bytes.data_ptr()
    );

    let ty = PyTypeObject::zeroed();
    ty.tp_basicsize.set(41);
    ty.tp_itemsize.set(3);
    for n_items in [0, 1, 5] {
        let size = call!(handle, "probe_var_size", (&ty => *const PyTypeObject, n_items => c_long) -> usize);
        assert_eq!(size, _PyObject_VAR_SIZE(&ty, n_items as isize));
    }
}
