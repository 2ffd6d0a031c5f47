//! AST -> AST: what is known before running: constants, `__debug__`, docstrings under -OO, `'%s' % (x,)`. Warns on the way
//! about suspicious literals. The arithmetic is in `fold_ops`.

use crate::ast::*;
use crate::bytecode::{Constant, Position, PyStr};
use crate::error::CompileWarning;
use crate::fold_ops;

pub struct Folder {
    optimize: u8,
    future_annotations: bool,
    pub warnings: Vec<CompileWarning>,
    /// Constants of operators, displays and subscripts fold: not in trees that programs ask for, only in their patterns.
    pub folds_constants: bool,
    /// Inside a `finally` of the current function.
    in_finally: bool,
    /// Inside a loop of that `finally`.
    in_loop: bool,
}

impl Folder {
    pub fn new(optimize: u8, future_annotations: bool) -> Folder {
        Folder {
            optimize,
            folds_constants: true,
            future_annotations,
            warnings: Vec::new(),
            in_finally: false,
            in_loop: false,
        }
    }

    /// Visits statements with other surroundings (PEP 765 warns about leaving a `finally`).
    fn within(&mut self, in_finally: bool, in_loop: bool, visit: impl FnOnce(&mut Folder)) {
        let saved = (self.in_finally, self.in_loop);
        (self.in_finally, self.in_loop) = (in_finally, in_loop);
        visit(self);
        (self.in_finally, self.in_loop) = saved;
    }

    fn check_leaving(&mut self, statement: &str, is_return: bool, pos: Position) {
        if self.in_finally && (is_return || !self.in_loop) {
            self.warn(format!("'{statement}' in a 'finally' block"), pos);
        }
    }

    pub fn module(&mut self, module: &mut Mod) {
        match module {
            Mod::Module { body, .. } => self.documented(body),
            Mod::Interactive { body } => self.stmts(body),
            Mod::Expression { body } => self.expr(body),
            Mod::FunctionType { argtypes, returns } => {
                self.exprs(argtypes);
                self.expr(returns);
            }
        }
    }

    fn warn(&mut self, message: String, pos: Position) {
        self.warnings.push(CompileWarning { message, pos });
    }

    /// A body that may start with a docstring.
    fn documented(&mut self, body: &mut Vec<Stmt>) {
        if self.optimize >= 2 && docstring(body).is_some() {
            let first = body.remove(0);
            if body.is_empty() {
                // As if it stood where the docstring began.
                let pos = Position {
                    end_line: first.pos.line,
                    end_col: first.pos.col + 4,
                    ..first.pos
                };
                body.push(Stmt {
                    pos,
                    kind: StmtKind::Pass,
                });
            }
        }
        let documented = docstring(body).is_some();
        self.stmts(body);
        // Folding must not make a docstring out of an expression.
        if !documented
            && let Some(Stmt {
                kind: StmtKind::Expr { value },
                pos,
            }) = body.first_mut()
            && value.as_str_constant().is_some()
        {
            let values = vec![std::mem::replace(
                value,
                Expr {
                    pos: *pos,
                    kind: ExprKind::Constant {
                        value: Constant::None,
                        kind: None,
                    },
                },
            )];
            value.kind = ExprKind::JoinedStr { values };
        }
    }

    fn stmts(&mut self, stmts: &mut [Stmt]) {
        stmts.iter_mut().for_each(|stmt| self.stmt(stmt));
    }

