//! Calls: plain, method, `super()`, with keywords, with stars.

use super::expr::{MANY_ITEMS, attr_position};
use super::*;
use crate::symtable::Scope;

/// Calls with more arguments than this pass them as a tuple and a dict.
const MANY_ARGUMENTS: usize = 255;

/// Registers prepared for LOAD_SUPER_ATTR.
pub(super) struct SuperOperands {
    pub base: Opnd,
    pub two_args: bool,
}

/// The place of an instruction that calls `super` and gets an attribute: the call's when they are on different lines.
pub(super) fn super_position(call: &Expr, attribute: Position) -> Position {
    if call.pos.line == attribute.line {
        attribute
    } else {
        call.pos
    }
}

impl<'a> Compiler<'a> {
    pub(super) fn call(
        &mut self,
        e: &'a Expr,
        func: &'a Expr,
        args: &'a [Expr],
        keywords: &'a [Keyword],
        dest: Dest,
    ) -> Result<Opnd> {
        self.check_keywords(keywords)?;
        let base = Opnd::temp(self.depth());
        let has_stars = args
            .iter()
            .any(|arg| matches!(arg.kind, ExprKind::Starred { .. }))
            || keywords.iter().any(|keyword| keyword.arg.is_none())
            || args.len() + keywords.len() > MANY_ARGUMENTS;
        let mut pos = e.pos;
        match &func.kind {
            ExprKind::Attribute { value, attr, .. } if !has_stars => {
                pos = attr_position(pos, func);
                self.method(func, value, attr)?;
            }
            _ => {
                self.push(func)?;
            }
        }
        self.set_depth(base.index() + 2);
        if has_stars {
            self.star_arguments(pos, base, args, keywords)?;
            self.set_depth(base.index());
            let dst = self.dst(dest);
            let x = !keywords.is_empty() as u8;
            self.emit(pos, Opcode::CALL_EX, x, dst, base, Opnd::NO);
            return Ok(dst.take());
        }
        for arg in args {
            self.push(arg)?;
        }
        for keyword in keywords {
            self.push(&keyword.value)?;
        }
        self.set_depth(base.index());
        let dst = self.dst(dest);
        self.emit_call(pos, dst, base, args.len(), keywords);
        Ok(dst.take())
    }

    /// CALL or CALL_KW of arguments that lie ready.
    pub(super) fn emit_call(
        &mut self,
        pos: Position,
        dst: Opnd,
        base: Opnd,
        n_positional: usize,
        keywords: &[Keyword],
    ) {
        let count = Opnd::raw((n_positional + keywords.len()) as u32);
        if keywords.is_empty() {
            self.emit(pos, Opcode::CALL, 0, dst, base, count);
            return;
        }
        // Keywords are not mangled.
        let names = keywords
            .iter()
            .flat_map(|k| &k.arg)
            .map(|name| Constant::Str(PyStr::from(name.as_str())));
        let names = Constant::Tuple(names.collect());
        let names = self.unit.code.constant(names);
        self.emit(pos, Opcode::CALL_KW, 0, dst, base, count).ext = Opnd::raw(names);
    }

    pub(super) fn check_keywords(&self, keywords: &[Keyword]) -> Result<()> {
        for (index, keyword) in keywords.iter().enumerate() {
            if let Some(name) = &keyword.arg
                && let Some(again) = keywords[index + 1..]
                    .iter()
                    .find(|k| k.arg.as_ref() == Some(name))
            {
                return self.error(format!("keyword argument repeated: {name}"), again.pos);
            }
        }
        Ok(())
    }

    /// Loads the method and self for a call, into the temporary on top and the one after it.
    fn method(&mut self, func: &'a Expr, value: &'a Expr, attr: &Ident) -> Result<()> {
        let base = Opnd::temp(self.depth());
        let pos = attr_position(func.pos, func);
        if let Some(opnds) = self.super_operands(func)? {
            let name = self.mangle(attr);
            let name = self.unit.code.name(&name);
            self.emit(
                super_position(value, pos),
                Opcode::LOAD_SUPER_METHOD,
                opnds.two_args as u8,
                base,
                opnds.base,
                name,
            );
            self.note_attribute_line(value, pos);
        } else {
            let object = self.operand(value, &[])?;
            let name = self.mangle(attr);
            let name = self.unit.code.name(&name);
            self.emit(pos, Opcode::LOAD_METHOD, 0, base, object, name);
        }
        self.set_depth(base.index() + 2);
        Ok(())
    }

    /// An attribute on a line of its own is there, not where `super()` is.
    pub(super) fn note_attribute_line(&mut self, call: &Expr, attribute: Position) {
        if super_position(call, attribute) != attribute {
            self.emit(attribute, Opcode::NOP, 0, Opnd::NO, Opnd::NO, Opnd::NO);
        }
    }

