//! Errors about what cannot be assigned to or deleted: finds the offending expression and names it as CPython does.

use super::context::Context;
use crate::error::CompileError;
use ruff_python_ast as ruff;
use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_parser::{ParseError, ParseErrorType};
use ruff_text_size::{Ranged, TextRange};

/// The word for a kind of expression.
fn expr_name(e: &ruff::Expr) -> &'static str {
    use ruff::Expr::*;
    match e {
        Attribute(_) => "attribute",
        Subscript(_) => "subscript",
        Starred(_) => "starred",
        Name(_) => "name",
        List(_) => "list",
        Tuple(_) => "tuple",
        Lambda(_) => "lambda",
        Call(_) => "function call",
        BoolOp(_) | BinOp(_) | UnaryOp(_) => "expression",
        Generator(_) => "generator expression",
        Yield(_) | YieldFrom(_) => "yield expression",
        Await(_) => "await expression",
        ListComp(_) => "list comprehension",
        SetComp(_) => "set comprehension",
        DictComp(_) => "dict comprehension",
        Dict(_) => "dict literal",
        Set(_) => "set display",
        FString(_) => "f-string expression",
        TString(_) => "t-string expression",
        NoneLiteral(_) => "None",
        BooleanLiteral(node) => {
            if node.value {
                "True"
            } else {
                "False"
            }
        }
        EllipsisLiteral(_) => "ellipsis",
        Compare(_) => "comparison",
        If(_) => "conditional expression",
        Named(_) => "named expression",
        _ => "literal",
    }
}

/// Where the expression stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Target of an assignment statement itself; the flag: followed by a single `=`.
    Assign(bool),
    Other,
}

struct Finder {
    range: TextRange,
    place: Place,
    found: Option<(&'static str, TextRange, Place, bool)>,
}

impl<'a> Visitor<'a> for Finder {
    fn visit_stmt(&mut self, stmt: &'a ruff::Stmt) {
        if self.found.is_some() {
            return;
        }
        if let ruff::Stmt::Assign(node) = stmt {
            for (index, target) in node.targets.iter().enumerate() {
                if target.range() == self.range || target.range().contains_range(self.range) {
                    let direct = target.range() == self.range;
                    self.place = if direct {
                        Place::Assign(index + 1 == node.targets.len() && index == 0)
                    } else {
                        Place::Other
                    };
                    self.visit_expr(target);
                    self.place = Place::Other;
                }
            }
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, e: &'a ruff::Expr) {
        if self.found.is_some() {
            return;
        }
        if e.range() == self.range {
            self.found = Some((expr_name(e), e.range(), self.place, is_bitwise(e)));
            return;
        }
        walk_expr(self, e);
    }
}

/// Whether an expression binds at least as strongly as `|`.
fn is_bitwise(e: &ruff::Expr) -> bool {
    use ruff::Expr::*;
    match e {
        BoolOp(_) | Compare(_) | If(_) | Lambda(_) | Named(_) | Yield(_) | YieldFrom(_) | Starred(_) => false,
        UnaryOp(node) => node.op != ruff::UnaryOp::Not,
        _ => true,
    }
}

fn find(context: &Context, range: TextRange) -> Option<(&'static str, TextRange, Place, bool)> {
    let mut finder = Finder {
        range,
        place: Place::Other,
        found: None,
    };
    match context.syntax {
        ruff::Mod::Module(module) => module.body.iter().for_each(|stmt| finder.visit_stmt(stmt)),
        ruff::Mod::Expression(module) => finder.visit_expr(&module.body),
    }
    finder.found
}

/// The word for the expression between two offsets.
pub(super) fn name_of(context: &Context, start: usize, end: usize) -> Option<&'static str> {
    let range = TextRange::new((start as u32).into(), (end.max(start) as u32).into());
    find(context, range).map(|found| found.0)
}

/// "cannot assign to ..." for the expression between two offsets.
pub(super) fn not_assignable(
    context: &Context,
    start: usize,
    end: usize,
    hint: bool,
) -> Option<CompileError> {
    let range = TextRange::new((start as u32).into(), (end.max(start) as u32).into());
    let (name, range, ..) = find(context, range)?;
    let hint = if hint
        && !matches!(
            name,
            "list" | "tuple" | "generator expression" | "True" | "False" | "None"
        ) {
        " here. Maybe you meant '==' instead of '='?"
    } else {
        ""
    };
    let (start, end) = (range.start().to_usize(), range.end().to_usize());
    Some(context.syntax_error(format!("cannot assign to {name}{hint}"), start, end))
}

pub(super) fn invalid_target(context: &Context, error: &ParseError) -> CompileError {
    let (start, end) = (error.location.start().to_usize(), error.location.end().to_usize());
    let Some((name, _, place, bitwise)) = find(context, error.location) else {
        return context.syntax_error("invalid syntax", start, end);
    };
    if name == "await expression" && error.location.len() == ruff_text_size::TextSize::new(5) {
        return context.invalid_after(end);
    }
    let message = match &error.error {
        ParseErrorType::InvalidDeleteTarget => format!("cannot delete {name}"),
        ParseErrorType::InvalidAugmentedAssignmentTarget => {
            format!("'{name}' is an illegal expression for augmented assignment")
        }
        ParseErrorType::InvalidAnnotatedAssignmentTarget => match name {
            "list" | "tuple" => format!("only single target (not {name}) can be annotated"),
            _ => "illegal target for annotation".into(),
        },
        ParseErrorType::InvalidNamedAssignmentTarget => {
            format!("cannot use assignment expressions with {name}")
        }
        _ if name == "yield expression" => "assignment to yield expression not possible".into(),
        _ => {
            let plain = matches!(
                name,
                "list" | "tuple" | "generator expression" | "True" | "False" | "None"
            );
            if place == Place::Assign(true) && bitwise && !plain && context.value_follows(end) {
                format!("cannot assign to {name} here. Maybe you meant '==' instead of '='?")
            } else {
                format!("cannot assign to {name}")
            }
        }
    };
    context.syntax_error(message, start, end)
}
