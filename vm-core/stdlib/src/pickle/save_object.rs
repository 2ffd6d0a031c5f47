//! Objects -> instructions: classes and functions by name, everything else by what its `__reduce_ex__` says, and
//! persistent ids.

use super::opcode::*;
use super::save::{Dump, encode_name};
use super::{LINKS, PICKLING_ERROR, attribute_path, linked, noted, replace_error, split_dotted};
use adder_runtime::exceptions::exc;
use adder_runtime::objects::singletons::{_PyNone_Type, _PyNotImplemented_Type, PyEllipsis_Type};
use adder_runtime::prelude::*;

type Str = Ref<PyUnicodeObject>;

/// How an object says that it is to be made: callable, arguments, and what follows.
struct Reduced<'a> {
    callable: &'a PyObject,
    arguments: &'a PyTupleObject,
    state: Option<&'a PyObject>,
    items: Option<&'a PyObject>,
    pairs: Option<&'a PyObject>,
    state_setter: Option<&'a PyObject>,
}

fn reduce_error<T>(message: String) -> PyResult<T> {
    Err(PICKLING_ERROR.raise(message))
}

fn type_of(object: &PyObject) -> String {
    object.ty().fully_qualified_name()
}

impl<'a> Reduced<'a> {
    fn of(reduced: &'a PyTupleObject) -> PyResult<Reduced<'a>> {
        let items = reduced.as_slice();
        if !(2..=6).contains(&items.len()) {
            return reduce_error("tuple returned by __reduce__ must contain 2 through 6 elements".to_owned());
        }
        let wrong = |place: &str, wanted: &str, found: &PyObject| {
            let found = type_of(found);
            reduce_error(format!("{place} item of the tuple returned by __reduce__ must be {wanted}, not {found}"))
        };
        let optional = |at: usize| items.get(at).copied().filter(|item| !is_none(item));
        if !items[0].is_callable() {
            return wrong("first", "callable", items[0]);
        }
        let Some(arguments) = items[1].downcast::<PyTupleObject>() else {
            return wrong("second", "a tuple", items[1]);
        };
        for (at, place) in [(3, "fourth"), (4, "fifth")] {
            if let Some(found) = optional(at).filter(|item| !item.is_iterator()) {
                return wrong(place, "an iterator", found);
            }
        }
        if let Some(found) = optional(5).filter(|item| !item.is_callable()) {
            return wrong("sixth", "callable", found);
        }
        Ok(Reduced {
            callable: items[0],
            arguments,
            state: optional(2),
            items: optional(3),
            pairs: optional(4),
            state_setter: optional(5),
        })
    }
}

impl Dump<'_> {
    /// Writes the id that the object has outside; false when it has none.
    pub fn save_persistent(&mut self, object: &PyObject) -> PyResult<bool> {
        let Some(persistent_id) = self.persistent_id.clone() else { return Ok(false) };
        let id = persistent_id.call1(object)?;
        if is_none(&id) {
            return Ok(false);
        }
        if self.bin {
            self.save_plain(&id)?;
            self.out.op(BINPERSID);
            return Ok(true);
        }
        let text = id.str()?;
        match text.ascii_str() {
            Some(text) => {
                self.out.op(PERSID);
                self.out.push(text.as_bytes());
                self.out.op(b'\n');
                Ok(true)
            }
            None => reduce_error("persistent IDs in protocol 0 must be ASCII strings".to_owned()),
        }
    }

