//! Residual operations: what an opcode does when it has no fast path, and what is too long for the loop.

use crate::frame::*;
use adder_compiler::bytecode::{CommonConstant, FunctionAttribute, Intrinsic1, Intrinsic2};
use adder_runtime::abi::*;
use adder_runtime::exceptions::exc;
use adder_runtime::memory::{decref, xdecref};
use adder_runtime::objects::dictobject::OnDuplicate;
use adder_runtime::objects::funcobject::PyFunction_Type;
use adder_runtime::prelude::*;
use adder_runtime::protocol::number;
use adder_runtime::thread::ThreadState;
use std::ptr::null_mut;

/// A new cell that holds `value`.
pub fn new_cell(value: Option<Ref>) -> PyResult<Ref<PyCellObject>> {
    let cell = PyCellObject::zeroed();
    cell.ob_ref.set(value.map_or(null_mut(), Ref::into_raw));
    Ref::new(cell)
}

/// Drops `n` registers.
///
/// # Safety
/// They hold owned objects or null.
#[inline(always)]
pub unsafe fn clear_registers(first: *mut *mut PyObject, n: usize) {
    for index in 0..n {
        // SAFETY: the caller's contract.
        unsafe {
            let value = std::ptr::replace(first.add(index), null_mut());
            xdecref(value);
        }
    }
}

/// As `clear_registers` after a call with one argument and no `self`: the callable and the argument are there.
///
/// # Safety
/// As `clear_registers`; the first and the third are not null, the second is.
#[inline(always)]
pub unsafe fn clear_call_of_one(first: *mut *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        let callable = std::ptr::replace(first, null_mut());
        decref(callable);
        let argument = std::ptr::replace(first.add(2), null_mut());
        decref(argument);
    }
}

/// As `clear_registers` after a call of an immortal method: the method, `self` and the arguments are there.
///
/// # Safety
/// As `clear_registers`; the first two are not null.
#[inline(always)]
pub unsafe fn clear_method_call(first: *mut *mut PyObject, n_args: usize) {
    // SAFETY: the caller's contract.
    unsafe {
        *first = null_mut();
        let this = std::ptr::replace(first.add(1), null_mut());
        decref(this);
        if n_args != 0 {
            clear_registers(first.add(2), n_args);
        }
    }
}

/// Takes `n` registers.
///
/// # Safety
/// They hold owned objects.
unsafe fn take_registers(first: *mut *mut PyObject, n: usize) -> Vec<Ref> {
    // SAFETY: the caller's contract.
    (0..n)
        .map(|index| unsafe { Ref::from_owned(std::ptr::replace(first.add(index), null_mut())) })
        .collect()
}

// ---- names ----

#[cold]
pub fn unbound_local(frame: *mut Frame, index: usize) -> Raised {
    // SAFETY: the running frame.
    let name = unsafe { (*frame).code() }.local_name(index);
    raise!(
        UnboundLocalError,
        "cannot access local variable '{}' where it is not associated with a value",
        name.to_string_lossy()
    )
}

#[cold]
pub fn unbound_deref(frame: *mut Frame, index: usize) -> Raised {
    // SAFETY: the running frame.
    let code = unsafe { (*frame).code() };
    let name = code.local_name(index);
    if code.data().kinds[index] & CO_FAST_FREE == 0 {
        return unbound_local(frame, index);
    }
    let raised = raise!(
        NameError,
        "cannot access free variable '{}' where it is not associated with a value in enclosing scope",
        name.to_string_lossy()
    );
    with_name(raised, name)
}

#[cold]
fn name_error(name: &PyUnicodeObject) -> Raised {
    let raised = raise!(NameError, "name '{}' is not defined", name.to_string_lossy());
    with_name(raised, name)
}

/// Sets the `name` attribute of the NameError in flight, for suggestions.
fn with_name(raised: Raised, name: &PyUnicodeObject) -> Raised {
    let exception = raised.take();
    if exception.is_instance_of(exc::NameError) {
        let _ = exception
            .set_attr(identifier!("name"), name.as_object())
            .map_err(Raised::clear);
    }
    adder_runtime::error::restore(exception)
}

/// The value of `name` in a mapping; `None` when it is not there.
fn mapping_get(mapping: &PyObject, name: &PyUnicodeObject) -> PyResult<Option<Ref>> {
    if let Some(dict) = mapping.downcast_exact::<PyDictObject>() {
        return dict.get(name.as_object());
    }
    match mapping.get_item(name.as_object()) {
        Ok(value) => Ok(Some(value)),
        Err(raised) => raised.clear_if(exc::KeyError).map(|()| None),
    }
}

fn builtins(frame: *mut Frame) -> &'static PyObject {
    // SAFETY: the running frame's builtins outlive the operation.
    unsafe { &*(*frame).builtins }
}

