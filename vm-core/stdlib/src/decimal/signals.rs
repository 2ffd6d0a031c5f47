//! Signals and conditions: the exception classes, which condition raises which, and signal dicts.

use super::number::status::{self, *};
use crate::util::Kept;
use adder_runtime::error::set_object;
use adder_runtime::hooks::import_module;
use adder_runtime::memory::blank_header;
use adder_runtime::prelude::*;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

/// An exception class, the bases it has, and the conditions it stands for.
struct Class {
    name: &'static str,
    bases: &'static [&'static str],
    conditions: u32,
    kept: Kept,
}

const fn class(name: &'static str, bases: &'static [&'static str], conditions: u32) -> Class {
    Class {
        name,
        bases,
        conditions,
        kept: Kept::new(),
    }
}

static EXCEPTION: Class = class("DecimalException", &["ArithmeticError"], 0);

/// What a context can trap, in the order of precedence.
static SIGNALS: [Class; 9] = [
    class("InvalidOperation", &["DecimalException"], ANY_INVALID),
    class("FloatOperation", &["DecimalException", "TypeError"], FLOAT_OPERATION),
    class(
        "DivisionByZero",
        &["DecimalException", "ZeroDivisionError"],
        DIVISION_BY_ZERO,
    ),
    class("Overflow", &["Inexact", "Rounded"], OVERFLOW),
    class("Underflow", &["Inexact", "Rounded", "Subnormal"], UNDERFLOW),
    class("Subnormal", &["DecimalException"], SUBNORMAL),
    class("Inexact", &["DecimalException"], INEXACT),
    class("Rounded", &["DecimalException"], ROUNDED),
    class("Clamped", &["DecimalException"], CLAMPED),
];
pub const N_SIGNALS: usize = 9;

/// What makes an operation invalid. The first is the signal itself.
static CONDITIONS: [Class; 4] = [
    class("ConversionSyntax", &["InvalidOperation"], CONVERSION_SYNTAX),
    class("DivisionImpossible", &["InvalidOperation"], DIVISION_IMPOSSIBLE),
    class(
        "DivisionUndefined",
        &["InvalidOperation", "ZeroDivisionError"],
        DIVISION_UNDEFINED,
    ),
    class("InvalidContext", &["InvalidOperation"], INVALID_CONTEXT),
];

fn find(name: &str) -> Option<&'static Class> {
    std::iter::once(&EXCEPTION)
        .chain(&SIGNALS)
        .chain(&CONDITIONS)
        .find(|class| class.name == name)
}

impl Class {
    fn get(&'static self) -> PyResult {
        self.kept.get_or_make(|| {
            let bases = self.bases.iter().map(|name| match find(name) {
                Some(class) => class.get(),
                None => adder_runtime::hooks::import_module("builtins")?.get_attr_str(name),
            });
            let bases = PyTupleObject::from_vec(bases.collect::<PyResult<Vec<Ref>>>()?);
            let dict = PyDictObject::new();
            dict.set_str(
                identifier!("__module__"),
                PyUnicodeObject::from_str("decimal").as_object(),
            )?;
            adder_runtime::PyType_Type.as_object().call(&[
                PyUnicodeObject::from_str(self.name).as_object(),
                bases.as_object(),
                dict.as_object(),
            ])
        })
    }
}

/// All exception classes as attributes of the module.
pub fn add_classes(module: &PyModuleObject) -> PyResult<()> {
    for class in std::iter::once(&EXCEPTION).chain(&SIGNALS).chain(&CONDITIONS) {
        adder_runtime::module::add_object(module, class.name, class.get()?)?;
    }
    Ok(())
}

/// Raises for the conditions that are trapped: the first signal of them, with all as its argument.
#[cold]
pub fn raise_trapped(conditions: u32) -> Raised {
    let raise = || -> PyResult<Raised> {
        let mut list = Vec::new();
        if conditions & status::INVALID_OPERATION != 0 {
            list.push(SIGNALS[0].get()?);
        }
        for class in CONDITIONS.iter().chain(&SIGNALS[1..]) {
            if conditions & class.conditions != 0 {
                list.push(class.get()?);
            }
        }
        let first = SIGNALS.iter().find(|signal| conditions & signal.conditions != 0);
        let class = first.unwrap_or(&EXCEPTION).get()?;
        let list = PyListObject::from_vec(list);
        Ok(set_object(&class, Some(list.as_object())))
    };
    raise().unwrap_or_else(|raised| raised)
}

fn invalid_signal() -> Raised {
    raise!(
        KeyError,
        "valid values for signals are:\n  [InvalidOperation, FloatOperation, DivisionByZero,\n   Overflow, Underflow, Subnormal, \
         Inexact, Rounded,\n   Clamped]"
    )
}

fn mask_of(signal: &PyObject) -> PyResult<u32> {
    for class in &SIGNALS {
        if class.get()?.is(signal) {
            return Ok(class.conditions);
        }
    }
    Err(invalid_signal())
}

/// The signals that are on, as a list.
pub fn as_list(mask: u32) -> PyResult<Ref<PyListObject>> {
    let on = SIGNALS.iter().filter(|class| mask & class.conditions != 0);
    Ok(PyListObject::from_vec(
        on.map(Class::get).collect::<PyResult<Vec<Ref>>>()?,
    ))
}

/// The names of the signals that are on, as `repr` shows a context: in the order of their bits.
pub fn shown(mask: u32) -> String {
    let mut on: Vec<&Class> = SIGNALS
        .iter()
        .filter(|class| mask & class.conditions != 0)
        .collect();
    // The bits of an invalid operation start after the one of Clamped.
    on.sort_by_key(|class| class.conditions.trailing_zeros());
    let names: Vec<&str> = on.iter().map(|class| class.name).collect();
    format!("[{}]", names.join(", "))
}

