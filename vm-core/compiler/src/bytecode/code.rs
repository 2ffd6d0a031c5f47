//! Code objects as data: instructions, constants, exception table, locations.
//! Comes in: what `codegen` assembles. Goes out: what the runtime makes `code` objects from (and `.pyc` files).

use num_bigint::BigInt;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::opcode::{NO_REG, Opcode, SRC_CONST, SRC_INDEX, SRC_TAKE};

/// One instruction word; also the shape in which extension words are stored (see `opcode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(C, align(8))]
pub struct Instr {
    pub op: u8,
    pub x: u8,
    pub a: u16,
    pub b: u16,
    pub c: u16,
}

impl Instr {
    pub const fn new(op: Opcode, x: u8, a: u16, b: u16, c: u16) -> Instr {
        Instr {
            op: op as u8,
            x,
            a,
            b,
            c,
        }
    }

    /// The word as a little-endian number: `op` is the lowest byte.
    pub const fn to_u64(self) -> u64 {
        self.op as u64
            | (self.x as u64) << 8
            | (self.a as u64) << 16
            | (self.b as u64) << 32
            | (self.c as u64) << 48
    }

    pub const fn from_u64(word: u64) -> Instr {
        Instr {
            op: word as u8,
            x: (word >> 8) as u8,
            a: (word >> 16) as u16,
            b: (word >> 32) as u16,
            c: (word >> 48) as u16,
        }
    }

    /// The 32-bit number in b (low) and c (high): jump target or constant index.
    pub const fn target(self) -> u32 {
        self.b as u32 | (self.c as u32) << 16
    }

    /// The low 32 bits of an extension word.
    pub const fn ext_low(self) -> u32 {
        self.to_u64() as u32
    }
}

/// Decoded `Src` operand, for tools; the interpreter looks at the bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SrcOperand {
    Const(u16),
    Borrow(u16),
    Take(u16),
    Absent,
}

impl SrcOperand {
    pub const fn decode(raw: u16) -> SrcOperand {
        if raw == NO_REG {
            SrcOperand::Absent
        } else if raw & SRC_CONST != 0 {
            SrcOperand::Const(raw & SRC_INDEX)
        } else if raw & SRC_TAKE != 0 {
            SrcOperand::Take(raw & SRC_INDEX)
        } else {
            SrcOperand::Borrow(raw)
        }
    }

    pub const fn encode(self) -> u16 {
        match self {
            SrcOperand::Const(index) => SRC_CONST | index,
            SrcOperand::Borrow(reg) => reg,
            SrcOperand::Take(reg) => SRC_TAKE | reg,
            SrcOperand::Absent => NO_REG,
        }
    }
}

/// CPython's `CO_*` flags.
pub mod code_flags {
    pub const OPTIMIZED: u32 = 0x1;
    pub const NEWLOCALS: u32 = 0x2;
    pub const VARARGS: u32 = 0x4;
    pub const VARKEYWORDS: u32 = 0x8;
    pub const NESTED: u32 = 0x10;
    pub const GENERATOR: u32 = 0x20;
    pub const COROUTINE: u32 = 0x80;
    pub const ITERABLE_COROUTINE: u32 = 0x100;
    pub const ASYNC_GENERATOR: u32 = 0x200;
    pub const FUTURE_DIVISION: u32 = 0x2_0000;
    pub const FUTURE_ABSOLUTE_IMPORT: u32 = 0x4_0000;
    pub const FUTURE_WITH_STATEMENT: u32 = 0x8_0000;
    pub const FUTURE_PRINT_FUNCTION: u32 = 0x10_0000;
    pub const FUTURE_UNICODE_LITERALS: u32 = 0x20_0000;
    pub const FUTURE_BARRY_AS_BDFL: u32 = 0x40_0000;
    pub const FUTURE_GENERATOR_STOP: u32 = 0x80_0000;
    pub const FUTURE_ANNOTATIONS: u32 = 0x100_0000;
    pub const HAS_DOCSTRING: u32 = 0x400_0000;
    pub const METHOD: u32 = 0x800_0000;
}

/// Kind of a `localsplus` entry: CPython's `CO_FAST_*` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalKind(pub u8);

