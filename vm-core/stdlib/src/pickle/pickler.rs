//! The type `Pickler`: the settings of one pickler, its memo, and the view of the memo that Python gets.

use super::memo::SaveMemo;
use super::opcode::{DEFAULT_PROTOCOL, HIGHEST_PROTOCOL};
use super::save::Dump;
use super::PICKLING_ERROR;
use adder_runtime::memory::blank_header;
use adder_runtime::prelude::*;
use adder_runtime::protocol::attributes::{attribute_name, generic_get_attr, generic_set_attr};
use std::cell::{Cell, RefCell};
use std::mem::offset_of;

/// How to write, and what was written so far.
#[repr(C)]
pub struct Settings {
    pub proto: Cell<u8>,
    pub fix_imports: Cell<bool>,
    pub bin: Cell<c_int>,
    /// Without a memo.
    pub fast: Cell<c_int>,
    pub buffer_callback: ObjectCell,
    pub memo: RefCell<SaveMemo>,
}

impl Settings {
    pub fn new(
        protocol: Option<&PyObject>,
        fix_imports: bool,
        buffer_callback: Option<&PyObject>,
    ) -> PyResult<Settings> {
        let proto = match protocol {
            None => DEFAULT_PROTOCOL,
            Some(protocol) => {
                let number = i32::try_from(protocol.index()?.as_i64()?)
                    .map_err(|_| raise!(OverflowError, "Python int too large to convert to C int"))?;
                if number > HIGHEST_PROTOCOL.into() {
                    return Err(raise!(ValueError, "pickle protocol must be <= {HIGHEST_PROTOCOL}"));
                }
                if number < 0 { HIGHEST_PROTOCOL } else { number as u8 }
            }
        };
        if buffer_callback.is_some() && proto < 5 {
            return Err(raise!(ValueError, "buffer_callback needs protocol >= 5"));
        }
        Ok(Settings {
            proto: Cell::new(proto),
            fix_imports: Cell::new(fix_imports && proto < 3),
            bin: Cell::new((proto > 0).into()),
            fast: Cell::new(0),
            buffer_callback: ObjectCell::new(buffer_callback.map(PyObject::to_ref)),
            memo: RefCell::default(),
        })
    }
    fn clear_memo(&self) {
        let dead = self.memo.borrow_mut().take();
        drop(dead);
    }
}

/// `file.write`.
pub fn write_of(file: &PyObject) -> PyResult {
    match file.get_attr_opt(identifier!("write"))? {
        Some(write) => Ok(write),
        None => Err(raise!(TypeError, "file must have a 'write' attribute")),
    }
}

#[repr(C)]
pub struct Pickler {
    ob_base: PyObject,
    settings: Settings,
    /// `write` of the file; none before `__init__`.
    write: ObjectCell,
    dispatch_table: ObjectCell,
    /// What was assigned to `persistent_id`.
    persistent_id: ObjectCell,
    running: Cell<bool>,
}

impl Pickler {
    fn claim(&self) -> PyResult<Claim<'_>> {
        if self.running.replace(true) {
            return Err(raise!(RuntimeError, "Pickler object is already used"));
        }
        Ok(Claim(&self.running))
    }
}

/// The time during which nobody else may use a pickler or unpickler.
pub struct Claim<'a>(pub &'a Cell<bool>);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// The method of a subclass, when it is not the one that `own_type` has.
pub fn overridden(object: &PyObject, own_type: &PyTypeObject, name: &'static PyUnicodeObject) -> PyResult<Option<Ref>> {
    if std::ptr::eq(object.ty(), own_type) {
        return Ok(None);
    }
    match (object.ty().lookup(name), own_type.lookup(name)) {
        (Some(theirs), Some(ours)) if theirs.is(ours) => match object.instance_attribute(name)? {
            Some(value) => Ok(Some(value)),
            None => Ok(None),
        },
        _ => object.get_attr_opt(name),
    }
}

