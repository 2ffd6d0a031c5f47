//! Functions, lambdas, classes, type parameters, type aliases, annotations.

use super::*;
use crate::bytecode::{CommonConstant, FunctionAttribute, Intrinsic2};
use crate::unparse;

/// Values of a function's attributes, in temporaries.
#[derive(Clone, Copy, Default)]
struct Parts {
    defaults: Option<Opnd>,
    kwdefaults: Option<Opnd>,
    annotations: Option<(FunctionAttribute, Opnd)>,
}

/// A deferred annotation of a module or class.
pub(super) struct Deferred<'a> {
    target: &'a Ident,
    annotation: &'a Expr,
    pos: Position,
    conditional: Option<u32>,
}

impl<'a> Compiler<'a> {
    /// Pushes the function of a code constant, with the cells that it is a closure over.
    pub(super) fn make_closure(&mut self, pos: Position, code: Constant, _block: BlockId) -> Result<Opnd> {
        let function = self.unit.code.alloc();
        self.make_closure_in(pos, function, code)?;
        Ok(function)
    }

    fn make_closure_in(&mut self, pos: Position, function: Opnd, code: Constant) -> Result<()> {
        let depth = self.depth();
        let mut free: Vec<Ident> = Vec::new();
        if let Constant::Code(code) = &code {
            let names = code.localsplus_names.iter().zip(&code.localsplus_kinds);
            free.extend(
                names
                    .filter(|(_, kind)| kind.is_free())
                    .map(|(name, _)| Ident::from(name.as_str().unwrap_or_default())),
            );
        }
        let closure = Opnd::temp(depth);
        if !free.is_empty() {
            for name in &free {
                let cell = self.closure_cell(name)?;
                let temp = self.unit.code.alloc();
                self.emit(pos, Opcode::COPY, 0, temp, cell, Opnd::NO);
            }
            self.set_depth(depth + 1);
            self.emit(
                pos,
                Opcode::BUILD_TUPLE,
                0,
                closure,
                closure,
                Opnd::raw(free.len() as u32),
            );
        }
        let code = self.constant(pos, code, Dest::Any);
        self.emit(pos, Opcode::MAKE_FUNCTION, 0, function, code.take(), Opnd::NO);
        if !free.is_empty() {
            self.set_attribute(pos, function, FunctionAttribute::Closure, closure);
        }
        self.set_depth(depth);
        Ok(())
    }

    fn set_attribute(&mut self, pos: Position, function: Opnd, which: FunctionAttribute, value: Opnd) {
        self.emit(
            pos,
            Opcode::SET_FUNCTION_ATTRIBUTE,
            which as u8,
            function,
            value.take(),
            Opnd::NO,
        );
    }

    fn set_parts(&mut self, pos: Position, function: Opnd, parts: &Parts) {
        if let Some((which, value)) = parts.annotations {
            self.set_attribute(pos, function, which, value);
        }
        if let Some(value) = parts.kwdefaults {
            self.set_attribute(pos, function, FunctionAttribute::KwDefaults, value);
        }
        if let Some(value) = parts.defaults {
            self.set_attribute(pos, function, FunctionAttribute::Defaults, value);
        }
    }

    // ---- parameters ----

    /// Pushes the tuple of defaults.
    fn push_defaults(&mut self, pos: Position, defaults: &'a [Expr]) -> Result<Option<Opnd>> {
        if defaults.is_empty() {
            return Ok(None);
        }
        let constants: Option<Box<[Constant]>> = defaults.iter().map(|e| e.as_constant().cloned()).collect();
        if let Some(items) = constants {
            return Ok(Some(
                self.constant(pos, Constant::Tuple(items), Dest::Temp).borrow(),
            ));
        }
        let temp = Opnd::temp(self.depth());
        self.positional_tuple(pos, defaults, None)?;
        self.set_depth(temp.index() + 1);
        Ok(Some(temp))
    }

    /// Pushes the dict of keyword-only defaults.
    fn push_kwdefaults(&mut self, pos: Position, args: &'a Arguments) -> Result<Option<Opnd>> {
        let base = Opnd::temp(self.depth());
        let mut count = 0;
        for (arg, default) in args.kwonlyargs.iter().zip(&args.kw_defaults) {
            let Some(default) = default else { continue };
            let name = self.mangle(&arg.arg);
            self.constant(pos, Constant::Str(PyStr::from(name.as_str())), Dest::Temp);
            self.push(default)?;
            count += 1;
        }
        self.set_depth(base.index());
        if count == 0 {
            return Ok(None);
        }
        let dict = self.unit.code.alloc();
        self.emit(pos, Opcode::BUILD_MAP, 0, dict, base, Opnd::raw(count));
        Ok(Some(dict))
    }

    fn set_argument_counts(&mut self, args: &Arguments) {
        self.unit.posonlyargcount = args.posonlyargs.len() as u32;
        self.unit.argcount = (args.posonlyargs.len() + args.args.len()) as u32;
        self.unit.kwonlyargcount = args.kwonlyargs.len() as u32;
    }

