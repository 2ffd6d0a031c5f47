//! `# type: …` comments -> `type_comment` fields and `TypeIgnore`s of a tree (`ast.parse(..., type_comments=True)`).
//!
//! A comment belongs to the statement, header or parameter that it follows; one that follows nothing that can have a
//! type comment is a syntax error, as in CPython.

use super::source::LineIndex;
use crate::ast::*;
use crate::bytecode::{Position, PyStr};
use crate::error::{CompileError, Result};
use ruff_text_size::{TextRange, TextSize};

struct TypeComment {
    start: usize,
    end: usize,
    text: PyStr,
    used: bool,
}

struct Attacher<'a> {
    source: &'a str,
    lines: &'a LineIndex,
    comments: Vec<TypeComment>,
    /// The first function with two comments: where the second one is.
    redundant: Option<usize>,
}

/// Attaches the type comments among a source text's comments to its tree.
pub fn attach(ast: &mut Mod, source: &str, lines: &LineIndex, comments: &[TextRange]) -> Result<()> {
    let mut ignores = Vec::new();
    let mut attacher = Attacher {
        source,
        lines,
        comments: Vec::new(),
        redundant: None,
    };
    for range in comments {
        let Some(text) = type_text(&source[*range]) else {
            continue;
        };
        if let Some(tag) = text.strip_prefix("ignore").filter(|tag| ends_word(tag)) {
            let lineno = lines.line_col(range.start()).0;
            ignores.push(TypeIgnore {
                lineno,
                tag: PyStr::from(tag),
            });
            continue;
        }
        let (start, end) = (range.start().to_usize(), range.end().to_usize());
        attacher.comments.push(TypeComment {
            start,
            end,
            text: PyStr::from(text),
            used: false,
        });
    }
    match ast {
        Mod::Module { body, type_ignores } => {
            *type_ignores = ignores;
            attacher.body(body);
        }
        Mod::Interactive { body } => attacher.body(body),
        Mod::Expression { .. } | Mod::FunctionType { .. } => {}
    }
    match attacher.comments.iter().find(|comment| !comment.used) {
        None => Ok(()),
        Some(comment) => {
            let range = TextRange::new(
                TextSize::new(comment.start as u32),
                TextSize::new(comment.end as u32),
            );
            let is_redundant = attacher.redundant == Some(comment.start);
            let before = source[..comment.start].trim_end();
            let after_star = before
                .strip_suffix(',')
                .is_some_and(|text| text.trim_end().ends_with('*'));
            let message = if after_star {
                "bare * has associated type comment"
            } else if is_redundant {
                "Cannot have two type comments on def"
            } else {
                "invalid syntax"
            };
            Err(CompileError::syntax(message, lines.position(range)))
        }
    }
}

/// What a type comment says; None for other comments.
fn type_text(comment: &str) -> Option<&str> {
    let blank = [' ', '\t'];
    let rest = comment.strip_prefix('#')?.trim_start_matches(blank);
    Some(rest.strip_prefix("type:")?.trim_start_matches(blank))
}

fn ends_word(rest: &str) -> bool {
    rest.bytes()
        .next()
        .is_none_or(|byte| byte < 128 && !byte.is_ascii_alphanumeric())
}

