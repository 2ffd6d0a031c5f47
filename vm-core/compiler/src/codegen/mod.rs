//! AST + symbol tables -> code objects. One `Unit` per scope that becomes a code object; `expr`, `call`, `stmt`, `function`,
//! `try_with`, `comprehension` and `pattern` hold the constructs, `assemble` finishes a unit.
//!
//! Evaluation: an expression is compiled to a `Dest`. Temporaries form a stack; an expression with `Dest::Temp` leaves its
//! value in the temporary that was on top when it started. `Dest::Any` may also give a constant or a local that is borrowed
//! until the instruction that uses it.

mod assemble;
mod bound;
mod call;
mod cold;
mod comprehension;
mod expr;
mod function;
mod ir;
mod names;
mod pattern;
mod stmt;
mod try_with;

use crate::ast::*;
use crate::bytecode::{CodeObject, Constant, Intrinsic1, LocalKind, Opcode, Position, PyStr, code_flags};
use crate::error::{CompileError, ErrorKind, Result};
use crate::symtable::{BlockId, BlockKind, KeyKind, SymbolTable};
use indexmap::IndexSet;
use ir::*;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// What a unit is compiled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UnitKind {
    Module,
    Class,
    Function,
    AsyncFunction,
    Lambda,
    Comprehension,
    /// Annotation functions, type parameter scopes, lazily evaluated values.
    Annotations,
}

/// Where the value of an expression shall go.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Dest {
    /// Any operand; see the module documentation.
    Any,
    /// A new temporary.
    Temp,
    /// A local; written last.
    Local(Opnd),
    /// A local that gets its register when the value is there (`Unit::pending`).
    Pending(u32),
    /// Nowhere.
    Discard,
}

/// A construct that `return`, `break` and `continue` leave.
#[derive(Clone)]
enum FBlock<'a> {
    While {
        top: Label,
        exit: Label,
    },
    For {
        top: Label,
        exit: Label,
        iter: Opnd,
    },
    AsyncFor {
        top: Label,
        exit: Label,
        iter: Opnd,
    },
    /// The body of a `try` with handlers.
    TryExcept {
        outer: Option<u32>,
    },
    /// The body (and handlers) of a `try` with `finally`.
    FinallyTry {
        outer: Option<u32>,
        body: &'a [Stmt],
    },
    /// The exceptional copy of a `finally` body; `base`: previous exception, above it the exception.
    FinallyEnd {
        outer: Option<u32>,
        base: Opnd,
    },
    /// A `with` body; `base`: the exit method.
    With {
        outer: Option<u32>,
        base: Opnd,
        is_async: bool,
        pos: Position,
    },
    /// The body of an `except` clause; `base`: previous exception.
    HandlerCleanup {
        outer: Option<u32>,
        base: Opnd,
        name: Option<&'a Ident>,
    },
    /// The handlers of `except*`, which cannot be left by these statements.
    StarHandler,
    /// A value that a `return` is carrying outwards.
    Value {
        temp: Opnd,
    },
}

/// A code object in the making.
struct Unit<'a> {
    code: Code,
    kind: UnitKind,
    block: BlockId,
    name: Ident,
    qualname: String,
    private: Option<Ident>,
    firstlineno: u32,
    argcount: u32,
    posonlyargcount: u32,
    kwonlyargcount: u32,
    has_docstring: bool,
    fblocks: Vec<FBlock<'a>>,
    comps: Vec<CompContext>,
    /// Names of locals that are about to be bound for the first time.
    pending: Vec<Ident>,
    static_attributes: IndexSet<Ident, FxBuildHasher>,
    /// Index of each deferred annotation that is reached conditionally, by the statement's address.
    conditional_annotations: FxHashMap<usize, u32>,
    stop_iteration: Option<Label>,
    interactive: bool,
}

/// Settings of a compilation.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// 0, 1 (-O), 2 (-OO).
    pub optimize: u8,
    /// `CO_FUTURE_*` flags in force.
    pub future: u32,
    /// `PyCF_ALLOW_TOP_LEVEL_AWAIT`.
    pub top_level_await: bool,
}