    // ---- functions ----

    pub(super) fn function_def(&mut self, pos: Position, def: &'a FunctionDef) -> Result<()> {
        let depth = self.depth();
        for decorator in &def.decorator_list {
            self.push(decorator)?;
        }
        let firstlineno = def.decorator_list.first().map_or(pos.line, |d| d.pos.line);
        let place = Position {
            line: firstlineno,
            ..pos
        };
        if def.type_params.is_empty() {
            let function = self.unit.code.alloc();
            let mut parts = Parts {
                defaults: self.push_defaults(pos, &def.args.defaults)?,
                kwdefaults: self.push_kwdefaults(pos, &def.args)?,
                annotations: None,
            };
            self.function_object(pos, place, def, function, &mut parts)?;
            self.set_depth(function.index() + 1);
        } else {
            self.generic_function(pos, place, def)?;
        }
        self.apply_decorators(&def.decorator_list);
        self.name_store(pos, &def.name, Opnd::temp(depth).take())?;
        self.set_depth(depth);
        Ok(())
    }

    /// Calls the decorators, which lie below the decorated object on top, innermost first.
    fn apply_decorators(&mut self, decorators: &[Expr]) {
        let top = self.depth() - 1;
        for (offset, decorator) in decorators.iter().rev().enumerate() {
            let base = Opnd::temp(top - 1 - offset as u32);
            self.emit(decorator.pos, Opcode::CALL, 0, base, base, Opnd::raw(0));
        }
        self.set_depth(top + 1 - decorators.len() as u32);
    }

    /// Makes the function object of a definition in the temporary `function`.
    fn function_object(
        &mut self,
        pos: Position,
        place: Position,
        def: &'a FunctionDef,
        function: Opnd,
        parts: &mut Parts,
    ) -> Result<()> {
        parts.annotations = self.function_annotations(pos, def)?;
        let block = self.lookup(def, KeyKind::Body)?;
        let kind = if def.is_async {
            UnitKind::AsyncFunction
        } else {
            UnitKind::Function
        };
        let private = self.unit.private.clone();
        self.enter(kind, block, def.name.clone(), private, place.line)?;
        self.set_argument_counts(&def.args);
        self.prologue(place)?;
        let body = match docstring(&def.body) {
            Some(doc) if self.options.optimize < 2 => {
                self.unit.code.constant(Constant::Str(clean_doc(doc)));
                self.unit.has_docstring = true;
                &def.body[1..]
            }
            _ => &def.body[..],
        };
        self.stmts(body)?;
        self.implicit_return();
        let code = self.leave()?;
        self.make_closure_in(pos, function, code)?;
        self.set_parts(pos, function, parts);
        Ok(())
    }

    pub(super) fn lambda(
        &mut self,
        e: &'a Expr,
        args: &'a Arguments,
        body: &'a Expr,
        dest: Dest,
    ) -> Result<Opnd> {
        let pos = e.pos;
        let function = self.unit.code.alloc();
        let parts = Parts {
            defaults: self.push_defaults(pos, &args.defaults)?,
            kwdefaults: self.push_kwdefaults(pos, args)?,
            annotations: None,
        };
        let block = self.lookup(e, KeyKind::Body)?;
        let private = self.unit.private.clone();
        self.enter(
            UnitKind::Lambda,
            block,
            Ident::new_static("<lambda>"),
            private,
            pos.line,
        )?;
        self.set_argument_counts(args);
        self.prologue(pos)?;
        let value = self.expr(body, Dest::Any)?;
        self.emit(
            body.pos,
            Opcode::RETURN_VALUE,
            0,
            value.take(),
            Opnd::NO,
            Opnd::NO,
        );
        let code = self.leave()?;
        self.make_closure_in(pos, function, code)?;
        self.set_parts(pos, function, &parts);
        self.set_depth(function.index() + 1);
        Ok(self.finish(pos, function, dest))
    }

    /// `def f[T](...)`: a function that makes the type parameters and the function is made and called.
    fn generic_function(&mut self, pos: Position, place: Position, def: &'a FunctionDef) -> Result<()> {
        let base = self.unit.code.alloc();
        self.set_depth(base.index() + 2);
        let defaults = self.push_defaults(pos, &def.args.defaults)?.is_some();
        let kwdefaults = self.push_kwdefaults(pos, &def.args)?.is_some();
        let n_args = defaults as u32 + kwdefaults as u32;

        self.enter_type_params(place, &def.name, &def.type_params, n_args)?;
        let params = self.push_type_params(&def.type_params)?;
        let function = self.unit.code.alloc();
        let mut parts = Parts::default();
        if defaults {
            parts.defaults = Some(
                self.name_load(pos, &Ident::new_static(".defaults"), Dest::Temp)?
                    .borrow(),
            );
        }
        if kwdefaults {
            parts.kwdefaults = Some(
                self.name_load(pos, &Ident::new_static(".kwdefaults"), Dest::Temp)?
                    .borrow(),
            );
        }
        self.function_object(pos, place, def, function, &mut parts)?;
        let set = Intrinsic2::SetFunctionTypeParams as u8;
        self.emit(
            pos,
            Opcode::CALL_INTRINSIC_2,
            set,
            function,
            function.take(),
            params.take(),
        );
        self.emit(pos, Opcode::RETURN_VALUE, 0, function.take(), Opnd::NO, Opnd::NO);
        let code = self.leave()?;

        self.make_closure_in(pos, base, code)?;
        self.emit(pos, Opcode::CALL, 0, base, base, Opnd::raw(n_args));
        self.set_depth(base.index() + 1);
        Ok(())
    }

