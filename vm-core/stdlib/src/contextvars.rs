//! `_contextvars`: context variables (PEP 567). A context is a dict that is copied when it is written while shared; the thread
//! state has the current one.

use adder_runtime::exceptions::exc;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::dictobject;
use adder_runtime::objects::genericaliasobject::new_generic_alias;
use adder_runtime::objects::numeric_hash::hash_pointer;
use adder_runtime::objects::watchers;
use adder_runtime::prelude::*;
use adder_runtime::thread::thread_state;
use std::cell::Cell;
use std::mem::offset_of;

#[repr(C)]
pub struct Context {
    ob_base: PyObject,
    weakreflist: Cell<*mut PyObject>,
    /// Values by variable. Shared between a context and its copies until one of them is changed.
    vars: ObjectCell<PyDictObject>,
    /// The context that was current before this one was entered.
    previous: ObjectCell,
    entered: Cell<bool>,
}

#[repr(C)]
pub struct ContextVar {
    ob_base: PyObject,
    name: Ref<PyUnicodeObject>,
    default: Option<Ref>,
}

#[repr(C)]
pub struct Token {
    ob_base: PyObject,
    context: ObjectCell<Context>,
    var: ObjectCell<ContextVar>,
    old_value: ObjectCell,
    used: Cell<bool>,
}

/// The calling thread's context, made when it has none.
pub fn current() -> PyResult<Ref<Context>> {
    if let Some(context) = thread_state().context()
        && let Some(context) = context.downcast_exact::<Context>()
    {
        return Ok(context.to_ref());
    }
    let context = Context::empty()?;
    thread_state().replace_context(Some(context.to_object()));
    Ok(context)
}

/// A copy of the calling thread's context.
pub fn copy_current() -> PyResult<Ref<Context>> {
    current()?.copied()
}

fn as_context(object: &PyObject) -> PyResult<&Context> {
    object
        .downcast_exact::<Context>()
        .ok_or_else(|| raise!(TypeError, "an instance of Context was expected"))
}

fn as_var(key: &PyObject) -> PyResult<&ContextVar> {
    key.downcast_exact::<ContextVar>()
        .ok_or_else(|| match key.repr() {
            Ok(shown) => raise!(TypeError, "a ContextVar key was expected, got {}", shown.to_string_lossy()),
            Err(raised) => raised,
        })
}

