//! Function pointers: what `CDLL` gives for names, prototypes of `CFUNCTYPE`, callbacks.

use super::call::{self, Signature};
use super::callback::Callback;
use super::cdata::{CDATA_TYPE, CData, keep_reference, new_instance};
use super::info::*;
use adder_runtime::prelude::*;
use std::cell::{Cell, RefCell};

/// An instance of a function type: as all instances, then what calls need.
#[repr(C)]
pub struct CFunction {
    data: CData,
    callback: RefCell<Option<Callback>>,
    callable: ObjectCell,
    argtypes: ObjectCell<PyTupleObject>,
    converters: ObjectCell<PyTupleObject>,
    restype: ObjectCell,
    checker: ObjectCell,
    errcheck: ObjectCell,
    paramflags: ObjectCell<PyTupleObject>,
    has_argtypes: Cell<bool>,
}

const FLAG_IN: u64 = 1;
const FLAG_OUT: u64 = 2;
const FLAG_LCID: u64 = 4;

/// `from_param` of each argument type.
pub fn converters_of(types: &PyTupleObject) -> PyResult<Ref<PyTupleObject>> {
    if types.len() > call::MAX_ARGUMENTS {
        return Err(super::argument_error(&format!(
            "_argtypes_ has too many arguments ({}), maximum is {}",
            types.len(),
            call::MAX_ARGUMENTS
        )));
    }
    let mut converters = Vec::with_capacity(types.len());
    for (at, ty) in types.as_slice().iter().enumerate() {
        call::check_argument_type(ty, at + 1)?;
        match ty.get_attr_opt(identifier!("from_param"))? {
            Some(converter) => converters.push(converter),
            None => return Err(raise!(TypeError, "item {} in _argtypes_ has no from_param method", at + 1)),
        }
    }
    Ok(PyTupleObject::from_vec(converters))
}

fn own_info(this: &PyObject) -> PyResult<&'static TypeInfo> {
    instance_info(this)
}

impl CFunction {
    fn object(&self) -> &PyObject {
        self.data.as_object()
    }
    fn argument_types(&self) -> PyResult<Option<Ref<PyTupleObject>>> {
        match self.has_argtypes.get() {
            true => Ok(self.argtypes.get()),
            false => Ok(own_info(self.object())?.argtypes.get()),
        }
    }
    fn result_type(&self) -> PyResult<Option<Ref>> {
        match self.restype.get() {
            Some(restype) => Ok(Some(restype)),
            None => Ok(own_info(self.object())?.restype.get()),
        }
    }
}

/// Parameter flags are tuples of `(flag[, name[, default]])`, one for each argument type.
fn check_paramflags(class: &PyTypeObject, flags: &PyObject) -> PyResult<Option<Ref<PyTupleObject>>> {
    if is_none(flags) {
        return Ok(None);
    }
    let Ok(rows) = flags.to_ref().downcast::<PyTupleObject>() else {
        return Err(raise!(TypeError, "paramflags must be a tuple or None"));
    };
    let Some(argtypes) = info_of(class).and_then(|info| info.argtypes.get()) else {
        return Err(raise!(ValueError, "abstract class"));
    };
    if argtypes.len() != rows.len() {
        return Err(raise!(ValueError, "paramflags must have the same length as argtypes"));
    }
    for (at, row) in rows.as_slice().iter().enumerate() {
        let bad = || raise!(TypeError, "paramflags must be a sequence of (int [,string [,value]]) tuples");
        let row = row.as_object().downcast::<PyTupleObject>().ok_or_else(bad)?;
        let Some(flag) = row.get(0).and_then(|flag| Some(flag.as_object().downcast::<PyLongObject>()?.as_u64_mask())) else {
            return Err(bad());
        };
        if let Some(name) = row.get(1)
            && !is_none(&name)
            && name.as_object().downcast::<PyUnicodeObject>().is_none()
        {
            return Err(bad());
        }
        match flag & (FLAG_IN | FLAG_OUT | FLAG_LCID) {
            0 | FLAG_IN | 3 | FLAG_LCID | 5 => {}
            FLAG_OUT => {
                let ty = argtypes.get(at).expect("same length");
                let fits = info_of_object(&ty).is_some_and(|info| match info.kind {
                    Kind::Pointer | Kind::Array | Kind::Function => true,
                    Kind::Simple => b"PzZ".contains(&info.code.get()),
                    _ => false,
                });
                if !fits {
                    let name = ty.downcast_type().map(PyTypeObject::name).unwrap_or_default();
                    return Err(raise!(TypeError, "'out' parameter {} must be a pointer type, not {name}", at + 1));
                }
            }
            other => return Err(raise!(TypeError, "paramflag value {other} not supported")),
        }
    }
    Ok(Some(rows))
}

