//! `try`, `with`, and what `return`, `break` and `continue` run on their way out. The handlers and their cleanup nest as
//! CPython's do, so that context chaining and `sys.exception()` are the same.

use super::*;
use crate::bytecode::{Intrinsic2, SpecialMethod};

impl<'a> Compiler<'a> {
    pub(super) fn try_stmt(&mut self, pos: Position, node: &'a Try) -> Result<()> {
        if node.finalbody.is_empty() {
            return self.try_handlers(pos, node);
        }
        self.try_finally(pos, node)
    }

    fn try_handlers(&mut self, pos: Position, node: &'a Try) -> Result<()> {
        if node.is_star {
            self.try_star(pos, node)
        } else {
            self.try_except(pos, node)
        }
    }

    fn try_finally(&mut self, pos: Position, node: &'a Try) -> Result<()> {
        self.emit(pos, Opcode::NOP, 0, Opnd::NO, Opnd::NO, Opnd::NO);
        let base = Opnd::temp(self.depth());
        let (handler, exit) = (self.new_label(), self.new_label());
        let outer = self.unit.code.begin_handler(handler, base.index(), false);
        self.push_block(
            pos,
            FBlock::FinallyTry {
                outer,
                body: &node.finalbody,
            },
        )?;
        if node.handlers.is_empty() {
            self.stmts(&node.body)?;
        } else {
            self.try_handlers(pos, node)?;
        }
        self.unit.fblocks.pop();
        self.unit.code.end_handler(outer);
        self.stmts(&node.finalbody)?;
        self.emit_jump(Position::NONE, exit);
        // An exception is on its way.
        self.bind(handler);
        let cleanup = self.enter_handler(base);
        self.push_block(pos, FBlock::FinallyEnd { outer, base })?;
        self.stmts(&node.finalbody)?;
        self.unit.fblocks.pop();
        let exc = Opnd::temp(base.index() + 1);
        self.emit(Position::NONE, Opcode::RERAISE, 0, exc, Opnd::ABSENT, Opnd::NO);
        self.unit.code.end_handler(outer);
        self.leave_handler(cleanup, base);
        self.set_depth(base.index());
        self.bind(exit);
        Ok(())
    }

    /// At the start of a handler: opens its cleanup range and pushes the exception (registers base and base+1).
    fn enter_handler(&mut self, base: Opnd) -> Label {
        let cleanup = self.new_label();
        self.set_depth(base.index() + 2);
        self.unit.code.begin_handler(cleanup, base.index() + 1, true);
        self.emit(Position::NONE, Opcode::PUSH_EXC_INFO, 0, base, Opnd::NO, Opnd::NO);
        cleanup
    }

    /// The cleanup code of a handler: restores the previous exception, raises again. Registers: base previous exception,
    /// base+1 lasti, base+2 exception.
    fn leave_handler(&mut self, cleanup: Label, base: Opnd) {
        self.bind(cleanup);
        self.set_depth(base.index() + 3);
        self.emit(Position::NONE, Opcode::POP_EXCEPT, 0, base, Opnd::NO, Opnd::NO);
        let (lasti, exc) = (Opnd::temp(base.index() + 1), Opnd::temp(base.index() + 2));
        self.emit(Position::NONE, Opcode::RERAISE, 0, exc, lasti, Opnd::NO);
    }

    fn try_except(&mut self, pos: Position, node: &'a Try) -> Result<()> {
        self.emit(pos, Opcode::NOP, 0, Opnd::NO, Opnd::NO, Opnd::NO);
        let base = Opnd::temp(self.depth());
        let (handler, end) = (self.new_label(), self.new_label());
        let outer = self.unit.code.begin_handler(handler, base.index(), false);
        self.push_block(pos, FBlock::TryExcept { outer })?;
        self.stmts(&node.body)?;
        self.unit.fblocks.pop();
        self.unit.code.end_handler(outer);
        self.stmts(&node.orelse)?;
        self.emit_jump(Position::NONE, end);

        self.bind(handler);
        let cleanup = self.enter_handler(base);
        let exc = Opnd::temp(base.index() + 1);
        for (index, clause) in node.handlers.iter().enumerate() {
            if clause.typ.is_none() && index + 1 < node.handlers.len() {
                return self.error("default 'except:' must be last", clause.pos);
            }
            let next = self.new_label();
            if let Some(typ) = &clause.typ {
                self.set_depth(base.index() + 2);
                let class = self.operand(typ, &[])?;
                self.set_depth(base.index() + 2);
                let matches = self.unit.code.alloc();
                self.emit(typ.pos, Opcode::CHECK_EXC_MATCH, 0, matches, exc, class);
                self.unit.code.emit_jump(
                    typ.pos,
                    Opcode::POP_JUMP_IF_FALSE,
                    0,
                    matches.take(),
                    Opnd::NO,
                    next,
                );
            }
            self.set_depth(base.index() + 2);
            match &clause.name {
                Some(name) => self.name_store(clause.pos, name, exc.take())?,
                None => {
                    self.emit(clause.pos, Opcode::CLEAR, 0, exc, Opnd::NO, Opnd::NO);
                }
            }
            self.set_depth(base.index() + 1);
            self.except_body(clause, base, outer, end)?;
            self.bind(next);
        }
        self.emit(Position::NONE, Opcode::RERAISE, 0, exc, Opnd::ABSENT, Opnd::NO);
        self.unit.code.end_handler(outer);
        self.leave_handler(cleanup, base);
        self.set_depth(base.index());
        self.bind(end);
        Ok(())
    }