#[pytype(
    name = "_contextvars.Context",
    static_name = PyContext_Type,
    flags = HAVE_GC,
    weaklistoffset = offset_of!(Context, weakreflist) as isize,
    slots = [tp_hash = adder_runtime::types::hash_not_implemented],
)]
/// A mapping of context variables to their values.
impl Context {
    #[slot]
    fn tp_new(_cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        if args.len() != 0 || kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
            return Err(raise!(TypeError, "Context() does not accept any arguments"));
        }
        Ok(Context::empty()?.into_object())
    }
    fn over(vars: Ref<PyDictObject>) -> PyResult<Ref<Context>> {
        Ref::new(Context {
            ob_base: blank_header(),
            weakreflist: Cell::new(std::ptr::null_mut()),
            vars: ObjectCell::new(Some(vars)),
            previous: ObjectCell::new(None),
            entered: Cell::new(false),
        })
    }
    pub fn empty() -> PyResult<Ref<Context>> {
        Context::over(PyDictObject::new())
    }
    pub fn copied(&self) -> PyResult<Ref<Context>> {
        Context::over(self.dict())
    }
    fn dict(&self) -> Ref<PyDictObject> {
        self.vars.get().unwrap_or_else(PyDictObject::new)
    }
    /// The dict, not shared with any other context.
    fn own_dict(&self) -> PyResult<Ref<PyDictObject>> {
        let dict = self.dict();
        // One count is the field's, one is held here.
        if dict.as_object().refcnt() <= 2 {
            return Ok(dict);
        }
        let copy = dict.copy()?;
        self.vars.set(Some(copy.clone()));
        Ok(copy)
    }
    fn lookup(&self, var: &ContextVar) -> PyResult<Option<Ref>> {
        match self.vars.borrow() {
            Some(vars) if vars.len() != 0 => vars.get(var.as_object()),
            _ => Ok(None),
        }
    }
    pub fn enter(&self) -> PyResult<()> {
        if self.entered.get() {
            let shown = self.as_object().repr()?.to_string_lossy();
            return Err(raise!(RuntimeError, "cannot enter context: {shown} is already entered"));
        }
        self.entered.set(true);
        let previous = thread_state().replace_context(Some(self.to_object()));
        self.previous.set(previous);
        if watchers::CONTEXTS.is_active() {
            watchers::context_switched(Some(self.as_object()));
        }
        Ok(())
    }
    pub fn exit(&self) -> PyResult<()> {
        let state = thread_state();
        if !self.entered.get() {
            let shown = self.as_object().repr()?.to_string_lossy();
            return Err(raise!(RuntimeError, "cannot exit context: {shown} has not been entered"));
        }
        let is_current = state.context().is_some_and(|context| context.is(self.as_object()));
        if !is_current {
            return Err(raise!(RuntimeError, "cannot exit context: thread state references a different context object"));
        }
        let previous = self.previous.take();
        self.entered.set(false);
        drop(state.replace_context(previous));
        if watchers::CONTEXTS.is_active() {
            watchers::context_switched(state.context().as_deref());
        }
        Ok(())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = self.vars.visit(visitor);
        if status != 0 { status } else { self.previous.visit(visitor) }
    }
    #[slot]
    fn tp_clear(&self) {
        self.vars.set(None);
        self.previous.set(None);
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let (true, Some(other)) = (matches!(op, CompareOp::Eq | CompareOp::Ne), other.downcast::<Context>()) else {
            return Ok(not_implemented().to_ref());
        };
        let equal = self.dict().equals(&other.dict())?;
        Ok(py_bool(equal == (op == CompareOp::Eq)))
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(dictobject::iter::keys_iterator(&self.dict()))
    }
    #[slot]
    fn mp_length(&self) -> usize {
        self.dict().len()
    }
    #[slot]
    fn mp_subscript(&self, key: &PyObject) -> PyResult {
        match self.lookup(as_var(key)?)? {
            Some(value) => Ok(value),
            None => Err(raise!(KeyError, value => key)),
        }
    }
    #[slot]
    fn sq_contains(&self, key: &PyObject) -> PyResult<bool> {
        Ok(self.lookup(as_var(key)?)?.is_some())
    }
    /// The value of the variable in this context, or the default.
    #[method("($self, key, default=None, /)")]
    fn get(&self, key: &PyObject, default: Option<&PyObject>) -> PyResult<Option<Ref>> {
        Ok(self.lookup(as_var(key)?)?.or_else(|| default.map(PyObject::to_ref)))
    }
    /// Variables and their values.
    #[method("($self, /)")]
    fn items(&self) -> PyResult {
        dictobject::views::items_view(self.dict().as_object())
    }
    /// The variables of this context.
    #[method("($self, /)")]
    fn keys(&self) -> PyResult {
        dictobject::views::keys_view(self.dict().as_object())
    }
    /// The values of this context.
    #[method("($self, /)")]
    fn values(&self) -> PyResult {
        dictobject::views::values_view(self.dict().as_object())
    }
    /// A shallow copy.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult<Ref<Context>> {
        self.copied()
    }
    /// Calls a function in this context.
    #[method(raw, "(...)")]
    fn run(&self, args: &[&PyObject], kwargs: adder_runtime::args::Kwargs<'_>) -> PyResult {
        let Some((function, rest)) = args.split_first() else {
            return Err(raise!(TypeError, "run() missing 1 required positional argument"));
        };
        self.enter()?;
        let result = if kwargs.is_empty() {
            function.call(rest)
        } else {
            let kwargs = kwargs.to_dict();
            kwargs.and_then(|kwargs| function.call_tuple(&PyTupleObject::from_slice(rest), kwargs.as_deref()))
        };
        match result {
            Ok(result) => self.exit().map(|()| result),
            Err(raised) => {
                let exception = raised.take();
                self.exit()?;
                Err(adder_runtime::error::restore(exception))
            }
        }
    }
}

