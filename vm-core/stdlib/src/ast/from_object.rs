//! nodes -> tree: Python objects as the compiler's tree. Anything may stand in a field; what does not fit raises here,
//! what fits but makes no sense in `validate`.

use super::table::{Kind, Role};
use super::types::{Class, Types, types};
use super::validate::validate;
use adder_compiler::Mode;
use adder_compiler::ast::*;
use adder_compiler::bytecode::{Constant, Position, PyStr};
use adder_runtime::prelude::*;
use adder_runtime::protocol::enter_native_call;

/// The kind of node that a mode wants; another is a TypeError.
pub fn check_mode(object: &PyObject, mode: Mode) -> PyResult<Kind> {
    let wanted = match mode {
        Mode::Exec => Kind::Module,
        Mode::Eval => Kind::Expression,
        Mode::Single => Kind::Interactive,
        Mode::FuncType => Kind::FunctionType,
    };
    if !object.is_instance(types()?.class(wanted).ty.as_object())? {
        return Err(raise!(
            TypeError,
            "expected {} node, got {}",
            wanted.class().name,
            object.ty().name()
        ));
    }
    Ok(wanted)
}

/// The tree of a node that must be of the mode's kind.
pub fn from_object(object: &PyObject, mode: Mode) -> PyResult<Mod> {
    let wanted = check_mode(object, mode)?;
    let types = types()?;
    let reader = Reader { types };
    let tree = reader.module(object, wanted)?;
    if let Err(raised) = validate(&tree) {
        adder_compiler::parse::drop_deep(tree);
        return Err(raised);
    }
    Ok(tree)
}

struct Reader<'a> {
    types: &'a Types,
}

/// An object whose fields are read as those of a class.
struct Node<'a> {
    reader: &'a Reader<'a>,
    object: &'a PyObject,
    kind: Kind,
    class: &'a Class,
}

fn text(object: &PyObject, what: &str) -> PyResult<PyStr> {
    match object.downcast_exact::<PyUnicodeObject>() {
        Some(text) => Ok(PyStr::from_wtf8(text.to_wtf8())),
        None => Err(raise!(TypeError, "AST {what} must be of type str")),
    }
}

fn ident(object: &PyObject) -> PyResult<Ident> {
    match object.downcast_exact::<PyUnicodeObject>() {
        Some(text) => Ok(Ident::from(text.to_str()?)),
        None => Err(raise!(TypeError, "AST identifier must be of type str")),
    }
}

fn int(object: &PyObject) -> PyResult<i32> {
    let Some(number) = object.downcast::<PyLongObject>() else {
        return Err(raise!(
            ValueError,
            "invalid integer value: {}",
            object.repr()?.to_string_lossy()
        ));
    };
    let value = number.to_i64().and_then(|value| i32::try_from(value).ok());
    value.ok_or_else(|| raise!(OverflowError, "Python int too large to convert to C int"))
}

/// A constant's value; only immutable literals can be one.
pub fn constant(object: &PyObject) -> PyResult<Constant> {
    enter_native_call(" during compilation")?;
    let items = |object: &PyObject| -> PyResult<Box<[Constant]>> {
        object.collect()?.iter().map(|item| constant(item)).collect()
    };
    if is_none(object) {
        return Ok(Constant::None);
    }
    if object.is(adder_runtime::object::true_()) {
        return Ok(Constant::True);
    }
    if object.is(adder_runtime::object::false_()) {
        return Ok(Constant::False);
    }
    if object.is(ellipsis().as_object()) {
        return Ok(Constant::Ellipsis);
    }
    if let Some(number) = object.downcast_exact::<PyLongObject>() {
        return Ok(match number.to_i64() {
            Some(value) => Constant::Int(value),
            None => Constant::BigInt(Box::new(number.to_bigint())),
        });
    }
    if let Some(number) = object.downcast_exact::<PyFloatObject>() {
        return Ok(Constant::Float(number.value()));
    }
    if let Some(number) = object.downcast_exact::<PyComplexObject>() {
        let value = number.value();
        return Ok(Constant::Complex(value.0, value.1));
    }
    if let Some(text) = object.downcast_exact::<PyUnicodeObject>() {
        return Ok(Constant::Str(PyStr::from_wtf8(text.to_wtf8())));
    }
    if let Some(bytes) = object.downcast_exact::<PyBytesObject>() {
        return Ok(Constant::Bytes(bytes.as_bytes().into()));
    }
    if object.downcast_exact::<PyTupleObject>().is_some() {
        return Ok(Constant::Tuple(items(object)?));
    }
    if std::ptr::eq(object.ty(), &adder_runtime::objects::setobject::PyFrozenSet_Type) {
        return Ok(Constant::FrozenSet(items(object)?));
    }
    Err(raise!(
        TypeError,
        "got an invalid type in Constant: {}",
        object.ty().full_name()
    ))
}

