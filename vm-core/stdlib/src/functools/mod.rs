//! `_functools`: `reduce`, `partial`, `cmp_to_key`, `lru_cache`.

pub mod lru_cache;
pub mod partial;

use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;

/// Tools that operate on functions.
#[pymodule(name = "_functools", types = [partial::PARTIAL_TYPE, partial::PLACEHOLDER_TYPE, lru_cache::LRU_CACHE_TYPE])]
pub mod _functools {
    use super::*;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        module.add("Placeholder", partial::placeholder().to_ref())
    }

    /// Applies a function of two arguments cumulatively to the items of an iterable.
    #[pyfunction("($module, function, iterable, /, initial=<unrepresentable>)")]
    fn reduce(function: &PyObject, iterable: &PyObject, initial: Option<&PyObject>) -> PyResult {
        let iterator = match iterable.iter() {
            Ok(iterator) => iterator,
            Err(raised) => {
                raised.clear_if(exc::TypeError)?;
                return Err(raise!(TypeError, "reduce() arg 2 must support iteration"));
            }
        };
        let mut result = initial.map(PyObject::to_ref);
        while let Some(item) = iterator.next()? {
            result = Some(match result {
                None => item,
                Some(result) => function.call(&[&result, &item])?,
            });
        }
        result.ok_or_else(|| raise!(TypeError, "reduce() of empty iterable with no initial value"))
    }

    /// A key function made from a comparison function.
    #[pyfunction("($module, /, mycmp)")]
    fn cmp_to_key(mycmp: &PyObject) -> PyResult {
        let key = KeyObject { ob_base: adder_runtime::memory::blank_header(), compare: mycmp.to_ref(), object: None };
        Ok(Ref::new(key)?.into_object())
    }
}

/// What `cmp_to_key` returns, and what that returns for each object.
#[repr(C)]
pub struct KeyObject {
    ob_base: PyObject,
    compare: Ref,
    object: Option<Ref>,
}

#[pytype(name = "functools.KeyWrapper", static_name = KEY_OBJECT_TYPE, flags = HAVE_GC | DISALLOW_INSTANTIATION, slots = [tp_hash = adder_runtime::types::hash_not_implemented])]
/// Compares by a comparison function.
impl KeyObject {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.compare.as_raw());
        if status != 0 { status } else { visitor.visit_ref(&self.object) }
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let object = match (args.as_slice(), kwargs.filter(|kwargs| kwargs.len() != 0)) {
            ([object], None) => object.to_ref(),
            ([], Some(kwargs)) if kwargs.len() == 1 && kwargs.get_str(identifier!("obj")).is_some() => {
                kwargs.get_str(identifier!("obj")).expect("just found")
            }
            _ => return Err(raise!(TypeError, "K() takes exactly one argument ({} given)", args.len())),
        };
        let key = KeyObject {
            ob_base: adder_runtime::memory::blank_header(),
            compare: self.compare.clone(),
            object: Some(object),
        };
        Ok(Ref::new(key)?.into_object())
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast_exact::<KeyObject>() else {
            return Err(raise!(TypeError, "other argument must be K instance"));
        };
        let (Some(left), Some(right)) = (&self.object, &other.object) else {
            return Err(raise!(AttributeError, "object"));
        };
        let result = self.compare.call(&[left, right])?;
        result.rich_compare(PyLongObject::from_i64(0).as_object(), op)
    }
    #[getter(name = "__text_signature__")]
    fn text_signature(&self) -> &'static str {
        "(obj)"
    }
    #[getter]
    fn obj(&self) -> PyResult {
        Ok(self.object.clone().unwrap_or_else(none_ref))
    }
}