#[pytype(name = "_contextvars.ContextVar", static_name = PyContextVar_Type, flags = HAVE_GC)]
/// A variable whose value depends on the context.
impl ContextVar {
    #[new("(name, *, default=<unrepresentable>)")]
    fn new(_cls: &PyTypeObject, name: &PyObject, default: Option<&PyObject>) -> PyResult<Ref<ContextVar>> {
        match name.downcast::<PyUnicodeObject>() {
            Some(name) => {
                name.as_object().hash()?;
                ContextVar::make(name, default)
            }
            None => Err(raise!(TypeError, "context variable name must be a str")),
        }
    }
    pub fn make(name: &PyUnicodeObject, default: Option<&PyObject>) -> PyResult<Ref<ContextVar>> {
        Ref::new(ContextVar { ob_base: blank_header(), name: name.to_ref(), default: default.map(PyObject::to_ref) })
    }
    /// The value in the current context, else `default`, else the variable's own default.
    pub fn value_or(&self, default: Option<&PyObject>) -> PyResult<Option<Ref>> {
        if let Some(context) = thread_state().context()
            && let Some(context) = context.downcast_exact::<Context>()
            && let Some(value) = context.lookup(self)?
        {
            return Ok(Some(value));
        }
        Ok(default.map(PyObject::to_ref).or_else(|| self.default.clone()))
    }
    /// Sets the value in the current context; the token can take it back.
    pub fn set_value(&self, value: &PyObject) -> PyResult<Ref<Token>> {
        let context = current()?;
        let old_value = context.lookup(self)?;
        let token = Ref::new(Token {
            ob_base: blank_header(),
            context: ObjectCell::new(Some(context.clone())),
            var: ObjectCell::new(Some(self.to_ref())),
            old_value: ObjectCell::new(old_value),
            used: Cell::new(false),
        })?;
        context.own_dict()?.set(self.as_object(), value)?;
        Ok(token)
    }
    /// Restores the value that was there before the `set` that gave the token.
    pub fn reset_value(&self, token: &Token) -> PyResult<()> {
        let shown = || -> PyResult<String> { Ok(token.as_object().repr()?.to_string_lossy()) };
        if token.used.get() {
            return Err(raise!(RuntimeError, "{} has already been used once", shown()?));
        }
        if !token.var.borrow().is_some_and(|var| std::ptr::eq(var, self)) {
            return Err(raise!(ValueError, "{} was created by a different ContextVar", shown()?));
        }
        let context = current()?;
        if !token.context.borrow().is_some_and(|owner| std::ptr::eq(owner, &*context)) {
            return Err(raise!(ValueError, "{} was created in a different Context", shown()?));
        }
        token.used.set(true);
        match token.old_value.get() {
            Some(value) => context.own_dict()?.set(self.as_object(), &value),
            None => match context.own_dict()?.remove(self.as_object())? {
                true => Ok(()),
                false => Err(raise!(LookupError, value => self.as_object())),
            },
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit_ref(&self.default)
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        Ok(hash_pointer(self as *const ContextVar) as Py_hash_t)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let name = self.name.as_object().repr()?.to_string_lossy();
        let default = match &self.default {
            Some(default) => format!(" default={}", default.repr()?.to_string_lossy()),
            None => String::new(),
        };
        Ok(format!("<ContextVar name={name}{default} at {:p}>", self))
    }
    /// The value of the variable in the current context.
    #[method("($self, default=<unrepresentable>, /)")]
    fn get(&self, default: Option<&PyObject>) -> PyResult {
        match self.value_or(default)? {
            Some(value) => Ok(value),
            None => Err(adder_runtime::error::set_object(exc::LookupError.as_object(), Some(self.as_object()))),
        }
    }
    /// Sets a new value in the current context; the result can reset it.
    #[method("($self, value, /)")]
    fn set(&self, value: &PyObject) -> PyResult<Ref<Token>> {
        self.set_value(value)
    }
    /// Resets the variable to what it was before the set that made the token.
    #[method("($self, token, /)")]
    fn reset(&self, token: &PyObject) -> PyResult<()> {
        match token.downcast::<Token>() {
            Some(token) => self.reset_value(token),
            None => Err(raise!(
                TypeError,
                "expected an instance of Token, got {}",
                token.repr()?.to_string_lossy()
            )),
        }
    }
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        new_generic_alias(cls.as_object(), object)
    }
    #[getter(name = "name")]
    fn get_name(&self) -> Ref<PyUnicodeObject> {
        self.name.clone()
    }
}

