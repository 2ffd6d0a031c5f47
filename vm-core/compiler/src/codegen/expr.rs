//! Expressions, except calls, comprehensions and functions.

use super::*;
use crate::bytecode::{BinaryOp, CmpOp as ByteCmp};
use crate::fold_ops;

/// Displays and calls with more items than this are built up piece by piece.
pub(super) const MANY_ITEMS: usize = 30;

/// Whether the value of an expression statement goes to a register all the same: only calls and their like drop it, so that
/// no other handler has to look whether it is wanted.
fn needs_register(kind: &ExprKind) -> bool {
    !matches!(
        kind,
        ExprKind::Constant { .. }
            | ExprKind::Name { .. }
            | ExprKind::NamedExpr { .. }
            | ExprKind::BoolOp { .. }
            | ExprKind::IfExp { .. }
            | ExprKind::Call { .. }
            | ExprKind::Await { .. }
            | ExprKind::Yield { .. }
            | ExprKind::YieldFrom { .. }
            | ExprKind::Starred { .. }
    )
}

impl<'a> Compiler<'a> {
    pub(super) fn expr(&mut self, e: &'a Expr, dest: Dest) -> Result<Opnd> {
        stacker::maybe_grow(96 * 1024, 2 * 1024 * 1024, || self.expr_inner(e, dest))
    }

    /// The register for a result, after its operands were released.
    pub(super) fn dst(&mut self, dest: Dest) -> Opnd {
        match self.resolve(dest) {
            Dest::Local(reg) => reg,
            Dest::Discard => Opnd::ABSENT,
            _ => self.unit.code.alloc(),
        }
    }