pub struct Compiler<'a> {
    table: &'a SymbolTable,
    filename: PyStr,
    options: Options,
    unit: Unit<'a>,
    outer: Vec<Unit<'a>>,
}

impl<'a> Compiler<'a> {
    /// Compiles a module.
    pub fn compile(
        module: &'a Mod,
        table: &'a SymbolTable,
        filename: &str,
        options: Options,
    ) -> Result<CodeObject> {
        let name = Ident::new_static("<module>");
        let unit = Unit::new(UnitKind::Module, table.top, name, None, 1);
        let mut compiler = Compiler {
            table,
            filename: PyStr::from(filename),
            options,
            unit,
            outer: Vec::new(),
        };
        compiler.unit.qualname = "<module>".into();
        let start = Position {
            line: 0,
            end_line: 0,
            col: 0,
            end_col: 0,
        };
        match module {
            Mod::Module { body, .. } => {
                compiler.prologue(start)?;
                compiler.module_body(body, start)?;
                compiler.implicit_return();
            }
            Mod::Interactive { body } => {
                compiler.unit.interactive = true;
                compiler.prologue(start)?;
                compiler.module_body(body, start)?;
                compiler.implicit_return();
            }
            Mod::Expression { body } => {
                compiler.prologue(start)?;
                let value = compiler.expr(body, Dest::Any)?;
                compiler.emit(
                    body.pos,
                    Opcode::RETURN_VALUE,
                    0,
                    value.take(),
                    Opnd::NO,
                    Opnd::NO,
                );
            }
            Mod::FunctionType { .. } => {
                return Err(CompileError::plain(
                    ErrorKind::SystemError,
                    "this compiler does not handle FunctionTypes",
                ));
            }
        }
        let unit = std::mem::replace(
            &mut compiler.unit,
            Unit::new(UnitKind::Module, table.top, Ident::new_static(""), None, 0),
        );
        compiler.finish_unit(unit)
    }