/// A list of signals -> those that are on.
fn from_list(list: &PyListObject) -> PyResult<u32> {
    let mut mask = 0;
    for at in 0..list.len() {
        if let Some(item) = list.get(at) {
            mask |= mask_of(&item)?;
        }
    }
    Ok(mask)
}

fn from_dict(dict: &PyDictObject) -> PyResult<u32> {
    let invalid = || raise!(KeyError, "invalid signal dict");
    if dict.len() != N_SIGNALS {
        return Err(invalid());
    }
    let mut mask = 0;
    for class in &SIGNALS {
        match dict.get(&*class.get()?)? {
            Some(value) if value.is_true()? => mask |= class.conditions,
            Some(_) => {}
            None => return Err(invalid()),
        }
    }
    Ok(mask)
}

/// What `traps` and `flags` may be set to: a signal dict or a dict with all signals, and a list where a context is made.
pub fn from_object(value: &PyObject, or_list: bool) -> PyResult<u32> {
    if or_list && let Some(list) = value.downcast::<PyListObject>() {
        return from_list(list);
    }
    if let Some(signals) = value.downcast::<SignalDictMixin>() {
        return Ok(signals.mask()?.get());
    }
    match value.downcast::<PyDictObject>() {
        Some(dict) => from_dict(dict),
        None => Err(raise!(TypeError, "argument must be a signal dict")),
    }
}

/// The signals of a context as a mapping: it shares the bits with the context, and is invalid when the context is gone.
#[repr(C)]
pub struct SignalDictMixin {
    ob_base: PyObject,
    mask: RefCell<Weak<Cell<u32>>>,
}

impl SignalDictMixin {
    fn mask(&self) -> PyResult<Rc<Cell<u32>>> {
        match self.mask.borrow().upgrade() {
            Some(mask) => Ok(mask),
            None => Err(raise!(ValueError, "invalid signal dict")),
        }
    }
}

#[pytype(
    name = "decimal.SignalDictMixin",
    static_name = SIGNAL_DICT_MIXIN_TYPE,
    flags = BASETYPE,
    slots = [tp_hash = adder_runtime::types::hash_not_implemented],
)]
/// What the mapping from signals to whether they are on is made of.
impl SignalDictMixin {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        let new = SignalDictMixin {
            ob_base: blank_header(),
            mask: RefCell::new(Weak::new()),
        };
        Ok(Ref::new_in(cls, new)?.into_object())
    }
    #[slot]
    fn tp_init(&self, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult<()> {
        Ok(())
    }
    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        self.mask()?;
        Ok(N_SIGNALS)
    }
    #[slot]
    fn mp_subscript(&self, signal: &PyObject) -> PyResult<bool> {
        let mask = self.mask()?;
        Ok(mask.get() & mask_of(signal)? != 0)
    }
    #[slot]
    fn mp_ass_subscript(&self, signal: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        let mask = self.mask()?;
        let Some(value) = value else {
            return Err(raise!(ValueError, "signal keys cannot be deleted"));
        };
        let (bits, on) = (mask_of(signal)?, value.is_true()?);
        mask.set(if on { mask.get() | bits } else { mask.get() & !bits });
        Ok(())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        self.mask()?;
        let all = SIGNALS.iter().map(Class::get).collect::<PyResult<Vec<Ref>>>()?;
        PyTupleObject::from_vec(all).as_object().iter()
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let mask = self.mask()?.get();
        let shown = SIGNALS.iter().map(|class| {
            let on = if mask & class.conditions != 0 {
                "True"
            } else {
                "False"
            };
            format!("<class 'decimal.{}'>:{on}", class.name)
        });
        Ok(format!("{{{}}}", shown.collect::<Vec<_>>().join(", ")))
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented().to_ref());
        }
        let mask = self.mask()?.get();
        let theirs = match (other.downcast::<SignalDictMixin>(), other.downcast::<PyDictObject>()) {
            (Some(signals), _) => signals.mask()?.get(),
            (None, Some(dict)) => match from_dict(dict) {
                Ok(mask) => mask,
                Err(raised) => {
                    raised.clear_if(adder_runtime::exceptions::exc::KeyError)?;
                    return Ok(not_implemented().to_ref());
                }
            },
            _ => return Ok(not_implemented().to_ref()),
        };
        let same = SIGNALS
            .iter()
            .all(|class| (mask & class.conditions != 0) == (theirs & class.conditions != 0));
        Ok(py_bool(same == (op == CompareOp::Eq)))
    }
    /// A dict with the same signals.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult<Ref<PyDictObject>> {
        let mask = self.mask()?.get();
        let dict = PyDictObject::new();
        for class in &SIGNALS {
            let signal = class.get()?;
            dict.set(&signal, &py_bool(mask & class.conditions != 0))?;
        }
        Ok(dict)
    }
}

/// A mapping of the class `SignalDict` that shares the bits.
pub fn new_signal_dict(mask: &Rc<Cell<u32>>) -> PyResult {
    static SIGNAL_DICT: Kept = Kept::new();
    let class = SIGNAL_DICT.get_or_make(|| {
        let mapping = import_module("collections.abc")?.get_attr_str("MutableMapping")?;
        let bases = PyTupleObject::from_slice(&[SIGNAL_DICT_MIXIN_TYPE.as_object(), &mapping]);
        mapping.ty().as_object().call(&[
            PyUnicodeObject::from_str("SignalDict").as_object(),
            bases.as_object(),
            PyDictObject::new().as_object(),
        ])
    })?;
    let object = class.call0()?;
    if let Some(signals) = object.as_object().downcast::<SignalDictMixin>() {
        signals.mask.replace(Rc::downgrade(mask));
    }
    Ok(object)
}
