//! AST -> symbol tables: a block per scope, with what each name means in it. `build` visits the tree, `analyze` resolves
//! names. The structure and the error texts are CPython's (`symtable.h`), so the `symtable` module can be served from it.

mod analyze;
mod build;

use crate::ast::{self, Ident};
use crate::bytecode::Position;
use crate::error::Result;
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

/// Flags of a symbol: CPython's `DEF_*`, and the scope in the bits from `SCOPE_OFFSET` on.
pub mod flags {
    pub const DEF_GLOBAL: u32 = 1;
    pub const DEF_LOCAL: u32 = 2;
    pub const DEF_PARAM: u32 = 2 << 1;
    pub const DEF_NONLOCAL: u32 = 2 << 2;
    pub const USE: u32 = 2 << 3;
    pub const DEF_FREE_CLASS: u32 = 2 << 5;
    pub const DEF_IMPORT: u32 = 2 << 6;
    pub const DEF_ANNOT: u32 = 2 << 7;
    pub const DEF_COMP_ITER: u32 = 2 << 8;
    pub const DEF_TYPE_PARAM: u32 = 2 << 9;
    pub const DEF_COMP_CELL: u32 = 2 << 10;
    pub const DEF_BOUND: u32 = DEF_LOCAL | DEF_PARAM | DEF_IMPORT | DEF_TYPE_PARAM;
    pub const SCOPE_OFFSET: u32 = 12;
}

/// What a name refers to in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Unknown,
    Local,
    GlobalExplicit,
    GlobalImplicit,
    Free,
    Cell,
}

impl Scope {
    pub fn of(symbol: u32) -> Scope {
        match symbol >> flags::SCOPE_OFFSET {
            1 => Scope::Local,
            2 => Scope::GlobalExplicit,
            3 => Scope::GlobalImplicit,
            4 => Scope::Free,
            5 => Scope::Cell,
            _ => Scope::Unknown,
        }
    }

    pub fn bits(self) -> u32 {
        (self as u32) << flags::SCOPE_OFFSET
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    Function,
    Class,
    Module,
    /// `__annotate__` of a function, class or module.
    Annotation,
    TypeAlias,
    TypeParameters,
    /// Bound, constraints or default of a type variable.
    TypeVariable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComprehensionKind {
    No,
    List,
    Dict,
    Set,
    Generator,
}

pub type BlockId = usize;

/// Identifies the AST node that opens a block: its address, and which of its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeKey(usize, KeyKind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    Body,
    Annotations,
    TypeParams,
    Bound,
    Default,
}

impl NodeKey {
    /// The tree must not move while the symbol table is in use; it is only borrowed meanwhile.
    pub fn new<T>(node: &T, kind: KeyKind) -> NodeKey {
        NodeKey(std::ptr::from_ref(node) as usize, kind)
    }
}

/// A scope.
#[derive(Debug)]
pub struct Block {
    pub kind: BlockKind,
    pub name: Ident,
    pub symbols: IndexMap<Ident, u32, FxBuildHasher>,
    pub varnames: Vec<Ident>,
    pub children: Vec<BlockId>,
    pub directives: Vec<(Ident, Position)>,
    pub pos: Position,
    /// Inside a function, directly or not.
    pub nested: bool,
    pub free: bool,
    pub generator: bool,
    pub coroutine: bool,
    pub comprehension: ComprehensionKind,
    pub varargs: bool,
    pub varkeywords: bool,
    pub returns_value: bool,
    /// A class whose methods use `__class__`.
    pub needs_class_closure: bool,
    /// A class whose annotation scopes use its namespace.
    pub needs_classdict: bool,
    /// The comprehension is part of the enclosing code object (PEP 709).
    pub comp_inlined: bool,
    pub comp_iter_target: bool,
    pub comp_iter_expr: u32,
    pub can_see_class_scope: bool,
    pub has_docstring: bool,
    pub method: bool,
    pub in_conditional_block: bool,
    pub has_conditional_annotations: bool,
    pub in_unevaluated_annotation: bool,
    pub annotation_block: Option<BlockId>,
    /// "a TypeVar bound" and the like, for errors.
    pub scope_info: Option<&'static str>,
    /// Names that some walrus binds here: operands that borrow them need care.
    pub walrus: FxHashSet<Ident>,
    /// In the type parameter scope of a class: only these names are mangled.
    pub mangled_names: Option<FxHashSet<Ident>>,
}

impl Block {
    /// CPython's `_PyST_IsFunctionLike`.
    pub fn is_function_like(&self) -> bool {
        !matches!(self.kind, BlockKind::Class | BlockKind::Module)
    }

    /// Whether this is the body of an `async def`, or has become a coroutine's.
    pub fn is_async_def(&self) -> bool {
        self.kind == BlockKind::Function && self.coroutine
    }

    /// Flags of a name; 0 if it is not there.
    pub fn symbol(&self, name: &str) -> u32 {
        self.symbols.get(name).copied().unwrap_or(0)
    }

    pub fn scope(&self, name: &str) -> Scope {
        Scope::of(self.symbol(name))
    }
}

/// All scopes of a module.
#[derive(Debug)]
pub struct SymbolTable {
    pub blocks: Vec<Block>,
    pub top: BlockId,
    by_node: FxHashMap<NodeKey, BlockId>,
}

impl SymbolTable {
    /// Builds and resolves the table. `future_annotations`: PEP 563 is in force. `top_level_await`: await may stand at
    /// module level.
    pub fn new(module: &ast::Mod, future_annotations: bool, top_level_await: bool) -> Result<SymbolTable> {
        let mut table = build::Builder::new(future_annotations, top_level_await).build(module)?;
        analyze::analyze(&mut table)?;
        Ok(table)
    }

    pub fn lookup<T>(&self, node: &T, kind: KeyKind) -> Option<BlockId> {
        self.by_node.get(&NodeKey::new(node, kind)).copied()
    }
}

/// The name as class-private names are stored: `__x` in class `C` is `_C__x`.
pub fn mangle(private: Option<&str>, name: &Ident) -> Ident {
    let Some(class) = private else { return name.clone() };
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return name.clone();
    }
    let class = class.trim_start_matches('_');
    if class.is_empty() {
        return name.clone();
    }
    Ident::from(format!("_{class}{name}"))
}

/// As `mangle`, but respects a class's type parameter scope.
pub fn maybe_mangle(private: Option<&str>, block: &Block, name: &Ident) -> Ident {
    match &block.mangled_names {
        Some(names) if !names.contains(name) => name.clone(),
        _ => mangle(private, name),
    }
}
