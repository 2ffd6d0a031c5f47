//! The type `Unpickler`: the settings of one unpickler, its memo, and the view of the memo that Python gets.

use super::input::Input;
use super::load::{Load, find_class};
use super::memo::LoadMemo;
use super::pickler::{Claim, overridden};
use super::{UNPICKLING_ERROR, pickler};
use adder_runtime::memory::blank_header;
use adder_runtime::prelude::*;
use adder_runtime::protocol::attributes::{attribute_name, generic_get_attr, generic_set_attr};
use std::cell::{Cell, RefCell};

/// How to read, and what was read so far.
pub struct LoadSettings {
    pub fix_imports: Cell<bool>,
    pub encoding: RefCell<String>,
    pub errors: RefCell<String>,
    pub buffers: ObjectCell,
    pub memo: RefCell<LoadMemo>,
    /// That of the pickle which was read last.
    pub proto: Cell<u8>,
}

impl LoadSettings {
    pub fn new(
        fix_imports: bool,
        encoding: &str,
        errors: &str,
        buffers: Option<&PyObject>,
    ) -> PyResult<LoadSettings> {
        let buffers = buffers.filter(|buffers| !is_none(buffers)).map(PyObject::iter).transpose()?;
        Ok(LoadSettings {
            fix_imports: Cell::new(fix_imports),
            encoding: RefCell::new(encoding.to_owned()),
            errors: RefCell::new(errors.to_owned()),
            buffers: ObjectCell::new(buffers),
            memo: RefCell::default(),
            proto: Cell::new(0),
        })
    }
}

#[repr(C)]
pub struct Unpickler {
    ob_base: PyObject,
    settings: LoadSettings,
    /// None before `__init__`, and while it is being read from.
    input: RefCell<Option<Input>>,
    /// What was assigned to `persistent_load`.
    persistent_load: ObjectCell,
    running: Cell<bool>,
}

impl Unpickler {
    fn claim(&self) -> PyResult<Claim<'_>> {
        if self.running.replace(true) {
            return Err(raise!(RuntimeError, "Unpickler object is already used"));
        }
        Ok(pickler::Claim(&self.running))
    }
}

#[cold]
pub fn no_persistent_load() -> Raised {
    UNPICKLING_ERROR.raise(
        "A load persistent id instruction was encountered, but no persistent_load function was specified.",
    )
}

