//! abstract.h: numbers, sequences, mappings, iteration, calls without varargs.

use crate::export::{Name, OutRef, Reported, bad_internal_call, opt};
use crate::object::give_optional;
use adder_runtime::exceptions::exc;
use adder_runtime::objects::listobject::iter::PyListIterator;
use adder_runtime::prelude::*;
use adder_runtime::protocol::number;

macro_rules! binary_functions {
    ($($name:ident = $op:path $(, first $quick:path)?;)*) => {
        capi! { $(fn $name(left: &PyObject, right: &PyObject) -> PyResult $(=> {
            // SAFETY: C gives live objects or NULL.
            let (left, right) = unsafe { (opt(left)?, opt(right)?) };
            $quick(left, right).map(Ref::into_raw)
        } else)? { $op(left, right) })* }
    };
}
binary_functions! {
    PyNumber_Add = number::add, first number::quick_add;
    PyNumber_Subtract = number::subtract, first number::quick_subtract;
    PyNumber_Multiply = number::multiply, first number::quick_multiply;
    PyNumber_MatrixMultiply = number::matrix_multiply;
    PyNumber_FloorDivide = number::floor_divide;
    PyNumber_TrueDivide = number::true_divide;
    PyNumber_Remainder = number::remainder;
    PyNumber_Divmod = number::divmod;
    PyNumber_Lshift = number::lshift;
    PyNumber_Rshift = number::rshift;
    PyNumber_And = number::and;
    PyNumber_Xor = number::xor;
    PyNumber_Or = number::or;
    PyNumber_InPlaceAdd = number::inplace_add;
    PyNumber_InPlaceSubtract = number::inplace_subtract;
    PyNumber_InPlaceMultiply = number::inplace_multiply;
    PyNumber_InPlaceMatrixMultiply = number::inplace_matrix_multiply;
    PyNumber_InPlaceFloorDivide = number::inplace_floor_divide;
    PyNumber_InPlaceTrueDivide = number::inplace_true_divide;
    PyNumber_InPlaceRemainder = number::inplace_remainder;
    PyNumber_InPlaceLshift = number::inplace_lshift;
    PyNumber_InPlaceRshift = number::inplace_rshift;
    PyNumber_InPlaceAnd = number::inplace_and;
    PyNumber_InPlaceXor = number::inplace_xor;
    PyNumber_InPlaceOr = number::inplace_or;
}

