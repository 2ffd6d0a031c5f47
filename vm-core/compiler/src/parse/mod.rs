//! source text -> AST: the ruff parser, its errors in CPython's words, the conversion to `crate::ast`.

mod context;
pub mod convert;
mod dismantle;
mod error_details;
mod error_strings;
pub mod errors;
mod explain;
pub mod source;
mod strings;
mod targets;
mod tokenizer;
mod type_comments;

use crate::ast::Mod;
use crate::error::{CompileError, CompileWarning, Result};
use convert::Converter;
use ruff_python_ast as ruff;
use ruff_python_parser as parser;
use ruff_text_size::Ranged;
use source::LineIndex;

/// `sys.set_int_max_str_digits`: longer decimal literals are refused; 0 for no limit.
pub static INT_MAX_STR_DIGITS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(4300);

/// What kind of input the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Exec,
    Eval,
    Single,
    FuncType,
}

/// A parsed source text.
#[derive(Debug)]
pub struct Parsed {
    pub ast: Mod,
    pub warnings: Vec<CompileWarning>,
}

/// What `compile` with `PyCF_ONLY_AST` may ask of the parser.
#[derive(Clone, Copy, Debug)]
pub struct Extras {
    /// Syntax newer than Python 3.N is refused.
    pub feature_version: u8,
    pub type_comments: bool,
}

impl Default for Extras {
    fn default() -> Extras {
        Extras {
            feature_version: 14,
            type_comments: false,
        }
    }
}

/// Parses source text (newlines already normalised, see `source::normalize_newlines`).
pub fn parse(text: &str, mode: Mode) -> Result<Parsed> {
    parse_with(text, mode, Extras::default())
}

/// As `parse`, with what `ast.parse` may ask for.
pub fn parse_with(text: &str, mode: Mode, extras: Extras) -> Result<Parsed> {
    if let Some(at) = text.find('\0') {
        let _ = at;
        return Err(CompileError::syntax(
            "source code string cannot contain null bytes",
            crate::bytecode::Position::NONE,
        ));
    }
    let lines = LineIndex::new(text);
    if let Some(error) = errors::check_nesting(text, &lines, mode) {
        return Err(error.finish(Some(text)));
    }
    if mode == Mode::FuncType {
        return parse_func_type(text, &lines);
    }
    let trimmed;
    let (input, parse_mode) = match mode {
        Mode::Eval => {
            trimmed = text.trim_start_matches([' ', '\t']);
            (text, parser::Mode::Expression)
        }
        _ => {
            trimmed = text;
            (text, parser::Mode::Module)
        }
    };
    // `eval(" 1")`: leading white space is skipped; blanks keep the offsets right inside parentheses only, so shift.
    let shift = text.len() - trimmed.len();
    let input = if shift > 0 { &input[shift..] } else { input };
    let lines = if shift > 0 { LineIndex::new(input) } else { lines };
    let options = parser::ParseOptions::from(parse_mode).with_target_version(ruff::PythonVersion {
        major: 3,
        minor: extras.feature_version,
    });
    let parsed = parser::parse_unchecked(input, options);
    if let Some(mut error) = errors::first_error(&parsed, input, &lines, mode) {
        error.warnings = warnings_before(&error, input, &lines);
        dismantle::drop_module(parsed.into_syntax());
        return Err(error.finish(Some(input)));
    }
    let mut converter = Converter::new(input, &lines);
    converter.feature_version = extras.feature_version;
    converter.warnings = errors::number_warnings(&parsed, input, &lines);
    let mut ast = match parsed.syntax() {
        ruff::Mod::Module(module) => {
            let body = converter.body(&module.body);
            match mode {
                Mode::Single => Mod::Interactive { body },
                _ => Mod::Module {
                    body,
                    type_ignores: Vec::new(),
                },
            }
        }
        ruff::Mod::Expression(expression) => Mod::Expression {
            body: Box::new(converter.expr(&expression.body)),
        },
    };
    if extras.type_comments && converter.error.is_none() {
        let comments: Vec<_> = parsed
            .tokens()
            .iter()
            .filter(|token| token.kind() == ruff::token::TokenKind::Comment)
            .map(|token| token.range())
            .collect();
        converter.error = type_comments::attach(&mut ast, input, &lines, &comments).err();
    }
    if converter.too_deep {
        dismantle::drop_module(parsed.into_syntax());
    } else {
        drop_deep(parsed);
    }
    let warnings = std::mem::take(&mut converter.warnings);
    match converter.error.take() {
        Some(error) => {
            drop_deep(ast);
            let tokens = tokenizer::tokenize(input, &lines, mode);
            let explained = explain::explain(input, &lines, &tokens, mode);
            Err(explained.map_or(error, |found| found.error).finish(Some(input)))
        }
        None => Ok(Parsed { ast, warnings }),
    }
}