#[pytype(
    name = "_pickle.Pickler",
    static_name = PICKLER_TYPE,
    flags = BASETYPE | HAVE_GC,
    members = [
        ("bin", Py_T_INT, (offset_of!(Pickler, settings) + offset_of!(Settings, bin)) as isize, 0),
        ("fast", Py_T_INT, (offset_of!(Pickler, settings) + offset_of!(Settings, fast)) as isize, 0),
        ("dispatch_table", Py_T_OBJECT_EX, offset_of!(Pickler, dispatch_table) as isize, 0),
    ],
)]
/// This takes a binary file for writing a pickle data stream.
///
/// The optional *protocol* argument tells the pickler to use the given protocol; supported protocols are 0 to 5, the default is 5.
/// A negative protocol selects the highest one.  The *file* argument must have a write() method that accepts a single bytes argument.
///
/// If *fix_imports* is True and protocol is less than 3, names of Python 3 are mapped to the names that Python 2 knew.
///
/// If *buffer_callback* is not None, it is called with each buffer view; when it returns a false value (such as None), the buffer is
/// out-of-band, otherwise it is serialized inside the pickle stream.  It is an error if *buffer_callback* is not None and *protocol*
/// is smaller than 5.
impl Pickler {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult<Ref<Pickler>> {
        let pickler = Pickler {
            ob_base: blank_header(),
            settings: Settings::new(None, false, None)?,
            write: ObjectCell::new(None),
            dispatch_table: ObjectCell::new(None),
            persistent_id: ObjectCell::new(None),
            running: Cell::new(false),
        };
        Ref::new_in(cls, pickler)
    }
    #[init("(file, protocol=None, fix_imports=True, buffer_callback=None)")]
    fn init(
        &self,
        file: &PyObject,
        protocol: Option<&PyObject>,
        fix_imports: bool,
        buffer_callback: Option<&PyObject>,
    ) -> PyResult<()> {
        let claim = self.claim()?;
        let fresh = Settings::new(protocol, fix_imports, buffer_callback)?;
        self.write.set(Some(write_of(file)?));
        let settings = &self.settings;
        settings.proto.set(fresh.proto.get());
        settings.fix_imports.set(fresh.fix_imports.get());
        settings.bin.set(fresh.bin.get());
        settings.fast.set(0);
        settings.buffer_callback.set(fresh.buffer_callback.take());
        settings.clear_memo();
        drop(claim);
        if let Some(table) = self.as_object().get_attr_opt(identifier!("dispatch_table"))? {
            self.dispatch_table.set(Some(table));
        }
        Ok(())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let cells = [&self.write, &self.dispatch_table, &self.persistent_id, &self.settings.buffer_callback];
        for cell in cells {
            let status = cell.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        self.settings.memo.try_borrow().map_or(0, |memo| memo.visit(visitor))
    }
    #[slot]
    fn tp_clear(&self) {
        for cell in [&self.write, &self.dispatch_table, &self.persistent_id, &self.settings.buffer_callback] {
            cell.set(None);
        }
        self.settings.clear_memo();
    }
    #[slot]
    fn tp_getattro(&self, name: &PyObject) -> PyResult {
        let name = attribute_name(name)?;
        match self.persistent_id.get() {
            Some(function) if name.eq_str("persistent_id") => Ok(function),
            _ => generic_get_attr(self.as_object(), name),
        }
    }
    #[slot]
    fn tp_setattro(&self, name: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        let name = attribute_name(name)?;
        if name.eq_str("persistent_id") && (value.is_some() || self.persistent_id.is_some()) {
            self.persistent_id.set(value.map(PyObject::to_ref));
            return Ok(());
        }
        generic_set_attr(self.as_object(), name, value)
    }
    /// Write a pickled representation of the given object to the open file.
    #[method("($self, obj, /)")]
    fn dump(&self, obj: &PyObject) -> PyResult<()> {
        let Some(write) = self.write.get() else {
            let class = self.as_object().ty().name();
            return Err(PICKLING_ERROR.raise(format!("Pickler.__init__() was not called by {class}.__init__()")));
        };
        let _claim = self.claim()?;
        let mut dump = Dump::new(&self.settings, Some(write));
        dump.persistent_id = match self.persistent_id.get() {
            Some(function) => Some(function),
            None => overridden(self.as_object(), &PICKLER_TYPE, identifier!("persistent_id"))?,
        };
        dump.reducer_override = self.as_object().get_attr_opt(identifier!("reducer_override"))?;
        dump.dispatch_table = self.dispatch_table.get();
        dump.finish_to_file(obj)
    }
    /// Clears the pickler's "memo".
    ///
    /// The memo is the data structure that remembers which objects the pickler has already seen, so that shared or recursive
    /// objects are pickled by reference and not by value.  This method is useful when re-using picklers.
    #[method("($self, /)")]
    fn clear_memo(&self) {
        self.settings.clear_memo();
    }
    /// The id under which an object is kept outside of the pickle; None for an object that is written.
    #[method("($self, obj, /)")]
    fn persistent_id(&self, _obj: &PyObject) {}
    /// Returns size in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        let basic = self.as_object().ty().tp_basicsize.get() as usize;
        basic + self.settings.memo.borrow().size_bytes()
    }
    #[getter]
    fn memo(&self) -> PyResult<Ref<PicklerMemoProxy>> {
        Ref::new(PicklerMemoProxy {
            ob_base: blank_header(),
            pickler: ObjectCell::new(Some(self.to_ref())),
        })
    }
    #[setter]
    fn set_memo(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(TypeError, "attribute deletion is not supported"));
        };
        let mut fresh = SaveMemo::default();
        if let Some(proxy) = value.downcast_exact::<PicklerMemoProxy>() {
            if let Some(pickler) = proxy.pickler.get() {
                for (object, number) in pickler.settings.memo.borrow().entries() {
                    fresh.set(object.clone(), *number);
                }
            }
        } else if let Some(dict) = value.downcast::<PyDictObject>() {
            let mut position = 0;
            while let Some((_, entry, _)) = dict.next_entry(&mut position) {
                let entry = entry.downcast::<PyTupleObject>().filter(|entry| entry.len() == 2);
                let Some([number, object]) = entry.map(PyTupleObject::as_slice) else {
                    return Err(raise!(TypeError, "'memo' values must be 2-item tuples"));
                };
                let number = number.index()?.as_usize()?;
                fresh.set(object.to_ref(), number);
            }
        } else {
            let found = value.ty().name();
            return Err(raise!(
                TypeError,
                "'memo' attribute must be a PicklerMemoProxy object or dict, not {found}"
            ));
        }
        let old = self.settings.memo.replace(fresh);
        drop(old);
        Ok(())
    }
}

