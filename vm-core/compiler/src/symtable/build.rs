//! AST -> blocks with the raw definitions and uses of names.

use super::flags::*;
use super::*;
use crate::ast::*;
use crate::error::CompileError;

pub(super) struct Builder {
    table: SymbolTable,
    stack: Vec<BlockId>,
    cur: BlockId,
    private: Option<Ident>,
    future_annotations: bool,
    /// `PyCF_ALLOW_TOP_LEVEL_AWAIT`.
    top_level_await: bool,
}

/// What a type-parameter scope needs to know about its definition.
struct Generic<'a> {
    name: &'a Ident,
    params: &'a [TypeParam],
    has_defaults: bool,
    has_kwdefaults: bool,
    is_class: bool,
    pos: Position,
}

impl Builder {
    pub(super) fn new(future_annotations: bool, top_level_await: bool) -> Builder {
        let table = SymbolTable {
            blocks: Vec::new(),
            top: 0,
            by_node: FxHashMap::default(),
        };
        Builder {
            table,
            stack: Vec::new(),
            cur: 0,
            private: None,
            future_annotations,
            top_level_await,
        }
    }

    pub(super) fn build(mut self, module: &Mod) -> Result<SymbolTable> {
        let pos = Position {
            line: 0,
            end_line: 0,
            col: 0,
            end_col: 0,
        };
        let top = self.new_block(Ident::new_static("top"), BlockKind::Module, None, pos);
        self.enter(top);
        match module {
            Mod::Module { body, .. } | Mod::Interactive { body } => {
                self.block().has_docstring = ast::docstring(body).is_some();
                self.stmts(body)?;
            }
            Mod::Expression { body } => self.expr(body)?,
            Mod::FunctionType { .. } => {
                return Err(CompileError::plain(
                    crate::error::ErrorKind::SystemError,
                    "this compiler does not handle FunctionTypes",
                ));
            }
        }
        Ok(self.table)
    }

    fn block(&mut self) -> &mut Block {
        &mut self.table.blocks[self.cur]
    }

    fn new_block(&mut self, name: Ident, kind: BlockKind, key: Option<NodeKey>, pos: Position) -> BlockId {
        let previous = self.stack.last().map(|id| &self.table.blocks[*id]);
        let nested = previous.is_some_and(|p| p.nested || p.is_function_like());
        let method = kind == BlockKind::Function && previous.is_some_and(|p| p.kind == BlockKind::Class);
        // In classes all names are mangled again.
        let mangled_names = previous
            .filter(|_| kind != BlockKind::Class)
            .and_then(|p| p.mangled_names.clone());
        let id = self.table.blocks.len();
        self.table.blocks.push(Block {
            kind,
            name,
            symbols: IndexMap::default(),
            varnames: Vec::new(),
            children: Vec::new(),
            directives: Vec::new(),
            pos,
            nested,
            free: false,
            generator: false,
            coroutine: false,
            comprehension: ComprehensionKind::No,
            varargs: false,
            varkeywords: false,
            returns_value: false,
            needs_class_closure: false,
            needs_classdict: false,
            comp_inlined: false,
            comp_iter_target: false,
            comp_iter_expr: 0,
            can_see_class_scope: false,
            has_docstring: false,
            method,
            in_conditional_block: false,
            has_conditional_annotations: false,
            in_unevaluated_annotation: false,
            annotation_block: None,
            scope_info: None,
            walrus: FxHashSet::default(),
            mangled_names,
        });
        if let Some(key) = key {
            self.table.by_node.insert(key, id);
        }
        id
    }

    /// Enters a block that exists; it becomes a child of the current one (annotation blocks under PEP 563 do not: their
    /// code is never run).
    fn enter(&mut self, id: BlockId) {
        let is_dead_annotation =
            self.future_annotations && self.table.blocks[id].kind == BlockKind::Annotation;
        if let Some(parent) = self.stack.last().copied() {
            self.table.blocks[id].comp_iter_expr = self.table.blocks[parent].comp_iter_expr;
            let children = &mut self.table.blocks[parent].children;
            if !is_dead_annotation && !children.contains(&id) {
                children.push(id);
            }
        }
        self.stack.push(id);
        self.cur = id;
    }

    fn enter_new(&mut self, name: Ident, kind: BlockKind, key: NodeKey, pos: Position) -> Result<()> {
        let id = self.new_block(name, kind, Some(key), pos);
        self.enter(id);
        if matches!(
            kind,
            BlockKind::Annotation | BlockKind::TypeAlias | BlockKind::TypeVariable
        ) {
            // These functions are called with the annotation format.
            self.add_def(&Ident::new_static(".format"), DEF_PARAM, pos)?;
            self.add_def(&Ident::new_static(".format"), USE, pos)?;
        }
        Ok(())
    }

