//! tree -> nodes: the compiler's tree as Python objects.

use super::node;
use super::table::Kind;
use super::types::{PLACES, Types, interned, types};
use adder_compiler::ast::*;
use adder_compiler::bytecode::{Constant, Position, PyStr};
use adder_interp::code::constant_object;
use adder_runtime::prelude::*;

/// A tree as nodes.
pub fn to_object(tree: &Mod) -> PyResult {
    let maker = Maker {
        types: types()?,
        places: PLACES.map(interned),
    };
    match tree {
        Mod::Module { body, type_ignores } => {
            let ignores = maker.list(type_ignores, |ignore| {
                let lineno = int(ignore.lineno);
                maker.make(Kind::TypeIgnore, None, [lineno, text(&ignore.tag)])
            })?;
            maker.make(Kind::Module, None, [maker.stmts(body)?, ignores])
        }
        Mod::Interactive { body } => maker.make(Kind::Interactive, None, [maker.stmts(body)?]),
        Mod::Expression { body } => maker.make(Kind::Expression, None, [maker.expr(body)?]),
        Mod::FunctionType { argtypes, returns } => maker.make(
            Kind::FunctionType,
            None,
            [maker.exprs(argtypes)?, maker.expr(returns)?],
        ),
    }
}

struct Maker<'a> {
    types: &'a Types,
    places: [Ref<PyUnicodeObject>; 4],
}

fn int(value: i32) -> Ref {
    PyLongObject::from_i64(value as i64).into_object()
}

fn name(ident: &Ident) -> Ref {
    interned(ident).into_object()
}

fn opt_name(ident: &Option<Ident>) -> Ref {
    ident.as_ref().map_or_else(none_ref, name)
}

fn text(text: &PyStr) -> Ref {
    match text.as_str() {
        Some(text) => PyUnicodeObject::from_str(text).into_object(),
        None => PyUnicodeObject::from_wtf8(text.as_wtf8()).into_object(),
    }
}

fn opt_text(value: &Option<PyStr>) -> Ref {
    value.as_ref().map_or_else(none_ref, text)
}

