//! blocks with definitions and uses -> blocks with the scope of each name; decides which comprehensions are inlined.

use super::flags::*;
use super::*;
use crate::error::CompileError;

type Names = FxHashSet<Ident>;
type Scopes = FxHashMap<Ident, Scope>;

/// Resolves all names of the table.
pub(super) fn analyze(table: &mut SymbolTable) -> Result<()> {
    let mut free = Names::default();
    let mut global = Names::default();
    let mut type_params = Names::default();
    Analyzer { table }.block(0, None, &mut free, &mut global, &mut type_params, None)
}

struct Analyzer<'a> {
    table: &'a mut SymbolTable,
}

/// The sets that flow through `analyze_name`.
struct Sets<'a> {
    scopes: Scopes,
    local: Names,
    bound: Option<&'a mut Names>,
    free: Names,
    global: &'a mut Names,
    type_params: &'a mut Names,
}

impl Analyzer<'_> {
    fn block(
        &mut self,
        id: BlockId,
        mut bound: Option<&mut Names>,
        free: &mut Names,
        global: &mut Names,
        type_params: &mut Names,
        class_entry: Option<BlockId>,
    ) -> Result<()> {
        let is_class = self.table.blocks[id].kind == BlockKind::Class;
        let function_like = self.table.blocks[id].is_function_like();
        let mut new_global = Names::default();
        let mut new_bound = Names::default();
        if is_class {
            // Names bound or global outside are seen by methods, the class's own are not.
            new_global.extend(global.iter().cloned());
            new_bound.extend(bound.iter().flat_map(|b| b.iter()).cloned());
        }
        let symbols: Vec<(Ident, u32)> = self.table.blocks[id]
            .symbols
            .iter()
            .map(|(name, flags)| (name.clone(), *flags))
            .collect();
        let mut sets = Sets {
            scopes: Scopes::default(),
            local: Names::default(),
            bound: bound.as_deref_mut(),
            free: Names::default(),
            global,
            type_params,
        };
        for (name, flags) in &symbols {
            self.name(id, name, *flags, &mut sets, class_entry)?;
        }
        let Sets {
            mut scopes,
            local,
            free: name_free,
            ..
        } = sets;
        if is_class {
            for name in ["__class__", "__classdict__", "__conditional_annotations__"] {
                new_bound.insert(Ident::new_static(name));
            }
        } else {
            if function_like {
                new_bound.extend(local.iter().cloned());
            }
            new_bound.extend(bound.iter().flat_map(|b| b.iter()).cloned());
            new_global.extend(global.iter().cloned());
        }
        let mut inlined_cells = Names::default();
        // Free names of the children; this block's own only matter to its parent.
        let mut new_free = Names::default();
        let children = self.table.blocks[id].children.clone();
        for child in children {
            let entry = &self.table.blocks[child];
            let child_class = if !entry.can_see_class_scope {
                None
            } else if is_class {
                Some(id)
            } else {
                class_entry
            };
            let inlines = !matches!(
                entry.comprehension,
                ComprehensionKind::No | ComprehensionKind::Generator
            ) && !self.table.blocks[id].can_see_class_scope;
            let mut child_bound = new_bound.clone();
            let mut child_global = new_global.clone();
            let mut child_type_params = type_params.clone();
            let mut child_free = Names::default();
            stacker::maybe_grow(64 * 1024, 1024 * 1024, || {
                self.block(
                    child,
                    Some(&mut child_bound),
                    &mut child_free,
                    &mut child_global,
                    &mut child_type_params,
                    child_class,
                )
            })?;
            if inlines {
                self.inline_comprehension(id, child, &mut scopes, &mut child_free, &mut inlined_cells);
                self.table.blocks[child].comp_inlined = true;
            }
            new_free.extend(child_free);
        }
        self.splice_inlined(id);
        if function_like {
            for (name, scope) in scopes.iter_mut() {
                if *scope == Scope::Local && (new_free.contains(name) || inlined_cells.contains(name)) {
                    *scope = Scope::Cell;
                    new_free.remove(name);
                }
            }
        } else if is_class {
            let block = &mut self.table.blocks[id];
            block.needs_class_closure |= new_free.remove("__class__");
            block.needs_classdict |= new_free.remove("__classdict__");
            block.has_conditional_annotations |= new_free.remove("__conditional_annotations__");
        }
        let keeps_class_binding = is_class || self.table.blocks[id].can_see_class_scope;
        self.update_symbols(
            id,
            &scopes,
            bound.as_deref(),
            &new_free,
            &inlined_cells,
            keeps_class_binding,
        );
        free.extend(new_free);
        free.extend(name_free);
        Ok(())
    }

    fn name(
        &mut self,
        id: BlockId,
        name: &Ident,
        flags: u32,
        sets: &mut Sets,
        class_entry: Option<BlockId>,
    ) -> Result<()> {
        if flags & DEF_GLOBAL != 0 {
            if flags & DEF_NONLOCAL != 0 {
                return Err(self.directive_error(id, name, format!("name '{name}' is nonlocal and global")));
            }
            sets.scopes.insert(name.clone(), Scope::GlobalExplicit);
            sets.global.insert(name.clone());
            if let Some(bound) = &mut sets.bound {
                bound.remove(name);
            }
            return Ok(());
        }
        if flags & DEF_NONLOCAL != 0 {
            let Some(bound) = &sets.bound else {
                let message = "nonlocal declaration not allowed at module level".into();
                return Err(self.directive_error(id, name, message));
            };
            if !bound.contains(name) {
                let message = format!("no binding for nonlocal '{name}' found");
                return Err(self.directive_error(id, name, message));
            }
            if sets.type_params.contains(name) {
                let message = format!("nonlocal binding not allowed for type parameter '{name}'");
                return Err(self.directive_error(id, name, message));
            }
            sets.scopes.insert(name.clone(), Scope::Free);
            self.table.blocks[id].free = true;
            sets.free.insert(name.clone());
            return Ok(());
        }
        if flags & DEF_BOUND != 0 {
            sets.scopes.insert(name.clone(), Scope::Local);
            sets.local.insert(name.clone());
            sets.global.remove(name);
            if flags & DEF_TYPE_PARAM != 0 {
                sets.type_params.insert(name.clone());
            } else {
                sets.type_params.remove(name);
            }
            return Ok(());
        }
        // An annotation scope in a class looks names up in the class first; what the class binds is not looked for in
        // functions around it.
        if let Some(class) = class_entry
            && name != "__classdict__"
        {
            let class_flags = self.table.blocks[class].symbol(name);
            if class_flags & DEF_GLOBAL != 0 {
                sets.scopes.insert(name.clone(), Scope::GlobalExplicit);
                return Ok(());
            }
            if class_flags & DEF_BOUND != 0 && class_flags & DEF_NONLOCAL == 0 {
                sets.scopes.insert(name.clone(), Scope::GlobalImplicit);
                return Ok(());
            }
        }
        if sets.bound.as_ref().is_some_and(|bound| bound.contains(name)) {
            sets.scopes.insert(name.clone(), Scope::Free);
            self.table.blocks[id].free = true;
            sets.free.insert(name.clone());
            return Ok(());
        }
        if !sets.global.contains(name) && self.table.blocks[id].nested {
            self.table.blocks[id].free = true;
        }
        sets.scopes.insert(name.clone(), Scope::GlobalImplicit);
        Ok(())
    }

    fn directive_error(&self, id: BlockId, name: &Ident, message: String) -> CompileError {
        let block = &self.table.blocks[id];
        let pos = block
            .directives
            .iter()
            .find(|(n, _)| n == name)
            .map_or(block.pos, |(_, pos)| *pos);
        CompileError::syntax(message, pos)
    }

    /// Merges the symbols of a comprehension into the scope that it becomes part of.
    fn inline_comprehension(
        &mut self,
        id: BlockId,
        comp: BlockId,
        scopes: &mut Scopes,
        comp_free: &mut Names,
        inlined_cells: &mut Names,
    ) {
        let outer_is_class = self.table.blocks[id].kind == BlockKind::Class;
        let symbols: Vec<(Ident, u32)> = self.table.blocks[comp]
            .symbols
            .iter()
            .map(|(name, flags)| (name.clone(), *flags))
            .collect();
        for (name, comp_flags) in symbols {
            if comp_flags & DEF_PARAM != 0 {
                continue;
            }
            let mut scope = Scope::of(comp_flags);
            let only_flags = comp_flags & ((1 << SCOPE_OFFSET) - 1);
            if scope == Scope::Cell || only_flags & DEF_COMP_CELL != 0 {
                inlined_cells.insert(name.clone());
            }
            if outer_is_class && scope == Scope::Free && is_class_cell(&name) {
                scope = Scope::GlobalImplicit;
                if !self.is_free_in_any_child(comp, &name) {
                    comp_free.remove(&name);
                }
            }
            match self.table.blocks[id].symbols.get(&name).copied() {
                None => {
                    self.table.blocks[id].symbols.insert(name.clone(), only_flags);
                    scopes.insert(name, scope);
                }
                Some(existing) => {
                    if existing & DEF_BOUND != 0 && !outer_is_class && !self.is_free_in_any_child(comp, &name)
                    {
                        comp_free.remove(&name);
                    }
                }
            }
        }
    }

    fn is_free_in_any_child(&self, comp: BlockId, name: &Ident) -> bool {
        let children = &self.table.blocks[comp].children;
        children
            .iter()
            .any(|child| self.table.blocks[*child].scope(name) == Scope::Free)
    }

    /// The children of inlined comprehensions become children of this block.
    fn splice_inlined(&mut self, id: BlockId) {
        let children = std::mem::take(&mut self.table.blocks[id].children);
        let mut spliced = Vec::with_capacity(children.len());
        for child in children {
            if self.table.blocks[child].comp_inlined {
                spliced.extend(self.table.blocks[child].children.iter().copied());
            } else {
                spliced.push(child);
            }
        }
        self.table.blocks[id].children = spliced;
    }

    fn update_symbols(
        &mut self,
        id: BlockId,
        scopes: &Scopes,
        bound: Option<&Names>,
        free: &Names,
        inlined_cells: &Names,
        class_binding: bool,
    ) {
        let symbols = &mut self.table.blocks[id].symbols;
        for (name, flags) in symbols.iter_mut() {
            if inlined_cells.contains(name) {
                *flags |= DEF_COMP_CELL;
            }
            *flags |= scopes.get(name).copied().unwrap_or(Scope::Unknown).bits();
        }
        // Names that only pass through to inner scopes. Sorted, so that output does not depend on hashing.
        let mut passing: Vec<&Ident> = free.iter().collect();
        passing.sort();
        for name in passing {
            match symbols.get_mut(name) {
                Some(flags) => {
                    if class_binding {
                        *flags |= DEF_FREE_CLASS;
                    }
                }
                None => {
                    if bound.is_none_or(|bound| bound.contains(name)) {
                        symbols.insert(name.clone(), Scope::Free.bits());
                    }
                }
            }
        }
    }
}

/// The cells that a class body may have without binding them.
fn is_class_cell(name: &str) -> bool {
    matches!(
        name,
        "__class__" | "__classdict__" | "__conditional_annotations__"
    )
}
