//! Decoding of source bytes, errors, and inputs that nest deeply.

use adder_compiler::{CompileOpts, Decoded, ErrorKind, Mode, compile_source, decode_source};

fn error(source: &str) -> adder_compiler::CompileError {
    compile_source(source, "test.py", Mode::Exec, &CompileOpts::default()).expect_err("must not compile")
}

#[test]
fn source_encodings() {
    assert_eq!(
        decode_source(b"\xEF\xBB\xBFx = 1"),
        Ok(Decoded::Text("x = 1".into()))
    );
    assert_eq!(
        decode_source(b"# coding: latin-1\n'\xe9'"),
        Ok(Decoded::Text("# coding: latin-1\n'\u{e9}'".into()))
    );
    assert_eq!(
        decode_source(b"#\n# -*- coding: koi8-r -*-\n"),
        Ok(Decoded::OtherEncoding("koi8-r".into()))
    );
    assert!(decode_source(b"x = '\xe9'").is_err());
}

#[test]
fn messages_are_cpythons() {
    for (source, message) in [
        ("x = (1,\ny = 2", "'(' was never closed"),
        (
            "f() = 1",
            "cannot assign to function call here. Maybe you meant '==' instead of '='?",
        ),
        ("while x\n  pass", "expected ':'"),
        (
            "print 'x'",
            "Missing parentheses in call to 'print'. Did you mean print(...)?",
        ),
        ("f(a b)", "invalid syntax. Perhaps you forgot a comma?"),
        (
            "if x = 3: pass",
            "invalid syntax. Maybe you meant '==' or ':=' instead of '='?",
        ),
        ("'abc", "unterminated string literal (detected at line 1)"),
        (
            "0777",
            "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers",
        ),
        ("return", "'return' outside function"),
        ("def f():\n  nonlocal x", "no binding for nonlocal 'x' found"),
        ("x = b'\u{e9}'", "bytes can only contain ASCII literal characters"),
        ("f'{a b}'", "invalid syntax. Perhaps you forgot a comma?"),
    ] {
        let error = error(source);
        assert_eq!(error.message, message, "{source}");
        assert_eq!(error.kind, ErrorKind::SyntaxError);
    }
    let indent = error("if x:\npass");
    assert_eq!(indent.kind, ErrorKind::IndentationError);
    assert_eq!(
        indent.message,
        "expected an indented block after 'if' statement on line 1"
    );
    assert_eq!((indent.lineno, indent.offset, indent.end_offset), (2, 1, 5));
}

#[test]
fn backslashes_that_join_nothing() {
    let (stray, end) = (
        "unexpected character after line continuation character",
        "unexpected EOF while parsing",
    );
    let open = "'(' was never closed";
    for (source, of_module, of_expression) in [
        ("\\", (end, 1, 2), (stray, 1, 1)),
        ("a\\", (end, 1, 3), (stray, 1, 2)),
        ("\\ ", (stray, 1, 2), (stray, 1, 2)),
        ("\\\n\\", (end, 2, 2), (stray, 2, 1)),
        ("a\\\n\\", (end, 2, 2), (stray, 2, 2)),
        ("a\\\n\\t", (stray, 2, 4), (stray, 2, 3)),
        ("abc\\\n  \\  xyzuvw", (stray, 2, 9), (stray, 2, 9)),
        ("(\\", (open, 1, 1), (stray, 1, 2)),
        ("(a,\n\\ x y z", (stray, 2, 2), (stray, 2, 2)),
        ("\"\"\"a\n\"\"\"\\ x y z", (stray, 2, 10), (stray, 2, 10)),
        ("\u{e9}+\\\n\\ x y z uv", (stray, 2, 7), (stray, 2, 7)),
    ] {
        for (mode, expected) in [(Mode::Exec, of_module), (Mode::Eval, of_expression)] {
            let error = compile_source(source, "test.py", mode, &CompileOpts::default()).expect_err(source);
            let found = (&*error.message, error.lineno, error.offset);
            assert_eq!(found, expected, "{source:?} {mode:?}");
        }
    }
}

#[test]
fn lone_surrogates_survive() {
    let compiled =
        compile_source("x = '\\ud800'", "test.py", Mode::Exec, &CompileOpts::default()).expect("compiles");
    let text = compiled.code.consts.iter().find_map(|constant| match constant {
        adder_compiler::Constant::Str(text) => Some(text.code_points().collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(text, Some(vec![0xD800]));
}

#[test]
fn deep_nesting_is_an_error_or_compiles() {
    assert_eq!(error(&"(".repeat(300)).message, "too many nested parentheses");
    for source in [
        "-".repeat(50_000) + "1",
        "not ".repeat(20_000) + "x",
        "x".to_owned() + &".y".repeat(30_000),
    ] {
        // Either way, the native stack holds.
        let _ = compile_source(&source, "test.py", Mode::Exec, &CompileOpts::default());
    }
    let sum = "x = 0".to_owned() + &"+ x".repeat(5_000);
    compile_source(&sum, "test.py", Mode::Exec, &CompileOpts::default()).expect("a long sum compiles");
}