impl Node<'_> {
    fn name(&self, index: usize) -> &PyUnicodeObject {
        &self.class.names[index]
    }

    fn is_missing(&self, index: usize) -> Raised {
        let (name, class) = (self.name(index).to_string_lossy(), self.kind.class().name);
        raise!(TypeError, "required field \"{name}\" missing from {class}")
    }

    /// A field that must be there, whatever it is.
    fn raw(&self, index: usize) -> PyResult {
        self.object
            .get_attr_opt(self.name(index))?
            .ok_or_else(|| self.is_missing(index))
    }

    /// A field that must be there and not None.
    fn required(&self, index: usize) -> PyResult {
        let value = self.raw(index)?;
        if is_none(&value) {
            let (name, class) = (self.name(index).to_string_lossy(), self.kind.class().name);
            return Err(raise!(ValueError, "field '{name}' is required for {class}"));
        }
        Ok(value)
    }

    fn optional(&self, index: usize) -> PyResult<Option<Ref>> {
        Ok(self
            .object
            .get_attr_opt(self.name(index))?
            .filter(|value| !is_none(value)))
    }

    fn list<T>(&self, index: usize, mut convert: impl FnMut(&PyObject) -> PyResult<T>) -> PyResult<Vec<T>> {
        let Some(value) = self.object.get_attr_opt(self.name(index))? else {
            return Ok(Vec::new());
        };
        let Some(list) = value.as_object().downcast::<PyListObject>() else {
            return Err(raise!(
                TypeError,
                "{} field \"{}\" must be a list, not a {}",
                self.kind.class().name,
                self.name(index).to_string_lossy(),
                value.ty().full_name()
            ));
        };
        let n_items = list.len();
        let mut items = Vec::with_capacity(n_items);
        for at in 0..n_items {
            let item = list.get(at);
            let converted = match &item {
                Some(item) => Some(convert(item)?),
                None => None,
            };
            match converted {
                Some(converted) if list.len() == n_items => items.push(converted),
                _ => {
                    return Err(raise!(
                        RuntimeError,
                        "{} field \"{}\" changed size during iteration",
                        self.kind.class().name,
                        self.name(index).to_string_lossy()
                    ));
                }
            }
        }
        Ok(items)
    }

    fn expr(&self, index: usize) -> PyResult<Expr> {
        self.reader.expr(&*self.required(index)?)
    }
    fn boxed(&self, index: usize) -> PyResult<Box<Expr>> {
        self.expr(index).map(Box::new)
    }
    fn opt_expr(&self, index: usize) -> PyResult<Option<Expr>> {
        self.optional(index)?
            .map(|value| self.reader.expr(&value))
            .transpose()
    }
    fn opt_boxed(&self, index: usize) -> PyResult<Option<Box<Expr>>> {
        Ok(self.opt_expr(index)?.map(Box::new))
    }
    fn exprs(&self, index: usize) -> PyResult<Vec<Expr>> {
        self.list(index, |item| match is_none(item) {
            true => Err(raise!(ValueError, "None disallowed in expression list")),
            false => self.reader.expr(item),
        })
    }
    fn holes(&self, index: usize) -> PyResult<Vec<Option<Expr>>> {
        self.list(index, |item| match is_none(item) {
            true => Ok(None),
            false => self.reader.expr(item).map(Some),
        })
    }
    fn stmts(&self, index: usize) -> PyResult<Vec<Stmt>> {
        self.list(index, |item| self.reader.stmt(item))
    }
    fn ident(&self, index: usize) -> PyResult<Ident> {
        ident(&*self.required(index)?)
    }
    fn opt_ident(&self, index: usize) -> PyResult<Option<Ident>> {
        self.optional(index)?.map(|value| ident(&value)).transpose()
    }
    fn idents(&self, index: usize) -> PyResult<Vec<Ident>> {
        self.list(index, ident)
    }
    fn opt_text(&self, index: usize) -> PyResult<Option<PyStr>> {
        self.optional(index)?
            .map(|value| text(&value, "string"))
            .transpose()
    }
    fn int(&self, index: usize) -> PyResult<i32> {
        int(&*self.raw(index)?)
    }
    fn context(&self, index: usize) -> PyResult<ExprContext> {
        Ok(
            match self.reader.choice(Kind::expr_context, &*self.raw(index)?)? {
                Kind::Store => ExprContext::Store,
                Kind::Del => ExprContext::Del,
                _ => ExprContext::Load,
            },
        )
    }
    fn generators(&self, index: usize) -> PyResult<Vec<Comprehension>> {
        self.list(index, |item| {
            let node = self.reader.node(Kind::comprehension, item);
            Ok(Comprehension {
                target: node.expr(0)?,
                iter: node.expr(1)?,
                ifs: node.exprs(2)?,
                is_async: node.int(3)? != 0,
            })
        })
    }
    fn arguments(&self, index: usize) -> PyResult<Arguments> {
        let value = self.raw(index)?;
        let node = self.reader.node(Kind::arguments, &value);
        let list = |index| node.list(index, |item| self.reader.arg(item));
        let opt = |index| {
            node.optional(index)?
                .map(|item| self.reader.arg(&item))
                .transpose()
        };
        Ok(Arguments {
            posonlyargs: list(0)?,
            args: list(1)?,
            vararg: opt(2)?,
            kwonlyargs: list(3)?,
            kw_defaults: node.holes(4)?,
            kwarg: opt(5)?,
            defaults: node.exprs(6)?,
        })
    }
    fn keywords(&self, index: usize) -> PyResult<Vec<Keyword>> {
        self.list(index, |item| {
            let node = self.reader.node(Kind::keyword, item);
            let pos = node.place()?;
            Ok(Keyword {
                pos,
                arg: node.opt_ident(0)?,
                value: node.expr(1)?,
            })
        })
    }
    fn aliases(&self, index: usize) -> PyResult<Vec<Alias>> {
        self.list(index, |item| {
            let node = self.reader.node(Kind::alias, item);
            let pos = node.place()?;
            Ok(Alias {
                pos,
                name: node.ident(0)?,
                asname: node.opt_ident(1)?,
            })
        })
    }
    fn type_params(&self, index: usize) -> PyResult<Vec<TypeParam>> {
        self.list(index, |item| self.reader.type_param(item))
    }
    fn patterns(&self, index: usize) -> PyResult<Vec<Pattern>> {
        self.list(index, |item| self.reader.pattern(item))
    }

    /// The attributes that say where the node is. The end is optional.
    fn place(&self) -> PyResult<Position> {
        let required = |name: &PyUnicodeObject| match self.object.get_attr_opt(name)? {
            Some(value) => int(&value),
            None => {
                let (name, class) = (name.to_string_lossy(), self.kind.class().name);
                Err(raise!(
                    TypeError,
                    "required field \"{name}\" missing from {class}"
                ))
            }
        };
        let optional = |name: &PyUnicodeObject, default| match self.object.get_attr_opt(name)? {
            Some(value) if !is_none(&value) => int(&value),
            _ => Ok(default),
        };
        let line = required(identifier!("lineno"))?;
        let col = required(identifier!("col_offset"))?;
        Ok(Position {
            line,
            col,
            end_line: optional(identifier!("end_lineno"), line)?,
            end_col: optional(identifier!("end_col_offset"), col)?,
        })
    }
}