    // ---- type parameters ----

    fn enter_type_params(
        &mut self,
        pos: Position,
        name: &Ident,
        params: &'a [TypeParam],
        n_args: u32,
    ) -> Result<()> {
        let block = self.lookup(&params[0], KeyKind::TypeParams)?;
        let unit_name = Ident::from(format!("<generic parameters of {name}>"));
        let private = self.unit.private.clone();
        self.enter(UnitKind::Annotations, block, unit_name, private, pos.line)?;
        self.unit.argcount = n_args;
        self.prologue(pos)
    }

    /// Makes and binds the type parameters; pushes the tuple of them.
    fn push_type_params(&mut self, params: &'a [TypeParam]) -> Result<Opnd> {
        let depth = self.depth();
        let mut seen_default = false;
        for param in params {
            let pos = param.pos;
            let name = Constant::Str(PyStr::from(param.name.as_str()));
            let temp = self.constant(pos, name, Dest::Temp).borrow();
            match &param.kind {
                TypeParamKind::TypeVar { bound: Some(bound) } => {
                    let function = self.lazy_value(param, bound, KeyKind::Bound, false)?;
                    let intrinsic = match bound.kind {
                        ExprKind::Tuple { .. }
                        | ExprKind::Constant {
                            value: Constant::Tuple(_),
                            ..
                        } => Intrinsic2::TypeVarWithConstraints,
                        _ => Intrinsic2::TypeVarWithBound,
                    };
                    self.emit(
                        pos,
                        Opcode::CALL_INTRINSIC_2,
                        intrinsic as u8,
                        temp,
                        temp.take(),
                        function.take(),
                    );
                }
                kind => {
                    let intrinsic = match kind {
                        TypeParamKind::TypeVar { .. } => Intrinsic1::TypeVar,
                        TypeParamKind::ParamSpec => Intrinsic1::ParamSpec,
                        TypeParamKind::TypeVarTuple => Intrinsic1::TypeVarTuple,
                    };
                    self.emit(
                        pos,
                        Opcode::CALL_INTRINSIC_1,
                        intrinsic as u8,
                        temp,
                        temp.take(),
                        Opnd::NO,
                    );
                }
            }
            self.set_depth(temp.index() + 1);
            if let Some(default) = &param.default {
                seen_default = true;
                let starred = matches!(param.kind, TypeParamKind::TypeVarTuple);
                let function = self.lazy_value(param, default, KeyKind::Default, starred)?;
                let set = Intrinsic2::SetTypeparamDefault as u8;
                self.emit(
                    pos,
                    Opcode::CALL_INTRINSIC_2,
                    set,
                    temp,
                    temp.take(),
                    function.take(),
                );
                self.set_depth(temp.index() + 1);
            } else if seen_default {
                let message = format!(
                    "non-default type parameter '{}' follows default type parameter",
                    param.name
                );
                return self.error(message, pos);
            }
            self.name_store(pos, &param.name, temp)?;
        }
        self.set_depth(depth);
        let tuple = self.unit.code.alloc();
        let pos = params[0].pos;
        self.emit(
            pos,
            Opcode::BUILD_TUPLE,
            0,
            tuple,
            Opnd::temp(depth),
            Opnd::raw(params.len() as u32),
        );
        Ok(tuple)
    }

    /// Pushes the function that evaluates a bound or default.
    fn lazy_value(
        &mut self,
        param: &'a TypeParam,
        value: &'a Expr,
        kind: KeyKind,
        starred: bool,
    ) -> Result<Opnd> {
        let block = self.lookup(param, kind)?;
        let pos = param.pos;
        self.enter_lazy(value.pos, block, param.name.clone())?;
        match &value.kind {
            ExprKind::Starred { value, .. } if starred => {
                let depth = self.depth();
                let operand = self.operand(value, &[])?;
                let temp = Opnd::temp(depth);
                self.set_depth(depth + 1);
                self.emit(value.pos, Opcode::UNPACK_SEQUENCE, 0, temp, operand, Opnd::raw(1));
                self.emit(
                    value.pos,
                    Opcode::RETURN_VALUE,
                    0,
                    temp.take(),
                    Opnd::NO,
                    Opnd::NO,
                );
            }
            _ => {
                let operand = self.expr(value, Dest::Any)?;
                self.emit(
                    value.pos,
                    Opcode::RETURN_VALUE,
                    0,
                    operand.take(),
                    Opnd::NO,
                    Opnd::NO,
                );
            }
        }
        let code = self.leave()?;
        self.lazy_function(pos, code, block)
    }

