//! Whether a tree that a program built makes sense: what the parser's own trees are by construction.

use ExprContext::{Del, Load, Store};
use adder_compiler::ast::*;
use adder_compiler::bytecode::{Constant, Position};
use adder_runtime::prelude::*;
use adder_runtime::protocol::enter_native_call;

type Checked = PyResult<()>;

/// Checks a whole tree; what is wrong raises ValueError or TypeError.
pub fn validate(tree: &Mod) -> Checked {
    match tree {
        Mod::Module { body, .. } | Mod::Interactive { body } => stmts(body),
        Mod::Expression { body } => expr(body, Load),
        Mod::FunctionType { argtypes, returns } => {
            exprs(argtypes, Load)?;
            expr(returns, Load)
        }
    }
}

fn fail<T>(message: &str) -> PyResult<T> {
    Err(raise!(ValueError, "{message}"))
}

fn position(pos: Position) -> Checked {
    let Position {
        line,
        end_line,
        col,
        end_col,
    } = pos;
    if line > end_line {
        return Err(raise!(
            ValueError,
            "AST node line range ({line}, {end_line}) is not valid"
        ));
    }
    if line < 0 && end_line != line || col < 0 && col != end_col {
        return Err(raise!(
            ValueError,
            "AST node column range ({col}, {end_col}) for line range ({line}, {end_line}) is not valid"
        ));
    }
    if line == end_line && col > end_col {
        return Err(raise!(
            ValueError,
            "line {line}, column {col}-{end_col} is not a valid range"
        ));
    }
    Ok(())
}

fn identifier(name: &Ident) -> Checked {
    match name.as_str() {
        "None" | "True" | "False" => Err(raise!(
            ValueError,
            "identifier field can't represent '{name}' constant"
        )),
        _ => Ok(()),
    }
}

fn not_empty<T>(items: &[T], what: &str, owner: &str) -> Checked {
    if items.is_empty() {
        Err(raise!(ValueError, "empty {what} on {owner}"))
    } else {
        Ok(())
    }
}

fn body(stmts_of: &[Stmt], owner: &str) -> Checked {
    not_empty(stmts_of, "body", owner)?;
    stmts(stmts_of)
}

fn stmts(body: &[Stmt]) -> Checked {
    body.iter().try_for_each(stmt)
}

fn exprs(items: &[Expr], ctx: ExprContext) -> Checked {
    items.iter().try_for_each(|item| expr(item, ctx))
}

fn opt(item: Option<&Expr>, ctx: ExprContext) -> Checked {
    item.map_or(Ok(()), |item| expr(item, ctx))
}

fn holes(items: &[Option<Expr>]) -> Checked {
    items.iter().try_for_each(|item| opt(item.as_ref(), Load))
}

fn keywords(items: &[Keyword]) -> Checked {
    items.iter().try_for_each(|keyword| expr(&keyword.value, Load))
}

fn arguments(args: &Arguments) -> Checked {
    let check = |arg: &Arg| {
        position(arg.pos)?;
        opt(arg.annotation.as_ref(), Load)
    };
    args.posonlyargs.iter().chain(&args.args).try_for_each(check)?;
    args.vararg
        .iter()
        .chain(&args.kwonlyargs)
        .chain(&args.kwarg)
        .try_for_each(check)?;
    if args.defaults.len() > args.posonlyargs.len() + args.args.len() {
        return fail("more positional defaults than args on arguments");
    }
    if args.kw_defaults.len() != args.kwonlyargs.len() {
        return fail("length of kwonlyargs is not the same as kw_defaults on arguments");
    }
    exprs(&args.defaults, Load)?;
    holes(&args.kw_defaults)
}

fn aliases(names: &[Alias], owner: &str) -> Checked {
    not_empty(names, "names", owner)?;
    for alias in names {
        position(alias.pos)?;
        identifier(&alias.name)?;
        alias.asname.as_ref().map_or(Ok(()), identifier)?;
    }
    Ok(())
}

fn type_params(params: &[TypeParam]) -> Checked {
    for param in params {
        position(param.pos)?;
        identifier(&param.name)?;
        if let TypeParamKind::TypeVar { bound } = &param.kind {
            opt(bound.as_ref(), Load)?;
        }
        opt(param.default.as_ref(), Load)?;
    }
    Ok(())
}