pub fn load_global(frame: *mut Frame, name: &PyUnicodeObject) -> PyResult {
    // SAFETY: the running frame.
    let globals = unsafe { (*frame).globals() };
    if PyDictObject::check_exact(globals.as_object()) {
        if let Some(value) = globals.get(name.as_object())? {
            return Ok(value);
        }
    } else if let Some(value) = mapping_get(globals.as_object(), name)? {
        return Ok(value);
    }
    mapping_get(builtins(frame), name)?.ok_or_else(|| name_error(name))
}

fn locals(frame: *mut Frame) -> PyResult<&'static PyObject> {
    // SAFETY: the running frame keeps its locals.
    match unsafe { (*frame).locals.as_ref() } {
        Some(locals) => Ok(locals),
        None => Err(raise!(SystemError, "no locals")),
    }
}

pub fn load_name(frame: *mut Frame, name: &PyUnicodeObject) -> PyResult {
    match mapping_get(locals(frame)?, name)? {
        Some(value) => Ok(value),
        None => load_global(frame, name),
    }
}

pub fn store_name(frame: *mut Frame, name: &PyUnicodeObject, value: &PyObject) -> PyResult<()> {
    let locals = locals(frame)?;
    match locals.downcast_exact::<PyDictObject>() {
        Some(dict) => dict.set_str(name, value),
        None => locals.set_item(name.as_object(), value),
    }
}

pub fn delete_name(frame: *mut Frame, name: &PyUnicodeObject) -> PyResult<()> {
    match locals(frame)?.del_item(name.as_object()) {
        Ok(()) => Ok(()),
        Err(raised) => {
            raised.clear_if(exc::KeyError)?;
            Err(name_error(name))
        }
    }
}

pub fn delete_global(frame: *mut Frame, name: &PyUnicodeObject) -> PyResult<()> {
    // SAFETY: the running frame.
    if unsafe { (*frame).globals() }.remove(name.as_object())? {
        Ok(())
    } else {
        Err(name_error(name))
    }
}

pub fn load_from_dict_or_globals(frame: *mut Frame, mapping: &PyObject, name: &PyUnicodeObject) -> PyResult {
    match mapping_get(mapping, name)? {
        Some(value) => Ok(value),
        None => load_global(frame, name),
    }
}

pub fn load_from_dict_or_deref(frame: *mut Frame, mapping: &PyObject, cell: usize) -> PyResult {
    // SAFETY: the running frame; the register holds a cell.
    unsafe {
        let name = (*frame).code().local_name(cell);
        if let Some(value) = mapping_get(mapping, name)? {
            return Ok(value);
        }
        let value = (*(*Frame::registers(frame).add(cell)).cast::<PyCellObject>())
            .ob_ref
            .get();
        Ref::from_borrowed_opt(value).ok_or_else(|| unbound_deref(frame, cell))
    }
}

pub fn load_locals(frame: *mut Frame) -> PyResult {
    Ok(locals(frame)?.to_ref())
}

pub fn load_build_class(frame: *mut Frame) -> PyResult {
    mapping_get(builtins(frame), identifier!("__build_class__"))?
        .ok_or_else(|| raise!(NameError, "__build_class__ not found"))
}

pub fn common_constant(number: u8) -> Ref {
    match CommonConstant::from_u8(number) {
        Some(CommonConstant::AssertionError) => exc::AssertionError.to_object(),
        Some(CommonConstant::NotImplementedError) => exc::NotImplementedError.to_object(),
        Some(CommonConstant::BuiltinTuple) => PyTupleObject::type_object().to_object(),
        Some(CommonConstant::BuiltinAll) => crate::builtins::builtin_function(identifier!("all")),
        Some(CommonConstant::BuiltinAny) => crate::builtins::builtin_function(identifier!("any")),
        None => none_ref(),
    }
}

pub fn setup_annotations(frame: *mut Frame) -> PyResult<()> {
    let locals = locals(frame)?;
    let name = identifier!("__annotations__");
    if mapping_get(locals, name)?.is_none() {
        locals.set_item(name.as_object(), PyDictObject::new().as_object())?;
    }
    Ok(())
}

// ---- attributes and items ----

