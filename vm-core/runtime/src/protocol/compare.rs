//! Rich comparison, `isinstance` and `issubclass`.

use super::attributes::has_generic_attributes;
use super::{enter_native_call, from_slot};
use crate::objects::object::PyBaseObject_Type;
use crate::prelude::*;

impl PyObject {
    /// `self OP other` as an object.
    pub fn rich_compare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        enter_native_call(" in comparison")?;
        let (left, right) = (self.ty(), other.ty());
        let mut tried_reflected = false;
        // SAFETY: slots of the operands' types, here and below.
        unsafe {
            if !std::ptr::eq(left, right)
                && right.is_subtype(left)
                && let Some(compare) = right.tp_richcompare.get()
            {
                tried_reflected = true;
                let result = from_slot(
                    compare(other.as_ptr(), self.as_ptr(), op.swapped() as c_int),
                    "comparison",
                )?;
                if !result.is(not_implemented()) {
                    return Ok(result);
                }
            }
            if let Some(compare) = left.tp_richcompare.get() {
                let result = from_slot(compare(self.as_ptr(), other.as_ptr(), op as c_int), "comparison")?;
                if !result.is(not_implemented()) {
                    return Ok(result);
                }
            }
            if !tried_reflected && let Some(compare) = right.tp_richcompare.get() {
                let result = from_slot(
                    compare(other.as_ptr(), self.as_ptr(), op.swapped() as c_int),
                    "comparison",
                )?;
                if !result.is(not_implemented()) {
                    return Ok(result);
                }
            }
        }
        match op {
            CompareOp::Eq => Ok(py_bool(self.is(other))),
            CompareOp::Ne => Ok(py_bool(!self.is(other))),
            _ => Err(raise!(
                TypeError,
                "'{}' not supported between instances of '{}' and '{}'",
                op.symbol(),
                left.full_name(),
                right.full_name()
            )),
        }
    }

    /// `self OP other` as a truth value; identity implies equality.
    pub fn compare_bool(&self, other: &PyObject, op: CompareOp) -> PyResult<bool> {
        if self.is(other) {
            match op {
                CompareOp::Eq => return Ok(true),
                CompareOp::Ne => return Ok(false),
                _ => {}
            }
        }
        if let (Some(left), Some(right)) = (
            self.downcast_exact::<PyLongObject>(),
            other.downcast_exact::<PyLongObject>(),
        ) && left.is_compact()
            && right.is_compact()
        {
            return Ok(op.holds(left.compact_value().cmp(&right.compact_value())));
        }
        self.rich_compare(other, op)?.is_true()
    }

    /// `self is other or self == other`.
    #[inline]
    pub fn eq(&self, other: &PyObject) -> PyResult<bool> {
        self.compare_bool(other, CompareOp::Eq)
    }

    /// `isinstance(self, class)`: with `__instancecheck__`, tuples and unions.
    pub fn is_instance(&self, class: &PyObject) -> PyResult<bool> {
        if std::ptr::eq(self.ty().as_object(), class) {
            return Ok(true);
        }
        if PyTypeObject::check_exact(class) {
            return self.real_is_instance(class);
        }
        let checker = identifier!("__instancecheck__");
        self.check_with(
            class,
            checker,
            " in __instancecheck__",
            Self::is_instance,
            Self::real_is_instance,
        )
    }

    /// What a union's or tuple's members say to `check`, the class's own `checker`, or else `real`.
    #[inline(always)]
    fn check_with(
        &self,
        class: &PyObject,
        checker: &'static PyUnicodeObject,
        place: &'static str,
        check: impl Fn(&Self, &PyObject) -> PyResult<bool>,
        real: impl Fn(&Self, &PyObject) -> PyResult<bool>,
    ) -> PyResult<bool> {
        let any = |classes: &PyTupleObject| {
            for class in classes.as_slice() {
                if check(self, class)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        if let Some(union) = crate::objects::unionobject::members(class) {
            return any(&union);
        }
        if let Some(classes) = class.downcast::<PyTupleObject>() {
            enter_native_call(place)?;
            return any(classes);
        }
        if let Some(checker) = class.lookup_special(checker)? {
            enter_native_call(place)?;
            return checker.call1(self)?.is_true();
        }
        real(self, class)
    }

    /// `isinstance` without `__instancecheck__`: by type, then by `__class__`.
    pub fn real_is_instance(&self, class: &PyObject) -> PyResult<bool> {
        if let Some(class) = class.downcast::<PyTypeObject>() {
            if self.ty().is_subtype(class) {
                return Ok(true);
            }
            if self.class_is_type() {
                return Ok(false);
            }
            let Some(own) = self.get_attr_opt(identifier!("__class__"))? else {
                return Ok(false);
            };
            return Ok(match own.downcast::<PyTypeObject>() {
                Ok(own) => !std::ptr::eq(&*own, self.ty()) && own.is_subtype(class),
                Err(_) => false,
            });
        }
        check_class(
            class,
            "isinstance() arg 2 must be a type, a tuple of types, or a union",
        )?;
        match self.get_attr_opt(identifier!("__class__"))? {
            Some(own) => abstract_is_subclass(&own, class),
            None => Ok(false),
        }
    }

    /// Whether `__class__` is `object`'s own attribute, and so the type.
    fn class_is_type(&self) -> bool {
        let name = identifier!("__class__");
        let attribute = |ty: &PyTypeObject| ty.lookup(name).map(PyObject::as_ptr);
        has_generic_attributes(self.ty()) && attribute(self.ty()) == attribute(&PyBaseObject_Type)
    }

    /// `issubclass(self, class)`: with `__subclasscheck__`, tuples and unions.
    pub fn is_subclass(&self, class: &PyObject) -> PyResult<bool> {
        if PyTypeObject::check_exact(class) {
            if self.is(class) {
                return Ok(true);
            }
            return self.real_is_subclass(class);
        }
        let checker = identifier!("__subclasscheck__");
        self.check_with(
            class,
            checker,
            " in __subclasscheck__",
            Self::is_subclass,
            Self::real_is_subclass,
        )
    }

    /// `issubclass` without `__subclasscheck__`: by MRO, then by `__bases__`.
    pub fn real_is_subclass(&self, class: &PyObject) -> PyResult<bool> {
        if let (Some(derived), Some(base)) =
            (self.downcast::<PyTypeObject>(), class.downcast::<PyTypeObject>())
        {
            return Ok(derived.is_subtype(base));
        }
        check_class(self, "issubclass() arg 1 must be a class")?;
        check_class(
            class,
            "issubclass() arg 2 must be a class, a tuple of classes, or a union",
        )?;
        abstract_is_subclass(self, class)
    }
}

fn bases_of(class: &PyObject) -> PyResult<Option<Ref<PyTupleObject>>> {
    let bases = class.get_attr_opt(identifier!("__bases__"))?;
    Ok(bases.and_then(|bases| bases.downcast::<PyTupleObject>().ok()))
}

fn check_class(class: &PyObject, message: &str) -> PyResult<()> {
    match bases_of(class)? {
        Some(_) => Ok(()),
        None => Err(raise!(TypeError, "{message}")),
    }
}

fn abstract_is_subclass(derived: &PyObject, class: &PyObject) -> PyResult<bool> {
    enter_native_call(" in __issubclass__")?;
    if derived.is(class) {
        return Ok(true);
    }
    let Some(bases) = bases_of(derived)? else {
        return Ok(false);
    };
    for base in bases.as_slice() {
        if abstract_is_subclass(base, class)? {
            return Ok(true);
        }
    }
    Ok(false)
}