fn stmt(stmt: &Stmt) -> Checked {
    enter_native_call(" during compilation")?;
    position(stmt.pos)?;
    match &stmt.kind {
        StmtKind::FunctionDef(def) => {
            identifier(&def.name)?;
            body(
                &def.body,
                if def.is_async {
                    "AsyncFunctionDef"
                } else {
                    "FunctionDef"
                },
            )?;
            type_params(&def.type_params)?;
            arguments(&def.args)?;
            exprs(&def.decorator_list, Load)?;
            opt(def.returns.as_ref(), Load)
        }
        StmtKind::ClassDef(def) => {
            identifier(&def.name)?;
            body(&def.body, "ClassDef")?;
            type_params(&def.type_params)?;
            exprs(&def.bases, Load)?;
            keywords(&def.keywords)?;
            exprs(&def.decorator_list, Load)
        }
        StmtKind::Return { value } => opt(value.as_ref(), Load),
        StmtKind::Delete { targets } => {
            not_empty(targets, "targets", "Delete")?;
            exprs(targets, Del)
        }
        StmtKind::Assign { targets, value, .. } => {
            not_empty(targets, "targets", "Assign")?;
            exprs(targets, Store)?;
            expr(value, Load)
        }
        StmtKind::TypeAlias {
            name,
            type_params: params,
            value,
        } => {
            if !matches!(name.kind, ExprKind::Name { .. }) {
                return Err(raise!(TypeError, "TypeAlias with non-Name name"));
            }
            expr(name, Store)?;
            type_params(params)?;
            expr(value, Load)
        }
        StmtKind::AugAssign { target, value, .. } => {
            expr(target, Store)?;
            expr(value, Load)
        }
        StmtKind::AnnAssign {
            target,
            annotation,
            value,
            simple,
        } => {
            if *simple && !matches!(target.kind, ExprKind::Name { .. }) {
                return Err(raise!(TypeError, "AnnAssign with simple non-Name target"));
            }
            expr(target, Store)?;
            opt(value.as_ref(), Load)?;
            expr(annotation, Load)
        }
        StmtKind::For(node) => {
            expr(&node.target, Store)?;
            expr(&node.iter, Load)?;
            body(&node.body, if node.is_async { "AsyncFor" } else { "For" })?;
            stmts(&node.orelse)
        }
        StmtKind::While {
            test,
            body: inner,
            orelse,
        } => {
            expr(test, Load)?;
            body(inner, "While")?;
            stmts(orelse)
        }
        StmtKind::If {
            test,
            body: inner,
            orelse,
        } => {
            expr(test, Load)?;
            body(inner, "If")?;
            stmts(orelse)
        }
        StmtKind::With(node) => {
            let owner = if node.is_async { "AsyncWith" } else { "With" };
            not_empty(&node.items, "items", owner)?;
            for item in &node.items {
                expr(&item.context_expr, Load)?;
                opt(item.optional_vars.as_ref(), Store)?;
            }
            body(&node.body, owner)
        }
        StmtKind::Match { subject, cases } => {
            expr(subject, Load)?;
            not_empty(cases, "cases", "Match")?;
            for case in cases {
                pattern(&case.pattern, false)?;
                opt(case.guard.as_ref(), Load)?;
                body(&case.body, "match_case")?;
            }
            Ok(())
        }
        StmtKind::Raise {
            exc: None,
            cause: Some(_),
        } => fail("Raise with cause but no exception"),
        StmtKind::Raise { exc, cause } => {
            opt(exc.as_ref(), Load)?;
            opt(cause.as_ref(), Load)
        }
        StmtKind::Try(node) => try_stmt(node),
        StmtKind::Assert { test, msg } => {
            expr(test, Load)?;
            opt(msg.as_ref(), Load)
        }
        StmtKind::Import { names } => aliases(names, "Import"),
        StmtKind::ImportFrom { names, .. } => aliases(names, "ImportFrom"),
        StmtKind::Global { names } => not_empty(names, "names", "Global"),
        StmtKind::Nonlocal { names } => not_empty(names, "names", "Nonlocal"),
        StmtKind::Expr { value } => expr(value, Load),
        StmtKind::Pass | StmtKind::Break | StmtKind::Continue => Ok(()),
    }
}

fn try_stmt(node: &Try) -> Checked {
    let owner = if node.is_star { "TryStar" } else { "Try" };
    body(&node.body, owner)?;
    if node.handlers.is_empty() && node.finalbody.is_empty() {
        return Err(raise!(
            ValueError,
            "{owner} has neither except handlers nor finalbody"
        ));
    }
    if node.handlers.is_empty() && !node.orelse.is_empty() {
        return Err(raise!(ValueError, "{owner} has orelse but no except handlers"));
    }
    for handler in &node.handlers {
        position(handler.pos)?;
        handler.name.as_ref().map_or(Ok(()), identifier)?;
        opt(handler.typ.as_ref(), Load)?;
        body(&handler.body, "ExceptHandler")?;
    }
    stmts(&node.finalbody)?;
    stmts(&node.orelse)
}