capi! {
    fn PyNumber_Power(base: &PyObject, exponent: &PyObject, modulus: &PyObject) -> PyResult {
        number::power(base, exponent, modulus)
    }
    fn PyNumber_InPlacePower(base: &PyObject, exponent: &PyObject, modulus: &PyObject) -> PyResult {
        number::inplace_power(base, exponent, modulus)
    }
    fn PyNumber_Negative(operand: &PyObject) -> PyResult { number::negative(operand) }
    fn PyNumber_Positive(operand: &PyObject) -> PyResult { number::positive(operand) }
    fn PyNumber_Absolute(operand: &PyObject) -> PyResult { number::absolute(operand) }
    fn PyNumber_Invert(operand: &PyObject) -> PyResult { number::invert(operand) }
    fn PyNumber_Check(object: Option<&PyObject>) -> bool {
        object.is_some_and(|object| {
            let ty = object.ty();
            ty.number_slot(|slots| slots.nb_index.get()).is_some()
                || ty.number_slot(|slots| slots.nb_int.get()).is_some()
                || ty.number_slot(|slots| slots.nb_float.get()).is_some()
                || object.downcast::<PyComplexObject>().is_some()
        })
    }
    fn PyIndex_Check(object: &PyObject) -> bool {
        object.ty().number_slot(|slots| slots.nb_index.get()).is_some()
    }
    fn PyNumber_Index(object: &PyObject) -> PyResult<Ref<PyLongObject>> { object.index() }
    fn _PyNumber_Index(object: &PyObject) -> PyResult<Ref<PyLongObject>> { object.index_subclass() }
    fn PyNumber_Long(object: &PyObject) -> PyResult<Ref<PyLongObject>> { object.to_int() }
    fn PyNumber_Float(object: &PyObject) -> PyResult {
        if PyFloatObject::check_exact(object) {
            return Ok(object.to_ref());
        }
        PyFloatObject::type_object().as_object().call1(object)
    }
    fn PyNumber_AsSsize_t(object: &PyObject, overflow: Option<&PyObject>) -> PyResult<isize> {
        match overflow {
            None => object.to_index_saturating(),
            Some(class) => match class.downcast::<PyTypeObject>() {
                Some(class) => object.to_index(class),
                None => Err(bad_internal_call()),
            },
        }
    }
    fn PyNumber_ToBase(object: &PyObject, base: c_int) -> PyResult {
        let number = object.index()?;
        let code = match base {
            2 => "#b",
            8 => "#o",
            10 => "d",
            16 => "#x",
            _ => return Err(raise!(SystemError, "PyNumber_ToBase: base must be 2, 8, 10 or 16")),
        };
        Ok(number.as_object().format(Some(&PyUnicodeObject::from_str(code)))?.into_object())
    }

    fn PyObject_Size(object: &PyObject) -> PyResult<isize> { object.len().map(|len| len as isize) }
    fn PyObject_Length(object: &PyObject) -> PyResult<isize> { object.len().map(|len| len as isize) }
    fn PyObject_LengthHint(object: &PyObject, default: isize) -> PyResult<isize> {
        Ok(object.known_length_hint()?.map_or(default, |hint| hint as isize))
    }
    fn PyObject_GetItem(object: &PyObject, key: &PyObject) -> PyResult => {
        // SAFETY: C gives live objects or NULL.
        let (object, key) = unsafe { (opt(object)?, opt(key)?) };
        object.get_item_quick(key).map(Ref::into_raw)
    } else {
        object.get_item(key)
    }
    fn PyObject_SetItem(object: &PyObject, key: &PyObject, value: &PyObject) -> PyResult<()> { object.set_item(key, value) }
    fn PyObject_DelItem(object: &PyObject, key: &PyObject) -> PyResult<()> { object.del_item(key) }
    fn PyObject_DelItemString(object: &PyObject, key: Name) -> PyResult<()> { object.del_item(key.as_object()) }
    fn PyObject_Format(object: &PyObject, spec: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        let spec = match spec {
            Some(spec) => Some(spec.downcast::<PyUnicodeObject>().ok_or_else(|| {
                raise!(SystemError, "Format specifier must be a string, not {}", spec.ty().name())
            })?),
            None => None,
        };
        object.format(spec)
    }

    fn PySequence_Check(object: &PyObject) -> bool { object.is_sequence() }
    fn PySequence_Size(object: &PyObject) -> PyResult<isize> { object.sequence_len().map(|len| len as isize) }
    fn PySequence_Length(object: &PyObject) -> PyResult<isize> { object.sequence_len().map(|len| len as isize) }
    fn PySequence_Concat(left: &PyObject, right: &PyObject) -> PyResult { left.sequence_concat(right) }
    fn PySequence_Repeat(object: &PyObject, count: isize) -> PyResult { object.sequence_repeat(count) }
    fn PySequence_InPlaceConcat(left: &PyObject, right: &PyObject) -> PyResult {
        if let Some(slot) = left.ty().sequence_slot(|slots| slots.sq_inplace_concat.get()) {
            // SAFETY: a slot of the object's type.
            return unsafe { adder_runtime::protocol::from_slot(slot(left.as_ptr(), right.as_ptr()), "+=") };
        }
        left.sequence_concat(right)
    }
    fn PySequence_InPlaceRepeat(object: &PyObject, count: isize) -> PyResult {
        if let Some(slot) = object.ty().sequence_slot(|slots| slots.sq_inplace_repeat.get()) {
            // SAFETY: a slot of the object's type.
            return unsafe { adder_runtime::protocol::from_slot(slot(object.as_ptr(), count), "*=") };
        }
        object.sequence_repeat(count)
    }
    fn PySequence_GetItem(object: &PyObject, index: isize) -> PyResult { object.get_index(index) }
    fn PySequence_SetItem(object: &PyObject, index: isize, value: Option<&PyObject>) -> PyResult<()> {
        object.assign_index(index, value)
    }
    fn PySequence_DelItem(object: &PyObject, index: isize) -> PyResult<()> { object.assign_index(index, None) }
    fn PySequence_GetSlice(object: &PyObject, low: isize, high: isize) -> PyResult {
        if object.ty().mapping_slot(|slots| slots.mp_subscript.get()).is_none() {
            return Err(raise!(TypeError, "'{}' object is unsliceable", object.ty().name()));
        }
        object.get_item(&*index_slice(low, high)?)
    }
    fn PySequence_SetSlice(object: &PyObject, low: isize, high: isize, value: Option<&PyObject>) -> PyResult<()> {
        if object.ty().mapping_slot(|slots| slots.mp_ass_subscript.get()).is_none() {
            return Err(raise!(TypeError, "'{}' object doesn't support slice assignment", object.ty().name()));
        }
        let slice = index_slice(low, high)?;
        match value {
            Some(value) => object.set_item(&slice, value),
            None => object.del_item(&slice),
        }
    }
    fn PySequence_DelSlice(object: &PyObject, low: isize, high: isize) -> PyResult<()> {
        if object.ty().mapping_slot(|slots| slots.mp_ass_subscript.get()).is_none() {
            return Err(raise!(TypeError, "'{}' object doesn't support slice deletion", object.ty().name()));
        }
        object.del_item(&*index_slice(low, high)?)
    }
    fn PySequence_Tuple(object: &PyObject) -> PyResult<Ref<PyTupleObject>> { object.to_tuple() }
    fn PySequence_List(object: &PyObject) -> PyResult<Ref<PyListObject>> {
        let list = PyListObject::new();
        list.extend(object)?;
        Ok(list)
    }
    fn PySequence_Fast(object: &PyObject, message: &std::ffi::CStr) -> PyResult {
        if PyListObject::check_exact(object) || PyTupleObject::check_exact(object) {
            return Ok(object.to_ref());
        }
        object.to_fast_sequence(&message.to_string_lossy())
    }
    fn PySequence_Contains(object: &PyObject, item: Option<&PyObject>) -> PyResult<bool> {
        match item {
            Some(item) => object.contains(item),
            None if object.len()? == 0 => Ok(false),
            None => Err(bad_internal_call()),
        }
    }
    fn PySequence_In(object: &PyObject, item: &PyObject) -> PyResult<bool> { object.contains(item) }
    fn PySequence_Count(object: &PyObject, item: &PyObject) -> PyResult<usize> { object.count_of(item) }
    fn PySequence_Index(object: &PyObject, item: &PyObject) -> PyResult<usize> { object.index_of(item) }

    fn PyMapping_Check(object: Option<&PyObject>) -> bool {
        object.is_some_and(|object| object.ty().mapping_slot(|slots| slots.mp_subscript.get()).is_some())
    }
    fn PyMapping_Size(object: &PyObject) -> PyResult<isize> { mapping_len(object) }
    fn PyMapping_Length(object: &PyObject) -> PyResult<isize> { mapping_len(object) }
    fn PyMapping_GetItemString(object: &PyObject, key: Name) -> PyResult { object.get_item(key.as_object()) }
    fn PyMapping_GetOptionalItem(object: &PyObject, key: &PyObject, result: OutRef) -> PyResult<bool> {
        give_optional(result, optional_item(object, key))
    }
    fn PyMapping_GetOptionalItemString(object: &PyObject, key: Name, result: OutRef) -> PyResult<bool> {
        give_optional(result, optional_item(object, key.as_object()))
    }
    fn PyMapping_SetItemString(object: &PyObject, key: Name, value: &PyObject) -> PyResult<()> {
        object.set_item(key.as_object(), value)
    }
    fn PyMapping_HasKey(object: &PyObject, key: &PyObject) -> Reported<bool> {
        Reported(optional_item(object, key).map(|value| value.is_some()))
    }
    fn PyMapping_HasKeyString(object: &PyObject, key: Name) -> Reported<bool> {
        Reported(optional_item(object, key.as_object()).map(|value| value.is_some()))
    }
    fn PyMapping_HasKeyWithError(object: &PyObject, key: &PyObject) -> PyResult<bool> {
        Ok(optional_item(object, key)?.is_some())
    }
    fn PyMapping_HasKeyStringWithError(object: &PyObject, key: Name) -> PyResult<bool> {
        Ok(optional_item(object, key.as_object())?.is_some())
    }
    fn PyMapping_Keys(object: &PyObject) -> PyResult { mapping_list(object, identifier!("keys")) }
    fn PyMapping_Values(object: &PyObject) -> PyResult { mapping_list(object, identifier!("values")) }
    fn PyMapping_Items(object: &PyObject) -> PyResult { mapping_list(object, identifier!("items")) }

    fn PyObject_GetIter(object: &PyObject) -> PyResult { object.iter() }
    fn PyIter_Check(object: &PyObject) -> bool { object.is_iterator() }
    fn PyIter_Next(iterator: &PyObject) -> PyResult<Option<Ref>> => {
        // SAFETY: C gives a live iterator or NULL; the slot is that of its type.
        unsafe {
            let object = opt(iterator)?;
            if let Some(over_list) = object.downcast_exact::<PyListIterator>() {
                return over_list.next_item().map(Ref::into_raw);
            }
            let next = object.ty().tp_iternext.get()?;
            let item = next(iterator);
            Some(if item.is_null() { adder_runtime::protocol::iteration::no_next() } else { item })
        }
    } else {
        iterator.next()
    }
    fn PyIter_NextItem(iterator: &PyObject, item: OutRef) -> PyResult<bool> {
        let next = if iterator.is_iterator() {
            iterator.next()
        } else {
            Err(raise!(TypeError, "expected an iterator, got '{}'", iterator.ty().name()))
        };
        give_optional(item, next)
    }
    fn PyIter_Send(iterator: &PyObject, value: &PyObject, result: OutRef) -> c_int {
        iter_send(iterator, value, result)
    }
    fn PyObject_GetAIter(object: &PyObject) -> PyResult {
        let Some(slot) = object.ty().async_slot(|slots| slots.am_aiter.get()) else {
            return Err(raise!(TypeError, "'{}' object is not an async iterable", object.ty().name()));
        };
        // SAFETY: a slot of the object's type.
        let iterator = unsafe { adder_runtime::protocol::from_slot(slot(object.as_ptr()), "__aiter__")? };
        if iterator.ty().async_slot(|slots| slots.am_anext.get()).is_none() {
            return Err(raise!(
                TypeError, "aiter() returned not an async iterator of type '{}'", iterator.ty().name()
            ));
        }
        Ok(iterator)
    }
    fn PyAIter_Check(object: &PyObject) -> bool {
        object.ty().async_slot(|slots| slots.am_anext.get()).is_some()
    }
    fn PyObject_AsFileDescriptor(object: &PyObject) -> PyResult<c_int> { file_descriptor(object) }
    fn _PyEval_SliceIndex(object: Option<&PyObject>, place: *mut isize) -> PyResult<bool> {
        slice_index(object.filter(|object| !is_none(object)), place)
    }
    fn _PyEval_SliceIndexNotNone(object: &PyObject, place: *mut isize) -> PyResult<bool> {
        slice_index(Some(object), place)
    }
    fn PyVectorcall_NARGS(nargsf: usize) -> isize { adder_runtime::abi::PyVectorcall_NARGS(nargsf) as isize }
}

