//! ruff AST -> AST of `crate::ast`: CPython's node shapes and positions.

use super::source::LineIndex;
use crate::ast::*;
use crate::bytecode::{Constant, Position};
use crate::error::{CompileError, CompileWarning, ErrorKind};
use num_bigint::BigInt;
use ruff_python_ast as ruff;
use ruff_text_size::{Ranged, TextRange, TextSize};

/// Nesting of nodes at which compilation gives up, as CPython's parser does with its stack.
const MAX_DEPTH: u32 = 6000;
/// Most `elif`s of one statement: they nest, too.
const MAX_CLAUSES: usize = 3990;

/// Levels of indentation that CPython's tokenizer keeps, less the module's own.
const MAX_INDENT: u32 = 99;

pub struct Converter<'a> {
    pub(super) source: &'a str,
    pub(super) lines: &'a LineIndex,
    pub warnings: Vec<CompileWarning>,
    /// The first error that the parser itself does not see.
    pub error: Option<CompileError>,
    /// The tree nests deeper than this conversion goes.
    pub too_deep: bool,
    /// Syntax newer than Python 3.N is refused.
    pub feature_version: u8,
    depth: u32,
    /// Nesting of format specs.
    pub(super) spec_depth: u32,
    /// Blocks around the current statement, the module among them.
    blocks: u32,
}