    /// The body of an `except` clause, after its name was bound; ends by jumping to `end`.
    fn except_body(
        &mut self,
        clause: &'a ExceptHandler,
        base: Opnd,
        outer: Option<u32>,
        end: Label,
    ) -> Result<()> {
        let in_handler = self.unit.code.handler;
        let name = clause.name.as_ref();
        let cleanup_end = name.map(|_| self.new_label());
        if let Some(label) = cleanup_end {
            self.unit.code.begin_handler(label, base.index() + 1, true);
        }
        self.push_block(clause.pos, FBlock::HandlerCleanup { outer, base, name })?;
        self.stmts(&clause.body)?;
        self.unit.fblocks.pop();
        self.unit.code.handler = outer;
        self.emit(Position::NONE, Opcode::POP_EXCEPT, 0, base, Opnd::NO, Opnd::NO);
        if let Some(name) = name {
            self.unbind(name)?;
        }
        self.emit_jump(Position::NONE, end);
        self.unit.code.handler = in_handler;
        if let (Some(label), Some(name)) = (cleanup_end, name) {
            self.bind(label);
            self.set_depth(base.index() + 3);
            self.unbind(name)?;
            let (lasti, exc) = (Opnd::temp(base.index() + 1), Opnd::temp(base.index() + 2));
            self.emit(Position::NONE, Opcode::RERAISE, 0, exc, lasti, Opnd::NO);
            self.set_depth(base.index() + 1);
        }
        Ok(())
    }

    /// `name = None; del name`, at the end of an `except ... as name`.
    fn unbind(&mut self, name: &Ident) -> Result<()> {
        let depth = self.depth();
        let none = self.constant(Position::NONE, Constant::None, Dest::Any);
        self.name_store(Position::NONE, name, none.take())?;
        self.set_depth(depth);
        self.name_delete(Position::NONE, name)
    }