fn context_name(ctx: ExprContext) -> &'static str {
    match ctx {
        Load => "Load",
        Store => "Store",
        Del => "Del",
    }
}

fn expr(node: &Expr, ctx: ExprContext) -> Checked {
    enter_native_call(" during compilation")?;
    position(node.pos)?;
    let actual = match &node.kind {
        ExprKind::Attribute { ctx, .. }
        | ExprKind::Subscript { ctx, .. }
        | ExprKind::Starred { ctx, .. }
        | ExprKind::List { ctx, .. }
        | ExprKind::Tuple { ctx, .. } => *ctx,
        ExprKind::Name { id, ctx } => {
            identifier(id)?;
            *ctx
        }
        _ if ctx != Load => {
            return Err(raise!(
                ValueError,
                "expression which can't be assigned to in {} context",
                context_name(ctx)
            ));
        }
        _ => Load,
    };
    if actual != ctx {
        return Err(raise!(
            ValueError,
            "expression must have {} context but has {} instead",
            context_name(ctx),
            context_name(actual)
        ));
    }
    match &node.kind {
        ExprKind::BoolOp { values, .. } if values.len() < 2 => fail("BoolOp with less than 2 values"),
        ExprKind::BoolOp { values: items, .. }
        | ExprKind::Set { elts: items }
        | ExprKind::JoinedStr { values: items }
        | ExprKind::TemplateStr { values: items } => exprs(items, Load),
        ExprKind::NamedExpr { target, value } => {
            if !matches!(target.kind, ExprKind::Name { .. }) {
                return Err(raise!(TypeError, "NamedExpr target must be a Name"));
            }
            expr(value, Load)
        }
        ExprKind::BinOp { left, right, .. } => {
            expr(left, Load)?;
            expr(right, Load)
        }
        ExprKind::UnaryOp { operand, .. } => expr(operand, Load),
        ExprKind::Lambda { args, body } => {
            arguments(args)?;
            expr(body, Load)
        }
        ExprKind::IfExp { test, body, orelse } => {
            expr(test, Load)?;
            expr(body, Load)?;
            expr(orelse, Load)
        }
        ExprKind::Dict { keys, values } => {
            if keys.len() != values.len() {
                return fail("Dict doesn't have the same number of keys as values");
            }
            holes(keys)?;
            exprs(values, Load)
        }
        ExprKind::ListComp { elt, generators }
        | ExprKind::SetComp { elt, generators }
        | ExprKind::GeneratorExp { elt, generators } => {
            comprehension(generators)?;
            expr(elt, Load)
        }
        ExprKind::DictComp {
            key,
            value,
            generators,
        } => {
            comprehension(generators)?;
            expr(key, Load)?;
            expr(value, Load)
        }
        ExprKind::Yield { value } => opt(value.as_deref(), Load),
        ExprKind::YieldFrom { value } | ExprKind::Await { value } => expr(value, Load),
        ExprKind::Compare {
            left,
            ops,
            comparators,
        } => {
            if comparators.is_empty() {
                return fail("Compare with no comparators");
            }
            if comparators.len() != ops.len() {
                return fail("Compare has a different number of comparators and operands");
            }
            exprs(comparators, Load)?;
            expr(left, Load)
        }
        ExprKind::Call {
            func,
            args,
            keywords: given,
        } => {
            expr(func, Load)?;
            exprs(args, Load)?;
            keywords(given)
        }
        ExprKind::FormattedValue {
            value, format_spec, ..
        }
        | ExprKind::Interpolation {
            value, format_spec, ..
        } => {
            expr(value, Load)?;
            opt(format_spec.as_deref(), Load)
        }
        ExprKind::Attribute { value, .. } => expr(value, Load),
        ExprKind::Subscript { value, slice, .. } => {
            expr(slice, Load)?;
            expr(value, Load)
        }
        ExprKind::Starred { value, .. } => expr(value, ctx),
        ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } => exprs(elts, ctx),
        ExprKind::Slice { lower, upper, step } => {
            opt(lower.as_deref(), Load)?;
            opt(upper.as_deref(), Load)?;
            opt(step.as_deref(), Load)
        }
        ExprKind::Constant { .. } | ExprKind::Name { .. } => Ok(()),
    }
}