fn from_dll(class: &PyTypeObject, spec: &PyTupleObject, flags: Option<&PyObject>) -> PyResult {
    let (Some(name), Some(dll), 2) = (spec.get(0), spec.get(1), spec.len()) else {
        return Err(raise!(TypeError, "illegal func_spec argument"));
    };
    let name = if let Some(name) = name.as_object().downcast::<PyBytesObject>() {
        String::from_utf8_lossy(name.as_bytes()).into_owned()
    } else if let Some(name) = name.as_object().downcast::<PyUnicodeObject>() {
        name.to_str()?.to_string()
    } else {
        return Err(raise!(TypeError, "the _ctypes.CFuncPtr function spec needs a name: '{}'", name.ty().name()));
    };
    let handle = dll.get_attr_str("_handle")?;
    let Some(handle) = handle.as_object().downcast::<PyLongObject>() else {
        return Err(raise!(TypeError, "the _handle attribute of the second argument must be an integer"));
    };
    let text = PyUnicodeObject::from_str(&name);
    adder_runtime::hooks::audit("ctypes.dlsym", &[&dll, text.as_object()])?;
    let address = call::symbol(handle.as_u64_mask() as usize, &name).map_err(|why| raise!(AttributeError, "{why}"))?;
    let flags = match flags {
        Some(flags) => check_paramflags(class, flags)?,
        None => None,
    };
    let made = new_instance(class)?;
    let function = made.as_object().downcast::<CFunction>().expect("a function type's instance");
    function.data.set_pointer(address.cast());
    function.paramflags.set(flags);
    keep_reference(&function.data, 0, &dll)?;
    Ok(made)
}

fn from_callable(class: &PyTypeObject, callable: &PyObject) -> PyResult {
    if !callable.is_callable() {
        return Err(raise!(TypeError, "argument must be callable or integer function address"));
    }
    let info = info_of(class).filter(|info| info.argtypes.is_some());
    let Some(info) = info else {
        return Err(raise!(TypeError, "cannot construct instance of this class: no argtypes"));
    };
    let argtypes = info.argtypes.get().expect("just checked");
    let callback = Callback::new(callable, &argtypes, info.restype.borrow(), info.flags.get())?;
    let made = new_instance(class)?;
    let function = made.as_object().downcast::<CFunction>().expect("a function type's instance");
    function.data.set_pointer(callback.code.cast());
    *function.callback.borrow_mut() = Some(callback);
    function.callable.set(Some(callable.to_ref()));
    Ok(made)
}

/// The arguments of a call, with those that parameter flags make; which of them are results.
struct Built {
    args: Vec<Ref>,
    outputs: Vec<usize>,
    in_outputs: Vec<usize>,
}