/// LOAD_SUPER_ATTR and LOAD_SUPER_METHOD: `at[0]` is what `super` names, `at[1]` the class, `at[2]` self.
pub fn load_super(
    frame: *mut Frame,
    at: *mut *mut PyObject,
    name: &PyUnicodeObject,
    flags: u8,
    method: bool,
) -> PyResult<(Ref, bool)> {
    // SAFETY: three filled registers.
    let (super_, class, this) = unsafe { (&**at, &**at.add(1), &**at.add(2)) };
    if !std::ptr::eq(
        super_,
        PyTypeObject::as_object(&adder_runtime::objects::superobject::PySuper_Type),
    ) {
        let object = if flags & 1 != 0 {
            super_.call(&[class, this])
        } else {
            super_.call0()
        };
        let object = if crate::monitoring::is_active() {
            crate::monitoring::after_super(frame, object, super_, Some(class).filter(|_| flags & 1 != 0))?
        } else {
            object?
        };
        return Ok((object.get_attr(name)?, false));
    }
    if crate::monitoring::is_active() {
        let made = super_.call(&[class, this]);
        crate::monitoring::after_super(frame, made, super_, Some(class).filter(|_| flags & 1 != 0))?;
    }
    let Some(class) = class.downcast::<PyTypeObject>() else {
        return Err(raise!(
            TypeError,
            "super() argument 1 must be a type, not {}",
            class.ty().name()
        ));
    };
    adder_runtime::objects::superobject::lookup_method(class, this, name, method)
}

/// A bound of a slice as a place in a sequence of `len` items: for None and small ints.
#[inline(always)]
fn slice_bound(bound: &PyObject, default: usize, len: usize) -> Option<usize> {
    if is_none(bound) {
        return Some(default);
    }
    let bound = bound.downcast_exact::<PyLongObject>()?;
    if !bound.is_compact() {
        return None;
    }
    let value = bound.compact_value();
    Some(if value < 0 {
        (value + len as isize).max(0) as usize
    } else {
        (value as usize).min(len)
    })
}

#[inline(always)]
fn slice_bounds(start: &PyObject, stop: &PyObject, len: usize) -> Option<(usize, usize)> {
    let start = slice_bound(start, 0, len)?;
    let stop = slice_bound(stop, len, len)?;
    Some((start, stop.max(start)))
}

pub fn binary_slice(object: &PyObject, start: &PyObject, stop: &PyObject) -> PyResult {
    if let Some(list) = object.downcast_exact::<PyListObject>() {
        if let Some((start, stop)) = slice_bounds(start, stop, list.len()) {
            return Ok(PyListObject::from_slice(&list.as_slice()[start..stop]).into_object());
        }
    } else if let Some(tuple) = object.downcast_exact::<PyTupleObject>()
        && let Some((start, stop)) = slice_bounds(start, stop, tuple.len())
    {
        if stop - start == tuple.len() {
            return Ok(object.to_ref());
        }
        return Ok(PyTupleObject::from_slice(&tuple.as_slice()[start..stop]).into_object());
    }
    object.get_item(PySliceObject::new_slice(Some(start), Some(stop), None)?.as_object())
}

pub fn store_slice(object: &PyObject, start: &PyObject, stop: &PyObject, value: &PyObject) -> PyResult<()> {
    if let Some(list) = object.downcast_exact::<PyListObject>()
        && let Some((start, stop)) = slice_bounds(start, stop, list.len())
    {
        if let Some(items) = value.downcast_exact::<PyListObject>() {
            if !value.is(object) {
                return list.assign_range(start, stop, items.as_slice());
            }
        } else if let Some(items) = value.downcast_exact::<PyTupleObject>() {
            return list.assign_range(start, stop, items.as_slice());
        }
    }
    object.set_item(
        PySliceObject::new_slice(Some(start), Some(stop), None)?.as_object(),
        value,
    )
}

// ---- operators ----

type Binary = fn(&PyObject, &PyObject) -> PyResult;

fn power(base: &PyObject, exponent: &PyObject) -> PyResult {
    number::power(base, exponent, none())
}
fn inplace_power(base: &PyObject, exponent: &PyObject) -> PyResult {
    number::inplace_power(base, exponent, none())
}

static BINARY: [Binary; 26] = [
    number::add,
    number::and,
    number::floor_divide,
    number::lshift,
    number::matrix_multiply,
    number::multiply,
    number::remainder,
    number::or,
    power,
    number::rshift,
    number::subtract,
    number::true_divide,
    number::xor,
    number::inplace_add,
    number::inplace_and,
    number::inplace_floor_divide,
    number::inplace_lshift,
    number::inplace_matrix_multiply,
    number::inplace_multiply,
    number::inplace_remainder,
    number::inplace_or,
    inplace_power,
    number::inplace_rshift,
    number::inplace_subtract,
    number::inplace_true_divide,
    number::inplace_xor,
];

#[inline]
pub fn binary_op(x: u8, left: &PyObject, right: &PyObject) -> PyResult {
    BINARY[x as usize](left, right)
}

fn compare_operator(x: u8) -> CompareOp {
    CompareOp::from_c(c_int::from(x)).unwrap_or(CompareOp::Eq)
}

pub fn compare(left: &PyObject, right: &PyObject, x: u8) -> PyResult {
    left.rich_compare(right, compare_operator(x))
}