    /// `except*`. Registers of the handler: base previous exception, base+1 the rest of the exception that is still to be
    /// matched, base+2 the original exception, base+3 list of exceptions raised or left over, base+4 the match.
    fn try_star(&mut self, pos: Position, node: &'a Try) -> Result<()> {
        self.emit(pos, Opcode::NOP, 0, Opnd::NO, Opnd::NO, Opnd::NO);
        let base = Opnd::temp(self.depth());
        let at = |offset: u32| Opnd::temp(base.index() + offset);
        let (rest, original, results, matched) = (at(1), at(2), at(3), at(4));
        let (handler, end, reraise_star) = (self.new_label(), self.new_label(), self.new_label());
        let outer = self.unit.code.begin_handler(handler, base.index(), false);
        self.push_block(pos, FBlock::TryExcept { outer })?;
        self.stmts(&node.body)?;
        self.unit.fblocks.pop();
        self.unit.code.end_handler(outer);
        self.stmts(&node.orelse)?;
        self.emit_jump(Position::NONE, end);

        self.bind(handler);
        let cleanup = self.enter_handler(base);
        let in_handler = self.unit.code.handler;
        self.push_block(pos, FBlock::StarHandler)?;
        self.set_depth(base.index() + 4);
        self.emit(Position::NONE, Opcode::COPY, 0, original, rest, Opnd::NO);
        self.emit(Position::NONE, Opcode::BUILD_LIST, 0, results, results, Opnd::NO);
        for clause in &node.handlers {
            let (next, no_match, failed) = (self.new_label(), self.new_label(), self.new_label());
            if let Some(typ) = &clause.typ {
                self.set_depth(base.index() + 4);
                let class = self.operand(typ, &[])?;
                self.emit(clause.pos, Opcode::CHECK_EG_MATCH, 0, rest, matched, class);
                self.unit
                    .code
                    .emit_jump(typ.pos, Opcode::POP_JUMP_IF_NONE, 0, matched, Opnd::NO, no_match);
            }
            match &clause.name {
                Some(name) => self.name_store(clause.pos, name, matched.take())?,
                None => {
                    self.emit(clause.pos, Opcode::CLEAR, 0, matched, Opnd::NO, Opnd::NO);
                }
            }
            self.set_depth(base.index() + 4);
            self.unit.code.begin_handler(failed, base.index() + 4, true);
            let name = clause.name.as_ref();
            self.push_block(clause.pos, FBlock::HandlerCleanup { outer, base, name })?;
            self.stmts(&clause.body)?;
            self.unit.fblocks.pop();
            self.unit.code.handler = in_handler;
            if let Some(name) = name {
                self.unbind(name)?;
            }
            self.emit_jump(Position::NONE, next);
            // The clause raised: keep the exception (above its lasti) for the end, go on with the rest.
            self.bind(failed);
            self.set_depth(base.index() + 6);
            if let Some(name) = name {
                self.unbind(name)?;
            }
            self.emit(
                Position::NONE,
                Opcode::LIST_APPEND,
                0,
                results,
                at(5).take(),
                Opnd::NO,
            );
            self.emit(Position::NONE, Opcode::CLEAR, 0, at(4), Opnd::NO, Opnd::NO);
            self.emit_jump(Position::NONE, next);
            self.bind(no_match);
            self.emit(clause.pos, Opcode::CLEAR, 0, matched, Opnd::NO, Opnd::NO);
            self.bind(next);
            self.set_depth(base.index() + 4);
        }
        self.unit.fblocks.pop();
        // What nobody matched, too, is raised at the end (or None, which PREP_RERAISE_STAR ignores).
        self.emit(
            Position::NONE,
            Opcode::LIST_APPEND,
            0,
            results,
            rest.take(),
            Opnd::NO,
        );
        let prepare = Intrinsic2::PrepReraiseStar as u8;
        self.emit(
            Position::NONE,
            Opcode::CALL_INTRINSIC_2,
            prepare,
            rest,
            original.take(),
            results.take(),
        );
        self.unit.code.emit_jump(
            Position::NONE,
            Opcode::POP_JUMP_IF_NOT_NONE,
            0,
            rest,
            Opnd::NO,
            reraise_star,
        );
        self.emit(Position::NONE, Opcode::CLEAR, 0, rest, Opnd::NO, Opnd::NO);
        self.unit.code.end_handler(outer);
        self.emit(Position::NONE, Opcode::POP_EXCEPT, 0, base, Opnd::NO, Opnd::NO);
        self.emit_jump(Position::NONE, end);
        self.bind(reraise_star);
        self.unit.code.handler = in_handler;
        self.unit.code.end_handler(outer);
        self.emit(Position::NONE, Opcode::POP_EXCEPT, 0, base, Opnd::NO, Opnd::NO);
        self.emit(Position::NONE, Opcode::RERAISE, 0, rest, Opnd::ABSENT, Opnd::NO);
        self.leave_handler(cleanup, base);
        self.set_depth(base.index());
        self.bind(end);
        Ok(())
    }

    // ---- with ----