/// Warnings of the string literals that stand before an error.
fn warnings_before(error: &CompileError, input: &str, lines: &LineIndex) -> Vec<CompileWarning> {
    if !input.contains('\\') {
        return Vec::new();
    }
    let mut converter = Converter::new(input, lines);
    for token in tokenizer::tokenize(input, lines, Mode::Exec).tokens {
        let place = lines.line_col((token.start as u32).into());
        if token.kind == tokenizer::Kind::String && place < (error.lineno, error.offset) {
            let range =
                ruff_text_size::TextRange::new((token.start as u32).into(), (token.end as u32).into());
            converter.warn_of_escapes(range);
        }
    }
    converter.warnings
}

/// Drops a tree that may nest deeply on a stack that is large enough.
pub fn drop_deep<T>(tree: T) {
    stacker::maybe_grow(2 * 1024 * 1024, 64 * 1024 * 1024, || drop(tree));
}

/// `(int, str) -> bool`, for `compile(..., 'func_type')`.
fn parse_func_type(text: &str, lines: &LineIndex) -> Result<Parsed> {
    let invalid =
        || CompileError::syntax("invalid syntax", lines.position(Default::default())).finish(Some(text));
    let (arguments, returns) = text.rsplit_once("->").ok_or_else(invalid)?;
    let arguments = arguments
        .trim()
        .strip_prefix('(')
        .and_then(|a| a.strip_suffix(')'))
        .ok_or_else(invalid)?;
    let eval = |part: &str| match parse(part, Mode::Eval)?.ast {
        Mod::Expression { body } => Ok(*body),
        _ => Err(invalid()),
    };
    let mut argtypes = Vec::new();
    if !arguments.trim().is_empty() {
        let call = format!("f({arguments})");
        if let crate::ast::ExprKind::Call { args, keywords, .. } = eval(&call)?.kind {
            // One `*` and one `**` at most, at the end.
            let is_starred =
                |arg: &crate::ast::Expr| matches!(arg.kind, crate::ast::ExprKind::Starred { .. });
            let n_plain = args.iter().take_while(|arg| !is_starred(arg)).count();
            if args.len() > n_plain + 1 || keywords.len() > 1 || keywords.iter().any(|k| k.arg.is_some()) {
                return Err(invalid());
            }
            argtypes = args
                .into_iter()
                .map(|arg| match arg.kind {
                    crate::ast::ExprKind::Starred { value, .. } => *value,
                    _ => arg,
                })
                .collect();
            argtypes.extend(keywords.into_iter().map(|k| k.value));
        }
    }
    let returns = Box::new(eval(returns.trim())?);
    Ok(Parsed {
        ast: Mod::FunctionType { argtypes, returns },
        warnings: Vec::new(),
    })
}

/// PEP 401: after `from __future__ import barry_as_FLUFL` (or from the start, if the flag is inherited), `<>` is the
/// operator that `!=` was. Gives the text in ordinary spelling.
pub fn restore_diamond(text: &str, inherited: bool) -> Result<std::borrow::Cow<'_, str>> {
    const FEATURE: &str = "barry_as_FLUFL";
    if !inherited && !text.contains(FEATURE) {
        return Ok(text.into());
    }
    let lines = LineIndex::new(text);
    let tokens = tokenizer::tokenize(text, &lines, Mode::Exec).tokens;
    let mut active = inherited;
    let mut bytes = text.as_bytes().to_vec();
    // `from __future__ import`, not `from .__future__ import`.
    let mut imports = 0;
    for token in tokens {
        let Some(word) = text.get(token.start..token.end) else {
            continue;
        };
        imports = match (word, imports) {
            ("from", _) => 1,
            ("__future__", 1) | ("import", 2) => imports + 1,
            (_, 3) if token.kind != tokenizer::Kind::Newline => 3,
            _ => 0,
        };
        match word {
            FEATURE if imports >= 3 => active = true,
            "<>" if active => bytes[token.start..token.end].copy_from_slice(b"!="),
            "!=" if active => {
                let pos = lines.position(ruff_text_size::TextRange::new(
                    (token.start as u32).into(),
                    (token.end as u32).into(),
                ));
                let error = CompileError::syntax("with Barry as BDFL, use '<>' instead of '!='", pos);
                return Err(error.finish(Some(text)));
            }
            _ => {}
        }
    }
    Ok(String::from_utf8(bytes).map_or_else(|_| text.into(), Into::into))
}