pub fn compare_truth(left: &PyObject, right: &PyObject, x: u8) -> PyResult<bool> {
    left.rich_compare(right, compare_operator(x))?.is_true()
}

/// `bool(object)` as 1 or 0; -1 with an exception set. For the common types without their slots.
pub fn truth(object: &PyObject) -> c_int {
    let known = adder_semantics::truth::truth(&mut super::direct::Direct, object.as_ptr());
    match known.or_else(|_| object.is_true()) {
        Ok(truth) => c_int::from(truth),
        Err(_) => -1,
    }
}

pub fn negative(operand: &PyObject) -> PyResult {
    number::negative(operand)
}
pub fn positive(operand: &PyObject) -> PyResult {
    number::positive(operand)
}
pub fn invert(operand: &PyObject) -> PyResult {
    number::invert(operand)
}

// ---- iteration ----

/// One step of FOR_ITER.
#[inline(always)]
pub fn iterate(iterator: &PyObject) -> PyResult<Option<Ref>> {
    iterator.next()
}

pub fn get_aiter(object: &PyObject) -> PyResult {
    let ty = object.ty();
    let Some(aiter) = ty.async_slot(|slots| slots.am_aiter.get()) else {
        return Err(raise!(
            TypeError,
            "'async for' requires an object with __aiter__ method, got {}",
            ty.name()
        ));
    };
    // SAFETY: a slot of the object's type.
    let iterator = unsafe { adder_runtime::protocol::from_slot(aiter(object.as_ptr()), "__aiter__")? };
    if iterator.ty().async_slot(|slots| slots.am_anext.get()).is_none() {
        return Err(raise!(
            TypeError,
            "'async for' received an object from __aiter__ that does not implement __anext__: {}",
            iterator.ty().name()
        ));
    }
    Ok(iterator)
}

pub fn get_anext(iterator: &PyObject) -> PyResult {
    let ty = iterator.ty();
    let Some(anext) = ty.async_slot(|slots| slots.am_anext.get()) else {
        return Err(raise!(
            TypeError,
            "'async for' requires an iterator with __anext__ method, got {}",
            ty.name()
        ));
    };
    // SAFETY: a slot of the object's type.
    let next = unsafe { adder_runtime::protocol::from_slot(anext(iterator.as_ptr()), "__anext__")? };
    if crate::genobject::is_async_generator(iterator) {
        return Ok(next);
    }
    match crate::genobject::get_awaitable(&next, 0) {
        Ok(awaitable) => Ok(awaitable),
        Err(raised) => {
            let cause = raised.take();
            let raised = raise!(
                TypeError,
                "'async for' received an invalid object from __anext__: {}",
                next.ty().name()
            );
            Err(crate::errors::with_cause(raised, cause))
        }
    }
}

// ---- functions ----

pub fn make_function(frame: *mut Frame, code: &PyObject) -> PyResult<Ref<PyFunctionObject>> {
    // SAFETY: the running frame; the constant is a code object.
    unsafe {
        PyFunctionObject::from_code(
            code.cast_unchecked::<PyCodeObject>(),
            (*frame).globals(),
            &*(*frame).builtins,
        )
    }
}

pub fn set_function_attribute(function: &PyObject, x: u8, value: Ref) -> PyResult<()> {
    debug_assert!(std::ptr::eq(function.ty(), &PyFunction_Type));
    // SAFETY: MAKE_FUNCTION made it.
    let function = unsafe { function.cast_unchecked::<PyFunctionObject>() };
    match FunctionAttribute::from_u8(x) {
        Some(FunctionAttribute::Defaults) if !PyTupleObject::check(&value) => {
            return Err(raise!(TypeError, "__defaults__ must be set to a tuple object"));
        }
        Some(FunctionAttribute::KwDefaults) if !PyDictObject::check(&value) => {
            return Err(raise!(TypeError, "__kwdefaults__ must be set to a dict object"));
        }
        Some(FunctionAttribute::Defaults) => function.set_defaults(Some(value)),
        Some(FunctionAttribute::KwDefaults) => function.set_kwdefaults(Some(value)),
        Some(FunctionAttribute::Annotations) => function.set_annotations(Some(value)),
        Some(FunctionAttribute::Closure) => function.set_closure(Some(value)),
        Some(FunctionAttribute::Annotate) => function.set_annotate(Some(value)),
        None => drop(value),
    }
    Ok(())
}

