//! The instructions of one code object while it is being generated: operands name locals, cells and temporaries
//! symbolically, jump targets are labels. Goes to `assemble`.

use crate::ast::Ident;
use crate::bytecode::{Constant, Opcode, Position};
use crate::symtable::BlockId;
use indexmap::{IndexMap, IndexSet};
use rustc_hash::{FxBuildHasher, FxHashMap};

/// An operand: what it is in the high bits, its index in the low ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opnd(u32);

/// What an operand names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Space {
    Raw = 0,
    Local = 1,
    Cell = 2,
    Free = 3,
    Temp = 4,
    Const = 5,
    Absent = 6,
}

impl Opnd {
    const TAKE: u32 = 1 << 31;
    const INDEX: u32 = (1 << 24) - 1;
    /// Zero in an unused field.
    pub const NO: Opnd = Opnd(0);
    /// `NO_REG`.
    pub const ABSENT: Opnd = Opnd((Space::Absent as u32) << 24);

    pub const fn new(space: Space, index: u32) -> Opnd {
        Opnd((space as u32) << 24 | index)
    }
    pub const fn raw(value: u32) -> Opnd {
        Opnd::new(Space::Raw, value)
    }
    pub const fn temp(index: u32) -> Opnd {
        Opnd::new(Space::Temp, index)
    }
    pub const fn local(index: u32) -> Opnd {
        Opnd::new(Space::Local, index)
    }
    /// As a `Src` that consumes the temporary; other operands stay as they are.
    pub const fn take(self) -> Opnd {
        if matches!(self.space(), Space::Temp) {
            Opnd(self.0 | Opnd::TAKE)
        } else {
            self
        }
    }
    /// As a register, or a `Src` that borrows.
    pub const fn borrow(self) -> Opnd {
        Opnd(self.0 & !Opnd::TAKE)
    }
    pub const fn is_take(self) -> bool {
        self.0 & Opnd::TAKE != 0
    }
    pub const fn index(self) -> u32 {
        self.0 & Opnd::INDEX
    }
    pub const fn space(self) -> Space {
        match (self.0 >> 24) & 7 {
            0 => Space::Raw,
            1 => Space::Local,
            2 => Space::Cell,
            3 => Space::Free,
            4 => Space::Temp,
            5 => Space::Const,
            _ => Space::Absent,
        }
    }
    pub const fn is_local(self) -> bool {
        matches!(self.space(), Space::Local)
    }
    pub const fn is_temp(self) -> bool {
        matches!(self.space(), Space::Temp)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label(pub u32);

impl Label {
    pub const NONE: Label = Label(u32::MAX);
}

/// An instruction.
#[derive(Clone, Copy, Debug)]
pub struct Ins {
    pub op: Opcode,
    pub x: u8,
    pub a: Opnd,
    pub b: Opnd,
    pub c: Opnd,
    /// What the first extension word holds, other than a target.
    pub ext: Opnd,
    /// Count next to `ext` (MATCH_CLASS).
    pub ext_count: u16,
    pub target: Label,
    pub pos: Position,
    /// Index into `Code::handlers`, or `NO_HANDLER`.
    pub handler: u32,
}

pub const NO_HANDLER: u32 = u32::MAX;

/// An exception handler's entry.
#[derive(Clone, Copy, Debug)]
pub struct Handler {
    pub label: Label,
    pub depth: u32,
    pub lasti: bool,
}

/// Where a name of an inlined comprehension, or any local, lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    /// A plain local.
    Fast(Opnd),
    /// A cell or free variable.
    Deref(Opnd),
}

/// A local's entry.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalInfo {
    /// `LocalKind` bits of an argument.
    pub kind: u8,
    pub hidden: bool,
}

/// The growing body of a code object.
#[derive(Default)]
pub struct Code {
    pub ins: Vec<Ins>,
    /// Label -> index of the instruction after it.
    pub labels: Vec<u32>,
    pub handlers: Vec<Handler>,
    pub handler: Option<u32>,
    pub depth: u32,
    pub max_depth: u32,
    pub consts: IndexSet<Constant, FxBuildHasher>,
    pub names: IndexMap<Ident, (), FxBuildHasher>,
    pub locals: Vec<(Ident, LocalInfo)>,
    pub local_index: FxHashMap<Ident, u32>,
    pub hidden_index: FxHashMap<Ident, u32>,
    pub cells: Vec<(Ident, LocalInfo)>,
    pub cell_index: FxHashMap<Ident, u32>,
    pub hidden_cell_index: FxHashMap<Ident, u32>,
    pub frees: Vec<Ident>,
    pub free_index: FxHashMap<Ident, u32>,
    /// More names or registers than operands can address.
    pub overflow: Option<&'static str>,
}

impl Code {
    pub fn new_label(&mut self) -> Label {
        self.labels.push(u32::MAX);
        Label(self.labels.len() as u32 - 1)
    }