    /// An operand that stays valid while `later` siblings are evaluated: a local is copied if they might rebind it.
    pub(super) fn operand(&mut self, e: &'a Expr, later: &[&'a Expr]) -> Result<Opnd> {
        let name = match &e.kind {
            ExprKind::Name { id, .. } => Some(id),
            ExprKind::NamedExpr { target, .. } => match &target.kind {
                ExprKind::Name { id, .. } => Some(id),
                _ => None,
            },
            _ => None,
        };
        let is_simple = |e: &&Expr| matches!(e.kind, ExprKind::Name { .. } | ExprKind::Constant { .. });
        if let Some(id) = name
            && !self.block().walrus.is_empty()
            && self.block().walrus.contains(&self.mangle(id))
            && !later.iter().all(is_simple)
        {
            return self.expr(e, Dest::Temp);
        }
        Ok(self.expr(e, Dest::Any)?.take())
    }

    /// A value in a new temporary on top of the stack.
    pub(super) fn push(&mut self, e: &'a Expr) -> Result<Opnd> {
        self.expr(e, Dest::Temp)
    }

    /// A constant as an operand.
    pub(super) fn constant(&mut self, pos: Position, value: Constant, dest: Dest) -> Opnd {
        if dest == Dest::Discard {
            self.emit(pos, Opcode::NOP, 0, Opnd::NO, Opnd::NO, Opnd::NO);
            return Opnd::ABSENT;
        }
        let index = self.unit.code.constant(value);
        if dest == Dest::Any && index < 0x3FFF {
            return Opnd::new(Space::Const, index);
        }
        let dst = self.dst(dest);
        self.emit(pos, Opcode::LOAD_CONST, 0, dst, Opnd::raw(index), Opnd::NO);
        dst.take()
    }

    /// Moves the value of the temporary on top of the stack to where it shall go.
    pub(super) fn finish(&mut self, pos: Position, temp: Opnd, dest: Dest) -> Opnd {
        let temp = temp.borrow();
        match self.resolve(dest) {
            Dest::Local(reg) => {
                self.emit(pos, Opcode::MOVE, 0, reg, temp, Opnd::NO);
                self.set_depth(temp.index());
                reg
            }
            Dest::Discard => {
                self.emit(pos, Opcode::CLEAR, 0, temp, Opnd::NO, Opnd::NO);
                self.set_depth(temp.index());
                Opnd::ABSENT
            }
            _ => {
                self.set_depth(temp.index() + 1);
                temp.take()
            }
        }
    }

    fn expr_inner(&mut self, e: &'a Expr, dest: Dest) -> Result<Opnd> {
        let pos = e.pos;
        if dest == Dest::Discard && needs_register(&e.kind) {
            let temp = self.push(e)?;
            return Ok(self.finish(pos, temp, dest));
        }
        match &e.kind {
            ExprKind::Constant { value, .. } => Ok(self.constant(pos, value.clone(), dest)),
            ExprKind::Name { id, .. } => self.name_load(pos, id, dest),
            ExprKind::BinOp { left, op, right } => {
                let depth = self.depth();
                let l = self.operand(left, &[right])?;
                let r = self.operand(right, &[])?;
                self.set_depth(depth);
                let dst = self.dst(dest);
                self.emit(pos, Opcode::BINARY_OP, binary_op(*op, false) as u8, dst, l, r);
                Ok(dst.take())
            }
            ExprKind::UnaryOp { op, operand } => {
                let depth = self.depth();
                let value = self.operand(operand, &[])?;
                self.set_depth(depth);
                let dst = self.dst(dest);
                let op = match op {
                    UnaryOp::Invert => Opcode::UNARY_INVERT,
                    UnaryOp::Not => Opcode::UNARY_NOT,
                    UnaryOp::UAdd => Opcode::UNARY_POSITIVE,
                    UnaryOp::USub => Opcode::UNARY_NEGATIVE,
                };
                self.emit(pos, op, 0, dst, value, Opnd::NO);
                Ok(dst.take())
            }
            ExprKind::BoolOp { op, values } => self.bool_op(pos, *op, values, dest),
            ExprKind::IfExp { test, body, orelse } => self.if_exp(pos, test, body, orelse, dest),
            ExprKind::NamedExpr { target, value } => self.named_expr(pos, target, value, dest),
            ExprKind::Compare {
                left,
                ops,
                comparators,
            } => self.compare(pos, left, ops, comparators, dest),
            ExprKind::Attribute { value, attr, .. } => self.attribute(e, value, attr, dest),
            ExprKind::Subscript { value, slice, .. } => self.subscript(pos, value, slice, dest),
            ExprKind::Slice { lower, upper, step } => {
                self.slice(pos, lower.as_deref(), upper.as_deref(), step.as_deref(), dest)
            }
            ExprKind::Starred { .. } => self.error("can't use starred expression here", pos),
            ExprKind::Tuple { elts, .. } => self.display(pos, Opcode::BUILD_TUPLE, elts, dest),
            ExprKind::List { elts, .. } => self.display(pos, Opcode::BUILD_LIST, elts, dest),
            ExprKind::Set { elts } => self.display(pos, Opcode::BUILD_SET, elts, dest),
            ExprKind::Dict { keys, values } => self.dict(pos, keys, values, dest),
            ExprKind::JoinedStr { values } => self.joined_str(pos, values, dest),
            ExprKind::FormattedValue {
                value,
                conversion,
                format_spec,
            } => self.formatted_value(pos, value, *conversion, format_spec.as_deref(), dest),
            ExprKind::TemplateStr { values } => self.template_str(pos, values, dest),
            ExprKind::Interpolation { .. } => {
                let depth = self.depth();
                let temp = self.interpolation(e)?;
                debug_assert_eq!(temp.index(), depth);
                Ok(self.finish(pos, temp, dest))
            }
            ExprKind::Call { func, args, keywords } => self.call(e, func, args, keywords, dest),
            ExprKind::Lambda { args, body } => self.lambda(e, args, body, dest),
            ExprKind::ListComp { .. }
            | ExprKind::SetComp { .. }
            | ExprKind::DictComp { .. }
            | ExprKind::GeneratorExp { .. } => self.comprehension(e, dest),
            ExprKind::Yield { value } => self.yield_expr(pos, value.as_deref(), dest),
            ExprKind::YieldFrom { value } => self.yield_from(pos, value, dest),
            ExprKind::Await { value } => self.await_expr(pos, value, dest),
        }
    }

    fn bool_op(&mut self, pos: Position, op: BoolOp, values: &'a [Expr], dest: Dest) -> Result<Opnd> {
        let depth = self.depth();
        let end = self.new_label();
        let temp = Opnd::temp(depth);
        if let Some((last, first)) = values.split_last() {
            for value in first {
                self.bool_operand(pos, op, value, temp, end)?;
            }
            self.set_depth(depth);
            self.push(last)?;
        }
        self.bind(end);
        // Where the value is dropped, several ways have come together.
        let pos = if dest == Dest::Discard {
            Position::NONE
        } else {
            pos
        };
        Ok(self.finish(pos, temp, dest))
    }

    /// An operand that is not the last: goes to `end` with its value in `temp` if that decides, else on without it. The
    /// truth of each value is asked for once, however the operators nest.
    fn bool_operand(&mut self, pos: Position, op: BoolOp, e: &'a Expr, temp: Opnd, end: Label) -> Result<()> {
        self.set_depth(temp.index());
        if let ExprKind::BoolOp { op: inner, values } = &e.kind
            && let Some((last, first)) = values.split_last()
        {
            // What decides an inner operation of the other kind does not decide the outer one.
            let next = self.new_label();
            for value in first {
                if *inner == op {
                    self.bool_operand(e.pos, op, value, temp, end)?;
                } else {
                    self.jump_if(e.pos, value, next, *inner == BoolOp::Or)?;
                }
            }
            self.bool_operand(pos, op, last, temp, end)?;
            self.bind(next);
            return Ok(());
        }
        let jump = match op {
            BoolOp::And => Opcode::POP_JUMP_IF_FALSE,
            BoolOp::Or => Opcode::POP_JUMP_IF_TRUE,
        };
        self.push(e)?;
        self.unit.code.emit_jump(pos, jump, 0, temp, Opnd::NO, end);
        self.emit(pos, Opcode::CLEAR, 0, temp, Opnd::NO, Opnd::NO);
        self.set_depth(temp.index());
        Ok(())
    }

    fn if_exp(
        &mut self,
        pos: Position,
        test: &'a Expr,
        body: &'a Expr,
        orelse: &'a Expr,
        dest: Dest,
    ) -> Result<Opnd> {
        let dest = if dest == Dest::Any { Dest::Temp } else { dest };
        let depth = self.depth();
        let (other, end) = (self.new_label(), self.new_label());
        self.jump_if(pos, test, other, false)?;
        self.expr(body, dest)?;
        self.emit_jump(Position::NONE, end);
        self.bind(other);
        self.set_depth(depth);
        let result = self.expr(orelse, dest)?;
        self.bind(end);
        Ok(result)
    }

    fn named_expr(&mut self, pos: Position, target: &'a Expr, value: &'a Expr, dest: Dest) -> Result<Opnd> {
        let ExprKind::Name { id, .. } = &target.kind else {
            return self.error("cannot use assignment expressions here", target.pos);
        };
        if let Some(local) = self.local_dest(id) {
            let local = self.expr(value, local)?;
            return Ok(match dest {
                Dest::Any => local.borrow(),
                Dest::Discard => Opnd::ABSENT,
                _ => {
                    let dst = self.dst(dest);
                    self.emit(pos, Opcode::COPY, 0, dst, local, Opnd::NO);
                    dst.take()
                }
            });
        }
        let temp = self.push(value)?;
        self.name_store(target.pos, id, temp.borrow())?;
        Ok(self.finish(pos, temp, dest))
    }

    // ---- comparisons ----

    fn compare(
        &mut self,
        pos: Position,
        left: &'a Expr,
        ops: &[CmpOp],
        comparators: &'a [Expr],
        dest: Dest,
    ) -> Result<Opnd> {
        let depth = self.depth();
        if let ([op], [right]) = (ops, comparators) {
            let l = self.operand(left, &[right])?;
            let r = self.operand(right, &[])?;
            self.set_depth(depth);
            let dst = self.dst(dest);
            self.emit_compare(pos, *op, dst, l, r);
            return Ok(dst.take());
        }
        let result = self.unit.code.alloc();
        let (cleanup, end) = (self.new_label(), self.new_label());
        let later: Vec<&Expr> = comparators.iter().collect();
        let mut l = self.operand(left, &later)?;
        let mut kept = Vec::new();
        for (index, (op, right)) in ops.iter().zip(comparators).enumerate() {
            let r = self.operand(right, &later[index + 1..])?;
            if index + 1 == ops.len() {
                self.emit_compare(pos, *op, result, l, r);
                break;
            }
            self.emit_compare(pos, *op, result, l, r.borrow());
            self.unit
                .code
                .emit_jump(pos, Opcode::POP_JUMP_IF_FALSE, 0, result, Opnd::NO, cleanup);
            self.emit(pos, Opcode::CLEAR, 0, result, Opnd::NO, Opnd::NO);
            if r.is_temp() {
                kept.push(r.borrow());
            }
            l = r;
        }
        if !kept.is_empty() {
            self.emit_jump(Position::NONE, end);
        }
        self.bind(cleanup);
        for temp in kept {
            self.emit(pos, Opcode::CLEAR, 0, temp, Opnd::NO, Opnd::NO);
        }
        self.bind(end);
        Ok(self.finish(pos, result, dest))
    }

    fn emit_compare(&mut self, pos: Position, op: CmpOp, dst: Opnd, l: Opnd, r: Opnd) {
        match byte_compare(op) {
            Comparison::Rich(op) => self.emit(pos, Opcode::COMPARE_OP, op as u8, dst, l, r),
            Comparison::Is(invert) => self.emit(pos, Opcode::IS_OP, invert as u8, dst, l, r),
            Comparison::In(invert) => self.emit(pos, Opcode::CONTAINS_OP, invert as u8, dst, l, r),
        };
    }

    /// Evaluates a condition and jumps if its truth is `sense`.
    pub(super) fn jump_if(&mut self, pos: Position, e: &'a Expr, target: Label, sense: bool) -> Result<()> {
        stacker::maybe_grow(96 * 1024, 2 * 1024 * 1024, || {
            self.jump_if_inner(pos, e, target, sense)
        })
    }

    fn jump_if_inner(&mut self, pos: Position, e: &'a Expr, target: Label, sense: bool) -> Result<()> {
        match &e.kind {
            ExprKind::Constant { value, .. } => {
                if fold_ops::is_true(value) == sense {
                    self.emit_jump(e.pos, target);
                } else {
                    self.emit(e.pos, Opcode::NOP, 0, Opnd::NO, Opnd::NO, Opnd::NO);
                }
                Ok(())
            }
            ExprKind::UnaryOp {
                op: UnaryOp::Not,
                operand,
            } => self.jump_if(pos, operand, target, !sense),
            ExprKind::BoolOp { op, values } => {
                let short = *op == BoolOp::Or;
                let next = if short == sense { target } else { self.new_label() };
                let Some((last, first)) = values.split_last() else {
                    return Ok(());
                };
                for value in first {
                    self.jump_if(pos, value, next, short)?;
                }
                self.jump_if(pos, last, target, sense)?;
                if next != target {
                    self.bind(next);
                }
                Ok(())
            }
            ExprKind::IfExp { test, body, orelse } => {
                let (other, end) = (self.new_label(), self.new_label());
                self.jump_if(pos, test, other, false)?;
                self.jump_if(pos, body, target, sense)?;
                self.emit_jump(Position::NONE, end);
                self.bind(other);
                self.jump_if(pos, orelse, target, sense)?;
                self.bind(end);
                Ok(())
            }
            ExprKind::Compare {
                left,
                ops,
                comparators,
            } => self.jump_if_compare(e.pos, left, ops, comparators, target, sense),
            _ => {
                let depth = self.depth();
                let value = self.operand(e, &[])?;
                self.set_depth(depth);
                let op = if sense {
                    Opcode::POP_JUMP_IF_TRUE
                } else {
                    Opcode::POP_JUMP_IF_FALSE
                };
                self.unit.code.emit_jump(e.pos, op, 0, value, Opnd::NO, target);
                Ok(())
            }
        }
    }

    fn jump_if_compare(
        &mut self,
        pos: Position,
        left: &'a Expr,
        ops: &[CmpOp],
        comparators: &'a [Expr],
        target: Label,
        sense: bool,
    ) -> Result<()> {
        let depth = self.depth();
        let later: Vec<&Expr> = comparators.iter().collect();
        let mut l = self.operand(left, &later)?;
        let cleanup = self.new_label();
        let mut kept = Vec::new();
        for (index, (op, right)) in ops.iter().zip(comparators).enumerate() {
            let last = index + 1 == ops.len();
            if last && matches!(op, CmpOp::Is | CmpOp::IsNot) && right.as_constant() == Some(&Constant::None)
            {
                let op = if (*op == CmpOp::Is) == sense {
                    Opcode::POP_JUMP_IF_NONE
                } else {
                    Opcode::POP_JUMP_IF_NOT_NONE
                };
                self.unit.code.emit_jump(pos, op, 0, l, Opnd::NO, target);
                break;
            }
            let r = self.operand(right, &later[index + 1..])?;
            if last {
                self.emit_compare_jump(pos, *op, l, r, target, sense);
                break;
            }
            self.emit_compare_jump(pos, *op, l, r.borrow(), cleanup, false);
            if r.is_temp() {
                kept.push(r.borrow());
            }
            l = r;
        }
        self.set_depth(depth);
        if ops.len() > 1 {
            let end = self.new_label();
            if !kept.is_empty() || !sense {
                self.emit_jump(Position::NONE, end);
            }
            self.bind(cleanup);
            for temp in kept {
                self.emit(pos, Opcode::CLEAR, 0, temp, Opnd::NO, Opnd::NO);
            }
            if !sense {
                self.emit_jump(Position::NONE, target);
            }
            self.bind(end);
        }
        Ok(())
    }

    fn emit_compare_jump(&mut self, pos: Position, op: CmpOp, l: Opnd, r: Opnd, target: Label, sense: bool) {
        let (op, x) = match byte_compare(op) {
            Comparison::Rich(op) => (Opcode::COMPARE_JUMP, op as u8 | (sense as u8) << 3),
            Comparison::Is(invert) => (Opcode::IS_JUMP, (sense != invert) as u8),
            Comparison::In(invert) => (Opcode::CONTAINS_JUMP, (sense != invert) as u8),
        };
        self.unit.code.emit_jump(pos, op, x, l, r, target);
    }

    // ---- attributes and items ----

    fn attribute(&mut self, e: &'a Expr, value: &'a Expr, attr: &Ident, dest: Dest) -> Result<Opnd> {
        let depth = self.depth();
        if let Some(opnds) = self.super_operands(e)? {
            let name = self.mangle(attr);
            let name = self.unit.code.name(&name);
            self.set_depth(depth);
            let dst = self.dst(dest);
            let pos = attr_position(e.pos, e);
            self.emit(
                super::call::super_position(value, pos),
                Opcode::LOAD_SUPER_ATTR,
                opnds.two_args as u8,
                dst,
                opnds.base,
                name,
            );
            self.note_attribute_line(value, pos);
            return Ok(dst.take());
        }
        let object = self.operand(value, &[])?;
        self.set_depth(depth);
        let name = self.mangle(attr);
        let name = self.unit.code.name(&name);
        let dst = self.dst(dest);
        self.emit(attr_position(e.pos, e), Opcode::LOAD_ATTR, 0, dst, object, name);
        Ok(dst.take())
    }

    /// Operands (value, key) of a subscript; see `slice_parts`.
    fn subscript(&mut self, pos: Position, value: &'a Expr, slice: &'a Expr, dest: Dest) -> Result<Opnd> {
        let depth = self.depth();
        let object = self.operand(value, &[slice])?;
        if let Some((start, stop)) = self.two_element_slice(slice)? {
            self.set_depth(depth);
            let dst = self.dst(dest);
            self.emit(pos, Opcode::BINARY_SLICE, 0, dst, object, start).ext = stop;
            return Ok(dst.take());
        }
        let key = self.operand(slice, &[])?;
        self.set_depth(depth);
        let dst = self.dst(dest);
        self.emit(pos, Opcode::LOAD_SUBSCR, 0, dst, object, key);
        Ok(dst.take())
    }

    /// Evaluates `lower:upper` to operands, unless the slice has a step or is constant.
    pub(super) fn two_element_slice(&mut self, slice: &'a Expr) -> Result<Option<(Opnd, Opnd)>> {
        let ExprKind::Slice {
            lower,
            upper,
            step: None,
        } = &slice.kind
        else {
            return Ok(None);
        };
        if constant_slice(lower.as_deref(), upper.as_deref(), None).is_some() {
            return Ok(None);
        }
        let later: Vec<&Expr> = upper.as_deref().into_iter().collect();
        let start = self.optional_operand(slice.pos, lower.as_deref(), &later)?;
        let stop = self.optional_operand(slice.pos, upper.as_deref(), &[])?;
        Ok(Some((start, stop)))
    }

    fn optional_operand(&mut self, pos: Position, e: Option<&'a Expr>, later: &[&'a Expr]) -> Result<Opnd> {
        match e {
            Some(e) => self.operand(e, later),
            None => Ok(self.constant(pos, Constant::None, Dest::Any)),
        }
    }

    fn slice(
        &mut self,
        pos: Position,
        lower: Option<&'a Expr>,
        upper: Option<&'a Expr>,
        step: Option<&'a Expr>,
        dest: Dest,
    ) -> Result<Opnd> {
        if let Some(value) = constant_slice(lower, upper, step) {
            return Ok(self.constant(pos, value, dest));
        }
        let depth = self.depth();
        let later: Vec<&Expr> = upper.into_iter().chain(step).collect();
        let start = self.optional_operand(pos, lower, &later)?;
        let stop = self.optional_operand(pos, upper, &later[upper.is_some() as usize..])?;
        let step = match step {
            Some(step) => self.operand(step, &[])?,
            None => Opnd::ABSENT,
        };
        self.set_depth(depth);
        let dst = self.dst(dest);
        self.emit(pos, Opcode::BUILD_SLICE, 0, dst, start, stop).ext = step;
        Ok(dst.take())
    }

    // ---- displays ----

    fn display(&mut self, pos: Position, build: Opcode, elts: &'a [Expr], dest: Dest) -> Result<Opnd> {
        let depth = self.depth();
        let starred = elts.iter().any(|e| matches!(e.kind, ExprKind::Starred { .. }));
        let all_constant = elts.len() > 2 && elts.iter().all(|e| e.as_constant().is_some());
        let at_once = elts.len() <= MANY_ITEMS && (!all_constant || build == Opcode::BUILD_TUPLE);
        if at_once && !starred {
            for e in elts {
                self.push(e)?;
            }
            self.set_depth(depth);
            let dst = self.dst(dest);
            self.emit(
                pos,
                build,
                0,
                dst,
                Opnd::temp(depth),
                Opnd::raw(elts.len() as u32),
            );
            return Ok(dst.take());
        }
        let is_set = build == Opcode::BUILD_SET;
        let temp = self.build_up(pos, is_set, elts, all_constant)?;
        if build == Opcode::BUILD_TUPLE {
            let intrinsic = Intrinsic1::ListToTuple as u8;
            self.set_depth(depth);
            let dst = self.dst(dest);
            self.emit(
                pos,
                Opcode::CALL_INTRINSIC_1,
                intrinsic,
                dst,
                temp.take(),
                Opnd::NO,
            );
            return Ok(dst.take());
        }
        Ok(self.finish(pos, temp, dest))
    }

    /// Builds a list or set in a new temporary by appending and extending.
    pub(super) fn build_up(
        &mut self,
        pos: Position,
        is_set: bool,
        elts: &'a [Expr],
        all_constant: bool,
    ) -> Result<Opnd> {
        let (build, add, extend) = if is_set {
            (Opcode::BUILD_SET, Opcode::SET_ADD, Opcode::SET_UPDATE)
        } else {
            (Opcode::BUILD_LIST, Opcode::LIST_APPEND, Opcode::LIST_EXTEND)
        };
        let depth = self.depth();
        let temp = self.unit.code.alloc();
        if all_constant {
            self.emit(pos, build, 0, temp, Opnd::temp(depth), Opnd::NO);
            let items = elts.iter().filter_map(|e| e.as_constant().cloned()).collect();
            let items = self.constant(pos, Constant::Tuple(items), Dest::Any);
            self.emit(pos, extend, 0, temp, items.take(), Opnd::NO);
            self.set_depth(depth + 1);
            return Ok(temp);
        }
        // The leading plain items are built at once.
        let plain = elts
            .iter()
            .take_while(|e| !matches!(e.kind, ExprKind::Starred { .. }))
            .count();
        let first = if elts.len() > MANY_ITEMS { 0 } else { plain };
        self.set_depth(depth);
        for e in &elts[..first] {
            self.push(e)?;
        }
        self.emit(pos, build, 0, temp, Opnd::temp(depth), Opnd::raw(first as u32));
        self.set_depth(depth + 1);
        for e in &elts[first..] {
            let (op, value) = match &e.kind {
                ExprKind::Starred { value, .. } => (extend, self.operand(value, &[])?),
                _ => (add, self.operand(e, &[])?),
            };
            self.emit(e.pos, op, 0, temp, value, Opnd::NO);
            self.set_depth(depth + 1);
        }
        Ok(temp)
    }

    fn dict(
        &mut self,
        pos: Position,
        keys: &'a [Option<Expr>],
        values: &'a [Expr],
        dest: Dest,
    ) -> Result<Opnd> {
        let depth = self.depth();
        let plain = keys.iter().take_while(|key| key.is_some()).count();
        let first = if plain > MANY_ITEMS / 2 { 0 } else { plain };
        for (key, value) in keys.iter().zip(values).take(first) {
            if let Some(key) = key {
                self.push(key)?;
            }
            self.push(value)?;
        }
        self.set_depth(depth);
        if first == keys.len() {
            let dst = self.dst(dest);
            self.emit(
                pos,
                Opcode::BUILD_MAP,
                0,
                dst,
                Opnd::temp(depth),
                Opnd::raw(first as u32),
            );
            return Ok(dst.take());
        }
        let temp = self.unit.code.alloc();
        self.emit(
            pos,
            Opcode::BUILD_MAP,
            0,
            temp,
            Opnd::temp(depth),
            Opnd::raw(first as u32),
        );
        for (key, value) in keys.iter().zip(values).skip(first) {
            match key {
                Some(key) => {
                    let k = self.operand(key, &[value])?;
                    let v = self.operand(value, &[])?;
                    self.emit(key.pos, Opcode::MAP_ADD, 0, temp, k, v);
                }
                None => {
                    let v = self.operand(value, &[])?;
                    self.emit(pos, Opcode::DICT_UPDATE, 0, temp, v, Opnd::NO);
                }
            }
            self.set_depth(depth + 1);
        }
        Ok(self.finish(pos, temp, dest))
    }

    // ---- strings ----

    fn joined_str(&mut self, pos: Position, values: &'a [Expr], dest: Dest) -> Result<Opnd> {
        let depth = self.depth();
        match values {
            [] => return Ok(self.constant(pos, Constant::Str(PyStr::default()), dest)),
            [only] => match &only.kind {
                ExprKind::Constant { .. } | ExprKind::FormattedValue { .. } => return self.expr(only, dest),
                _ => {}
            },
            _ => {}
        }
        if values.len() > MANY_ITEMS * 8 {
            let empty = self.constant(pos, Constant::Str(PyStr::default()), Dest::Any);
            let base = Opnd::temp(depth);
            let join = self.unit.code.name(&Ident::new_static("join"));
            self.emit(pos, Opcode::LOAD_METHOD, 0, base, empty.take(), join);
            self.set_depth(depth + 2);
            self.build_up(pos, false, values, false)?;
            self.set_depth(depth);
            let dst = self.dst(dest);
            self.emit(pos, Opcode::CALL, 0, dst, base, Opnd::raw(1));
            return Ok(dst.take());
        }
        for value in values {
            self.push(value)?;
        }
        self.set_depth(depth);
        let dst = self.dst(dest);
        self.emit(
            pos,
            Opcode::BUILD_STRING,
            0,
            dst,
            Opnd::temp(depth),
            Opnd::raw(values.len() as u32),
        );
        Ok(dst.take())
    }

    fn formatted_value(
        &mut self,
        pos: Position,
        value: &'a Expr,
        conversion: i32,
        format_spec: Option<&'a Expr>,
        dest: Dest,
    ) -> Result<Opnd> {
        let depth = self.depth();
        let later: Vec<&Expr> = format_spec.into_iter().collect();
        let mut v = self.operand(value, &later)?;
        if conversion != -1 {
            self.set_depth(depth);
            let temp = self.unit.code.alloc();
            self.emit(
                pos,
                Opcode::CONVERT_VALUE,
                conversion_number(conversion),
                temp,
                v,
                Opnd::NO,
            );
            v = temp.take();
        }
        match format_spec {
            Some(spec) => {
                let spec = self.operand(spec, &[])?;
                self.set_depth(depth);
                let dst = self.dst(dest);
                self.emit(pos, Opcode::FORMAT_WITH_SPEC, 0, dst, v, spec);
                Ok(dst.take())
            }
            None => {
                self.set_depth(depth);
                let dst = self.dst(dest);
                self.emit(pos, Opcode::FORMAT_SIMPLE, 0, dst, v, Opnd::NO);
                Ok(dst.take())
            }
        }
    }

    fn template_str(&mut self, pos: Position, values: &'a [Expr], dest: Dest) -> Result<Opnd> {
        let depth = self.depth();
        let mut strings = Vec::new();
        let mut text_last = false;
        let mut n_fields = 0;
        for value in values {
            match value.as_str_constant() {
                Some(text) => {
                    strings.push(Constant::Str(text.clone()));
                    text_last = true;
                }
                None => {
                    if !text_last {
                        strings.push(Constant::Str(PyStr::default()));
                    }
                    text_last = false;
                    self.interpolation(value)?;
                    n_fields += 1;
                }
            }
        }
        if !text_last {
            strings.push(Constant::Str(PyStr::default()));
        }
        self.set_depth(depth);
        let fields = self.unit.code.alloc();
        self.emit(
            pos,
            Opcode::BUILD_TUPLE,
            0,
            fields,
            Opnd::temp(depth),
            Opnd::raw(n_fields),
        );
        let strings = self.constant(pos, Constant::Tuple(strings.into()), Dest::Any);
        self.set_depth(depth);
        let dst = self.dst(dest);
        self.emit(pos, Opcode::BUILD_TEMPLATE, 0, dst, strings.take(), fields.take());
        Ok(dst.take())
    }

    /// Pushes an Interpolation.
    fn interpolation(&mut self, e: &'a Expr) -> Result<Opnd> {
        let ExprKind::Interpolation {
            value,
            str,
            conversion,
            format_spec,
        } = &e.kind
        else {
            return self.push(e);
        };
        let depth = self.depth();
        self.push(value)?;
        self.constant(e.pos, str.clone(), Dest::Temp);
        let mut x = if *conversion == -1 {
            0
        } else {
            conversion_number(*conversion)
        };
        if let Some(spec) = format_spec {
            self.push(spec)?;
            x |= 4;
        }
        self.set_depth(depth);
        let temp = self.unit.code.alloc();
        self.emit(e.pos, Opcode::BUILD_INTERPOLATION, x, temp, temp, Opnd::NO);
        Ok(temp)
    }

    // ---- yield and await ----

    fn yield_expr(&mut self, pos: Position, value: Option<&'a Expr>, dest: Dest) -> Result<Opnd> {
        if !self.block().is_function_like() {
            return self.error("'yield' outside function", pos);
        }
        let depth = self.depth();
        let value = match value {
            Some(value) => self.operand(value, &[])?,
            None => self.constant(pos, Constant::None, Dest::Any).take(),
        };
        self.set_depth(depth);
        let dst = self.dst(dest);
        self.emit_yield(pos, dst, value);
        Ok(dst.take())
    }

    /// YIELD_VALUE with the wrapping that async generators need.
    pub(super) fn emit_yield(&mut self, pos: Position, dst: Opnd, mut value: Opnd) {
        let block = self.block();
        if block.generator && block.coroutine {
            let depth = self.depth();
            let temp = if value.is_take() {
                value.borrow()
            } else {
                self.unit.code.alloc()
            };
            let intrinsic = Intrinsic1::AsyncGenWrap as u8;
            self.emit(pos, Opcode::CALL_INTRINSIC_1, intrinsic, temp, value, Opnd::NO);
            self.set_depth(depth);
            value = temp.take();
        }
        self.emit(pos, Opcode::YIELD_VALUE, 0, dst, value, Opnd::ABSENT);
        self.emit(pos, Opcode::RESUME, 1, Opnd::NO, Opnd::NO, Opnd::NO);
    }

    fn yield_from(&mut self, pos: Position, value: &'a Expr, dest: Dest) -> Result<Opnd> {
        if !self.block().is_function_like() {
            return self.error("'yield from' outside function", pos);
        }
        if self.unit.kind == UnitKind::AsyncFunction {
            return self.error("'yield from' inside async function", pos);
        }
        let depth = self.depth();
        let value = self.operand(value, &[])?;
        self.set_depth(depth);
        let iter = self.unit.code.alloc();
        self.emit(pos, Opcode::GET_YIELD_FROM_ITER, 0, iter, value, Opnd::NO);
        self.send_loop(pos, iter, 2, dest)
    }

    fn await_expr(&mut self, pos: Position, value: &'a Expr, dest: Dest) -> Result<Opnd> {
        if !(self.options.top_level_await && self.unit.kind == UnitKind::Module) {
            if !self.block().is_function_like() {
                return self.error("'await' outside function", pos);
            }
            if !matches!(self.unit.kind, UnitKind::AsyncFunction | UnitKind::Comprehension) {
                return self.error("'await' outside async function", pos);
            }
        }
        let depth = self.depth();
        let value = self.operand(value, &[])?;
        self.set_depth(depth);
        let iter = self.unit.code.alloc();
        self.emit(pos, Opcode::GET_AWAITABLE, 0, iter, value, Opnd::NO);
        self.send_loop(pos, iter, 3, dest)
    }

    /// Runs the iterator in the temporary on top to its end, yielding what it yields; gives its return value.
    pub(super) fn send_loop(&mut self, pos: Position, iter: Opnd, resume: u8, dest: Dest) -> Result<Opnd> {
        let iter = iter.borrow();
        let value = self.unit.code.alloc();
        debug_assert_eq!(value.index(), iter.index() + 1);
        let (send, fail, exit) = (self.new_label(), self.new_label(), self.new_label());
        let none = self.unit.code.constant(Constant::None);
        self.emit(pos, Opcode::LOAD_CONST, 0, value, Opnd::raw(none), Opnd::NO);
        self.bind(send);
        self.unit.code.emit_jump(pos, Opcode::SEND, 0, value, iter, exit);
        let outer = self.unit.code.begin_handler(fail, value.index() + 1, false);
        self.emit(pos, Opcode::YIELD_VALUE, 1, value, value.take(), iter);
        self.unit.code.end_handler(outer);
        self.emit(pos, Opcode::RESUME, resume, Opnd::NO, Opnd::NO, Opnd::NO);
        self.unit.code.emit_jump(
            pos,
            Opcode::JUMP_BACKWARD_NO_INTERRUPT,
            0,
            Opnd::NO,
            Opnd::NO,
            send,
        );
        self.bind(fail);
        let exc = Opnd::temp(value.index() + 1);
        self.emit(pos, Opcode::CLEANUP_THROW, 0, iter, value, exc);
        self.bind(exit);
        self.emit(pos, Opcode::CLEAR, 0, iter, Opnd::NO, Opnd::NO);
        Ok(match dest {
            Dest::Any | Dest::Temp => {
                self.emit(pos, Opcode::MOVE, 0, iter, value, Opnd::NO);
                self.set_depth(iter.index() + 1);
                iter.take()
            }
            _ => {
                let result = self.finish(pos, value, dest);
                self.set_depth(iter.index());
                result
            }
        })
    }
}