pub fn intrinsic_1(frame: *mut Frame, x: u8, value: &PyObject) -> PyResult {
    let typing = |name: &str, args: &[&PyObject]| crate::typing_hooks::call(name, args);
    match Intrinsic1::from_u8(x) {
        Some(Intrinsic1::Print) => {
            let Some(hook) = adder_runtime::hooks::sys_attribute(identifier!("displayhook")) else {
                return Err(raise!(RuntimeError, "lost sys.displayhook"));
            };
            hook.call1(value)
        }
        Some(Intrinsic1::ImportStar) => {
            crate::import::import_star(locals(frame)?, value)?;
            Ok(none_ref())
        }
        Some(Intrinsic1::StopIterationError) => crate::genobject::stop_iteration_error(frame, value),
        Some(Intrinsic1::AsyncGenWrap) => crate::asyncgen::wrap_value(value),
        Some(Intrinsic1::ListToTuple) => {
            // SAFETY: the compiler passes a list.
            let list = unsafe { value.cast_unchecked::<PyListObject>() };
            Ok(PyTupleObject::from_slice(list.as_slice()).into_object())
        }
        Some(Intrinsic1::TypeVar) => typing("_make_typevar", &[value]),
        Some(Intrinsic1::ParamSpec) => typing("_make_paramspec", &[value]),
        Some(Intrinsic1::TypeVarTuple) => typing("_make_typevartuple", &[value]),
        Some(Intrinsic1::SubscriptGeneric) => typing("_subscript_generic", &[value]),
        Some(Intrinsic1::TypeAlias) => typing("_make_type_alias", &[value]),
        None => Err(raise!(SystemError, "unknown intrinsic {x}")),
    }
}

pub fn intrinsic_2(x: u8, left: &PyObject, right: &PyObject) -> PyResult {
    let typing = |name: &str| crate::typing_hooks::call(name, &[left, right]);
    match Intrinsic2::from_u8(x) {
        Some(Intrinsic2::PrepReraiseStar) => crate::groups::prep_reraise_star(left, right),
        Some(Intrinsic2::TypeVarWithBound) => typing("_make_typevar_with_bound"),
        Some(Intrinsic2::TypeVarWithConstraints) => typing("_make_typevar_with_constraints"),
        Some(Intrinsic2::SetFunctionTypeParams) => {
            match left.downcast::<PyFunctionObject>() {
                Some(function) => function.set_type_params(right.to_ref()),
                None => left.set_attr(identifier!("__type_params__"), right)?,
            }
            Ok(left.to_ref())
        }
        Some(Intrinsic2::SetTypeparamDefault) => typing("_set_typeparam_default"),
        None => Err(raise!(SystemError, "unknown intrinsic {x}")),
    }
}

// ---- displays ----

/// # Safety
/// `n` filled registers, which are taken (here and below).
pub unsafe fn tuple_of_registers(first: *mut *mut PyObject, n: usize) -> Ref {
    // SAFETY: the caller's contract.
    PyTupleObject::with_len_and(n, |index| unsafe {
        Ref::from_owned(std::ptr::replace(first.add(index), null_mut()))
    })
    .into_object()
}

pub unsafe fn list_of_registers(first: *mut *mut PyObject, n: usize) -> PyResult {
    // SAFETY: the caller's contract.
    PyListObject::try_from_vec(unsafe { take_registers(first, n) }).map(Ref::into_object)
}

pub unsafe fn set_of_registers(first: *mut *mut PyObject, n: usize) -> PyResult {
    let set = PySetObject::new_set();
    // SAFETY: the caller's contract.
    unsafe {
        for index in 0..n {
            set.add(&**first.add(index))?;
        }
        clear_registers(first, n);
    }
    Ok(set.into_object())
}

pub unsafe fn dict_of_registers(first: *mut *mut PyObject, n: usize) -> PyResult {
    let dict = PyDictObject::with_capacity(n);
    // SAFETY: the caller's contract, for twice as many registers.
    unsafe {
        for index in 0..n {
            dict.set(&**first.add(2 * index), &**first.add(2 * index + 1))?;
        }
        clear_registers(first, 2 * n);
    }
    Ok(dict.into_object())
}

pub unsafe fn string_of_registers(first: *mut *mut PyObject, n: usize) -> PyResult {
    // SAFETY: the caller's contract; the compiler passes strings, and a reference has the layout of a pointer.
    unsafe {
        let items = std::slice::from_raw_parts(first.cast::<&PyUnicodeObject>(), n);
        let text = PyUnicodeObject::empty().join(items)?;
        clear_registers(first, n);
        Ok(text.into_object())
    }
}

/// # Safety
/// As BUILD_INTERPOLATION says; the registers stay filled.
pub unsafe fn build_interpolation(at: *mut *mut PyObject, x: u8) -> PyResult {
    // SAFETY: the caller's contract.
    let (value, expression, spec) = unsafe {
        (
            &**at,
            &**at.add(1),
            if x & 4 != 0 { Some(&**at.add(2)) } else { None },
        )
    };
    let conversion = [None, Some(b's'), Some(b'r'), Some(b'a')][(x & 3) as usize];
    crate::template::new_interpolation(value, expression, conversion, spec)
}