    fn exit(&mut self) {
        self.stack.pop();
        self.cur = self.stack.last().copied().unwrap_or(0);
    }

    fn lookup(&self, name: &Ident) -> u32 {
        let block = &self.table.blocks[self.cur];
        block.symbol(&maybe_mangle(self.private.as_deref(), block, name))
    }

    fn add_def(&mut self, name: &Ident, flag: u32, pos: Position) -> Result<()> {
        if flag & DEF_TYPE_PARAM != 0
            && let Some(names) = &mut self.table.blocks[self.cur].mangled_names
        {
            names.insert(name.clone());
        }
        self.add_def_in(self.cur, name, flag, pos)
    }

    fn add_def_in(&mut self, block_id: BlockId, name: &Ident, flag: u32, pos: Position) -> Result<()> {
        let block = &mut self.table.blocks[block_id];
        let mangled = maybe_mangle(self.private.as_deref(), block, name);
        let mut value = block.symbol(&mangled);
        if flag & value & DEF_PARAM != 0 {
            return Err(CompileError::syntax(
                format!("duplicate argument '{name}' in function definition"),
                pos,
            ));
        }
        if flag & value & DEF_TYPE_PARAM != 0 {
            return Err(CompileError::syntax(
                format!("duplicate type parameter '{name}'"),
                pos,
            ));
        }
        value |= flag;
        if block.comp_iter_target {
            // The target of a comprehension's loop may not be what a walrus inside binds outside.
            if value & (DEF_GLOBAL | DEF_NONLOCAL) != 0 {
                return Err(CompileError::syntax(
                    format!("comprehension inner loop cannot rebind assignment expression target '{name}'"),
                    pos,
                ));
            }
            value |= DEF_COMP_ITER;
        }
        block.symbols.insert(mangled.clone(), value);
        if flag & DEF_PARAM != 0 {
            block.varnames.push(mangled);
        } else if flag & DEF_GLOBAL != 0 {
            let top = self.table.top;
            *self.table.blocks[top].symbols.entry(mangled).or_insert(0) |= flag;
        }
        Ok(())
    }

    fn check_name(&self, name: &Ident, pos: Position, ctx: ExprContext) -> Result<()> {
        if name == "__debug__" && ctx != ExprContext::Load {
            let verb = if ctx == ExprContext::Store {
                "assign to"
            } else {
                "delete"
            };
            return Err(CompileError::syntax(format!("cannot {verb} __debug__"), pos));
        }
        Ok(())
    }

    // ---- statements ----

    fn stmts(&mut self, stmts: &[Stmt]) -> Result<()> {
        stmts.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result<()> {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.stmt_inner(stmt))
    }

    /// Visits bodies whose annotations are only conditionally reached.
    fn conditional(&mut self, bodies: &[&[Stmt]]) -> Result<()> {
        let cur = self.cur;
        let saved = std::mem::replace(&mut self.block().in_conditional_block, true);
        for body in bodies {
            self.stmts(body)?;
        }
        self.table.blocks[cur].in_conditional_block = saved;
        Ok(())
    }

    fn stmt_inner(&mut self, stmt: &Stmt) -> Result<()> {
        match &stmt.kind {
            StmtKind::FunctionDef(def) => self.function_def(def, stmt.pos)?,
            StmtKind::ClassDef(def) => self.class_def(def, stmt.pos)?,
            StmtKind::TypeAlias {
                name,
                type_params,
                value,
            } => {
                self.type_alias(stmt, name, type_params, value)?;
            }
            StmtKind::Return { value } => {
                if let Some(value) = value {
                    self.expr(value)?;
                    self.block().returns_value = true;
                }
            }
            StmtKind::Delete { targets } => self.exprs(targets)?,
            StmtKind::Assign { targets, value, .. } => {
                self.exprs(targets)?;
                self.expr(value)?;
            }
            StmtKind::AugAssign { target, value, .. } => {
                self.expr(target)?;
                self.expr(value)?;
            }
            StmtKind::AnnAssign {
                target,
                annotation,
                value,
                simple,
            } => {
                self.ann_assign(target, annotation, value.as_ref(), *simple, stmt.pos)?;
            }
            StmtKind::For(node) => {
                self.note_async_statement(node.is_async);
                self.expr(&node.target)?;
                self.expr(&node.iter)?;
                self.conditional(&[&node.body, &node.orelse])?;
            }
            StmtKind::While { test, body, orelse } | StmtKind::If { test, body, orelse } => {
                self.expr(test)?;
                self.conditional(&[body, orelse])?;
            }
            StmtKind::With(node) => {
                self.note_async_statement(node.is_async);
                for item in &node.items {
                    self.expr(&item.context_expr)?;
                    self.opt_expr(item.optional_vars.as_ref())?;
                }
                self.conditional(&[&node.body])?;
            }
            StmtKind::Match { subject, cases } => {
                self.expr(subject)?;
                for case in cases {
                    self.pattern(&case.pattern)?;
                    self.opt_expr(case.guard.as_ref())?;
                    self.conditional(&[&case.body])?;
                }
            }
            StmtKind::Raise { exc, cause } => {
                self.opt_expr(exc.as_ref())?;
                self.opt_expr(cause.as_ref())?;
            }
            StmtKind::Try(node) => self.try_stmt(node)?,
            StmtKind::Assert { test, msg } => {
                self.expr(test)?;
                self.opt_expr(msg.as_ref())?;
            }
            StmtKind::Import { names } => names.iter().try_for_each(|alias| self.alias(alias))?,
            StmtKind::ImportFrom { names, .. } => names.iter().try_for_each(|alias| self.alias(alias))?,
            StmtKind::Global { names } => {
                names
                    .iter()
                    .try_for_each(|name| self.directive(name, DEF_GLOBAL, stmt.pos))?;
            }
            StmtKind::Nonlocal { names } => {
                names
                    .iter()
                    .try_for_each(|name| self.directive(name, DEF_NONLOCAL, stmt.pos))?;
            }
            StmtKind::Expr { value } => self.expr(value)?,
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue => {}
        }
        Ok(())
    }

