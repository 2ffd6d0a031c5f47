//! `__build_class__`: the metaclass, the namespace, the body's run, the class.

use adder_runtime::abi::*;
use adder_runtime::args::Kwargs;
use adder_runtime::prelude::*;

/// Bases with those that have `__mro_entries__` replaced; `None` when there are none such.
fn update_bases(bases: &PyTupleObject) -> PyResult<Option<Ref<PyTupleObject>>> {
    let mut new: Option<Vec<Ref>> = None;
    for (index, base) in bases.as_slice().iter().enumerate() {
        if PyTypeObject::check(base) {
            if let Some(new) = &mut new {
                new.push(base.to_ref());
            }
            continue;
        }
        let Some(method) = base.get_attr_opt(identifier!("__mro_entries__"))? else {
            if let Some(new) = &mut new {
                new.push(base.to_ref());
            }
            continue;
        };
        let entries = method.call1(bases.as_object())?;
        let Ok(entries) = entries.downcast::<PyTupleObject>() else {
            return Err(raise!(TypeError, "__mro_entries__ must return a tuple"));
        };
        let new = new.get_or_insert_with(|| {
            bases.as_slice()[..index]
                .iter()
                .map(|base| base.to_ref())
                .collect()
        });
        new.extend(entries.as_slice().iter().map(|entry| entry.to_ref()));
    }
    Ok(new.map(PyTupleObject::from_vec))
}

pub fn build_class(args: &[&PyObject], kwargs: Kwargs<'_>) -> PyResult {
    let [function, name, bases @ ..] = args else {
        return Err(raise!(TypeError, "__build_class__: not enough arguments"));
    };
    let Some(function) = function.downcast_exact::<PyFunctionObject>() else {
        return Err(raise!(TypeError, "__build_class__: func must be a function"));
    };
    if !PyUnicodeObject::check(name) {
        return Err(raise!(TypeError, "__build_class__: name is not a string"));
    }
    let original_bases = PyTupleObject::from_slice(bases);
    let updated = update_bases(&original_bases)?;
    let bases = updated.clone().unwrap_or_else(|| original_bases.clone());
    let keywords = kwargs.to_dict()?;
    let mut metaclass = None;
    if let Some(keywords) = &keywords {
        metaclass = keywords.pop(identifier!("metaclass").as_object())?;
    }
    let mut metaclass = match metaclass {
        Some(metaclass) => metaclass,
        None => match bases.as_slice().first() {
            Some(base) => base.ty().to_object(),
            None => PyTypeObject::type_object().to_object(),
        },
    };
    let is_class = PyTypeObject::check(&metaclass);
    if is_class {
        // SAFETY: just checked.
        let given = unsafe { metaclass.cast_unchecked::<PyTypeObject>() };
        metaclass = adder_runtime::types::typeobject::new::calculate_metaclass(given, &bases)?.into_object();
    }
    let keywords = keywords.filter(|keywords| keywords.len() != 0);
    let namespace = match metaclass.get_attr_opt(identifier!("__prepare__"))? {
        Some(prepare) => {
            let args = PyTupleObject::from_slice(&[name, bases.as_object()]);
            prepare.call_tuple(&args, keywords.as_deref())?
        }
        None => PyDictObject::new().into_object(),
    };
    if namespace
        .ty()
        .mapping_slot(|slots| slots.mp_subscript.get())
        .is_none()
    {
        let text = if is_class {
            // SAFETY: checked above.
            unsafe { metaclass.cast_unchecked::<PyTypeObject>() }.name()
        } else {
            "<metaclass>".to_owned()
        };
        return Err(raise!(
            TypeError,
            "{text}.__prepare__() must return a mapping, not {}",
            namespace.ty().name()
        ));
    }
    let cell = crate::call::run_in_locals(function.to_ref(), namespace.clone())?;
    if updated.is_some() {
        namespace.set_item(
            identifier!("__orig_bases__").as_object(),
            original_bases.as_object(),
        )?;
    }
    let args = PyTupleObject::from_slice(&[name, bases.as_object(), &namespace]);
    let class = metaclass.call_tuple(&args, keywords.as_deref())?;
    if let Some(cell) = (*cell).downcast_exact::<PyCellObject>()
        && PyTypeObject::check(&class)
    {
        // SAFETY: a live cell.
        let held = unsafe { cell.ob_ref.get().as_ref() };
        let name = name.str()?.to_string_lossy();
        match held {
            None => {
                return Err(raise!(
                    RuntimeError,
                    "__class__ not set defining '{name}' as {}. Was __classcell__ propagated to type.__new__?",
                    class.repr()?.to_string_lossy()
                ));
            }
            Some(held) if !held.is(&class) => {
                return Err(raise!(
                    TypeError,
                    "__class__ set to {} defining '{name}' as {}",
                    held.repr()?.to_string_lossy(),
                    class.repr()?.to_string_lossy()
                ));
            }
            Some(_) => {}
        }
    }
    Ok(class)
}
