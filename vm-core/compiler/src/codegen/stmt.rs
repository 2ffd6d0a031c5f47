//! Statements, except definitions, `try`, `with` and `match`.

use super::expr::{MANY_ITEMS, attr_position, binary_op};
use super::*;
use crate::bytecode::CommonConstant;

impl<'a> Compiler<'a> {
    /// The body of a module, with its docstring and annotations.
    pub(super) fn module_body(&mut self, body: &'a [Stmt], pos: Position) -> Result<()> {
        let pos = body.first().map_or(pos, |first| first.pos);
        let annotations = self.prepare_annotations(pos, body)?;
        if self.unit.kind == UnitKind::Module && !annotations.is_empty() {
            self.annotate_function(pos, &annotations)?;
            let value = Opnd::temp(self.depth() - 1).take();
            self.name_store(pos, &Ident::new_static("__annotate__"), value)?;
            self.set_depth(self.depth() - 1);
            let set = self.unit.code.alloc();
            self.emit(pos, Opcode::BUILD_SET, 0, set, set, Opnd::NO);
            let name = self
                .unit
                .code
                .name(&Ident::new_static("__conditional_annotations__"));
            self.emit(pos, Opcode::STORE_NAME, 0, set.take(), name, Opnd::NO);
            self.set_depth(set.index());
        }
        let rest = if !self.unit.interactive
            && self.options.optimize < 2
            && let Some(doc) = docstring(body)
        {
            let doc = function::clean_doc(doc);
            let value = self.constant(body[0].pos, Constant::Str(doc), Dest::Any);
            self.name_store(body[0].pos, &Ident::new_static("__doc__"), value.take())?;
            self.set_depth(0);
            &body[1..]
        } else {
            body
        };
        self.stmts(rest)
    }

    pub(super) fn stmts(&mut self, body: &'a [Stmt]) -> Result<()> {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &'a Stmt) -> Result<()> {
        let depth = self.depth();
        stacker::maybe_grow(96 * 1024, 2 * 1024 * 1024, || self.stmt_inner(stmt))?;
        debug_assert_eq!(
            self.depth(),
            depth,
            "temporaries left by the statement at line {}",
            stmt.pos.line
        );
        Ok(())
    }

    fn nop(&mut self, pos: Position) {
        self.emit(pos, Opcode::NOP, 0, Opnd::NO, Opnd::NO, Opnd::NO);
    }

    fn stmt_inner(&mut self, stmt: &'a Stmt) -> Result<()> {
        let pos = stmt.pos;
        match &stmt.kind {
            StmtKind::FunctionDef(def) => self.function_def(pos, def),
            StmtKind::ClassDef(def) => self.class_def(pos, def),
            StmtKind::TypeAlias {
                name,
                type_params,
                value,
            } => self.type_alias(stmt, name, type_params, value),
            StmtKind::Return { value } => self.return_stmt(pos, value.as_ref()),
            StmtKind::Delete { targets } => targets.iter().try_for_each(|target| self.delete(target)),
            StmtKind::Assign { targets, value, .. } => self.assign(targets, value),
            StmtKind::AugAssign { target, op, value } => self.aug_assign(pos, target, *op, value),
            StmtKind::AnnAssign {
                target,
                annotation,
                value,
                simple,
            } => self.ann_assign(stmt, target, annotation, value.as_ref(), *simple),
            StmtKind::For(node) if node.is_async => self.async_for(pos, node),
            StmtKind::For(node) => self.for_stmt(node),
            StmtKind::While { test, body, orelse } => self.while_stmt(pos, test, body, orelse),
            StmtKind::If { test, body, orelse } => {
                let (other, end) = (self.new_label(), self.new_label());
                self.jump_if(pos, test, other, false)?;
                self.stmts(body)?;
                if !orelse.is_empty() {
                    self.emit_jump(Position::NONE, end);
                }
                self.bind(other);
                self.stmts(orelse)?;
                self.bind(end);
                Ok(())
            }
            StmtKind::With(node) => self.with_stmt(pos, node, 0),
            StmtKind::Match { subject, cases } => self.match_stmt(subject, cases),
            StmtKind::Raise { exc, cause } => self.raise(pos, exc.as_ref(), cause.as_ref()),
            StmtKind::Try(node) => self.try_stmt(pos, node),
            StmtKind::Assert { test, msg } => self.assert(pos, test, msg.as_ref()),
            StmtKind::Import { names } => names.iter().try_for_each(|alias| self.import(pos, alias)),
            StmtKind::ImportFrom { module, names, level } => {
                self.import_from(pos, module.as_ref(), names, *level)
            }
            StmtKind::Global { .. } | StmtKind::Nonlocal { .. } => Ok(()),
            StmtKind::Expr { value } => self.expr_stmt(pos, value),
            StmtKind::Pass => {
                self.nop(pos);
                Ok(())
            }
            StmtKind::Break => self.break_stmt(pos),
            StmtKind::Continue => self.continue_stmt(pos),
        }
    }