fn slice_index(object: Option<&PyObject>, place: *mut isize) -> PyResult<bool> {
    let Some(object) = object else { return Ok(true) };
    if !object.has_index() {
        return Err(raise!(
            TypeError,
            "slice indices must be integers or None or have an __index__ method"
        ));
    }
    let index = object.to_index_saturating()?;
    // SAFETY: C gives a place for the index.
    unsafe { crate::export::put(place, index) };
    Ok(true)
}

fn index_slice(low: isize, high: isize) -> PyResult {
    let (low, high) = (
        PyLongObject::from_i64(low as i64),
        PyLongObject::from_i64(high as i64),
    );
    crate::sliceobject::new_slice(Some(low.as_object()), Some(high.as_object()), None)
}

fn mapping_len(object: &PyObject) -> PyResult<isize> {
    if let Some(slot) = object.ty().mapping_slot(|slots| slots.mp_length.get()) {
        // SAFETY: a slot of the object's type.
        let len = unsafe { slot(object.as_ptr()) };
        return if len < 0 {
            Err(Raised::from_c("__len__"))
        } else {
            Ok(len)
        };
    }
    if object.ty().sequence_slot(|slots| slots.sq_length.get()).is_some() {
        return Err(raise!(TypeError, "{} is not a mapping", object.ty().name()));
    }
    Err(raise!(
        TypeError,
        "object of type '{}' has no len()",
        object.ty().name()
    ))
}

