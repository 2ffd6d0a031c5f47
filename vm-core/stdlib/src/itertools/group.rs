//! `groupby` and `tee`.

use super::{header, traverse};
use adder_runtime::prelude::*;
use std::cell::{Cell, RefCell};

#[repr(C)]
pub struct GroupBy {
    ob_base: PyObject,
    iterator: Ref,
    key_function: Option<Ref>,
    target_key: ObjectCell,
    current_key: ObjectCell,
    current_value: ObjectCell,
    /// The grouper that may still give items: identity only.
    current_grouper: Cell<*const Grouper>,
}

#[pytype(name = "itertools.groupby", static_name = GROUPBY_TYPE, flags = BASETYPE | HAVE_GC)]
/// Consecutive keys with the group of items that have them.
impl GroupBy {
    #[new("(iterable, key=None)")]
    fn new(cls: &PyTypeObject, iterable: &PyObject, key: Option<&PyObject>) -> PyResult {
        let groupby = GroupBy {
            ob_base: header(),
            iterator: iterable.iter()?,
            key_function: key.filter(|key| !is_none(key)).map(PyObject::to_ref),
            target_key: ObjectCell::new(None),
            current_key: ObjectCell::new(None),
            current_value: ObjectCell::new(None),
            current_grouper: Cell::new(std::ptr::null()),
        };
        Ok(Ref::new_in(cls, groupby)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.iterator.as_raw());
        if status != 0 {
            return status;
        }
        let status = visitor.visit_ref(&self.key_function);
        if status != 0 {
            return status;
        }
        traverse!(visitor; self.target_key, self.current_key, self.current_value)
    }
    #[slot]
    fn tp_clear(&self) {
        self.target_key.set(None);
        self.current_key.set(None);
        self.current_value.set(None);
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    /// Fetches the next item and its key. False at the end.
    fn step(&self) -> PyResult<bool> {
        let Some(value) = self.iterator.next()? else { return Ok(false) };
        let key = match &self.key_function {
            None => value.clone(),
            Some(function) => function.call1(&value)?,
        };
        self.current_value.set(Some(value));
        self.current_key.set(Some(key));
        Ok(true)
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        self.current_grouper.set(std::ptr::null());
        loop {
            match (self.current_key.get(), self.target_key.get()) {
                (None, _) => {}
                (Some(_), None) => break,
                (Some(current), Some(target)) => {
                    if !target.eq(&current)? {
                        break;
                    }
                }
            }
            if !self.step()? {
                return Ok(None);
            }
        }
        let key = self.current_key.get().expect("a step sets it");
        self.target_key.set(Some(key.clone()));
        let grouper = Ref::new(Grouper {
            ob_base: header(),
            parent: self.to_ref(),
            target_key: key.clone(),
        })?;
        self.current_grouper.set(grouper.as_raw());
        Ok(Some(PyTupleObject::from_vec(vec![key, grouper.into_object()]).into_object()))
    }
}

#[repr(C)]
pub struct Grouper {
    ob_base: PyObject,
    parent: Ref<GroupBy>,
    target_key: Ref,
}

#[pytype(name = "itertools._grouper", static_name = GROUPER_TYPE, flags = HAVE_GC)]
/// The items of one group.
impl Grouper {
    #[new("(parent, tgtkey, /)")]
    fn new(cls: &PyTypeObject, parent: &GroupBy, tgtkey: &PyObject) -> PyResult {
        let grouper = Grouper { ob_base: header(), parent: parent.to_ref(), target_key: tgtkey.to_ref() };
        let grouper = Ref::new_in(cls, grouper)?;
        parent.current_grouper.set(grouper.as_raw());
        Ok(grouper.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.parent.as_raw());
        if status != 0 { status } else { visitor.visit(self.target_key.as_raw()) }
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let parent = &self.parent;
        if !std::ptr::eq(parent.current_grouper.get(), self) {
            return Ok(None);
        }
        if !parent.current_value.is_some() && !parent.step()? {
            return Ok(None);
        }
        let Some(current) = parent.current_key.get() else { return Ok(None) };
        if !self.target_key.eq(&current)? {
            return Ok(None);
        }
        Ok(parent.current_value.take())
    }
}

const LINK_CELLS: usize = 57;

/// A block of items that several tee iterators share, and the next block.
#[repr(C)]
pub struct TeeData {
    ob_base: PyObject,
    iterator: Ref,
    items: RefCell<Vec<Ref>>,
    running: Cell<bool>,
    next: ObjectCell<TeeData>,
}

impl Drop for TeeData {
    /// A long chain of blocks is taken apart step by step.
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(block) = next {
            if block.as_object().refcnt() > 1 {
                break;
            }
            next = block.next.take();
        }
    }
}

