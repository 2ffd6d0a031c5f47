//! Files of the library that every start or many need -> `frozen.rs` and marshalled code, which the command embeds.
//!
//! The code is what `marshal.dumps` makes of it, so `marshal.rs` reads it. Nothing here depends on the machine: file names
//! are `<frozen NAME>`.

use adder_compiler::bytecode::{CodeObject, Constant, PyStr};
use adder_compiler::{CompileOpts, Mode};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[allow(dead_code)]
#[path = "../runtime/src/objects/codeobject/lines.rs"]
mod lines;

/// Modules of `Lib/` under their own names, as CPython freezes them. A package's name ends in `/`.
const MODULES: &[&str] = &[
    "zipimport",
    "abc",
    "codecs",
    "io",
    "_collections_abc",
    "_sitebuiltins",
    "genericpath",
    "ntpath",
    "posixpath",
    "os",
    "site",
    "stat",
    "importlib.util",
    "importlib.machinery",
    "runpy",
    "__hello__",
    "__phello__/",
    "__phello__.ham/",
    "__phello__.ham.eggs",
    "__phello__.spam",
];

/// Modules under another name than their file's: name, file, the name that `find_frozen` gives as the original.
const ALIASES: &[(&str, &str, Option<&str>)] = &[
    (
        "_frozen_importlib",
        "importlib._bootstrap",
        Some("importlib._bootstrap"),
    ),
    (
        "_frozen_importlib_external",
        "importlib._bootstrap_external",
        Some("importlib._bootstrap_external"),
    ),
    ("__hello_alias__", "__hello__", Some("__hello__")),
    ("__phello_alias__/", "__hello__", Some("__hello__")),
    ("__phello_alias__.spam", "__hello__", Some("__hello__")),
    ("__phello__.__init__", "__phello__/", Some("<__phello__")),
    (
        "__phello__.ham.__init__",
        "__phello__.ham/",
        Some("<__phello__.ham"),
    ),
    ("__hello_only__", "__hello__", None),
];

/// Compiles the modules of the folder `library` into the folder `out`, with the table `FROZEN` in `frozen.rs`.
pub fn freeze_all(library: &Path, out: &Path) {
    println!("cargo::rerun-if-changed=freeze.rs");
    let own = MODULES
        .iter()
        .map(|name| (*name, *name, Some(name.trim_end_matches('/'))));
    let mut table = String::from("pub static FROZEN: &[FrozenModule] = &[\n");
    for (name, file, original) in ALIASES.iter().copied().chain(own) {
        let is_package = name.ends_with('/');
        let name = name.trim_end_matches('/');
        let code = compile(&path_of(library, file), file.trim_end_matches('/'));
        std::fs::write(out.join(format!("{name}.frozen")), code).expect("the build's folder");
        writeln!(
            table,
            "    FrozenModule {{ name: {name:?}, is_package: {is_package}, original: {original:?}, \
             code: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.frozen\")) }},"
        )
        .expect("a string grows");
    }
    table.push_str("];\n");
    std::fs::write(out.join("frozen.rs"), table).expect("the build's folder");
}

fn path_of(folder: &Path, name: &str) -> PathBuf {
    let path = name.replace('.', "/");
    match path.strip_suffix('/') {
        Some(package) => folder.join(package).join("__init__.py"),
        None => folder.join(path + ".py"),
    }
}

fn compile(path: &Path, name: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let compiled = adder_compiler::compile_source(
        &text,
        &format!("<frozen {name}>"),
        Mode::Exec,
        &CompileOpts::default(),
    )
    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut writer = Writer::default();
    writer.code(&compiled.code);
    writer.bytes
}

/// Set on a type byte: the object goes into the table of references.
const FLAG_REF: u8 = 0x80;

/// `marshal`'s format for what a code object of the compiler holds.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    /// Interned strings that were written, by their place in the reader's table.
    seen: HashMap<PyStr, u32>,
}

