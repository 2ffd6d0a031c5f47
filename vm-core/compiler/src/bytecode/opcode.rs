//! The one opcode table: name, operand kinds, extension words, whether it can raise, exact semantics.
//! Comes in: nothing. Goes out: `Opcode`, `OpInfo`, and `for_each_opcode!` for whoever builds a dispatch table.
//!
//! # Layout of an instruction
//! A word of 8 bytes: `op: u8, x: u8, a: u16, b: u16, c: u16` (`Instr`), followed by the number of extension words
//! that the table gives. An extension word is 64 bits; its low 32 bits (bytes 0..4, little endian) hold what the
//! compiler put there (a jump target, a constant index, further operands), everything else in it is zero and belongs to
//! the interpreter's inline cache. A jump target is an absolute word index into `CodeObject::instructions`.
//!
//! # Registers
//! `[localsplus | temporaries]`. `localsplus` has CPython's order and kinds: locals (parameters first), then cells that
//! are not parameters, then free variables; a parameter that is a cell keeps its slot. Temporaries are a stack: at each
//! instruction a known number of them, the depth, is in use, and those above it are empty (null).
//!
//! # Operands
//! * `Dst`: a register to write, or, for calls, intrinsics and YIELD_VALUE, `NO_REG` (0xFFFF) to drop the value. The write is the instruction's last effect; it
//!   drops what the register held (a temporary is empty, a local may hold something). If the instruction raises, the
//!   register is unchanged.
//! * `Src`: bit 15 set: constant with the index in the low 14 bits. Else the low 14 bits are a register; bit 14 (*take*)
//!   says that the instruction consumes it: the value moves out and the register is left empty. Without the bit the
//!   register is borrowed. Operands are taken before `Dst` is written, so both may name the same temporary. A `Src`
//!   register is never empty (`CHECK_BOUND` comes first when that could not be proved).
//! * `SrcOpt`: a `Src`, or `NO_REG` for "absent".
//! * `Reg`: a register that the description of the opcode explains (kept, changed in place, written).
//! * `Base`: the first of several consecutive temporaries that the opcode consumes and/or writes; those it consumes are
//!   left empty.
//! * `Cell`: a register of `localsplus` that holds a cell object.
//! * `Name`: index into `names`. `Count`, `Imm`: a number.
//! * `Target` (in b and c: low and high half) a jump target.
//!
//! A local that is borrowed must live through the instruction even if Python code that runs meanwhile replaces it: only
//! `frame.f_locals` and debuggers can do that, so they must keep the old value alive until the frame ends.
//!
//! # Raising
//! An instruction that raises may leave its consumed temporaries filled or empty: the unwinder clears every temporary at
//! or above the handler's depth. Entering a handler with depth `d` (see `ExceptionEntry`): the temporaries from `d`
//! up are cleared, then the exception is written to temporary `d`, or, if the entry has the `lasti` flag, the word index
//! of the raising instruction as a Python `int` to `d` and the exception to `d + 1`. An exception that no entry covers
//! leaves the frame; all its registers are dropped.

/// `Dst` operand: drop the value. `SrcOpt` operand: absent.
pub const NO_REG: u16 = 0xFFFF;
/// `Src` operand: the rest is a constant index.
pub const SRC_CONST: u16 = 0x8000;
/// `Src` operand: consume the register.
pub const SRC_TAKE: u16 = 0x4000;
/// Mask of the register or constant index in a `Src` operand.
pub const SRC_INDEX: u16 = 0x3FFF;

/// What an instruction field means; see the module documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Unused; zero.
    No,
    Dst,
    Src,
    SrcOpt,
    Reg,
    Base,
    Cell,
    Name,
    Count,
    Imm,
    /// Low half of a jump target in `b`; the high half is in `c`.
    Target,
}

/// What the extension words hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ext {
    /// No extension words.
    No,
    /// That many words, all for the interpreter.
    Cache(u8),
    /// That many words; the low 32 bits of the first are a jump target.
    Target(u8),
    /// That many words; the low 32 bits of the first are a constant index.
    Const(u8),
    /// That many words; the low 32 bits of the first are a name index.
    Name(u8),
    /// That many words; the low 16 bits of the first are a `SrcOpt`.
    Src(u8),
    /// That many words; the low 16 bits of the first are a `Src`, the next 16 a count.
    SrcCount(u8),
}

