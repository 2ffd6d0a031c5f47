//! The `builtins` module. Its functions are here and in the files beside this one; its types are the runtime's.

use crate::frame::current_frame;
use crate::state;
use adder_runtime::abi::*;
use adder_runtime::args::{check_keyword_count, unexpected_keyword};
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use adder_runtime::protocol::number;
use adder_runtime::thread::thread_state;

pub mod build_class;
pub mod evaluate;
pub mod fold;
pub mod iters;
pub mod print;

/// A function of `builtins`, as it was made: LOAD_COMMON_CONSTANT gives it even when the name was rebound.
pub fn builtin_function(name: &'static PyUnicodeObject) -> Ref {
    state::builtins_dict()
        .and_then(|dict| dict.get_str(name))
        .unwrap_or_else(none_ref)
}

/// Whether a callable is the function `len` of this module.
pub fn is_len(callable: &PyObject) -> bool {
    let Some(function) = callable.downcast_exact::<PyCFunctionObject>() else {
        return false;
    };
    // SAFETY: null or what the function owns.
    let module = unsafe { function.m_module.get().as_ref() };
    function.def().name_text() == "len"
        && module
            .and_then(PyObject::downcast_exact::<PyUnicodeObject>)
            .is_some_and(|module| module.eq_str("builtins"))
}

/// All interpreters have one `len`: specialised calls compare with its address, and keep it for ever.
pub fn share_len(builtins: &PyModuleObject) -> PyResult<()> {
    static LEN: state::GilCell<Option<Ref>> = state::GilCell::new(None);
    let name = identifier!("len");
    match LEN.get() {
        Some(len) => builtins.dict().set_str(name, &len),
        None => {
            LEN.set(builtins.dict().get_str(name));
            Ok(())
        }
    }
}

fn no_frame(what: &str) -> Raised {
    raise!(SystemError, "{what} needs a Python frame")
}

/// The globals of the innermost frame.
pub fn current_globals() -> Option<Ref<PyDictObject>> {
    let frame = current_frame(thread_state());
    // SAFETY: the innermost frame is alive.
    unsafe { frame.as_ref().map(|frame| frame.globals().to_ref()) }
}

/// The builtins of the innermost frame, or the module's.
pub fn current_builtins() -> Option<Ref> {
    let frame = current_frame(thread_state());
    // SAFETY: the innermost frame is alive, and its builtins with it.
    let of_frame = unsafe { frame.as_ref().map(|frame| (*frame.builtins).to_ref()) };
    of_frame.or_else(|| state::builtins_dict().map(Ref::into_object))
}

/// `locals()` of the innermost frame.
pub fn current_locals() -> PyResult {
    let frame = current_frame(thread_state());
    if frame.is_null() {
        return Err(no_frame("locals()"));
    }
    // SAFETY: the innermost frame is alive.
    unsafe { crate::framelocals::snapshot(frame) }
}

/// Built-in functions, types, exceptions, and other objects.
#[pymodule(name = "builtins")]
pub mod builtins {
    use super::*;