    /// Binds a label here.
    pub fn bind(&mut self, label: Label) {
        self.labels[label.0 as usize] = self.ins.len() as u32;
    }

    pub fn emit(&mut self, pos: Position, op: Opcode, x: u8, a: Opnd, b: Opnd, c: Opnd) -> &mut Ins {
        self.ins.push(Ins {
            op,
            x,
            a,
            b,
            c,
            ext: Opnd::NO,
            ext_count: 0,
            target: Label::NONE,
            pos,
            handler: self.handler.unwrap_or(NO_HANDLER),
        });
        let last = self.ins.len() - 1;
        &mut self.ins[last]
    }

    pub fn emit_jump(&mut self, pos: Position, op: Opcode, x: u8, a: Opnd, b: Opnd, target: Label) {
        self.emit(pos, op, x, a, b, Opnd::NO).target = target;
    }

    /// The next temporary.
    pub fn alloc(&mut self) -> Opnd {
        let temp = Opnd::temp(self.depth);
        self.set_depth(self.depth + 1);
        temp
    }

    pub fn set_depth(&mut self, depth: u32) {
        self.depth = depth;
        self.max_depth = self.max_depth.max(depth);
    }

    /// Opens a protected range: instructions from here on go to `label` when they raise. Returns the handler outside,
    /// for `end_handler`.
    pub fn begin_handler(&mut self, label: Label, depth: u32, lasti: bool) -> Option<u32> {
        self.handlers.push(Handler { label, depth, lasti });
        // The handler finds lasti and the exception above the temporaries that stay.
        self.max_depth = self.max_depth.max(depth + if lasti { 2 } else { 1 });
        self.handler.replace(self.handlers.len() as u32 - 1)
    }

    pub fn end_handler(&mut self, outer: Option<u32>) {
        self.handler = outer;
    }

    pub fn constant(&mut self, value: Constant) -> u32 {
        self.consts.insert_full(value).0 as u32
    }

    /// A name operand.
    pub fn name(&mut self, name: &Ident) -> Opnd {
        let index = match self.names.get_index_of(name) {
            Some(index) => index,
            None => self.names.insert_full(name.clone(), ()).0,
        };
        if index > 0xFFFE {
            self.overflow = Some("too many names in one code object");
        }
        Opnd::raw(index as u32)
    }

    /// The local with this name, made when first used.
    pub fn local(&mut self, name: &Ident) -> Opnd {
        if let Some(index) = self.local_index.get(name) {
            return Opnd::local(*index);
        }
        let index = self.locals.len() as u32;
        self.locals.push((name.clone(), LocalInfo::default()));
        self.local_index.insert(name.clone(), index);
        Opnd::local(index)
    }

    /// A local of an inlined comprehension that must not be mixed up with the scope's own name.
    pub fn hidden_local(&mut self, name: &Ident) -> Opnd {
        if let Some(index) = self.hidden_index.get(name) {
            return Opnd::local(*index);
        }
        let index = self.locals.len() as u32;
        self.locals.push((
            name.clone(),
            LocalInfo {
                kind: 0,
                hidden: true,
            },
        ));
        self.hidden_index.insert(name.clone(), index);
        Opnd::local(index)
    }

    pub fn add_cell(&mut self, name: &Ident) {
        if !self.cell_index.contains_key(name) {
            self.cell_index.insert(name.clone(), self.cells.len() as u32);
            self.cells.push((name.clone(), LocalInfo::default()));
        }
    }

    pub fn hidden_cell(&mut self, name: &Ident) -> Opnd {
        let index = match self.hidden_cell_index.get(name) {
            Some(index) => *index,
            None => {
                let index = self.cells.len() as u32;
                self.cells.push((
                    name.clone(),
                    LocalInfo {
                        kind: 0,
                        hidden: true,
                    },
                ));
                self.hidden_cell_index.insert(name.clone(), index);
                index
            }
        };
        Opnd::new(Space::Cell, index)
    }

    pub fn add_free(&mut self, name: &Ident) {
        if !self.free_index.contains_key(name) {
            self.free_index.insert(name.clone(), self.frees.len() as u32);
            self.frees.push(name.clone());
        }
    }

    /// The cell or free variable with this name.
    pub fn deref(&self, name: &Ident) -> Option<Opnd> {
        match self.cell_index.get(name) {
            Some(index) => Some(Opnd::new(Space::Cell, *index)),
            None => self.free(name),
        }
    }

    /// The free variable with this name.
    pub fn free(&self, name: &Ident) -> Option<Opnd> {
        let index = self.free_index.get(name)?;
        Some(Opnd::new(Space::Free, *index))
    }
}

/// An inlined comprehension that code is being generated for.
pub struct CompContext {
    pub block: BlockId,
    pub slots: FxHashMap<Ident, Slot>,
}