impl Attacher<'_> {
    fn offset(&self, line: i32, col: i32) -> usize {
        self.lines.line_start(line as usize) + col as usize
    }

    fn start(&self, pos: Position) -> usize {
        self.offset(pos.line, pos.col)
    }

    fn end(&self, pos: Position) -> usize {
        self.offset(pos.end_line, pos.end_col)
    }

    /// Takes the first comment that starts in a range, if the text between fits.
    fn take(&mut self, from: usize, to: usize, fits: impl Fn(&str) -> bool) -> Option<PyStr> {
        let first = self.comments.partition_point(|comment| comment.start < from);
        let comment = self.comments[first..].iter_mut().find(|comment| !comment.used)?;
        if comment.start >= to || !fits(&self.source[from..comment.start]) {
            return None;
        }
        comment.used = true;
        Some(comment.text.clone())
    }

    /// The comment after the colon of a header that ends at `from`.
    fn after_colon(&mut self, from: usize, body: &[Stmt]) -> Option<PyStr> {
        let to = self.start(body.first()?.pos);
        self.take(from, to, |between| {
            between
                .trim_end_matches([' ', '\t'])
                .strip_suffix(':')
                .is_some_and(|rest| !rest.contains('#'))
        })
    }

    fn body(&mut self, body: &mut [Stmt]) {
        for stmt in body {
            stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.stmt(stmt));
        }
    }

    fn stmt(&mut self, stmt: &mut Stmt) {
        let (start, end) = (self.start(stmt.pos), self.end(stmt.pos));
        match &mut stmt.kind {
            StmtKind::Assign { type_comment, .. } => {
                let line_end = self.source[end..]
                    .find('\n')
                    .map_or(self.source.len(), |at| end + at);
                *type_comment = self.take(end, line_end, |between| {
                    between.trim_matches([' ', '\t']).is_empty()
                });
            }
            StmtKind::For(node) => {
                node.type_comment = self.after_colon(self.end(node.iter.pos), &node.body);
                self.body(&mut node.body);
                self.body(&mut node.orelse);
            }
            StmtKind::With(node) => {
                let last = node
                    .items
                    .last()
                    .map(|item| item.optional_vars.as_ref().unwrap_or(&item.context_expr).pos);
                node.type_comment = self.after_colon(last.map_or(start, |pos| self.end(pos)), &node.body);
                self.body(&mut node.body);
            }
            StmtKind::FunctionDef(def) => {
                let Some(first) = def.body.first().map(|first| self.body_start(first)) else {
                    return;
                };
                let from = self.arguments(&mut def.args, first).unwrap_or(start);
                let from = def.returns.as_ref().map_or(from, |returns| self.end(returns.pos));
                def.type_comment = self.take(from, first, |between| between.trim_end().ends_with(':'));
                let second = self
                    .comments
                    .iter()
                    .find(|comment| !comment.used && comment.start > from);
                if let Some(second) = second
                    && def.type_comment.is_some()
                    && second.start < first
                {
                    self.redundant.get_or_insert(second.start);
                }
                self.body(&mut def.body);
            }
            StmtKind::ClassDef(def) => self.body(&mut def.body),
            StmtKind::While { body, orelse, .. } | StmtKind::If { body, orelse, .. } => {
                self.body(body);
                self.body(orelse);
            }
            StmtKind::Match { cases, .. } => cases.iter_mut().for_each(|case| self.body(&mut case.body)),
            StmtKind::Try(node) => {
                self.body(&mut node.body);
                node.handlers
                    .iter_mut()
                    .for_each(|handler| self.body(&mut handler.body));
                self.body(&mut node.orelse);
                self.body(&mut node.finalbody);
            }
            _ => {}
        }
    }

    /// Where the first statement of a body starts, its decorators included.
    fn body_start(&self, first: &Stmt) -> usize {
        let decorators = match &first.kind {
            StmtKind::FunctionDef(def) => &def.decorator_list[..],
            StmtKind::ClassDef(def) => &def.decorator_list[..],
            _ => &[],
        };
        decorators
            .first()
            .map_or_else(|| self.start(first.pos), |decorator| self.start(decorator.pos))
    }

    /// Attaches comments to parameters; where the last one ends.
    fn arguments(&mut self, args: &mut Arguments, limit: usize) -> Option<usize> {
        let mut all: Vec<&mut Arg> = args
            .posonlyargs
            .iter_mut()
            .chain(&mut args.args)
            .chain(&mut args.vararg)
            .chain(&mut args.kwonlyargs)
            .chain(&mut args.kwarg)
            .collect();
        all.sort_by_key(|arg| (arg.pos.line, arg.pos.col));
        let starts: Vec<usize> = all.iter().map(|arg| self.start(arg.pos)).chain([limit]).collect();
        let mut last = None;
        for (arg, next) in all.into_iter().zip(&starts[1..]) {
            let end = self.end(arg.pos);
            // After the colon it is the function's.
            arg.type_comment = self.take(end, *next, |between| !between.trim_end().ends_with(':'));
            last = Some(end);
        }
        last
    }
}