impl Ext {
    /// The number of extension words.
    pub const fn words(self) -> usize {
        match self {
            Ext::No => 0,
            Ext::Cache(n)
            | Ext::Target(n)
            | Ext::Const(n)
            | Ext::Name(n)
            | Ext::Src(n)
            | Ext::SrcCount(n) => n as usize,
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct OpInfo {
    pub name: &'static str,
    pub a: Operand,
    pub b: Operand,
    pub c: Operand,
    /// Whether `x` is used.
    pub x: bool,
    pub ext: Ext,
    pub raises: bool,
    /// The generic opcode that a specialised one stands for; itself for a generic one.
    pub generic: Opcode,
    pub doc: &'static str,
}

macro_rules! opcodes {
    ($( $(#[doc = $doc:literal])+ $name:ident ($a:ident, $b:ident, $c:ident, $x:literal) $ext:ident $(($n:literal))? $raises:ident ; )+
     specialised: $( $(#[doc = $sdoc:literal])+ $sname:ident => $sgeneric:ident ; )*) => {
        /// The operation of an instruction. Generic opcodes come first, specialised forms (which the interpreter writes
        /// over a generic instruction in place, same operands, same extension words) after them.
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Opcode {
            $( $(#[doc = $doc])+ $name, )+
            $( $(#[doc = $sdoc])+ $sname, )*
        }

        /// All rows, indexed by opcode.
        pub static OPCODES: &[OpInfo] = &[
            $( GENERIC[Opcode::$name as usize], )+
            $( OpInfo { name: stringify!($sname), doc: concat!($($sdoc, "\n"),+),
                ..GENERIC[Opcode::$sgeneric as usize] }, )*
        ];

        /// Number of generic opcodes.
        pub const N_GENERIC: usize = [$( stringify!($name), )+].len();
        /// Number of all opcodes; the rest of the `u8` range is free.
        pub const N_OPCODES: usize = N_GENERIC + (&[$( stringify!($sname), )*] as &[&str]).len();

        static ALL: [Opcode; N_OPCODES] = [$( Opcode::$name, )+ $( Opcode::$sname, )*];

        const GENERIC: &[OpInfo] = &[
            $( OpInfo { name: stringify!($name), a: Operand::$a, b: Operand::$b, c: Operand::$c, x: $x != 0,
                ext: Ext::$ext $(($n))?, raises: opcodes!(@raises $raises), generic: Opcode::$name,
                doc: concat!($($doc, "\n"),+) }, )+
        ];

        /// Calls `$m! { generic: NAME, ...; specialised: NAME, ...; }` with all opcode names in numeric order.
        #[macro_export]
        macro_rules! for_each_opcode {
            ($m:ident) => { $m! { generic: $($name,)+ ; specialised: $($sname,)* ; } };
        }
    };
    (@raises raises) => { true };
    (@raises never) => { false };
}

opcodes! {
    // ---- frame ------------------------------------------------------------------------------------------------
    /// Nothing. Carries a line for tracing.
    NOP (No, No, No, 0) No never;
    /// Start of a function (x = 0) or continuation after `yield` (1), `yield from` (2), `await` (3). Checks the eval
    /// breaker (may run signal handlers and pending calls, so it can raise); start/resume events; the word is the
    /// function's JIT counter.
    RESUME (No, No, No, 1) Cache(1) raises;
    /// Makes the generator, coroutine or async generator object (by the code's flags) that takes over this frame, which
    /// will go on at the next instruction, and returns it to the caller.
    RETURN_GENERATOR (No, No, No, 0) No raises;
    /// Leaves the frame with value a.
    RETURN_VALUE (Src, No, No, 0) No never;
    /// Suspends the generator with value b. When it is resumed, a := the value sent. x bit 0: the yield belongs to an
    /// `await` or `yield from` loop and c is the register of the object that is being awaited (`gi_yieldfrom`,
    /// `cr_await`); else c is `NO_REG`. RESUME follows.
    YIELD_VALUE (Dst, Src, Reg, 1) No raises;
    /// Copies the first a items of the function's closure to the free variable registers.
    COPY_FREE_VARS (Count, No, No, 0) No never;
    /// Cell register a := a new cell holding what the register held (a parameter's value, or empty).
    MAKE_CELL (Cell, No, No, 0) No raises;

    // ---- moves ------------------------------------------------------------------------------------------------
    /// a := constant with the 32-bit index (b low, c high half).
    LOAD_CONST (Dst, Target, No, 0) No never;
    /// a := new reference to register b, which is not empty and stays. Also copies cell objects for closures.
    COPY (Dst, Reg, No, 0) No never;
    /// a := register b, which is left empty. b may be empty, then a becomes empty.
    MOVE (Dst, Reg, No, 0) No never;
    /// Exchanges registers a and b; either may be empty.
    SWAP (Reg, Reg, No, 0) No never;
    /// Drops the value of register a, if any, and leaves it empty.
    CLEAR (Reg, No, No, 0) No never;
    /// Raises UnboundLocalError ("cannot access local variable ...") if local a is empty.
    CHECK_BOUND (Reg, No, No, 0) No raises;
    /// Raises UnboundLocalError if local a is empty, else clears it.
    DELETE_FAST (Reg, No, No, 0) No raises;

    // ---- names ------------------------------------------------------------------------------------------------
    /// a := the value of name b in the frame's locals mapping, its globals or builtins; NameError.
    LOAD_NAME (Dst, Name, No, 0) Cache(2) raises;
    /// locals mapping[name b] = a.
    STORE_NAME (Src, Name, No, 0) No raises;
    /// del locals mapping[name b]; NameError.
    DELETE_NAME (No, Name, No, 0) No raises;
    /// a := the global or builtin with name b; NameError.
    LOAD_GLOBAL (Dst, Name, No, 0) Cache(2) raises;
    /// globals[name b] = a.
    STORE_GLOBAL (Src, Name, No, 0) Cache(1) raises;
    /// del globals[name b]; NameError.
    DELETE_GLOBAL (No, Name, No, 0) No raises;
    /// a := contents of cell b. Empty: UnboundLocalError if b is a cell of this function, NameError ("cannot access free
    /// variable ...") if it is a free variable.
    LOAD_DEREF (Dst, Cell, No, 0) No raises;
    /// Contents of cell a = b.
    STORE_DEREF (Cell, Src, No, 0) No never;
    /// Empties cell a; raises as LOAD_DEREF if it is empty.
    DELETE_DEREF (Cell, No, No, 0) No raises;
    /// a := value of name c in the mapping b, else in globals, else in builtins; NameError.
    LOAD_FROM_DICT_OR_GLOBALS (Dst, Src, Name, 0) No raises;
    /// a := value of the cell's name in the mapping b, else the contents of cell c as LOAD_DEREF.
    LOAD_FROM_DICT_OR_DEREF (Dst, Src, Cell, 0) No raises;
    /// a := the frame's locals mapping; SystemError if there is none.
    LOAD_LOCALS (Dst, No, No, 0) No raises;
    /// a := builtins' __build_class__.
    LOAD_BUILD_CLASS (Dst, No, No, 0) No raises;
    /// a := a well-known object, see `CommonConstant` (x).
    LOAD_COMMON_CONSTANT (Dst, No, No, 1) No never;
    /// Makes sure that the locals mapping has `__annotations__`, a dict.
    SETUP_ANNOTATIONS (No, No, No, 0) No raises;

    // ---- attributes and items ---------------------------------------------------------------------------------
    /// a := getattr(b, name c).
    LOAD_ATTR (Dst, Src, Name, 0) Cache(3) raises;
    /// For a call `b.name(...)`: if the attribute is a method found on the type that takes self, a := the function and
    /// a+1 := b; else a := the attribute and a+1 stays empty.
    LOAD_METHOD (Base, Src, Name, 0) Cache(3) raises;
    /// setattr(a, name c, b).
    STORE_ATTR (Src, Src, Name, 0) Cache(3) raises;
    /// delattr(a, name c).
    DELETE_ATTR (Src, No, Name, 0) No raises;
    /// Consumes b: the global `super`, b+1: the class, b+2: self. a := super(class, self).name c. x bit 0: the source
    /// said `super(class, self)`, else `super()`. If b is not the builtin `super`, it is called with two or no arguments.
    LOAD_SUPER_ATTR (Dst, Base, Name, 1) Cache(1) raises;
    /// As LOAD_SUPER_ATTR for a call: a (the same register as b) := function, a+1 := self; or a := attribute, a+1 empty.
    LOAD_SUPER_METHOD (Base, Base, Name, 1) Cache(1) raises;
    /// a := b[c].
    LOAD_SUBSCR (Dst, Src, Src, 0) Cache(1) raises;
    /// a[b] = c.
    STORE_SUBSCR (Src, Src, Src, 0) Cache(1) raises;
    /// del a[b].
    DELETE_SUBSCR (Src, Src, No, 0) No raises;
    /// a := b[c:ext] (ext: Src in the extension word; an absent bound is the constant None).
    BINARY_SLICE (Dst, Src, Src, 0) Src(1) raises;
    /// a[b:c] = ext.
    STORE_SLICE (Src, Src, Src, 0) Src(1) raises;
    /// a := slice(b, c, ext), or slice(b, c, None) if ext is NO_REG.
    BUILD_SLICE (Dst, Src, Src, 0) Src(1) raises;

    // ---- operators --------------------------------------------------------------------------------------------
    /// a := b op c, x = `BinaryOp` (CPython's NB_ numbers; in-place ones too).
    BINARY_OP (Dst, Src, Src, 1) Cache(1) raises;
    /// a := b cmp c, x = `CmpOp`.
    COMPARE_OP (Dst, Src, Src, 1) Cache(1) raises;
    /// a := b is c (x = 0) or b is not c (x = 1).
    IS_OP (Dst, Src, Src, 1) No never;
    /// a := b in c (x = 0) or b not in c (x = 1).
    CONTAINS_OP (Dst, Src, Src, 1) Cache(1) raises;
    /// a := -b.
    UNARY_NEGATIVE (Dst, Src, No, 0) No raises;
    /// a := +b.
    UNARY_POSITIVE (Dst, Src, No, 0) No raises;
    /// a := ~b.
    UNARY_INVERT (Dst, Src, No, 0) No raises;
    /// a := not b.
    UNARY_NOT (Dst, Src, No, 0) No raises;

    // ---- jumps ------------------------------------------------------------------------------------------------
    /// Forward jump to the target in b, c.
    JUMP (No, Target, No, 0) No never;
    /// Backward jump; checks the eval breaker; loop header of the JIT (its counter is in the extension word).
    JUMP_BACKWARD (No, Target, No, 0) Cache(1) raises;
    /// Backward jump without the check (inside `await` and `yield from`).
    JUMP_BACKWARD_NO_INTERRUPT (No, Target, No, 0) No never;
    /// Jumps if bool(a). a may be a borrowed temporary (value of `or`).
    POP_JUMP_IF_TRUE (Src, Target, No, 0) No raises;
    /// Jumps if not bool(a).
    POP_JUMP_IF_FALSE (Src, Target, No, 0) No raises;
    /// Jumps if a is None.
    POP_JUMP_IF_NONE (Src, Target, No, 0) No never;
    /// Jumps if a is not None.
    POP_JUMP_IF_NOT_NONE (Src, Target, No, 0) No never;
    /// Jumps if bool(a cmp b) == sense; x = `CmpOp` | sense << 3.
    COMPARE_JUMP (Src, Src, No, 1) Target(2) raises;
    /// Jumps if (a is b) == (x bit 0).
    IS_JUMP (Src, Src, No, 1) Target(1) never;
    /// Jumps if (a in b) == (x bit 0).
    CONTAINS_JUMP (Src, Src, No, 1) Target(2) raises;

    // ---- iteration --------------------------------------------------------------------------------------------
    /// a := iter(b).
    GET_ITER (Dst, Src, No, 0) Cache(1) raises;
    /// a := next(register b), which is an iterator and stays; when exhausted jumps to the target (an END_FOR) and
    /// leaves a unchanged.
    FOR_ITER (Dst, Reg, No, 0) Target(2) raises;
    /// Drops the iterator in register a: the normal end of a loop.
    END_FOR (Reg, No, No, 0) No never;
    /// a := b if it is a generator, or a coroutine and this code is a coroutine or CO_ITERABLE_COROUTINE (else TypeError
    /// for a coroutine); otherwise iter(b).
    GET_YIELD_FROM_ITER (Dst, Src, No, 0) No raises;
    /// a := the iterator of `await b`. x = 1: b came from `__aenter__`, 2: `__aexit__` (for the error's text).
    GET_AWAITABLE (Dst, Src, No, 1) No raises;
    /// a := type(b).__aiter__(b), checked to have `__anext__`.
    GET_AITER (Dst, Src, No, 0) No raises;
    /// a := awaitable of type(b).__anext__(b); register b stays.
    GET_ANEXT (Dst, Reg, No, 0) No raises;
    /// Sends register a (taken) into the iterator in register b (kept): `None` by `next`, else by `send`. Register a :=
    /// the value it yields, and goes on; or register a := the value it returns (StopIteration's), and jumps to the target.
    SEND (Reg, Reg, No, 0) Target(2) raises;
    /// Handler of an exception thrown in at a YIELD_VALUE of a SEND loop. Register c holds the exception, register a the
    /// iterator, register b the last value. If it is StopIteration: drops a and c, b := its value, goes on (a and c empty);
    /// else raises it again without a new traceback entry.
    CLEANUP_THROW (Reg, Reg, Reg, 0) No raises;
    /// Handler of `async for`: register b holds the exception, register a the async iterator. StopAsyncIteration: drops
    /// both and goes on, else raises b again without a new traceback entry.
    END_ASYNC_FOR (Reg, Reg, No, 0) No raises;

    // ---- calls ------------------------------------------------------------------------------------------------
    /// a := call of register b with (register b+1 as first argument if it is not empty, and) the c arguments b+2...
    /// Consumes all of them: a vectorcall.
    CALL (Dst, Base, Count, 0) Cache(2) raises;
    /// As CALL with keyword arguments: c counts positional and keyword arguments, the constant (index in the extension word)
    /// is the tuple of the keyword names, whose values come last.
    CALL_KW (Dst, Base, Count, 0) Const(2) raises;
    /// a := b(*b+2, **b+3): b+1 is empty; b+2 is any iterable; x bit 0: b+3 is a dict, else empty. Consumes all.
    CALL_EX (Dst, Base, No, 1) Cache(1) raises;
    /// a := intrinsic x (`Intrinsic1`) of b.
    CALL_INTRINSIC_1 (Dst, Src, No, 1) No raises;
    /// a := intrinsic x (`Intrinsic2`) of b and c.
    CALL_INTRINSIC_2 (Dst, Src, Src, 1) No raises;
    /// a := function of the code constant b and the frame's globals.
    MAKE_FUNCTION (Dst, Src, No, 0) No raises;
    /// Sets the attribute x (`FunctionAttribute`) of the function in register a (stays) to b.
    SET_FUNCTION_ATTRIBUTE (Reg, Src, No, 1) No never;

    // ---- displays ---------------------------------------------------------------------------------------------
    /// a := tuple of the c temporaries from b, consumed.
    BUILD_TUPLE (Dst, Base, Count, 0) No raises;
    /// a := list of the c temporaries from b, consumed.
    BUILD_LIST (Dst, Base, Count, 0) No raises;
    /// a := set of the c temporaries from b, consumed.
    BUILD_SET (Dst, Base, Count, 0) No raises;
    /// a := dict of c pairs: key in b + 2i, value in b + 2i + 1, consumed.
    BUILD_MAP (Dst, Base, Count, 0) No raises;
    /// a := the c strings from b joined, consumed.
    BUILD_STRING (Dst, Base, Count, 0) No raises;
    /// a := string.templatelib.Template of the tuple of strings b and the tuple of interpolations c.
    BUILD_TEMPLATE (Dst, Src, Src, 0) No raises;
    /// a := Interpolation(value, expression, conversion, format_spec): value in b, expression text in b+1; x bits 0-1 are
    /// the conversion (0 none, 1 str, 2 repr, 3 ascii), x bit 2: the format spec is in b+2, else ''. Consumes them.
    BUILD_INTERPOLATION (Dst, Base, No, 1) No raises;
    /// Appends b to the list in register a (stays).
    LIST_APPEND (Reg, Src, No, 0) No raises;
    /// Extends the list in register a (stays) by iterable b; TypeError "Value after * must be an iterable, not ...".
    LIST_EXTEND (Reg, Src, No, 0) No raises;
    /// Adds b to the set in register a (stays).
    SET_ADD (Reg, Src, No, 0) No raises;
    /// Adds the items of iterable b to the set in register a (stays).
    SET_UPDATE (Reg, Src, No, 0) No raises;
    /// dict in register a (stays)[b] = c.
    MAP_ADD (Reg, Src, Src, 0) No raises;
    /// Updates the dict in register a (stays) by mapping b; TypeError "'...' object is not a mapping".
    DICT_UPDATE (Reg, Src, No, 0) No raises;
    /// As DICT_UPDATE for `**b` in a call of the object in register c (stays): duplicate keys and non-mappings raise the
    /// call's TypeErrors.
    DICT_MERGE (Reg, Src, Reg, 0) No raises;
    /// Registers a, a+1, ... a+c-1 := the c items of iterable b, first item in a; ValueError for too few or many. The registers
    /// may be locals (old values are dropped after all items are there).
    UNPACK_SEQUENCE (Reg, Src, Count, 0) Cache(1) raises;
    /// As UNPACK_SEQUENCE with a star: x items, then the list of the middle ones, then c items.
    UNPACK_EX (Reg, Src, Count, 1) No raises;

    // ---- strings ----------------------------------------------------------------------------------------------
    /// a := str(b) (x = 1), repr(b) (2), ascii(b) (3).
    CONVERT_VALUE (Dst, Src, No, 1) No raises;
    /// a := format(b, ''); b itself if it is exactly a str.
    FORMAT_SIMPLE (Dst, Src, No, 0) No raises;
    /// a := format(b, c).
    FORMAT_WITH_SPEC (Dst, Src, Src, 0) No raises;

    // ---- exceptions -------------------------------------------------------------------------------------------
    /// First instruction of a handler proper. Register a holds the exception: it moves to a+1 and becomes the thread's
    /// handled exception; a := the exception that was handled before, or None.
    PUSH_EXC_INFO (Reg, No, No, 0) No never;
    /// The thread's handled exception := register a (or none if it is None), which is left empty.
    POP_EXCEPT (Reg, No, No, 0) No never;
    /// a := whether the exception in register b (stays) matches c; TypeError if c is not an exception class or tuple of such.
    CHECK_EXC_MATCH (Dst, Reg, Src, 0) No raises;
    /// `except*`: splits the exception in register a by type c: register b := the matching group or None, register a := the
    /// rest or None. Register a may already be None: then b := None. On a match the matching group becomes the thread's
    /// handled exception.
    CHECK_EG_MATCH (Reg, Reg, Src, 0) No raises;
    /// Raises the exception in register a (taken) again without a new traceback entry. b: register of the `lasti`
    /// that the frame takes on (stays), or NO_REG.
    RERAISE (Reg, Reg, No, 0) No raises;
    /// x = 0: `raise`; 1: `raise a`; 2: `raise a from b`.
    RAISE_VARARGS (SrcOpt, SrcOpt, No, 1) No raises;
    /// a := call of the exit method in register b (with b+1 as self if not empty) with (type, value, traceback) of the
    /// exception in register c. All stay.
    WITH_EXCEPT_START (Dst, Reg, Reg, 0) No raises;
    /// Looks up the special method x (`SpecialMethod`) on the type of b: register a := the function and a+1 := b (moved or new
    /// reference), or a := the bound object and a+1 empty. TypeError if b's type has none.
    LOAD_SPECIAL (Base, Src, No, 1) No raises;

    // ---- pattern matching -------------------------------------------------------------------------------------
    /// a := len(b).
    GET_LEN (Dst, Src, No, 0) No raises;
    /// a := whether type(b) has Py_TPFLAGS_MAPPING.
    MATCH_MAPPING (Dst, Src, No, 0) No never;
    /// a := whether type(b) has Py_TPFLAGS_SEQUENCE.
    MATCH_SEQUENCE (Dst, Src, No, 0) No never;
    /// a := tuple of the values of subject b for the keys in tuple c, or None if one is missing.
    MATCH_KEYS (Dst, Src, Src, 0) No raises;
    /// a := tuple of the attributes of subject b matched by class c, or None. The extension word has the tuple of keyword
    /// attribute names (Src) and the number of positional patterns (count).
    MATCH_CLASS (Dst, Src, Src, 0) SrcCount(1) raises;

    // ---- import -----------------------------------------------------------------------------------------------
    /// a := __import__(name, globals, locals, fromlist c, level b); the name's index is in the extension word.
    IMPORT_NAME (Dst, Src, Src, 0) Name(1) raises;
    /// a := attribute c of the module b, or the submodule from sys.modules; ImportError.
    IMPORT_FROM (Dst, Src, Name, 0) No raises;

    specialised:
    /// The name is in the globals: keys version (high half of the first extension word) and entry (low half).
    LOAD_GLOBAL_MODULE => LOAD_GLOBAL;
    /// The name is in the builtins and not in the globals: keys versions of both in the high halves, entry in the low half.
    LOAD_GLOBAL_BUILTIN => LOAD_GLOBAL;
    /// Among the instance's inline values: type version, number, offset.
    LOAD_ATTR_INSTANCE => LOAD_ATTR;
    /// In the instance's dict, which the type does not override: type version, hint, offset.
    LOAD_ATTR_WITH_HINT => LOAD_ATTR;
    /// A `__slots__` member: type version, offset.
    LOAD_ATTR_SLOT => LOAD_ATTR;
    /// An attribute of one class: its version, the class, the value.
    LOAD_ATTR_CLASS => LOAD_ATTR;
    /// A plain value found on the type, nothing on the instance: type version, value.
    LOAD_ATTR_TYPE_VALUE => LOAD_ATTR;
    /// An entry of a module's dict: keys version, entry.
    LOAD_ATTR_MODULE => LOAD_ATTR;
    /// A property whose getter is a Python function: type version, getter and its version.
    LOAD_ATTR_PROPERTY => LOAD_ATTR;
    /// A method found on the type that no instance attribute hides: type version, function.
    LOAD_METHOD_CACHED => LOAD_METHOD;
    /// A function of a module.
    LOAD_METHOD_MODULE => LOAD_METHOD;
    /// Among the instance's inline values: type version, number, offset.
    STORE_ATTR_INSTANCE => STORE_ATTR;
    /// Into the instance's dict: type version, hint, offset.
    STORE_ATTR_WITH_HINT => STORE_ATTR;
    /// Into a `__slots__` member: type version, offset.
    STORE_ATTR_SLOT => STORE_ATTR;
    /// A list by an int that fits.
    LOAD_SUBSCR_LIST_INT => LOAD_SUBSCR;
    /// A tuple by an int that fits.
    LOAD_SUBSCR_TUPLE_INT => LOAD_SUBSCR;
    /// A dict, exactly.
    LOAD_SUBSCR_DICT => LOAD_SUBSCR;
    /// A str by an int that fits.
    LOAD_SUBSCR_STR_INT => LOAD_SUBSCR;
    /// A list by an int that fits.
    STORE_SUBSCR_LIST_INT => STORE_SUBSCR;
    /// A dict, exactly.
    STORE_SUBSCR_DICT => STORE_SUBSCR;
    /// Two small ints.
    BINARY_OP_ADD_INT => BINARY_OP;
    /// Two small ints.
    BINARY_OP_SUBTRACT_INT => BINARY_OP;
    /// Two small ints.
    BINARY_OP_MULTIPLY_INT => BINARY_OP;
    /// Two small ints, any other operator that has a fast path.
    BINARY_OP_INT => BINARY_OP;
    /// Two floats, or a float and a small int.
    BINARY_OP_FLOAT => BINARY_OP;
    /// Two strings.
    BINARY_OP_ADD_STR => BINARY_OP;
    /// Two small ints, floats or strings.
    COMPARE_OP_FAST => COMPARE_OP;
    /// Two small ints, floats or strings.
    COMPARE_JUMP_FAST => COMPARE_JUMP;
    /// A list iterator.
    FOR_ITER_LIST => FOR_ITER;
    /// A tuple iterator.
    FOR_ITER_TUPLE => FOR_ITER;
    /// A range iterator.
    FOR_ITER_RANGE => FOR_ITER;
    /// A generator: its frame runs in this loop.
    FOR_ITER_GENERATOR => FOR_ITER;
    /// A Python function with the positional arguments that it wants, or fewer and defaults: function version, number of
    /// arguments wanted.
    CALL_PY_EXACT => CALL;
    /// A bound method of such a function.
    CALL_BOUND_METHOD => CALL;
    /// A builtin function of one argument.
    CALL_BUILTIN_O => CALL;
    /// A builtin function of METH_FASTCALL, with or without METH_KEYWORDS, or of METH_NOARGS.
    CALL_BUILTIN_FAST => CALL;
    /// A method of a builtin type: the descriptor. The type of `self` was checked by LOAD_METHOD.
    CALL_METHOD_DESCRIPTOR => CALL;
    /// A class with a Python `__init__` and `object.__new__`: its version, `__init__`.
    CALL_CLASS_INIT => CALL;
    /// A tuple of two.
    UNPACK_SEQUENCE_PAIR => UNPACK_SEQUENCE;
    /// A getter or a member of a native type: type version, the descriptor, whether it is a member.
    LOAD_ATTR_DESCRIPTOR => LOAD_ATTR;
    /// A setter or a member of a native type: type version, the descriptor, whether it is a member.
    STORE_ATTR_DESCRIPTOR => STORE_ATTR;
    /// `len`: the function.
    CALL_LEN => CALL;
}

impl Opcode {
    /// Whether control never falls through to the next instruction.
    pub fn ends_block(self) -> bool {
        matches!(
            self,
            Opcode::JUMP
                | Opcode::JUMP_BACKWARD
                | Opcode::JUMP_BACKWARD_NO_INTERRUPT
                | Opcode::RETURN_VALUE
                | Opcode::RERAISE
                | Opcode::RAISE_VARARGS
        )
    }
    /// Whether the destination may be `NO_REG`.
    pub fn may_drop_value(self) -> bool {
        matches!(
            self,
            Opcode::CALL
                | Opcode::CALL_KW
                | Opcode::CALL_EX
                | Opcode::CALL_INTRINSIC_1
                | Opcode::YIELD_VALUE
                | Opcode::MOVE
        )
    }
    /// The opcode with the given number.
    pub fn from_u8(number: u8) -> Option<Opcode> {
        ALL.get(number as usize).copied()
    }

    /// This opcode's row of the table.
    pub fn info(self) -> &'static OpInfo {
        &OPCODES[self as usize]
    }

    /// Words that an instruction with this opcode occupies.
    pub fn words(self) -> usize {
        1 + self.info().ext.words()
    }
}

macro_rules! numbered {
    ($(#[$m:meta])* $name:ident { $( $(#[$vm:meta])* $variant:ident = $number:literal $text:literal ),+ $(,)? }) => {
        $(#[$m])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name { $( $(#[$vm])* $variant = $number ),+ }

        impl $name {
            pub const fn from_u8(number: u8) -> Option<Self> {
                match number { $( $number => Some(Self::$variant), )+ _ => None }
            }
            /// How the disassembler prints it.
            pub const fn text(self) -> &'static str {
                match self { $( Self::$variant => $text ),+ }
            }
        }
    };
}

numbered! {
    /// `x` of BINARY_OP: CPython's `NB_` numbers.
    BinaryOp {
        Add = 0 "+", And = 1 "&", FloorDivide = 2 "//", Lshift = 3 "<<", MatrixMultiply = 4 "@", Multiply = 5 "*",
        Remainder = 6 "%", Or = 7 "|", Power = 8 "**", Rshift = 9 ">>", Subtract = 10 "-", TrueDivide = 11 "/",
        Xor = 12 "^", InplaceAdd = 13 "+=", InplaceAnd = 14 "&=", InplaceFloorDivide = 15 "//=",
        InplaceLshift = 16 "<<=", InplaceMatrixMultiply = 17 "@=", InplaceMultiply = 18 "*=",
        InplaceRemainder = 19 "%=", InplaceOr = 20 "|=", InplacePower = 21 "**=", InplaceRshift = 22 ">>=",
        InplaceSubtract = 23 "-=", InplaceTrueDivide = 24 "/=", InplaceXor = 25 "^=",
    }
}

numbered! {
    /// `x` of COMPARE_OP: CPython's `Py_LT`...
    CmpOp { Lt = 0 "<", Le = 1 "<=", Eq = 2 "==", Ne = 3 "!=", Gt = 4 ">", Ge = 5 ">=" }
}

numbered! {
    /// `x` of LOAD_COMMON_CONSTANT.
    CommonConstant {
        AssertionError = 0 "AssertionError", NotImplementedError = 1 "NotImplementedError",
        BuiltinTuple = 2 "tuple", BuiltinAll = 3 "all", BuiltinAny = 4 "any",
    }
}

numbered! {
    /// `x` of SET_FUNCTION_ATTRIBUTE.
    FunctionAttribute {
        /// Tuple of default values.
        Defaults = 1 "defaults",
        /// Dict of keyword-only default values.
        KwDefaults = 2 "kwdefaults",
        /// Annotations as a tuple (name, value, ...) or dict.
        Annotations = 4 "annotations",
        /// Tuple of cells.
        Closure = 8 "closure",
        /// The `__annotate__` function.
        Annotate = 16 "annotate",
    }
}

numbered! {
    /// `x` of LOAD_SPECIAL.
    SpecialMethod { Enter = 0 "__enter__", Exit = 1 "__exit__", Aenter = 2 "__aenter__", Aexit = 3 "__aexit__" }
}

numbered! {
    /// `x` of CALL_INTRINSIC_1.
    Intrinsic1 {
        /// `sys.displayhook(b)`; result None.
        Print = 1 "PRINT",
        /// `from b import *` into the locals mapping; result None.
        ImportStar = 2 "IMPORT_STAR",
        /// The exception b leaves a generator: if it is StopIteration (StopAsyncIteration in an async generator), the
        /// RuntimeError with b as cause; else b itself.
        StopIterationError = 3 "STOPITERATION_ERROR",
        /// Wraps a value that an async generator yields.
        AsyncGenWrap = 4 "ASYNC_GEN_WRAP",
        /// `tuple(list b)`.
        ListToTuple = 6 "LIST_TO_TUPLE",
        /// `TypeVar(b)` with inferred variance.
        TypeVar = 7 "TYPEVAR",
        /// `ParamSpec(b)`.
        ParamSpec = 8 "PARAMSPEC",
        /// `TypeVarTuple(b)`.
        TypeVarTuple = 9 "TYPEVARTUPLE",
        /// `Generic[*b]`.
        SubscriptGeneric = 10 "SUBSCRIPT_GENERIC",
        /// TypeAliasType of the tuple (name, type params or None, value function).
        TypeAlias = 11 "TYPEALIAS",
    }
}

numbered! {
    /// `x` of CALL_INTRINSIC_2.
    Intrinsic2 {
        /// b: the original exception, c: list of exceptions raised and not handled; the exception to raise, or None.
        PrepReraiseStar = 1 "PREP_RERAISE_STAR",
        /// TypeVar named b with the lazily evaluated bound c (a function).
        TypeVarWithBound = 2 "TYPEVAR_WITH_BOUND",
        /// TypeVar named b with the lazily evaluated constraints c (a function).
        TypeVarWithConstraints = 3 "TYPEVAR_WITH_CONSTRAINTS",
        /// `b.__type_params__ = c`; result b.
        SetFunctionTypeParams = 4 "SET_FUNCTION_TYPE_PARAMS",
        /// Type parameter b gets the default c (a function); result b.
        SetTypeparamDefault = 5 "SET_TYPEPARAM_DEFAULT",
    }
}
