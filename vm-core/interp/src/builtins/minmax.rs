//! `min`, `max`, `sum`, `sorted`.

use adder_runtime::prelude::*;
use adder_runtime::protocol::number;

/// `min` and `max`: `op` says which.
pub fn extreme(name: &str, op: CompareOp, args: &[&PyObject], kwargs: Option<&PyDictObject>) -> PyResult {
    let mut key = None;
    let mut default = None;
    if let Some(kwargs) = kwargs {
        let mut position = 0;
        while let Some((keyword, value, _)) = kwargs.next_entry(&mut position) {
            let keyword = keyword.str()?.to_string_lossy();
            match keyword.as_str() {
                "key" => key = Some(value.to_ref()).filter(|key| !is_none(key)),
                "default" => default = Some(value.to_ref()),
                _ => return Err(raise!(TypeError, "{name}() got an unexpected keyword argument '{keyword}'")),
            }
        }
    }
    if args.is_empty() {
        return Err(raise!(TypeError, "{name} expected at least 1 argument, got 0"));
    }
    if args.len() > 1 && default.is_some() {
        return Err(raise!(
            TypeError,
            "Cannot specify a default for {name}() with multiple positional arguments"
        ));
    }
    let mut best: Option<(Ref, Ref)> = None;
    let mut consider = |item: Ref| -> PyResult<()> {
        let value = match &key {
            None => item.clone(),
            Some(key) => key.call1(&item)?,
        };
        let better = match &best {
            None => true,
            Some((best, _)) => value.compare_bool(best, op)?,
        };
        if better {
            best = Some((value, item));
        }
        Ok(())
    };
    if let [iterable] = args {
        iterable.for_each(consider)?;
    } else {
        for item in args {
            consider(item.to_ref())?;
        }
    }
    match (best, default) {
        (Some((_, item)), _) => Ok(item),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(raise!(ValueError, "{name}() iterable argument is empty")),
    }
}

/// `sum(iterable, start)`: machine ints and compensated floats while the items allow it.
pub fn sum(iterable: &PyObject, start: Option<&PyObject>) -> PyResult {
    let iterator = iterable.iter()?;
    let mut result = match start {
        None => PyLongObject::from_i64(0).into_object(),
        Some(start) => {
            if PyUnicodeObject::check(start) {
                return Err(raise!(TypeError, "sum() can't sum strings [use ''.join(seq) instead]"));
            }
            if PyBytesObject::check(start) {
                return Err(raise!(TypeError, "sum() can't sum bytes [use b''.join(seq) instead]"));
            }
            if PyByteArrayObject::check(start) {
                return Err(raise!(TypeError, "sum() can't sum bytearray [use b''.join(seq) instead]"));
            }
            start.to_ref()
        }
    };
    if let Some(first) = result.downcast_exact::<PyLongObject>().and_then(|start| start.to_i64()) {
        let mut total = first;
        loop {
            let Some(item) = iterator.next()? else { return Ok(PyLongObject::from_i64(total).into_object()) };
            let small = match (*item).downcast::<PyLongObject>() {
                Some(long) if PyLongObject::check_exact(&item) || item.is(true_()) || item.is(false_()) => long.to_i64(),
                _ => None,
            };
            match small.and_then(|small| total.checked_add(small)) {
                Some(next) => total = next,
                None => {
                    result = number::add(PyLongObject::from_i64(total).as_object(), &item)?;
                    break;
                }
            }
        }
    }
    if let Some(first) = result.downcast_exact::<PyFloatObject>().map(|start| start.value()) {
        match sum_floats(&iterator, first)? {
            (total, None) => return Ok(PyFloatObject::from_f64(total).into_object()),
            (total, Some(item)) => {
                result = number::add(PyFloatObject::from_f64(total).as_object(), &item)?;
            }
        }
    }
    while let Some(item) = iterator.next()? {
        result = number::add(&result, &item)?;
    }
    Ok(result)
}

/// Adds floats (and small ints) with Neumaier's compensation until something else comes.
fn sum_floats(iterator: &PyObject, first: f64) -> PyResult<(f64, Option<Ref>)> {
    let (mut total, mut lost) = (first, 0.0f64);
    let finish = |total: f64, lost: f64| if lost != 0.0 && lost.is_finite() { total + lost } else { total };
    loop {
        let Some(item) = iterator.next()? else { return Ok((finish(total, lost), None)) };
        let value = if let Some(float) = item.downcast_exact::<PyFloatObject>() {
            float.value()
        } else if let Some(long) = item.downcast_exact::<PyLongObject>().and_then(|long| long.to_i64()) {
            total += long as f64;
            continue;
        } else {
            return Ok((finish(total, lost), Some(item)));
        };
        let next = total + value;
        lost += if total.abs() >= value.abs() { (total - next) + value } else { (value - next) + total };
        total = next;
    }
}