    fn expr_stmt(&mut self, pos: Position, value: &'a Expr) -> Result<()> {
        if self.unit.interactive && self.unit.kind == UnitKind::Module {
            let depth = self.depth();
            let operand = self.operand(value, &[])?;
            self.set_depth(depth);
            let print = Intrinsic1::Print as u8;
            self.emit(
                pos,
                Opcode::CALL_INTRINSIC_1,
                print,
                Opnd::ABSENT,
                operand,
                Opnd::NO,
            );
            return Ok(());
        }
        self.expr(value, Dest::Discard)?;
        Ok(())
    }

    fn return_stmt(&mut self, pos: Position, value: Option<&'a Expr>) -> Result<()> {
        if !self.block().is_function_like() {
            return self.error("'return' outside function", pos);
        }
        if value.is_some() && self.block().coroutine && self.block().generator {
            return self.error("'return' with value in async generator", pos);
        }
        let depth = self.depth();
        let constant = value.is_none_or(|v| v.as_constant().is_some());
        let operand = match value {
            None => {
                self.nop(pos);
                self.constant(pos, Constant::None, Dest::Any)
            }
            Some(v) if constant || !self.unwinding_runs_code() => self.operand(v, &[])?,
            Some(v) => self.push(v)?,
        };
        if constant {
            self.nop(pos);
        }
        let handler = self.unit.code.handler;
        let pos = self.unwind_all(pos, operand)?;
        self.emit(pos, Opcode::RETURN_VALUE, 0, operand.take(), Opnd::NO, Opnd::NO);
        self.unit.code.handler = handler;
        self.set_depth(depth);
        Ok(())
    }

    // ---- assignment ----

    /// `target = value` of a single target.
    pub(super) fn assign_to(&mut self, target: &'a Expr, value: &'a Expr) -> Result<()> {
        if let ExprKind::Name { id, .. } = &target.kind
            && let Some(local) = self.local_dest(id)
        {
            self.expr(value, local)?;
            return Ok(());
        }
        let depth = self.depth();
        if self.assign_items(target, value)? {
            return Ok(());
        }
        let operand = self.operand(value, &[target])?;
        self.store(target, operand)?;
        self.set_depth(depth);
        Ok(())
    }

    fn assign(&mut self, targets: &'a [Expr], value: &'a Expr) -> Result<()> {
        if let [target] = targets {
            return self.assign_to(target, value);
        }
        let depth = self.depth();
        let mut operand = self.expr(value, Dest::Any)?.take();
        if operand.is_local() {
            // An earlier target may be that very local.
            let temp = self.unit.code.alloc();
            self.emit(value.pos, Opcode::COPY, 0, temp, operand, Opnd::NO);
            operand = temp.take();
        }
        let Some((last, first)) = targets.split_last() else {
            return Ok(());
        };
        for target in first {
            self.store(target, operand.borrow())?;
        }
        self.store(last, operand)?;
        self.set_depth(depth);
        Ok(())
    }