    /// A function with the annotation format as parameter, by default 1 (VALUE).
    fn lazy_function(&mut self, pos: Position, code: Constant, block: BlockId) -> Result<Opnd> {
        let function = self.make_closure(pos, code, block)?;
        let defaults = self.constant(pos, Constant::Tuple([Constant::Int(1)].into()), Dest::Temp);
        self.set_attribute(pos, function, FunctionAttribute::Defaults, defaults);
        self.set_depth(function.index() + 1);
        Ok(function)
    }

    /// Enters an annotation scope that takes a format; it refuses formats other than VALUE and VALUE_WITH_FAKE_GLOBALS.
    fn enter_lazy(&mut self, pos: Position, block: BlockId, name: Ident) -> Result<()> {
        let private = self.unit.private.clone();
        self.enter(UnitKind::Annotations, block, name, private, pos.line)?;
        self.unit.argcount = 1;
        self.unit.posonlyargcount = 1;
        if self.block().kind == BlockKind::Annotation {
            self.unit.code.locals[0].0 = Ident::new_static("format");
        }
        self.prologue(pos)?;
        let supported = self.new_label();
        let two = self.constant(pos, Constant::Int(2), Dest::Any);
        let greater = crate::bytecode::CmpOp::Gt as u8;
        self.unit
            .code
            .emit_jump(pos, Opcode::COMPARE_JUMP, greater, Opnd::local(0), two, supported);
        let temp = self.unit.code.alloc();
        let class = CommonConstant::NotImplementedError as u8;
        self.emit(pos, Opcode::LOAD_COMMON_CONSTANT, class, temp, Opnd::NO, Opnd::NO);
        self.emit(pos, Opcode::RAISE_VARARGS, 1, temp.take(), Opnd::ABSENT, Opnd::NO);
        self.set_depth(0);
        self.bind(supported);
        Ok(())
    }

    pub(super) fn type_alias(
        &mut self,
        stmt: &'a Stmt,
        name: &'a Expr,
        type_params: &'a [TypeParam],
        value: &'a Expr,
    ) -> Result<()> {
        let pos = stmt.pos;
        let ExprKind::Name { id, .. } = &name.kind else {
            return self.error("type alias name must be an identifier", name.pos);
        };
        let depth = self.depth();
        let generic = !type_params.is_empty();
        if generic {
            self.set_depth(depth + 2);
            self.enter_type_params(pos, id, type_params, 0)?;
        }
        let base = self
            .constant(pos, Constant::Str(PyStr::from(id.as_str())), Dest::Temp)
            .borrow();
        if generic {
            self.push_type_params(type_params)?;
        } else {
            self.constant(pos, Constant::None, Dest::Temp);
        }
        let block = self.lookup(stmt, KeyKind::Body)?;
        self.enter_lazy(pos, block, id.clone())?;
        let operand = self.expr(value, Dest::Any)?;
        self.emit(
            value.pos,
            Opcode::RETURN_VALUE,
            0,
            operand.take(),
            Opnd::NO,
            Opnd::NO,
        );
        let code = self.leave()?;
        self.lazy_function(pos, code, block)?;
        self.emit(pos, Opcode::BUILD_TUPLE, 0, base, base, Opnd::raw(3));
        let alias = Intrinsic1::TypeAlias as u8;
        self.emit(pos, Opcode::CALL_INTRINSIC_1, alias, base, base.take(), Opnd::NO);
        let mut result = base;
        if generic {
            self.emit(pos, Opcode::RETURN_VALUE, 0, base.take(), Opnd::NO, Opnd::NO);
            let code = self.leave()?;
            result = Opnd::temp(depth);
            self.make_closure_in(pos, result, code)?;
            self.emit(pos, Opcode::CALL, 0, result, result, Opnd::raw(0));
        }
        self.name_store(pos, id, result.take())?;
        self.set_depth(depth);
        Ok(())
    }

    // ---- annotations ----

