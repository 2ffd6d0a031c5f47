//! Code words as `re._compiler` (or anybody) made them -> words that the engine can run.
//!
//! The engine believes its code. So whatever comes in is read whole, construct by construct, and written anew: an operand out of
//! range, a skip that leads into the middle of something, a body that is not ended as it must be are refused. What the engine sees
//! otherwise than `re` means it is written as other constructs: a set that ignores case by the locale.

use adder_runtime::prelude::*;
use adder_runtime::thread::check_native_stack;
use rustpython_sre_engine::{MAXREPEAT, SreAtCode, SreCatCode, SreInfo, SreOpcode};

/// Why words are refused.
enum Refused {
    Invalid,
    Raised(Raised),
}

use Refused::Invalid;

type Read<T = ()> = Result<T, Refused>;

/// Checks and rewrites the words of a whole pattern.
pub fn admit(code: &[u32], n_groups: isize) -> PyResult<Box<[u32]>> {
    let invalid = || raise!(RuntimeError, "invalid SRE code");
    let n_groups = usize::try_from(n_groups)
        .ok()
        .filter(|groups| *groups <= super::MAX_GROUPS)
        .ok_or_else(invalid)?;
    let mut pattern = Pattern { code, n_groups, out: Vec::with_capacity(code.len()) };
    match pattern.whole() {
        Ok(()) => Ok(pattern.out.into_boxed_slice()),
        Err(Invalid) => Err(invalid()),
        Err(Refused::Raised(raised)) => Err(raised),
    }
}

const CHARSET_WORDS: usize = 8;
const BLOCK_INDEX_WORDS: usize = 64;

fn ensure(holds: bool) -> Read {
    if holds { Ok(()) } else { Err(Invalid) }
}

struct Pattern<'a> {
    code: &'a [u32],
    n_groups: usize,
    out: Vec<u32>,
}

