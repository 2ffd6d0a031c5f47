//! `locals()` and `frame.f_locals`: the dict of modules and classes, a write-through proxy (PEP 667) for functions.

use crate::frame::*;
use crate::frameobject::FrameObject;
use adder_runtime::abi::*;
use adder_runtime::memory;
use adder_runtime::prelude::*;

/// `frame.f_locals`.
pub fn f_locals(object: &FrameObject) -> PyResult {
    if let Some(frame) = object.frame() {
        // SAFETY: the frame is alive.
        unsafe {
            if !(*frame).locals.is_null() && !has_hidden(frame) {
                return Ok((*(*frame).locals).to_ref());
            }
        }
    }
    let object = object.to_ref();
    Ok(Ref::new(FrameLocalsProxy {
        ob_base: memory::blank_header(),
        frame: object,
    })?
    .into_object())
}

/// Whether an inlined comprehension of a module or class has variables that are bound now.
unsafe fn has_hidden(frame: *mut Frame) -> bool {
    // SAFETY: the frame is alive.
    unsafe {
        let kinds = &(*(*frame).data).kinds;
        (0..kinds.len())
            .any(|index| kinds[index] & CO_FAST_HIDDEN != 0 && Frame::local_value(frame, index).is_some())
    }
}

/// `locals()` of a running frame: the mapping itself, or a new dict for functions.
///
/// # Safety
/// The frame is alive.
pub unsafe fn snapshot(frame: *mut Frame) -> PyResult {
    // SAFETY: the caller's contract.
    unsafe {
        if !(*frame).locals.is_null() && !has_hidden(frame) {
            return Ok((*(*frame).locals).to_ref());
        }
        let dict = PyDictObject::new();
        if !(*frame).locals.is_null() {
            dict.update(&*(*frame).locals)?;
        }
        let code = (*frame).code();
        for (index, value) in bound_variables(frame) {
            dict.set(code.local_name(index).as_object(), &value)?;
        }
        if let Some(object) = (*frame).frame_obj.as_ref()
            && let Some(extra) = object.f_extra_locals.get().as_ref()
        {
            dict.update(extra)?;
        }
        Ok(dict.into_object())
    }
}

/// The bound variables, in the order of the registers. A variable of an inlined comprehension that runs hides one of the
/// same name.
fn bound_variables(frame: *mut Frame) -> Vec<(usize, Ref)> {
    // SAFETY: the frame is alive.
    let (code, n) = unsafe { ((*frame).code(), (*frame).n_localsplus()) };
    let kinds = &code.data().kinds;
    let bound: Vec<(usize, Ref)> = (0..n)
        .filter_map(|index| Frame::local_value(frame, index).map(|value| (index, value)))
        .collect();
    let hidden: Vec<usize> = bound
        .iter()
        .map(|(index, _)| *index)
        .filter(|index| kinds[*index] & CO_FAST_HIDDEN != 0)
        .collect();
    if hidden.is_empty() {
        return bound;
    }
    let is_hidden_by = |index: usize| {
        kinds[index] & CO_FAST_HIDDEN == 0
            && hidden
                .iter()
                .any(|other| code.local_name(*other).eq(code.local_name(index)))
    };
    bound
        .into_iter()
        .filter(|(index, _)| !is_hidden_by(*index))
        .collect()
}

/// The mapping behind `f_locals` of functions.
#[repr(C)]
pub struct FrameLocalsProxy {
    ob_base: PyObject,
    frame: Ref<FrameObject>,
}

