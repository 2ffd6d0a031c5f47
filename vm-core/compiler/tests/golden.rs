//! Golden tests: each `golden/*.py.txt` holds a program and, below a line of dashes, its bytecode (or its error). With
//! ADDER_BLESS=1 the expectation is rewritten.

use adder_compiler::bytecode::disasm::disassemble;
use adder_compiler::{CompileOpts, Mode, compile_source};
use std::path::Path;

const SEPARATOR: &str = "\n--------\n";

fn outcome(source: &str) -> String {
    match compile_source(source, "golden.py", Mode::Exec, &CompileOpts::default()) {
        Ok(compiled) => {
            let mut text = disassemble(&compiled.code);
            for warning in &compiled.warnings {
                text.push_str(&format!(
                    "warning line {}: {}\n",
                    warning.pos.line, warning.message
                ));
            }
            text
        }
        Err(error) => format!("{error}\n"),
    }
}

#[test]
fn bytecode_is_as_recorded() {
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
        let found = outcome(source);
        if bless {
            std::fs::write(&path, format!("{source}{SEPARATOR}{found}")).unwrap();
        } else if found != expected {
            failures.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