    /// Pushes what `__annotations__` of a function is made from.
    fn function_annotations(
        &mut self,
        place: Position,
        def: &'a FunctionDef,
    ) -> Result<Option<(FunctionAttribute, Opnd)>> {
        let args = &def.args;
        let parameters = args
            .args
            .iter()
            .chain(&args.posonlyargs)
            .chain(&args.vararg)
            .chain(&args.kwonlyargs)
            .chain(&args.kwarg)
            .filter_map(|arg| Some((&arg.arg, arg.annotation.as_ref()?)));
        let return_name: &'static Ident = &RETURN;
        let annotated: Vec<(&Ident, &'a Expr)> = parameters
            .chain(def.returns.as_ref().map(|e| (return_name, e)))
            .collect();
        if annotated.is_empty() {
            return Ok(None);
        }
        let block = self.lookup(def, KeyKind::Annotations)?;
        self.enter_lazy(place, block, Ident::new_static("__annotate__"))?;
        if let Some(outer) = self.unit.qualname.strip_suffix("__annotate__") {
            self.unit.qualname = format!("{outer}{}.__annotate__", def.name);
        }
        let dict = self.unit.code.alloc();
        self.emit(place, Opcode::BUILD_MAP, 0, dict, dict, Opnd::NO);
        for (name, annotation) in annotated {
            let depth = self.depth();
            let operand = match &annotation.kind {
                _ if self.options.future & code_flags::FUTURE_ANNOTATIONS != 0 => {
                    let text = Constant::Str(unparse::expr(annotation).into());
                    self.constant(annotation.pos, text, Dest::Any)
                }
                ExprKind::Starred { value, .. } => {
                    // *args: *Ts
                    let operand = self.operand(value, &[])?;
                    let temp = Opnd::temp(depth);
                    self.set_depth(depth + 1);
                    self.emit(
                        annotation.pos,
                        Opcode::UNPACK_SEQUENCE,
                        0,
                        temp,
                        operand,
                        Opnd::raw(1),
                    );
                    temp.take()
                }
                _ => self.operand(annotation, &[])?,
            };
            let name = Constant::Str(PyStr::from(self.mangle(name).as_str()));
            let key = self.constant(annotation.pos, name, Dest::Any);
            self.emit(annotation.pos, Opcode::MAP_ADD, 0, dict, key.take(), operand);
            self.set_depth(depth);
        }
        self.emit(place, Opcode::RETURN_VALUE, 0, dict.take(), Opnd::NO, Opnd::NO);
        let code = self.leave()?;
        let function = self.make_closure(place, code, block)?;
        Ok(Some((FunctionAttribute::Annotate, function)))
    }

    /// Collects the annotations of a module's or class's variables that are evaluated later; under PEP 563 makes sure that
    /// there is an `__annotations__` instead.
    pub(super) fn prepare_annotations(
        &mut self,
        pos: Position,
        body: &'a [Stmt],
    ) -> Result<Vec<Deferred<'a>>> {
        let mut found = Vec::new();
        let mut next_index = 0;
        let always = self.unit.kind == UnitKind::Module;
        self.collect_annotations(body, always, &mut next_index, &mut found);
        if self.options.future & code_flags::FUTURE_ANNOTATIONS != 0 {
            if !found.is_empty() {
                self.emit(pos, Opcode::SETUP_ANNOTATIONS, 0, Opnd::NO, Opnd::NO, Opnd::NO);
            }
            found.clear();
        }
        Ok(found)
    }