/// A comparison as the bytecode has it; `bool`: inverted.
enum Comparison {
    Rich(ByteCmp),
    Is(bool),
    In(bool),
}

fn byte_compare(op: CmpOp) -> Comparison {
    match op {
        CmpOp::Lt => Comparison::Rich(ByteCmp::Lt),
        CmpOp::LtE => Comparison::Rich(ByteCmp::Le),
        CmpOp::Eq => Comparison::Rich(ByteCmp::Eq),
        CmpOp::NotEq => Comparison::Rich(ByteCmp::Ne),
        CmpOp::Gt => Comparison::Rich(ByteCmp::Gt),
        CmpOp::GtE => Comparison::Rich(ByteCmp::Ge),
        CmpOp::Is => Comparison::Is(false),
        CmpOp::IsNot => Comparison::Is(true),
        CmpOp::In => Comparison::In(false),
        CmpOp::NotIn => Comparison::In(true),
    }
}

pub(super) fn binary_op(op: Operator, in_place: bool) -> BinaryOp {
    use BinaryOp::*;
    match (op, in_place) {
        (Operator::Add, false) => Add,
        (Operator::Sub, false) => Subtract,
        (Operator::Mult, false) => Multiply,
        (Operator::MatMult, false) => MatrixMultiply,
        (Operator::Div, false) => TrueDivide,
        (Operator::Mod, false) => Remainder,
        (Operator::Pow, false) => Power,
        (Operator::LShift, false) => Lshift,
        (Operator::RShift, false) => Rshift,
        (Operator::BitOr, false) => Or,
        (Operator::BitXor, false) => Xor,
        (Operator::BitAnd, false) => And,
        (Operator::FloorDiv, false) => FloorDivide,
        (Operator::Add, true) => InplaceAdd,
        (Operator::Sub, true) => InplaceSubtract,
        (Operator::Mult, true) => InplaceMultiply,
        (Operator::MatMult, true) => InplaceMatrixMultiply,
        (Operator::Div, true) => InplaceTrueDivide,
        (Operator::Mod, true) => InplaceRemainder,
        (Operator::Pow, true) => InplacePower,
        (Operator::LShift, true) => InplaceLshift,
        (Operator::RShift, true) => InplaceRshift,
        (Operator::BitOr, true) => InplaceOr,
        (Operator::BitXor, true) => InplaceXor,
        (Operator::BitAnd, true) => InplaceAnd,
        (Operator::FloorDiv, true) => InplaceFloorDivide,
    }
}

fn conversion_number(conversion: i32) -> u8 {
    match u8::try_from(conversion) {
        Ok(b's') => 1,
        Ok(b'r') => 2,
        Ok(b'a') => 3,
        _ => 0,
    }
}

/// A slice of constants.
fn constant_slice(lower: Option<&Expr>, upper: Option<&Expr>, step: Option<&Expr>) -> Option<Constant> {
    let value = |e: Option<&Expr>| match e {
        None => Some(Constant::None),
        Some(e) => e.as_constant().cloned(),
    };
    Some(Constant::Slice(Box::new([
        value(lower)?,
        value(upper)?,
        value(step)?,
    ])))
}

/// Where an attribute access is shown when it is on a later line than its object.
pub(super) fn attr_position(pos: Position, attribute: &Expr) -> Position {
    let ExprKind::Attribute { attr, .. } = &attribute.kind else {
        return pos;
    };
    if pos.line == attribute.pos.end_line {
        return pos;
    }
    let len = attr.chars().count() as i32;
    let end = attribute.pos.end_col;
    let (col, end_col) = if len <= end { (end - len, end) } else { (-1, -1) };
    Position {
        line: attribute.pos.end_line,
        col,
        end_col,
        ..pos
    }
}
