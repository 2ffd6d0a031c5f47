//! The crate's entry points: text or AST -> code object.

use crate::ast::{Mod, StmtKind};
use crate::bytecode::{CodeObject, Position, code_flags};
use crate::codegen::{Compiler, Options};
use crate::error::{CompileError, CompileWarning, Result};
use crate::fold::Folder;
use crate::future;
use crate::parse::{self, Mode, drop_deep, source};
use crate::symtable::SymbolTable;

/// How to compile.
#[derive(Clone, Debug, Default)]
pub struct CompileOpts {
    /// 0: asserts and docstrings stay, 1: -O, 2: -OO.
    pub optimize: u8,
    /// `CO_FUTURE_*` flags inherited from the caller.
    pub future_flags: u32,
    /// `PyCF_ALLOW_TOP_LEVEL_AWAIT`.
    pub top_level_await: bool,
    /// `PyCF_DONT_IMPLY_DEDENT`: in 'single' mode a compound statement ends with an empty line only.
    pub dont_imply_dedent: bool,
    /// `PyCF_ALLOW_INCOMPLETE_INPUT`: an unfinished statement is `ErrorKind::IncompleteInput`.
    pub allow_incomplete_input: bool,
}

/// A compiled text with the warnings it caused.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub code: CodeObject,
    pub warnings: Vec<CompileWarning>,
}

/// Compiles source text.
pub fn compile_source(text: &str, filename: &str, mode: Mode, opts: &CompileOpts) -> Result<Compiled> {
    let text = source::normalize_newlines(text);
    let parse::Parsed { ast, warnings } = parse_text(&text, mode, opts, parse::Extras::default())?;
    let mut compiled = compile_ast(ast, filename, opts).map_err(|error| finish(error, &text, filename))?;
    let mut all = warnings;
    all.append(&mut compiled.warnings);
    all.sort_by_key(|warning| warning.pos.line);
    compiled.warnings = all;
    Ok(compiled)
}

fn parse_text(text: &str, mode: Mode, opts: &CompileOpts, extras: parse::Extras) -> Result<parse::Parsed> {
    let inherits_diamond = opts.future_flags & code_flags::FUTURE_BARRY_AS_BDFL != 0;
    let text = &*parse::restore_diamond(text, inherits_diamond)?;
    let parsed = parse::parse_with(text, mode, extras).map_err(|mut error| {
        // Only the text of a whole module gets the newline that its last line may lack.
        if mode != Mode::Exec && !text.ends_with('\n') && error.lineno == text.lines().count() as i32 {
            error.text = error.text.map(|line| line.trim_end_matches('\n').to_owned());
        }
        if opts.allow_incomplete_input {
            parse::errors::incomplete(error, text)
        } else {
            error
        }
    })?;
    if mode == Mode::Single {
        check_single(&parsed.ast, text, opts)?;
    }
    Ok(parsed)
}

/// Parses source text into the tree that module `ast` shows: `PyCF_ONLY_AST`.
pub fn parse_source(
    text: &str,
    mode: Mode,
    opts: &CompileOpts,
    extras: parse::Extras,
) -> Result<parse::Parsed> {
    parse_text(&source::normalize_newlines(text), mode, opts, extras)
}

/// The symbol table of source text, for module `symtable`.
pub fn symbol_table(text: &str, mode: Mode, opts: &CompileOpts) -> Result<SymbolTable> {
    let text = source::normalize_newlines(text);
    let ast = parse_text(&text, mode, opts, parse::Extras::default())?.ast;
    let table = future::features(&ast).and_then(|future| {
        SymbolTable::new(
            &ast,
            (future | opts.future_flags) & code_flags::FUTURE_ANNOTATIONS != 0,
            opts.top_level_await,
        )
    });
    drop_deep(ast);
    table.map_err(|error| error.finish_bytes(Some(&text)))
}

/// Fills in an error found after parsing. CPython shows the line from the file then, so text that is in no file is not shown.
fn finish(error: CompileError, text: &str, filename: &str) -> CompileError {
    let mut error = error.finish_bytes(Some(text));
    if filename.starts_with('<') {
        error.text = None;
    }
    error
}