    /// Return the absolute value of the argument.
    #[pyfunction("($module, number, /)")]
    fn abs(number: &PyObject) -> PyResult {
        number::absolute(number)
    }
    /// Return True if bool(x) is True for all values x in the iterable.
    #[pyfunction("($module, iterable, /)")]
    fn all(iterable: &PyObject) -> PyResult<bool> {
        let iterator = iterable.iter()?;
        while let Some(item) = iterator.next()? {
            if !item.is_true()? {
                return Ok(false);
            }
        }
        Ok(true)
    }
    /// Return True if bool(x) is True for any x in the iterable.
    #[pyfunction("($module, iterable, /)")]
    fn any(iterable: &PyObject) -> PyResult<bool> {
        let iterator = iterable.iter()?;
        while let Some(item) = iterator.next()? {
            if item.is_true()? {
                return Ok(true);
            }
        }
        Ok(false)
    }
    /// Return an ASCII-only representation of an object.
    #[pyfunction("($module, obj, /)")]
    fn ascii(obj: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        obj.ascii()
    }
    /// Return the binary representation of an integer.
    ///
    /// >>> bin(37)
    /// '0b100101'
    #[pyfunction("($module, number, /)")]
    fn bin(number: &PyObject) -> PyResult<String> {
        Ok(number.index()?.to_radix_string(2, true))
    }
    /// Return the hexadecimal representation of an integer.
    ///
    /// >>> hex(-255)
    /// '-0xff'
    #[pyfunction("($module, number, /)")]
    fn hex(number: &PyObject) -> PyResult<String> {
        Ok(number.index()?.to_radix_string(16, true))
    }
    /// Return the octal representation of an integer.
    ///
    /// >>> oct(493)
    /// '0o755'
    #[pyfunction("($module, number, /)")]
    fn oct(number: &PyObject) -> PyResult<String> {
        Ok(number.index()?.to_radix_string(8, true))
    }
    /// Call sys.breakpointhook(*args, **kws).
    #[pyfunction("($module, /, *args, **kws)")]
    fn breakpoint(args: &[&PyObject], kws: Option<&PyDictObject>) -> PyResult {
        let Some(hook) = adder_runtime::hooks::sys_attribute(identifier!("breakpointhook")) else {
            return Err(raise!(RuntimeError, "lost sys.breakpointhook"));
        };
        adder_runtime::hooks::audit("builtins.breakpoint", &[&hook])?;
        hook.call_tuple(&PyTupleObject::from_slice(args), kws)
    }
    /// Return whether the object can be called like a function.
    #[pyfunction("($module, obj, /)")]
    fn callable(obj: &PyObject) -> bool {
        obj.is_callable()
    }
    /// Return a Unicode string of one character with ordinal i; 0 <= i <= 0x10ffff.
    #[pyfunction("($module, i, /)")]
    fn chr(i: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        let number = i.index()?;
        match number.to_i64() {
            Some(code @ 0..=0x10_FFFF) => Ok(PyUnicodeObject::from_char(code as u32)),
            Some(code) if i32::try_from(code).is_ok() => {
                Err(raise!(ValueError, "chr() arg not in range(0x110000)"))
            }
            _ => Err(raise!(ValueError, "chr() arg not in range(0x110000)")),
        }
    }
    /// Deletes the named attribute from the given object.
    #[pyfunction("($module, obj, name, /)")]
    fn delattr(obj: &PyObject, name: &PyObject) -> PyResult<()> {
        obj.del_attr(adder_runtime::protocol::attributes::attribute_name(name)?)
    }
    /// Show attributes of an object.
    #[pyfunction("~($module, object=<unrepresentable>, /)")]
    fn dir(object: Option<&PyObject>) -> PyResult {
        let names = match object {
            None => {
                let locals = current_locals()?;
                locals.call_method(identifier!("keys"), &[])?
            }
            Some(object) => match object.call_special(identifier!("__dir__"), &[])? {
                Some(names) => names,
                None => return Err(raise!(TypeError, "object does not provide __dir__")),
            },
        };
        let list = PyListObject::from_vec(names.collect()?);
        list.sort(None, false)?;
        Ok(list.into_object())
    }
    /// Return the tuple (x//y, x%y).
    #[pyfunction("($module, x, y, /)")]
    fn divmod(x: &PyObject, y: &PyObject) -> PyResult {
        number::divmod(x, y)
    }
    /// Return type(value).__format__(value, format_spec).
    #[pyfunction("($module, value, format_spec='', /)")]
    fn format(value: &PyObject, format_spec: Option<&PyUnicodeObject>) -> PyResult<Ref<PyUnicodeObject>> {
        value.format(format_spec)
    }
    /// Get a named attribute from an object.
    #[pyfunction(raw, "(...)")]
    fn getattr(args: &[&PyObject]) -> PyResult {
        let (object, name, default) = match args {
            [object, name] => (object, name, None),
            [object, name, default] => (object, name, Some(default)),
            _ if args.len() < 2 => {
                return Err(raise!(
                    TypeError,
                    "getattr expected at least 2 arguments, got {}",
                    args.len()
                ));
            }
            _ => {
                return Err(raise!(
                    TypeError,
                    "getattr expected at most 3 arguments, got {}",
                    args.len()
                ));
            }
        };
        let name = adder_runtime::protocol::attributes::attribute_name(name)?;
        match default {
            None => object.get_attr(name),
            Some(default) => Ok(object.get_attr_opt(name)?.unwrap_or_else(|| default.to_ref())),
        }
    }
    /// Return the dictionary containing the current scope's global variables.
    #[pyfunction("($module, /)")]
    fn globals() -> PyResult {
        current_globals()
            .map(Ref::into_object)
            .ok_or_else(|| no_frame("globals()"))
    }
    /// Return whether the object has an attribute with the given name.
    #[pyfunction("($module, obj, name, /)")]
    fn hasattr(obj: &PyObject, name: &PyObject) -> PyResult<bool> {
        obj.has_attr(adder_runtime::protocol::attributes::attribute_name(name)?)
    }
    /// Return the hash value for the given object.
    #[pyfunction("($module, obj, /)")]
    fn hash(obj: &PyObject) -> PyResult<isize> {
        obj.hash()
    }
    /// Return the identity of an object.
    #[pyfunction("($module, obj, /)")]
    fn id(obj: &PyObject) -> PyResult<usize> {
        adder_runtime::hooks::audit("builtins.id", &[])?;
        Ok(obj.as_ptr() as usize)
    }
    /// Return whether an object is an instance of a class or of a subclass thereof.
    #[pyfunction("($module, obj, class_or_tuple, /)")]
    fn isinstance(obj: &PyObject, class_or_tuple: &PyObject) -> PyResult<bool> {
        obj.is_instance(class_or_tuple)
    }
    /// Return whether 'cls' is derived from another class or is the same class.
    #[pyfunction("($module, cls, class_or_tuple, /)")]
    fn issubclass(cls: &PyObject, class_or_tuple: &PyObject) -> PyResult<bool> {
        cls.is_subclass(class_or_tuple)
    }
    /// Get an iterator from an object, or make one of a callable and a sentinel.
    #[pyfunction(raw, "(...)")]
    fn iter(args: &[&PyObject]) -> PyResult {
        match args {
            [object] => object.iter(),
            [callable, sentinel] => {
                if !callable.is_callable() {
                    return Err(raise!(TypeError, "iter(v, w): v must be callable"));
                }
                adder_runtime::objects::iterobject::callable_iterator(callable, sentinel)
            }
            [] => Err(raise!(TypeError, "iter expected at least 1 argument, got 0")),
            _ => Err(raise!(
                TypeError,
                "iter expected at most 2 arguments, got {}",
                args.len()
            )),
        }
    }
    /// Return an AsyncIterator for an AsyncIterable object.
    #[pyfunction("($module, async_iterable, /)")]
    fn aiter(async_iterable: &PyObject) -> PyResult {
        let ty = async_iterable.ty();
        let Some(slot) = ty.async_slot(|slots| slots.am_aiter.get()) else {
            return Err(raise!(
                TypeError,
                "'{}' object is not an async iterable",
                ty.name()
            ));
        };
        // SAFETY: a slot of the object's type.
        let iterator =
            unsafe { adder_runtime::protocol::from_slot(slot(async_iterable.as_ptr()), "__aiter__")? };
        if iterator.ty().async_slot(|slots| slots.am_anext.get()).is_none() {
            return Err(raise!(
                TypeError,
                "aiter() returned not an async iterator of type '{}'",
                iterator.ty().name()
            ));
        }
        Ok(iterator)
    }
    /// Return the next item from the async iterator.
    #[pyfunction("($module, aiterator, default=<unrepresentable>, /)")]
    fn anext(aiterator: &PyObject, default: Option<&PyObject>) -> PyResult {
        let ty = aiterator.ty();
        let Some(slot) = ty.async_slot(|slots| slots.am_anext.get()) else {
            return Err(raise!(
                TypeError,
                "'{}' object is not an async iterator",
                ty.name()
            ));
        };
        // SAFETY: a slot of the object's type.
        let awaitable = unsafe { adder_runtime::protocol::from_slot(slot(aiterator.as_ptr()), "__anext__")? };
        match default {
            None => Ok(awaitable),
            Some(default) => crate::asyncgen::new_anext_awaitable(awaitable, default),
        }
    }
    /// Return the number of items in a container.
    #[pyfunction("($module, obj, /)")]
    fn len(obj: &PyObject) -> PyResult<usize> {
        obj.len()
    }
    /// Return a dictionary containing the current scope's local variables.
    #[pyfunction("($module, /)")]
    fn locals() -> PyResult {
        current_locals()
    }
    /// Return the next item from the iterator.
    #[pyfunction(raw, "(...)")]
    fn next(args: &[&PyObject]) -> PyResult {
        let (iterator, default) = match args {
            [iterator] => (iterator, None),
            [iterator, default] => (iterator, Some(default)),
            [] => return Err(raise!(TypeError, "next expected at least 1 argument, got 0")),
            _ => {
                return Err(raise!(
                    TypeError,
                    "next expected at most 2 arguments, got {}",
                    args.len()
                ));
            }
        };
        if !iterator.is_iterator() {
            return Err(raise!(
                TypeError,
                "'{}' object is not an iterator",
                iterator.ty().name()
            ));
        }
        let Some(slot) = iterator.ty().tp_iternext.get() else {
            return Err(raise!(
                TypeError,
                "'{}' object is not an iterator",
                iterator.ty().name()
            ));
        };
        // SAFETY: a slot of the object's type.
        if let Some(item) = unsafe { Ref::from_owned_opt(slot(iterator.as_ptr())) } {
            return Ok(item);
        }
        match default {
            Some(default) => {
                if adder_runtime::error::occurred() {
                    Raised::assume().clear_if(exc::StopIteration)?;
                }
                Ok(default.to_ref())
            }
            None if adder_runtime::error::occurred() => Err(Raised::assume()),
            None => Err(raise!(StopIteration)),
        }
    }
    /// Open file and return a stream.
    #[pyfunction(raw, "(...)")]
    fn open(args: &[&PyObject], kwargs: adder_runtime::args::Kwargs<'_>) -> PyResult {
        let function = adder_runtime::hooks::import_module("_io")?.get_attr(identifier!("open"))?;
        function.call_tuple(&PyTupleObject::from_slice(args), kwargs.to_dict()?.as_deref())
    }
    /// Return the ordinal value of a character.
    #[pyfunction("($module, character, /)")]
    fn ord(character: &PyObject) -> PyResult<u32> {
        let length = if let Some(text) = character.downcast::<PyUnicodeObject>() {
            if text.len() == 1 {
                return Ok(text.char_at(0));
            }
            text.len()
        } else if let Some(bytes) = character.downcast::<PyBytesObject>() {
            if let [byte] = bytes.as_bytes() {
                return Ok(u32::from(*byte));
            }
            bytes.as_bytes().len()
        } else if let Some(bytes) = character.downcast::<PyByteArrayObject>() {
            if let [byte] = bytes.as_bytes() {
                return Ok(u32::from(*byte));
            }
            bytes.as_bytes().len()
        } else {
            return Err(raise!(
                TypeError,
                "ord() expected string of length 1, but {} found",
                character.ty().name()
            ));
        };
        Err(raise!(
            TypeError,
            "ord() expected a character, but string of length {length} found"
        ))
    }
    /// Equivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments.
    #[pyfunction("($module, /, base, exp, mod=None)")]
    fn pow(base: &PyObject, exp: &PyObject, mod_: Option<&PyObject>) -> PyResult {
        number::power(base, exp, mod_.unwrap_or(none()))
    }
    /// Return the canonical string representation of the object.
    #[pyfunction("($module, obj, /)")]
    fn repr(obj: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        obj.repr()
    }
    /// Round a number to a given precision in decimal digits.
    #[pyfunction("($module, /, number, ndigits=None)")]
    fn round(number: &PyObject, ndigits: Option<&PyObject>) -> PyResult {
        let method = number.lookup_special(identifier!("__round__"))?;
        let Some(method) = method else {
            return Err(raise!(
                TypeError,
                "type {} doesn't define __round__ method",
                number.ty().name()
            ));
        };
        match ndigits.filter(|digits| !is_none(digits)) {
            None => method.call0(),
            Some(digits) => method.call1(digits),
        }
    }
    /// Sets the named attribute on the given object to the specified value.
    #[pyfunction("($module, obj, name, value, /)")]
    fn setattr(obj: &PyObject, name: &PyObject, value: &PyObject) -> PyResult<()> {
        obj.set_attr(adder_runtime::protocol::attributes::attribute_name(name)?, value)
    }
    /// Return a new list containing all items from the iterable in ascending order.
    #[pyfunction(raw, "($module, iterable, /, *, key=None, reverse=False)")]
    fn sorted(args: &[&PyObject], kwargs: adder_runtime::args::Kwargs<'_>) -> PyResult {
        let [iterable] = args else {
            return Err(raise!(
                TypeError,
                "sorted expected 1 argument, got {}",
                args.len()
            ));
        };
        let list = PyListObject::from_vec(iterable.collect()?);
        let (mut key, mut reverse) = (None, false);
        check_keyword_count("sort", kwargs.len(), 2)?;
        for (name, value) in kwargs.iter() {
            match name.str()?.to_string_lossy().as_str() {
                "key" => key = Some(value).filter(|key| !is_none(key)),
                "reverse" => reverse = value.is_true()?,
                other => {
                    return Err(unexpected_keyword("sort", other, &["key", "reverse"]));
                }
            }
        }
        list.sort(key, reverse)?;
        Ok(list.into_object())
    }
    /// Return the sum of a 'start' value (default: 0) plus an iterable of numbers.
    #[pyfunction("($module, iterable, /, start=0)")]
    fn sum(iterable: &PyObject, start: Option<&PyObject>) -> PyResult {
        fold::sum(iterable, start)
    }
    /// max(iterable, *[, default=obj, key=func]) -> value
    /// max(arg1, arg2, *args, *[, key=func]) -> value
    ///
    /// Return the biggest item of an iterable or of the arguments.
    #[pyfunction(raw, "(...)")]
    fn max(args: &[&PyObject], kwargs: adder_runtime::args::Kwargs<'_>) -> PyResult {
        fold::min_max(args, kwargs, CompareOp::Gt, "max")
    }
    /// min(iterable, *[, default=obj, key=func]) -> value
    /// min(arg1, arg2, *args, *[, key=func]) -> value
    ///
    /// Return the smallest item of an iterable or of the arguments.
    #[pyfunction(raw, "(...)")]
    fn min(args: &[&PyObject], kwargs: adder_runtime::args::Kwargs<'_>) -> PyResult {
        fold::min_max(args, kwargs, CompareOp::Lt, "min")
    }
    /// Without arguments, equivalent to locals(); with an argument, to object.__dict__.
    #[pyfunction("~($module, object=<unrepresentable>, /)")]
    fn vars(object: Option<&PyObject>) -> PyResult {
        let Some(object) = object else {
            return current_locals();
        };
        match object.get_attr_opt(identifier!("__dict__"))? {
            Some(dict) => Ok(dict),
            None => Err(raise!(TypeError, "vars() argument must have __dict__ attribute")),
        }
    }
    /// Internal helper function used by the class statement.
    #[pyfunction(raw, "(...)")]
    fn __build_class__(args: &[&PyObject], kwargs: adder_runtime::args::Kwargs<'_>) -> PyResult {
        build_class::build_class(args, kwargs)
    }
    /// Import a module.
    #[pyfunction("($module, /, name, globals=None, locals=None, fromlist=(), level=0)")]
    fn __import__(
        name: &PyObject,
        globals: Option<&PyObject>,
        locals: Option<&PyObject>,
        fromlist: Option<&PyObject>,
        level: i64,
    ) -> PyResult {
        let _ = locals;
        crate::import::import_module_level(name, globals, fromlist.unwrap_or(none()), level)
    }
    /// Compile source into a code object that can be executed by exec() or eval().
    #[pyfunction(
        "($module, /, source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)"
    )]
    fn compile(
        source: &PyObject,
        filename: &PyObject,
        mode: &str,
        flags: i32,
        dont_inherit: bool,
        optimize: i32,
        _feature_version: i32,
    ) -> PyResult {
        evaluate::compile(
            source,
            filename,
            mode,
            flags,
            dont_inherit,
            optimize,
            _feature_version,
        )
    }
    /// Evaluate the given source in the context of globals and locals.
    #[pyfunction("($module, source, /, globals=None, locals=None)")]
    fn eval(source: &PyObject, globals: Option<&PyObject>, locals: Option<&PyObject>) -> PyResult {
        evaluate::eval(source, globals, locals)
    }
    /// Execute the given source in the context of globals and locals.
    #[pyfunction("($module, source, /, globals=None, locals=None, *, closure=None)")]
    fn exec(
        source: &PyObject,
        globals: Option<&PyObject>,
        locals: Option<&PyObject>,
        closure: Option<&PyObject>,
    ) -> PyResult<()> {
        evaluate::exec(source, globals, locals, closure)
    }
    /// Prints the values to a stream, or to sys.stdout by default.
    #[pyfunction("($module, /, *args, sep=' ', end='\\n', file=None, flush=False)")]
    fn print(
        args: &[&PyObject],
        sep: Option<&PyObject>,
        end: Option<&PyObject>,
        file: Option<&PyObject>,
        flush: Option<&PyObject>,
    ) -> PyResult<()> {
        print::print(args, sep, end, file, flush)
    }
    /// Read a string from standard input.
    #[pyfunction("($module, prompt='', /)")]
    fn input(prompt: Option<&PyObject>) -> PyResult {
        print::input(prompt)
    }
}