    /// `a, b = x, y` without building the tuple.
    fn assign_items(&mut self, target: &'a Expr, value: &'a Expr) -> Result<bool> {
        let (ExprKind::Tuple { elts: targets, .. } | ExprKind::List { elts: targets, .. }) = &target.kind
        else {
            return Ok(false);
        };
        let plain = |elts: &[Expr]| !elts.iter().any(|e| matches!(e.kind, ExprKind::Starred { .. }));
        if !plain(targets) || targets.len() > MANY_ITEMS {
            return Ok(false);
        }
        let depth = self.depth();
        match &value.kind {
            ExprKind::Tuple { elts, .. } if elts.len() == targets.len() && plain(elts) => {
                for e in elts {
                    self.push(e)?;
                }
                for (index, target) in targets.iter().enumerate() {
                    self.store(target, Opnd::temp(depth + index as u32).take())?;
                }
            }
            ExprKind::Constant {
                value: Constant::Tuple(items),
                ..
            } if items.len() == targets.len() => {
                for (target, item) in targets.iter().zip(items) {
                    let operand = self.constant(value.pos, item.clone(), Dest::Any);
                    self.store(target, operand.take())?;
                    self.set_depth(depth);
                }
            }
            _ => return Ok(false),
        }
        self.set_depth(depth);
        Ok(true)
    }

    /// Stores an operand to a target. The operand is not used after unless it is borrowed.
    pub(super) fn store(&mut self, target: &'a Expr, value: Opnd) -> Result<()> {
        let pos = target.pos;
        match &target.kind {
            ExprKind::Name { id, .. } => self.name_store(pos, id, value),
            ExprKind::Attribute {
                value: object, attr, ..
            } => {
                self.note_static_attribute(object, attr);
                let depth = self.depth();
                let object = self.operand(object, &[])?;
                let name = self.mangle(attr);
                let name = self.unit.code.name(&name);
                self.emit(
                    attr_position(pos, target),
                    Opcode::STORE_ATTR,
                    0,
                    object,
                    value,
                    name,
                );
                self.set_depth(depth);
                Ok(())
            }
            ExprKind::Subscript {
                value: object, slice, ..
            } => {
                let depth = self.depth();
                let object = self.operand(object, &[slice])?;
                if let Some((start, stop)) = self.two_element_slice(slice)? {
                    self.emit(pos, Opcode::STORE_SLICE, 0, object, start, stop).ext = value;
                } else {
                    let key = self.operand(slice, &[])?;
                    self.emit(pos, Opcode::STORE_SUBSCR, 0, object, key, value);
                }
                self.set_depth(depth);
                Ok(())
            }
            ExprKind::Tuple { elts, .. } | ExprKind::List { elts, .. } => self.unpack(pos, elts, value),
            ExprKind::Starred { .. } => {
                self.error("starred assignment target must be in a list or tuple", pos)
            }
            _ => self.error("cannot assign to this expression", pos),
        }
    }

    /// `self.x = ...` in a method goes into the class's `__static_attributes__`.
    fn note_static_attribute(&mut self, object: &Expr, attr: &Ident) {
        if !matches!(&object.kind, ExprKind::Name { id, .. } if id == "self") {
            return;
        }
        let units = std::iter::once(&mut self.unit).chain(self.outer.iter_mut().rev());
        for unit in units {
            if unit.kind == UnitKind::Class {
                unit.static_attributes.insert(attr.clone());
                return;
            }
        }
    }