#[pytype(
    name = "_pickle.Unpickler",
    static_name = UNPICKLER_TYPE,
    flags = BASETYPE | HAVE_GC,
)]
/// This takes a binary file for reading a pickle data stream.
///
/// The protocol version of the pickle is detected automatically, so no protocol argument is needed.  The argument *file* must have a
/// read() method that takes an integer argument, and a readline() method that requires no arguments; both return bytes.
///
/// *fix_imports*, *encoding* and *errors* control how pickles of Python 2 are read: names are mapped to their new ones when
/// *fix_imports* is True, and 8-bit strings are decoded with *encoding* and *errors*, or left as bytes when *encoding* is 'bytes'.
impl Unpickler {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult<Ref<Unpickler>> {
        let unpickler = Unpickler {
            ob_base: blank_header(),
            settings: LoadSettings::new(true, "ASCII", "strict", None)?,
            input: RefCell::new(None),
            persistent_load: ObjectCell::new(None),
            running: Cell::new(false),
        };
        Ref::new_in(cls, unpickler)
    }
    #[init("(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())")]
    fn init(
        &self,
        file: &PyObject,
        fix_imports: bool,
        encoding: &str,
        errors: &str,
        buffers: Option<&PyObject>,
    ) -> PyResult<()> {
        let _claim = self.claim()?;
        let input = Input::from_file(file)?;
        let fresh = LoadSettings::new(fix_imports, encoding, errors, buffers)?;
        let settings = &self.settings;
        settings.fix_imports.set(fix_imports);
        settings.encoding.swap(&fresh.encoding);
        settings.errors.swap(&fresh.errors);
        settings.memo.swap(&fresh.memo);
        settings.proto.set(0);
        settings.buffers.set(fresh.buffers.take());
        let old = self.input.replace(Some(input));
        drop((old, fresh));
        Ok(())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for cell in [&self.persistent_load, &self.settings.buffers] {
            let status = cell.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        if let Ok(input) = self.input.try_borrow()
            && let Some(input) = &*input
        {
            let status = input.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        self.settings.memo.try_borrow().map_or(0, |memo| memo.visit(visitor))
    }
    #[slot]
    fn tp_clear(&self) {
        self.persistent_load.set(None);
        self.settings.buffers.set(None);
        let dead = (self.input.take(), self.settings.memo.take());
        drop(dead);
    }
    #[slot]
    fn tp_getattro(&self, name: &PyObject) -> PyResult {
        let name = attribute_name(name)?;
        match self.persistent_load.get() {
            Some(function) if name.eq_str("persistent_load") => Ok(function),
            _ => generic_get_attr(self.as_object(), name),
        }
    }
    #[slot]
    fn tp_setattro(&self, name: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        let name = attribute_name(name)?;
        if name.eq_str("persistent_load") && (value.is_some() || self.persistent_load.is_some()) {
            self.persistent_load.set(value.map(PyObject::to_ref));
            return Ok(());
        }
        generic_set_attr(self.as_object(), name, value)
    }
    /// Load a pickle.
    ///
    /// Read a pickled object representation from the open file object given in the constructor, and return the reconstituted
    /// object hierarchy specified therein.
    #[method("($self, /)")]
    fn load(&self) -> PyResult {
        let _claim = self.claim()?;
        let Some(input) = self.input.take() else {
            let class = self.as_object().ty().name();
            let message = format!("Unpickler.__init__() was not called by {class}.__init__()");
            return Err(UNPICKLING_ERROR.raise(message));
        };
        let mut load = Load::new(input, &self.settings);
        load.persistent_load = match self.persistent_load.get() {
            Some(function) => Some(function),
            None => overridden(self.as_object(), &UNPICKLER_TYPE, identifier!("persistent_load"))?,
        };
        load.find_class = overridden(self.as_object(), &UNPICKLER_TYPE, identifier!("find_class"))?;
        let result = load.run();
        *self.input.borrow_mut() = Some(load.input);
        result
    }
    /// The object that has a persistent id.
    #[method("($self, pid, /)")]
    fn persistent_load(&self, _pid: &PyObject) -> PyResult {
        Err(no_persistent_load())
    }
    /// Return an object from a specified module.
    ///
    /// If necessary, the module will be imported. Subclasses may override this method (e.g. to restrict unpickling of arbitrary
    /// classes and functions).
    ///
    /// This method is called whenever a class or a function object is needed.  Both arguments passed are str objects.
    #[method("($self, module_name, global_name, /)")]
    fn find_class(&self, module_name: &PyObject, global_name: &PyObject) -> PyResult {
        find_class(module_name, global_name, self.settings.proto.get(), self.settings.fix_imports.get())
    }
    /// Returns size in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        let basic = self.as_object().ty().tp_basicsize.get() as usize;
        let settings = &self.settings;
        let names = settings.encoding.borrow().capacity() + settings.errors.borrow().capacity();
        basic + names + settings.memo.borrow().size_bytes()
    }
    #[getter]
    fn memo(&self) -> PyResult<Ref<UnpicklerMemoProxy>> {
        Ref::new(UnpicklerMemoProxy {
            ob_base: blank_header(),
            unpickler: ObjectCell::new(Some(self.to_ref())),
        })
    }
    #[setter]
    fn set_memo(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(TypeError, "attribute deletion is not supported"));
        };
        let mut fresh = LoadMemo::default();
        if let Some(proxy) = value.downcast_exact::<UnpicklerMemoProxy>() {
            if let Some(unpickler) = proxy.unpickler.get() {
                for (number, object) in unpickler.settings.memo.borrow().entries() {
                    fresh.set(number, object.clone());
                }
            }
        } else if let Some(dict) = value.downcast::<PyDictObject>() {
            let mut position = 0;
            while let Some((number, object, _)) = dict.next_entry(&mut position) {
                let Some(number) = number.downcast::<PyLongObject>() else {
                    return Err(raise!(TypeError, "memo key must be integers"));
                };
                if number.is_negative() {
                    return Err(raise!(ValueError, "memo key must be positive integers."));
                }
                fresh.set(number.as_usize()?, object.to_ref());
            }
        } else {
            let found = value.ty().name();
            return Err(raise!(
                TypeError,
                "'memo' attribute must be an UnpicklerMemoProxy object or dict, not {found}"
            ));
        }
        let old = self.settings.memo.replace(fresh);
        drop(old);
        Ok(())
    }
}

/// What `Unpickler.memo` gives: the memo, to be copied, cleared, or given to another unpickler.
#[repr(C)]
pub struct UnpicklerMemoProxy {
    ob_base: PyObject,
    unpickler: ObjectCell<Unpickler>,
}

#[pytype(
    name = "_pickle.UnpicklerMemoProxy",
    static_name = UNPICKLER_MEMO_PROXY_TYPE,
    flags = HAVE_GC | DISALLOW_INSTANTIATION,
)]
impl UnpicklerMemoProxy {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.unpickler.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.unpickler.set(None);
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        Err(raise!(TypeError, "unhashable type: 'UnpicklerMemoProxy'"))
    }
    /// Remove all items from memo.
    #[method("($self, /)")]
    fn clear(&self) {
        if let Some(unpickler) = self.unpickler.get() {
            let dead = unpickler.settings.memo.take();
            drop(dead);
        }
    }
    /// Copy the memo to a new object.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult<Ref<PyDictObject>> {
        let dict = PyDictObject::new();
        let Some(unpickler) = self.unpickler.get() else { return Ok(dict) };
        for (number, object) in unpickler.settings.memo.borrow().entries() {
            dict.set(PyLongObject::from_usize(number).as_object(), object)?;
        }
        Ok(dict)
    }
    /// Implement pickling support.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult<Ref<PyTupleObject>> {
        let arguments = PyTupleObject::from_vec(vec![self.copy()?.into_object()]);
        let dict = adder_runtime::objects::dictobject::PyDict_Type.to_object();
        Ok(PyTupleObject::from_vec(vec![dict, arguments.into_object()]))
    }
}