/// `object[key]`, or nothing when that raises KeyError.
pub fn optional_item(object: &PyObject, key: &PyObject) -> PyResult<Option<Ref>> {
    if let Some(dict) = object.downcast_exact::<PyDictObject>() {
        return dict.get(key);
    }
    match object.get_item(key) {
        Ok(value) => Ok(Some(value)),
        Err(raised) => raised.clear_if(exc::KeyError).map(|()| None),
    }
}

fn mapping_list(object: &PyObject, method: &PyUnicodeObject) -> PyResult {
    let view = object.call_method(method, &[])?;
    let list = PyListObject::new();
    match list.extend(&view) {
        Ok(()) => Ok(list.into_object()),
        Err(raised) => {
            raised.clear_if(exc::TypeError)?;
            let name = method.to_string_lossy();
            Err(raise!(
                TypeError,
                "{}.{name}() returned a non-iterable (type {})",
                object.ty().name(),
                view.ty().name()
            ))
        }
    }
}

/// PyIter_Send: PYGEN_NEXT and the item, PYGEN_RETURN and the result, PYGEN_ERROR.
fn iter_send(iterator: &PyObject, value: &PyObject, result: OutRef) -> c_int {
    if let Some(slot) = iterator.ty().async_slot(|slots| slots.am_send.get()) {
        // SAFETY: a slot of the iterator's type; C gives a place for the result.
        return unsafe { slot(iterator.as_ptr(), value.as_ptr(), result.0) };
    }
    let next = if is_none(value) && iterator.is_iterator() {
        iterator.next()
    } else {
        iterator.call_method(identifier!("send"), &[value]).map(Some)
    };
    let (status, raw) = match next {
        Ok(Some(item)) => (PYGEN_NEXT, item.into_raw()),
        Ok(None) => (PYGEN_RETURN, none_ref().into_raw()),
        Err(raised) if raised.matches(exc::StopIteration) => {
            let exception = raised.take();
            match exception.get_attr(identifier!("value")) {
                Ok(value) => (PYGEN_RETURN, value.into_raw()),
                Err(_) => (PYGEN_ERROR, std::ptr::null_mut()),
            }
        }
        Err(_) => (PYGEN_ERROR, std::ptr::null_mut()),
    };
    // SAFETY: C gives a place for the result.
    unsafe { crate::export::put(result.0, raw) };
    status
}

/// `object` as a file descriptor: an int, or what its `fileno()` gives.
pub fn file_descriptor(object: &PyObject) -> PyResult<c_int> {
    let number = if PyLongObject::check(object) {
        if std::ptr::eq(object.ty(), &adder_runtime::objects::boolobject::PyBool_Type) {
            let message = PyUnicodeObject::from_str("bool is used as a file descriptor");
            let category = adder_runtime::exceptions::exc::RuntimeWarning.as_object();
            crate::warnings::warn(Some(category), message.as_object(), 1, None)?;
        }
        object.to_ref()
    } else if let Some(method) = object.get_attr_opt(identifier!("fileno"))? {
        let number = method.call0()?;
        if !PyLongObject::check(&number) {
            return Err(raise!(TypeError, "fileno() returned a non-integer"));
        }
        number
    } else {
        return Err(raise!(
            TypeError,
            "argument must be an int, or have a fileno() method."
        ));
    };
    let fd = crate::longobject::as_c_int(&number)?;
    if fd < 0 {
        return Err(raise!(
            ValueError,
            "file descriptor cannot be a negative integer ({fd})"
        ));
    }
    Ok(fd)
}
