//! Comprehensions: generator expressions as functions, the others inlined into their scope where CPython inlines them
//! (PEP 709).

use super::*;
use crate::symtable::{ComprehensionKind, Scope, flags};

/// What a comprehension produces for each item.
#[derive(Clone, Copy)]
struct Body<'a> {
    kind: ComprehensionKind,
    elt: &'a Expr,
    value: Option<&'a Expr>,
    /// The list, set or dict that is being built.
    result: Opnd,
    pos: Position,
}

/// A local that an inlined comprehension shadows: its register and where its value is kept meanwhile.
struct Saved {
    reg: Opnd,
    temp: Opnd,
}

impl<'a> Compiler<'a> {
    pub(super) fn comprehension(&mut self, e: &'a Expr, dest: Dest) -> Result<Opnd> {
        let (kind, name, elt, value, generators) = match &e.kind {
            ExprKind::ListComp { elt, generators } => {
                (ComprehensionKind::List, "<listcomp>", elt, None, generators)
            }
            ExprKind::SetComp { elt, generators } => {
                (ComprehensionKind::Set, "<setcomp>", elt, None, generators)
            }
            ExprKind::DictComp {
                key,
                value,
                generators,
            } => (
                ComprehensionKind::Dict,
                "<dictcomp>",
                key,
                Some(&**value),
                generators,
            ),
            ExprKind::GeneratorExp { elt, generators } => {
                (ComprehensionKind::Generator, "<genexpr>", elt, None, generators)
            }
            _ => return self.error("not a comprehension", e.pos),
        };
        let block = self.lookup(e, KeyKind::Body)?;
        let is_async = self.table.blocks[block].coroutine;
        let is_generator = kind == ComprehensionKind::Generator;
        let may_await = match self.unit.kind {
            UnitKind::AsyncFunction | UnitKind::Comprehension => true,
            UnitKind::Module => self.options.top_level_await,
            _ => false,
        };
        if is_async && !is_generator && !may_await {
            return self.error(
                "asynchronous comprehension outside of an asynchronous function",
                e.pos,
            );
        }
        let body = Body {
            kind,
            elt,
            value,
            result: Opnd::NO,
            pos: e.pos,
        };
        if self.table.blocks[block].comp_inlined {
            return self.inlined(e, block, body, generators, dest);
        }
        // A function of its own, called with the outermost iterator.
        let depth = self.depth();
        let base = self.unit.code.alloc();
        self.set_depth(depth);
        self.comprehension_function(e, block, name, body, generators)?;
        debug_assert_eq!(self.depth(), depth + 1);
        self.set_depth(depth + 2);
        let outermost = &generators[0];
        let iter = self.operand(&outermost.iter, &[])?;
        self.set_depth(depth + 2);
        let temp = self.unit.code.alloc();
        let op = if outermost.is_async {
            Opcode::GET_AITER
        } else {
            Opcode::GET_ITER
        };
        self.emit(outermost.iter.pos, op, 0, temp, iter, Opnd::NO);
        self.set_depth(depth);
        if is_async && !is_generator {
            self.set_depth(depth + 1);
            self.emit(e.pos, Opcode::CALL, 0, base, base, Opnd::raw(1));
            self.emit(e.pos, Opcode::GET_AWAITABLE, 0, base, base.take(), Opnd::NO);
            return self.send_loop(e.pos, base, 3, dest);
        }
        let dst = self.dst(dest);
        self.emit(e.pos, Opcode::CALL, 0, dst, base, Opnd::raw(1));
        Ok(dst.take())
    }

    fn comprehension_function(
        &mut self,
        e: &'a Expr,
        block: BlockId,
        name: &'static str,
        mut body: Body<'a>,
        generators: &'a [Comprehension],
    ) -> Result<()> {
        let private = self.unit.private.clone();
        let name = Ident::new_static(name);
        self.enter(UnitKind::Comprehension, block, name, private, e.pos.line)?;
        self.unit.argcount = 1;
        self.prologue(e.pos)?;
        if body.kind != ComprehensionKind::Generator {
            body.result = self.unit.code.alloc();
            self.build_empty(body);
        }
        let iter = self.unit.code.alloc();
        let argument = self.unit.code.local(&Ident::new_static(".0"));
        self.emit(e.pos, Opcode::COPY, 0, iter, argument, Opnd::NO);
        self.generator(generators, 0, iter, body)?;
        if body.kind == ComprehensionKind::Generator {
            let outermost = &generators[0];
            // The end of the loop is at the place of its iterator.
            let pos = if outermost.is_async {
                Position::NONE
            } else {
                outermost.iter.pos
            };
            self.return_none(pos);
        } else {
            self.emit(
                e.pos,
                Opcode::RETURN_VALUE,
                0,
                body.result.take(),
                Opnd::NO,
                Opnd::NO,
            );
        }
        let code = self.leave()?;
        self.make_closure(e.pos, code, block)?;
        Ok(())
    }

