//! `from __future__ import ...`: which features a module switches on, and whether the imports stand where they may.

use crate::ast::*;
use crate::bytecode::code_flags;
use crate::error::{CompileError, Result};

/// The `CO_FUTURE_*` flags of a module's own imports.
pub fn features(module: &Mod) -> Result<u32> {
    let (Mod::Module { body, .. } | Mod::Interactive { body }) = module else {
        return Ok(0);
    };
    let mut flags = 0;
    let mut allowed = true;
    for (index, stmt) in body.iter().enumerate() {
        match &stmt.kind {
            StmtKind::ImportFrom {
                module: Some(module),
                names,
                level: 0,
            } if module == "__future__" => {
                if !allowed {
                    return Err(too_late(stmt));
                }
                for alias in names {
                    flags |= feature(alias)?;
                }
            }
            StmtKind::Expr { value } if index == 0 && value.as_str_constant().is_some() => {}
            _ => allowed = false,
        }
    }
    refuse_nested(body)?;
    Ok(flags)
}

fn too_late(stmt: &Stmt) -> CompileError {
    CompileError::syntax(
        "from __future__ imports must occur at the beginning of the file",
        stmt.pos,
    )
}

/// Future imports inside other statements.
fn refuse_nested(body: &[Stmt]) -> Result<()> {
    let check = |stmts: &[Stmt]| {
        stmts.iter().try_for_each(|stmt| match &stmt.kind {
            StmtKind::ImportFrom {
                module: Some(module),
                level: 0,
                ..
            } if module == "__future__" => Err(too_late(stmt)),
            _ => refuse_nested(std::slice::from_ref(stmt)),
        })
    };
    for stmt in body {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || match &stmt.kind {
            StmtKind::FunctionDef(def) => check(&def.body),
            StmtKind::ClassDef(def) => check(&def.body),
            StmtKind::If { body, orelse, .. } | StmtKind::While { body, orelse, .. } => {
                check(body)?;
                check(orelse)
            }
            StmtKind::For(node) => {
                check(&node.body)?;
                check(&node.orelse)
            }
            StmtKind::With(node) => check(&node.body),
            StmtKind::Try(node) => {
                check(&node.body)?;
                node.handlers
                    .iter()
                    .try_for_each(|handler| check(&handler.body))?;
                check(&node.orelse)?;
                check(&node.finalbody)
            }
            StmtKind::Match { cases, .. } => cases.iter().try_for_each(|case| check(&case.body)),
            _ => Ok(()),
        })?;
    }
    Ok(())
}

fn feature(alias: &Alias) -> Result<u32> {
    match alias.name.as_str() {
        "nested_scopes" | "generators" | "division" | "absolute_import" | "with_statement"
        | "print_function" | "unicode_literals" | "generator_stop" => Ok(0),
        "barry_as_FLUFL" => Ok(code_flags::FUTURE_BARRY_AS_BDFL),
        "annotations" => Ok(code_flags::FUTURE_ANNOTATIONS),
        "braces" => Err(CompileError::syntax("not a chance", alias.pos)),
        other => Err(CompileError::syntax(
            format!("future feature {other} is not defined"),
            alias.pos,
        )),
    }
}