impl Pattern<'_> {
    fn whole(&mut self) -> Read {
        let end = self.code.len().checked_sub(1).ok_or(Invalid)?;
        self.body(0, end)?;
        self.ended_by(end, SreOpcode::SUCCESS)
    }
    fn word(&self, at: usize) -> Read<u32> {
        self.code.get(at).copied().ok_or(Invalid)
    }
    fn opcode(&self, at: usize) -> Read<SreOpcode> {
        SreOpcode::try_from(self.word(at)?).map_err(|_| Invalid)
    }
    fn emit(&mut self, opcode: SreOpcode) {
        self.out.push(opcode as u32);
    }
    fn copy(&mut self, from: usize, to: usize) -> Read {
        let words = self.code.get(from..to).ok_or(Invalid)?;
        self.out.extend_from_slice(words);
        Ok(())
    }
    /// The word at `at` must be that opcode; it is written.
    fn ended_by(&mut self, at: usize, opcode: SreOpcode) -> Read {
        ensure(self.opcode(at)? == opcode)?;
        self.emit(opcode);
        Ok(())
    }
    /// Where the skip at `at` leads, which is no further than `end`.
    fn target(&self, at: usize, end: usize) -> Read<usize> {
        let target = at.checked_add(self.word(at)? as usize).ok_or(Invalid)?;
        ensure(target > at && target <= end)?;
        Ok(target)
    }
    /// Leaves a word for a skip.
    fn open_skip(&mut self) -> usize {
        self.out.push(0);
        self.out.len() - 1
    }
    /// The skip leads to what is written next.
    fn close_skip(&mut self, place: usize) {
        self.out[place] = (self.out.len() - place) as u32;
    }
    /// A sequence of constructs that fills the words from `at` to `end`.
    fn body(&mut self, at: usize, end: usize) -> Read {
        ensure(self.sequence(at, end)? == end)
    }
    /// As `body`; a jump may be the last thing in it. Returns where it stopped: there, or at the end.
    fn sequence(&mut self, mut at: usize, end: usize) -> Read<usize> {
        check_native_stack(" while reading a regular expression's code").map_err(Refused::Raised)?;
        ensure(end <= self.code.len())?;
        while at < end {
            if self.opcode(at)? == SreOpcode::JUMP {
                break;
            }
            at = self.construct(at, end)?;
            ensure(at <= end)?;
        }
        Ok(at)
    }

    fn construct(&mut self, at: usize, end: usize) -> Read<usize> {
        use SreOpcode::*;
        let opcode = self.opcode(at)?;
        match opcode {
            ANY | ANY_ALL | FAILURE => {
                self.emit(opcode);
                Ok(at + 1)
            }
            LITERAL | NOT_LITERAL | LITERAL_IGNORE | NOT_LITERAL_IGNORE | LITERAL_LOC_IGNORE
            | NOT_LITERAL_LOC_IGNORE | LITERAL_UNI_IGNORE | NOT_LITERAL_UNI_IGNORE => self.with_operand(at, |_| true),
            AT => self.with_operand(at, |operand| SreAtCode::try_from(operand).is_ok()),
            CATEGORY => self.with_operand(at, |operand| SreCatCode::try_from(operand).is_ok()),
            MARK => {
                let n_marks = 2 * self.n_groups;
                self.with_operand(at, |mark| (mark as usize) < n_marks)
            }
            GROUPREF | GROUPREF_IGNORE | GROUPREF_LOC_IGNORE | GROUPREF_UNI_IGNORE => {
                let n_groups = self.n_groups;
                self.with_operand(at, |group| (group as usize) < n_groups)
            }
            IN | IN_IGNORE | IN_UNI_IGNORE | IN_LOC_IGNORE => self.set(at, end),
            INFO => self.info(at, end),
            BRANCH => self.branch(at, end),
            ASSERT | ASSERT_NOT => self.assertion(at, end),
            ATOMIC_GROUP => self.atomic_group(at, end),
            REPEAT | POSSESSIVE_REPEAT => self.repeat(at, end),
            REPEAT_ONE | MIN_REPEAT_ONE | POSSESSIVE_REPEAT_ONE => self.repeat_one(at, end),
            GROUPREF_EXISTS => self.conditional(at, end),
            SUCCESS | JUMP | MAX_UNTIL | MIN_UNTIL | CHARSET | BIGCHARSET | NEGATE | RANGE | RANGE_UNI_IGNORE
            | SUBPATTERN => Err(Invalid),
        }
    }
    fn with_operand(&mut self, at: usize, is_valid: impl Fn(u32) -> bool) -> Read<usize> {
        ensure(is_valid(self.word(at + 1)?))?;
        self.copy(at, at + 2)?;
        Ok(at + 2)
    }

    /// The places of the members of a set that fills the words from `at` to `end`, a FAILURE at last.
    fn members(&self, mut at: usize, end: usize) -> Read<Vec<usize>> {
        let last = end.checked_sub(1).ok_or(Invalid)?;
        ensure(self.opcode(last)? == SreOpcode::FAILURE)?;
        let mut members = Vec::new();
        while at < last {
            members.push(at);
            at += match self.opcode(at)? {
                SreOpcode::NEGATE => 1,
                SreOpcode::LITERAL => 2,
                SreOpcode::RANGE | SreOpcode::RANGE_UNI_IGNORE => 3,
                SreOpcode::CHARSET => 1 + CHARSET_WORDS,
                SreOpcode::CATEGORY => {
                    ensure(SreCatCode::try_from(self.word(at + 1)?).is_ok())?;
                    2
                }
                SreOpcode::BIGCHARSET => {
                    let n_blocks = self.word(at + 1)? as usize;
                    let indices = self.code.get(at + 2..at + 2 + BLOCK_INDEX_WORDS).ok_or(Invalid)?;
                    let in_range = |word: &u32| word.to_ne_bytes().into_iter().all(|index| usize::from(index) < n_blocks);
                    ensure(indices.iter().all(in_range))?;
                    2 + BLOCK_INDEX_WORDS + n_blocks * CHARSET_WORDS
                }
                _ => return Err(Invalid),
            };
        }
        ensure(at == last)?;
        Ok(members)
    }
    /// <IN> <skip> <set>
    fn set(&mut self, at: usize, end: usize) -> Read<usize> {
        let next = self.target(at + 1, end)?;
        let members = self.members(at + 2, next)?;
        if self.opcode(at)? == SreOpcode::IN_LOC_IGNORE {
            self.set_by_locale(members, next - 1)?;
        } else {
            self.copy(at, next)?;
        }
        Ok(next)
    }
    /// The engine asks a set for a character and its capital letter, and takes it when one of them is in the set: of a complement,
    /// nearly everything. What is before a complement sign is in the set, what is after it is not, and so on in turn: so the set is
    /// an alternative of what is before the sign and, if that is not there, the rest; or what must not follow, and then the rest.
    fn set_by_locale(&mut self, members: Vec<usize>, end: usize) -> Read {
        let Some(&at) = members.first() else {
            self.emit(SreOpcode::FAILURE);
            return Ok(());
        };
        let mut places = members;
        let mut jumps = Vec::new();
        let mut from = at;
        let mut is_inside = true;
        places.retain(|place| self.code[*place] == SreOpcode::NEGATE as u32);
        places.push(end);
        for to in places {
            let is_last = to == end;
            match (is_inside, from < to) {
                (true, true) if is_last => self.plain_by_locale(from, to)?,
                (true, true) => {
                    self.emit(SreOpcode::BRANCH);
                    let skip = self.open_skip();
                    self.plain_by_locale(from, to)?;
                    self.emit(SreOpcode::JUMP);
                    let jump = self.open_skip();
                    self.close_skip(skip);
                    let rest = self.open_skip();
                    jumps.push((jump, rest));
                }
                (true, false) if is_last => self.emit(SreOpcode::FAILURE),
                (false, has_members) => {
                    if has_members {
                        self.emit(SreOpcode::ASSERT_NOT);
                        let skip = self.open_skip();
                        self.out.push(0);
                        self.plain_by_locale(from, to)?;
                        self.emit(SreOpcode::SUCCESS);
                        self.close_skip(skip);
                    }
                    if is_last {
                        self.emit(SreOpcode::ANY_ALL);
                    }
                }
                (true, false) => {}
            }
            is_inside = !is_inside;
            from = to + 1;
        }
        // The branches end from the innermost out: each `rest` jumps over its own end.
        for (jump, rest) in jumps.into_iter().rev() {
            self.emit(SreOpcode::JUMP);
            let own = self.open_skip();
            self.close_skip(rest);
            self.out.push(0);
            self.close_skip(jump);
            self.close_skip(own);
        }
        Ok(())
    }
    /// Members without a complement sign. Small letters that are members are asked for one by one, for the engine to compare with
    /// a character's small letter.
    fn plain_by_locale(&mut self, from: usize, to: usize) -> Read {
        let letters = self.small_letters(from, to);
        let mut jumps = Vec::new();
        if !letters.is_empty() {
            self.emit(SreOpcode::BRANCH);
        }
        let n_alternatives = 1 + letters.len();
        for letter in std::iter::once(None).chain(letters.into_iter().map(Some)) {
            let skip = (n_alternatives > 1).then(|| self.open_skip());
            match letter {
                None => {
                    self.emit(SreOpcode::IN_LOC_IGNORE);
                    let skip = self.open_skip();
                    self.copy(from, to)?;
                    self.emit(SreOpcode::FAILURE);
                    self.close_skip(skip);
                }
                Some(letter) => {
                    self.emit(SreOpcode::LITERAL_LOC_IGNORE);
                    self.out.push(letter);
                }
            }
            if let Some(skip) = skip {
                self.emit(SreOpcode::JUMP);
                jumps.push(self.open_skip());
                self.close_skip(skip);
            }
        }
        if !jumps.is_empty() {
            self.out.push(0);
        }
        for jump in jumps {
            self.close_skip(jump);
        }
        Ok(())
    }
    /// The members, of checked words, that are small letters in some locale: those of ASCII, and any byte beyond.
    fn small_letters(&self, mut at: usize, to: usize) -> Vec<u32> {
        let mut is_member = [false; 256];
        while at < to {
            let word = |place: usize| self.code[at + place];
            at += match SreOpcode::try_from(self.code[at]) {
                Ok(SreOpcode::LITERAL) => {
                    if let Some(member) = is_member.get_mut(word(1) as usize) {
                        *member = true;
                    }
                    2
                }
                Ok(SreOpcode::RANGE | SreOpcode::RANGE_UNI_IGNORE) => {
                    for character in word(1)..=word(2).min(255) {
                        is_member[character as usize] = true;
                    }
                    3
                }
                Ok(SreOpcode::CHARSET) => {
                    for (character, member) in is_member.iter_mut().enumerate() {
                        *member |= word(1 + character / 32) >> (character % 32) & 1 != 0;
                    }
                    1 + CHARSET_WORDS
                }
                Ok(SreOpcode::BIGCHARSET) => {
                    // Of the first block, that of the bytes.
                    let block = word(2).to_ne_bytes()[0] as usize;
                    let bits = 2 + BLOCK_INDEX_WORDS + block * CHARSET_WORDS;
                    for (character, member) in is_member.iter_mut().enumerate() {
                        *member |= word(bits + character / 32) >> (character % 32) & 1 != 0;
                    }
                    2 + BLOCK_INDEX_WORDS + word(1) as usize * CHARSET_WORDS
                }
                Ok(SreOpcode::CATEGORY) => 2,
                _ => 1,
            };
        }
        let is_letter = |character: &u32| matches!(*character, 0x61..=0x7A | 0x80..=0xFF) && is_member[*character as usize];
        (0..256).filter(is_letter).collect()
    }

    /// <INFO> <skip> <flags> <min> <max>, then <length> <skip> <prefix> <overlap table>, or a set.
    fn info(&mut self, at: usize, end: usize) -> Read<usize> {
        let next = self.target(at + 1, end)?;
        let flags = SreInfo::from_bits(self.word(at + 2)?).ok_or(Invalid)?;
        let data = at + 5;
        ensure(data <= next)?;
        let (has_prefix, has_set) = (flags.contains(SreInfo::PREFIX), flags.contains(SreInfo::CHARSET));
        ensure(!(has_prefix && has_set) && (has_prefix || !flags.contains(SreInfo::LITERAL)))?;
        if has_prefix {
            let (len, skip) = (self.word(data)? as usize, self.word(data + 1)? as usize);
            ensure(len > 0 && skip <= len && next == data + 2 + 2 * len)?;
            let prefix = self.code.get(data + 2..data + 2 + len).ok_or(Invalid)?;
            let overlap = self.code.get(data + 2 + len..next).ok_or(Invalid)?;
            ensure(overlap.iter().enumerate().all(|(place, overlap)| *overlap as usize <= place))?;
            // A search goes on behind the first literals, which it has compared.
            let literals = self.code.get(next..next + 2 * skip).ok_or(Invalid)?;
            let is_literal = |(pair, character): (&[u32], &u32)| pair == [SreOpcode::LITERAL as u32, *character];
            ensure(literals.chunks_exact(2).zip(prefix).all(is_literal))?;
        } else if has_set {
            self.members(data, next)?;
        } else {
            ensure(next == data)?;
        }
        self.copy(at, next)?;
        Ok(next)
    }
    /// <BRANCH> (<skip> alternative <JUMP> <to the end>)... <0>
    fn branch(&mut self, at: usize, end: usize) -> Read<usize> {
        self.emit(SreOpcode::BRANCH);
        let mut jumps = Vec::new();
        let mut place = at + 1;
        let mut after = None;
        while self.word(place)? != 0 {
            let next = self.target(place, end)?;
            let jump = next.checked_sub(2).filter(|jump| *jump > place).ok_or(Invalid)?;
            let skip = self.open_skip();
            ensure(self.sequence(place + 1, jump)? == jump)?;
            self.ended_by(jump, SreOpcode::JUMP)?;
            let target = self.target(jump + 1, end)?;
            ensure(*after.get_or_insert(target) == target)?;
            jumps.push(self.open_skip());
            self.close_skip(skip);
            place = next;
        }
        ensure(after == Some(place + 1))?;
        self.out.push(0);
        for jump in jumps {
            self.close_skip(jump);
        }
        Ok(place + 1)
    }
    /// <ASSERT> <skip> <back> pattern <SUCCESS>
    fn assertion(&mut self, at: usize, end: usize) -> Read<usize> {
        let next = self.target(at + 1, end)?;
        self.copy(at, at + 1)?;
        let skip = self.open_skip();
        self.copy(at + 2, at + 3)?;
        self.body(at + 3, next - 1)?;
        self.ended_by(next - 1, SreOpcode::SUCCESS)?;
        self.close_skip(skip);
        Ok(next)
    }
    /// <ATOMIC_GROUP> <skip> pattern <SUCCESS>
    fn atomic_group(&mut self, at: usize, end: usize) -> Read<usize> {
        let next = self.target(at + 1, end)?;
        self.copy(at, at + 1)?;
        let skip = self.open_skip();
        self.body(at + 2, next - 1)?;
        self.ended_by(next - 1, SreOpcode::SUCCESS)?;
        self.close_skip(skip);
        Ok(next)
    }
    fn counts(&mut self, at: usize) -> Read {
        let (least, most) = (self.word(at)? as usize, self.word(at + 1)? as usize);
        ensure(least <= most && most <= MAXREPEAT)?;
        self.copy(at, at + 2)
    }
    /// <REPEAT> <skip> <min> <max> pattern, and behind that an UNTIL; or SUCCESS, of a possessive one.
    fn repeat(&mut self, at: usize, end: usize) -> Read<usize> {
        let until = self.target(at + 1, end)?;
        ensure(until < end)?;
        self.copy(at, at + 1)?;
        let skip = self.open_skip();
        self.counts(at + 2)?;
        self.body(at + 4, until)?;
        self.close_skip(skip);
        let is_possessive = self.opcode(at)? == SreOpcode::POSSESSIVE_REPEAT;
        ensure(match self.opcode(until)? {
            SreOpcode::MAX_UNTIL | SreOpcode::MIN_UNTIL => !is_possessive,
            SreOpcode::SUCCESS => is_possessive,
            _ => false,
        })?;
        self.copy(until, until + 1)?;
        Ok(until + 1)
    }
    /// <REPEAT_ONE> <skip> <min> <max> item <SUCCESS>
    fn repeat_one(&mut self, at: usize, end: usize) -> Read<usize> {
        let next = self.target(at + 1, end)?;
        self.copy(at, at + 1)?;
        let skip = self.open_skip();
        self.counts(at + 2)?;
        ensure(at + 4 < next - 1)?;
        self.body(at + 4, next - 1)?;
        self.ended_by(next - 1, SreOpcode::SUCCESS)?;
        self.close_skip(skip);
        Ok(next)
    }
    /// <GROUPREF_EXISTS> <group> <skip> pattern [<JUMP> <skip> pattern], the first skip being one more than to where it leads.
    fn conditional(&mut self, at: usize, end: usize) -> Read<usize> {
        ensure((self.word(at + 1)? as usize) < self.n_groups)?;
        let otherwise = at.checked_add(self.word(at + 2)? as usize + 1).ok_or(Invalid)?;
        ensure(otherwise >= at + 3 && otherwise <= end)?;
        self.copy(at, at + 2)?;
        let skip = self.open_skip();
        let stop = self.sequence(at + 3, otherwise)?;
        let mut next = otherwise;
        if stop < otherwise {
            ensure(stop + 2 == otherwise)?;
            next = self.target(stop + 1, end)?;
            self.emit(SreOpcode::JUMP);
            let jump = self.open_skip();
            self.out[skip] = (self.out.len() - skip + 1) as u32;
            self.body(otherwise, next)?;
            self.close_skip(jump);
        } else {
            self.out[skip] = (self.out.len() - skip + 1) as u32;
        }
        Ok(next)
    }
}