    fn unpack(&mut self, pos: Position, targets: &'a [Expr], value: Opnd) -> Result<()> {
        let mut star = None;
        for (index, target) in targets.iter().enumerate() {
            if matches!(target.kind, ExprKind::Starred { .. }) {
                if star.is_some() {
                    return self.error("multiple starred expressions in assignment", pos);
                }
                if index >= 256 || targets.len() - index > 1 << 16 {
                    return self.error("too many expressions in star-unpacking assignment", pos);
                }
                star = Some(index);
            }
        }
        let count = Opnd::raw(targets.len() as u32);
        if star.is_none()
            && let Some(first) = self.consecutive_locals(targets)
        {
            self.emit(pos, Opcode::UNPACK_SEQUENCE, 0, first, value, count);
            return Ok(());
        }
        let depth = self.depth();
        let base = Opnd::temp(depth);
        match star {
            Some(star) => {
                let after = Opnd::raw((targets.len() - star - 1) as u32);
                self.emit(pos, Opcode::UNPACK_EX, star as u8, base, value, after);
            }
            None => {
                self.emit(pos, Opcode::UNPACK_SEQUENCE, 0, base, value, count);
            }
        }
        self.set_depth(depth + targets.len().max(1) as u32); // an empty target list has a base, too
        for (index, target) in targets.iter().enumerate() {
            let target = match &target.kind {
                ExprKind::Starred { value, .. } => value,
                _ => target,
            };
            self.store(target, Opnd::temp(depth + index as u32).take())?;
        }
        self.set_depth(depth);
        Ok(())
    }

    /// The first register if all targets are locals in consecutive registers.
    fn consecutive_locals(&mut self, targets: &'a [Expr]) -> Option<Opnd> {
        let mut first: Option<Opnd> = None;
        for (index, target) in targets.iter().enumerate() {
            let ExprKind::Name { id, .. } = &target.kind else {
                return None;
            };
            let local = self.fast_local(id)?;
            match first {
                None => first = Some(local),
                Some(first) if local.index() == first.index() + index as u32 => {}
                Some(_) => return None,
            }
        }
        first
    }

    fn aug_assign(&mut self, pos: Position, target: &'a Expr, op: Operator, value: &'a Expr) -> Result<()> {
        let depth = self.depth();
        let op = binary_op(op, true) as u8;
        match &target.kind {
            ExprKind::Name { id, .. } => {
                let old = self.operand(target, &[value])?;
                let operand = self.operand(value, &[])?;
                self.set_depth(depth);
                match self.fast_local(id) {
                    Some(local) => {
                        self.emit(pos, Opcode::BINARY_OP, op, local, old, operand);
                    }
                    None => {
                        let temp = self.unit.code.alloc();
                        self.emit(pos, Opcode::BINARY_OP, op, temp, old, operand);
                        self.name_store(target.pos, id, temp.take())?;
                    }
                }
            }
            ExprKind::Attribute {
                value: object, attr, ..
            } => {
                self.note_static_attribute(object, attr);
                let object = self.operand(object, &[value])?;
                let name = self.mangle(attr);
                let name = self.unit.code.name(&name);
                let place = attr_position(target.pos, target);
                let temp = self.unit.code.alloc();
                self.emit(place, Opcode::LOAD_ATTR, 0, temp, object.borrow(), name);
                let operand = self.operand(value, &[])?;
                self.emit(pos, Opcode::BINARY_OP, op, temp, temp.take(), operand);
                self.emit(place, Opcode::STORE_ATTR, 0, object, temp.take(), name);
            }
            ExprKind::Subscript {
                value: object, slice, ..
            } => {
                let object = self.operand(object, &[slice, value])?;
                if let Some((start, stop)) = self.two_element_slice(slice)? {
                    let temp = self.unit.code.alloc();
                    self.emit(
                        target.pos,
                        Opcode::BINARY_SLICE,
                        0,
                        temp,
                        object.borrow(),
                        start.borrow(),
                    )
                    .ext = stop.borrow();
                    let operand = self.operand(value, &[])?;
                    self.emit(pos, Opcode::BINARY_OP, op, temp, temp.take(), operand);
                    self.emit(target.pos, Opcode::STORE_SLICE, 0, object, start, stop)
                        .ext = temp.take();
                } else {
                    let key = self.operand(slice, &[value])?;
                    let temp = self.unit.code.alloc();
                    self.emit(
                        target.pos,
                        Opcode::LOAD_SUBSCR,
                        0,
                        temp,
                        object.borrow(),
                        key.borrow(),
                    );
                    let operand = self.operand(value, &[])?;
                    self.emit(pos, Opcode::BINARY_OP, op, temp, temp.take(), operand);
                    self.emit(target.pos, Opcode::STORE_SUBSCR, 0, object, key, temp.take());
                }
            }
            _ => return self.error("illegal expression for augmented assignment", target.pos),
        }
        self.set_depth(depth);
        Ok(())
    }

