//! Names: which of a local, a cell, a global or a namespace entry a name is, and the instructions to load, store, delete it.

use super::*;
use crate::symtable::{self, Scope};

/// How a name is reached in the current unit.
#[derive(Clone, Copy, Debug)]
enum Access {
    Fast(Opnd),
    Deref(Opnd),
    Global,
    /// Local, global, builtin: looked up when run.
    Name,
    /// In a class body: the namespace, then the cell.
    ClassDeref(Opnd),
    /// In an annotation scope of a class: `__classdict__`, then the cell or the globals.
    ClassDictDeref(Opnd),
    ClassDictGlobal,
}

impl<'a> Compiler<'a> {
    pub(super) fn mangle(&self, name: &Ident) -> Ident {
        symtable::maybe_mangle(self.unit.private.as_deref(), self.block(), name)
    }

    /// The slot of a mangled name, if it is one of an inlined comprehension.
    fn comp_slot(&self, name: &Ident) -> Option<Slot> {
        self.unit
            .comps
            .iter()
            .rev()
            .find_map(|comp| comp.slots.get(name).copied())
    }

    fn access(&mut self, name: &Ident, load: bool) -> Result<Access> {
        match self.comp_slot(name) {
            Some(Slot::Fast(reg)) => return Ok(Access::Fast(reg)),
            Some(Slot::Deref(cell)) => return Ok(Access::Deref(cell)),
            None => {}
        }
        let block = self.block();
        let mut scope = block.scope(name);
        let in_class = block.kind == BlockKind::Class;
        let in_comp = !self.unit.comps.is_empty();
        if in_comp {
            // What a name means in the innermost comprehension that mentions it; a class's own names are not seen there,
            // nor are those of other comprehensions.
            let comps = self.unit.comps.iter().rev();
            let inner = comps
                .map(|comp| self.table.blocks[comp.block].scope(name))
                .find(|s| *s != Scope::Unknown);
            match inner {
                Some(Scope::GlobalImplicit | Scope::GlobalExplicit)
                    if in_class || block.is_function_like() =>
                {
                    scope = Scope::GlobalExplicit;
                }
                Some(_)
                    if in_class
                        && matches!(
                            name.as_str(),
                            "__class__" | "__classdict__" | "__conditional_annotations__"
                        ) =>
                {
                    scope = Scope::GlobalExplicit;
                }
                Some(inner) if in_class => scope = inner,
                _ => {}
            }
        }
        Ok(match scope {
            Scope::Free | Scope::Cell => {
                // A class body may have a cell of its own called `__class__` beside the one of the class around it.
                let outer = (in_class && scope == Scope::Free)
                    .then(|| self.unit.code.free(name))
                    .flatten();
                let Some(cell) = outer.or_else(|| self.unit.code.deref(name)) else {
                    if in_class && in_comp {
                        return Ok(Access::Global); // `__class__`, which does not exist yet
                    }
                    return Err(CompileError::plain(
                        ErrorKind::SystemError,
                        format!("compiler: no cell for '{name}' in '{}'", self.unit.qualname),
                    ));
                };
                if load && in_class && !in_comp && scope == Scope::Free {
                    Access::ClassDeref(cell)
                } else if load && block.can_see_class_scope && name != "__classdict__" && scope == Scope::Free
                {
                    Access::ClassDictDeref(cell)
                } else {
                    Access::Deref(cell)
                }
            }
            Scope::Local if block.is_function_like() => Access::Fast(self.unit.code.local(name)),
            Scope::GlobalImplicit if block.is_function_like() => {
                if load && block.can_see_class_scope {
                    Access::ClassDictGlobal
                } else {
                    Access::Global
                }
            }
            Scope::GlobalExplicit => Access::Global,
            _ => Access::Name,
        })
    }

    /// The local that a name is, if it is a plain local.
    pub(super) fn fast_local(&mut self, name: &Ident) -> Option<Opnd> {
        let mangled = self.mangle(name);
        match self.access(&mangled, false) {
            Ok(Access::Fast(reg)) => Some(reg),
            _ => None,
        }
    }

    /// As `fast_local` for the destination of a value: a new local is numbered after those in the value, as in CPython.
    pub(super) fn local_dest(&mut self, name: &Ident) -> Option<Dest> {
        let mangled = self.mangle(name);
        let block = self.block();
        if self.comp_slot(&mangled).is_none()
            && block.is_function_like()
            && block.scope(&mangled) == Scope::Local
            && !self.unit.code.local_index.contains_key(&mangled)
        {
            self.unit.pending.push(mangled);
            return Some(Dest::Pending(self.unit.pending.len() as u32 - 1));
        }
        self.fast_local(name).map(Dest::Local)
    }

    /// The register of a local destination.
    pub(super) fn resolve(&mut self, dest: Dest) -> Dest {
        match dest {
            Dest::Pending(index) => Dest::Local(self.unit.code.local(&self.unit.pending[index as usize])),
            _ => dest,
        }
    }