pub fn list_extend(list: &PyObject, iterable: &PyObject) -> PyResult<()> {
    // SAFETY: the compiler passes a list.
    let list = unsafe { list.cast_unchecked::<PyListObject>() };
    match list.extend(iterable) {
        Ok(()) => Ok(()),
        Err(raised) => {
            if raised.matches(exc::TypeError)
                && iterable.ty().tp_iter.get().is_none()
                && !iterable.is_sequence()
            {
                raised.clear();
                return Err(raise!(
                    TypeError,
                    "Value after * must be an iterable, not {}",
                    iterable.ty().name()
                ));
            }
            Err(raised)
        }
    }
}

/// SET_ADD. Nearly always the compiler's own set, but `__conditional_annotations__` is a variable like any other.
#[inline]
pub fn set_add(set: &PyObject, item: &PyObject) -> PyResult<()> {
    if !set
        .ty()
        .is_subtype(&adder_runtime::objects::setobject::PySet_Type)
    {
        return Err(raise!(TypeError, "expected set, got {}", set.ty().name()));
    }
    // SAFETY: sets have this layout.
    unsafe { set.cast_unchecked::<PySetObject>() }.add(item).map(drop)
}

pub fn set_update(set: &PyObject, iterable: &PyObject) -> PyResult<()> {
    // SAFETY: the compiler passes a set.
    let set = unsafe { set.cast_unchecked::<PySetObject>() };
    iterable.for_each(|item| set.add(&item).map(|_| ()))
}

pub fn dict_update(dict: &PyObject, mapping: &PyObject) -> PyResult<()> {
    // SAFETY: the compiler passes a dict.
    let dict = unsafe { dict.cast_unchecked::<PyDictObject>() };
    match dict.merge(mapping, OnDuplicate::Replace) {
        Ok(()) => Ok(()),
        Err(raised) => {
            if raised.matches(exc::AttributeError) {
                raised.clear();
                return Err(raise!(
                    TypeError,
                    "'{}' object is not a mapping",
                    mapping.ty().name()
                ));
            }
            Err(raised)
        }
    }
}

pub fn dict_merge(dict: &PyObject, mapping: &PyObject, callable: &PyObject) -> PyResult<()> {
    // SAFETY: the compiler passes a dict.
    let dict = unsafe { dict.cast_unchecked::<PyDictObject>() };
    match dict.merge(mapping, OnDuplicate::Fail) {
        Ok(()) => Ok(()),
        Err(raised) => {
            if raised.matches(exc::AttributeError) {
                raised.clear();
                return Err(raise!(
                    TypeError,
                    "{} argument after ** must be a mapping, not {}",
                    crate::call::function_text(callable)?,
                    mapping.ty().name()
                ));
            }
            if raised.matches(exc::KeyError) {
                let exception = raised.take();
                let args = exception.get_attr(identifier!("args"))?;
                let args = args.to_tuple()?;
                let [key] = args.as_slice() else {
                    return Err(adder_runtime::error::restore(exception));
                };
                let function = crate::call::function_text(callable)?;
                return Err(raise!(
                    TypeError,
                    "{function} got multiple values for keyword argument '{}'",
                    key.str()?.to_string_lossy()
                ));
            }
            Err(raised)
        }
    }
}

/// The old values of the registers, to be dropped when all new ones are there.
fn store_unpacked(first: *mut *mut PyObject, items: Vec<Ref>) -> Vec<Option<Ref>> {
    items
        .into_iter()
        .enumerate()
        // SAFETY: as many registers as items; they hold owned objects or null.
        .map(|(index, item)| unsafe {
            Ref::from_owned_opt(std::ptr::replace(first.add(index), item.into_raw()))
        })
        .collect()
}

fn cannot_unpack(value: &PyObject, raised: Raised) -> Raised {
    if raised.matches(exc::TypeError) && value.ty().tp_iter.get().is_none() && !value.is_sequence() {
        raised.clear();
        return raise!(
            TypeError,
            "cannot unpack non-iterable {} object",
            value.ty().name()
        );
    }
    raised
}

/// Unpacked values that need no list of the old ones on the heap.
const MAX_INLINE: usize = 16;

/// Puts items into registers; the old values are dropped when all are there.
unsafe fn store_items(first: *mut *mut PyObject, items: &[&PyObject]) {
    let mut old = [null_mut(); MAX_INLINE];
    // SAFETY: the caller's contract: as many registers as items, at most MAX_INLINE.
    unsafe {
        for (index, item) in items.iter().enumerate() {
            item.incref();
            old[index] = std::ptr::replace(first.add(index), item.as_ptr());
        }
        for value in &old[..items.len()] {
            xdecref(*value);
        }
    }
}