impl Maker<'_> {
    /// A node with its fields in the table's order.
    fn make<const N: usize>(&self, kind: Kind, pos: Option<Position>, values: [Ref; N]) -> PyResult {
        let class = self.types.class(kind);
        debug_assert_eq!(class.names.len(), N, "{kind:?}");
        let dict = PyDictObject::with_capacity(N + 4);
        for (name, value) in class.names.iter().zip(values) {
            dict.set_owned(name.as_object(), value)?;
        }
        if let Some(pos) = pos {
            let numbers = [pos.line, pos.col, pos.end_line, pos.end_col];
            for (name, number) in self.places.iter().zip(numbers) {
                dict.set_owned(name.as_object(), int(number))?;
            }
        }
        node::make(&class.ty, dict)
    }

    fn singleton(&self, kind: Kind) -> PyResult {
        let singleton = self.types.class(kind).singleton.as_ref();
        singleton
            .cloned()
            .ok_or_else(|| raise!(SystemError, "{kind:?} has no instance"))
    }

    fn list<T>(&self, items: &[T], mut make: impl FnMut(&T) -> PyResult) -> PyResult {
        let list = PyListObject::with_capacity(items.len());
        for item in items {
            list.push(make(item)?);
        }
        Ok(list.into_object())
    }

    fn names(&self, names: &[Ident]) -> PyResult {
        self.list(names, |ident| Ok(name(ident)))
    }

    fn stmts(&self, body: &[Stmt]) -> PyResult {
        self.list(body, |stmt| self.stmt(stmt))
    }

    fn exprs(&self, exprs: &[Expr]) -> PyResult {
        self.list(exprs, |expr| self.expr(expr))
    }

    fn holes(&self, exprs: &[Option<Expr>]) -> PyResult {
        self.list(exprs, |expr| self.opt(expr.as_ref()))
    }

    fn opt(&self, expr: Option<&Expr>) -> PyResult {
        expr.map_or_else(|| Ok(none_ref()), |expr| self.expr(expr))
    }

    fn stmt(&self, stmt: &Stmt) -> PyResult {
        adder_runtime::protocol::enter_native_call(" during ast construction")?;
        let pos = Some(stmt.pos);
        match &stmt.kind {
            StmtKind::FunctionDef(def) => self.make(
                if def.is_async {
                    Kind::AsyncFunctionDef
                } else {
                    Kind::FunctionDef
                },
                pos,
                [
                    name(&def.name),
                    self.arguments(&def.args)?,
                    self.stmts(&def.body)?,
                    self.exprs(&def.decorator_list)?,
                    self.opt(def.returns.as_ref())?,
                    opt_text(&def.type_comment),
                    self.type_params(&def.type_params)?,
                ],
            ),
            StmtKind::ClassDef(def) => self.make(
                Kind::ClassDef,
                pos,
                [
                    name(&def.name),
                    self.exprs(&def.bases)?,
                    self.keywords(&def.keywords)?,
                    self.stmts(&def.body)?,
                    self.exprs(&def.decorator_list)?,
                    self.type_params(&def.type_params)?,
                ],
            ),
            StmtKind::Return { value } => self.make(Kind::Return, pos, [self.opt(value.as_ref())?]),
            StmtKind::Delete { targets } => self.make(Kind::Delete, pos, [self.exprs(targets)?]),
            StmtKind::Assign {
                targets,
                value,
                type_comment,
            } => self.make(
                Kind::Assign,
                pos,
                [self.exprs(targets)?, self.expr(value)?, opt_text(type_comment)],
            ),
            StmtKind::TypeAlias {
                name,
                type_params,
                value,
            } => {
                let parts = [
                    self.expr(name)?,
                    self.type_params(type_params)?,
                    self.expr(value)?,
                ];
                self.make(Kind::TypeAlias, pos, parts)
            }
            StmtKind::AugAssign { target, op, value } => self.make(
                Kind::AugAssign,
                pos,
                [self.expr(target)?, self.operator(*op)?, self.expr(value)?],
            ),
            StmtKind::AnnAssign {
                target,
                annotation,
                value,
                simple,
            } => {
                let value = self.opt(value.as_ref())?;
                let parts = [
                    self.expr(target)?,
                    self.expr(annotation)?,
                    value,
                    int(i32::from(*simple)),
                ];
                self.make(Kind::AnnAssign, pos, parts)
            }
            StmtKind::For(node) => self.make(
                if node.is_async { Kind::AsyncFor } else { Kind::For },
                pos,
                [
                    self.expr(&node.target)?,
                    self.expr(&node.iter)?,
                    self.stmts(&node.body)?,
                    self.stmts(&node.orelse)?,
                    opt_text(&node.type_comment),
                ],
            ),
            StmtKind::While { test, body, orelse } => self.make(
                Kind::While,
                pos,
                [self.expr(test)?, self.stmts(body)?, self.stmts(orelse)?],
            ),
            StmtKind::If { test, body, orelse } => self.make(
                Kind::If,
                pos,
                [self.expr(test)?, self.stmts(body)?, self.stmts(orelse)?],
            ),
            StmtKind::With(node) => {
                let items = self.list(&node.items, |item| {
                    let parts = [
                        self.expr(&item.context_expr)?,
                        self.opt(item.optional_vars.as_ref())?,
                    ];
                    self.make(Kind::withitem, None, parts)
                })?;
                let kind = if node.is_async {
                    Kind::AsyncWith
                } else {
                    Kind::With
                };
                self.make(
                    kind,
                    pos,
                    [items, self.stmts(&node.body)?, opt_text(&node.type_comment)],
                )
            }
            StmtKind::Match { subject, cases } => {
                let cases = self.list(cases, |case| {
                    let guard = self.opt(case.guard.as_ref())?;
                    let parts = [self.pattern(&case.pattern)?, guard, self.stmts(&case.body)?];
                    self.make(Kind::match_case, None, parts)
                })?;
                self.make(Kind::Match, pos, [self.expr(subject)?, cases])
            }
            StmtKind::Raise { exc, cause } => self.make(
                Kind::Raise,
                pos,
                [self.opt(exc.as_ref())?, self.opt(cause.as_ref())?],
            ),
            StmtKind::Try(node) => {
                let handlers = self.list(&node.handlers, |handler| {
                    let parts = [
                        self.opt(handler.typ.as_ref())?,
                        opt_name(&handler.name),
                        self.stmts(&handler.body)?,
                    ];
                    self.make(Kind::ExceptHandler, Some(handler.pos), parts)
                })?;
                let kind = if node.is_star { Kind::TryStar } else { Kind::Try };
                let parts = [
                    self.stmts(&node.body)?,
                    handlers,
                    self.stmts(&node.orelse)?,
                    self.stmts(&node.finalbody)?,
                ];
                self.make(kind, pos, parts)
            }
            StmtKind::Assert { test, msg } => {
                self.make(Kind::Assert, pos, [self.expr(test)?, self.opt(msg.as_ref())?])
            }
            StmtKind::Import { names } => self.make(Kind::Import, pos, [self.aliases(names)?]),
            StmtKind::ImportFrom { module, names, level } => self.make(
                Kind::ImportFrom,
                pos,
                [opt_name(module), self.aliases(names)?, int(*level as i32)],
            ),
            StmtKind::Global { names } => self.make(Kind::Global, pos, [self.names(names)?]),
            StmtKind::Nonlocal { names } => self.make(Kind::Nonlocal, pos, [self.names(names)?]),
            StmtKind::Expr { value } => self.make(Kind::Expr, pos, [self.expr(value)?]),
            StmtKind::Pass => self.make(Kind::Pass, pos, []),
            StmtKind::Break => self.make(Kind::Break, pos, []),
            StmtKind::Continue => self.make(Kind::Continue, pos, []),
        }
    }

    fn expr(&self, expr: &Expr) -> PyResult {
        adder_runtime::protocol::enter_native_call(" during ast construction")?;
        let pos = Some(expr.pos);
        match &expr.kind {
            ExprKind::BoolOp { op, values } => {
                let op = self.singleton(match op {
                    BoolOp::And => Kind::And,
                    BoolOp::Or => Kind::Or,
                })?;
                self.make(Kind::BoolOp, pos, [op, self.exprs(values)?])
            }
            ExprKind::NamedExpr { target, value } => {
                self.make(Kind::NamedExpr, pos, [self.expr(target)?, self.expr(value)?])
            }
            ExprKind::BinOp { left, op, right } => self.make(
                Kind::BinOp,
                pos,
                [self.expr(left)?, self.operator(*op)?, self.expr(right)?],
            ),
            ExprKind::UnaryOp { op, operand } => {
                let op = self.singleton(match op {
                    UnaryOp::Invert => Kind::Invert,
                    UnaryOp::Not => Kind::Not,
                    UnaryOp::UAdd => Kind::UAdd,
                    UnaryOp::USub => Kind::USub,
                })?;
                self.make(Kind::UnaryOp, pos, [op, self.expr(operand)?])
            }
            ExprKind::Lambda { args, body } => {
                self.make(Kind::Lambda, pos, [self.arguments(args)?, self.expr(body)?])
            }
            ExprKind::IfExp { test, body, orelse } => self.make(
                Kind::IfExp,
                pos,
                [self.expr(test)?, self.expr(body)?, self.expr(orelse)?],
            ),
            ExprKind::Dict { keys, values } => {
                self.make(Kind::Dict, pos, [self.holes(keys)?, self.exprs(values)?])
            }
            ExprKind::Set { elts } => self.make(Kind::Set, pos, [self.exprs(elts)?]),
            ExprKind::ListComp { elt, generators } => self.make(
                Kind::ListComp,
                pos,
                [self.expr(elt)?, self.generators(generators)?],
            ),
            ExprKind::SetComp { elt, generators } => self.make(
                Kind::SetComp,
                pos,
                [self.expr(elt)?, self.generators(generators)?],
            ),
            ExprKind::GeneratorExp { elt, generators } => self.make(
                Kind::GeneratorExp,
                pos,
                [self.expr(elt)?, self.generators(generators)?],
            ),
            ExprKind::DictComp {
                key,
                value,
                generators,
            } => {
                let parts = [self.expr(key)?, self.expr(value)?, self.generators(generators)?];
                self.make(Kind::DictComp, pos, parts)
            }
            ExprKind::Await { value } => self.make(Kind::Await, pos, [self.expr(value)?]),
            ExprKind::Yield { value } => self.make(Kind::Yield, pos, [self.opt(value.as_deref())?]),
            ExprKind::YieldFrom { value } => self.make(Kind::YieldFrom, pos, [self.expr(value)?]),
            ExprKind::Compare {
                left,
                ops,
                comparators,
            } => {
                let ops = self.list(ops, |op| self.singleton(compare_kind(*op)))?;
                self.make(
                    Kind::Compare,
                    pos,
                    [self.expr(left)?, ops, self.exprs(comparators)?],
                )
            }
            ExprKind::Call { func, args, keywords } => self.make(
                Kind::Call,
                pos,
                [self.expr(func)?, self.exprs(args)?, self.keywords(keywords)?],
            ),
            ExprKind::FormattedValue {
                value,
                conversion,
                format_spec,
            } => {
                let parts = [
                    self.expr(value)?,
                    int(*conversion),
                    self.opt(format_spec.as_deref())?,
                ];
                self.make(Kind::FormattedValue, pos, parts)
            }
            ExprKind::Interpolation {
                value,
                str,
                conversion,
                format_spec,
            } => {
                let spec = self.opt(format_spec.as_deref())?;
                let parts = [self.expr(value)?, constant_object(str)?, int(*conversion), spec];
                self.make(Kind::Interpolation, pos, parts)
            }
            ExprKind::JoinedStr { values } => self.make(Kind::JoinedStr, pos, [self.exprs(values)?]),
            ExprKind::TemplateStr { values } => self.make(Kind::TemplateStr, pos, [self.exprs(values)?]),
            ExprKind::Constant { value, kind } => {
                self.make(Kind::Constant, pos, [self.constant(value)?, opt_text(kind)])
            }
            ExprKind::Attribute { value, attr, ctx } => self.make(
                Kind::Attribute,
                pos,
                [self.expr(value)?, name(attr), self.context(*ctx)?],
            ),
            ExprKind::Subscript { value, slice, ctx } => self.make(
                Kind::Subscript,
                pos,
                [self.expr(value)?, self.expr(slice)?, self.context(*ctx)?],
            ),
            ExprKind::Starred { value, ctx } => {
                self.make(Kind::Starred, pos, [self.expr(value)?, self.context(*ctx)?])
            }
            ExprKind::Name { id, ctx } => self.make(Kind::Name, pos, [name(id), self.context(*ctx)?]),
            ExprKind::List { elts, ctx } => {
                self.make(Kind::List, pos, [self.exprs(elts)?, self.context(*ctx)?])
            }
            ExprKind::Tuple { elts, ctx } => {
                self.make(Kind::Tuple, pos, [self.exprs(elts)?, self.context(*ctx)?])
            }
            ExprKind::Slice { lower, upper, step } => {
                let parts = [
                    self.opt(lower.as_deref())?,
                    self.opt(upper.as_deref())?,
                    self.opt(step.as_deref())?,
                ];
                self.make(Kind::Slice, pos, parts)
            }
        }
    }

    fn constant(&self, value: &Constant) -> PyResult {
        constant_object(value)
    }

    fn context(&self, ctx: ExprContext) -> PyResult {
        self.singleton(match ctx {
            ExprContext::Load => Kind::Load,
            ExprContext::Store => Kind::Store,
            ExprContext::Del => Kind::Del,
        })
    }

    fn operator(&self, op: Operator) -> PyResult {
        self.singleton(match op {
            Operator::Add => Kind::Add,
            Operator::Sub => Kind::Sub,
            Operator::Mult => Kind::Mult,
            Operator::MatMult => Kind::MatMult,
            Operator::Div => Kind::Div,
            Operator::Mod => Kind::Mod,
            Operator::Pow => Kind::Pow,
            Operator::LShift => Kind::LShift,
            Operator::RShift => Kind::RShift,
            Operator::BitOr => Kind::BitOr,
            Operator::BitXor => Kind::BitXor,
            Operator::BitAnd => Kind::BitAnd,
            Operator::FloorDiv => Kind::FloorDiv,
        })
    }

    fn generators(&self, generators: &[Comprehension]) -> PyResult {
        self.list(generators, |part| {
            let is_async = int(i32::from(part.is_async));
            let parts = [
                self.expr(&part.target)?,
                self.expr(&part.iter)?,
                self.exprs(&part.ifs)?,
                is_async,
            ];
            self.make(Kind::comprehension, None, parts)
        })
    }

    fn arguments(&self, args: &Arguments) -> PyResult {
        let list = |args: &[Arg]| self.list(args, |arg| self.arg(arg));
        let opt = |arg: &Option<Arg>| arg.as_ref().map_or_else(|| Ok(none_ref()), |arg| self.arg(arg));
        let parts = [
            list(&args.posonlyargs)?,
            list(&args.args)?,
            opt(&args.vararg)?,
            list(&args.kwonlyargs)?,
            self.holes(&args.kw_defaults)?,
            opt(&args.kwarg)?,
            self.exprs(&args.defaults)?,
        ];
        self.make(Kind::arguments, None, parts)
    }

    fn arg(&self, arg: &Arg) -> PyResult {
        let parts = [
            name(&arg.arg),
            self.opt(arg.annotation.as_ref())?,
            opt_text(&arg.type_comment),
        ];
        self.make(Kind::arg, Some(arg.pos), parts)
    }

    fn keywords(&self, keywords: &[Keyword]) -> PyResult {
        self.list(keywords, |keyword| {
            self.make(
                Kind::keyword,
                Some(keyword.pos),
                [opt_name(&keyword.arg), self.expr(&keyword.value)?],
            )
        })
    }

    fn aliases(&self, names: &[Alias]) -> PyResult {
        self.list(names, |alias| {
            self.make(
                Kind::alias,
                Some(alias.pos),
                [name(&alias.name), opt_name(&alias.asname)],
            )
        })
    }

    fn type_params(&self, params: &[TypeParam]) -> PyResult {
        self.list(params, |param| {
            let (pos, default) = (Some(param.pos), self.opt(param.default.as_ref())?);
            match &param.kind {
                TypeParamKind::TypeVar { bound } => self.make(
                    Kind::TypeVar,
                    pos,
                    [name(&param.name), self.opt(bound.as_ref())?, default],
                ),
                TypeParamKind::ParamSpec => self.make(Kind::ParamSpec, pos, [name(&param.name), default]),
                TypeParamKind::TypeVarTuple => {
                    self.make(Kind::TypeVarTuple, pos, [name(&param.name), default])
                }
            }
        })
    }

    fn patterns(&self, patterns: &[Pattern]) -> PyResult {
        self.list(patterns, |pattern| self.pattern(pattern))
    }

    fn pattern(&self, pattern: &Pattern) -> PyResult {
        adder_runtime::protocol::enter_native_call(" during ast construction")?;
        let pos = Some(pattern.pos);
        match &pattern.kind {
            PatternKind::MatchValue { value } => self.make(Kind::MatchValue, pos, [self.expr(value)?]),
            PatternKind::MatchSingleton { value } => {
                self.make(Kind::MatchSingleton, pos, [self.constant(value)?])
            }
            PatternKind::MatchSequence { patterns } => {
                self.make(Kind::MatchSequence, pos, [self.patterns(patterns)?])
            }
            PatternKind::MatchMapping { keys, patterns, rest } => self.make(
                Kind::MatchMapping,
                pos,
                [self.exprs(keys)?, self.patterns(patterns)?, opt_name(rest)],
            ),
            PatternKind::MatchClass {
                cls,
                patterns,
                kwd_attrs,
                kwd_patterns,
            } => {
                let parts = [
                    self.expr(cls)?,
                    self.patterns(patterns)?,
                    self.names(kwd_attrs)?,
                    self.patterns(kwd_patterns)?,
                ];
                self.make(Kind::MatchClass, pos, parts)
            }
            PatternKind::MatchStar { name } => self.make(Kind::MatchStar, pos, [opt_name(name)]),
            PatternKind::MatchAs { pattern, name } => {
                let inner = match pattern {
                    Some(inner) => self.pattern(inner)?,
                    None => none_ref(),
                };
                self.make(Kind::MatchAs, pos, [inner, opt_name(name)])
            }
            PatternKind::MatchOr { patterns } => self.make(Kind::MatchOr, pos, [self.patterns(patterns)?]),
        }
    }
}

fn compare_kind(op: CmpOp) -> Kind {
    match op {
        CmpOp::Eq => Kind::Eq,
        CmpOp::NotEq => Kind::NotEq,
        CmpOp::Lt => Kind::Lt,
        CmpOp::LtE => Kind::LtE,
        CmpOp::Gt => Kind::Gt,
        CmpOp::GtE => Kind::GtE,
        CmpOp::Is => Kind::Is,
        CmpOp::IsNot => Kind::IsNot,
        CmpOp::In => Kind::In,
        CmpOp::NotIn => Kind::NotIn,
    }
}