    pub(super) fn name_load(&mut self, pos: Position, id: &Ident, dest: Dest) -> Result<Opnd> {
        let mangled = self.mangle(id);
        let access = self.access(&mangled, true)?;
        if let Access::Fast(reg) = access {
            self.emit(pos, Opcode::CHECK_BOUND, 0, reg, Opnd::NO, Opnd::NO);
            return Ok(match dest {
                Dest::Any => reg,
                Dest::Discard => {
                    self.emit(pos, Opcode::NOP, 0, Opnd::NO, Opnd::NO, Opnd::NO);
                    Opnd::ABSENT
                }
                _ => {
                    let dst = self.dst(dest);
                    self.emit(pos, Opcode::COPY, 0, dst, reg, Opnd::NO);
                    dst.take()
                }
            });
        }
        if dest == Dest::Discard {
            let temp = self.name_load(pos, id, Dest::Temp)?;
            return Ok(self.finish(pos, temp, dest));
        }
        match access {
            Access::Fast(reg) => return Ok(reg),
            Access::Deref(cell) => {
                let dst = self.dst(dest);
                self.emit(pos, Opcode::LOAD_DEREF, 0, dst, cell, Opnd::NO);
                return Ok(dst.take());
            }
            Access::Global | Access::Name => {
                let name = self.unit.code.name(&mangled);
                let op = if matches!(access, Access::Global) {
                    Opcode::LOAD_GLOBAL
                } else {
                    Opcode::LOAD_NAME
                };
                let dst = self.dst(dest);
                self.emit(pos, op, 0, dst, name, Opnd::NO);
                return Ok(dst.take());
            }
            Access::ClassDeref(_) | Access::ClassDictDeref(_) | Access::ClassDictGlobal => {}
        }
        // Through a namespace mapping.
        let mapping = Opnd::temp(self.depth());
        self.set_depth(self.depth() + 1);
        if let Access::ClassDeref(_) = access {
            self.emit(pos, Opcode::LOAD_LOCALS, 0, mapping, Opnd::NO, Opnd::NO);
        } else {
            let classdict = Ident::new_static("__classdict__");
            let Some(cell) = self.unit.code.deref(&classdict) else {
                return Err(CompileError::plain(
                    ErrorKind::SystemError,
                    "compiler: no __classdict__ cell",
                ));
            };
            self.emit(pos, Opcode::LOAD_DEREF, 0, mapping, cell, Opnd::NO);
        }
        self.set_depth(mapping.index());
        let dst = self.dst(dest);
        match access {
            Access::ClassDeref(cell) | Access::ClassDictDeref(cell) => {
                self.emit(pos, Opcode::LOAD_FROM_DICT_OR_DEREF, 0, dst, mapping.take(), cell);
            }
            _ => {
                let name = self.unit.code.name(&mangled);
                self.emit(
                    pos,
                    Opcode::LOAD_FROM_DICT_OR_GLOBALS,
                    0,
                    dst,
                    mapping.take(),
                    name,
                );
            }
        }
        Ok(dst.take())
    }

    /// Binds a name to an operand (a consumed temporary if `value` is one to take).
    pub(super) fn name_store(&mut self, pos: Position, id: &Ident, value: Opnd) -> Result<()> {
        let mangled = self.mangle(id);
        match self.access(&mangled, false)? {
            Access::Fast(reg) => self.copy_to(pos, reg, value),
            Access::Deref(cell) | Access::ClassDeref(cell) | Access::ClassDictDeref(cell) => {
                self.emit(pos, Opcode::STORE_DEREF, 0, cell, value, Opnd::NO);
            }
            Access::Global | Access::ClassDictGlobal => {
                let name = self.unit.code.name(&mangled);
                self.emit(pos, Opcode::STORE_GLOBAL, 0, value, name, Opnd::NO);
            }
            Access::Name => {
                let name = self.unit.code.name(&mangled);
                self.emit(pos, Opcode::STORE_NAME, 0, value, name, Opnd::NO);
            }
        }
        Ok(())
    }

    pub(super) fn name_delete(&mut self, pos: Position, id: &Ident) -> Result<()> {
        let mangled = self.mangle(id);
        match self.access(&mangled, false)? {
            Access::Fast(reg) => {
                self.emit(pos, Opcode::DELETE_FAST, 0, reg, Opnd::NO, Opnd::NO);
            }
            Access::Deref(cell) | Access::ClassDeref(cell) | Access::ClassDictDeref(cell) => {
                self.emit(pos, Opcode::DELETE_DEREF, 0, cell, Opnd::NO, Opnd::NO);
            }
            Access::Global | Access::ClassDictGlobal => {
                let name = self.unit.code.name(&mangled);
                self.emit(pos, Opcode::DELETE_GLOBAL, 0, Opnd::NO, name, Opnd::NO);
            }
            Access::Name => {
                let name = self.unit.code.name(&mangled);
                self.emit(pos, Opcode::DELETE_NAME, 0, Opnd::NO, name, Opnd::NO);
            }
        }
        Ok(())
    }

    /// Writes an operand to a register.
    pub(super) fn copy_to(&mut self, pos: Position, reg: Opnd, value: Opnd) {
        match value.space() {
            Space::Const => self.emit(
                pos,
                Opcode::LOAD_CONST,
                0,
                reg,
                Opnd::raw(value.index()),
                Opnd::NO,
            ),
            _ if value.is_take() => self.emit(pos, Opcode::MOVE, 0, reg, value.borrow(), Opnd::NO),
            _ => self.emit(pos, Opcode::COPY, 0, reg, value, Opnd::NO),
        };
    }

    /// The register that a closure over a free name of an inner scope takes the cell from.
    pub(super) fn closure_cell(&mut self, name: &Ident) -> Result<Opnd> {
        if let Some(Slot::Deref(cell)) = self.comp_slot(name) {
            return Ok(cell);
        }
        self.unit.code.deref(name).ok_or_else(|| {
            CompileError::plain(
                ErrorKind::SystemError,
                format!(
                    "compiler: '{}' has no cell for free variable '{name}'",
                    self.unit.qualname
                ),
            )
        })
    }
}
