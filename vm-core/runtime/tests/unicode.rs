//! `str` and `bytes` from Rust: kinds, hashes, interning, the writer, growing in place, buffers, and searching.

use adder_runtime::objects::buffer::Buffer;
use adder_runtime::objects::stringlib;
use adder_runtime::objects::unicodectype::{self, CaseMapping, map_full};
use adder_runtime::objects::unicodeobject::{StrData, UnicodeWriter};
use adder_runtime::prelude::*;
use adder_runtime::pyhash;
use std::sync::{Mutex, MutexGuard};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A thread state for this test, alone.
fn start() -> MutexGuard<'static, ()> {
    let guard = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    adder_runtime::thread::set_current(adder_runtime::thread::new_thread_state());
    guard
}

fn text(text: &str) -> Ref<PyUnicodeObject> {
    PyUnicodeObject::from_str(text)
}

#[test]
fn hashes_are_those_of_cpython_with_the_same_seed() {
    let _guard = start();
    for (seed, ascii, latin1) in [
        (0, -4594863902769663758i64, 5504313710985429954i64),
        (1, -4667308735975688587, 8817481556963359331),
        (42, 3869580338025362921, 1862615225633309545),
    ] {
        let (k0, k1) = pyhash::key_of(pyhash::Seed::Fixed(seed));
        let hash = |bytes: &[u8]| pyhash::siphash13(k0, k1, bytes) as i64;
        assert_eq!(hash(b"abc"), ascii);
        assert_eq!(hash(text("héllo wörld, this is long").raw_bytes()), latin1);
    }
    assert_eq!(text("").hash(), 0);
    assert_eq!(text("abc").hash(), PyBytesObject::from_slice(b"abc").hash());
}

#[test]
fn the_kind_is_the_narrowest() {
    let _guard = start();
    for (source, kind, ascii) in [
        ("ab", 1, true),
        ("é", 1, false),
        ("aé", 1, false),
        ("aĀ", 2, false),
        ("a😀", 4, false),
    ] {
        let made = text(source);
        assert_eq!((made.kind(), made.is_ascii()), (kind, ascii), "{source}");
        assert_eq!(made.as_str(), Some(source));
        assert_eq!(made.len(), source.chars().count());
        let codes: Vec<u32> = made.code_points().collect();
        assert!(PyUnicodeObject::from_code_points(&codes).eq(&made));
        // SAFETY: a NUL follows the characters.
        unsafe {
            let end = made.data_ptr().cast::<u8>().add(made.len() * kind);
            assert!(
                std::slice::from_raw_parts(end, kind)
                    .iter()
                    .all(|byte| *byte == 0)
            );
        }
    }
    assert!(matches!(
        text("aĀb").substring(0, 1).data(),
        StrData::Latin1(b"a")
    ));
    assert_eq!(text("aĀb").substring(1, 9).as_str(), Some("Āb"));
    let lone = PyUnicodeObject::from_code_points(&[0x61, 0xD800]);
    assert_eq!(lone.as_str(), None);
    assert_eq!(lone.to_string_lossy(), "a\u{FFFD}");
    assert!(PyUnicodeObject::from_wtf8(&lone.to_wtf8()).eq(&lone));
}

#[test]
fn there_is_one_interned_string_of_a_text() {
    let _guard = start();
    let first = PyUnicodeObject::intern(text("a name"));
    let second = PyUnicodeObject::intern(text("a name"));
    assert!(std::ptr::eq(&*first, &*second));
    assert!(first.is_interned() && !first.as_object().is_immortal());
    let forever = PyUnicodeObject::intern_immortal("a name");
    assert!(std::ptr::eq(&*first, forever) && forever.as_object().is_immortal());
    for _ in 0..20_000 {
        // Mortal ones leave the table when they die.
        drop(PyUnicodeObject::intern(text("another name")));
    }
    assert!(std::ptr::eq(&*text("x"), &*PyUnicodeObject::intern(text("x"))));
    assert!(std::ptr::eq(&*text("é"), &*PyUnicodeObject::from_latin1(&[0xE9])));
}