/// # Safety
/// `n` registers from `first`; the caller owns a count of `value`.
pub unsafe fn unpack_sequence(
    first: *mut *mut PyObject,
    value: &PyObject,
    n: usize,
) -> PyResult<Vec<Option<Ref>>> {
    let slice = if let Some(tuple) = value.downcast_exact::<PyTupleObject>() {
        Some(tuple.as_slice())
    } else {
        value.downcast_exact::<PyListObject>().map(|list| list.as_slice())
    };
    if let Some(slice) = slice {
        if slice.len() == n && n <= MAX_INLINE {
            // SAFETY: the caller's contract.
            unsafe { store_items(first, slice) };
            return Ok(Vec::new());
        }
        if slice.len() == n {
            let items = slice.iter().map(|item| item.to_ref()).collect();
            return Ok(store_unpacked(first, items));
        }
        return Err(if slice.len() > n {
            raise!(
                ValueError,
                "too many values to unpack (expected {n}, got {})",
                slice.len()
            )
        } else {
            raise!(
                ValueError,
                "not enough values to unpack (expected {n}, got {})",
                slice.len()
            )
        });
    }
    let iterator = value.iter().map_err(|raised| cannot_unpack(value, raised))?;
    let mut items = Vec::with_capacity(n);
    for _ in 0..n {
        match iterator.next()? {
            Some(item) => items.push(item),
            None => {
                return Err(raise!(
                    ValueError,
                    "not enough values to unpack (expected {n}, got {})",
                    items.len()
                ));
            }
        }
    }
    if iterator.next()?.is_some() {
        if value.type_has(Py_TPFLAGS_DICT_SUBCLASS)
            && let Ok(length) = value.len().map_err(Raised::clear)
            && length > n
        {
            return Err(raise!(
                ValueError,
                "too many values to unpack (expected {n}, got {length})"
            ));
        }
        return Err(raise!(ValueError, "too many values to unpack (expected {n})"));
    }
    Ok(store_unpacked(first, items))
}

/// # Safety
/// `before + 1 + after` registers from `first`.
pub unsafe fn unpack_ex(
    first: *mut *mut PyObject,
    value: &PyObject,
    before: usize,
    after: usize,
) -> PyResult<Vec<Option<Ref>>> {
    let iterator = value.iter().map_err(|raised| cannot_unpack(value, raised))?;
    let mut items = Vec::with_capacity(before + 1 + after);
    let at_least = before + after;
    for _ in 0..before {
        match iterator.next()? {
            Some(item) => items.push(item),
            None => {
                return Err(raise!(
                    ValueError,
                    "not enough values to unpack (expected at least {at_least}, got {})",
                    items.len()
                ));
            }
        }
    }
    let mut rest = iterator.collect()?;
    if rest.len() < after {
        return Err(raise!(
            ValueError,
            "not enough values to unpack (expected at least {at_least}, got {})",
            before + rest.len()
        ));
    }
    let tail = rest.split_off(rest.len() - after);
    items.push(PyListObject::from_vec(rest).into_object());
    items.extend(tail);
    Ok(store_unpacked(first, items))
}

pub fn convert_value(value: &PyObject, x: u8) -> PyResult<Ref<PyUnicodeObject>> {
    match x {
        1 => value.str(),
        2 => value.repr(),
        _ => value.ascii(),
    }
}

// ---- exceptions ----

const CANNOT_CATCH: &str = "catching classes that do not inherit from BaseException is not allowed";

fn is_exception_class(class: &PyObject) -> bool {
    class
        .downcast::<PyTypeObject>()
        .is_some_and(|class| class.has_flag(Py_TPFLAGS_BASE_EXC_SUBCLASS))
}

/// `except class:` for an exception instance.
pub fn exception_matches(exception: &PyObject, class: &PyObject) -> PyResult<bool> {
    if let Some(classes) = class.downcast::<PyTupleObject>() {
        if !classes.as_slice().iter().all(|class| is_exception_class(class)) {
            return Err(raise!(TypeError, "{CANNOT_CATCH}"));
        }
        return Ok(classes
            .as_slice()
            .iter()
            .any(|class| matches_one(exception, class)));
    }
    if !is_exception_class(class) {
        return Err(raise!(TypeError, "{CANNOT_CATCH}"));
    }
    Ok(matches_one(exception, class))
}

fn matches_one(exception: &PyObject, class: &PyObject) -> bool {
    class
        .downcast::<PyTypeObject>()
        .is_some_and(|class| exception.is_instance_of(class))
}

/// `except* class:`: the matching part and the rest, None for an empty one.
pub fn group_match(exception: &PyObject, class: &PyObject) -> PyResult<(Ref, Ref)> {
    crate::groups::group_match(exception, class)
}