    fn collect_annotations(
        &mut self,
        body: &'a [Stmt],
        conditional: bool,
        next_index: &mut u32,
        found: &mut Vec<Deferred<'a>>,
    ) {
        for stmt in body {
            let inner: Vec<&'a [Stmt]> = match &stmt.kind {
                StmtKind::AnnAssign {
                    target,
                    annotation,
                    simple: true,
                    ..
                } => {
                    if let ExprKind::Name { id, .. } = &target.kind {
                        let index = conditional.then(|| {
                            *next_index += 1;
                            *next_index - 1
                        });
                        if let Some(index) = index {
                            let key = std::ptr::from_ref(stmt) as usize;
                            self.unit.conditional_annotations.insert(key, index);
                        }
                        found.push(Deferred {
                            target: id,
                            annotation,
                            pos: stmt.pos,
                            conditional: index,
                        });
                    }
                    continue;
                }
                StmtKind::If { body, orelse, .. } | StmtKind::While { body, orelse, .. } => {
                    vec![body, orelse]
                }
                StmtKind::For(node) => vec![&node.body, &node.orelse],
                StmtKind::With(node) => vec![&node.body],
                StmtKind::Match { cases, .. } => cases.iter().map(|case| &case.body[..]).collect(),
                StmtKind::Try(node) => {
                    let mut parts: Vec<&'a [Stmt]> = vec![&node.body];
                    parts.extend(node.handlers.iter().map(|handler| &handler.body[..]));
                    parts.extend([&node.orelse[..], &node.finalbody[..]]);
                    parts
                }
                _ => continue,
            };
            for part in inner {
                self.collect_annotations(part, true, next_index, found);
            }
        }
    }

    /// Pushes the `__annotate__` function of the current module or class.
    pub(super) fn annotate_function(&mut self, pos: Position, annotations: &[Deferred<'a>]) -> Result<()> {
        let Some(block) = self.block().annotation_block else {
            return Err(CompileError::plain(
                ErrorKind::SystemError,
                "compiler: no annotation scope",
            ));
        };
        self.enter_lazy(pos, block, Ident::new_static("__annotate__"))?;
        let dict = self.unit.code.alloc();
        self.emit(pos, Opcode::BUILD_MAP, 0, dict, dict, Opnd::NO);
        for entry in annotations {
            let depth = self.depth();
            let skip = self.new_label();
            if let Some(index) = entry.conditional {
                let set = self.name_load(
                    entry.pos,
                    &Ident::new_static("__conditional_annotations__"),
                    Dest::Any,
                )?;
                let index = self.constant(entry.pos, Constant::Int(index.into()), Dest::Any);
                self.unit.code.emit_jump(
                    entry.pos,
                    Opcode::CONTAINS_JUMP,
                    0,
                    index.take(),
                    set.take(),
                    skip,
                );
                self.set_depth(depth);
            }
            let value = self.operand(entry.annotation, &[])?;
            let name = Constant::Str(PyStr::from(self.mangle(entry.target).as_str()));
            let key = self.constant(entry.pos, name, Dest::Any);
            self.emit(entry.pos, Opcode::MAP_ADD, 0, dict, key.take(), value);
            self.set_depth(depth);
            self.bind(skip);
        }
        self.emit(pos, Opcode::RETURN_VALUE, 0, dict.take(), Opnd::NO, Opnd::NO);
        let code = self.leave()?;
        self.make_closure(pos, code, block)?;
        Ok(())
    }

    pub(super) fn ann_assign(
        &mut self,
        stmt: &'a Stmt,
        target: &'a Expr,
        annotation: &'a Expr,
        value: Option<&'a Expr>,
        simple: bool,
    ) -> Result<()> {
        let depth = self.depth();
        if let Some(value) = value {
            self.assign_to(target, value)?;
        }
        match &target.kind {
            ExprKind::Name { id, .. }
                if simple && matches!(self.unit.kind, UnitKind::Module | UnitKind::Class) =>
            {
                if self.options.future & code_flags::FUTURE_ANNOTATIONS != 0 {
                    let text = Constant::Str(unparse::expr(annotation).into());
                    let text = self.constant(stmt.pos, text, Dest::Any);
                    let annotations = self.unit.code.alloc();
                    let name = self.unit.code.name(&Ident::new_static("__annotations__"));
                    self.emit(stmt.pos, Opcode::LOAD_NAME, 0, annotations, name, Opnd::NO);
                    let key = Constant::Str(PyStr::from(self.mangle(id).as_str()));
                    let key = self.constant(stmt.pos, key, Dest::Any);
                    self.emit(
                        stmt.pos,
                        Opcode::STORE_SUBSCR,
                        0,
                        annotations.take(),
                        key.take(),
                        text.take(),
                    );
                } else if let Some(index) = self
                    .unit
                    .conditional_annotations
                    .get(&(std::ptr::from_ref(stmt) as usize))
                    .copied()
                {
                    self.note_annotation(stmt.pos, index)?;
                }
            }
            ExprKind::Attribute { value: object, .. } if value.is_none() => {
                self.expr(object, Dest::Discard)?;
            }
            ExprKind::Subscript {
                value: object, slice, ..
            } if value.is_none() => {
                self.expr(object, Dest::Discard)?;
                self.expr(slice, Dest::Discard)?;
            }
            _ => {}
        }
        self.set_depth(depth);
        Ok(())
    }

    /// Records that a conditional annotation was reached.
    fn note_annotation(&mut self, pos: Position, index: u32) -> Result<()> {
        let set = self.unit.code.alloc();
        let name = Ident::new_static("__conditional_annotations__");
        match self.unit.code.deref(&name) {
            Some(cell) if self.unit.kind == UnitKind::Class => {
                self.emit(pos, Opcode::LOAD_DEREF, 0, set, cell, Opnd::NO);
            }
            _ => {
                let name = self.unit.code.name(&name);
                self.emit(pos, Opcode::LOAD_NAME, 0, set, name, Opnd::NO);
            }
        }
        let index = self.constant(pos, Constant::Int(index.into()), Dest::Any);
        self.emit(pos, Opcode::SET_ADD, 0, set, index.take(), Opnd::NO);
        self.emit(pos, Opcode::CLEAR, 0, set, Opnd::NO, Opnd::NO);
        self.set_depth(set.index());
        Ok(())
    }

    // ---- classes ----

    pub(super) fn class_def(&mut self, pos: Position, def: &'a ClassDef) -> Result<()> {
        let depth = self.depth();
        for decorator in &def.decorator_list {
            self.push(decorator)?;
        }
        let firstlineno = def.decorator_list.first().map_or(pos.line, |d| d.pos.line);
        let place = Position {
            line: firstlineno,
            ..pos
        };
        let generic = !def.type_params.is_empty();
        let type_params = Ident::new_static(".type_params");
        let generic_base = Ident::new_static(".generic_base");
        let base = Opnd::temp(self.depth());
        if generic {
            self.set_depth(base.index() + 2);
            self.enter_type_params(place, &def.name, &def.type_params, 0)?;
            self.unit.private = Some(def.name.clone());
            let params = self.push_type_params(&def.type_params)?;
            self.name_store(pos, &type_params, params.take())?;
            self.set_depth(0);
        }
        // __build_class__(function, name, *bases, **keywords)
        let call = self.unit.code.alloc();
        self.emit(pos, Opcode::LOAD_BUILD_CLASS, 0, call, Opnd::NO, Opnd::NO);
        self.set_depth(call.index() + 2);
        let function = self.unit.code.alloc();
        let code = self.class_body(place, def, firstlineno)?;
        self.make_closure_in(pos, function, code)?;
        self.constant(pos, Constant::Str(PyStr::from(def.name.as_str())), Dest::Temp);
        if generic {
            let params = self.name_load(pos, &type_params, Dest::Temp)?;
            let subscript = Intrinsic1::SubscriptGeneric as u8;
            self.emit(
                place,
                Opcode::CALL_INTRINSIC_1,
                subscript,
                params.borrow(),
                params,
                Opnd::NO,
            );
            self.name_store(pos, &generic_base, params)?;
            self.set_depth(params.index());
        }
        self.check_keywords(&def.keywords)?;
        let extra = generic.then_some(&generic_base);
        self.call_with_prefix(pos, call, 2, &def.bases, extra, &def.keywords)?;
        if generic {
            self.emit(pos, Opcode::RETURN_VALUE, 0, call.take(), Opnd::NO, Opnd::NO);
            let code = self.leave()?;
            self.make_closure_in(pos, base, code)?;
            self.emit(pos, Opcode::CALL, 0, base, base, Opnd::raw(0));
            self.set_depth(base.index() + 1);
        }
        self.apply_decorators(&def.decorator_list);
        self.name_store(pos, &def.name, Opnd::temp(depth).take())?;
        self.set_depth(depth);
        Ok(())
    }

    /// Calls `call` with `n_prefix` arguments that lie ready, then `args`, then the name `extra`, and keywords.
    fn call_with_prefix(
        &mut self,
        pos: Position,
        call: Opnd,
        n_prefix: u32,
        args: &'a [Expr],
        extra: Option<&Ident>,
        keywords: &'a [Keyword],
    ) -> Result<()> {
        let stars = args
            .iter()
            .any(|arg| matches!(arg.kind, ExprKind::Starred { .. }))
            || keywords.iter().any(|keyword| keyword.arg.is_none());
        if !stars {
            for arg in args {
                self.push(arg)?;
            }
            if let Some(name) = extra {
                self.name_load(pos, name, Dest::Temp)?;
            }
            for keyword in keywords {
                self.push(&keyword.value)?;
            }
            let n_positional = n_prefix as usize + args.len() + extra.is_some() as usize;
            self.set_depth(call.index() + 1);
            self.emit_call(pos, call, call, n_positional, keywords);
            return Ok(());
        }
        let list = Opnd::temp(call.index() + 2);
        self.emit(pos, Opcode::BUILD_LIST, 0, list, list, Opnd::raw(n_prefix));
        self.set_depth(list.index() + 1);
        for arg in args {
            let (op, value) = match &arg.kind {
                ExprKind::Starred { value, .. } => (Opcode::LIST_EXTEND, self.operand(value, &[])?),
                _ => (Opcode::LIST_APPEND, self.operand(arg, &[])?),
            };
            self.emit(pos, op, 0, list, value, Opnd::NO);
            self.set_depth(list.index() + 1);
        }
        if let Some(name) = extra {
            let value = self.name_load(pos, name, Dest::Any)?;
            self.emit(pos, Opcode::LIST_APPEND, 0, list, value.take(), Opnd::NO);
            self.set_depth(list.index() + 1);
        }
        let tuple = Intrinsic1::ListToTuple as u8;
        self.emit(pos, Opcode::CALL_INTRINSIC_1, tuple, list, list.take(), Opnd::NO);
        if !keywords.is_empty() {
            self.keyword_dict(pos, call, keywords)?;
        }
        self.set_depth(call.index() + 1);
        self.emit(
            pos,
            Opcode::CALL_EX,
            !keywords.is_empty() as u8,
            call,
            call,
            Opnd::NO,
        );
        Ok(())
    }

    fn store_constant(&mut self, pos: Position, name: &'static str, value: Constant) -> Result<()> {
        let depth = self.depth();
        let operand = self.constant(pos, value, Dest::Any);
        self.name_store(pos, &Ident::new_static(name), operand.take())?;
        self.set_depth(depth);
        Ok(())
    }

    fn class_body(&mut self, place: Position, def: &'a ClassDef, firstlineno: i32) -> Result<Constant> {
        let block = self.lookup(def, KeyKind::Body)?;
        self.enter(
            UnitKind::Class,
            block,
            def.name.clone(),
            Some(def.name.clone()),
            firstlineno,
        )?;
        self.prologue(place)?;
        let value = self.name_load(place, &Ident::new_static("__name__"), Dest::Temp)?;
        self.name_store(place, &Ident::new_static("__module__"), value)?;
        self.set_depth(0);
        let qualname = Constant::Str(PyStr::from(self.unit.qualname.as_str()));
        self.store_constant(place, "__qualname__", qualname)?;
        self.store_constant(place, "__firstlineno__", Constant::Int(firstlineno.into()))?;
        if !def.type_params.is_empty() {
            let params = self.name_load(place, &Ident::new_static(".type_params"), Dest::Temp)?;
            self.name_store(place, &Ident::new_static("__type_params__"), params)?;
            self.set_depth(0);
        }
        let class_block = self.block();
        let cell = |compiler: &Self, name: &'static str| compiler.unit.code.deref(&Ident::new_static(name));
        let temp = Opnd::temp(0);
        self.set_depth(1);
        if class_block.needs_classdict
            && let Some(cell) = cell(self, "__classdict__")
        {
            self.emit(place, Opcode::LOAD_LOCALS, 0, temp, Opnd::NO, Opnd::NO);
            self.emit(place, Opcode::STORE_DEREF, 0, cell, temp.take(), Opnd::NO);
        }
        if class_block.has_conditional_annotations
            && let Some(cell) = cell(self, "__conditional_annotations__")
        {
            self.emit(place, Opcode::BUILD_SET, 0, temp, temp, Opnd::NO);
            self.emit(place, Opcode::STORE_DEREF, 0, cell, temp.take(), Opnd::NO);
        }
        self.set_depth(0);
        let annotations = self.prepare_annotations(place, &def.body)?;
        let body = match docstring(&def.body) {
            Some(doc) if self.options.optimize < 2 => {
                self.store_constant(def.body[0].pos, "__doc__", Constant::Str(clean_doc(doc)))?;
                &def.body[1..]
            }
            _ => &def.body[..],
        };
        self.stmts(body)?;
        if !annotations.is_empty() {
            self.annotate_function(place, &annotations)?;
            self.name_store(place, &Ident::new_static("__annotate_func__"), temp.take())?;
            self.set_depth(0);
        }
        let mut attributes: Vec<&Ident> = self.unit.static_attributes.iter().collect();
        attributes.sort();
        let attributes = attributes
            .into_iter()
            .map(|name| Constant::Str(PyStr::from(name.as_str())))
            .collect();
        self.store_constant(
            Position::NONE,
            "__static_attributes__",
            Constant::Tuple(attributes),
        )?;
        self.set_depth(1);
        if class_block.needs_classdict
            && let Some(cell) = cell(self, "__classdict__")
        {
            self.emit(Position::NONE, Opcode::COPY, 0, temp, cell, Opnd::NO);
            self.name_store(
                Position::NONE,
                &Ident::new_static("__classdictcell__"),
                temp.take(),
            )?;
        }
        if class_block.needs_class_closure
            && let Some(cell) = cell(self, "__class__")
        {
            self.emit(Position::NONE, Opcode::COPY, 0, temp, cell, Opnd::NO);
            self.name_store(Position::NONE, &Ident::new_static("__classcell__"), temp)?;
            self.emit(
                Position::NONE,
                Opcode::RETURN_VALUE,
                0,
                temp.take(),
                Opnd::NO,
                Opnd::NO,
            );
        } else {
            self.implicit_return();
        }
        self.leave()
    }
}