impl<'a> Converter<'a> {
    pub fn new(source: &'a str, lines: &'a LineIndex) -> Converter<'a> {
        Converter {
            source,
            lines,
            warnings: Vec::new(),
            error: None,
            too_deep: false,
            feature_version: super::Extras::default().feature_version,
            depth: 0,
            blocks: 0,
            spec_depth: 0,
        }
    }

    pub(super) fn pos(&self, range: TextRange) -> Position {
        self.lines.position(range)
    }

    pub(super) fn text(&self, range: TextRange) -> &'a str {
        &self.source[range]
    }

    fn fail(&mut self, error: CompileError) {
        self.error.get_or_insert(error);
    }

    pub(super) fn unknown_name(&mut self, start: TextSize, at: usize, len: usize) {
        let pos = self.pos(TextRange::empty(start));
        let message = format!(
            "(unicode error) 'unicodeescape' codec can't decode bytes in position {at}-{}: unknown Unicode character name",
            at + len
        );
        self.fail(CompileError::syntax(message, pos));
    }

    pub(super) fn too_deep(&mut self, range: TextRange) {
        let pos = self.pos(TextRange::empty(range.start()));
        self.fail(CompileError::syntax(
            "f-string: expressions nested too deeply",
            pos,
        ));
    }

    pub(super) fn bad_bytes_escape(&mut self, range: TextRange, at: usize) {
        let pos = self.pos(range);
        self.fail(CompileError::syntax(
            format!("(value error) invalid \\x escape at position {at}"),
            pos,
        ));
    }

    /// Runs `f` one level deeper with enough native stack; None when nesting is absurd.
    fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            self.too_deep = true;
            self.fail(CompileError::plain(
                ErrorKind::MemoryError,
                "Parser stack overflowed - Python source too complex to parse",
            ));
            return None;
        }
        self.depth += 1;
        let result = stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, || f(self));
        self.depth -= 1;
        Some(result)
    }

    // ---- statements ----

    pub fn body(&mut self, body: &[ruff::Stmt]) -> Vec<Stmt> {
        if self.blocks > MAX_INDENT
            && let Some(first) = body.first()
        {
            let pos = self.pos(first.range());
            self.fail(CompileError::at(
                ErrorKind::IndentationError,
                "too many levels of indentation",
                pos,
            ));
        }
        self.blocks += 1;
        let body = body.iter().map(|stmt| self.stmt(stmt)).collect();
        self.blocks -= 1;
        body
    }

    fn stmt(&mut self, stmt: &ruff::Stmt) -> Stmt {
        let mut pos = self.pos(TextRange::new(stmt.start(), self.block_end(stmt)));
        let kind = self
            .nested(|c| c.stmt_kind(stmt, &mut pos))
            .unwrap_or(StmtKind::Pass);
        Stmt { pos, kind }
    }

    /// Where a statement ends: with the block of a compound statement ends the semicolon after its last statement.
    fn block_end(&self, stmt: &ruff::Stmt) -> TextSize {
        let is_compound = matches!(
            stmt,
            ruff::Stmt::FunctionDef(_)
                | ruff::Stmt::ClassDef(_)
                | ruff::Stmt::For(_)
                | ruff::Stmt::While(_)
                | ruff::Stmt::If(_)
                | ruff::Stmt::With(_)
                | ruff::Stmt::Match(_)
                | ruff::Stmt::Try(_)
        );
        if is_compound {
            self.after_semicolon(stmt.end())
        } else {
            stmt.end()
        }
    }

    fn after_semicolon(&self, end: TextSize) -> TextSize {
        let rest = &self.source.as_bytes()[end.to_usize()..];
        let blanks = rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\x0C'))
            .count();
        if rest.get(blanks) == Some(&b';') {
            end + TextSize::new(blanks as u32 + 1)
        } else {
            end
        }
    }

    fn stmt_kind(&mut self, stmt: &ruff::Stmt, pos: &mut Position) -> StmtKind {
        match stmt {
            ruff::Stmt::FunctionDef(def) => self.function_def(def, pos),
            ruff::Stmt::ClassDef(def) => self.class_def(def, pos),
            ruff::Stmt::Return(node) => StmtKind::Return {
                value: self.opt_expr(&node.value),
            },
            ruff::Stmt::Delete(node) => StmtKind::Delete {
                targets: self.exprs(&node.targets),
            },
            ruff::Stmt::TypeAlias(node) => StmtKind::TypeAlias {
                name: self.expr(&node.name),
                type_params: self.type_params(node.type_params.as_deref()),
                value: self.expr(&node.value),
            },
            ruff::Stmt::Assign(node) => StmtKind::Assign {
                targets: self.exprs(&node.targets),
                value: self.expr(&node.value),
                type_comment: None,
            },
            ruff::Stmt::AugAssign(node) => StmtKind::AugAssign {
                target: self.expr(&node.target),
                op: operator(node.op),
                value: self.expr(&node.value),
            },
            ruff::Stmt::AnnAssign(node) => StmtKind::AnnAssign {
                target: self.expr(&node.target),
                annotation: self.expr(&node.annotation),
                value: self.opt_expr(&node.value),
                simple: node.simple,
            },
            ruff::Stmt::For(node) => StmtKind::For(Box::new(For {
                is_async: node.is_async,
                target: self.expr(&node.target),
                iter: self.expr(&node.iter),
                body: self.body(&node.body),
                orelse: self.body(&node.orelse),
                type_comment: None,
            })),
            ruff::Stmt::While(node) => StmtKind::While {
                test: self.expr(&node.test),
                body: self.body(&node.body),
                orelse: self.body(&node.orelse),
            },
            ruff::Stmt::If(node) => StmtKind::If {
                test: self.expr(&node.test),
                body: self.body(&node.body),
                orelse: self.elif_else(&node.elif_else_clauses),
            },
            ruff::Stmt::With(node) => StmtKind::With(Box::new(With {
                is_async: node.is_async,
                items: node
                    .items
                    .iter()
                    .map(|item| WithItem {
                        context_expr: self.expr(&item.context_expr),
                        optional_vars: self.opt_expr(&item.optional_vars),
                    })
                    .collect(),
                body: self.body(&node.body),
                type_comment: None,
            })),
            ruff::Stmt::Match(node) => StmtKind::Match {
                subject: self.expr(&node.subject),
                cases: node
                    .cases
                    .iter()
                    .map(|case| MatchCase {
                        pattern: self.pattern(&case.pattern),
                        guard: self.opt_expr(&case.guard),
                        body: self.body(&case.body),
                    })
                    .collect(),
            },
            ruff::Stmt::Raise(node) => StmtKind::Raise {
                exc: self.opt_expr(&node.exc),
                cause: self.opt_expr(&node.cause),
            },
            ruff::Stmt::Try(node) => self.try_stmt(node),
            ruff::Stmt::Assert(node) => StmtKind::Assert {
                test: self.expr(&node.test),
                msg: self.opt_expr(&node.msg),
            },
            ruff::Stmt::Import(node) => StmtKind::Import {
                names: self.aliases(&node.names),
            },
            ruff::Stmt::ImportFrom(node) => StmtKind::ImportFrom {
                module: node.module.as_ref().map(|m| m.id.clone()),
                names: self.aliases(&node.names),
                level: node.level,
            },
            ruff::Stmt::Global(node) => StmtKind::Global {
                names: node.names.iter().map(|n| n.id.clone()).collect(),
            },
            ruff::Stmt::Nonlocal(node) => StmtKind::Nonlocal {
                names: node.names.iter().map(|n| n.id.clone()).collect(),
            },
            ruff::Stmt::Expr(node) => StmtKind::Expr {
                value: self.expr(&node.value),
            },
            ruff::Stmt::Pass(_) => StmtKind::Pass,
            ruff::Stmt::Break(_) => StmtKind::Break,
            ruff::Stmt::Continue(_) => StmtKind::Continue,
            ruff::Stmt::IpyEscapeCommand(_) => {
                self.fail(CompileError::syntax("invalid syntax", *pos));
                StmtKind::Pass
            }
        }
    }

    /// Definitions start at `def`, `async` or `class`, not at their decorators.
    fn definition_start(&self, decorators: &[ruff::Decorator], pos: &mut Position) {
        let Some(last) = decorators.last() else { return };
        let mut at = last.range.end().to_usize();
        let bytes = self.source.as_bytes();
        let mut in_comment = false;
        while at < bytes.len() {
            match bytes[at] {
                b'\n' => in_comment = false,
                b'#' => in_comment = true,
                b' ' | b'\t' | b'\x0C' | b'\\' => {}
                _ if in_comment => {}
                _ => break,
            }
            at += 1;
        }
        (pos.line, pos.col) = self.lines.line_col(TextSize::new(at as u32));
    }

    fn function_def(&mut self, def: &ruff::StmtFunctionDef, pos: &mut Position) -> StmtKind {
        self.definition_start(&def.decorator_list, pos);
        StmtKind::FunctionDef(Box::new(FunctionDef {
            is_async: def.is_async,
            name: def.name.id.clone(),
            args: self.arguments(&def.parameters),
            body: self.body(&def.body),
            decorator_list: def
                .decorator_list
                .iter()
                .map(|d| self.expr(&d.expression))
                .collect(),
            returns: self.opt_expr(&def.returns),
            type_comment: None,
            type_params: self.type_params(def.type_params.as_deref()),
        }))
    }

    fn class_def(&mut self, def: &ruff::StmtClassDef, pos: &mut Position) -> StmtKind {
        self.definition_start(&def.decorator_list, pos);
        StmtKind::ClassDef(Box::new(ClassDef {
            name: def.name.id.clone(),
            bases: self.exprs(def.bases()),
            keywords: self.keywords(def.keywords()),
            body: self.body(&def.body),
            decorator_list: def
                .decorator_list
                .iter()
                .map(|d| self.expr(&d.expression))
                .collect(),
            type_params: self.type_params(def.type_params.as_deref()),
        }))
    }

    /// `elif`s become nested `If`s.
    fn elif_else(&mut self, clauses: &[ruff::ElifElseClause]) -> Vec<Stmt> {
        let Some(last) = clauses.last() else {
            return Vec::new();
        };
        if clauses.len() >= MAX_CLAUSES {
            self.fail(CompileError::plain(
                ErrorKind::MemoryError,
                "Parser stack overflowed - Python source too complex to parse",
            ));
            return Vec::new();
        }
        let end = self.after_semicolon(last.range.end());
        let mut orelse = Vec::new();
        for clause in clauses.iter().rev() {
            match &clause.test {
                None => orelse = self.body(&clause.body),
                Some(test) => {
                    let pos = self.pos(TextRange::new(clause.range.start(), end));
                    let kind = StmtKind::If {
                        test: self.expr(test),
                        body: self.body(&clause.body),
                        orelse,
                    };
                    orelse = vec![Stmt { pos, kind }];
                }
            }
        }
        orelse
    }

    fn try_stmt(&mut self, node: &ruff::StmtTry) -> StmtKind {
        let handlers = node
            .handlers
            .iter()
            .map(|handler| {
                let ruff::ExceptHandler::ExceptHandler(handler) = handler;
                ExceptHandler {
                    pos: self.pos(TextRange::new(
                        handler.range.start(),
                        self.after_semicolon(handler.range.end()),
                    )),
                    typ: self.opt_expr(&handler.type_),
                    name: handler.name.as_ref().map(|n| n.id.clone()),
                    body: self.body(&handler.body),
                }
            })
            .collect();
        StmtKind::Try(Box::new(Try {
            is_star: node.is_star,
            body: self.body(&node.body),
            handlers,
            orelse: self.body(&node.orelse),
            finalbody: self.body(&node.finalbody),
        }))
    }

    fn aliases(&mut self, names: &[ruff::Alias]) -> Vec<Alias> {
        names
            .iter()
            .map(|alias| Alias {
                pos: self.pos(alias.range),
                name: alias.name.id.clone(),
                asname: alias.asname.as_ref().map(|n| n.id.clone()),
            })
            .collect()
    }

    fn type_params(&mut self, params: Option<&ruff::TypeParams>) -> Vec<TypeParam> {
        let Some(params) = params else { return Vec::new() };
        params
            .type_params
            .iter()
            .map(|param| {
                if let Some(default) = param.default().filter(|_| self.feature_version < 13) {
                    // The parser has read one token more when it notices.
                    let after = default.range().end();
                    let blanks = self.source[after.to_usize()..].find(|c: char| !c.is_whitespace());
                    let token = TextRange::at(
                        after + TextSize::new(blanks.unwrap_or(0) as u32),
                        TextSize::new(1),
                    );
                    let message = "Type parameter defaults are only supported in Python 3.13 and greater";
                    self.fail(CompileError::syntax(message, self.pos(token)));
                }
                let pos = self.pos(param.range());
                match param {
                    ruff::TypeParam::TypeVar(node) => TypeParam {
                        pos,
                        name: node.name.id.clone(),
                        default: self.opt_expr(&node.default),
                        kind: TypeParamKind::TypeVar {
                            bound: self.opt_expr(&node.bound),
                        },
                    },
                    ruff::TypeParam::TypeVarTuple(node) => TypeParam {
                        pos,
                        name: node.name.id.clone(),
                        default: self.opt_expr(&node.default),
                        kind: TypeParamKind::TypeVarTuple,
                    },
                    ruff::TypeParam::ParamSpec(node) => TypeParam {
                        pos,
                        name: node.name.id.clone(),
                        default: self.opt_expr(&node.default),
                        kind: TypeParamKind::ParamSpec,
                    },
                }
            })
            .collect()
    }

    fn arguments(&mut self, params: &ruff::Parameters) -> Arguments {
        let mut args = Arguments::default();
        for param in &params.posonlyargs {
            args.posonlyargs.push(self.arg(&param.parameter));
            args.defaults.extend(self.opt_expr(&param.default));
        }
        for param in &params.args {
            args.args.push(self.arg(&param.parameter));
            args.defaults.extend(self.opt_expr(&param.default));
        }
        args.vararg = params.vararg.as_deref().map(|param| self.arg(param));
        for param in &params.kwonlyargs {
            args.kwonlyargs.push(self.arg(&param.parameter));
            args.kw_defaults.push(self.opt_expr(&param.default));
        }
        args.kwarg = params.kwarg.as_deref().map(|param| self.arg(param));
        args
    }

    fn arg(&mut self, param: &ruff::Parameter) -> Arg {
        // A star belongs to the signature, not to the parameter.
        let range = match &param.annotation {
            Some(annotation) => TextRange::new(param.name.range.start(), annotation.range().end()),
            None => param.name.range,
        };
        let end = range.end().max(param.range.end());
        Arg {
            pos: self.pos(TextRange::new(range.start(), end)),
            arg: param.name.id.clone(),
            annotation: self.opt_expr(&param.annotation),
            type_comment: None,
        }
    }

    fn keywords(&mut self, keywords: &[ruff::Keyword]) -> Vec<Keyword> {
        keywords
            .iter()
            .map(|keyword| Keyword {
                pos: self.pos(keyword.range),
                arg: keyword.arg.as_ref().map(|n| n.id.clone()),
                value: self.expr(&keyword.value),
            })
            .collect()
    }

    // ---- patterns ----

    fn pattern(&mut self, pattern: &ruff::Pattern) -> Pattern {
        let pos = self.pos(pattern.range());
        let kind = self
            .nested(|c| c.pattern_kind(pattern))
            .unwrap_or(PatternKind::MatchAs {
                pattern: None,
                name: None,
            });
        Pattern { pos, kind }
    }

    fn patterns(&mut self, patterns: &[ruff::Pattern]) -> Vec<Pattern> {
        patterns.iter().map(|p| self.pattern(p)).collect()
    }

    fn pattern_kind(&mut self, pattern: &ruff::Pattern) -> PatternKind {
        let name = |id: &Option<ruff::Identifier>| id.as_ref().map(|n| n.id.clone());
        match pattern {
            ruff::Pattern::MatchValue(node) => PatternKind::MatchValue {
                value: self.expr(&node.value),
            },
            ruff::Pattern::MatchSingleton(node) => PatternKind::MatchSingleton {
                value: match node.value {
                    ruff::Singleton::None => Constant::None,
                    ruff::Singleton::True => Constant::True,
                    ruff::Singleton::False => Constant::False,
                },
            },
            ruff::Pattern::MatchSequence(node) => PatternKind::MatchSequence {
                patterns: self.patterns(&node.patterns),
            },
            ruff::Pattern::MatchMapping(node) => PatternKind::MatchMapping {
                keys: self.exprs(&node.keys),
                patterns: self.patterns(&node.patterns),
                rest: name(&node.rest),
            },
            ruff::Pattern::MatchClass(node) => PatternKind::MatchClass {
                cls: self.expr(&node.cls),
                patterns: self.patterns(&node.arguments.patterns),
                kwd_attrs: node
                    .arguments
                    .keywords
                    .iter()
                    .map(|k| k.attr.id.clone())
                    .collect(),
                kwd_patterns: node
                    .arguments
                    .keywords
                    .iter()
                    .map(|k| self.pattern(&k.pattern))
                    .collect(),
            },
            ruff::Pattern::MatchStar(node) => PatternKind::MatchStar {
                name: name(&node.name),
            },
            ruff::Pattern::MatchAs(node) => PatternKind::MatchAs {
                pattern: node.pattern.as_ref().map(|p| Box::new(self.pattern(p))),
                name: name(&node.name),
            },
            ruff::Pattern::MatchOr(node) => PatternKind::MatchOr {
                patterns: self.patterns(&node.patterns),
            },
        }
    }

    // ---- expressions ----

    pub fn exprs(&mut self, exprs: &[ruff::Expr]) -> Vec<Expr> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn opt_expr(&mut self, expr: &Option<Box<ruff::Expr>>) -> Option<Expr> {
        expr.as_ref().map(|e| self.expr(e))
    }

    fn boxed(&mut self, expr: &ruff::Expr) -> Box<Expr> {
        Box::new(self.expr(expr))
    }

    pub fn expr(&mut self, expr: &ruff::Expr) -> Expr {
        let pos = self.pos(expr.range());
        // The parser has no trouble with these, whoever walks the tree has.
        let is_left_nested = matches!(
            expr,
            ruff::Expr::Call(_) | ruff::Expr::Attribute(_) | ruff::Expr::Subscript(_) | ruff::Expr::BinOp(_)
        );
        if is_left_nested && self.depth >= MAX_DEPTH {
            self.fail(CompileError::plain(
                ErrorKind::RecursionError,
                "maximum recursion depth exceeded during compilation",
            ));
        }
        let kind = self.nested(|c| c.expr_kind(expr)).unwrap_or(ExprKind::Constant {
            value: Constant::None,
            kind: None,
        });
        Expr { pos, kind }
    }

    fn expr_kind(&mut self, expr: &ruff::Expr) -> ExprKind {
        match expr {
            ruff::Expr::BoolOp(node) => ExprKind::BoolOp {
                op: match node.op {
                    ruff::BoolOp::And => BoolOp::And,
                    ruff::BoolOp::Or => BoolOp::Or,
                },
                values: self.exprs(&node.values),
            },
            ruff::Expr::Named(node) => ExprKind::NamedExpr {
                target: self.boxed(&node.target),
                value: self.boxed(&node.value),
            },
            ruff::Expr::BinOp(node) => ExprKind::BinOp {
                left: self.boxed(&node.left),
                op: operator(node.op),
                right: self.boxed(&node.right),
            },
            ruff::Expr::UnaryOp(node) => ExprKind::UnaryOp {
                op: match node.op {
                    ruff::UnaryOp::Invert => UnaryOp::Invert,
                    ruff::UnaryOp::Not => UnaryOp::Not,
                    ruff::UnaryOp::UAdd => UnaryOp::UAdd,
                    ruff::UnaryOp::USub => UnaryOp::USub,
                },
                operand: self.boxed(&node.operand),
            },
            ruff::Expr::Lambda(node) => ExprKind::Lambda {
                args: Box::new(
                    node.parameters
                        .as_deref()
                        .map(|p| self.arguments(p))
                        .unwrap_or_default(),
                ),
                body: self.boxed(&node.body),
            },
            ruff::Expr::If(node) => ExprKind::IfExp {
                test: self.boxed(&node.test),
                body: self.boxed(&node.body),
                orelse: self.boxed(&node.orelse),
            },
            ruff::Expr::Dict(node) => ExprKind::Dict {
                keys: node
                    .items
                    .iter()
                    .map(|item| item.key.as_ref().map(|k| self.expr(k)))
                    .collect(),
                values: node.items.iter().map(|item| self.expr(&item.value)).collect(),
            },
            ruff::Expr::Set(node) => ExprKind::Set {
                elts: self.exprs(&node.elts),
            },
            ruff::Expr::ListComp(node) => ExprKind::ListComp {
                elt: self.boxed(&node.elt),
                generators: self.generators(&node.generators),
            },
            ruff::Expr::SetComp(node) => ExprKind::SetComp {
                elt: self.boxed(&node.elt),
                generators: self.generators(&node.generators),
            },
            ruff::Expr::DictComp(node) => match &node.key {
                Some(key) => ExprKind::DictComp {
                    key: self.boxed(key),
                    value: self.boxed(&node.value),
                    generators: self.generators(&node.generators),
                },
                None => {
                    let pos = self.pos(node.value.range());
                    self.fail(CompileError::syntax(
                        "dict unpacking cannot be used in dict comprehension",
                        pos,
                    ));
                    ExprKind::Constant {
                        value: Constant::None,
                        kind: None,
                    }
                }
            },
            ruff::Expr::Generator(node) => ExprKind::GeneratorExp {
                elt: self.boxed(&node.elt),
                generators: self.generators(&node.generators),
            },
            ruff::Expr::Await(node) => ExprKind::Await {
                value: self.boxed(&node.value),
            },
            ruff::Expr::Yield(node) => ExprKind::Yield {
                value: node.value.as_ref().map(|value| self.boxed(value)),
            },
            ruff::Expr::YieldFrom(node) => ExprKind::YieldFrom {
                value: self.boxed(&node.value),
            },
            ruff::Expr::Compare(node) => ExprKind::Compare {
                left: self.boxed(&node.left),
                ops: node.ops.iter().map(|op| cmp_op(*op)).collect(),
                comparators: self.exprs(&node.comparators),
            },
            ruff::Expr::Call(node) => self.call(node),
            ruff::Expr::FString(node) => self.f_string(node),
            ruff::Expr::TString(node) => self.t_string(node),
            ruff::Expr::StringLiteral(node) => self.string_literal(node),
            ruff::Expr::BytesLiteral(node) => self.bytes_literal(node),
            ruff::Expr::NumberLiteral(node) => ExprKind::Constant {
                value: self.number(&node.value, node.range),
                kind: None,
            },
            ruff::Expr::BooleanLiteral(node) => ExprKind::Constant {
                value: if node.value {
                    Constant::True
                } else {
                    Constant::False
                },
                kind: None,
            },
            ruff::Expr::NoneLiteral(_) => ExprKind::Constant {
                value: Constant::None,
                kind: None,
            },
            ruff::Expr::EllipsisLiteral(_) => ExprKind::Constant {
                value: Constant::Ellipsis,
                kind: None,
            },
            ruff::Expr::Attribute(node) => ExprKind::Attribute {
                value: self.boxed(&node.value),
                attr: node.attr.id.clone(),
                ctx: context(node.ctx),
            },
            ruff::Expr::Subscript(node) => ExprKind::Subscript {
                value: self.boxed(&node.value),
                slice: self.boxed(&node.slice),
                ctx: context(node.ctx),
            },
            ruff::Expr::Starred(node) => ExprKind::Starred {
                value: self.boxed(&node.value),
                ctx: context(node.ctx),
            },
            ruff::Expr::Name(node) => {
                // Only by compatibility characters can a name become a keyword.
                if matches!(node.id.as_str(), "None" | "True" | "False") {
                    let message = format!("identifier field can't represent '{}' constant", node.id);
                    self.fail(CompileError::plain(ErrorKind::ValueError, message));
                }
                ExprKind::Name {
                    id: node.id.clone(),
                    ctx: context(node.ctx),
                }
            }
            ruff::Expr::List(node) => ExprKind::List {
                elts: self.exprs(&node.elts),
                ctx: context(node.ctx),
            },
            ruff::Expr::Tuple(node) => ExprKind::Tuple {
                elts: self.exprs(&node.elts),
                ctx: context(node.ctx),
            },
            ruff::Expr::Slice(node) => ExprKind::Slice {
                lower: node.lower.as_ref().map(|e| self.boxed(e)),
                upper: node.upper.as_ref().map(|e| self.boxed(e)),
                step: node.step.as_ref().map(|e| self.boxed(e)),
            },
            ruff::Expr::IpyEscapeCommand(node) => {
                let pos = self.pos(node.range);
                self.fail(CompileError::syntax("invalid syntax", pos));
                ExprKind::Constant {
                    value: Constant::None,
                    kind: None,
                }
            }
        }
    }

    fn call(&mut self, node: &ruff::ExprCall) -> ExprKind {
        let func = self.boxed(&node.func);
        let mut args = self.exprs(&node.arguments.args);
        // The position of a bare generator argument includes the call's parentheses.
        if let ([ruff::Expr::Generator(generator)], [arg]) = (&*node.arguments.args, &mut args[..])
            && !generator.parenthesized
        {
            arg.pos = self.pos(node.arguments.range);
        }
        ExprKind::Call {
            func,
            args,
            keywords: self.keywords(&node.arguments.keywords),
        }
    }

    fn generators(&mut self, generators: &[ruff::Comprehension]) -> Vec<Comprehension> {
        generators
            .iter()
            .map(|generator| Comprehension {
                target: self.expr(&generator.target),
                iter: self.expr(&generator.iter),
                ifs: self.exprs(&generator.ifs),
                is_async: generator.is_async,
            })
            .collect()
    }

    fn number(&mut self, number: &ruff::Number, range: TextRange) -> Constant {
        match number {
            ruff::Number::Float(value) => Constant::Float(*value),
            ruff::Number::Complex { real, imag } => Constant::Complex(*real, *imag),
            ruff::Number::Int(value) => match value.as_i64() {
                Some(value) => Constant::Int(value),
                None => self.big_int(&value.to_string(), range),
            },
        }
    }

    fn big_int(&mut self, token: &str, range: TextRange) -> Constant {
        let token = token.replace('_', "").to_ascii_lowercase();
        let (radix, digits) = match token.get(..2) {
            Some("0x") => (16, &token[2..]),
            Some("0o") => (8, &token[2..]),
            Some("0b") => (2, &token[2..]),
            _ => (10, &token[..]),
        };
        let limit = super::INT_MAX_STR_DIGITS.load(std::sync::atomic::Ordering::Relaxed);
        if radix == 10 && limit != 0 && digits.len() > limit {
            let pos = self.pos(range);
            self.fail(CompileError::syntax(
                format!(
                    "Exceeds the limit ({limit} digits) for integer string conversion: value has {} digits; use \
                     sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer \
                     literals to avoid decimal conversion limits.",
                    digits.len()
                ),
                pos,
            ));
            return Constant::Int(0);
        }
        big_constant(BigInt::parse_bytes(digits.as_bytes(), radix).unwrap_or_default())
    }
}