    /// Asks the dispatch table, then the object itself, how it is to be made.
    pub fn save_by_reduction(&mut self, object: &PyObject) -> PyResult<()> {
        let ty = object.ty();
        let function = match &self.dispatch_table {
            None => linked(&LINKS.here().dispatch_table, ty.as_object())?,
            Some(table) => match table.as_object().downcast_exact::<PyDictObject>() {
                Some(table) => table.get(ty.as_object())?,
                None => match table.get_item(ty.as_object()) {
                    Ok(function) => Some(function),
                    Err(raised) => {
                        raised.clear_if(exc::KeyError)?;
                        None
                    }
                },
            },
        };
        let reduced = if let Some(function) = function {
            function.call1(object)?
        } else if ty.is_subtype(&adder_runtime::PyType_Type) {
            return self.save_global(object, None);
        } else if let Some(function) = object.get_attr_opt(identifier!("__reduce_ex__"))? {
            function.call1(PyLongObject::from_i64(self.proto.into()).as_object())?
        } else if let Some(function) = object.get_attr_opt(identifier!("__reduce__"))? {
            function.call0()?
        } else {
            return reduce_error(format!("Can't pickle {} object", type_of(object)));
        };
        self.save_reduced(&reduced, object)
    }
    /// Writes what a reduction gave: a name, or a tuple.
    pub fn save_reduced(&mut self, reduced: &PyObject, object: &PyObject) -> PyResult<()> {
        if let Some(name) = reduced.downcast::<PyUnicodeObject>() {
            return self.save_global(object, Some(name));
        }
        let saved = match reduced.downcast::<PyTupleObject>() {
            Some(reduced) => self.save_reduce(reduced, object),
            None => reduce_error(format!("__reduce__ must return a string or tuple, not {}", type_of(reduced))),
        };
        noted(saved, || format!("when serializing {} object", type_of(object)))
    }
    fn save_part(&mut self, part: &PyObject, object: &PyObject, what: &str) -> PyResult<()> {
        let saved = self.save(part);
        noted(saved, || format!("when serializing {} {what}", type_of(object)))
    }
    /// Writes the tuple of a reduction of `object`.
    pub fn save_reduce(&mut self, reduced: &PyTupleObject, object: &PyObject) -> PyResult<()> {
        let reduced = Reduced::of(reduced)?;
        let name = match self.proto {
            0 | 1 => None,
            _ => reduced.callable.get_attr_opt(identifier!("__name__"))?,
        };
        let name = name.as_deref().and_then(|name| name.downcast::<PyUnicodeObject>());
        match name {
            Some(name) if name.eq_str("__newobj_ex__") => self.save_newobj_ex(reduced.arguments, object)?,
            Some(name) if name.eq_str("__newobj__") => self.save_newobj(reduced.arguments, object)?,
            _ => {
                self.save_part(reduced.callable, object, "reconstructor")?;
                self.save_part(reduced.arguments.as_object(), object, "reconstructor arguments")?;
                self.out.op(REDUCE);
            }
        }
        // An object that its own arguments refer to was written meanwhile: that one is taken.
        match self.number_of(object) {
            Some(number) => {
                self.out.op(POP);
                self.write_get(number)?;
            }
            None => self.memoize(object)?,
        }
        if let Some(items) = reduced.items {
            self.save_items(items, object)?;
        }
        if let Some(pairs) = reduced.pairs {
            self.save_pairs(pairs, object)?;
        }
        match (reduced.state, reduced.state_setter) {
            (None, _) => {}
            (Some(state), None) => {
                self.save_part(state, object, "state")?;
                self.out.op(BUILD);
            }
            (Some(state), Some(setter)) => {
                self.save_part(setter, object, "state setter")?;
                self.save(object)?;
                self.save_part(state, object, "state")?;
                self.out.push(&[TUPLE2, REDUCE, POP]);
            }
        }
        Ok(())
    }
    fn save_newobj_ex(&mut self, arguments: &PyTupleObject, object: &PyObject) -> PyResult<()> {
        let [class, args, kwargs] = arguments.as_slice() else {
            return reduce_error(format!("__newobj_ex__ expected 3 arguments, got {}", arguments.len()));
        };
        let wrong = |place: &str, wanted: &str, found: &PyObject| {
            reduce_error(format!("{place} argument to __newobj_ex__() must be {wanted}, not {}", type_of(found)))
        };
        if class.downcast_type().is_none() {
            return wrong("first", "a class", class);
        }
        let Some(args) = args.downcast::<PyTupleObject>() else {
            return wrong("second", "a tuple", args);
        };
        let Some(kwargs) = kwargs.downcast::<PyDictObject>() else {
            return wrong("third", "a dict", kwargs);
        };
        if self.proto >= 4 {
            self.save_part(class, object, "class")?;
            self.save_part(args.as_object(), object, "__new__ arguments")?;
            self.save_part(kwargs.as_object(), object, "__new__ arguments")?;
            self.out.op(NEWOBJ_EX);
            return Ok(());
        }
        let new = class.get_attr(identifier!("__new__"))?;
        let mut arguments = vec![new, class.to_ref()];
        arguments.extend(args.as_slice().iter().map(|argument| argument.to_ref()));
        let partial = LINKS.here().partial.get().unwrap_or_else(none_ref);
        let partial = partial.call_tuple(&PyTupleObject::from_vec(arguments), Some(kwargs))?;
        self.save_part(&partial, object, "reconstructor")?;
        self.save(PyTupleObject::empty().as_object())?;
        self.out.op(REDUCE);
        Ok(())
    }
    fn save_newobj(&mut self, arguments: &PyTupleObject, object: &PyObject) -> PyResult<()> {
        let Some((class, _)) = arguments.as_slice().split_first() else {
            return reduce_error("__newobj__ expected at least 1 argument, got 0".to_owned());
        };
        if class.downcast_type().is_none() {
            let found = type_of(class);
            return reduce_error(format!("first argument to __newobj__() must be a class, not {found}"));
        }
        let own_class = object.get_attr(identifier!("__class__"))?;
        if !own_class.is(class) {
            let (own_class, class) = (own_class.repr()?.to_string_lossy(), class.repr()?.to_string_lossy());
            return reduce_error(format!("first argument to __newobj__() must be {own_class}, not {class}"));
        }
        self.save_part(class, object, "class")?;
        let rest = arguments.slice(1, arguments.len());
        self.save_part(rest.as_object(), object, "__new__ arguments")?;
        self.out.op(NEWOBJ);
        Ok(())
    }