    fn try_stmt(&mut self, node: &Try) -> Result<()> {
        self.conditional(&[&node.body])?;
        for handler in &node.handlers {
            self.opt_expr(handler.typ.as_ref())?;
            if let Some(name) = &handler.name {
                self.check_name(name, handler.pos, ExprContext::Store)?;
                self.add_def(name, DEF_LOCAL, handler.pos)?;
            }
            self.conditional(&[&handler.body])?;
        }
        self.conditional(&[&node.orelse, &node.finalbody])
    }

    fn directive(&mut self, name: &Ident, flag: u32, pos: Position) -> Result<()> {
        let word = if flag == DEF_GLOBAL { "global" } else { "nonlocal" };
        self.check_name(name, pos, ExprContext::Store)?;
        let current = self.lookup(name);
        if current & (DEF_PARAM | DEF_LOCAL | USE | DEF_ANNOT) != 0 {
            let message = if current & DEF_PARAM != 0 {
                format!("name '{name}' is parameter and {word}")
            } else if current & USE != 0 {
                format!("name '{name}' is used prior to {word} declaration")
            } else if current & DEF_ANNOT != 0 {
                format!("annotated name '{name}' can't be {word}")
            } else {
                format!("name '{name}' is assigned to before {word} declaration")
            };
            return Err(CompileError::syntax(message, pos));
        }
        self.add_def(name, flag, pos)?;
        self.record_directive(self.cur, name, pos);
        Ok(())
    }

    fn record_directive(&mut self, block: BlockId, name: &Ident, pos: Position) {
        let block = &mut self.table.blocks[block];
        let mangled = maybe_mangle(self.private.as_deref(), block, name);
        block.directives.push((mangled, pos));
    }

    fn alias(&mut self, alias: &Alias) -> Result<()> {
        let name = alias.asname.as_ref().unwrap_or(&alias.name);
        if name == "*" {
            if self.block().kind != BlockKind::Module {
                return Err(CompileError::syntax(
                    "import * only allowed at module level",
                    alias.pos,
                ));
            }
            return Ok(());
        }
        let stored = match name.split_once('.') {
            Some((first, _)) => Ident::from(first),
            None => name.clone(),
        };
        self.check_name(&stored, alias.pos, ExprContext::Store)?;
        self.add_def(&stored, DEF_IMPORT, alias.pos)
    }

    fn ann_assign(
        &mut self,
        target: &Expr,
        annotation: &Expr,
        value: Option<&Expr>,
        simple: bool,
        pos: Position,
    ) -> Result<()> {
        match &target.kind {
            ExprKind::Name { id, .. } => {
                self.check_name(id, target.pos, ExprContext::Store)?;
                let current = self.lookup(id);
                if current & (DEF_GLOBAL | DEF_NONLOCAL) != 0 && self.cur != self.table.top && simple {
                    let word = if current & DEF_GLOBAL != 0 {
                        "global"
                    } else {
                        "nonlocal"
                    };
                    return Err(CompileError::syntax(
                        format!("annotated name '{id}' can't be {word}"),
                        pos,
                    ));
                }
                if simple {
                    self.add_def(id, DEF_ANNOT | DEF_LOCAL, target.pos)?;
                } else if value.is_some() {
                    self.add_def(id, DEF_LOCAL, target.pos)?;
                }
            }
            _ => self.expr(target)?,
        }
        self.annotation(annotation)?;
        self.opt_expr(value)
    }