/// What `Pickler.memo` gives: the memo, to be copied, cleared, or given to another pickler.
#[repr(C)]
pub struct PicklerMemoProxy {
    ob_base: PyObject,
    pickler: ObjectCell<Pickler>,
}

#[pytype(
    name = "_pickle.PicklerMemoProxy",
    static_name = PICKLER_MEMO_PROXY_TYPE,
    flags = HAVE_GC | DISALLOW_INSTANTIATION,
)]
impl PicklerMemoProxy {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.pickler.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.pickler.set(None);
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        Err(raise!(TypeError, "unhashable type: 'PicklerMemoProxy'"))
    }
    /// Remove all items from memo.
    #[method("($self, /)")]
    fn clear(&self) {
        if let Some(pickler) = self.pickler.get() {
            pickler.settings.clear_memo();
        }
    }
    /// Copy the memo to a new object.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult<Ref<PyDictObject>> {
        let dict = PyDictObject::new();
        let Some(pickler) = self.pickler.get() else { return Ok(dict) };
        let entries: Vec<(Ref, usize)> = pickler.settings.memo.borrow().entries().to_vec();
        for (object, number) in entries {
            let id = PyLongObject::from_usize(object.as_raw() as usize);
            let entry = PyTupleObject::from_vec(vec![PyLongObject::from_usize(number).into_object(), object]);
            dict.set(id.as_object(), entry.as_object())?;
        }
        Ok(dict)
    }
    /// Implement pickle support.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult<Ref<PyTupleObject>> {
        let copy = self.copy()?;
        let arguments = PyTupleObject::from_vec(vec![copy.into_object()]);
        let dict = adder_runtime::objects::dictobject::PyDict_Type.to_object();
        Ok(PyTupleObject::from_vec(vec![dict, arguments.into_object()]))
    }
}