/// What CPython changes in a tree before it compiles it: `__debug__`, `%` formats, numbers of patterns, docstrings.
pub fn optimize_ast(ast: &mut Mod, opts: &CompileOpts) -> Result<Vec<CompileWarning>> {
    let future = future::features(ast)? | opts.future_flags;
    let mut folder = Folder::new(opts.optimize, future & code_flags::FUTURE_ANNOTATIONS != 0);
    folder.folds_constants = false;
    folder.module(ast);
    Ok(folder.warnings)
}

/// Compiles a tree, which is folded in place on the way.
pub fn compile_ast(mut ast: Mod, filename: &str, opts: &CompileOpts) -> Result<Compiled> {
    let result = compile_tree(&mut ast, filename, opts);
    drop_deep(ast);
    result
}

fn compile_tree(ast: &mut Mod, filename: &str, opts: &CompileOpts) -> Result<Compiled> {
    let future = future::features(ast)? | opts.future_flags;
    let future_annotations = future & code_flags::FUTURE_ANNOTATIONS != 0;
    let mut folder = Folder::new(opts.optimize, future_annotations);
    folder.module(ast);
    let table = SymbolTable::new(ast, future_annotations, opts.top_level_await)?;
    let options = Options {
        optimize: opts.optimize,
        future,
        top_level_await: opts.top_level_await,
    };
    let code = Compiler::compile(ast, &table, filename, options)?;
    #[cfg(debug_assertions)]
    crate::bytecode::verify::verify(&code).map_err(|message| {
        CompileError::plain(
            crate::error::ErrorKind::SystemError,
            format!("bytecode verifier: {message}"),
        )
    })?;
    Ok(Compiled {
        code,
        warnings: folder.warnings,
    })
}

/// 'single' input is one statement; what follows it may only be blank or comments.
fn check_single(ast: &Mod, text: &str, opts: &CompileOpts) -> Result<()> {
    let Mod::Interactive { body } = ast else {
        return Ok(());
    };
    let at_end = |pos: Position, message: &str| {
        let error = CompileError::syntax(message, pos).finish(Some(text));
        Err(if opts.allow_incomplete_input {
            parse::errors::incomplete(error, text)
        } else {
            error
        })
    };
    let Some(first) = body.first() else {
        return at_end(
            Position {
                line: 1,
                end_line: 1,
                col: 0,
                end_col: 0,
            },
            "unexpected EOF while parsing",
        );
    };
    let simple = |kind: &StmtKind| {
        !matches!(
            kind,
            StmtKind::FunctionDef(_)
                | StmtKind::ClassDef(_)
                | StmtKind::For(_)
                | StmtKind::While { .. }
                | StmtKind::If { .. }
                | StmtKind::With(_)
                | StmtKind::Match { .. }
                | StmtKind::Try(_)
        )
    };
    let same_line = body
        .iter()
        .all(|stmt| simple(&stmt.kind) && stmt.pos.line <= first.pos.end_line);
    if body.len() > 1 && !same_line {
        let message = "multiple statements found while compiling a single statement";
        return Err(CompileError::syntax(message, body[1].pos).finish(Some(text)));
    }
    // The line that ends a compound statement must be there when the statement is no block.
    let last_line = text.rsplit('\n').next().unwrap_or("");
    if !simple(&first.kind) && !last_line.is_empty() && !last_line.starts_with([' ', '\t', '#']) {
        let end = Position {
            line: first.pos.end_line,
            col: first.pos.end_col,
            end_col: first.pos.end_col,
            ..first.pos
        };
        let mut error = CompileError::syntax("invalid syntax", end);
        error.at_end = true;
        let error = error.finish(Some(text));
        return Err(if opts.allow_incomplete_input {
            parse::errors::incomplete(error, text)
        } else {
            error
        });
    }
    if opts.dont_imply_dedent && !simple(&first.kind) && !text.ends_with('\n') {
        let end = Position {
            line: first.pos.end_line,
            col: first.pos.end_col,
            ..first.pos
        };
        return at_end(end, "unexpected EOF while parsing");
    }
    Ok(())
}