    fn delete(&mut self, target: &'a Expr) -> Result<()> {
        let (depth, pos) = (self.depth(), target.pos);
        match &target.kind {
            ExprKind::Name { id, .. } => self.name_delete(pos, id)?,
            ExprKind::Attribute { value, attr, .. } => {
                let object = self.operand(value, &[])?;
                let name = self.mangle(attr);
                let name = self.unit.code.name(&name);
                self.emit(
                    attr_position(pos, target),
                    Opcode::DELETE_ATTR,
                    0,
                    object,
                    Opnd::NO,
                    name,
                );
            }
            ExprKind::Subscript { value, slice, .. } => {
                let object = self.operand(value, &[slice])?;
                let key = self.operand(slice, &[])?;
                self.emit(pos, Opcode::DELETE_SUBSCR, 0, object, key, Opnd::NO);
            }
            ExprKind::Tuple { elts, .. } | ExprKind::List { elts, .. } => {
                elts.iter().try_for_each(|e| self.delete(e))?;
            }
            _ => return self.error("cannot delete this expression", pos),
        }
        self.set_depth(depth);
        Ok(())
    }

    // ---- loops ----

    fn while_stmt(
        &mut self,
        pos: Position,
        test: &'a Expr,
        body: &'a [Stmt],
        orelse: &'a [Stmt],
    ) -> Result<()> {
        let (top, exhausted, exit) = (self.new_label(), self.new_label(), self.new_label());
        self.bind(top);
        self.push_block(pos, FBlock::While { top, exit })?;
        self.jump_if(pos, test, exhausted, false)?;
        self.stmts(body)?;
        self.emit_jump(Position::NONE, top);
        self.unit.fblocks.pop();
        self.bind(exhausted);
        self.stmts(orelse)?;
        self.bind(exit);
        Ok(())
    }

    fn for_stmt(&mut self, node: &'a For) -> Result<()> {
        let depth = self.depth();
        let value = self.operand(&node.iter, &[])?;
        self.set_depth(depth);
        let iter = self.unit.code.alloc();
        self.emit(node.iter.pos, Opcode::GET_ITER, 0, iter, value, Opnd::NO);
        let (top, exhausted, exit) = (self.new_label(), self.new_label(), self.new_label());
        self.bind(top);
        self.push_block(node.iter.pos, FBlock::For { top, exit, iter })?;
        let body_depth = self.depth();
        // A target on a line of its own is stored there.
        let (dst, value) = if node.target.pos.line == node.iter.pos.line {
            self.loop_target(&node.target)
        } else {
            let temp = self.unit.code.alloc();
            (temp, Some(temp.take()))
        };
        self.unit
            .code
            .emit_jump(node.iter.pos, Opcode::FOR_ITER, 0, dst, iter, exhausted);
        if let Some(value) = value {
            self.store(&node.target, value)?;
        }
        self.set_depth(body_depth);
        self.stmts(&node.body)?;
        self.emit_jump(Position::NONE, top);
        self.unit.fblocks.pop();
        self.bind(exhausted);
        self.emit(node.iter.pos, Opcode::END_FOR, 0, iter, Opnd::NO, Opnd::NO);
        self.set_depth(depth);
        self.stmts(&node.orelse)?;
        self.bind(exit);
        Ok(())
    }