    pub fn save_type(&mut self, object: &PyObject) -> PyResult<()> {
        let singletons: [(&PyTypeObject, &PyObject); 3] = [
            (&_PyNone_Type, none()),
            (&_PyNotImplemented_Type, not_implemented()),
            (&PyEllipsis_Type, ellipsis()),
        ];
        for (class, instance) in singletons {
            if object.is(class.as_object()) {
                let arguments = PyTupleObject::from_vec(vec![instance.to_ref()]);
                let reduced =
                    PyTupleObject::from_vec(vec![adder_runtime::PyType_Type.to_object(), arguments.into_object()]);
                return self.save_reduce(&reduced, object);
            }
        }
        self.save_global(object, None)
    }
    /// Writes an object as the place where it is found: module and dotted name.
    pub fn save_global(&mut self, object: &PyObject, name: Option<&PyUnicodeObject>) -> PyResult<()> {
        let name: Str = match name {
            Some(name) => name.to_ref(),
            None => {
                let name = match object.get_attr_opt(identifier!("__qualname__"))? {
                    Some(name) => name,
                    None => object.get_attr(identifier!("__name__"))?,
                };
                as_str(name)?
            }
        };
        let path = split_dotted(&name);
        let module_name = module_of(object, &name, &path)?;
        if self.proto >= 2 && self.save_extension(&module_name, &name)? {
            return Ok(());
        }
        if self.proto >= 4 {
            self.save(module_name.as_object())?;
            self.save(name.as_object())?;
            self.out.op(STACK_GLOBAL);
            return self.memoize(object);
        }
        // `getattr(getattr(top, a), b)`, from the inside.
        let getattr = LINKS.here().getattr.get().unwrap_or_else(none_ref);
        for _ in &path[1..] {
            self.save(&getattr)?;
            if self.proto < 2 {
                self.out.op(MARK);
            }
        }
        self.save_top_level(module_name, path[0].clone())?;
        for attribute in &path[1..] {
            self.save(attribute.as_object())?;
            self.out.op(if self.proto < 2 { TUPLE } else { TUPLE2 });
            self.out.op(REDUCE);
        }
        self.memoize(object)
    }
    fn save_extension(&mut self, module_name: &PyUnicodeObject, name: &PyUnicodeObject) -> PyResult<bool> {
        match LINKS.here().extension_registry.borrow() {
            Some(registry) if !registry.is_empty() => {}
            _ => return Ok(false),
        }
        let key = PyTupleObject::from_vec(vec![module_name.to_object(), name.to_object()]);
        let Some(code) = linked(&LINKS.here().extension_registry, key.as_object())? else { return Ok(false) };
        let code = code.index()?.as_i64()?;
        match u32::try_from(code) {
            Ok(code @ 1..=0xff) => self.out.op_u8(EXT1, code as u8),
            Ok(code @ 0x100..=0xffff) => {
                let [low, high] = (code as u16).to_le_bytes();
                self.out.push(&[EXT2, low, high]);
            }
            Ok(code @ 0x10000..=0x7fff_ffff) => self.out.op_u32(EXT4, code),
            _ => return Err(raise!(RuntimeError, "extension code {code} is out of range")),
        }
        Ok(true)
    }
    fn save_top_level(&mut self, module_name: Str, name: Str) -> PyResult<()> {
        let (module_name, name) = match self.settings.fix_imports.get() && self.proto < 3 {
            true => python_2_names(module_name, name)?,
            false => (module_name, name),
        };
        let proto = self.proto;
        let mut line = vec![GLOBAL];
        for (what, text) in [("module", &module_name), ("global", &name)] {
            let bytes = encode_name(text, proto).map_err(|raised| {
                if !raised.matches(exc::UnicodeEncodeError) {
                    return raised;
                }
                replace_error(raised, || {
                    let shown = text.repr().map_or_else(
                        |raised| {
                            raised.clear();
                            text.to_string_lossy()
                        },
                        |shown| shown.to_string_lossy(),
                    );
                    let message = format!("can't pickle {what} identifier {shown} using pickle protocol {proto}");
                    PICKLING_ERROR.raise(message)
                })
            })?;
            if let Some(bytes) = bytes.as_object().downcast::<PyBytesObject>() {
                line.extend_from_slice(bytes.as_bytes());
            }
            line.push(b'\n');
        }
        self.out.push(&line);
        Ok(())
    }
}

