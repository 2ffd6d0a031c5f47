//! `functools.partial`, with placeholders for positional arguments that come later.

use adder_runtime::prelude::*;
use std::cell::Cell;
use std::mem::offset_of;

/// The type of the one placeholder.
#[repr(transparent)]
pub struct Placeholder(PyObject);

static PLACEHOLDER: PyObject = PyObject::immortal((&raw const PLACEHOLDER_TYPE).cast_mut());

/// `functools.Placeholder`.
pub fn placeholder() -> &'static PyObject {
    &PLACEHOLDER
}

#[pytype(name = "functools._PlaceholderType", static_name = PLACEHOLDER_TYPE)]
/// The type of the placeholder for positional arguments of a partial.
impl Placeholder {
    #[slot]
    fn tp_new(_cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        if args.len() != 0 || kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
            return Err(raise!(TypeError, "_PlaceholderType takes no arguments"));
        }
        Ok(PLACEHOLDER.to_ref())
    }
    #[slot]
    unsafe fn tp_dealloc(_this: *mut Self) {}
    #[slot]
    fn tp_repr(&self) -> PyResult {
        Ok(PyUnicodeObject::from_str("Placeholder").into_object())
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        Ok(PyUnicodeObject::from_str("Placeholder").into_object())
    }
}

#[repr(C)]
pub struct Partial {
    ob_base: PyObject,
    dict: Cell<*mut PyObject>,
    weakreflist: Cell<*mut PyObject>,
    function: ObjectCell,
    args: ObjectCell<PyTupleObject>,
    keywords: ObjectCell<PyDictObject>,
    n_placeholders: Cell<usize>,
}

impl Drop for Partial {
    fn drop(&mut self) {
        // SAFETY: the field owned its dict.
        drop(unsafe { Ref::from_owned_opt(self.dict.get()) });
    }
}

fn count_placeholders(args: &PyTupleObject) -> usize {
    args.as_slice().iter().filter(|arg| arg.is(&PLACEHOLDER)).count()
}