    /// Registers of a `with`: base exit method, base+1 its self; in the handler base+2 lasti, base+3 previous exception,
    /// base+4 exception.
    pub(super) fn with_stmt(&mut self, pos: Position, node: &'a With, index: usize) -> Result<()> {
        if node.is_async {
            self.require_async("async with", pos)?;
        }
        let item = &node.items[index];
        let place = item.context_expr.pos;
        let base = Opnd::temp(self.depth());
        let at = |offset: u32| Opnd::temp(base.index() + offset);
        self.set_depth(base.index() + 2);
        let manager = self.operand(&item.context_expr, &[])?;
        let (enter, exit) = if node.is_async {
            (SpecialMethod::Aenter, SpecialMethod::Aexit)
        } else {
            (SpecialMethod::Enter, SpecialMethod::Exit)
        };
        self.set_depth(base.index() + 4);
        self.emit(
            place,
            Opcode::LOAD_SPECIAL,
            exit as u8,
            base,
            manager.borrow(),
            Opnd::NO,
        );
        self.emit(place, Opcode::LOAD_SPECIAL, enter as u8, at(2), manager, Opnd::NO);
        self.emit(place, Opcode::CALL, 0, at(2), at(2), Opnd::raw(0));
        self.set_depth(base.index() + 3);
        if node.is_async {
            self.emit(place, Opcode::GET_AWAITABLE, 1, at(2), at(2).take(), Opnd::NO);
            self.send_loop(place, at(2), 3, Dest::Temp)?;
        }
        let (handler, after) = (self.new_label(), self.new_label());
        let outer = self.unit.code.begin_handler(handler, base.index() + 2, true);
        self.push_block(
            place,
            FBlock::With {
                outer,
                base,
                is_async: node.is_async,
                pos: place,
            },
        )?;
        match &item.optional_vars {
            Some(target) => self.store(target, at(2).take())?,
            None => {
                self.emit(place, Opcode::CLEAR, 0, at(2), Opnd::NO, Opnd::NO);
            }
        }
        self.set_depth(base.index() + 2);
        if index + 1 < node.items.len() {
            self.with_stmt(pos, node, index + 1)?;
        } else {
            self.stmts(&node.body)?;
        }
        self.unit.fblocks.pop();
        self.unit.code.end_handler(outer);
        self.call_exit(place, base, node.is_async)?;
        self.set_depth(base.index());
        self.emit_jump(Position::NONE, after);

        self.bind(handler);
        let cleanup = self.new_label();
        let suppress = self.new_label();
        self.set_depth(base.index() + 5);
        self.unit.code.begin_handler(cleanup, base.index() + 4, true);
        self.emit(place, Opcode::PUSH_EXC_INFO, 0, at(3), Opnd::NO, Opnd::NO);
        let result = self.unit.code.alloc();
        self.emit(place, Opcode::WITH_EXCEPT_START, 0, result, base, at(4));
        if node.is_async {
            self.emit(place, Opcode::GET_AWAITABLE, 2, result, result.take(), Opnd::NO);
            self.send_loop(place, result, 3, Dest::Temp)?;
        }
        self.unit.code.emit_jump(
            place,
            Opcode::POP_JUMP_IF_TRUE,
            0,
            result.take(),
            Opnd::NO,
            suppress,
        );
        self.emit(place, Opcode::RERAISE, 0, at(4), at(2), Opnd::NO);
        self.bind(suppress);
        self.emit(place, Opcode::CLEAR, 0, at(4), Opnd::NO, Opnd::NO);
        self.unit.code.end_handler(outer);
        self.emit(place, Opcode::POP_EXCEPT, 0, at(3), Opnd::NO, Opnd::NO);
        for offset in (0..3).rev() {
            self.emit(place, Opcode::CLEAR, 0, at(offset), Opnd::NO, Opnd::NO);
        }
        self.emit_jump(Position::NONE, after);
        // __exit__ itself raised.
        self.leave_handler(cleanup, at(3));
        self.set_depth(base.index());
        self.bind(after);
        Ok(())
    }

    /// Calls the exit method in `base` with three Nones; consumes it.
    fn call_exit(&mut self, pos: Position, base: Opnd, is_async: bool) -> Result<()> {
        let depth = self.depth();
        let mut call = base;
        if depth > base.index() + 2 {
            // Something lies above (a value being returned): make room on top.
            call = Opnd::temp(depth);
            let (self_from, self_to) = (Opnd::temp(base.index() + 1), Opnd::temp(depth + 1));
            self.set_depth(depth + 2);
            self.emit(pos, Opcode::MOVE, 0, call, base, Opnd::NO);
            self.emit(pos, Opcode::MOVE, 0, self_to, self_from, Opnd::NO);
        }
        for _ in 0..3 {
            self.constant(pos, Constant::None, Dest::Temp);
        }
        if is_async {
            self.emit(pos, Opcode::CALL, 0, call, call, Opnd::raw(3));
            self.set_depth(call.index() + 1);
            self.emit(pos, Opcode::GET_AWAITABLE, 2, call, call.take(), Opnd::NO);
            self.send_loop(pos, call, 3, Dest::Discard)?;
        } else {
            self.emit(pos, Opcode::CALL, 0, Opnd::ABSENT, call, Opnd::raw(3));
        }
        self.set_depth(depth);
        Ok(())
    }

    // ---- entering and leaving blocks ----