impl FrameLocalsProxy {
    fn frame(&self) -> PyResult<*mut Frame> {
        self.frame
            .frame()
            .ok_or_else(|| raise!(RuntimeError, "the frame is gone"))
    }
    fn extra(&self) -> Option<&PyDictObject> {
        // SAFETY: a dict or null.
        unsafe { self.frame.f_extra_locals.get().cast::<PyDictObject>().as_ref() }
    }
    /// The number of the variable called `key`: a bound one, or for writing any that is not an inlined comprehension's.
    fn index_of(&self, key: &PyObject, bound: bool) -> PyResult<Option<usize>> {
        let hash = key.hash()?;
        let frame = self.frame()?;
        // SAFETY: the frame is alive.
        let (code, n) = unsafe { ((*frame).code().to_ref(), (*frame).n_localsplus()) };
        let candidates: Vec<usize> = if bound {
            bound_variables(frame)
                .into_iter()
                .map(|(index, _)| index)
                .collect()
        } else {
            (0..n)
                .filter(|index| code.data().kinds[*index] & CO_FAST_HIDDEN == 0)
                .collect()
        };
        for index in candidates {
            let name = code.local_name(index);
            if name.as_object().is(key) || (name.hash() == hash && name.as_object().eq(key)?) {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }
    fn get_value(&self, key: &PyObject) -> PyResult<Option<Ref>> {
        if let Some(index) = self.index_of(key, true)? {
            return Ok(Frame::local_value(self.frame()?, index));
        }
        match self.extra() {
            Some(extra) => extra.get(key),
            None => Ok(None),
        }
    }
    /// Bound names and values, in the order of the registers, then the extra ones.
    fn entries(&self) -> PyResult<Vec<(Ref, Ref)>> {
        let frame = self.frame()?;
        // SAFETY: the frame is alive.
        let code = unsafe { (*frame).code() };
        let mut entries = Vec::new();
        for (index, value) in bound_variables(frame) {
            entries.push((code.local_name(index).to_object(), value));
        }
        if let Some(extra) = self.extra() {
            let mut position = 0;
            while let Some((key, value, _)) = extra.next_entry(&mut position) {
                entries.push((key.to_ref(), value.to_ref()));
            }
        }
        Ok(entries)
    }
    fn to_dict(&self) -> PyResult<Ref<PyDictObject>> {
        let dict = PyDictObject::new();
        for (key, value) in self.entries()? {
            dict.set(&key, &value)?;
        }
        Ok(dict)
    }
    fn set_value(&self, key: &PyObject, value: &PyObject) -> PyResult<()> {
        let Some(index) = self.index_of(key, false)? else {
            if self.extra().is_none() {
                self.frame
                    .f_extra_locals
                    .set(PyDictObject::new().into_object_raw());
            }
            return match self.extra() {
                Some(extra) => extra.set(key, value),
                None => Ok(()),
            };
        };
        let frame = self.frame()?;
        // SAFETY: the frame is alive, the index in range. A running instruction may have borrowed the old value, so it is
        // kept until the frame object dies.
        unsafe {
            let register = Frame::registers(frame).add(index);
            let kind = (&(*(*frame).data).kinds)[index];
            if kind & (CO_FAST_CELL | CO_FAST_FREE) != 0
                && !(*register).is_null()
                && let Some(cell) = (**register).downcast_exact::<PyCellObject>()
            {
                let old = cell.ob_ref.replace(value.to_ref().into_raw());
                memory::xdecref(old);
                return Ok(());
            }
            let old = Ref::from_owned_opt(std::ptr::replace(register, value.to_ref().into_raw()));
            if let Some(old) = old {
                let kept = self.frame.f_overwritten_fast_locals.get();
                if kept.is_null() {
                    self.frame
                        .f_overwritten_fast_locals
                        .set(PyListObject::from_vec(vec![old]).into_object_raw());
                } else {
                    (*kept.cast::<PyListObject>()).push(old);
                }
            }
        }
        Ok(())
    }
    fn list_of(&self, pick: impl Fn((Ref, Ref)) -> Ref) -> PyResult<Ref<PyListObject>> {
        Ok(PyListObject::from_vec(
            self.entries()?.into_iter().map(pick).collect(),
        ))
    }
}

const NO_REMOVAL: &str = "cannot remove local variables from FrameLocalsProxy";

#[pytype(name = "FrameLocalsProxy", static_name = PyFrameLocalsProxy_Type, flags = HAVE_GC | MAPPING)]
/// A mapping of a frame's local variables that writes through.
impl FrameLocalsProxy {
    #[new("(frame, /)")]
    fn py_new(cls: &PyTypeObject, frame: &PyObject) -> PyResult {
        let _ = cls;
        match frame.downcast::<FrameObject>() {
            Some(frame) => {
                let frame = frame.to_ref();
                Ok(Ref::new(FrameLocalsProxy {
                    ob_base: memory::blank_header(),
                    frame,
                })?
                .into_object())
            }
            None => Err(raise!(TypeError, "expect frame, not {}", frame.ty().name())),
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.frame.as_raw())
    }
    #[slot]
    fn tp_repr(this: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        // SAFETY: the slot's type.
        let proxy = unsafe { this.cast_unchecked::<FrameLocalsProxy>() };
        let text = adder_runtime::protocol::with_repr_guard(this, || proxy.to_dict()?.as_object().repr())?;
        Ok(text.unwrap_or_else(|| PyUnicodeObject::from_str("{...}")))
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let dict = self.to_dict()?;
        match other.downcast::<FrameLocalsProxy>() {
            Some(other) => match op {
                CompareOp::Eq => Ok(py_bool(std::ptr::eq(&*self.frame, &*other.frame))),
                CompareOp::Ne => Ok(py_bool(!std::ptr::eq(&*self.frame, &*other.frame))),
                _ => Ok(not_implemented().to_ref()),
            },
            None if PyDictObject::check(other) => dict.as_object().rich_compare(other, op),
            None => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        self.list_of(|(key, _)| key)?.as_object().iter()
    }
    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.entries()?.len())
    }
    #[slot]
    fn mp_subscript(&self, key: &PyObject) -> PyResult {
        self.get_value(key)?.ok_or_else(|| match key.str() {
            Ok(text) => raise!(
                KeyError,
                "local variable '{}' is not defined",
                text.to_string_lossy()
            ),
            Err(raised) => raised,
        })
    }
    #[slot]
    fn mp_ass_subscript(&self, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        match value {
            Some(value) => self.set_value(key, value),
            None => {
                if self.index_of(key, false)?.is_some() {
                    return Err(raise!(ValueError, "{NO_REMOVAL}"));
                }
                match self.extra() {
                    Some(extra) if extra.remove(key)? => Ok(()),
                    _ => Err(raise!(KeyError, value => key)),
                }
            }
        }
    }
    #[slot]
    fn sq_contains(&self, key: &PyObject) -> PyResult<bool> {
        Ok(self.get_value(key)?.is_some())
    }
    #[slot]
    fn nb_or(left: &PyObject, right: &PyObject) -> PyResult {
        let dict = |object: &PyObject| match object.downcast::<FrameLocalsProxy>() {
            Some(proxy) => proxy.to_dict().map(Some),
            None => match object.downcast::<PyDictObject>() {
                Some(dict) => dict.copy().map(Some),
                None => Ok(None),
            },
        };
        match (dict(left)?, dict(right)?) {
            (Some(left), Some(right)) => {
                left.update(right.as_object())?;
                Ok(left.into_object())
            }
            _ => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn nb_inplace_or(&self, other: &PyObject) -> PyResult {
        self.update(other)?;
        Ok(self.to_object())
    }
    /// The names.
    #[method]
    fn keys(&self) -> PyResult<Ref<PyListObject>> {
        self.list_of(|(key, _)| key)
    }
    /// The values.
    #[method]
    fn values(&self) -> PyResult<Ref<PyListObject>> {
        self.list_of(|(_, value)| value)
    }
    /// Pairs of name and value.
    #[method]
    fn items(&self) -> PyResult<Ref<PyListObject>> {
        self.list_of(|(key, value)| PyTupleObject::from_vec(vec![key, value]).into_object())
    }
    /// A dict with the same entries.
    #[method]
    fn copy(&self) -> PyResult<Ref<PyDictObject>> {
        self.to_dict()
    }
    /// The value of a name, or the default.
    #[method("($self, key, default=None, /)")]
    fn get(&self, key: &PyObject, default: Option<&PyObject>) -> PyResult {
        Ok(self
            .get_value(key)?
            .unwrap_or_else(|| default.map_or_else(none_ref, PyObject::to_ref)))
    }
    /// Sets variables from a mapping.
    #[method("($self, other, /)")]
    fn update(&self, other: &PyObject) -> PyResult<()> {
        let dict = PyDictObject::new();
        if !PyDictObject::check(other) && !FrameLocalsProxy::check(other) {
            return Err(raise!(
                TypeError,
                "update() argument must be dict or another FrameLocalsProxy"
            ));
        }
        dict.update(other)?;
        let mut position = 0;
        while let Some((key, value, _)) = dict.next_entry(&mut position) {
            self.set_value(key, value)?;
        }
        Ok(())
    }
    /// The value of a name, which is set to the default when it is not bound.
    #[method("($self, key, default=None, /)")]
    fn setdefault(&self, key: &PyObject, default: Option<&PyObject>) -> PyResult {
        if let Some(value) = self.get_value(key)? {
            return Ok(value);
        }
        let default = default.map_or_else(none_ref, PyObject::to_ref);
        self.set_value(key, &default)?;
        Ok(default)
    }
    /// Removes an extra variable.
    #[method("($self, key, default=<unrepresentable>, /)")]
    fn pop(&self, key: &PyObject, default: Option<&PyObject>) -> PyResult {
        if self.index_of(key, false)?.is_some() {
            return Err(raise!(ValueError, "{NO_REMOVAL}"));
        }
        let found = match self.extra() {
            Some(extra) => extra.pop(key)?,
            None => None,
        };
        match (found, default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default.to_ref()),
            (None, None) => Err(raise!(KeyError, value => key)),
        }
    }
    #[method]
    fn __reversed__(&self) -> PyResult<Ref<PyListObject>> {
        let mut keys: Vec<Ref> = self.entries()?.into_iter().map(|(key, _)| key).collect();
        keys.reverse();
        Ok(PyListObject::from_vec(keys))
    }
}