#[pytype(
    name = "functools.partial",
    static_name = PARTIAL_TYPE,
    flags = BASETYPE | HAVE_GC,
    dictoffset = offset_of!(Partial, dict) as isize,
    weaklistoffset = offset_of!(Partial, weakreflist) as isize,
)]
/// A new function with some arguments of the given one filled in.
impl Partial {
    #[new(raw, "(func, /, *args, **keywords)")]
    fn py_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let [function, rest @ ..] = args.as_slice() else {
            return Err(raise!(TypeError, "type 'partial' takes at least one argument"));
        };
        if !function.is_callable() {
            return Err(raise!(TypeError, "the first argument must be callable"));
        }
        if rest.last().is_some_and(|last| last.is(&PLACEHOLDER)) {
            return Err(raise!(TypeError, "trailing Placeholders are not allowed"));
        }
        if let Some(kwargs) = kwargs {
            let mut position = 0;
            while let Some((_, value, _)) = kwargs.next_entry(&mut position) {
                if value.is(&PLACEHOLDER) {
                    return Err(raise!(TypeError, "Placeholder cannot be passed as a keyword argument"));
                }
            }
        }
        let keywords = match kwargs {
            Some(kwargs) => kwargs.copy()?,
            None => PyDictObject::new(),
        };
        let (function, all, keywords) = match function.downcast::<Partial>() {
            // A partial of a plain partial becomes one partial.
            Some(inner) if inner.dict.get().is_null() && std::ptr::eq(inner.as_object().ty(), cls) => {
                let (all, _) = inner.fill(rest)?;
                let merged = inner.kept_keywords().copy()?;
                merged.update(keywords.as_object())?;
                (inner.kept_function(), PyTupleObject::from_vec(all), merged)
            }
            _ => (function.to_ref(), PyTupleObject::from_slice(rest), keywords),
        };
        let n_placeholders = count_placeholders(&all);
        let partial = Partial {
            ob_base: adder_runtime::memory::blank_header(),
            dict: Cell::new(std::ptr::null_mut()),
            weakreflist: Cell::new(std::ptr::null_mut()),
            function: ObjectCell::new(Some(function)),
            args: ObjectCell::new(Some(all)),
            keywords: ObjectCell::new(Some(keywords)),
            n_placeholders: Cell::new(n_placeholders),
        };
        Ok(Ref::new_in(cls, partial)?.into_object())
    }
    fn kept_function(&self) -> Ref {
        self.function.get().unwrap_or_else(none_ref)
    }
    fn kept_args(&self) -> Ref<PyTupleObject> {
        self.args.get().unwrap_or_else(PyTupleObject::empty)
    }
    fn kept_keywords(&self) -> Ref<PyDictObject> {
        self.keywords.get().unwrap_or_else(PyDictObject::new)
    }
    /// The stored arguments with placeholders filled from `given`, followed by the rest of `given`; the second value
    /// is how many placeholders are left.
    fn fill(&self, given: &[&PyObject]) -> PyResult<(Vec<Ref>, usize)> {
        let mut given = given.iter();
        let mut left = 0;
        let mut all = Vec::new();
        for arg in self.kept_args().as_slice() {
            if arg.is(&PLACEHOLDER) {
                match given.next() {
                    Some(value) => all.push(value.to_ref()),
                    None => {
                        left += 1;
                        all.push(arg.to_ref());
                    }
                }
            } else {
                all.push(arg.to_ref());
            }
        }
        all.extend(given.map(|value| value.to_ref()));
        Ok((all, left))
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for status in [
            self.function.visit(visitor),
            self.args.visit(visitor),
            self.keywords.visit(visitor),
            visitor.visit(self.dict.get()),
        ] {
            if status != 0 {
                return status;
            }
        }
        0
    }
    #[slot]
    fn tp_clear(&self) {
        self.function.set(None);
        self.args.set(None);
        self.keywords.set(None);
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let n_placeholders = self.n_placeholders.get();
        if args.len() < n_placeholders {
            return Err(raise!(
                TypeError,
                "missing positional arguments in 'partial' call; expected at least {n_placeholders}, got {}",
                args.len()
            ));
        }
        let own_keywords = self.kept_keywords();
        let (all, _) = self.fill(args.as_slice())?;
        let all = PyTupleObject::from_vec(all);
        let function = self.kept_function();
        match kwargs.filter(|kwargs| kwargs.len() != 0) {
            None if own_keywords.len() == 0 => function.call_tuple(&all, None),
            None => function.call_tuple(&all, Some(&own_keywords)),
            Some(kwargs) => {
                let merged = own_keywords.copy()?;
                merged.update(kwargs.as_object())?;
                function.call_tuple(&all, Some(&merged))
            }
        }
    }
    /// As a class attribute, a partial binds like a function.
    #[slot]
    fn tp_descr_get(&self, object: Option<&PyObject>, _ty: Option<&PyObject>) -> PyResult {
        match object {
            None => Ok(self.to_object()),
            Some(object) if is_none(object) => Ok(self.to_object()),
            Some(object) => adder_runtime::objects::classobject::new_method(self.as_object(), object),
        }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let ty = self.as_object().ty();
        let name = ty.fully_qualified_name();
        // The repr of an argument may set another state.
        let (function, args, keywords) = (self.kept_function(), self.kept_args(), self.kept_keywords());
        let text = adder_runtime::protocol::with_repr_guard(self.as_object(), || {
            let mut parts = vec![function.repr()?.to_string_lossy()];
            for arg in args.as_slice() {
                parts.push(arg.repr()?.to_string_lossy());
            }
            let mut position = 0;
            while let Some((key, value, _)) = keywords.next_entry(&mut position) {
                let (key, value) = (key.to_ref(), value.to_ref());
                parts.push(format!("{}={}", key.str()?.to_string_lossy(), value.repr()?.to_string_lossy()));
            }
            Ok(format!("{name}({})", parts.join(", ")))
        })?;
        Ok(PyUnicodeObject::from_string(text.unwrap_or_else(|| "...".to_string())).into_object())
    }
    #[getter]
    fn func(&self) -> PyResult {
        Ok(self.kept_function())
    }
    #[getter(name = "args")]
    fn get_args(&self) -> PyResult {
        Ok(self.kept_args().into_object())
    }
    #[getter(name = "keywords")]
    fn get_keywords(&self) -> PyResult {
        Ok(self.kept_keywords().into_object())
    }
    #[getter(name = "__dict__")]
    fn get_dict(&self) -> PyResult {
        Ok(self.as_object().instance_dict_or_make().map_or_else(none_ref, Ref::into_object))
    }
    #[setter(name = "__dict__")]
    fn set_dict(&self, value: Option<&PyObject>) -> PyResult<()> {
        let dict = adder_runtime::objects::dictobject::instance::new_dict_of(value)?;
        // SAFETY: the field owned its old dict.
        drop(unsafe { Ref::from_owned_opt(self.dict.replace(dict.to_object().into_raw())) });
        Ok(())
    }
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        adder_runtime::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let dict = self.as_object().instance_dict().map_or_else(none_ref, |dict| dict.to_object());
        let function = self.kept_function();
        let state = PyTupleObject::from_vec(vec![
            function.clone(),
            self.kept_args().into_object(),
            self.kept_keywords().into_object(),
            dict,
        ]);
        let constructor_args = PyTupleObject::from_vec(vec![function]);
        let class = self.as_object().ty().as_object();
        Ok(PyTupleObject::from_slice(&[class, constructor_args.as_object(), state.as_object()]).into_object())
    }
    #[method("($self, state, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        let invalid = || raise!(TypeError, "invalid partial state");
        let Some(state) = state.downcast::<PyTupleObject>() else { return Err(invalid()) };
        let [function, args, keywords, dict] = state.as_slice() else { return Err(invalid()) };
        let Some(args) = args.downcast::<PyTupleObject>() else { return Err(invalid()) };
        if !function.is_callable() || !(is_none(dict) || PyDictObject::check(dict)) {
            return Err(invalid());
        }
        if args.as_slice().last().is_some_and(|last| last.is(&PLACEHOLDER)) {
            return Err(raise!(TypeError, "trailing Placeholders are not allowed"));
        }
        let keywords = if is_none(keywords) {
            PyDictObject::new()
        } else {
            match keywords.downcast::<PyDictObject>() {
                Some(keywords) if PyDictObject::check_exact(keywords.as_object()) => keywords.to_ref(),
                Some(keywords) => keywords.copy()?,
                None => return Err(invalid()),
            }
        };
        let args = args.as_object().to_tuple()?;
        self.n_placeholders.set(count_placeholders(&args));
        self.function.set(Some(function.to_ref()));
        self.args.set(Some(args));
        self.keywords.set(Some(keywords));
        let dict = if is_none(dict) { std::ptr::null_mut() } else { dict.to_ref().into_raw() };
        // SAFETY: the field owned its old dict.
        drop(unsafe { Ref::from_owned_opt(self.dict.replace(dict)) });
        Ok(())
    }
}