#[pytype(name = "itertools._tee_dataobject", static_name = TEE_DATA_TYPE, flags = HAVE_GC)]
/// Items shared between the iterators of a tee.
impl TeeData {
    #[new("(iterable, values, next, /)")]
    fn new(cls: &PyTypeObject, iterable: &PyObject, values: &PyListObject, next: &PyObject) -> PyResult {
        if values.len() > LINK_CELLS {
            return Err(raise!(ValueError, "_tee_dataobject should not have more than {LINK_CELLS} links"));
        }
        let next = if is_none(next) {
            None
        } else {
            match next.downcast::<TeeData>() {
                Some(next) if values.len() == LINK_CELLS => Some(next.to_ref()),
                _ => return Err(raise!(TypeError, "_tee_dataobject next argument is invalid")),
            }
        };
        let data = TeeData {
            ob_base: header(),
            iterator: iterable.to_ref(),
            items: RefCell::new(values.as_slice().iter().map(|item| item.to_ref()).collect()),
            running: Cell::new(false),
            next: ObjectCell::new(next),
        };
        Ok(Ref::new_in(cls, data)?.into_object())
    }
    fn over(iterator: Ref) -> PyResult<Ref<TeeData>> {
        Ref::new(TeeData {
            ob_base: header(),
            iterator,
            items: RefCell::new(Vec::new()),
            running: Cell::new(false),
            next: ObjectCell::new(None),
        })
    }
    fn item(&self, at: usize) -> PyResult<Option<Ref>> {
        if let Some(item) = self.items.borrow().get(at) {
            return Ok(Some(item.clone()));
        }
        if self.running.replace(true) {
            return Err(raise!(RuntimeError, "cannot re-enter the tee iterator"));
        }
        let result = self.iterator.next();
        self.running.set(false);
        let Some(item) = result? else { return Ok(None) };
        self.items.borrow_mut().push(item.clone());
        Ok(Some(item))
    }
    fn following(&self) -> PyResult<Ref<TeeData>> {
        if let Some(next) = self.next.get() {
            return Ok(next);
        }
        let next = Self::over(self.iterator.clone())?;
        self.next.set(Some(next.clone()));
        Ok(next)
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.iterator.as_raw());
        if status != 0 {
            return status;
        }
        if let Ok(items) = self.items.try_borrow() {
            for item in items.iter() {
                let status = visitor.visit(item.as_raw());
                if status != 0 {
                    return status;
                }
            }
        }
        self.next.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        let dropped = (self.items.take(), self.next.take());
        drop(dropped);
    }
}

#[repr(C)]
pub struct Tee {
    ob_base: PyObject,
    weakreflist: Cell<*mut PyObject>,
    data: ObjectCell<TeeData>,
    at: Cell<usize>,
}

#[pytype(
    name = "itertools._tee",
    static_name = TEE_TYPE,
    flags = HAVE_GC,
    weaklistoffset = std::mem::offset_of!(Tee, weakreflist) as isize,
)]
/// One of the iterators of a tee; it can be copied.
impl Tee {
    #[new("(iterable, /)")]
    fn new(_cls: &PyTypeObject, iterable: &PyObject) -> PyResult {
        Ok(Self::over(iterable)?.into_object())
    }
    fn over(iterable: &PyObject) -> PyResult<Ref<Tee>> {
        let iterator = iterable.iter()?;
        if let Some(tee) = iterator.downcast_exact::<Tee>() {
            return tee.copied();
        }
        Self::at(TeeData::over(iterator)?, 0)
    }
    fn at(data: Ref<TeeData>, at: usize) -> PyResult<Ref<Tee>> {
        Ref::new(Tee {
            ob_base: header(),
            weakreflist: Cell::new(std::ptr::null_mut()),
            data: ObjectCell::new(Some(data)),
            at: Cell::new(at),
        })
    }
    fn copied(&self) -> PyResult<Ref<Tee>> {
        let data = self.data.get().ok_or_else(|| raise!(RuntimeError, "the tee iterator has been cleared"))?;
        Self::at(data, self.at.get())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.data.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.data.set(None);
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let Some(mut data) = self.data.get() else { return Ok(None) };
        if self.at.get() >= LINK_CELLS {
            data = data.following()?;
            self.data.set(Some(data.clone()));
            self.at.set(0);
        }
        let at = self.at.get();
        let item = data.item(at)?;
        if item.is_some() {
            self.at.set(at + 1);
        }
        Ok(item)
    }
    /// An independent iterator at the same place.
    #[method("($self, /)")]
    fn __copy__(&self) -> PyResult {
        Ok(self.copied()?.into_object())
    }
}

/// `itertools.tee(iterable, n)`.
pub fn tee(iterable: &PyObject, n: isize) -> PyResult {
    if n < 0 {
        return Err(raise!(ValueError, "n must be >= 0"));
    }
    if n == 0 {
        return Ok(PyTupleObject::empty().into_object());
    }
    let first = Tee::over(iterable)?;
    let mut iterators = adder_runtime::memory::vec_with_room(n as usize)?;
    iterators.push(first.to_object());
    for _ in 1..n {
        iterators.push(first.copied()?.into_object());
    }
    Ok(PyTupleObject::from_vec(iterators).into_object())
}
