//! Small C modules, compiled against CPython 3.14's headers, run in CPython and here: each function must give the same result or
//! the same exception in both.
//!
//! A module's functions without arguments are run in the order of their names. The headers and the interpreter are found under
//! `$ORACLE_ROOT` or `~/.cache/adder-oracle`; without them the test says that it is skipped.

use adder_cpyext::loader;
use adder_runtime::prelude::*;
use adder_runtime::{exceptions, thread, types};
use std::path::{Path, PathBuf};
use std::process::Command;

fn oracle() -> Option<PathBuf> {
    let root = std::env::var_os("ORACLE_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/adder-oracle")))?;
    if root.join("headers/python3.14/Python.h").exists() && python(&root).exists() {
        return Some(root);
    }
    println!("skipped: no CPython 3.14 under {}", root.display());
    None
}

fn python(root: &Path) -> PathBuf {
    root.join("usr/bin/python3.14")
}

fn compile(root: &Path, source: &Path, library: &Path) {
    let headers = root.join("headers");
    let output = Command::new("cc")
        .args([
            "-std=c11",
            "-O1",
            "-g",
            "-Wno-deprecated-declarations",
            "-shared",
            "-fPIC",
            "-DPY_SSIZE_T_CLEAN",
        ])
        .arg("-I")
        .arg(headers.join("python3.14"))
        .arg("-I")
        .arg(&headers)
        .arg(source)
        .arg("-o")
        .arg(library)
        .output()
        .expect("cc runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

const RUNNER: &str = "
import sys
sys.path.insert(0, sys.argv[1])
module = __import__(sys.argv[2])
for name in sorted(vars(module)):
    function = getattr(module, name)
    if name.startswith('_') or not type(function) is type(len):
        continue
    try:
        print(name + ': ' + repr(function()))
    except BaseException as error:
        print(name + ': ' + type(error).__name__ + ': ' + str(error))
";

fn expected(root: &Path, dir: &Path, name: &str) -> Vec<String> {
    let output = Command::new(python(root))
        .args(["-W", "ignore", "-c", RUNNER])
        .arg(dir)
        .arg(name)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_string)
        .collect()
}

fn start() {
    static STARTED: std::sync::Once = std::sync::Once::new();
    STARTED.call_once(|| {
        let state = thread::new_thread_state();
        thread::acquire_gil(state);
        thread::init_native_thread(state);
        types::registry::ready_all().expect("the built-in types");
        exceptions::init().expect("the exception types");
    });
}

fn result_text(result: PyResult) -> String {
    match result.and_then(|value| value.repr()) {
        Ok(text) => text.to_string_lossy(),
        Err(raised) => {
            let exception = raised.take();
            let text = exception
                .str()
                .map(|text| text.to_string_lossy())
                .unwrap_or_else(|_| "?".to_string());
            format!("{}: {text}", exception.ty().name())
        }
    }
}

/// Calls a METH_NOARGS function; a result with an exception set is an error of ours in what the function called.
fn call(function: &PyObject) -> PyResult {
    // SAFETY: the caller checked the type; the functions take no arguments.
    unsafe {
        let function = function.cast_unchecked::<PyCFunctionObject>();
        let meth = (*function.m_ml.get()).ml_meth.get().unwrap();
        match Ref::from_owned_opt(meth(function.m_self.get(), std::ptr::null_mut())) {
            Some(_) if adder_runtime::error::occurred() => {
                let left = result_text(Err(Raised::assume()));
                Err(raise!(SystemError, "a result with an exception set: {left}"))
            }
            Some(result) => Ok(result),
            None => Err(Raised::from_c("the function")),
        }
    }
}

/// What the same module gives here.
fn ours(library: &Path, name: &str) -> Vec<String> {
    let attributes = PyDictObject::new();
    let text = |text: &str| PyUnicodeObject::from_str(text);
    attributes
        .set(text("name").as_object(), text(name).as_object())
        .unwrap();
    attributes
        .set(
            text("origin").as_object(),
            text(library.to_str().unwrap()).as_object(),
        )
        .unwrap();
    let spec = adder_runtime::objects::namespaceobject::new_namespace(&attributes).unwrap();
    let module = match loader::create_dynamic(&spec)
        .and_then(|module| loader::exec_dynamic(&module).map(|()| module))
    {
        Ok(module) => module,
        Err(raised) => panic!("{name}: {}", result_text(Err(raised))),
    };
    let dict = (*module).downcast::<PyModuleObject>().unwrap().dict();
    let mut names = Vec::new();
    let mut position = 0;
    while let Some((key, value, _)) = dict.next_entry(&mut position) {
        let key = key.downcast::<PyUnicodeObject>().unwrap().to_string_lossy();
        if !key.starts_with('_') && PyCFunctionObject::check_exact(value) {
            names.push((key, value.to_ref()));
        }
    }
    names.sort_by(|a, b| a.0.cmp(&b.0));
    names
        .iter()
        .map(|(name, function)| format!("{name}: {}", result_text(call(function))))
        .collect()
}

#[test]
fn c_modules_give_the_same_here_and_in_cpython() {
    let Some(root) = oracle() else { return };
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c");
    let dir = std::env::temp_dir().join(format!("adder-capi-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    start();
    let only = std::env::var("ADDER_CAPI").ok();
    let mut differences = Vec::new();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(sources)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for source in paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "c"))
    {
        let name = source.file_stem().unwrap().to_str().unwrap().to_string();
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let library = dir.join(format!("{name}.so"));
        compile(&root, &source, &library);
        let (expected, ours) = (expected(&root, &dir, &name), ours(&library, &name));
        assert!(!expected.is_empty(), "{name} has no functions");
        for (expected, ours) in expected.iter().zip(&ours) {
            if expected != ours {
                differences.push(format!("{name}\n  cpython: {expected}\n  adder:   {ours}"));
            }
        }
        assert_eq!(expected.len(), ours.len(), "{name}");
    }
    std::fs::remove_dir_all(&dir).ok();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