impl LocalKind {
    pub const ARG_POS: u8 = 0x02;
    pub const ARG_KW: u8 = 0x04;
    pub const ARG_VAR: u8 = 0x08;
    pub const HIDDEN: u8 = 0x10;
    pub const LOCAL: u8 = 0x20;
    pub const CELL: u8 = 0x40;
    pub const FREE: u8 = 0x80;

    pub const fn is_local(self) -> bool {
        self.0 & Self::LOCAL != 0
    }
    pub const fn is_cell(self) -> bool {
        self.0 & Self::CELL != 0
    }
    pub const fn is_free(self) -> bool {
        self.0 & Self::FREE != 0
    }
    pub const fn is_hidden(self) -> bool {
        self.0 & Self::HIDDEN != 0
    }
}

/// A Python string: WTF-8, that is UTF-8 that may also hold lone surrogates (3 bytes each).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PyStr(Box<[u8]>);

impl PyStr {
    /// From code points, surrogates included. Adjacent surrogates are not joined.
    pub fn from_code_points(points: impl IntoIterator<Item = u32>) -> PyStr {
        let mut bytes = Vec::new();
        for point in points {
            push_code_point(&mut bytes, point);
        }
        PyStr(bytes.into())
    }

    /// From bytes that are WTF-8.
    pub fn from_wtf8(bytes: Vec<u8>) -> PyStr {
        PyStr(bytes.into())
    }

    /// The text, if it has no lone surrogate.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    pub fn as_wtf8(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The code points, surrogates included.
    pub fn code_points(&self) -> impl Iterator<Item = u32> + '_ {
        let bytes = &self.0;
        let mut at = 0;
        std::iter::from_fn(move || {
            let first = *bytes.get(at)? as u32;
            let rest = |i: usize| bytes.get(at + i).map_or(0, |b| *b as u32 & 0x3F);
            let (point, len) = match first {
                0..=0x7F => (first, 1),
                0x80..=0xDF => ((first & 0x1F) << 6 | rest(1), 2),
                0xE0..=0xEF => ((first & 0x0F) << 12 | rest(1) << 6 | rest(2), 3),
                _ => ((first & 0x07) << 18 | rest(1) << 12 | rest(2) << 6 | rest(3), 4),
            };
            at += len;
            Some(point)
        })
    }
}

/// Appends one code point (surrogates as three bytes).
pub fn push_code_point(bytes: &mut Vec<u8>, point: u32) {
    match char::from_u32(point) {
        Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => bytes.extend_from_slice(&[
            0xE0 | (point >> 12) as u8 & 0x0F,
            0x80 | (point >> 6) as u8 & 0x3F,
            0x80 | point as u8 & 0x3F,
        ]),
    }
}

impl From<&str> for PyStr {
    fn from(text: &str) -> PyStr {
        PyStr(text.as_bytes().into())
    }
}

impl From<String> for PyStr {
    fn from(text: String) -> PyStr {
        PyStr(text.into_bytes().into())
    }
}

impl fmt::Debug for PyStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", crate::unparse::str_repr(self))
    }
}

/// A constant of a code object. Equality is identity of type and value: `1`, `1.0` and `True` differ, so do `0.0` and
/// `-0.0`; NaNs are equal by bits.
#[derive(Clone, Debug)]
pub enum Constant {
    None,
    True,
    False,
    Ellipsis,
    /// An integer that fits in 64 bits.
    Int(i64),
    /// An integer that does not.
    BigInt(Box<BigInt>),
    Float(f64),
    Complex(f64, f64),
    Str(PyStr),
    Bytes(Box<[u8]>),
    Tuple(Box<[Constant]>),
    FrozenSet(Box<[Constant]>),
    /// slice(start, stop, step) of constants.
    Slice(Box<[Constant; 3]>),
    Code(Box<CodeObject>),
}

