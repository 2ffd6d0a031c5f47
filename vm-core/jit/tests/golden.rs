//! Golden tests: each `golden/*.py.txt` holds a program with a function `run` and, below a line of dashes, the raw trace of its first
//! loop and its result. With ADDER_BLESS=1 the expectation is rewritten.

use adder_interp::{Config, import};
use adder_runtime::prelude::*;
use std::path::Path;

const SEPARATOR: &str = "\n--------\n";

fn message(raised: Raised) -> String {
    let exception = raised.take();
    let text = exception.str().map(|text| text.to_string_lossy());
    format!("{}: {}", exception.ty().name(), text.unwrap_or_default())
}

#[test]
fn traces_are_as_recorded() {
    let config = Config {
        import_site: false,
        ..Config::default()
    };
    import::extend_inittab(adder_stdlib::MODULES);
    import::set_code_reader(adder_stdlib::marshal::loads_embedded);
    if let Err(raised) = adder_interp::initialize(config) {
        panic!("the interpreter does not start: {}", message(raised));
    }
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let bless = std::env::var_os("ADDER_BLESS").is_some();
    let mut paths: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut failures = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let (source, expected) = text.split_once(SEPARATOR).unwrap_or((&text, ""));
        let found =
            adder_jit::trace_of(source).unwrap_or_else(|raised| format!("; raised: {}\n", message(raised)));
        if bless {
            std::fs::write(&path, format!("{source}{SEPARATOR}{found}")).unwrap();
        } else if found != expected {
            failures.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