    /// Enters a construct; there is a limit to how deeply they nest, as in CPython.
    pub(super) fn push_block(&mut self, pos: Position, block: FBlock<'a>) -> Result<()> {
        const MAX_BLOCKS: usize = 21;
        let weight = |block: &FBlock| match block {
            // The handler and its cleanup.
            FBlock::HandlerCleanup { .. } | FBlock::FinallyEnd { .. } => 2,
            _ => 1,
        };
        let generator = self.unit.stop_iteration.is_some() as usize;
        let nesting = generator + self.unit.fblocks.iter().map(weight).sum::<usize>();
        if nesting + self.unit.comps.len() >= MAX_BLOCKS {
            return self.error("too many statically nested blocks", pos);
        }
        self.unit.fblocks.push(block);
        Ok(())
    }

    /// Whether a `return` from here runs code on its way out, so that its value must be kept.
    pub(super) fn unwinding_runs_code(&self) -> bool {
        self.unit.fblocks.iter().any(|block| {
            matches!(
                block,
                FBlock::FinallyTry { .. }
                    | FBlock::With { .. }
                    | FBlock::HandlerCleanup { name: Some(_), .. }
            )
        })
    }

    /// Leaves all blocks, for a `return` of `value`.
    pub(super) fn unwind_all(&mut self, mut pos: Position, value: Opnd) -> Result<Position> {
        let drops_iterators = self.unwinding_runs_code();
        let saved = self.unit.fblocks.clone();
        while let Some(block) = self.unit.fblocks.pop() {
            if !drops_iterators && matches!(block, FBlock::For { .. } | FBlock::AsyncFor { .. }) {
                continue; // they go with the frame
            }
            pos = self.unwind(pos, block, value.is_temp().then_some(value))?;
        }
        self.unit.fblocks = saved;
        Ok(pos)
    }

    /// Leaves the blocks up to the innermost loop, which is returned with the position of what follows.
    pub(super) fn unwind_to_loop(&mut self, mut pos: Position) -> Result<(Position, Option<FBlock<'a>>)> {
        let saved = self.unit.fblocks.clone();
        let mut found = None;
        while let Some(block) = self.unit.fblocks.pop() {
            if matches!(
                block,
                FBlock::For { .. } | FBlock::AsyncFor { .. } | FBlock::While { .. }
            ) {
                found = Some(block);
                break;
            }
            pos = self.unwind(pos, block, None)?;
        }
        self.unit.fblocks = saved;
        Ok((pos, found))
    }

    /// Leaves one block; the position of what follows: after other code has run, none of its own.
    fn unwind(&mut self, pos: Position, block: FBlock<'a>, kept: Option<Opnd>) -> Result<Position> {
        match block {
            FBlock::While { .. } => {}
            FBlock::For { iter, .. } | FBlock::AsyncFor { iter, .. } => {
                self.emit(pos, Opcode::CLEAR, 0, iter, Opnd::NO, Opnd::NO);
            }
            FBlock::TryExcept { outer } => self.unit.code.handler = outer,
            FBlock::FinallyTry { outer, body } => {
                self.unit.code.handler = outer;
                if let Some(temp) = kept {
                    self.unit.fblocks.push(FBlock::Value { temp });
                }
                self.stmts(body)?;
                if kept.is_some() {
                    self.unit.fblocks.pop();
                }
                return Ok(Position::NONE);
            }
            FBlock::FinallyEnd { outer, base } => {
                self.unit.code.handler = outer;
                let exc = Opnd::temp(base.index() + 1);
                self.emit(pos, Opcode::CLEAR, 0, exc, Opnd::NO, Opnd::NO);
                self.emit(pos, Opcode::POP_EXCEPT, 0, base, Opnd::NO, Opnd::NO);
            }
            FBlock::StarHandler => {
                let message = "'break', 'continue' and 'return' cannot appear in an except* block";
                return self.error(message, pos);
            }
            FBlock::With {
                outer,
                base,
                is_async,
                pos,
            } => {
                self.unit.code.handler = outer;
                self.call_exit(pos, base, is_async)?;
                return Ok(Position::NONE);
            }
            FBlock::HandlerCleanup { outer, base, name } => {
                self.unit.code.handler = outer;
                self.emit(pos, Opcode::POP_EXCEPT, 0, base, Opnd::NO, Opnd::NO);
                if let Some(name) = name {
                    self.unbind(name)?;
                }
            }
            FBlock::Value { temp } => {
                self.emit(pos, Opcode::CLEAR, 0, temp.borrow(), Opnd::NO, Opnd::NO);
            }
        }
        Ok(pos)
    }
}