#[test]
fn the_writer_widens() {
    let _guard = start();
    let mut writer = UnicodeWriter::new();
    let mut expected = String::new();
    for piece in ["", "abc", "é", "def", "Ā", "ghi", "😀", "é"] {
        writer.push_str(piece);
        writer.push_object(&text(piece));
        writer.push_repeated(u32::from('-'), 20);
        expected.push_str(&format!("{piece}{piece}{}", "-".repeat(20)));
    }
    let made = writer.finish().expect("memory");
    assert_eq!((made.as_str(), made.kind()), (Some(expected.as_str()), 4));
    assert!(UnicodeWriter::new().finish().expect("memory").is_empty());
}

#[test]
fn a_string_that_nobody_else_has_grows_in_place() {
    let _guard = start();
    let mut grown = text("ab");
    let mut expected = "ab".to_owned();
    for piece in ["cd", "", "é", "é", "Ā", "x", "😀", "yé"] {
        grown = PyUnicodeObject::append(grown, &text(piece)).expect("memory");
        expected.push_str(piece);
        assert_eq!(grown.as_str(), Some(expected.as_str()));
        let shared = grown.clone();
        let longer = PyUnicodeObject::append(grown, &text("!")).expect("memory");
        assert_eq!(
            (shared.as_str(), longer.len()),
            (Some(expected.as_str()), shared.len() + 1)
        );
        grown = shared;
    }
    let twice = PyUnicodeObject::append(grown.clone(), &grown).expect("memory");
    assert_eq!(twice.as_str(), Some(expected.repeat(2).as_str()));
}

#[test]
fn wide_units_are_found_on_their_boundaries_only() {
    let hay: Vec<u16> = vec![0x0101, 0x0102, 0x0201, 0x0101, 0x0102];
    assert_eq!(stringlib::find(&hay, &[0x0102, 0x0201]), Some(1));
    assert_eq!(stringlib::find(&hay, &[0x0202, 0x0101]), None);
    assert_eq!(stringlib::rfind(&hay, &[0x0101, 0x0102]), Some(3));
    assert_eq!(stringlib::count(&hay, &[0x0101, 0x0102], usize::MAX), 2);
    assert_eq!(stringlib::find_unit(&hay, 0x0201), Some(2));
    let wide: Vec<u32> = (0..100).map(|idx| 0x1_0000 + idx).collect();
    assert_eq!(stringlib::find(&wide, &wide[70..75]), Some(70));
    assert_eq!(stringlib::rfind(&wide, &wide[70..75]), Some(70));
}

#[test]
fn case_mappings_may_be_longer() {
    assert_eq!(map_full(0xDF, CaseMapping::Upper), ([0x53, 0x53, 0], 2));
    assert_eq!(unicodectype::to_upper(0xDF), 0xDF);
    assert_eq!(unicodectype::to_lower(0x130), 0x69);
    assert_eq!(unicodectype::to_upper(0x1F80), 0x1F88);
    assert_eq!(unicodectype::to_numeric(0xBD), Some(0.5));
    assert_eq!(unicodectype::to_decimal(0x663), Some(3));
    assert_eq!(unicodectype::to_digit(0xB2), Some(2));
    assert_eq!(unicodectype::map_simple(0x11_0000, CaseMapping::Upper), 0x11_0000);
}

#[test]
fn a_bytearray_keeps_its_size_while_it_is_viewed() {
    let _guard = start();
    adder_runtime::types::registry::ready_all().expect("types");
    adder_runtime::exceptions::init().expect("exceptions");
    let array = PyByteArrayObject::from_slice(b"hello");
    let view = Buffer::writable(array.as_object()).expect("a view");
    assert_eq!((view.as_bytes(), view.is_readonly()), (&b"hello"[..], false));
    array.push(b'!').expect_err("a view is out").clear();
    drop(view);
    array.push(b'!').expect("no view is out");
    array.splice(0, 2, b"").expect("no view is out");
    assert_eq!(array.as_bytes(), b"llo!");
    array.splice(1, 1, b"XYZ").expect("no view is out");
    assert_eq!(array.as_bytes(), b"lXYZlo!");
    let bytes = PyBytesObject::from_slice(b"abc");
    Buffer::writable(bytes.as_object())
        .map(drop)
        .expect_err("bytes are read-only")
        .clear();
    assert_eq!(
        Buffer::simple(bytes.as_object()).expect("a view").as_bytes(),
        b"abc"
    );
}