    fn block(&self) -> &'a crate::symtable::Block {
        &self.table.blocks[self.unit.block]
    }

    fn emit(&mut self, pos: Position, op: Opcode, x: u8, a: Opnd, b: Opnd, c: Opnd) -> &mut Ins {
        self.unit.code.emit(pos, op, x, a, b, c)
    }

    fn emit_jump(&mut self, pos: Position, target: Label) {
        self.unit
            .code
            .emit_jump(pos, Opcode::JUMP, 0, Opnd::NO, Opnd::NO, target);
    }

    fn new_label(&mut self) -> Label {
        self.unit.code.new_label()
    }

    fn bind(&mut self, label: Label) {
        self.unit.code.bind(label);
    }

    fn depth(&self) -> u32 {
        self.unit.code.depth
    }

    fn set_depth(&mut self, depth: u32) {
        self.unit.code.set_depth(depth);
    }

    fn error<T>(&self, message: impl Into<String>, pos: Position) -> Result<T> {
        Err(CompileError::syntax(message, pos))
    }

    // ---- units ----

    /// Starts the code object of a block; `leave` ends it.
    fn enter(
        &mut self,
        kind: UnitKind,
        block: BlockId,
        name: Ident,
        private: Option<Ident>,
        lineno: i32,
    ) -> Result<()> {
        let mut unit = Unit::new(kind, block, name, private, lineno.max(0) as u32);
        unit.qualname = self.qualname(&unit);
        // Parameters come first among the locals.
        for name in &self.table.blocks[block].varnames {
            unit.code.local(name);
        }
        let outer = std::mem::replace(&mut self.unit, unit);
        self.outer.push(outer);
        if self.outer.len() > 1000 {
            return Err(CompileError::plain(
                ErrorKind::RecursionError,
                "maximum recursion depth exceeded during compilation",
            ));
        }
        Ok(())
    }

    /// Ends the current code object and gives it as a constant.
    fn leave(&mut self) -> Result<Constant> {
        let outer = self
            .outer
            .pop()
            .ok_or_else(|| CompileError::plain(ErrorKind::SystemError, "compiler unit stack is empty"))?;
        let unit = std::mem::replace(&mut self.unit, outer);
        Ok(Constant::Code(Box::new(self.finish_unit(unit)?)))
    }

    fn qualname(&self, unit: &Unit) -> String {
        let mut parent = &self.unit;
        let mut depth = self.outer.len();
        if parent.kind == UnitKind::Annotations && depth > 0 {
            depth -= 1;
            parent = &self.outer[depth];
        }
        let mut base = String::new();
        if depth > 0 {
            let scope_name = crate::symtable::mangle(parent.private.as_deref(), &unit.name);
            let force_global = matches!(
                unit.kind,
                UnitKind::Function | UnitKind::AsyncFunction | UnitKind::Class
            ) && self.table.blocks[parent.block].scope(&scope_name)
                == crate::symtable::Scope::GlobalExplicit;
            if !force_global {
                base.push_str(&parent.qualname);
                if matches!(
                    parent.kind,
                    UnitKind::Function | UnitKind::AsyncFunction | UnitKind::Lambda
                ) {
                    base.push_str(".<locals>");
                }
            }
        }
        if base.is_empty() {
            unit.name.to_string()
        } else {
            format!("{base}.{}", unit.name)
        }
    }

    /// Cells, free variables, generator creation, RESUME.
    fn prologue(&mut self, pos: Position) -> Result<()> {
        let block = self.block();
        let mut cells: Vec<&Ident> = Vec::new();
        let mut frees: Vec<&Ident> = Vec::new();
        for (name, flags) in &block.symbols {
            match crate::symtable::Scope::of(*flags) {
                crate::symtable::Scope::Cell => cells.push(name),
                crate::symtable::Scope::Free => frees.push(name),
                _ if flags & crate::symtable::flags::DEF_FREE_CLASS != 0 => frees.push(name),
                _ => {}
            }
        }
        cells.sort();
        frees.sort();
        cells.into_iter().for_each(|name| self.unit.code.add_cell(name));
        if block.kind == BlockKind::Class {
            let implicit = [
                (block.needs_class_closure, "__class__"),
                (block.needs_classdict, "__classdict__"),
                (block.has_conditional_annotations, "__conditional_annotations__"),
            ];
            for (needed, name) in implicit {
                if needed {
                    self.unit.code.add_cell(&Ident::new_static(name));
                }
            }
        }
        frees.into_iter().for_each(|name| self.unit.code.add_free(name));

        let n_free = self.unit.code.frees.len() as u32;
        if n_free > 0 {
            self.emit(
                Position::NONE,
                Opcode::COPY_FREE_VARS,
                0,
                Opnd::raw(n_free),
                Opnd::NO,
                Opnd::NO,
            );
        }
        for index in 0..self.unit.code.cells.len() as u32 {
            let cell = Opnd::new(Space::Cell, index);
            self.emit(Position::NONE, Opcode::MAKE_CELL, 0, cell, Opnd::NO, Opnd::NO);
        }
        let is_generator = (block.generator || block.coroutine) && self.unit.kind != UnitKind::Module
            || self.is_top_level_coroutine();
        let start = Position {
            line: self.unit.firstlineno as i32,
            end_line: self.unit.firstlineno as i32,
            ..pos
        };
        let start = if self.unit.kind == UnitKind::Module {
            pos
        } else {
            Position {
                col: 0,
                end_col: 0,
                ..start
            }
        };
        if is_generator {
            self.emit(start, Opcode::RETURN_GENERATOR, 0, Opnd::NO, Opnd::NO, Opnd::NO);
            let label = self.new_label();
            self.unit.stop_iteration = Some(label);
            self.unit.code.begin_handler(label, 0, true);
        }
        self.emit(start, Opcode::RESUME, 0, Opnd::NO, Opnd::NO, Opnd::NO);
        Ok(())
    }

    fn is_top_level_coroutine(&self) -> bool {
        self.unit.kind == UnitKind::Module && self.options.top_level_await && self.block().coroutine
    }

    /// `return None` at the end.
    fn implicit_return(&mut self) {
        self.return_none(Position::NONE);
    }

    fn return_none(&mut self, pos: Position) {
        let none = self.unit.code.constant(Constant::None);
        let none = Opnd::new(Space::Const, none);
        self.emit(pos, Opcode::RETURN_VALUE, 0, none, Opnd::NO, Opnd::NO);
    }

    fn finish_unit(&mut self, mut unit: Unit<'a>) -> Result<CodeObject> {
        if let Some(label) = unit.stop_iteration {
            let code = &mut unit.code;
            code.handler = None;
            code.bind(label);
            code.set_depth(2);
            let (lasti, exc) = (Opnd::temp(0), Opnd::temp(1));
            let intrinsic = Intrinsic1::StopIterationError as u8;
            code.emit(
                Position::NONE,
                Opcode::CALL_INTRINSIC_1,
                intrinsic,
                exc,
                exc.take(),
                Opnd::NO,
            );
            code.emit(Position::NONE, Opcode::RERAISE, 0, exc, lasti, Opnd::NO);
        }
        let flags = self.flags(&unit);
        let args = unit.argcount + unit.kwonlyargcount;
        let block = &self.table.blocks[unit.block];
        let n_varnames = block.varnames.len() as u32;
        for (index, (_, info)) in unit.code.locals.iter_mut().enumerate().take(n_varnames as usize) {
            info.kind = if (index as u32) < unit.posonlyargcount {
                LocalKind::ARG_POS
            } else if (index as u32) < unit.argcount {
                LocalKind::ARG_POS | LocalKind::ARG_KW
            } else if (index as u32) < args {
                LocalKind::ARG_KW
            } else if index as u32 == args && block.varargs {
                LocalKind::ARG_VAR | LocalKind::ARG_POS
            } else {
                LocalKind::ARG_VAR | LocalKind::ARG_KW
            };
        }
        let meta = assemble::Meta {
            argcount: unit.argcount,
            posonlyargcount: unit.posonlyargcount,
            kwonlyargcount: unit.kwonlyargcount,
            flags,
            name: PyStr::from(unit.name.as_str()),
            qualname: PyStr::from(unit.qualname),
            filename: self.filename.clone(),
            firstlineno: unit.firstlineno,
        };
        assemble::assemble(unit.code, meta)
    }

    fn flags(&self, unit: &Unit) -> u32 {
        let block = &self.table.blocks[unit.block];
        let mut flags = self.options.future;
        if block.is_function_like() {
            flags |= code_flags::NEWLOCALS | code_flags::OPTIMIZED;
            if block.nested {
                flags |= code_flags::NESTED;
            }
            flags |= match (block.generator, block.coroutine) {
                (true, true) => code_flags::ASYNC_GENERATOR,
                (true, false) => code_flags::GENERATOR,
                (false, true) => code_flags::COROUTINE,
                (false, false) => 0,
            };
            if block.varargs {
                flags |= code_flags::VARARGS;
            }
            if block.varkeywords {
                flags |= code_flags::VARKEYWORDS;
            }
            if block.method {
                flags |= code_flags::METHOD;
            }
        } else if unit.kind == UnitKind::Module && self.options.top_level_await && block.coroutine {
            flags |= code_flags::COROUTINE;
        }
        if unit.has_docstring {
            flags |= code_flags::HAS_DOCSTRING;
        }
        flags
    }

    /// A block of the symbol table that must be there.
    fn lookup<T>(&self, node: &T, kind: KeyKind) -> Result<BlockId> {
        self.table.lookup(node, kind).ok_or_else(|| {
            CompileError::plain(
                ErrorKind::SystemError,
                "compiler: no symbol table entry for a scope",
            )
        })
    }
}

impl Unit<'_> {
    fn new(kind: UnitKind, block: BlockId, name: Ident, private: Option<Ident>, firstlineno: u32) -> Self {
        Unit {
            code: Code::default(),
            kind,
            block,
            name,
            qualname: String::new(),
            private,
            firstlineno,
            argcount: 0,
            posonlyargcount: 0,
            kwonlyargcount: 0,
            has_docstring: false,
            fblocks: Vec::new(),
            comps: Vec::new(),
            pending: Vec::new(),
            static_attributes: IndexSet::default(),
            conditional_annotations: FxHashMap::default(),
            stop_iteration: None,
            interactive: false,
        }
    }
}
