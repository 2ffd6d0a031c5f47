//! Pattern matching: MATCH_KEYS and MATCH_CLASS.

use adder_runtime::abi::*;
use adder_runtime::prelude::*;

/// The values of `keys` in the mapping, or None when one is missing.
pub fn match_keys(subject: &PyObject, keys: &PyObject) -> PyResult {
    let keys = keys.to_tuple()?;
    if keys.len() == 0 {
        return Ok(PyTupleObject::empty().into_object());
    }
    let get = subject.get_attr(identifier!("get"))?;
    let seen = PySetObject::new_set();
    let dummy = adder_runtime::objects::object::new_object()?;
    let mut values = Vec::with_capacity(keys.len());
    for key in keys.as_slice() {
        if seen.contains(key)? {
            return Err(raise!(
                ValueError,
                "mapping pattern checks duplicate key ({})",
                key.repr()?.to_string_lossy()
            ));
        }
        seen.add(key)?;
        let value = get.call(&[key, &dummy])?;
        if value.is(&dummy) {
            return Ok(none_ref());
        }
        values.push(value);
    }
    Ok(PyTupleObject::from_vec(values).into_object())
}

/// The attributes that a class pattern binds, or None when the subject does not match.
pub fn match_class(subject: &PyObject, class: &PyObject, n_positional: usize, names: &PyObject) -> PyResult {
    let Some(class_type) = class.downcast::<PyTypeObject>() else {
        return Err(raise!(TypeError, "called match pattern must be a class"));
    };
    if !subject.is_instance(class)? {
        return Ok(none_ref());
    }
    let mut attributes = Vec::new();
    let mut seen: Vec<Ref> = Vec::new();
    let mut bind = |name: &PyObject, attributes: &mut Vec<Ref>| -> PyResult<bool> {
        for other in &seen {
            if other.eq(name)? {
                return Err(raise!(
                    TypeError,
                    "{}() got multiple sub-patterns for attribute {}",
                    class_type.name(),
                    name.repr()?.to_string_lossy()
                ));
            }
        }
        seen.push(name.to_ref());
        // SAFETY: names are str: the compiler's, or checked below.
        match subject.get_attr_opt(unsafe { name.cast_unchecked::<PyUnicodeObject>() })? {
            Some(value) => {
                attributes.push(value);
                Ok(true)
            }
            None => Ok(false),
        }
    };
    if n_positional > 0 {
        let mut match_self = false;
        let match_args = match class.get_attr_opt(identifier!("__match_args__"))? {
            Some(args) => match args.downcast::<PyTupleObject>() {
                Ok(args) => args,
                Err(other) => {
                    return Err(raise!(
                        TypeError,
                        "{}.__match_args__ must be a tuple (got {})",
                        class_type.name(),
                        other.ty().name()
                    ));
                }
            },
            None => {
                match_self = class_type.has_flag(_Py_TPFLAGS_MATCH_SELF);
                PyTupleObject::empty()
            }
        };
        let allowed = if match_self { 1 } else { match_args.len() };
        if allowed < n_positional {
            return Err(raise!(
                TypeError,
                "{}() accepts {allowed} positional sub-pattern{} ({n_positional} given)",
                class_type.name(),
                if allowed == 1 { "" } else { "s" }
            ));
        }
        if match_self {
            attributes.push(subject.to_ref());
        } else {
            for name in &match_args.as_slice()[..n_positional] {
                if !PyUnicodeObject::check_exact(name) {
                    return Err(raise!(
                        TypeError,
                        "__match_args__ elements must be strings (got {})",
                        name.ty().name()
                    ));
                }
                if !bind(name, &mut attributes)? {
                    return Ok(none_ref());
                }
            }
        }
    }
    for name in names.to_tuple()?.as_slice() {
        if !bind(name, &mut attributes)? {
            return Ok(none_ref());
        }
    }
    Ok(PyTupleObject::from_vec(attributes).into_object())
}