    /// An annotation of a variable in the current block.
    fn annotation(&mut self, annotation: &Expr) -> Result<()> {
        let parent = self.cur;
        let kind = self.block().kind;
        let block = self.block();
        if (kind == BlockKind::Module || kind == BlockKind::Class && block.in_conditional_block)
            && !block.has_conditional_annotations
        {
            block.has_conditional_annotations = true;
            self.add_def(
                &Ident::new_static("__conditional_annotations__"),
                USE,
                annotation.pos,
            )?;
        }
        match self.table.blocks[parent].annotation_block {
            Some(id) => self.enter(id),
            None => {
                let key = NodeKey::new(annotation, KeyKind::Annotations);
                let name = Ident::new_static("__annotate__");
                self.enter_new(name, BlockKind::Annotation, key, annotation.pos)?;
                self.table.blocks[parent].annotation_block = Some(self.cur);
                if kind == BlockKind::Class && !self.future_annotations {
                    self.see_class_scope(annotation.pos)?;
                }
            }
        }
        if self.table.blocks[parent].has_conditional_annotations && !self.future_annotations {
            self.add_def(
                &Ident::new_static("__conditional_annotations__"),
                USE,
                annotation.pos,
            )?;
        }
        let unevaluated = kind == BlockKind::Function;
        self.block().in_unevaluated_annotation = unevaluated;
        self.expr(annotation)?;
        self.block().in_unevaluated_annotation = false;
        self.exit();
        Ok(())
    }

    fn see_class_scope(&mut self, pos: Position) -> Result<()> {
        self.block().can_see_class_scope = true;
        self.add_def(&Ident::new_static("__classdict__"), USE, pos)
    }

    fn in_class_scope(&mut self) -> bool {
        let block = self.block();
        block.can_see_class_scope || block.kind == BlockKind::Class
    }

    // ---- definitions ----

    fn function_def(&mut self, def: &FunctionDef, pos: Position) -> Result<()> {
        self.check_name(&def.name, pos, ExprContext::Store)?;
        self.add_def(&def.name, DEF_LOCAL, pos)?;
        self.exprs(&def.args.defaults)?;
        self.kw_defaults(&def.args)?;
        self.exprs(&def.decorator_list)?;
        let generic = !def.type_params.is_empty();
        if generic {
            self.enter_type_params(&Generic {
                name: &def.name,
                params: &def.type_params,
                has_defaults: !def.args.defaults.is_empty(),
                has_kwdefaults: def.args.kw_defaults.iter().any(Option::is_some),
                is_class: false,
                pos,
            })?;
        }
        let key = NodeKey::new(def, KeyKind::Body);
        let body = self.new_block(def.name.clone(), BlockKind::Function, Some(key), pos);
        self.function_annotations(def, pos)?;
        self.enter(body);
        self.block().coroutine = def.is_async;
        self.block().has_docstring = ast::docstring(&def.body).is_some();
        self.parameters(&def.args)?;
        self.stmts(&def.body)?;
        self.exit();
        if generic {
            self.exit();
        }
        Ok(())
    }

    fn kw_defaults(&mut self, args: &Arguments) -> Result<()> {
        args.kw_defaults
            .iter()
            .flatten()
            .try_for_each(|default| self.expr(default))
    }

    fn function_annotations(&mut self, def: &FunctionDef, pos: Position) -> Result<()> {
        let in_class = self.in_class_scope();
        let key = NodeKey::new(def, KeyKind::Annotations);
        self.enter_new(Ident::new_static("__annotate__"), BlockKind::Annotation, key, pos)?;
        if in_class && !self.future_annotations {
            self.see_class_scope(pos)?;
        }
        let args = &def.args;
        for arg in args.posonlyargs.iter().chain(&args.args) {
            self.opt_expr(arg.annotation.as_ref())?;
        }
        for arg in args.vararg.iter().chain(&args.kwarg).chain(&args.kwonlyargs) {
            self.opt_expr(arg.annotation.as_ref())?;
        }
        self.opt_expr(def.returns.as_ref())?;
        self.exit();
        Ok(())
    }

    fn parameters(&mut self, args: &Arguments) -> Result<()> {
        let stars = args.vararg.iter().chain(&args.kwarg);
        for arg in args
            .posonlyargs
            .iter()
            .chain(&args.args)
            .chain(&args.kwonlyargs)
            .chain(stars)
        {
            self.check_name(&arg.arg, arg.pos, ExprContext::Store)?;
            self.add_def(&arg.arg, DEF_PARAM, arg.pos)?;
        }
        self.block().varargs = args.vararg.is_some();
        self.block().varkeywords = args.kwarg.is_some();
        Ok(())
    }