/// `raise`, `raise exception`, `raise exception from cause`: owned pointers or null. True when the exception was raised
/// before, so that its traceback has this frame already.
///
/// # Safety
/// The pointers are owned or null.
pub unsafe fn do_raise(ts: &ThreadState, exception: *mut PyObject, cause: *mut PyObject) -> bool {
    // SAFETY: the caller's contract.
    let (exception, cause) = unsafe { (Ref::from_owned_opt(exception), Ref::from_owned_opt(cause)) };
    let Some(exception) = exception else {
        let handled = crate::errors::handled_exception(ts);
        return match handled {
            Some(handled) => {
                let _ = adder_runtime::error::restore(handled);
                true
            }
            None => {
                let _ = raise!(RuntimeError, "No active exception to reraise");
                false
            }
        };
    };
    let _ = raise_from(exception, cause);
    false
}

fn instance_of(exception: Ref, what: &str) -> PyResult {
    if is_exception_class(&exception) {
        let instance = exception.call0()?;
        if !instance.type_has(Py_TPFLAGS_BASE_EXC_SUBCLASS) {
            return Err(raise!(
                TypeError,
                "calling {} should have returned an instance of BaseException, not {}",
                exception.repr()?.to_string_lossy(),
                instance.ty().name()
            ));
        }
        return Ok(instance);
    }
    if exception.type_has(Py_TPFLAGS_BASE_EXC_SUBCLASS) {
        return Ok(exception);
    }
    Err(raise!(TypeError, "{what}"))
}

fn raise_from(exception: Ref, cause: Option<Ref>) -> Raised {
    let instance = match instance_of(exception, "exceptions must derive from BaseException") {
        Ok(instance) => instance,
        Err(raised) => return raised,
    };
    if let Some(cause) = cause {
        let cause = if is_none(&cause) {
            None
        } else {
            match instance_of(cause, "exception causes must derive from BaseException") {
                Ok(cause) => Some(cause),
                Err(raised) => return raised,
            }
        };
        crate::errors::set_cause(&instance, cause);
    }
    adder_runtime::error::raise_exception(instance)
}

/// # Safety
/// `at[0]` is the exit method, `at[1]` its `self` or empty.
pub unsafe fn with_except_start(at: *mut *mut PyObject, exception: &PyObject) -> PyResult {
    // SAFETY: the caller's contract.
    let (method, this) = unsafe { (&**at, (*at.add(1)).as_ref()) };
    let traceback = crate::errors::traceback_of(exception).unwrap_or_else(none_ref);
    let ty = exception.ty().as_object();
    match this {
        Some(this) => method.call(&[this, ty, exception, &traceback]),
        None => method.call(&[ty, exception, &traceback]),
    }
}

/// LOAD_SPECIAL: the method, and whether `self` is to be passed.
pub fn load_special(object: &PyObject, x: u8) -> PyResult<(Ref, bool)> {
    let names = [
        (identifier!("__enter__"), "the context manager"),
        (identifier!("__exit__"), "the context manager"),
        (identifier!("__aenter__"), "the asynchronous context manager"),
        (identifier!("__aexit__"), "the asynchronous context manager"),
    ];
    let (name, protocol) = names[x as usize & 3];
    let ty = object.ty();
    let Some(found) = ty.lookup(name) else {
        let text = name.to_string_lossy();
        let hint = special_hint(object, x);
        return Err(raise!(
            TypeError,
            "'{}' object does not support {protocol} protocol (missed {text} method){hint}",
            ty.fully_qualified_name()
        ));
    };
    let found = found.to_ref();
    if found.ty().tp_flags.get() & Py_TPFLAGS_METHOD_DESCRIPTOR != 0 {
        return Ok((found, true));
    }
    match found.ty().tp_descr_get.get() {
        // SAFETY: a slot of the descriptor's type.
        Some(get) => unsafe {
            let bound = get(found.as_raw(), object.as_ptr(), ty.as_ptr());
            Ok((adder_runtime::protocol::from_slot(bound, "__get__")?, false))
        },
        None => Ok((found, false)),
    }
}

/// The hint for who took the wrong one of `with` and `async with`.
fn special_hint(object: &PyObject, x: u8) -> &'static str {
    let has = |enter: &PyUnicodeObject, exit: &PyUnicodeObject| {
        object.ty().lookup(enter).is_some() && object.ty().lookup(exit).is_some()
    };
    if x < 2 && has(identifier!("__aenter__"), identifier!("__aexit__")) {
        " but it supports the asynchronous context manager protocol. Did you mean to use 'async with'?"
    } else if x >= 2 && has(identifier!("__enter__"), identifier!("__exit__")) {
        " but it supports the context manager protocol. Did you mean to use 'with'?"
    } else {
        ""
    }
}