impl Reader<'_> {
    fn node<'a>(&'a self, kind: Kind, object: &'a PyObject) -> Node<'a> {
        Node {
            reader: self,
            object,
            kind,
            class: self.types.class(kind),
        }
    }

    /// Which alternative of a sum an object is.
    fn choice(&self, sum: Kind, object: &PyObject) -> PyResult<Kind> {
        match self.types.kind_of(object) {
            Some(kind) if kind.class().role == Role::Alternative(sum) => Ok(kind),
            _ => Err(raise!(
                TypeError,
                "expected some sort of {}, but got {}",
                sum.class().name,
                object.repr()?.to_string_lossy()
            )),
        }
    }

    /// The place and the kind of one alternative of a located sum.
    fn located(&self, sum: Kind, object: &PyObject) -> PyResult<(Position, Kind)> {
        enter_native_call(" during compilation")?;
        let pos = self.node(sum, object).place()?;
        Ok((pos, self.choice(sum, object)?))
    }

    fn module(&self, object: &PyObject, kind: Kind) -> PyResult<Mod> {
        let node = self.node(kind, object);
        Ok(match kind {
            Kind::Module => {
                let body = node.stmts(0)?;
                let type_ignores = node.list(1, |item| {
                    let kind = self.choice(Kind::type_ignore, item)?;
                    let node = self.node(kind, item);
                    Ok(TypeIgnore {
                        lineno: node.int(0)?,
                        tag: text(&*node.required(1)?, "string")?,
                    })
                })?;
                Mod::Module { body, type_ignores }
            }
            Kind::Interactive => Mod::Interactive { body: node.stmts(0)? },
            Kind::Expression => Mod::Expression { body: node.boxed(0)? },
            _ => Mod::FunctionType {
                argtypes: node.exprs(0)?,
                returns: node.boxed(1)?,
            },
        })
    }

    fn stmt(&self, object: &PyObject) -> PyResult<Stmt> {
        if is_none(object) {
            return Err(raise!(ValueError, "None disallowed in statement list"));
        }
        let (pos, kind) = self.located(Kind::stmt, object)?;
        Ok(Stmt {
            pos,
            kind: self.stmt_kind(&self.node(kind, object))?,
        })
    }

    fn stmt_kind(&self, node: &Node<'_>) -> PyResult<StmtKind> {
        Ok(match node.kind {
            Kind::FunctionDef | Kind::AsyncFunctionDef => StmtKind::FunctionDef(Box::new(FunctionDef {
                is_async: node.kind == Kind::AsyncFunctionDef,
                name: node.ident(0)?,
                args: node.arguments(1)?,
                body: node.stmts(2)?,
                decorator_list: node.exprs(3)?,
                returns: node.opt_expr(4)?,
                type_comment: node.opt_text(5)?,
                type_params: node.type_params(6)?,
            })),
            Kind::ClassDef => StmtKind::ClassDef(Box::new(ClassDef {
                name: node.ident(0)?,
                bases: node.exprs(1)?,
                keywords: node.keywords(2)?,
                body: node.stmts(3)?,
                decorator_list: node.exprs(4)?,
                type_params: node.type_params(5)?,
            })),
            Kind::Return => StmtKind::Return {
                value: node.opt_expr(0)?,
            },
            Kind::Delete => StmtKind::Delete {
                targets: node.exprs(0)?,
            },
            Kind::Assign => StmtKind::Assign {
                targets: node.exprs(0)?,
                value: node.expr(1)?,
                type_comment: node.opt_text(2)?,
            },
            Kind::TypeAlias => StmtKind::TypeAlias {
                name: node.expr(0)?,
                type_params: node.type_params(1)?,
                value: node.expr(2)?,
            },
            Kind::AugAssign => StmtKind::AugAssign {
                target: node.expr(0)?,
                op: self.operator(&*node.raw(1)?)?,
                value: node.expr(2)?,
            },
            Kind::AnnAssign => StmtKind::AnnAssign {
                target: node.expr(0)?,
                annotation: node.expr(1)?,
                value: node.opt_expr(2)?,
                simple: node.int(3)? != 0,
            },
            Kind::For | Kind::AsyncFor => StmtKind::For(Box::new(For {
                is_async: node.kind == Kind::AsyncFor,
                target: node.expr(0)?,
                iter: node.expr(1)?,
                body: node.stmts(2)?,
                orelse: node.stmts(3)?,
                type_comment: node.opt_text(4)?,
            })),
            Kind::While => StmtKind::While {
                test: node.expr(0)?,
                body: node.stmts(1)?,
                orelse: node.stmts(2)?,
            },
            Kind::If => StmtKind::If {
                test: node.expr(0)?,
                body: node.stmts(1)?,
                orelse: node.stmts(2)?,
            },
            Kind::With | Kind::AsyncWith => StmtKind::With(Box::new(With {
                is_async: node.kind == Kind::AsyncWith,
                items: node.list(0, |item| {
                    let node = self.node(Kind::withitem, item);
                    Ok(WithItem {
                        context_expr: node.expr(0)?,
                        optional_vars: node.opt_expr(1)?,
                    })
                })?,
                body: node.stmts(1)?,
                type_comment: node.opt_text(2)?,
            })),
            Kind::Match => StmtKind::Match {
                subject: node.expr(0)?,
                cases: node.list(1, |item| {
                    let node = self.node(Kind::match_case, item);
                    let pattern = self.pattern(&*node.required(0)?)?;
                    Ok(MatchCase {
                        pattern,
                        guard: node.opt_expr(1)?,
                        body: node.stmts(2)?,
                    })
                })?,
            },
            Kind::Raise => StmtKind::Raise {
                exc: node.opt_expr(0)?,
                cause: node.opt_expr(1)?,
            },
            Kind::Try | Kind::TryStar => StmtKind::Try(Box::new(Try {
                is_star: node.kind == Kind::TryStar,
                body: node.stmts(0)?,
                handlers: node.list(1, |item| {
                    let (pos, kind) = self.located(Kind::excepthandler, item)?;
                    let node = self.node(kind, item);
                    Ok(ExceptHandler {
                        pos,
                        typ: node.opt_expr(0)?,
                        name: node.opt_ident(1)?,
                        body: node.stmts(2)?,
                    })
                })?,
                orelse: node.stmts(2)?,
                finalbody: node.stmts(3)?,
            })),
            Kind::Assert => StmtKind::Assert {
                test: node.expr(0)?,
                msg: node.opt_expr(1)?,
            },
            Kind::Import => StmtKind::Import {
                names: node.aliases(0)?,
            },
            Kind::ImportFrom => {
                let (module, names) = (node.opt_ident(0)?, node.aliases(1)?);
                let level = node.optional(2)?.map_or(Ok(0), |level| int(&level))?;
                let level =
                    u32::try_from(level).map_err(|_| raise!(ValueError, "Negative ImportFrom level"))?;
                StmtKind::ImportFrom { module, names, level }
            }
            Kind::Global => StmtKind::Global {
                names: node.idents(0)?,
            },
            Kind::Nonlocal => StmtKind::Nonlocal {
                names: node.idents(0)?,
            },
            Kind::Expr => StmtKind::Expr { value: node.expr(0)? },
            Kind::Pass => StmtKind::Pass,
            Kind::Break => StmtKind::Break,
            Kind::Continue => StmtKind::Continue,
            other => return Err(raise!(SystemError, "{} is no statement", other.class().name)),
        })
    }

    fn expr(&self, object: &PyObject) -> PyResult<Expr> {
        let (pos, kind) = self.located(Kind::expr, object)?;
        Ok(Expr {
            pos,
            kind: self.expr_kind(&self.node(kind, object))?,
        })
    }

    fn expr_kind(&self, node: &Node<'_>) -> PyResult<ExprKind> {
        Ok(match node.kind {
            Kind::BoolOp => ExprKind::BoolOp {
                op: match self.choice(Kind::boolop, &*node.raw(0)?)? {
                    Kind::And => BoolOp::And,
                    _ => BoolOp::Or,
                },
                values: node.exprs(1)?,
            },
            Kind::NamedExpr => ExprKind::NamedExpr {
                target: node.boxed(0)?,
                value: node.boxed(1)?,
            },
            Kind::BinOp => ExprKind::BinOp {
                left: node.boxed(0)?,
                op: self.operator(&*node.raw(1)?)?,
                right: node.boxed(2)?,
            },
            Kind::UnaryOp => ExprKind::UnaryOp {
                op: match self.choice(Kind::unaryop, &*node.raw(0)?)? {
                    Kind::Invert => UnaryOp::Invert,
                    Kind::Not => UnaryOp::Not,
                    Kind::UAdd => UnaryOp::UAdd,
                    _ => UnaryOp::USub,
                },
                operand: node.boxed(1)?,
            },
            Kind::Lambda => ExprKind::Lambda {
                args: Box::new(node.arguments(0)?),
                body: node.boxed(1)?,
            },
            Kind::IfExp => ExprKind::IfExp {
                test: node.boxed(0)?,
                body: node.boxed(1)?,
                orelse: node.boxed(2)?,
            },
            Kind::Dict => ExprKind::Dict {
                keys: node.holes(0)?,
                values: node.exprs(1)?,
            },
            Kind::Set => ExprKind::Set { elts: node.exprs(0)? },
            Kind::ListComp => ExprKind::ListComp {
                elt: node.boxed(0)?,
                generators: node.generators(1)?,
            },
            Kind::SetComp => ExprKind::SetComp {
                elt: node.boxed(0)?,
                generators: node.generators(1)?,
            },
            Kind::GeneratorExp => ExprKind::GeneratorExp {
                elt: node.boxed(0)?,
                generators: node.generators(1)?,
            },
            Kind::DictComp => ExprKind::DictComp {
                key: node.boxed(0)?,
                value: node.boxed(1)?,
                generators: node.generators(2)?,
            },
            Kind::Await => ExprKind::Await {
                value: node.boxed(0)?,
            },
            Kind::Yield => ExprKind::Yield {
                value: node.opt_boxed(0)?,
            },
            Kind::YieldFrom => ExprKind::YieldFrom {
                value: node.boxed(0)?,
            },
            Kind::Compare => ExprKind::Compare {
                left: node.boxed(0)?,
                ops: node.list(1, |item| Ok(compare_op(self.choice(Kind::cmpop, item)?)))?,
                comparators: node.exprs(2)?,
            },
            Kind::Call => ExprKind::Call {
                func: node.boxed(0)?,
                args: node.exprs(1)?,
                keywords: node.keywords(2)?,
            },
            Kind::FormattedValue => ExprKind::FormattedValue {
                value: node.boxed(0)?,
                conversion: node.int(1)?,
                format_spec: node.opt_boxed(2)?,
            },
            Kind::Interpolation => ExprKind::Interpolation {
                value: node.boxed(0)?,
                str: constant(&*node.raw(1)?)?,
                conversion: node.int(2)?,
                format_spec: node.opt_boxed(3)?,
            },
            Kind::JoinedStr => ExprKind::JoinedStr {
                values: node.exprs(0)?,
            },
            Kind::TemplateStr => ExprKind::TemplateStr {
                values: node.exprs(0)?,
            },
            Kind::Constant => ExprKind::Constant {
                value: constant(&*node.raw(0)?)?,
                kind: node.opt_text(1)?,
            },
            Kind::Attribute => ExprKind::Attribute {
                value: node.boxed(0)?,
                attr: node.ident(1)?,
                ctx: node.context(2)?,
            },
            Kind::Subscript => ExprKind::Subscript {
                value: node.boxed(0)?,
                slice: node.boxed(1)?,
                ctx: node.context(2)?,
            },
            Kind::Starred => ExprKind::Starred {
                value: node.boxed(0)?,
                ctx: node.context(1)?,
            },
            Kind::Name => ExprKind::Name {
                id: node.ident(0)?,
                ctx: node.context(1)?,
            },
            Kind::List => ExprKind::List {
                elts: node.exprs(0)?,
                ctx: node.context(1)?,
            },
            Kind::Tuple => ExprKind::Tuple {
                elts: node.exprs(0)?,
                ctx: node.context(1)?,
            },
            Kind::Slice => ExprKind::Slice {
                lower: node.opt_boxed(0)?,
                upper: node.opt_boxed(1)?,
                step: node.opt_boxed(2)?,
            },
            other => return Err(raise!(SystemError, "{} is no expression", other.class().name)),
        })
    }

    fn operator(&self, object: &PyObject) -> PyResult<Operator> {
        Ok(match self.choice(Kind::operator, object)? {
            Kind::Add => Operator::Add,
            Kind::Sub => Operator::Sub,
            Kind::Mult => Operator::Mult,
            Kind::MatMult => Operator::MatMult,
            Kind::Div => Operator::Div,
            Kind::Mod => Operator::Mod,
            Kind::Pow => Operator::Pow,
            Kind::LShift => Operator::LShift,
            Kind::RShift => Operator::RShift,
            Kind::BitOr => Operator::BitOr,
            Kind::BitXor => Operator::BitXor,
            Kind::BitAnd => Operator::BitAnd,
            _ => Operator::FloorDiv,
        })
    }

    fn arg(&self, object: &PyObject) -> PyResult<Arg> {
        let node = self.node(Kind::arg, object);
        let (name, annotation, type_comment) = (node.ident(0)?, node.opt_expr(1)?, node.opt_text(2)?);
        Ok(Arg {
            pos: node.place()?,
            arg: name,
            annotation,
            type_comment,
        })
    }

    fn type_param(&self, object: &PyObject) -> PyResult<TypeParam> {
        let (pos, kind) = self.located(Kind::type_param, object)?;
        let node = self.node(kind, object);
        let name = node.ident(0)?;
        Ok(match kind {
            Kind::TypeVar => {
                let bound = node.opt_expr(1)?;
                TypeParam {
                    pos,
                    name,
                    default: node.opt_expr(2)?,
                    kind: TypeParamKind::TypeVar { bound },
                }
            }
            Kind::ParamSpec => TypeParam {
                pos,
                name,
                default: node.opt_expr(1)?,
                kind: TypeParamKind::ParamSpec,
            },
            _ => TypeParam {
                pos,
                name,
                default: node.opt_expr(1)?,
                kind: TypeParamKind::TypeVarTuple,
            },
        })
    }

    fn pattern(&self, object: &PyObject) -> PyResult<Pattern> {
        let (pos, kind) = self.located(Kind::pattern, object)?;
        let node = self.node(kind, object);
        let kind = match kind {
            Kind::MatchValue => PatternKind::MatchValue { value: node.expr(0)? },
            Kind::MatchSingleton => PatternKind::MatchSingleton {
                value: constant(&*node.raw(0)?)?,
            },
            Kind::MatchSequence => PatternKind::MatchSequence {
                patterns: node.patterns(0)?,
            },
            Kind::MatchMapping => PatternKind::MatchMapping {
                keys: node.exprs(0)?,
                patterns: node.patterns(1)?,
                rest: node.opt_ident(2)?,
            },
            Kind::MatchClass => PatternKind::MatchClass {
                cls: node.expr(0)?,
                patterns: node.patterns(1)?,
                kwd_attrs: node.idents(2)?,
                kwd_patterns: node.patterns(3)?,
            },
            Kind::MatchStar => PatternKind::MatchStar {
                name: node.opt_ident(0)?,
            },
            Kind::MatchAs => {
                let pattern = node.optional(0)?.map(|inner| self.pattern(&inner)).transpose()?;
                PatternKind::MatchAs {
                    pattern: pattern.map(Box::new),
                    name: node.opt_ident(1)?,
                }
            }
            _ => PatternKind::MatchOr {
                patterns: node.patterns(0)?,
            },
        };
        Ok(Pattern { pos, kind })
    }
}

fn compare_op(kind: Kind) -> CmpOp {
    match kind {
        Kind::Eq => CmpOp::Eq,
        Kind::NotEq => CmpOp::NotEq,
        Kind::Lt => CmpOp::Lt,
        Kind::LtE => CmpOp::LtE,
        Kind::Gt => CmpOp::Gt,
        Kind::GtE => CmpOp::GtE,
        Kind::Is => CmpOp::Is,
        Kind::IsNot => CmpOp::IsNot,
        Kind::In => CmpOp::In,
        _ => CmpOp::NotIn,
    }
}