fn build(argtypes: &PyTupleObject, flags: &PyTupleObject, args: &[&PyObject], kwargs: Option<&PyDictObject>) -> PyResult<Built> {
    let mut built = Built { args: Vec::new(), outputs: Vec::new(), in_outputs: Vec::new() };
    let mut taken = 0;
    for (at, row) in flags.as_slice().iter().enumerate() {
        let row = row.as_object().downcast::<PyTupleObject>().expect("checked when set");
        let flag = row.get(0).and_then(|flag| Some(flag.as_object().downcast::<PyLongObject>()?.as_u64_mask())).unwrap_or(0);
        let name = row.get(1).filter(|name| !is_none(name));
        let default = row.get(2);
        let mut next = |default: Option<Ref>| -> PyResult {
            if let Some(arg) = args.get(taken) {
                taken += 1;
                return Ok(arg.to_ref());
            }
            if let (Some(kwargs), Some(name)) = (kwargs, &name)
                && let Some(value) = kwargs.get(name)?
            {
                taken += 1;
                return Ok(value);
            }
            match (default, &name) {
                (Some(default), _) => Ok(default),
                (None, Some(name)) => {
                    let name = name.str()?.to_string_lossy();
                    Err(raise!(TypeError, "required argument '{name}' missing"))
                }
                (None, None) => Err(raise!(TypeError, "not enough arguments")),
            }
        };
        match flag & (FLAG_IN | FLAG_OUT | FLAG_LCID) {
            5 => built.args.push(default.unwrap_or_else(|| PyLongObject::from_i64(0).into_object())),
            3 => {
                let value = next(default)?;
                built.in_outputs.push(at);
                built.args.push(value);
            }
            FLAG_OUT => {
                if let Some(default) = default {
                    built.args.push(default);
                    continue;
                }
                let ty = argtypes.get(at).expect("checked when set");
                let info = info_of_object(&ty).ok_or_else(abstract_class)?;
                let made = match info.kind {
                    Kind::Array => ty.call0()?,
                    Kind::Pointer => info.proto.get().ok_or_else(abstract_class)?.call0()?,
                    _ => return Err(raise!(TypeError, "'out' parameter {} must be a pointer type", at + 1)),
                };
                built.outputs.push(at);
                let passed = match info.kind {
                    Kind::Array => made,
                    _ => call::byref(&made, 0)?,
                };
                built.args.push(passed);
            }
            _ => {
                let value = next(default)?;
                built.args.push(value);
            }
        }
    }
    let given = args.len() + kwargs.map_or(0, PyDictObject::len);
    if taken != given {
        let plural = if taken == 1 { "argument" } else { "arguments" };
        return Err(raise!(TypeError, "call takes exactly {taken} {plural} ({given} given)"));
    }
    Ok(built)
}

/// With output parameters, the result is their values.
fn collect_outputs(result: Ref, built: &Built) -> PyResult {
    let mut places: Vec<(usize, bool)> = built.outputs.iter().map(|at| (*at, true)).collect();
    places.extend(built.in_outputs.iter().map(|at| (*at, false)));
    places.sort();
    if places.is_empty() {
        return Ok(result);
    }
    let mut values = Vec::new();
    for (at, is_made) in places {
        let arg = built.args[at].clone();
        let object = match arg.as_object().downcast::<call::CParam>() {
            Some(param) if is_made => param.object.get().unwrap_or_else(|| none().to_ref()),
            _ => arg,
        };
        values.push(match is_made {
            true => object.call_method(identifier!("__ctypes_from_outparam__"), &[])?,
            false => object,
        });
    }
    Ok(match values.len() {
        1 => values.pop().expect("one value"),
        _ => PyTupleObject::from_vec(values).into_object(),
    })
}