    fn class_def(&mut self, def: &ClassDef, pos: Position) -> Result<()> {
        self.check_name(&def.name, pos, ExprContext::Store)?;
        self.add_def(&def.name, DEF_LOCAL, pos)?;
        self.exprs(&def.decorator_list)?;
        let generic = !def.type_params.is_empty();
        let outer_private = self.private.clone();
        if generic {
            let generic = Generic {
                name: &def.name,
                params: &def.type_params,
                has_defaults: false,
                has_kwdefaults: false,
                is_class: true,
                pos,
            };
            self.enter_type_params(&generic)?;
        }
        self.exprs(&def.bases)?;
        for keyword in &def.keywords {
            self.keyword(keyword)?;
        }
        self.enter_new(
            def.name.clone(),
            BlockKind::Class,
            NodeKey::new(def, KeyKind::Body),
            pos,
        )?;
        self.private = Some(def.name.clone());
        if generic {
            self.add_def(&Ident::new_static("__type_params__"), DEF_LOCAL, pos)?;
            self.add_def(&Ident::new_static(".type_params"), USE, pos)?;
        }
        self.block().has_docstring = ast::docstring(&def.body).is_some();
        self.stmts(&def.body)?;
        self.exit();
        if generic {
            self.exit();
        }
        self.private = outer_private;
        Ok(())
    }

    fn type_alias(
        &mut self,
        stmt: &Stmt,
        name: &Expr,
        type_params: &[TypeParam],
        value: &Expr,
    ) -> Result<()> {
        self.expr(name)?;
        let ExprKind::Name { id, .. } = &name.kind else {
            return Err(CompileError::syntax(
                "type alias name must be an identifier",
                name.pos,
            ));
        };
        let in_class = self.in_class_scope();
        let generic = !type_params.is_empty();
        if generic {
            self.enter_type_params(&Generic {
                name: id,
                params: type_params,
                has_defaults: false,
                has_kwdefaults: false,
                is_class: false,
                pos: stmt.pos,
            })?;
        }
        self.enter_new(
            id.clone(),
            BlockKind::TypeAlias,
            NodeKey::new(stmt, KeyKind::Body),
            stmt.pos,
        )?;
        if in_class {
            self.see_class_scope(value.pos)?;
        }
        self.expr(value)?;
        self.exit();
        if generic {
            self.exit();
        }
        Ok(())
    }

    fn enter_type_params(&mut self, generic: &Generic) -> Result<()> {
        let in_class = self.block().kind == BlockKind::Class;
        let key = NodeKey::new(&generic.params[0], KeyKind::TypeParams);
        self.enter_new(generic.name.clone(), BlockKind::TypeParameters, key, generic.pos)?;
        if in_class {
            self.see_class_scope(generic.pos)?;
        }
        if generic.is_class {
            for name in [".type_params", ".generic_base"] {
                self.add_def(&Ident::new_static(name), DEF_LOCAL, generic.pos)?;
                self.add_def(&Ident::new_static(name), USE, generic.pos)?;
            }
            self.private = Some(generic.name.clone());
            self.block().mangled_names = Some(FxHashSet::default());
        }
        if generic.has_defaults {
            self.add_def(&Ident::new_static(".defaults"), DEF_PARAM, generic.pos)?;
        }
        if generic.has_kwdefaults {
            self.add_def(&Ident::new_static(".kwdefaults"), DEF_PARAM, generic.pos)?;
        }
        generic.params.iter().try_for_each(|param| self.type_param(param))
    }

    fn type_param(&mut self, param: &TypeParam) -> Result<()> {
        if matches!(
            param.name.as_str(),
            "__classdict__" | "__conditional_annotations__"
        ) {
            return Err(CompileError::syntax(
                format!("reserved name '{}' cannot be used for type parameter", param.name),
                param.pos,
            ));
        }
        self.check_name(&param.name, param.pos, ExprContext::Store)?;
        self.add_def(&param.name, DEF_TYPE_PARAM | DEF_LOCAL, param.pos)?;
        let default_info = match &param.kind {
            TypeParamKind::TypeVar { bound } => {
                if let Some(bound) = bound {
                    let info = match bound.kind {
                        ExprKind::Tuple { .. } => "a TypeVar constraint",
                        _ => "a TypeVar bound",
                    };
                    self.bound_or_default(param, bound, KeyKind::Bound, info)?;
                }
                "a TypeVar default"
            }
            TypeParamKind::TypeVarTuple => "a TypeVarTuple default",
            TypeParamKind::ParamSpec => "a ParamSpec default",
        };
        match &param.default {
            Some(default) => self.bound_or_default(param, default, KeyKind::Default, default_info),
            None => Ok(()),
        }
    }

    fn bound_or_default(
        &mut self,
        param: &TypeParam,
        value: &Expr,
        kind: KeyKind,
        info: &'static str,
    ) -> Result<()> {
        let in_class = self.block().can_see_class_scope;
        let key = NodeKey::new(param, kind);
        self.enter_new(param.name.clone(), BlockKind::TypeVariable, key, value.pos)?;
        if in_class {
            self.see_class_scope(value.pos)?;
        }
        self.block().scope_info = Some(info);
        self.expr(value)?;
        self.exit();
        Ok(())
    }