impl Writer {
    fn long(&mut self, value: i32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn size(&mut self, size: usize) {
        self.long(i32::try_from(size).expect("tables of code are small"));
    }

    fn sized(&mut self, bytes: &[u8]) {
        self.size(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// A string that is shared by all who use it.
    fn interned(&mut self, text: &PyStr) {
        if let Some(index) = self.seen.get(text).copied() {
            self.bytes.push(b'r');
            return self.long(index as i32);
        }
        let index = self.seen.len() as u32;
        self.seen.insert(text.clone(), index);
        self.text(text, true);
    }

    fn text(&mut self, text: &PyStr, interned: bool) {
        let bytes = text.as_wtf8();
        let flag = if interned { FLAG_REF } else { 0 };
        match u8::try_from(bytes.len()) {
            Ok(length) if bytes.is_ascii() => {
                self.bytes.push(if interned { b'Z' } else { b'z' } | flag);
                self.bytes.push(length);
                self.bytes.extend_from_slice(bytes);
            }
            _ => {
                self.bytes.push(if interned { b't' } else { b'u' } | flag);
                self.sized(bytes);
            }
        }
    }

    fn sequence(&mut self, kind: u8, items: &[Constant]) {
        self.bytes.push(kind);
        self.size(items.len());
        for item in items {
            self.constant(item);
        }
    }

    fn names(&mut self, names: &[PyStr]) {
        self.bytes.push(b'(');
        self.size(names.len());
        for name in names {
            self.interned(name);
        }
    }

    fn constant(&mut self, constant: &Constant) {
        match constant {
            Constant::None => self.bytes.push(b'N'),
            Constant::True => self.bytes.push(b'T'),
            Constant::False => self.bytes.push(b'F'),
            Constant::Ellipsis => self.bytes.push(b'.'),
            Constant::Int(value) => match i32::try_from(*value) {
                Ok(small) => {
                    self.bytes.push(b'i');
                    self.long(small);
                }
                Err(_) => {
                    self.bytes.push(b'I');
                    self.bytes.extend_from_slice(&value.to_le_bytes());
                }
            },
            Constant::BigInt(value) => panic!("no frozen module has an int as large as {value}"),
            Constant::Float(value) => {
                self.bytes.push(b'g');
                self.bytes.extend_from_slice(&value.to_le_bytes());
            }
            Constant::Complex(real, imag) => {
                self.bytes.push(b'y');
                self.bytes.extend_from_slice(&real.to_le_bytes());
                self.bytes.extend_from_slice(&imag.to_le_bytes());
            }
            // As the runtime makes constants of them: strings that look like names are shared.
            Constant::Str(text)
                if text
                    .as_wtf8()
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') =>
            {
                self.interned(text)
            }
            Constant::Str(text) => self.text(text, false),
            Constant::Bytes(bytes) => {
                self.bytes.push(b's');
                self.sized(bytes);
            }
            Constant::Tuple(items) => self.sequence(b'(', items),
            Constant::FrozenSet(items) => self.sequence(b'>', items),
            Constant::Slice(parts) => {
                self.bytes.push(b':');
                for part in parts.iter() {
                    self.constant(part);
                }
            }
            Constant::Code(code) => self.code(code),
        }
    }

    fn code(&mut self, code: &CodeObject) {
        self.bytes.push(b'c');
        for number in [
            code.argcount,
            code.posonlyargcount,
            code.kwonlyargcount,
            code.n_temps,
            code.flags,
            code.firstlineno,
        ] {
            self.long(number as i32);
        }
        let words: Vec<u8> = code
            .instructions
            .iter()
            .flat_map(|word| word.to_u64().to_le_bytes())
            .collect();
        self.sized(&words);
        let kinds: Vec<u8> = code.localsplus_kinds.iter().map(|kind| kind.0).collect();
        self.sized(&kinds);
        let handlers = code.exception_table.iter().map(|entry| lines::ExceptionHandler {
            start: entry.start,
            end: entry.end,
            handler: entry.handler,
            depth: entry.depth,
            lasti: entry.lasti,
        });
        self.sized(&lines::encode_exception_table(&handlers.collect::<Vec<_>>()));
        let locations = code
            .locations
            .runs
            .iter()
            .map(|(start, position)| lines::Location {
                start: *start,
                line: position.line,
                end_line: position.end_line,
                col: position.col,
                end_col: position.end_col,
            });
        let locations: Vec<_> = locations.collect();
        let n_words = code.instructions.len() as u32;
        self.sized(&lines::encode_linetable(
            &locations,
            code.firstlineno as i32,
            n_words,
        ));
        self.sequence(b'(', &code.consts);
        self.names(&code.names);
        self.names(&code.localsplus_names);
        self.interned(&code.filename);
        self.interned(&code.name);
        self.interned(&code.qualname);
    }
}