#[pytype(
    name = "_ctypes.CFuncPtr",
    static_name = FUNCTION_TYPE,
    base = CDATA_TYPE,
    metatype = super::metatypes::FUNCTION_META,
    flags = BASETYPE | HAVE_GC,
    doc = "Function Pointer",
)]
impl CFunction {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        let made = match args.as_slice() {
            [] => new_instance(cls)?,
            [first, rest @ ..] if first.as_object().downcast::<PyTupleObject>().is_some() && rest.len() <= 1 => {
                let spec = first.as_object().downcast::<PyTupleObject>().expect("just checked");
                from_dll(cls, spec, rest.first().copied())?
            }
            [first] => match first.as_object().downcast::<PyLongObject>() {
                Some(address) => {
                    let made = new_instance(cls)?;
                    let function = made.as_object().downcast::<CFunction>().expect("a function type's instance");
                    function.data.set_pointer(address.as_u64_mask() as usize as *mut u8);
                    made
                }
                None => from_callable(cls, first)?,
            },
            _ => return Err(raise!(TypeError, "argument must be callable or integer function address")),
        };
        Ok(made)
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for cell in [&self.callable, &self.restype, &self.checker, &self.errcheck, &self.data.objects, &self.data.base] {
            let status = cell.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        for cell in [&self.argtypes, &self.converters, &self.paramflags] {
            let status = cell.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        match self.callback.try_borrow() {
            Ok(callback) => callback.as_ref().map_or(0, |callback| callback.visit(visitor)),
            Err(_) => 0,
        }
    }
    #[slot]
    fn tp_clear(&self) {
        for cell in [&self.callable, &self.restype, &self.checker, &self.errcheck, &self.data.objects, &self.data.base] {
            cell.set(None);
        }
        for cell in [&self.argtypes, &self.converters, &self.paramflags] {
            cell.set(None);
        }
        let callback = self.callback.borrow_mut().take();
        drop(callback);
    }
    #[slot]
    fn tp_repr(this: &PyObject) -> PyResult<String> {
        Ok(format!("<{} object at {:#x}>", this.ty().short_name(), this.as_ptr() as usize))
    }
    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(!self.data.pointer().is_null())
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let info = own_info(self.object())?;
        let argtypes = self.argument_types()?;
        let converters = match self.has_argtypes.get() {
            true => self.converters.get(),
            false => info.converters.get(),
        };
        let restype = self.result_type()?;
        let checker = match self.restype.is_some() {
            true => self.checker.get(),
            false => info.checker.get(),
        };
        let errcheck = self.errcheck.get();
        let address = self.data.pointer();
        if address.is_null() {
            return Err(raise!(ValueError, "attempt to call a NULL function pointer"));
        }
        let built = match (self.paramflags.get(), &argtypes) {
            (Some(flags), Some(argtypes)) if argtypes.len() > 0 => build(argtypes, &flags, args.as_slice(), kwargs)?,
            _ => {
                let args = args.as_slice().iter().map(|arg| arg.to_ref()).collect();
                Built { args, outputs: Vec::new(), in_outputs: Vec::new() }
            }
        };
        if let Some(converters) = &converters {
            let (required, actual) = (converters.len(), built.args.len());
            if required > actual {
                let plural = if required == 1 { "" } else { "s" };
                return Err(raise!(
                    TypeError,
                    "this function takes at least {required} argument{plural} ({actual} given)"
                ));
            }
        }
        let borrowed: Vec<&PyObject> = built.args.iter().map(|arg| &**arg).collect();
        let signature = Signature {
            flags: info.flags.get(),
            converters: converters.as_deref(),
            restype: restype.as_deref(),
            checker: checker.as_deref(),
        };
        let mut result = call::call(address.cast(), &borrowed, &signature)?;
        if let Some(errcheck) = errcheck {
            let args = PyTupleObject::from_slice(&borrowed);
            let checked = errcheck.call(&[&result, self.object(), args.as_object()])?;
            // What is not the result itself is the answer, without output parameters.
            if !checked.is(args.as_object()) {
                return Ok(checked);
            }
            result = checked;
        }
        collect_outputs(result, &built)
    }
    /// specify the result type
    #[getter]
    fn restype(&self) -> PyResult {
        Ok(self.result_type()?.unwrap_or_else(|| none().to_ref()))
    }
    #[setter(name = "restype")]
    fn set_restype(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            self.restype.set(None);
            self.checker.set(None);
            return Ok(());
        };
        if !is_none(value) && info_of_object(value).is_none() && !value.is_callable() {
            return Err(raise!(TypeError, "restype must be a type, a callable, or None"));
        }
        self.checker.set(value.get_attr_opt(identifier!("_check_retval_"))?);
        self.restype.set(Some(value.to_ref()));
        Ok(())
    }
    /// specify the argument types
    #[getter]
    fn argtypes(&self) -> PyResult {
        Ok(self.argument_types()?.map_or_else(|| none().to_ref(), Ref::into_object))
    }
    #[setter(name = "argtypes")]
    fn set_argtypes(&self, value: Option<&PyObject>) -> PyResult<()> {
        match value {
            Some(value) if !is_none(value) => {
                let types = value.to_tuple()?;
                let converters = converters_of(&types)?;
                self.converters.set(Some(converters));
                self.argtypes.set(Some(types));
                self.has_argtypes.set(true);
            }
            _ => {
                self.converters.set(None);
                self.argtypes.set(None);
                self.has_argtypes.set(false);
            }
        }
        Ok(())
    }
    /// a function to check for errors
    #[getter]
    fn errcheck(&self) -> Option<Ref> {
        self.errcheck.get()
    }
    #[setter(name = "errcheck")]
    fn set_errcheck(&self, value: Option<&PyObject>) -> PyResult<()> {
        if let Some(value) = value
            && !value.is_callable()
        {
            return Err(raise!(TypeError, "the errcheck attribute must be callable"));
        }
        self.errcheck.set(value.map(PyObject::to_ref));
        Ok(())
    }
}