    fn stmt(&mut self, stmt: &mut Stmt) {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.stmt_inner(stmt));
    }

    fn stmt_inner(&mut self, stmt: &mut Stmt) {
        match &mut stmt.kind {
            StmtKind::FunctionDef(def) => {
                self.type_params(&mut def.type_params);
                self.arguments(&mut def.args);
                self.within(false, false, |folder| folder.documented(&mut def.body));
                self.exprs(&mut def.decorator_list);
                if !self.future_annotations {
                    self.opt_expr(&mut def.returns);
                }
            }
            StmtKind::ClassDef(def) => {
                self.type_params(&mut def.type_params);
                self.exprs(&mut def.bases);
                def.keywords.iter_mut().for_each(|k| self.expr(&mut k.value));
                self.documented(&mut def.body);
                self.exprs(&mut def.decorator_list);
            }
            StmtKind::Return { value } => {
                self.check_leaving("return", true, stmt.pos);
                self.opt_expr(value);
            }
            StmtKind::Delete { targets } => self.exprs(targets),
            StmtKind::Assign { targets, value, .. } => {
                self.exprs(targets);
                self.expr(value);
            }
            StmtKind::TypeAlias {
                name,
                type_params,
                value,
            } => {
                self.expr(name);
                self.type_params(type_params);
                self.expr(value);
            }
            StmtKind::AugAssign { target, value, .. } => {
                self.expr(target);
                self.expr(value);
            }
            StmtKind::AnnAssign {
                target,
                annotation,
                value,
                ..
            } => {
                self.expr(target);
                if !self.future_annotations {
                    self.expr(annotation);
                }
                self.opt_expr(value);
            }
            StmtKind::For(node) => {
                self.expr(&mut node.target);
                self.expr(&mut node.iter);
                if self.folds_constants {
                    fold_iter(&mut node.iter);
                }
                self.within(self.in_finally, true, |folder| folder.stmts(&mut node.body));
                self.stmts(&mut node.orelse);
            }
            StmtKind::While { test, body, orelse } => {
                self.expr(test);
                self.within(self.in_finally, true, |folder| folder.stmts(body));
                self.stmts(orelse);
            }
            StmtKind::If { test, body, orelse } => {
                self.expr(test);
                self.stmts(body);
                self.stmts(orelse);
            }
            StmtKind::With(node) => {
                for item in &mut node.items {
                    self.expr(&mut item.context_expr);
                    self.opt_expr(&mut item.optional_vars);
                }
                self.stmts(&mut node.body);
            }
            StmtKind::Match { subject, cases } => {
                self.expr(subject);
                for case in cases {
                    self.pattern(&mut case.pattern);
                    self.opt_expr(&mut case.guard);
                    self.stmts(&mut case.body);
                }
            }
            StmtKind::Raise { exc, cause } => {
                self.opt_expr(exc);
                self.opt_expr(cause);
            }
            StmtKind::Try(node) => {
                self.stmts(&mut node.body);
                for handler in &mut node.handlers {
                    self.opt_expr(&mut handler.typ);
                    self.stmts(&mut handler.body);
                }
                self.stmts(&mut node.orelse);
                self.within(true, false, |folder| folder.stmts(&mut node.finalbody));
            }
            StmtKind::Assert { test, msg } => {
                if matches!(&test.kind, ExprKind::Tuple { elts, .. } if !elts.is_empty()) {
                    self.warn(
                        "assertion is always true, perhaps remove parentheses?".into(),
                        stmt.pos,
                    );
                }
                self.expr(test);
                self.opt_expr(msg);
            }
            StmtKind::Expr { value } => self.expr(value),
            StmtKind::Import { .. }
            | StmtKind::ImportFrom { .. }
            | StmtKind::Global { .. }
            | StmtKind::Nonlocal { .. }
            | StmtKind::Pass => {}
            StmtKind::Break => self.check_leaving("break", false, stmt.pos),
            StmtKind::Continue => self.check_leaving("continue", false, stmt.pos),
        }
    }

    fn type_params(&mut self, params: &mut [TypeParam]) {
        for param in params {
            if let TypeParamKind::TypeVar { bound: Some(bound) } = &mut param.kind {
                // A tuple of constraints is looked at as a tuple later.
                match &mut bound.kind {
                    ExprKind::Tuple { elts, .. } => self.exprs(elts),
                    _ => self.expr(bound),
                }
            }
            self.opt_expr(&mut param.default);
        }
    }

    fn arguments(&mut self, args: &mut Arguments) {
        if !self.future_annotations {
            let stars = args.vararg.iter_mut().chain(&mut args.kwarg);
            for arg in args
                .posonlyargs
                .iter_mut()
                .chain(&mut args.args)
                .chain(&mut args.kwonlyargs)
                .chain(stars)
            {
                self.opt_expr(&mut arg.annotation);
            }
        }
        self.exprs(&mut args.defaults);
        args.kw_defaults
            .iter_mut()
            .for_each(|default| self.opt_expr(default));
    }

    fn pattern(&mut self, pattern: &mut Pattern) {
        let folds = std::mem::replace(&mut self.folds_constants, true);
        self.pattern_parts(pattern);
        self.folds_constants = folds;
    }

    fn pattern_parts(&mut self, pattern: &mut Pattern) {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || match &mut pattern.kind {
            PatternKind::MatchValue { value } => self.expr(value),
            PatternKind::MatchSingleton { .. } | PatternKind::MatchStar { .. } => {}
            PatternKind::MatchSequence { patterns } | PatternKind::MatchOr { patterns } => {
                patterns.iter_mut().for_each(|p| self.pattern(p));
            }
            PatternKind::MatchMapping { keys, patterns, .. } => {
                self.exprs(keys);
                patterns.iter_mut().for_each(|p| self.pattern(p));
            }
            PatternKind::MatchClass {
                cls,
                patterns,
                kwd_patterns,
                ..
            } => {
                self.expr(cls);
                patterns
                    .iter_mut()
                    .chain(kwd_patterns)
                    .for_each(|p| self.pattern(p));
            }
            PatternKind::MatchAs { pattern, .. } => pattern.iter_mut().for_each(|p| self.pattern(p)),
        });
    }

    fn exprs(&mut self, exprs: &mut [Expr]) {
        exprs.iter_mut().for_each(|expr| self.expr(expr));
    }

    fn opt_expr(&mut self, expr: &mut Option<Expr>) {
        if let Some(expr) = expr {
            self.expr(expr);
        }
    }

    fn generators(&mut self, generators: &mut [Comprehension]) {
        for generator in generators {
            self.expr(&mut generator.target);
            self.expr(&mut generator.iter);
            if self.folds_constants {
                fold_iter(&mut generator.iter);
            }
            self.exprs(&mut generator.ifs);
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        if !matches!(expr.kind, ExprKind::Constant { .. }) {
            stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.expr_inner(expr));
        }
    }

    fn expr_inner(&mut self, expr: &mut Expr) {
        let pos = expr.pos;
        match &mut expr.kind {
            ExprKind::BoolOp { values, .. } => self.exprs(values),
            ExprKind::NamedExpr { value, .. } => self.expr(value),
            ExprKind::BinOp { left, op, right } => {
                if let Some(joined) = self.format(left, *op, right) {
                    expr.kind = joined;
                    return self.expr_inner(expr);
                }
                self.expr(left);
                self.expr(right);
                if self.folds_constants
                    && let (Some(l), Some(r)) = (left.as_constant(), right.as_constant())
                    && let Some(value) = fold_ops::binary(l, *op, r)
                {
                    expr.kind = ExprKind::Constant { value, kind: None };
                }
            }
            ExprKind::UnaryOp { op, operand } => {
                self.expr(operand);
                if !self.folds_constants {
                    return;
                }
                if let Some(value) = operand
                    .as_constant()
                    .and_then(|value| fold_ops::unary(*op, value))
                {
                    expr.kind = ExprKind::Constant { value, kind: None };
                } else if let (UnaryOp::Not, ExprKind::Compare { ops, .. }) = (*op, &mut operand.kind)
                    && let [op @ (CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn)] = &mut ops[..]
                {
                    *op = match op {
                        CmpOp::Is => CmpOp::IsNot,
                        CmpOp::IsNot => CmpOp::Is,
                        CmpOp::In => CmpOp::NotIn,
                        _ => CmpOp::In,
                    };
                    let constant = ExprKind::Constant {
                        value: Constant::None,
                        kind: None,
                    };
                    expr.kind = std::mem::replace(&mut operand.kind, constant);
                }
            }
            ExprKind::Lambda { args, body } => {
                self.arguments(args);
                self.expr(body);
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.expr(test);
                self.expr(body);
                self.expr(orelse);
            }
            ExprKind::Dict { keys, values } => {
                keys.iter_mut().for_each(|key| self.opt_expr(key));
                self.exprs(values);
            }
            ExprKind::Set { elts } | ExprKind::List { elts, .. } => self.exprs(elts),
            ExprKind::Tuple { elts, ctx } => {
                self.exprs(elts);
                if self.folds_constants
                    && *ctx == ExprContext::Load
                    && let Some(items) = constants(elts)
                {
                    expr.kind = ExprKind::Constant {
                        value: Constant::Tuple(items),
                        kind: None,
                    };
                }
            }
            ExprKind::ListComp { elt, generators }
            | ExprKind::SetComp { elt, generators }
            | ExprKind::GeneratorExp { elt, generators } => {
                self.expr(elt);
                self.generators(generators);
            }
            ExprKind::DictComp {
                key,
                value,
                generators,
            } => {
                self.expr(key);
                self.expr(value);
                self.generators(generators);
            }
            ExprKind::Await { value }
            | ExprKind::YieldFrom { value }
            | ExprKind::Attribute { value, .. }
            | ExprKind::Starred { value, .. } => self.expr(value),
            ExprKind::Yield { value } => {
                if let Some(value) = value {
                    self.expr(value);
                }
            }
            ExprKind::Compare {
                left,
                ops,
                comparators,
            } => {
                self.check_compare(left, ops, comparators, pos);
                self.expr(left);
                self.exprs(comparators);
                for (op, comparator) in ops.iter().zip(comparators) {
                    if self.folds_constants && matches!(op, CmpOp::In | CmpOp::NotIn) {
                        fold_iter(comparator);
                    }
                }
            }
            ExprKind::Call { func, args, keywords } => {
                self.check_caller(func, pos);
                self.expr(func);
                self.exprs(args);
                keywords.iter_mut().for_each(|k| self.expr(&mut k.value));
            }
            ExprKind::FormattedValue {
                value, format_spec, ..
            }
            | ExprKind::Interpolation {
                value, format_spec, ..
            } => {
                self.expr(value);
                if let Some(spec) = format_spec {
                    self.expr(spec);
                }
            }
            ExprKind::JoinedStr { values } | ExprKind::TemplateStr { values } => self.exprs(values),
            ExprKind::Constant { .. } => {}
            ExprKind::Subscript { value, slice, ctx } => {
                if *ctx == ExprContext::Load {
                    self.check_subscripter(value, pos);
                    self.check_index(value, slice, pos);
                }
                self.expr(value);
                self.expr(slice);
                if self.folds_constants
                    && let (ExprContext::Load, Some(object), Some(index)) =
                        (*ctx, value.as_constant(), slice.as_constant())
                    && let Some(value) = fold_ops::subscript(object, index)
                {
                    expr.kind = ExprKind::Constant { value, kind: None };
                }
            }
            ExprKind::Slice { lower, upper, step } => {
                for bound in [lower, upper, step].into_iter().flatten() {
                    self.expr(bound);
                }
            }
            ExprKind::Name { id, ctx } => {
                if *ctx == ExprContext::Load && id == "__debug__" {
                    let value = if self.optimize == 0 {
                        Constant::True
                    } else {
                        Constant::False
                    };
                    expr.kind = ExprKind::Constant { value, kind: None };
                }
            }
        }
    }

    /// `'...%s...' % (a, b)` as a JoinedStr, when only %s, %r and %a with simple widths are used.
    fn format(&mut self, left: &mut Expr, op: Operator, right: &mut Expr) -> Option<ExprKind> {
        if op != Operator::Mod {
            return None;
        }
        let text = left.as_str_constant()?;
        let ExprKind::Tuple {
            elts,
            ctx: ExprContext::Load,
        } = &mut right.kind
        else {
            return None;
        };
        if elts.iter().any(|e| matches!(e.kind, ExprKind::Starred { .. })) {
            return None;
        }
        let pieces = fold_ops::parse_percent_format(text)?;
        let n_fields = pieces
            .iter()
            .filter(|p| matches!(p, fold_ops::FormatPiece::Field { .. }))
            .count();
        if n_fields != elts.len() {
            return None;
        }
        let mut items = std::mem::take(elts).into_iter();
        let mut values = Vec::new();
        let constant = |text: PyStr| ExprKind::Constant {
            value: Constant::Str(text),
            kind: None,
        };
        for piece in pieces {
            match piece {
                fold_ops::FormatPiece::Text(text) => {
                    values.push(Expr {
                        pos: left.pos,
                        kind: constant(text),
                    });
                }
                fold_ops::FormatPiece::Field { conversion, spec } => {
                    let value = items.next()?;
                    let pos = value.pos;
                    let format_spec = (!spec.is_empty()).then(|| {
                        let values = vec![Expr {
                            pos,
                            kind: constant(PyStr::from(spec)),
                        }];
                        Box::new(Expr {
                            pos,
                            kind: ExprKind::JoinedStr { values },
                        })
                    });
                    let kind = ExprKind::FormattedValue {
                        value: Box::new(value),
                        conversion: conversion as i32,
                        format_spec,
                    };
                    values.push(Expr { pos, kind });
                }
            }
        }
        Some(ExprKind::JoinedStr { values })
    }

    // ---- warnings ----

    fn check_compare(&mut self, left: &Expr, ops: &[CmpOp], comparators: &[Expr], pos: Position) {
        let suspicious = |e: &Expr| match e.as_constant() {
            None if is_constant_tuple(e) => Some("tuple"),
            None | Some(Constant::None | Constant::True | Constant::False | Constant::Ellipsis) => None,
            Some(value) => Some(fold_ops::type_name(value)),
        };
        let mut left_type = suspicious(left);
        for (op, right) in ops.iter().zip(comparators) {
            let right_type = suspicious(right);
            if let (CmpOp::Is | CmpOp::IsNot, Some(name)) = (op, left_type.or(right_type)) {
                let (word, instead) = if *op == CmpOp::Is {
                    ("is", "==")
                } else {
                    ("is not", "!=")
                };
                self.warn(
                    format!("\"{word}\" with '{name}' literal. Did you mean \"{instead}\"?"),
                    pos,
                );
                return;
            }
            left_type = right_type;
        }
    }

    fn check_caller(&mut self, func: &Expr, pos: Position) {
        if let Some(name) = display_type(func)
            && !matches!(func.kind, ExprKind::Lambda { .. })
        {
            self.warn(
                format!("'{name}' object is not callable; perhaps you missed a comma?"),
                pos,
            );
        }
    }

    fn check_subscripter(&mut self, value: &Expr, pos: Position) {
        let name = match &value.kind {
            ExprKind::Constant { value, .. } => match value {
                Constant::Str(_) | Constant::Bytes(_) | Constant::Tuple(_) => return,
                other => fold_ops::type_name(other),
            },
            ExprKind::Set { .. } | ExprKind::SetComp { .. } => "set",
            ExprKind::GeneratorExp { .. } => "generator",
            ExprKind::Lambda { .. } => "function",
            ExprKind::TemplateStr { .. } | ExprKind::Interpolation { .. } => "string.templatelib.Template",
            _ => return,
        };
        self.warn(
            format!("'{name}' object is not subscriptable; perhaps you missed a comma?"),
            pos,
        );
    }

    fn check_index(&mut self, value: &Expr, slice: &Expr, pos: Position) {
        let Some(index) = display_type(slice) else { return };
        if matches!(
            slice.as_constant(),
            Some(Constant::Int(_) | Constant::BigInt(_) | Constant::True | Constant::False)
        ) {
            return;
        }
        let name = match &value.kind {
            ExprKind::Constant {
                value: Constant::Str(_),
                ..
            }
            | ExprKind::JoinedStr { .. }
            | ExprKind::FormattedValue { .. } => "str",
            ExprKind::Constant {
                value: Constant::Bytes(_),
                ..
            } => "bytes",
            ExprKind::Tuple { .. }
            | ExprKind::Constant {
                value: Constant::Tuple(_),
                ..
            } => "tuple",
            ExprKind::List { .. } | ExprKind::ListComp { .. } => "list",
            _ => return,
        };
        self.warn(
            format!("{name} indices must be integers or slices, not {index}; perhaps you missed a comma?"),
            pos,
        );
    }
}