/// An integer constant in its canonical variant.
pub fn big_constant(value: BigInt) -> Constant {
    match i64::try_from(&value) {
        Ok(small) => Constant::Int(small),
        Err(_) => Constant::BigInt(Box::new(value)),
    }
}

fn context(ctx: ruff::ExprContext) -> ExprContext {
    match ctx {
        ruff::ExprContext::Load | ruff::ExprContext::Invalid => ExprContext::Load,
        ruff::ExprContext::Store => ExprContext::Store,
        ruff::ExprContext::Del => ExprContext::Del,
    }
}

fn operator(op: ruff::Operator) -> Operator {
    match op {
        ruff::Operator::Add => Operator::Add,
        ruff::Operator::Sub => Operator::Sub,
        ruff::Operator::Mult => Operator::Mult,
        ruff::Operator::MatMult => Operator::MatMult,
        ruff::Operator::Div => Operator::Div,
        ruff::Operator::Mod => Operator::Mod,
        ruff::Operator::Pow => Operator::Pow,
        ruff::Operator::LShift => Operator::LShift,
        ruff::Operator::RShift => Operator::RShift,
        ruff::Operator::BitOr => Operator::BitOr,
        ruff::Operator::BitXor => Operator::BitXor,
        ruff::Operator::BitAnd => Operator::BitAnd,
        ruff::Operator::FloorDiv => Operator::FloorDiv,
    }
}

fn cmp_op(op: ruff::CmpOp) -> CmpOp {
    match op {
        ruff::CmpOp::Eq => CmpOp::Eq,
        ruff::CmpOp::NotEq => CmpOp::NotEq,
        ruff::CmpOp::Lt => CmpOp::Lt,
        ruff::CmpOp::LtE => CmpOp::LtE,
        ruff::CmpOp::Gt => CmpOp::Gt,
        ruff::CmpOp::GtE => CmpOp::GtE,
        ruff::CmpOp::Is => CmpOp::Is,
        ruff::CmpOp::IsNot => CmpOp::IsNot,
        ruff::CmpOp::In => CmpOp::In,
        ruff::CmpOp::NotIn => CmpOp::NotIn,
    }
}