    fn async_for(&mut self, pos: Position, node: &'a For) -> Result<()> {
        self.require_async("async for", pos)?;
        let depth = self.depth();
        let value = self.operand(&node.iter, &[])?;
        self.set_depth(depth);
        let iter = self.unit.code.alloc();
        self.emit(node.iter.pos, Opcode::GET_AITER, 0, iter, value, Opnd::NO);
        let (top, handler, exit) = (self.new_label(), self.new_label(), self.new_label());
        self.bind(top);
        self.push_block(pos, FBlock::AsyncFor { top, exit, iter })?;
        let outer = self.unit.code.begin_handler(handler, depth + 1, false);
        let next = self.unit.code.alloc();
        self.emit(pos, Opcode::GET_ANEXT, 0, next, iter, Opnd::NO);
        let value = self.send_loop(pos, next, 3, Dest::Temp)?;
        self.unit.code.end_handler(outer);
        self.store(&node.target, value)?;
        self.set_depth(depth + 1);
        self.stmts(&node.body)?;
        self.emit_jump(Position::NONE, top);
        self.unit.fblocks.pop();
        self.bind(handler);
        let exc = Opnd::temp(depth + 1);
        self.emit(node.iter.pos, Opcode::END_ASYNC_FOR, 0, iter, exc, Opnd::NO);
        self.set_depth(depth);
        self.stmts(&node.orelse)?;
        self.bind(exit);
        Ok(())
    }

    pub(super) fn require_async(&self, what: &str, pos: Position) -> Result<()> {
        if self.unit.kind == UnitKind::AsyncFunction
            || self.options.top_level_await && self.unit.kind == UnitKind::Module
        {
            return Ok(());
        }
        self.error(format!("'{what}' outside async function"), pos)
    }

    fn break_stmt(&mut self, pos: Position) -> Result<()> {
        self.nop(pos);
        let handler = self.unit.code.handler;
        let place = pos;
        let (pos, found) = self.unwind_to_loop(pos)?;
        let exit = match found {
            None => return self.error("'break' outside loop", place),
            Some(FBlock::For { exit, iter, .. } | FBlock::AsyncFor { exit, iter, .. }) => {
                self.emit(pos, Opcode::CLEAR, 0, iter, Opnd::NO, Opnd::NO);
                exit
            }
            Some(FBlock::While { exit, .. }) => exit,
            Some(_) => return self.error("'break' outside loop", place),
        };
        self.emit_jump(Position::NONE, exit);
        self.unit.code.handler = handler;
        Ok(())
    }

    fn continue_stmt(&mut self, pos: Position) -> Result<()> {
        self.nop(pos);
        let handler = self.unit.code.handler;
        let place = pos;
        let (pos, found) = self.unwind_to_loop(pos)?;
        match found {
            Some(FBlock::For { top, .. } | FBlock::AsyncFor { top, .. } | FBlock::While { top, .. }) => {
                self.emit_jump(pos, top);
            }
            _ => return self.error("'continue' not properly in loop", place),
        }
        self.unit.code.handler = handler;
        Ok(())
    }

    // ---- the rest ----

    fn raise(&mut self, pos: Position, exc: Option<&'a Expr>, cause: Option<&'a Expr>) -> Result<()> {
        let depth = self.depth();
        let mut count = 0;
        let mut operands = [Opnd::ABSENT; 2];
        if let Some(exc) = exc {
            let later: Vec<&Expr> = cause.into_iter().collect();
            operands[0] = self.operand(exc, &later)?;
            count = 1;
            if let Some(cause) = cause {
                operands[1] = self.operand(cause, &[])?;
                count = 2;
            }
        }
        self.set_depth(depth);
        self.emit(
            pos,
            Opcode::RAISE_VARARGS,
            count,
            operands[0],
            operands[1],
            Opnd::NO,
        );
        Ok(())
    }