/// The key of a function's return annotation.
static RETURN: std::sync::LazyLock<Ident> = std::sync::LazyLock::new(|| Ident::new_static("return"));

/// A docstring without the indentation that its lines share.
pub(super) fn clean_doc(doc: &PyStr) -> PyStr {
    let mut expanded: Vec<u8> = Vec::with_capacity(doc.as_wtf8().len());
    let mut column = 0;
    for point in doc.code_points() {
        match char::from_u32(point) {
            Some('\t') => {
                let spaces = 8 - column % 8;
                expanded.extend(std::iter::repeat_n(b' ', spaces));
                column += spaces;
                continue;
            }
            Some('\n' | '\r') => column = 0,
            _ => column += 1,
        }
        crate::bytecode::code::push_code_point(&mut expanded, point);
    }
    let indent = |line: &[u8]| line.iter().take_while(|b| **b == b' ').count();
    let mut lines = expanded.split_inclusive(|b| *b == b'\n');
    let first = lines.next().unwrap_or_default();
    let rest: Vec<&[u8]> = lines.collect();
    let is_blank = |line: &[u8]| line.get(indent(line)).is_none_or(|b| *b == b'\n');
    let margin = rest
        .iter()
        .filter(|line| !is_blank(line))
        .map(|line| indent(line))
        .min()
        .unwrap_or(0);
    let mut out = first[indent(first)..].to_vec();
    for line in rest {
        out.extend_from_slice(&line[indent(line).min(margin)..]);
    }
    PyStr::from_wtf8(out)
}
