//! `_operator`: the operators as functions, and the getter and caller types.

use adder_runtime::prelude::*;
use adder_runtime::protocol::number;

/// Operators as functions.
#[pymodule(name = "_operator", types = [ITEMGETTER_TYPE, ATTRGETTER_TYPE, METHODCALLER_TYPE])]
pub mod _operator {
    use super::*;
    pub use super::{ATTRGETTER_TYPE, ITEMGETTER_TYPE, METHODCALLER_TYPE};


    #[pyfunction("($module, a, b, /)")]
    fn lt(a: &PyObject, b: &PyObject) -> PyResult {
        a.rich_compare(b, CompareOp::Lt)
    }
    #[pyfunction("($module, a, b, /)")]
    fn le(a: &PyObject, b: &PyObject) -> PyResult {
        a.rich_compare(b, CompareOp::Le)
    }
    #[pyfunction("($module, a, b, /)")]
    fn eq(a: &PyObject, b: &PyObject) -> PyResult {
        a.rich_compare(b, CompareOp::Eq)
    }
    #[pyfunction("($module, a, b, /)")]
    fn ne(a: &PyObject, b: &PyObject) -> PyResult {
        a.rich_compare(b, CompareOp::Ne)
    }
    #[pyfunction("($module, a, b, /)")]
    fn gt(a: &PyObject, b: &PyObject) -> PyResult {
        a.rich_compare(b, CompareOp::Gt)
    }
    #[pyfunction("($module, a, b, /)")]
    fn ge(a: &PyObject, b: &PyObject) -> PyResult {
        a.rich_compare(b, CompareOp::Ge)
    }
    #[pyfunction("($module, a, /)", name = "not_")]
    fn not_(a: &PyObject) -> PyResult<bool> {
        Ok(!a.is_true()?)
    }
    #[pyfunction("($module, a, /)")]
    fn truth(a: &PyObject) -> PyResult<bool> {
        a.is_true()
    }
    #[pyfunction("($module, a, b, /)", name = "is_")]
    fn is_(a: &PyObject, b: &PyObject) -> bool {
        a.is(b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn is_not(a: &PyObject, b: &PyObject) -> bool {
        !a.is(b)
    }
    #[pyfunction("($module, a, /)")]
    fn is_none(a: &PyObject) -> bool {
        adder_runtime::object::is_none(a)
    }
    #[pyfunction("($module, a, /)")]
    fn is_not_none(a: &PyObject) -> bool {
        !adder_runtime::object::is_none(a)
    }
    #[pyfunction("($module, a, /)")]
    fn abs(a: &PyObject) -> PyResult {
        number::absolute(a)
    }
    #[pyfunction("($module, a, b, /)")]
    fn add(a: &PyObject, b: &PyObject) -> PyResult {
        number::add(a, b)
    }
    #[pyfunction("($module, a, b, /)", name = "and_")]
    fn and_(a: &PyObject, b: &PyObject) -> PyResult {
        number::and(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn floordiv(a: &PyObject, b: &PyObject) -> PyResult {
        number::floor_divide(a, b)
    }
    #[pyfunction("($module, a, /)")]
    fn index(a: &PyObject) -> PyResult {
        Ok(a.index()?.into_object())
    }
    #[pyfunction("($module, a, /)")]
    fn inv(a: &PyObject) -> PyResult {
        number::invert(a)
    }
    #[pyfunction("($module, a, /)")]
    fn invert(a: &PyObject) -> PyResult {
        number::invert(a)
    }
    #[pyfunction("($module, a, b, /)")]
    fn lshift(a: &PyObject, b: &PyObject) -> PyResult {
        number::lshift(a, b)
    }
    #[pyfunction("($module, a, b, /)", name = "mod")]
    fn modulo(a: &PyObject, b: &PyObject) -> PyResult {
        number::remainder(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn mul(a: &PyObject, b: &PyObject) -> PyResult {
        number::multiply(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn matmul(a: &PyObject, b: &PyObject) -> PyResult {
        number::matrix_multiply(a, b)
    }
    #[pyfunction("($module, a, /)")]
    fn neg(a: &PyObject) -> PyResult {
        number::negative(a)
    }
    #[pyfunction("($module, a, b, /)", name = "or_")]
    fn or_(a: &PyObject, b: &PyObject) -> PyResult {
        number::or(a, b)
    }
    #[pyfunction("($module, a, /)")]
    fn pos(a: &PyObject) -> PyResult {
        number::positive(a)
    }
    #[pyfunction("($module, a, b, /)")]
    fn pow(a: &PyObject, b: &PyObject) -> PyResult {
        number::power(a, b, none())
    }
    #[pyfunction("($module, a, b, /)")]
    fn rshift(a: &PyObject, b: &PyObject) -> PyResult {
        number::rshift(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn sub(a: &PyObject, b: &PyObject) -> PyResult {
        number::subtract(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn truediv(a: &PyObject, b: &PyObject) -> PyResult {
        number::true_divide(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn xor(a: &PyObject, b: &PyObject) -> PyResult {
        number::xor(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn iadd(a: &PyObject, b: &PyObject) -> PyResult {
        number::inplace_add(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn iand(a: &PyObject, b: &PyObject) -> PyResult {
        number::inplace_and(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn ifloordiv(a: &PyObject, b: &PyObject) -> PyResult {
        number::inplace_floor_divide(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn ilshift(a: &PyObject, b: &PyObject) -> PyResult {
        number::inplace_lshift(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn imod(a: &PyObject, b: &PyObject) -> PyResult {
        number::inplace_remainder(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn imul(a: &PyObject, b: &PyObject) -> PyResult {
        number::inplace_multiply(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn imatmul(a: &PyObject, b: &PyObject) -> PyResult {
        number::inplace_matrix_multiply(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn ior(a: &PyObject, b: &PyObject) -> PyResult {
        number::inplace_or(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn ipow(a: &PyObject, b: &PyObject) -> PyResult {
        number::inplace_power(a, b, none())
    }
    #[pyfunction("($module, a, b, /)")]
    fn irshift(a: &PyObject, b: &PyObject) -> PyResult {
        number::inplace_rshift(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn isub(a: &PyObject, b: &PyObject) -> PyResult {
        number::inplace_subtract(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn itruediv(a: &PyObject, b: &PyObject) -> PyResult {
        number::inplace_true_divide(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn ixor(a: &PyObject, b: &PyObject) -> PyResult {
        number::inplace_xor(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn concat(a: &PyObject, b: &PyObject) -> PyResult {
        a.sequence_concat(b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn iconcat(a: &PyObject, b: &PyObject) -> PyResult {
        if !a.is_sequence() {
            return Err(raise!(TypeError, "'{}' object can't be concatenated", a.ty().name()));
        }
        number::inplace_add(a, b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn contains(a: &PyObject, b: &PyObject) -> PyResult<bool> {
        a.contains(b)
    }
    /// How often b occurs in a.
    #[pyfunction("($module, a, b, /)", name = "countOf")]
    fn count_of(a: &PyObject, b: &PyObject) -> PyResult<usize> {
        a.count_of(b)
    }
    /// The first index of b in a.
    #[pyfunction("($module, a, b, /)", name = "indexOf")]
    fn index_of(a: &PyObject, b: &PyObject) -> PyResult<usize> {
        a.index_of(b)
    }
    #[pyfunction("($module, a, b, /)")]
    fn getitem(a: &PyObject, b: &PyObject) -> PyResult {
        a.get_item(b)
    }
    #[pyfunction("($module, a, b, c, /)")]
    fn setitem(a: &PyObject, b: &PyObject, c: &PyObject) -> PyResult<()> {
        a.set_item(b, c)
    }
    #[pyfunction("($module, a, b, /)")]
    fn delitem(a: &PyObject, b: &PyObject) -> PyResult<()> {
        a.del_item(b)
    }
    /// An estimate of the number of items, or the default.
    #[pyfunction("($module, obj, default=0, /)")]
    fn length_hint(obj: &PyObject, default: Option<&PyObject>) -> PyResult<isize> {
        let default = match default {
            None => 0,
            Some(default) => {
                let Some(number) = default.downcast::<PyLongObject>() else {
                    return Err(raise!(
                        TypeError,
                        "'{}' object cannot be interpreted as an integer",
                        default.ty().name()
                    ));
                };
                number.as_isize()?
            }
        };
        Ok(obj.known_length_hint()?.map_or(default, |hint| hint as isize))
    }
    /// `obj(*args, **kwargs)`.
    #[pyfunction(raw, "($module, obj, /, *args, **kwargs)")]
    fn call(args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        let [callable, rest @ ..] = args else {
            return Err(raise!(TypeError, "call expected at least 1 argument, got 0"));
        };
        match kwnames {
            Some(names) => {
                // SAFETY: the vectorcall convention: a value per name, after the positional ones.
                let rest = unsafe { std::slice::from_raw_parts(rest.as_ptr(), rest.len() + names.len()) };
                callable.call_keywords(rest, names)
            }
            None => callable.call(rest),
        }
    }
    /// Equality of two strings or bytes in a time that does not depend on where they differ.
    #[pyfunction("($module, a, b, /)")]
    pub fn _compare_digest(a: &PyObject, b: &PyObject) -> PyResult<bool> {
        let equal = |a: &[u8], b: &[u8]| {
            a.len() == b.len() && a.iter().zip(b).fold(0u8, |difference, (x, y)| difference | (x ^ y)) == 0
        };
        if let (Some(a), Some(b)) = (a.downcast::<PyUnicodeObject>(), b.downcast::<PyUnicodeObject>()) {
            if !a.is_ascii() || !b.is_ascii() {
                return Err(raise!(TypeError, "comparing strings with non-ASCII characters is not supported"));
            }
            return Ok(equal(a.to_str()?.as_bytes(), b.to_str()?.as_bytes()));
        }
        let (Ok(first), Ok(second)) = (
            adder_runtime::objects::buffer::Buffer::simple(a),
            adder_runtime::objects::buffer::Buffer::simple(b),
        ) else {
            adder_runtime::error::clear();
            return Err(raise!(
                TypeError,
                "unsupported operand types(s) or combination of types: '{}' and '{}'",
                a.ty().name(),
                b.ty().name()
            ));
        };
        Ok(equal(first.as_bytes(), second.as_bytes()))
    }
}

/// `itemgetter(item, ...)`.
#[repr(C)]
pub struct ItemGetter {
    ob_base: PyObject,
    items: Ref<PyTupleObject>,
}

#[pytype(name = "operator.itemgetter", static_name = ITEMGETTER_TYPE, flags = HAVE_GC)]
/// Returns a callable that fetches the given items from its operand.
impl ItemGetter {
    #[new(raw, "(item, /, *items)")]
    fn new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        if kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
            return Err(raise!(TypeError, "itemgetter() takes no keyword arguments"));
        }
        if args.len() == 0 {
            return Err(raise!(TypeError, "itemgetter expected at least 1 argument, got 0"));
        }
        let getter = ItemGetter { ob_base: adder_runtime::memory::blank_header(), items: args.to_ref() };
        Ok(Ref::new_in(cls, getter)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.items.as_raw())
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let object = one_operand("itemgetter", args, kwargs)?;
        if let [item] = self.items.as_slice() {
            return object.get_item(item);
        }
        let mut values = Vec::with_capacity(self.items.len());
        for item in self.items.as_slice() {
            values.push(object.get_item(item)?);
        }
        Ok(PyTupleObject::from_vec(values).into_object())
    }
    #[getter(name = "__text_signature__")]
    fn text_signature(&self) -> &'static str {
        "(obj, /)"
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        repr_with_arguments(self.as_object(), self.items.as_slice(), None)
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        Ok(PyTupleObject::from_slice(&[self.as_object().ty().as_object(), self.items.as_object()]).into_object())
    }
}

fn one_operand<'a>(
    name: &str,
    args: &'a PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult<&'a PyObject> {
    if kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
        return Err(raise!(TypeError, "{name}() takes no keyword arguments"));
    }
    match args.as_slice() {
        [object] => Ok(object),
        other => Err(raise!(TypeError, "{name} expected 1 argument, got {}", other.len())),
    }
}

fn repr_with_arguments(object: &PyObject, args: &[&PyObject], kwargs: Option<&PyDictObject>) -> PyResult {
    let name = object.ty().full_name().to_string();
    let text = adder_runtime::protocol::with_repr_guard(object, || {
        let mut parts = Vec::new();
        for arg in args {
            parts.push(arg.repr()?.to_string_lossy());
        }
        let mut position = 0;
        while let Some((key, value, _)) = kwargs.and_then(|kwargs| kwargs.next_entry(&mut position)) {
            let (key, value) = (key.to_ref(), value.to_ref());
            parts.push(format!("{}={}", key.str()?.to_string_lossy(), value.repr()?.to_string_lossy()));
        }
        Ok(format!("{name}({})", parts.join(", ")))
    })?;
    Ok(PyUnicodeObject::from_string(text.unwrap_or_else(|| format!("{name}(...)"))).into_object())
}

/// `attrgetter(name, ...)`, names with dots going deeper.
#[repr(C)]
pub struct AttrGetter {
    ob_base: PyObject,
    names: Ref<PyTupleObject>,
    /// Each name split at its dots.
    paths: Vec<Vec<Ref<PyUnicodeObject>>>,
}

#[pytype(name = "operator.attrgetter", static_name = ATTRGETTER_TYPE, flags = HAVE_GC)]
/// Returns a callable that fetches the given attributes from its operand.
impl AttrGetter {
    #[new(raw, "(attr, /, *attrs)")]
    fn new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        if kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
            return Err(raise!(TypeError, "attrgetter() takes no keyword arguments"));
        }
        if args.len() == 0 {
            return Err(raise!(TypeError, "attrgetter expected at least 1 argument, got 0"));
        }
        let mut paths = Vec::new();
        for name in args.as_slice() {
            let Some(name) = name.downcast::<PyUnicodeObject>() else {
                return Err(raise!(TypeError, "attribute name must be a string"));
            };
            let text = name.to_str()?;
            paths.push(
                text.split('.').map(|part| PyUnicodeObject::intern(PyUnicodeObject::from_str(part))).collect(),
            );
        }
        let getter =
            AttrGetter { ob_base: adder_runtime::memory::blank_header(), names: args.to_ref(), paths };
        Ok(Ref::new_in(cls, getter)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.names.as_raw())
    }
    fn fetch(object: &PyObject, path: &[Ref<PyUnicodeObject>]) -> PyResult {
        let mut value = object.to_ref();
        for name in path {
            value = value.get_attr(name)?;
        }
        Ok(value)
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let object = one_operand("attrgetter", args, kwargs)?;
        if let [path] = &self.paths[..] {
            return Self::fetch(object, path);
        }
        let mut values = Vec::with_capacity(self.paths.len());
        for path in &self.paths {
            values.push(Self::fetch(object, path)?);
        }
        Ok(PyTupleObject::from_vec(values).into_object())
    }
    #[getter(name = "__text_signature__")]
    fn text_signature(&self) -> &'static str {
        "(obj, /)"
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        repr_with_arguments(self.as_object(), self.names.as_slice(), None)
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        Ok(PyTupleObject::from_slice(&[self.as_object().ty().as_object(), self.names.as_object()]).into_object())
    }
}

/// `methodcaller(name, /, *args, **kwargs)`.
#[repr(C)]
pub struct MethodCaller {
    ob_base: PyObject,
    name: Ref<PyUnicodeObject>,
    args: Ref<PyTupleObject>,
    kwargs: Option<Ref<PyDictObject>>,
}

#[pytype(name = "operator.methodcaller", static_name = METHODCALLER_TYPE, flags = HAVE_GC)]
/// Returns a callable that calls the given method on its operand.
impl MethodCaller {
    #[new(raw, "(name, /, *args, **kwargs)")]
    fn new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let [name, rest @ ..] = args.as_slice() else {
            return Err(raise!(TypeError, "methodcaller needs at least one argument, the method name"));
        };
        let Some(name) = name.downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "method name must be a string"));
        };
        let kwargs = match kwargs.filter(|kwargs| kwargs.len() != 0) {
            Some(kwargs) => Some(kwargs.copy()?),
            None => None,
        };
        let caller = MethodCaller {
            ob_base: adder_runtime::memory::blank_header(),
            name: PyUnicodeObject::intern(name.to_ref()),
            args: PyTupleObject::from_slice(rest),
            kwargs,
        };
        Ok(Ref::new_in(cls, caller)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.args.as_raw());
        if status != 0 { status } else { visitor.visit_ref(&self.kwargs) }
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let object = one_operand("methodcaller", args, kwargs)?;
        match &self.kwargs {
            None => object.call_method(&self.name, self.args.as_slice()),
            Some(kwargs) => object.get_attr(&self.name)?.call_tuple(&self.args, Some(kwargs)),
        }
    }
    #[getter(name = "__text_signature__")]
    fn text_signature(&self) -> &'static str {
        "(obj, /)"
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let mut args = vec![self.name.as_object()];
        args.extend_from_slice(self.args.as_slice());
        repr_with_arguments(self.as_object(), &args, self.kwargs.as_deref())
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let class = self.as_object().ty().as_object();
        let mut args = vec![self.name.to_object()];
        args.extend(self.args.as_slice().iter().map(|arg| arg.to_ref()));
        let Some(kwargs) = &self.kwargs else {
            let args = PyTupleObject::from_vec(args);
            return Ok(PyTupleObject::from_slice(&[class, args.as_object()]).into_object());
        };
        let partial = adder_runtime::hooks::import_module("functools")?.get_attr(identifier!("partial"))?;
        let constructor = partial.call_tuple(
            &PyTupleObject::from_slice(&[class, self.name.as_object()]),
            Some(kwargs),
        )?;
        Ok(PyTupleObject::from_slice(&[&constructor, self.args.as_object()]).into_object())
    }
}
