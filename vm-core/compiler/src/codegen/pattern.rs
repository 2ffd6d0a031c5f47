//! `match`. The subject and the parts that patterns take it apart into lie in temporaries until the case is decided; then
//! names are bound and the temporaries are dropped. A failing pattern jumps to the label for the number of temporaries in
//! use, which drops them one by one.

use super::*;
use rustc_hash::FxHashSet;

/// State of one case.
struct Case {
    /// Depth at which the pattern started.
    base: u32,
    /// `fail[n]`: drops n temporaries above base, then goes on with the next case.
    fail: Vec<Label>,
    /// Names and the registers that hold their values, in binding order.
    captures: Vec<(Ident, Opnd, Position)>,
}

impl<'a> Compiler<'a> {
    pub(super) fn match_stmt(&mut self, subject: &'a Expr, cases: &'a [MatchCase]) -> Result<()> {
        let depth = self.depth();
        let subject_reg = self.push(subject)?.borrow();
        let end = self.new_label();
        for (index, case) in cases.iter().enumerate() {
            let last = index + 1 == cases.len();
            if !last && case.guard.is_none() {
                self.check_irrefutable(&case.pattern)?;
            }
            self.set_depth(subject_reg.index() + 1);
            let next = self.new_label();
            let mut state = Case {
                base: self.depth(),
                fail: Vec::new(),
                captures: Vec::new(),
            };
            self.pattern(&case.pattern, subject_reg, &mut state, true)?;
            // Bind the names; what is left is dropped.
            let top = self.depth();
            for (name, reg, _) in &state.captures {
                self.name_store(case.pattern.pos, name, reg.borrow())?;
            }
            for temp in (state.base..top).rev() {
                self.emit(
                    case.pattern.pos,
                    Opcode::CLEAR,
                    0,
                    Opnd::temp(temp),
                    Opnd::NO,
                    Opnd::NO,
                );
            }
            self.set_depth(state.base);
            if let Some(guard) = &case.guard {
                let fail = self.fail_label(&mut state);
                self.jump_if(guard.pos, guard, fail, false)?;
            }
            self.emit(
                case.pattern.pos,
                Opcode::CLEAR,
                0,
                subject_reg,
                Opnd::NO,
                Opnd::NO,
            );
            self.set_depth(depth);
            self.stmts(&case.body)?;
            self.emit_jump(Position::NONE, end);
            self.emit_failures(case.pattern.pos, &mut state);
            self.bind(next);
        }
        let last = cases.last().map_or(subject.pos, |case| case.pattern.pos);
        self.emit(last, Opcode::CLEAR, 0, subject_reg, Opnd::NO, Opnd::NO);
        self.set_depth(depth);
        self.bind(end);
        Ok(())
    }