    fn build_empty(&mut self, body: Body<'a>) {
        let op = match body.kind {
            ComprehensionKind::Set => Opcode::BUILD_SET,
            ComprehensionKind::Dict => Opcode::BUILD_MAP,
            _ => Opcode::BUILD_LIST,
        };
        self.emit(body.pos, op, 0, body.result, body.result, Opnd::NO);
    }

    fn inlined(
        &mut self,
        e: &'a Expr,
        block: BlockId,
        mut body: Body<'a>,
        generators: &'a [Comprehension],
        dest: Dest,
    ) -> Result<Opnd> {
        let pos = e.pos;
        let outermost = &generators[0];
        let result = self.unit.code.alloc();
        let iter = self.unit.code.alloc();
        let value = self.operand(&outermost.iter, &[])?;
        let op = if outermost.is_async {
            Opcode::GET_AITER
        } else {
            Opcode::GET_ITER
        };
        self.set_depth(iter.index() + 1);
        self.emit(outermost.iter.pos, op, 0, iter, value, Opnd::NO);

        let (context, saved) = self.shadow_names(pos, block);
        self.unit.comps.push(context);
        if self.unit.comps.len() > 21 {
            return self.error("too many statically nested blocks", pos);
        }
        let cleanup = self.new_label();
        let saved_depth = self.depth();
        let outer = self.unit.code.begin_handler(cleanup, saved_depth, false);
        body.result = result;
        self.build_empty(body);
        self.generator(generators, 0, iter, body)?;
        self.unit.code.end_handler(outer);
        self.unit.comps.pop();
        self.restore_names(pos, &saved);
        let end = self.new_label();
        self.emit_jump(Position::NONE, end);
        self.bind(cleanup);
        let exc = Opnd::temp(saved_depth);
        self.restore_names(pos, &saved);
        self.emit(pos, Opcode::RERAISE, 0, exc, Opnd::ABSENT, Opnd::NO);
        self.bind(end);
        Ok(self.finish(pos, result, dest))
    }

    /// Sets the names that a comprehension binds aside and gives it slots of its own.
    fn shadow_names(&mut self, pos: Position, block: BlockId) -> (CompContext, Vec<Saved>) {
        let outer_is_function = self.block().is_function_like();
        let symbols: Vec<(Ident, u32)> = self.table.blocks[block]
            .symbols
            .iter()
            .map(|(name, flags)| (name.clone(), *flags))
            .collect();
        let mut context = CompContext {
            block,
            slots: FxHashMap::default(),
        };
        let mut saved = Vec::new();
        for (name, symbol) in symbols {
            let bound_here =
                symbol & flags::DEF_LOCAL != 0 && symbol & (flags::DEF_NONLOCAL | flags::DEF_GLOBAL) == 0;
            if !bound_here || symbol & flags::DEF_PARAM != 0 {
                continue;
            }
            let outer_scope = self.block().scope(&name);
            let slot = match Scope::of(symbol) {
                Scope::Cell => {
                    let cell = match self.unit.code.cell_index.get(&name) {
                        Some(index) if outer_is_function => Opnd::new(Space::Cell, *index),
                        _ => self.unit.code.hidden_cell(&name),
                    };
                    Slot::Deref(cell)
                }
                Scope::Local if outer_is_function && outer_scope == Scope::Local => {
                    Slot::Fast(self.unit.code.local(&name))
                }
                Scope::Local => Slot::Fast(self.unit.code.hidden_local(&name)),
                _ => continue,
            };
            let reg = match slot {
                Slot::Fast(reg) | Slot::Deref(reg) => reg,
            };
            let temp = self.unit.code.alloc();
            self.emit(pos, Opcode::MOVE, 0, temp, reg, Opnd::NO);
            if let Slot::Deref(cell) = slot {
                self.emit(pos, Opcode::MAKE_CELL, 0, cell, Opnd::NO, Opnd::NO);
            }
            saved.push(Saved { reg, temp });
            context.slots.insert(name, slot);
        }
        (context, saved)
    }

    fn restore_names(&mut self, pos: Position, saved: &[Saved]) {
        for entry in saved.iter().rev() {
            // What comes back may be empty.
            self.emit(pos, Opcode::MOVE, 0, entry.reg, entry.temp, Opnd::NO)
                .ext_count = 1;
        }
    }

    /// One `for` of a comprehension and all inside it. The iterator lies in the temporary `iter`.
    fn generator(
        &mut self,
        generators: &'a [Comprehension],
        index: usize,
        iter: Opnd,
        body: Body<'a>,
    ) -> Result<()> {
        stacker::maybe_grow(96 * 1024, 2 * 1024 * 1024, || {
            self.generator_inner(generators, index, iter, body)
        })
    }