#[pytype(
    name = "_contextvars.Token",
    static_name = PyContextToken_Type,
    flags = HAVE_GC,
    slots = [tp_hash = adder_runtime::types::hash_not_implemented],
)]
/// What ContextVar.set() gives, to be passed to ContextVar.reset().
impl Token {
    #[slot]
    fn tp_new(_cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        Err(raise!(RuntimeError, "Tokens can only be created by ContextVars"))
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = self.context.visit(visitor);
        if status != 0 {
            return status;
        }
        let status = self.var.visit(visitor);
        if status != 0 { status } else { self.old_value.visit(visitor) }
    }
    #[slot]
    fn tp_clear(&self) {
        self.context.set(None);
        self.var.set(None);
        self.old_value.set(None);
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let used = if self.used.get() { " used" } else { "" };
        let var = self.get_var().map_or_else(none_ref, Ref::into_object).repr()?.to_string_lossy();
        Ok(format!("<Token{used} var={var} at {:p}>", self))
    }
    #[getter(name = "var")]
    fn get_var(&self) -> Option<Ref<ContextVar>> {
        self.var.get()
    }
    #[getter(name = "old_value")]
    fn get_old_value(&self) -> Ref {
        self.old_value.get().unwrap_or_else(|| MISSING.to_ref())
    }
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        new_generic_alias(cls.as_object(), object)
    }
    /// Enter into Token context manager.
    #[method("($self, /)")]
    fn __enter__(&self) -> Ref<Token> {
        self.to_ref()
    }
    /// Exit from Token context manager, restore the linked ContextVar.
    #[method("($self, type, val, tb, /)")]
    fn __exit__(&self, _type: &PyObject, _val: &PyObject, _tb: &PyObject) -> PyResult<()> {
        match self.var.get() {
            Some(var) => var.reset_value(self),
            None => Ok(()),
        }
    }
}

/// What stands for 'no value before'.
#[repr(transparent)]
pub struct Missing(PyObject);

static MISSING: PyObject = PyObject::immortal((&raw const MISSING_TYPE).cast_mut());

#[pytype(name = "Token.MISSING", static_name = MISSING_TYPE, flags = DISALLOW_INSTANTIATION)]
/// The type of Token.MISSING.
impl Missing {
    #[slot]
    unsafe fn tp_dealloc(_this: *mut Self) {}
    #[slot]
    fn tp_repr(&self) -> PyResult<&str> {
        Ok("<Token.MISSING>")
    }
}

/// Context Variables
#[pymodule(name = "_contextvars", types = [PyContext_Type, PyContextVar_Type, PyContextToken_Type])]
pub mod _contextvars {
    use super::*;
    pub use super::{PyContext_Type, PyContextToken_Type, PyContextVar_Type};

    #[pyfunction("($module, /)")]
    fn copy_context() -> PyResult<Ref<Context>> {
        copy_current()
    }
    #[pyexec]
    fn exec(_module: &PyModuleObject) -> PyResult<()> {
        adder_runtime::hooks::CONTEXT.get_or_init(|| adder_runtime::hooks::ContextHooks {
            enter: |context| as_context(context)?.enter(),
            exit: |context| as_context(context)?.exit(),
            get: |var, default| match var.downcast_exact::<ContextVar>() {
                Some(var) => var.value_or(default),
                None => Err(raise!(TypeError, "an instance of ContextVar was expected")),
            },
        });
        if let Some(dict) = PyContextToken_Type.dict() {
            dict.set_str(identifier!("MISSING"), &MISSING)?;
            adder_runtime::types::lookup::modified(&PyContextToken_Type);
        }
        Ok(())
    }
}