    fn check_irrefutable(&self, pattern: &Pattern) -> Result<()> {
        match &pattern.kind {
            PatternKind::MatchAs {
                pattern: None,
                name: Some(name),
            } => self.error(
                format!("name capture '{name}' makes remaining patterns unreachable"),
                pattern.pos,
            ),
            PatternKind::MatchAs {
                pattern: None,
                name: None,
            } => self.error("wildcard makes remaining patterns unreachable", pattern.pos),
            PatternKind::MatchAs {
                pattern: Some(inner), ..
            } => self.check_irrefutable(inner),
            PatternKind::MatchOr { patterns } => match patterns.last() {
                Some(last) => self.check_irrefutable(last),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Where to go when matching fails with the temporaries now in use.
    fn fail_label(&mut self, case: &mut Case) -> Label {
        let used = (self.depth() - case.base) as usize;
        while case.fail.len() <= used {
            let label = self.new_label();
            case.fail.push(label);
        }
        case.fail[used]
    }

    fn emit_failures(&mut self, pos: Position, case: &mut Case) {
        for used in (0..case.fail.len()).rev() {
            self.bind(case.fail[used]);
            if used > 0 {
                let temp = Opnd::temp(case.base + used as u32 - 1);
                self.emit(pos, Opcode::CLEAR, 0, temp, Opnd::NO, Opnd::NO);
            }
        }
        case.fail.clear();
    }

    fn capture(&mut self, case: &mut Case, name: &Ident, reg: Opnd, pos: Position) -> Result<()> {
        if case.captures.iter().any(|(other, ..)| other == name) {
            return self.error(format!("multiple assignments to name '{name}' in pattern"), pos);
        }
        case.captures.push((name.clone(), reg, pos));
        Ok(())
    }

    /// Matches the register `subject` (which stays) against a pattern; temporaries that it uses stay until the case ends.
    fn pattern(
        &mut self,
        pattern: &'a Pattern,
        subject: Opnd,
        case: &mut Case,
        allow_irrefutable: bool,
    ) -> Result<()> {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || {
            self.pattern_inner(pattern, subject, case, allow_irrefutable)
        })
    }

    fn pattern_inner(
        &mut self,
        pattern: &'a Pattern,
        subject: Opnd,
        case: &mut Case,
        allow_irrefutable: bool,
    ) -> Result<()> {
        let pos = pattern.pos;
        match &pattern.kind {
            PatternKind::MatchValue { value } => {
                let depth = self.depth();
                if !matches!(value.kind, ExprKind::Constant { .. } | ExprKind::Attribute { .. }) {
                    return self.error("patterns may only match literals and attribute lookups", pos);
                }
                let fail = self.fail_label(case);
                let operand = self.operand(value, &[])?;
                self.set_depth(depth);
                let x = crate::bytecode::CmpOp::Eq as u8;
                self.unit
                    .code
                    .emit_jump(pos, Opcode::COMPARE_JUMP, x, subject, operand, fail);
                Ok(())
            }
            PatternKind::MatchSingleton { value } => {
                let fail = self.fail_label(case);
                let operand = self.constant(pos, value.clone(), Dest::Any);
                self.unit
                    .code
                    .emit_jump(pos, Opcode::IS_JUMP, 0, subject, operand, fail);
                Ok(())
            }
            PatternKind::MatchSequence { patterns } => self.sequence(pos, patterns, subject, case),
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.mapping(pos, keys, patterns, rest.as_ref(), subject, case)
            }
            PatternKind::MatchClass {
                cls,
                patterns,
                kwd_attrs,
                kwd_patterns,
            } => self.class_pattern(pos, cls, patterns, kwd_attrs, kwd_patterns, subject, case),
            PatternKind::MatchStar { .. } => self.error("star pattern outside a sequence pattern", pos),
            PatternKind::MatchAs { pattern: inner, name } => {
                if let Some(inner) = inner {
                    self.pattern(inner, subject, case, allow_irrefutable)?;
                } else if !allow_irrefutable {
                    self.check_irrefutable(pattern)?;
                }
                match name {
                    Some(name) => self.capture(case, name, subject, pos),
                    None => Ok(()),
                }
            }
            PatternKind::MatchOr { patterns } => self.or_pattern(pos, patterns, subject, case),
        }
    }

    fn emit_test(&mut self, pos: Position, op: Opcode, subject: Opnd, case: &mut Case) {
        let fail = self.fail_label(case);
        let depth = self.depth();
        let temp = self.unit.code.alloc();
        self.emit(pos, op, 0, temp, subject, Opnd::NO);
        self.unit
            .code
            .emit_jump(pos, Opcode::POP_JUMP_IF_FALSE, 0, temp.take(), Opnd::NO, fail);
        self.set_depth(depth);
    }

    /// Fails unless `len(subject)` compares with `count`.
    fn check_len(
        &mut self,
        pos: Position,
        subject: Opnd,
        op: crate::bytecode::CmpOp,
        count: usize,
        case: &mut Case,
    ) {
        let fail = self.fail_label(case);
        let depth = self.depth();
        let temp = self.unit.code.alloc();
        self.emit(pos, Opcode::GET_LEN, 0, temp, subject, Opnd::NO);
        let count = self.constant(pos, Constant::Int(count as i64), Dest::Any);
        self.unit.code.emit_jump(
            pos,
            Opcode::COMPARE_JUMP,
            op as u8,
            temp.take(),
            count.take(),
            fail,
        );
        self.set_depth(depth);
    }

    fn sequence(
        &mut self,
        pos: Position,
        patterns: &'a [Pattern],
        subject: Opnd,
        case: &mut Case,
    ) -> Result<()> {
        let is_star = |p: &Pattern| matches!(p.kind, PatternKind::MatchStar { .. });
        let is_wildcard = |p: &Pattern| {
            matches!(
                p.kind,
                PatternKind::MatchAs {
                    pattern: None,
                    name: None
                }
            )
        };
        let star = patterns.iter().position(is_star);
        if let Some(star) = star
            && patterns[star + 1..].iter().any(is_star)
        {
            return self.error("multiple starred names in sequence pattern", pos);
        }
        let size = patterns.len();
        self.emit_test(pos, Opcode::MATCH_SEQUENCE, subject, case);
        match star {
            None => self.check_len(pos, subject, crate::bytecode::CmpOp::Eq, size, case),
            Some(_) if size > 1 => self.check_len(pos, subject, crate::bytecode::CmpOp::Ge, size - 1, case),
            Some(_) => {}
        }
        let star_wildcard =
            star.is_some_and(|s| matches!(patterns[s].kind, PatternKind::MatchStar { name: None }));
        let only_wildcards = patterns
            .iter()
            .enumerate()
            .all(|(i, p)| is_wildcard(p) || star == Some(i) && star_wildcard);
        if only_wildcards {
            return Ok(());
        }
        if star_wildcard {
            return self.sequence_by_index(patterns, star.unwrap_or(0), subject, case);
        }
        let base = self.depth();
        match star {
            Some(star) => {
                if star > 255 {
                    return self.error("too many expressions in star-unpacking sequence pattern", pos);
                }
                let after = Opnd::raw((size - star - 1) as u32);
                self.emit(
                    pos,
                    Opcode::UNPACK_EX,
                    star as u8,
                    Opnd::temp(base),
                    subject,
                    after,
                );
            }
            None => {
                self.emit(
                    pos,
                    Opcode::UNPACK_SEQUENCE,
                    0,
                    Opnd::temp(base),
                    subject,
                    Opnd::raw(size as u32),
                );
            }
        }
        self.set_depth(base + size as u32);
        for (index, item) in patterns.iter().enumerate() {
            let reg = Opnd::temp(base + index as u32);
            match &item.kind {
                PatternKind::MatchStar { name: Some(name) } => self.capture(case, name, reg, item.pos)?,
                PatternKind::MatchStar { name: None } => {}
                _ => self.pattern(item, reg, case, true)?,
            }
        }
        Ok(())
    }

    /// With a `*_`, only the items that matter are fetched.
    fn sequence_by_index(
        &mut self,
        patterns: &'a [Pattern],
        star: usize,
        subject: Opnd,
        case: &mut Case,
    ) -> Result<()> {
        for (index, item) in patterns.iter().enumerate() {
            if index == star
                || matches!(
                    item.kind,
                    PatternKind::MatchAs {
                        pattern: None,
                        name: None
                    }
                )
            {
                continue;
            }
            let temp = self.unit.code.alloc();
            let key = if index < star {
                self.constant(item.pos, Constant::Int(index as i64), Dest::Any)
            } else {
                self.emit(item.pos, Opcode::GET_LEN, 0, temp, subject, Opnd::NO);
                let back = self.constant(
                    item.pos,
                    Constant::Int((patterns.len() - index) as i64),
                    Dest::Any,
                );
                let subtract = crate::bytecode::BinaryOp::Subtract as u8;
                self.emit(item.pos, Opcode::BINARY_OP, subtract, temp, temp.take(), back);
                temp.take()
            };
            self.emit(item.pos, Opcode::LOAD_SUBSCR, 0, temp, subject, key);
            self.pattern(item, temp, case, true)?;
        }
        Ok(())
    }

    fn mapping(
        &mut self,
        pos: Position,
        keys: &'a [Expr],
        patterns: &'a [Pattern],
        rest: Option<&'a Ident>,
        subject: Opnd,
        case: &mut Case,
    ) -> Result<()> {
        if keys.len() != patterns.len() {
            return Err(CompileError::plain(
                ErrorKind::ValueError,
                format!(
                    "keys ({}) / patterns ({}) length mismatch in mapping pattern",
                    keys.len(),
                    patterns.len()
                ),
            ));
        }
        self.emit_test(pos, Opcode::MATCH_MAPPING, subject, case);
        if keys.is_empty() && rest.is_none() {
            return Ok(());
        }
        if !keys.is_empty() {
            self.check_len(pos, subject, crate::bytecode::CmpOp::Ge, keys.len(), case);
        }
        self.check_mapping_keys(pos, keys)?;
        let count = keys.len() as u32;
        let key_tuple = self.unit.code.alloc();
        if !keys.is_empty() {
            // The tuple of keys stays: `**rest` needs it.
            self.set_depth(key_tuple.index());
            for key in keys {
                self.push(key)?;
            }
            self.set_depth(key_tuple.index() + 1);
            self.emit(
                pos,
                Opcode::BUILD_TUPLE,
                0,
                key_tuple,
                key_tuple,
                Opnd::raw(count),
            );
            let values = self.unit.code.alloc();
            self.emit(pos, Opcode::MATCH_KEYS, 0, values, subject, key_tuple);
            let fail = self.fail_label(case);
            self.unit
                .code
                .emit_jump(pos, Opcode::POP_JUMP_IF_NONE, 0, values, Opnd::NO, fail);
            let first = self.depth();
            self.emit(
                pos,
                Opcode::UNPACK_SEQUENCE,
                0,
                Opnd::temp(first),
                values,
                Opnd::raw(count),
            );
            self.set_depth(first + count);
            for (index, pattern) in patterns.iter().enumerate() {
                self.pattern(pattern, Opnd::temp(first + index as u32), case, true)?;
            }
        }
        if let Some(rest) = rest {
            let dict = self.unit.code.alloc();
            self.emit(pos, Opcode::BUILD_MAP, 0, dict, dict, Opnd::NO);
            self.emit(pos, Opcode::DICT_UPDATE, 0, dict, subject, Opnd::NO);
            if !keys.is_empty() {
                let first = self.depth();
                self.emit(
                    pos,
                    Opcode::UNPACK_SEQUENCE,
                    0,
                    Opnd::temp(first),
                    key_tuple,
                    Opnd::raw(count),
                );
                self.set_depth(first + count);
                for index in 0..count {
                    let key = Opnd::temp(first + index).take();
                    self.emit(pos, Opcode::DELETE_SUBSCR, 0, dict, key, Opnd::NO);
                }
                self.set_depth(first);
            }
            self.capture(case, rest, dict, pos)?;
        }
        Ok(())
    }

    fn check_mapping_keys(&self, pos: Position, keys: &[Expr]) -> Result<()> {
        let mut seen: FxHashSet<String> = FxHashSet::default();
        for key in keys {
            match &key.kind {
                ExprKind::Constant { value, .. } => {
                    let text = unparse_key(value);
                    if !seen.insert(key_identity(value)) {
                        return self.error(format!("mapping pattern checks duplicate key ({text})"), pos);
                    }
                }
                ExprKind::Attribute { .. } => {}
                _ => {
                    return self.error(
                        "mapping pattern keys may only match literals and attribute lookups",
                        key.pos,
                    );
                }
            }
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)] // a class pattern has that many parts
    fn class_pattern(
        &mut self,
        pos: Position,
        cls: &'a Expr,
        patterns: &'a [Pattern],
        kwd_attrs: &'a [Ident],
        kwd_patterns: &'a [Pattern],
        subject: Opnd,
        case: &mut Case,
    ) -> Result<()> {
        for (index, attr) in kwd_attrs.iter().enumerate() {
            if let Some(again) = kwd_attrs[index + 1..].iter().position(|other| other == attr) {
                let place = kwd_patterns[index + 1 + again].pos;
                return self.error(
                    format!("attribute name repeated in class pattern: '{attr}'"),
                    place,
                );
            }
        }
        let depth = self.depth();
        let class = self.operand(cls, &[])?;
        let names = kwd_attrs
            .iter()
            .map(|name| Constant::Str(PyStr::from(name.as_str())))
            .collect();
        let names = self.constant(pos, Constant::Tuple(names), Dest::Any);
        self.set_depth(depth);
        let values = self.unit.code.alloc();
        let ins = self.emit(pos, Opcode::MATCH_CLASS, 0, values, subject, class);
        ins.ext = names.take();
        ins.ext_count = patterns.len() as u16;
        let fail = self.fail_label(case);
        self.unit
            .code
            .emit_jump(pos, Opcode::POP_JUMP_IF_NONE, 0, values, Opnd::NO, fail);
        let first = self.depth();
        let count = (patterns.len() + kwd_patterns.len()) as u32;
        if count == 0 {
            return Ok(());
        }
        self.emit(
            pos,
            Opcode::UNPACK_SEQUENCE,
            0,
            Opnd::temp(first),
            values,
            Opnd::raw(count),
        );
        self.set_depth(first + count);
        for (index, pattern) in patterns.iter().chain(kwd_patterns).enumerate() {
            self.pattern(pattern, Opnd::temp(first + index as u32), case, true)?;
        }
        Ok(())
    }

    /// Each alternative moves what it captured to the same temporaries.
    fn or_pattern(
        &mut self,
        pos: Position,
        patterns: &'a [Pattern],
        subject: Opnd,
        case: &mut Case,
    ) -> Result<()> {
        let mut names: Vec<Ident> = Vec::new();
        for (index, pattern) in patterns.iter().enumerate() {
            if index + 1 < patterns.len() {
                self.check_irrefutable(pattern)?;
            }
            let mut bound = Vec::new();
            bound_names(pattern, &mut bound);
            bound.sort();
            bound.dedup();
            if std::ptr::eq(pattern, &patterns[0]) {
                names = bound;
            } else if names != bound {
                return self.error("alternative patterns bind different names", pos);
            }
        }
        // The registers of the names, empty until an alternative matches.
        let base = self.depth();
        self.set_depth(base + names.len() as u32);
        let end = self.new_label();
        for (index, pattern) in patterns.iter().enumerate() {
            let last = index + 1 == patterns.len();
            if !last {
                self.check_irrefutable(pattern)?;
            }
            let mut inner = Case {
                base: self.depth(),
                fail: Vec::new(),
                captures: Vec::new(),
            };
            self.pattern(pattern, subject, &mut inner, last)?;
            for (name, reg, _) in &inner.captures {
                let slot = names.iter().position(|other| other == name).unwrap_or(0);
                let dst = Opnd::temp(base + slot as u32);
                self.emit(pos, Opcode::COPY, 0, dst, reg.borrow(), Opnd::NO);
            }
            for temp in (inner.base..self.depth()).rev() {
                self.emit(pos, Opcode::CLEAR, 0, Opnd::temp(temp), Opnd::NO, Opnd::NO);
            }
            self.set_depth(inner.base);
            self.emit_jump(Position::NONE, end);
            self.emit_failures(pos, &mut inner);
        }
        self.set_depth(base + names.len() as u32);
        let fail = self.fail_label(case);
        self.emit_jump(pos, fail);
        self.bind(end);
        for (slot, name) in names.iter().enumerate() {
            self.capture(case, name, Opnd::temp(base + slot as u32), pos)?;
        }
        Ok(())
    }
}

/// All names that a pattern binds.
fn bound_names(pattern: &Pattern, names: &mut Vec<Ident>) {
    match &pattern.kind {
        PatternKind::MatchValue { .. } | PatternKind::MatchSingleton { .. } => {}
        PatternKind::MatchSequence { patterns } | PatternKind::MatchOr { patterns } => {
            patterns.iter().for_each(|p| bound_names(p, names));
        }
        PatternKind::MatchMapping { patterns, rest, .. } => {
            patterns.iter().for_each(|p| bound_names(p, names));
            names.extend(rest.clone());
        }
        PatternKind::MatchClass {
            patterns,
            kwd_patterns,
            ..
        } => {
            patterns
                .iter()
                .chain(kwd_patterns)
                .for_each(|p| bound_names(p, names));
        }
        PatternKind::MatchStar { name } => names.extend(name.clone()),
        PatternKind::MatchAs { pattern, name } => {
            pattern.iter().for_each(|p| bound_names(p, names));
            names.extend(name.clone());
        }
    }
}

/// Equal for constants that are equal in Python: numbers compare across types.
fn key_identity(value: &Constant) -> String {
    match value {
        Constant::True => "1".into(),
        Constant::False => "0".into(),
        Constant::Float(f) | Constant::Complex(f, 0.0) if f.fract() == 0.0 && f.abs() < 1e15 => {
            (*f as i64).to_string()
        }
        Constant::Complex(f, 0.0) => format!("{:?}", Constant::Float(*f)),
        Constant::Int(i) => i.to_string(),
        other => format!("{other:?}"),
    }
}

fn unparse_key(value: &Constant) -> String {
    crate::unparse::constant(value)
}