    fn generator_inner(
        &mut self,
        generators: &'a [Comprehension],
        index: usize,
        iter: Opnd,
        body: Body<'a>,
    ) -> Result<()> {
        let generator = &generators[index];
        let element = match body.value {
            Some(value) => Position {
                end_line: value.pos.end_line,
                end_col: value.pos.end_col,
                ..body.elt.pos
            },
            None => body.elt.pos,
        };
        let (start, skip, anchor) = (self.new_label(), self.new_label(), self.new_label());
        let base_depth = self.depth();
        self.bind(start);
        if generator.is_async {
            let handler = self.new_label();
            let outer = self.unit.code.begin_handler(handler, base_depth, false);
            let next = self.unit.code.alloc();
            self.emit(body.pos, Opcode::GET_ANEXT, 0, next, iter.borrow(), Opnd::NO);
            let value = self.send_loop(body.pos, next, 3, Dest::Temp)?;
            self.unit.code.end_handler(outer);
            self.store(&generator.target, value)?;
            self.set_depth(base_depth);
            self.comprehension_rest(generators, index, skip, body)?;
            self.bind(skip);
            self.emit_jump(element, start);
            self.bind(handler);
            let exc = Opnd::temp(base_depth);
            self.emit(body.pos, Opcode::END_ASYNC_FOR, 0, iter.borrow(), exc, Opnd::NO);
            return Ok(());
        }
        let depth = self.depth();
        let (dst, value) = self.loop_target(&generator.target);
        self.unit.code.emit_jump(
            generator.iter.pos,
            Opcode::FOR_ITER,
            0,
            dst,
            iter.borrow(),
            anchor,
        );
        if let Some(value) = value {
            self.store(&generator.target, value)?;
        }
        self.set_depth(depth);
        self.comprehension_rest(generators, index, skip, body)?;
        self.bind(skip);
        self.emit_jump(element, start);
        self.bind(anchor);
        self.emit(
            generator.iter.pos,
            Opcode::END_FOR,
            0,
            iter.borrow(),
            Opnd::NO,
            Opnd::NO,
        );
        Ok(())
    }

    /// The register a loop writes items to: the target itself if it is a local, else a temporary that is then stored.
    pub(super) fn loop_target(&mut self, target: &'a Expr) -> (Opnd, Option<Opnd>) {
        if let ExprKind::Name { id, .. } = &target.kind
            && let Some(local) = self.fast_local(id)
        {
            return (local, None);
        }
        let temp = self.unit.code.alloc();
        (temp, Some(temp.take()))
    }

    /// Conditions, inner loops and the element.
    fn comprehension_rest(
        &mut self,
        generators: &'a [Comprehension],
        index: usize,
        skip: Label,
        body: Body<'a>,
    ) -> Result<()> {
        for condition in &generators[index].ifs {
            self.jump_if(condition.pos, condition, skip, false)?;
        }
        let depth = self.depth();
        let Some(next) = generators.get(index + 1) else {
            return self.element(body);
        };
        // `for x in [value]` is an assignment.
        if let (false, ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. }) =
            (next.is_async, &next.iter.kind)
            && let [only] = &elts[..]
            && !matches!(only.kind, ExprKind::Starred { .. })
        {
            self.assign_to(&next.target, only)?;
            let inner_skip = self.new_label();
            self.comprehension_rest(generators, index + 1, inner_skip, body)?;
            self.bind(inner_skip);
            return Ok(());
        }
        let value = self.operand(&next.iter, &[])?;
        self.set_depth(depth);
        let iter = self.unit.code.alloc();
        let op = if next.is_async {
            Opcode::GET_AITER
        } else {
            Opcode::GET_ITER
        };
        self.emit(next.iter.pos, op, 0, iter, value, Opnd::NO);
        self.generator(generators, index + 1, iter, body)?;
        self.set_depth(depth);
        Ok(())
    }

    fn element(&mut self, body: Body<'a>) -> Result<()> {
        let depth = self.depth();
        let pos = body.elt.pos;
        match (body.kind, body.value) {
            (ComprehensionKind::Generator, _) => {
                let value = self.operand(body.elt, &[])?;
                self.emit_yield(pos, Opnd::ABSENT, value);
            }
            (ComprehensionKind::Dict, Some(value)) => {
                let k = self.operand(body.elt, &[value])?;
                let v = self.operand(value, &[])?;
                let pos = Position {
                    end_line: value.pos.end_line,
                    end_col: value.pos.end_col,
                    ..pos
                };
                self.emit(pos, Opcode::MAP_ADD, 0, body.result, k, v);
            }
            (kind, _) => {
                let value = self.operand(body.elt, &[])?;
                let op = if kind == ComprehensionKind::Set {
                    Opcode::SET_ADD
                } else {
                    Opcode::LIST_APPEND
                };
                self.emit(pos, op, 0, body.result, value, Opnd::NO);
            }
        }
        self.set_depth(depth);
        Ok(())
    }
}