/// Fills the module's dict with the types, constants and exceptions.
pub fn add_types(module: &PyModuleObject) -> PyResult<()> {
    use adder_runtime::objects::{enumobject, funcobject, property, superobject};
    let types: [&'static PyTypeObject; 27] = [
        PyBool::type_object(),
        PyByteArrayObject::type_object(),
        PyBytesObject::type_object(),
        &funcobject::PyClassMethod_Type,
        PyComplexObject::type_object(),
        PyDictObject::type_object(),
        &enumobject::PyEnum_Type,
        &iters::PyFilter_Type,
        PyFloatObject::type_object(),
        &adder_runtime::objects::setobject::PyFrozenSet_Type,
        PyLongObject::type_object(),
        PyListObject::type_object(),
        &iters::PyMap_Type,
        &adder_runtime::objects::memoryobject::PyMemoryView_Type,
        &adder_runtime::PyBaseObject_Type,
        &property::PyProperty_Type,
        &adder_runtime::objects::rangeobject::PyRange_Type,
        &enumobject::PyReversed_Type,
        &adder_runtime::objects::setobject::PySet_Type,
        PySliceObject::type_object(),
        &funcobject::PyStaticMethod_Type,
        PyUnicodeObject::type_object(),
        &superobject::PySuper_Type,
        PyTupleObject::type_object(),
        PyTypeObject::type_object(),
        &iters::PyZip_Type,
        &adder_runtime::PyBaseObject_Type,
    ];
    for ty in types {
        adder_runtime::types::ready(ty)?;
        module.dict().set_str(
            &PyUnicodeObject::intern(PyUnicodeObject::from_string(ty.name())),
            ty.as_object(),
        )?;
    }
    adder_runtime::exceptions::add_to_dict(module.dict())?;
    let constants = [
        ("None", none_ref()),
        ("Ellipsis", ellipsis().to_ref()),
        ("NotImplemented", not_implemented().to_ref()),
    ];
    for (name, value) in constants {
        module.add(name, value)?;
    }
    module.add("True", py_bool(true))?;
    module.add("False", py_bool(false))?;
    module.add("__debug__", py_bool(crate::pylifecycle::config().optimize == 0))
}

use adder_runtime::objects::boolobject::PyBool;
