//! Command line of the compiler alone: `adderc --dump=ast|bytecode FILE`, or `adderc PATH...` to compile (and, in debug
//! builds, verify) every `.py` below the paths and print the failures.

use adder_compiler::bytecode::{LocalKind, PyStr};
use adder_compiler::{
    CodeObject, CompileOpts, Constant, Decoded, Mode, compile_source, decode_source, parse,
};
use std::path::{Path, PathBuf};

fn main() {
    let mut dump = None;
    let mut quiet = false;
    let mut paths = Vec::new();
    let mut mode = Mode::Exec;
    let mut opts = CompileOpts::default();
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--single" => mode = Mode::Single,
            "--eval" => mode = Mode::Eval,
            "-O" => opts.optimize = 1,
            "-OO" => opts.optimize = 2,
            "-q" => quiet = true,
            "--errors" => return errors(mode, &opts),
            "--incomplete" => {
                opts.allow_incomplete_input = true;
                opts.dont_imply_dedent = true;
            }
            _ => match arg.strip_prefix("--dump=") {
                Some(what) => dump = Some(what.to_owned()),
                None => paths.push(PathBuf::from(arg)),
            },
        }
    }
    let mut files = Vec::new();
    paths.iter().for_each(|path| collect(path, &mut files));
    files.sort();
    let mut failures = 0;
    for file in &files {
        let bytes = std::fs::read(file).unwrap_or_default();
        let text = match decode_source(&bytes) {
            Ok(Decoded::Text(text)) => text.into_owned(),
            Ok(Decoded::OtherEncoding(name)) => {
                println!("{}: encoding {name}", file.display());
                continue;
            }
            Err(error) => {
                failures += 1;
                println!("{}: {error}", file.display());
                continue;
            }
        };
        if dump.as_deref() == Some("ast") {
            println!(
                "{:#?}",
                parse::parse(&parse::source::normalize_newlines(&text), mode).map(|p| p.ast)
            );
            continue;
        }
        match compile_source(&text, &file.to_string_lossy(), mode, &opts) {
            Ok(compiled) => {
                if dump.as_deref() == Some("meta") {
                    meta(&compiled.code);
                } else if dump.is_some() {
                    print!(
                        "{}",
                        adder_compiler::bytecode::disasm::disassemble(&compiled.code)
                    );
                }
                if !quiet {
                    compiled
                        .warnings
                        .iter()
                        .for_each(|w| println!("{}:{}: {}", file.display(), w.pos.line, w.message));
                }
            }
            Err(error) => {
                failures += 1;
                println!("{}: {error}", file.display());
            }
        }
    }
    println!("{} files, {failures} failures", files.len());
}

/// Compiles the texts on standard input, separated by NULs, and prints the outcome of each on a line.
fn errors(mode: Mode, opts: &CompileOpts) {
    let mut input = String::new();
    let _ = std::io::Read::read_to_string(&mut std::io::stdin(), &mut input);
    for text in input.split('\0') {
        match compile_source(text, "<string>", mode, opts) {
            Ok(_) => println!("OK"),
            Err(e) => println!(
                "{}|{}|{}|{}|{}|{}",
                e.kind.class_name(),
                e.message.replace('\n', " "),
                e.lineno,
                e.offset,
                e.end_lineno,
                e.end_offset
            ),
        }
    }
}

/// One line per code object: what can be compared with CPython's.
fn meta(code: &CodeObject) {
    let text = |value: &PyStr| String::from_utf8_lossy(value.as_wtf8()).into_owned();
    let names = |test: fn(&LocalKind) -> bool| {
        let pairs = code.localsplus_names.iter().zip(&code.localsplus_kinds);
        pairs
            .filter(|(_, kind)| test(kind))
            .map(|(name, _)| text(name))
            .collect::<Vec<_>>()
            .join(",")
    };
    let mut lines: Vec<i32> = code
        .locations
        .runs
        .iter()
        .map(|run| run.1.line)
        .filter(|line| *line > 0)
        .collect();
    lines.sort();
    lines.dedup();
    println!(
        "{}|{}|{}/{}/{}|{:#x}|{}|{}|{}|{lines:?}",
        text(&code.qualname),
        code.firstlineno,
        code.argcount,
        code.posonlyargcount,
        code.kwonlyargcount,
        code.flags,
        names(|kind| kind.is_local()),
        names(|kind| kind.is_cell()),
        names(|kind| kind.is_free()),
    );
    for constant in &code.consts {
        if let Constant::Code(inner) = constant {
            meta(inner);
        }
    }
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            collect(&entry.path(), files);
        }
    } else if path.extension().is_some_and(|ext| ext == "py")
        || path.is_file() && !path.to_string_lossy().contains('.')
    {
        files.push(path.to_owned());
    }
}