fn comprehension(generators: &[Comprehension]) -> Checked {
    if generators.is_empty() {
        return fail("comprehension with no generators");
    }
    for part in generators {
        expr(&part.target, Store)?;
        expr(&part.iter, Load)?;
        exprs(&part.ifs, Load)?;
    }
    Ok(())
}

fn patterns(items: &[Pattern], star_ok: bool) -> Checked {
    items.iter().try_for_each(|item| pattern(item, star_ok))
}

fn capture(name: &Ident) -> Checked {
    if name == "_" {
        return fail("can't capture name '_' in patterns");
    }
    identifier(name)
}

fn pattern(node: &Pattern, star_ok: bool) -> Checked {
    enter_native_call(" during compilation")?;
    position(node.pos)?;
    match &node.kind {
        PatternKind::MatchValue { value } => match_value(value),
        PatternKind::MatchSingleton { value } => match value {
            Constant::None | Constant::True | Constant::False => Ok(()),
            _ => fail("MatchSingleton can only contain True, False and None"),
        },
        PatternKind::MatchSequence { patterns: inner } => patterns(inner, true),
        PatternKind::MatchMapping {
            keys,
            patterns: inner,
            rest,
        } => {
            if keys.len() != inner.len() {
                return fail("MatchMapping doesn't have the same number of keys as patterns");
            }
            if let Some(rest) = rest {
                capture(rest)?;
            }
            for key in keys {
                match key.as_constant() {
                    Some(Constant::None | Constant::True | Constant::False) => expr(key, Load)?,
                    _ => match_value(key)?,
                }
            }
            patterns(inner, false)
        }
        PatternKind::MatchClass {
            cls,
            patterns: inner,
            kwd_attrs,
            kwd_patterns,
        } => {
            if kwd_attrs.len() != kwd_patterns.len() {
                return fail("MatchClass doesn't have the same number of keyword attributes as patterns");
            }
            expr(cls, Load)?;
            let mut base = cls;
            while let ExprKind::Attribute { value, .. } = &base.kind {
                base = value;
            }
            if !matches!(base.kind, ExprKind::Name { .. }) {
                return fail("MatchClass cls field can only contain Name or Attribute nodes.");
            }
            kwd_attrs.iter().try_for_each(identifier)?;
            patterns(inner, false)?;
            patterns(kwd_patterns, false)
        }
        PatternKind::MatchStar { name } => {
            if !star_ok {
                return fail("can't use MatchStar here");
            }
            name.as_ref().map_or(Ok(()), capture)
        }
        PatternKind::MatchAs { pattern: inner, name } => {
            if let Some(name) = name {
                capture(name)?;
            }
            match (inner, name) {
                (None, _) => Ok(()),
                (Some(_), None) => fail("MatchAs must specify a target name if a pattern is given"),
                (Some(inner), Some(_)) => pattern(inner, false),
            }
        }
        PatternKind::MatchOr { patterns: inner } => {
            if inner.len() < 2 {
                return fail("MatchOr requires at least 2 patterns");
            }
            patterns(inner, false)
        }
    }
}

/// A literal, a signed or complex literal, or an attribute.
fn match_value(value: &Expr) -> Checked {
    expr(value, Load)?;
    let number = |node: &Expr, imaginary: bool| match node.as_constant() {
        Some(Constant::Complex(..)) => imaginary,
        Some(Constant::Int(_) | Constant::BigInt(_) | Constant::Float(_)) => !imaginary,
        _ => false,
    };
    let signed = |node: &Expr, imaginary: bool| match &node.kind {
        ExprKind::UnaryOp {
            op: UnaryOp::USub,
            operand,
        } => number(operand, imaginary),
        _ => false,
    };
    let allowed = match &value.kind {
        ExprKind::Constant { value, .. } => match value {
            Constant::Int(_)
            | Constant::BigInt(_)
            | Constant::Float(_)
            | Constant::Complex(..)
            | Constant::Str(_)
            | Constant::Bytes(_) => true,
            _ => return fail("unexpected constant inside of a literal pattern"),
        },
        ExprKind::Attribute { .. } | ExprKind::JoinedStr { .. } | ExprKind::TemplateStr { .. } => true,
        ExprKind::UnaryOp { .. } => signed(value, false) || signed(value, true),
        ExprKind::BinOp {
            left,
            op: Operator::Add | Operator::Sub,
            right,
        } => (number(left, false) || signed(left, false)) && number(right, true),
        _ => false,
    };
    if allowed {
        Ok(())
    } else {
        fail("patterns may only match literals and attribute lookups")
    }
}