impl PartialEq for Constant {
    fn eq(&self, other: &Constant) -> bool {
        use Constant::*;
        match (self, other) {
            (None, None) | (True, True) | (False, False) | (Ellipsis, Ellipsis) => true,
            (Int(l), Int(r)) => l == r,
            (BigInt(l), BigInt(r)) => l == r,
            (Float(l), Float(r)) => l.to_bits() == r.to_bits(),
            (Complex(lr, li), Complex(rr, ri)) => {
                lr.to_bits() == rr.to_bits() && li.to_bits() == ri.to_bits()
            }
            (Str(l), Str(r)) => l == r,
            (Bytes(l), Bytes(r)) => l == r,
            (Tuple(l), Tuple(r)) | (FrozenSet(l), FrozenSet(r)) => l == r,
            (Slice(l), Slice(r)) => l == r,
            _ => false, // code objects are never shared
        }
    }
}

impl Eq for Constant {}

impl Hash for Constant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Constant::None | Constant::True | Constant::False | Constant::Ellipsis => {}
            Constant::Int(value) => value.hash(state),
            Constant::BigInt(value) => value.hash(state),
            Constant::Float(value) => value.to_bits().hash(state),
            Constant::Complex(re, im) => (re.to_bits(), im.to_bits()).hash(state),
            Constant::Str(value) => value.hash(state),
            Constant::Bytes(value) => value.hash(state),
            Constant::Tuple(items) | Constant::FrozenSet(items) => items.hash(state),
            Constant::Slice(items) => items.hash(state),
            Constant::Code(code) => (code.firstlineno, &code.name).hash(state),
        }
    }
}

/// Where an instruction comes from. Lines from 1, columns in UTF-8 bytes from 0; -1: unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    pub line: i32,
    pub end_line: i32,
    pub col: i32,
    pub end_col: i32,
}

impl Position {
    /// No location: artificial instructions.
    pub const NONE: Position = Position {
        line: -1,
        end_line: -1,
        col: -1,
        end_col: -1,
    };
}

/// Positions of all words, run-length coded: each entry holds from its word index up to the next entry's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocationTable {
    pub runs: Vec<(u32, Position)>,
}

impl LocationTable {
    /// The position of the instruction at a word index.
    pub fn at(&self, index: u32) -> Position {
        match self.runs.partition_point(|run| run.0 <= index) {
            0 => Position::NONE,
            n => self.runs[n - 1].1,
        }
    }

    /// Adds the position of the words from `index` on; indices must grow.
    pub fn push(&mut self, index: u32, position: Position) {
        if self.runs.last().is_none_or(|run| run.1 != position) {
            self.runs.push((index, position));
        }
    }
}

/// A range of instructions and its handler. Entries are sorted by `start` and do not overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptionEntry {
    /// First word covered.
    pub start: u32,
    /// First word not covered.
    pub end: u32,
    /// Word index of the handler.
    pub handler: u32,
    /// Number of temporaries that stay.
    pub depth: u16,
    /// Whether the handler wants the index of the raising instruction before the exception.
    pub lasti: bool,
}

/// Everything that a Python code object is made from.
#[derive(Clone, Debug, Default)]
pub struct CodeObject {
    pub argcount: u32,
    pub posonlyargcount: u32,
    pub kwonlyargcount: u32,
    /// `code_flags`.
    pub flags: u32,
    pub name: PyStr,
    pub qualname: PyStr,
    pub filename: PyStr,
    pub firstlineno: u32,
    pub names: Vec<PyStr>,
    pub localsplus_names: Vec<PyStr>,
    pub localsplus_kinds: Vec<LocalKind>,
    /// Locals that are not only cells: `co_nlocals`.
    pub nlocals: u32,
    /// Temporaries needed at most; the frame has `localsplus + n_temps` registers.
    pub n_temps: u32,
    pub consts: Vec<Constant>,
    pub instructions: Vec<Instr>,
    pub exception_table: Vec<ExceptionEntry>,
    pub locations: LocationTable,
}

impl CodeObject {
    /// Register number of the first temporary.
    pub fn first_temp(&self) -> u16 {
        self.localsplus_names.len() as u16
    }

    /// The handler entry that covers a word index.
    pub fn handler_at(&self, index: u32) -> Option<&ExceptionEntry> {
        let n = self.exception_table.partition_point(|entry| entry.start <= index);
        let entry = self.exception_table.get(n.checked_sub(1)?)?;
        (index < entry.end).then_some(entry)
    }
}