    fn assert(&mut self, pos: Position, test: &'a Expr, msg: Option<&'a Expr>) -> Result<()> {
        if self.options.optimize > 0 {
            return Ok(());
        }
        let depth = self.depth();
        let end = self.new_label();
        self.jump_if(pos, test, end, true)?;
        let exc = self.unit.code.alloc();
        let class = CommonConstant::AssertionError as u8;
        self.emit(pos, Opcode::LOAD_COMMON_CONSTANT, class, exc, Opnd::NO, Opnd::NO);
        if let Some(msg) = msg {
            self.set_depth(depth + 2);
            self.push(msg)?;
            self.emit(pos, Opcode::CALL, 0, exc, exc, Opnd::raw(1));
        }
        self.emit(
            test.pos,
            Opcode::RAISE_VARARGS,
            1,
            exc.take(),
            Opnd::ABSENT,
            Opnd::NO,
        );
        self.set_depth(depth);
        self.bind(end);
        Ok(())
    }

    fn import_module(&mut self, pos: Position, name: &Ident, level: u32, fromlist: Constant, dst: Opnd) {
        let level = self.constant(pos, Constant::Int(level.into()), Dest::Any);
        let fromlist = self.constant(pos, fromlist, Dest::Any);
        let name = self.mangle(name);
        let name = self.unit.code.name(&name);
        self.emit(pos, Opcode::IMPORT_NAME, 0, dst, level.take(), fromlist.take())
            .ext = name;
    }

    fn import(&mut self, pos: Position, alias: &'a Alias) -> Result<()> {
        let depth = self.depth();
        let module = self.unit.code.alloc();
        self.import_module(pos, &alias.name, 0, Constant::None, module);
        self.set_depth(depth + 1);
        match &alias.asname {
            Some(asname) => {
                // `import a.b.c as d` binds the innermost module.
                for part in alias.name.split('.').skip(1) {
                    let attr = self.mangle(&Ident::from(part));
                    let attr = self.unit.code.name(&attr);
                    let temp = self.unit.code.alloc();
                    self.emit(pos, Opcode::IMPORT_FROM, 0, temp, module, attr);
                    self.emit(pos, Opcode::CLEAR, 0, module, Opnd::NO, Opnd::NO);
                    self.emit(pos, Opcode::MOVE, 0, module, temp, Opnd::NO);
                    self.set_depth(depth + 1);
                }
                self.name_store(pos, asname, module.take())?;
            }
            None => {
                let first = alias.name.split('.').next().unwrap_or_default();
                self.name_store(pos, &Ident::from(first), module.take())?;
            }
        }
        self.set_depth(depth);
        Ok(())
    }

    fn import_from(
        &mut self,
        pos: Position,
        module: Option<&Ident>,
        names: &'a [Alias],
        level: u32,
    ) -> Result<()> {
        let depth = self.depth();
        let temp = self.unit.code.alloc();
        let fromlist = names
            .iter()
            .map(|alias| Constant::Str(PyStr::from(alias.name.as_str())))
            .collect();
        let empty = Ident::new_static("");
        self.import_module(
            pos,
            module.unwrap_or(&empty),
            level,
            Constant::Tuple(fromlist),
            temp,
        );
        self.set_depth(depth + 1);
        for alias in names {
            if alias.name == "*" {
                let star = Intrinsic1::ImportStar as u8;
                self.emit(
                    pos,
                    Opcode::CALL_INTRINSIC_1,
                    star,
                    Opnd::ABSENT,
                    temp.take(),
                    Opnd::NO,
                );
                self.set_depth(depth);
                return Ok(());
            }
            let attr = self.mangle(&alias.name);
            let attr = self.unit.code.name(&attr);
            let stored = alias.asname.as_ref().unwrap_or(&alias.name);
            match self.fast_local(stored) {
                Some(local) => {
                    self.emit(pos, Opcode::IMPORT_FROM, 0, local, temp, attr);
                }
                None => {
                    let value = self.unit.code.alloc();
                    self.emit(pos, Opcode::IMPORT_FROM, 0, value, temp, attr);
                    self.name_store(pos, stored, value.take())?;
                    self.set_depth(depth + 1);
                }
            }
        }
        self.emit(pos, Opcode::CLEAR, 0, temp, Opnd::NO, Opnd::NO);
        self.set_depth(depth);
        Ok(())
    }
}