    /// If `e` is an attribute of a `super()` call that is certainly about the builtin, loads what LOAD_SUPER_ATTR consumes.
    pub(super) fn super_operands(&mut self, e: &'a Expr) -> Result<Option<SuperOperands>> {
        let ExprKind::Attribute { value, attr, .. } = &e.kind else {
            return Ok(None);
        };
        let ExprKind::Call { func, args, keywords } = &value.kind else {
            return Ok(None);
        };
        let ExprKind::Name { id, .. } = &func.kind else {
            return Ok(None);
        };
        if id != "super"
            || attr == "__class__"
            || !keywords.is_empty()
            || args
                .iter()
                .any(|arg| matches!(arg.kind, ExprKind::Starred { .. }))
            || self.block().scope("super") != Scope::GlobalImplicit
            || self.table.blocks[self.table.top].scope("super") != Scope::Unknown
        {
            return Ok(None);
        }
        let base = Opnd::temp(self.depth());
        match &args[..] {
            [class, object] => {
                self.name_load(func.pos, id, Dest::Temp)?;
                self.push(class)?;
                self.push(object)?;
                Ok(Some(SuperOperands { base, two_args: true }))
            }
            [] => {
                let first = match self.unit.code.locals.first() {
                    Some((name, _)) if self.unit.argcount > 0 => name.clone(),
                    _ => return Ok(None),
                };
                let class = Ident::new_static("__class__");
                if self.block().scope("__class__") != Scope::Free || !self.unit.comps.is_empty() {
                    return Ok(None);
                }
                self.name_load(func.pos, id, Dest::Temp)?;
                self.name_load(value.pos, &class, Dest::Temp)?;
                self.name_load(value.pos, &first, Dest::Temp)?;
                Ok(Some(SuperOperands {
                    base,
                    two_args: false,
                }))
            }
            _ => Ok(None),
        }
    }

    /// Arguments of CALL_EX in base+2 and base+3.
    fn star_arguments(
        &mut self,
        pos: Position,
        base: Opnd,
        args: &'a [Expr],
        keywords: &'a [Keyword],
    ) -> Result<()> {
        match args {
            [
                Expr {
                    kind: ExprKind::Starred { value, .. },
                    ..
                },
            ] => {
                self.push(value)?;
            }
            _ => {
                self.positional_tuple(pos, args, None)?;
            }
        }
        if !keywords.is_empty() {
            self.keyword_dict(pos, base, keywords)?;
        }
        Ok(())
    }

    /// Pushes a tuple of arguments, with stars unpacked; `last` is a name to add at the end.
    pub(super) fn positional_tuple(
        &mut self,
        pos: Position,
        args: &'a [Expr],
        last: Option<&Ident>,
    ) -> Result<()> {
        let depth = self.depth();
        let starred = args
            .iter()
            .any(|arg| matches!(arg.kind, ExprKind::Starred { .. }));
        if !starred && args.len() <= MANY_ITEMS {
            for arg in args {
                self.push(arg)?;
            }
            if let Some(name) = last {
                self.name_load(pos, name, Dest::Temp)?;
            }
            let count = args.len() + last.is_some() as usize;
            self.set_depth(depth);
            let temp = self.unit.code.alloc();
            self.emit(pos, Opcode::BUILD_TUPLE, 0, temp, temp, Opnd::raw(count as u32));
            return Ok(());
        }
        let list = self.build_up(pos, false, args, false)?;
        if let Some(name) = last {
            let value = self.name_load(pos, name, Dest::Any)?;
            self.emit(pos, Opcode::LIST_APPEND, 0, list, value.take(), Opnd::NO);
            self.set_depth(depth + 1);
        }
        let intrinsic = Intrinsic1::ListToTuple as u8;
        self.emit(
            pos,
            Opcode::CALL_INTRINSIC_1,
            intrinsic,
            list,
            list.take(),
            Opnd::NO,
        );
        Ok(())
    }

    /// Pushes the dict of keyword arguments for a call of `base`.
    pub(super) fn keyword_dict(&mut self, pos: Position, base: Opnd, keywords: &'a [Keyword]) -> Result<()> {
        let dict = Opnd::temp(self.depth());
        let mut started = false;
        let mut rest = keywords;
        while let Some(first) = rest.first() {
            if first.arg.is_none() {
                if !started {
                    self.emit(pos, Opcode::BUILD_MAP, 0, dict, dict, Opnd::NO);
                    started = true;
                }
                self.set_depth(dict.index() + 1);
                let value = self.operand(&first.value, &[])?;
                self.emit(pos, Opcode::DICT_MERGE, 0, dict, value, base);
                rest = &rest[1..];
                continue;
            }
            let n = rest
                .iter()
                .take(MANY_ITEMS / 2)
                .take_while(|k| k.arg.is_some())
                .count();
            self.set_depth(dict.index() + started as u32);
            let part = Opnd::temp(self.depth());
            for keyword in &rest[..n] {
                if let Some(name) = &keyword.arg {
                    self.constant(keyword.pos, Constant::Str(PyStr::from(name.as_str())), Dest::Temp);
                }
                self.push(&keyword.value)?;
            }
            self.emit(pos, Opcode::BUILD_MAP, 0, part, part, Opnd::raw(n as u32));
            if started {
                self.emit(pos, Opcode::DICT_MERGE, 0, dict, part.take(), base);
            }
            started = true;
            rest = &rest[n..];
        }
        self.set_depth(dict.index() + 1);
        Ok(())
    }
}