fn as_str(object: Ref) -> PyResult<Str> {
    object.downcast::<PyUnicodeObject>().map_err(|object| {
        let found = object.ty().name();
        raise!(TypeError, "name must be a string, not {found}")
    })
}

/// The names that a module and a global had in Python 2.
fn python_2_names(module_name: Str, name: Str) -> PyResult<(Str, Str)> {
    let key = PyTupleObject::from_vec(vec![module_name.to_object(), name.to_object()]);
    if let Some(old) = linked(&LINKS.here().reverse_name_mapping, key.as_object())? {
        return match old.as_object().downcast::<PyTupleObject>().map(PyTupleObject::as_slice) {
            Some([module_name, name]) => Ok((as_str(module_name.to_ref())?, as_str(name.to_ref())?)),
            _ => {
                let found = old.ty().name();
                Err(raise!(
                    RuntimeError,
                    "_compat_pickle.REVERSE_NAME_MAPPING values should be 2-tuples, not {found}"
                ))
            }
        };
    }
    match linked(&LINKS.here().reverse_import_mapping, module_name.as_object())? {
        Some(old) => Ok((as_str(old)?, name)),
        None => Ok((module_name, name)),
    }
}

fn not_pickled(object: &PyObject, why: &str) -> Raised {
    match object.repr() {
        Ok(shown) => PICKLING_ERROR.raise(format!("Can't pickle {}{why}", shown.to_string_lossy())),
        Err(raised) => raised,
    }
}

/// The module in which an object is found under a name; it is looked up there, so that the reader will find it too.
fn module_of(object: &PyObject, name: &PyUnicodeObject, path: &[Str]) -> PyResult<Str> {
    let module_name = object.get_attr_opt(identifier!("__module__"))?.filter(|name| !is_none(name));
    if path.iter().any(|part| part.eq_str("<locals>")) {
        return match object.repr() {
            Ok(shown) => reduce_error(format!("Can't pickle local object {}", shown.to_string_lossy())),
            Err(raised) => Err(raised),
        };
    }
    let module_name = match module_name {
        Some(module_name) => as_str(module_name)?,
        None => match search_modules(object, path)? {
            Some(module_name) => return Ok(module_name),
            None => PyUnicodeObject::intern_immortal("__main__").to_ref(),
        },
    };
    let module = adder_runtime::hooks::import_named(&module_name).map_err(|raised| {
        if !(raised.matches(exc::ImportError) || raised.matches(exc::ValueError)) {
            return raised;
        }
        let error = raised.take();
        let message = error.str().map(|text| text.to_string_lossy());
        let raised = adder_runtime::error::restore(error);
        match message {
            Ok(message) => replace_error(raised, || not_pickled(object, &format!(": {message}"))),
            Err(raised) => raised,
        }
    })?;
    let place = || format!("{}.{}", module_name.to_string_lossy(), name.to_string_lossy());
    let found = attribute_path(&module, path).map_err(|raised| {
        if !raised.matches(exc::AttributeError) {
            return raised;
        }
        replace_error(raised, || not_pickled(object, &format!(": it's not found as {}", place())))
    })?;
    if !found.is(object) {
        return Err(not_pickled(object, &format!(": it's not the same object as {}", place())));
    }
    Ok(module_name)
}

/// The name of a module that has the object at this path.
fn search_modules(object: &PyObject, path: &[Str]) -> PyResult<Option<Str>> {
    let Some(modules) = adder_runtime::hooks::sys_attribute(identifier!("modules")) else { return Ok(None) };
    let items = modules.call_method(identifier!("copy"), &[])?.call_method(identifier!("items"), &[])?;
    for item in items.collect()? {
        let item = item.as_object().downcast::<PyTupleObject>().map(PyTupleObject::as_slice);
        let Some([name, module]) = item else { continue };
        let Some(name) = name.downcast::<PyUnicodeObject>() else { continue };
        if name.eq_str("__main__") || name.eq_str("__mp_main__") || is_none(module) {
            continue;
        }
        match attribute_path(module, path) {
            Ok(found) if found.is(object) => return Ok(Some(name.to_ref())),
            Ok(_) => {}
            Err(raised) => raised.clear_if(exc::AttributeError)?,
        }
    }
    Ok(None)
}