    // ---- patterns ----

    fn pattern(&mut self, pattern: &Pattern) -> Result<()> {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.pattern_inner(pattern))
    }

    fn pattern_inner(&mut self, pattern: &Pattern) -> Result<()> {
        let mut bind = |name: &Option<Ident>| match name {
            Some(name) => {
                self.check_name(name, pattern.pos, ExprContext::Store)?;
                self.add_def(name, DEF_LOCAL, pattern.pos)
            }
            None => Ok(()),
        };
        match &pattern.kind {
            PatternKind::MatchSingleton { .. } => Ok(()),
            PatternKind::MatchValue { value } => self.expr(value),
            PatternKind::MatchStar { name } => bind(name),
            PatternKind::MatchSequence { patterns } | PatternKind::MatchOr { patterns } => {
                patterns.iter().try_for_each(|p| self.pattern(p))
            }
            PatternKind::MatchMapping { keys, patterns, rest } => {
                bind(rest)?;
                self.exprs(keys)?;
                patterns.iter().try_for_each(|p| self.pattern(p))
            }
            PatternKind::MatchClass {
                cls,
                patterns,
                kwd_attrs,
                kwd_patterns,
            } => {
                self.expr(cls)?;
                for name in kwd_attrs {
                    self.check_name(name, pattern.pos, ExprContext::Store)?;
                }
                patterns
                    .iter()
                    .chain(kwd_patterns)
                    .try_for_each(|p| self.pattern(p))
            }
            PatternKind::MatchAs { pattern: inner, name } => {
                bind(name)?;
                inner.iter().try_for_each(|p| self.pattern(p))
            }
        }
    }

    // ---- expressions ----

    fn exprs(&mut self, exprs: &[Expr]) -> Result<()> {
        exprs.iter().try_for_each(|expr| self.expr(expr))
    }

    fn opt_expr(&mut self, expr: Option<&Expr>) -> Result<()> {
        expr.map_or(Ok(()), |expr| self.expr(expr))
    }

    fn keyword(&mut self, keyword: &Keyword) -> Result<()> {
        if let Some(name) = &keyword.arg {
            self.check_name(name, keyword.pos, ExprContext::Store)?;
        }
        self.expr(&keyword.value)
    }

    fn expr(&mut self, expr: &Expr) -> Result<()> {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.expr_inner(expr))
    }

    fn expr_inner(&mut self, expr: &Expr) -> Result<()> {
        match &expr.kind {
            ExprKind::NamedExpr { target, value } => self.named_expr(expr, target, value),
            ExprKind::BoolOp { values, .. } => self.exprs(values),
            ExprKind::BinOp { left, right, .. } => {
                self.expr(left)?;
                self.expr(right)
            }
            ExprKind::UnaryOp { operand, .. } => self.expr(operand),
            ExprKind::Lambda { args, body } => self.lambda(expr, args, body),
            ExprKind::IfExp { test, body, orelse } => {
                self.expr(test)?;
                self.expr(body)?;
                self.expr(orelse)
            }
            ExprKind::Dict { keys, values } => {
                keys.iter().flatten().try_for_each(|key| self.expr(key))?;
                self.exprs(values)
            }
            ExprKind::Set { elts } | ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } => {
                self.exprs(elts)
            }
            ExprKind::ListComp { elt, generators } => {
                self.comprehension(expr, ComprehensionKind::List, "<listcomp>", generators, elt, None)
            }
            ExprKind::SetComp { elt, generators } => {
                self.comprehension(expr, ComprehensionKind::Set, "<setcomp>", generators, elt, None)
            }
            ExprKind::DictComp {
                key,
                value,
                generators,
            } => self.comprehension(
                expr,
                ComprehensionKind::Dict,
                "<dictcomp>",
                generators,
                key,
                Some(value),
            ),
            ExprKind::GeneratorExp { elt, generators } => self.comprehension(
                expr,
                ComprehensionKind::Generator,
                "<genexpr>",
                generators,
                elt,
                None,
            ),
            ExprKind::Yield { value } => {
                self.refuse_in_annotation("yield expression", expr)?;
                self.opt_expr(value.as_deref())?;
                self.block().generator = true;
                self.refuse_in_comprehension(expr)
            }
            ExprKind::YieldFrom { value } => {
                self.refuse_in_annotation("yield expression", expr)?;
                self.expr(value)?;
                self.block().generator = true;
                self.refuse_in_comprehension(expr)
            }
            ExprKind::Await { value } => {
                self.refuse_in_annotation("await expression", expr)?;
                if !self.allows_top_level_await() {
                    let block = self.block();
                    let outside = if !block.is_function_like() {
                        Some("'await' outside function")
                    } else if !block.is_async_def() && block.comprehension == ComprehensionKind::No {
                        Some("'await' outside async function")
                    } else {
                        None
                    };
                    if let Some(message) = outside {
                        return Err(CompileError::syntax(message, expr.pos));
                    }
                }
                self.expr(value)?;
                self.block().coroutine = true;
                Ok(())
            }
            ExprKind::Compare {
                left, comparators, ..
            } => {
                self.expr(left)?;
                self.exprs(comparators)
            }
            ExprKind::Call { func, args, keywords } => {
                self.expr(func)?;
                self.exprs(args)?;
                keywords.iter().try_for_each(|keyword| self.keyword(keyword))
            }
            ExprKind::FormattedValue {
                value, format_spec, ..
            }
            | ExprKind::Interpolation {
                value, format_spec, ..
            } => {
                self.expr(value)?;
                self.opt_expr(format_spec.as_deref())
            }
            ExprKind::JoinedStr { values } | ExprKind::TemplateStr { values } => self.exprs(values),
            ExprKind::Constant { .. } => Ok(()),
            ExprKind::Attribute { value, attr, ctx } => {
                self.check_name(attr, expr.pos, *ctx)?;
                self.expr(value)
            }
            ExprKind::Subscript { value, slice, .. } => {
                self.expr(value)?;
                self.expr(slice)
            }
            ExprKind::Starred { value, .. } => self.expr(value),
            ExprKind::Slice { lower, upper, step } => {
                self.opt_expr(lower.as_deref())?;
                self.opt_expr(upper.as_deref())?;
                self.opt_expr(step.as_deref())
            }
            ExprKind::Name { id, ctx } => self.name(id, *ctx, expr.pos),
        }
    }

    fn name(&mut self, id: &Ident, ctx: ExprContext, pos: Position) -> Result<()> {
        self.check_name(id, pos, ctx)?;
        if self.block().in_unevaluated_annotation {
            return Ok(());
        }
        self.add_def(id, if ctx == ExprContext::Load { USE } else { DEF_LOCAL }, pos)?;
        // `super()` needs the class.
        if ctx == ExprContext::Load && self.block().is_function_like() && id == "super" {
            self.add_def(&Ident::new_static("__class__"), USE, pos)?;
        }
        Ok(())
    }

    fn lambda(&mut self, expr: &Expr, args: &Arguments, body: &Expr) -> Result<()> {
        self.exprs(&args.defaults)?;
        self.kw_defaults(args)?;
        let key = NodeKey::new(expr, KeyKind::Body);
        self.enter_new(Ident::new_static("<lambda>"), BlockKind::Function, key, expr.pos)?;
        self.parameters(args)?;
        self.expr(body)?;
        self.exit();
        Ok(())
    }

    fn comprehension(
        &mut self,
        expr: &Expr,
        kind: ComprehensionKind,
        name: &'static str,
        generators: &[Comprehension],
        elt: &Expr,
        value: Option<&Expr>,
    ) -> Result<()> {
        let is_generator = kind == ComprehensionKind::Generator;
        let outermost = &generators[0];
        // The outermost iterable is evaluated in the enclosing scope.
        let outer = self.cur;
        self.block().comp_iter_expr += 1;
        self.expr(&outermost.iter)?;
        self.table.blocks[outer].comp_iter_expr -= 1;
        let key = NodeKey::new(expr, KeyKind::Body);
        self.enter_new(Ident::new_static(name), BlockKind::Function, key, expr.pos)?;
        self.block().comprehension = kind;
        if outermost.is_async {
            self.block().coroutine = true;
        }
        self.add_def(&Ident::new_static(".0"), DEF_PARAM, expr.pos)?;
        self.comp_target(&outermost.target)?;
        self.exprs(&outermost.ifs)?;
        for generator in &generators[1..] {
            self.comp_target(&generator.target)?;
            self.block().comp_iter_expr += 1;
            self.expr(&generator.iter)?;
            self.block().comp_iter_expr -= 1;
            self.exprs(&generator.ifs)?;
            if generator.is_async {
                self.block().coroutine = true;
            }
        }
        // A dict comprehension's value comes first here, as in CPython.
        self.opt_expr(value)?;
        self.expr(elt)?;
        self.block().generator = is_generator;
        let is_async = self.block().coroutine && !is_generator;
        self.exit();
        if is_async {
            let allowed = self.allows_top_level_await();
            let block = self.block();
            if !allowed && !block.is_async_def() && block.comprehension == ComprehensionKind::No {
                return Err(CompileError::syntax(
                    "asynchronous comprehension outside of an asynchronous function",
                    expr.pos,
                ));
            }
            block.coroutine = true;
        }
        Ok(())
    }

    /// Whether `await` may stand here although no function is around it.
    fn allows_top_level_await(&mut self) -> bool {
        self.top_level_await && self.block().kind == BlockKind::Module
    }

    /// An `async for` or `async with` of a module that may await makes it a coroutine.
    fn note_async_statement(&mut self, is_async: bool) {
        if is_async && self.allows_top_level_await() {
            self.block().coroutine = true;
        }
    }

    fn comp_target(&mut self, target: &Expr) -> Result<()> {
        self.block().comp_iter_target = true;
        self.expr(target)?;
        self.block().comp_iter_target = false;
        Ok(())
    }

    fn named_expr(&mut self, expr: &Expr, target: &Expr, value: &Expr) -> Result<()> {
        self.refuse_in_annotation("named expression", expr)?;
        if self.block().comp_iter_expr > 0 {
            return Err(CompileError::syntax(
                "assignment expression cannot be used in a comprehension iterable expression",
                expr.pos,
            ));
        }
        if self.block().comprehension != ComprehensionKind::No {
            self.extend_named_expr_scope(target)?;
        }
        self.expr(value)?;
        if let ExprKind::Name { id, .. } = &target.kind {
            let block = &self.table.blocks[self.cur];
            let mangled = maybe_mangle(self.private.as_deref(), block, id);
            self.block().walrus.insert(mangled);
        }
        self.expr(target)
    }

    /// A walrus in a comprehension binds in the scope around the comprehensions.
    fn extend_named_expr_scope(&mut self, target: &Expr) -> Result<()> {
        let ExprKind::Name { id, .. } = &target.kind else {
            return Ok(());
        };
        let fail = |message: String| Err(CompileError::syntax(message, target.pos));
        for at in (0..self.stack.len()).rev() {
            let block_id = self.stack[at];
            let block = &self.table.blocks[block_id];
            let flags = block.symbol(&maybe_mangle(self.private.as_deref(), block, id));
            if block.comprehension != ComprehensionKind::No {
                if flags & DEF_COMP_ITER != 0 && flags & DEF_LOCAL != 0 {
                    return fail(format!(
                        "assignment expression cannot rebind comprehension iteration variable '{id}'"
                    ));
                }
                continue;
            }
            match block.kind {
                BlockKind::Function => {
                    let flag = if flags & DEF_GLOBAL != 0 {
                        DEF_GLOBAL
                    } else {
                        DEF_NONLOCAL
                    };
                    self.add_def(id, flag, target.pos)?;
                    self.record_directive(self.cur, id, target.pos);
                    let mangled = maybe_mangle(self.private.as_deref(), &self.table.blocks[block_id], id);
                    self.table.blocks[block_id].walrus.insert(mangled);
                    return self.add_def_in(block_id, id, DEF_LOCAL, target.pos);
                }
                BlockKind::Module => {
                    self.add_def(id, DEF_GLOBAL, target.pos)?;
                    self.record_directive(self.cur, id, target.pos);
                    return self.add_def_in(block_id, id, DEF_GLOBAL, target.pos);
                }
                BlockKind::Class => {
                    return fail(
                        "assignment expression within a comprehension cannot be used in a class body".into(),
                    );
                }
                BlockKind::TypeParameters => {
                    return fail(
                        "assignment expression within a comprehension cannot be used within the definition of a generic"
                            .into(),
                    );
                }
                BlockKind::TypeAlias => {
                    return fail(
                        "assignment expression within a comprehension cannot be used in a type alias".into(),
                    );
                }
                BlockKind::TypeVariable => {
                    return fail(
                        "assignment expression within a comprehension cannot be used in a TypeVar bound"
                            .into(),
                    );
                }
                BlockKind::Annotation => {
                    return fail("named expression cannot be used within an annotation".into());
                }
            }
        }
        Ok(())
    }

    fn refuse_in_annotation(&mut self, what: &str, expr: &Expr) -> Result<()> {
        let block = self.block();
        let place = match block.kind {
            BlockKind::Annotation => "an annotation",
            BlockKind::TypeVariable => block.scope_info.unwrap_or("a TypeVar bound"),
            BlockKind::TypeAlias => "a type alias",
            BlockKind::TypeParameters => "the definition of a generic",
            _ => return Ok(()),
        };
        Err(CompileError::syntax(
            format!("{what} cannot be used within {place}"),
            expr.pos,
        ))
    }

    fn refuse_in_comprehension(&mut self, expr: &Expr) -> Result<()> {
        let place = match self.block().comprehension {
            ComprehensionKind::No => return Ok(()),
            ComprehensionKind::List => "list comprehension",
            ComprehensionKind::Set => "set comprehension",
            ComprehensionKind::Dict => "dict comprehension",
            ComprehensionKind::Generator => "generator expression",
        };
        Err(CompileError::syntax(format!("'yield' inside {place}"), expr.pos))
    }
}