/// The type of a literal or display.
fn display_type(expr: &Expr) -> Option<&'static str> {
    Some(match &expr.kind {
        ExprKind::Constant { value, .. } => fold_ops::type_name(value),
        ExprKind::Tuple { .. } => "tuple",
        ExprKind::List { .. } | ExprKind::ListComp { .. } => "list",
        ExprKind::Dict { .. } | ExprKind::DictComp { .. } => "dict",
        ExprKind::Set { .. } | ExprKind::SetComp { .. } => "set",
        ExprKind::GeneratorExp { .. } => "generator",
        ExprKind::JoinedStr { .. } | ExprKind::FormattedValue { .. } => "str",
        ExprKind::TemplateStr { .. } | ExprKind::Interpolation { .. } => "string.templatelib.Template",
        ExprKind::Lambda { .. } => "function",
        _ => return None,
    })
}

fn constants(elts: &[Expr]) -> Option<Box<[Constant]>> {
    elts.iter().map(|e| e.as_constant().cloned()).collect()
}

/// A display that is only iterated over or searched: a list becomes a tuple, a set of constants a frozenset.
fn fold_iter(iter: &mut Expr) {
    match &mut iter.kind {
        ExprKind::List { elts, .. } => {
            if let Some(items) = constants(elts) {
                iter.kind = ExprKind::Constant {
                    value: Constant::Tuple(items),
                    kind: None,
                };
            } else if !elts.iter().any(|e| matches!(e.kind, ExprKind::Starred { .. })) {
                iter.kind = ExprKind::Tuple {
                    elts: std::mem::take(elts),
                    ctx: ExprContext::Load,
                };
            }
        }
        ExprKind::Set { elts } => {
            if let Some(items) = constants(elts) {
                let mut unique: Vec<Constant> = Vec::with_capacity(items.len());
                for item in items {
                    if !unique.contains(&item) {
                        unique.push(item);
                    }
                }
                iter.kind = ExprKind::Constant {
                    value: Constant::FrozenSet(unique.into()),
                    kind: None,
                };
            }
        }
        _ => {}
    }
}

/// Whether an expression is a tuple of nothing but constants.
fn is_constant_tuple(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Tuple { elts, .. } => elts
            .iter()
            .all(|item| item.as_constant().is_some() || is_constant_tuple(item)),
        _ => false,
    }
}
