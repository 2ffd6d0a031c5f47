//! Instructions -> containers filled, classes found, instances made and given their state.

use super::input::truncated;
use super::load::{Load, fail};
use adder_runtime::objects::descrobject::PyGetSetDescr_Type;
use adder_runtime::objects::dictobject::instance;
use adder_runtime::prelude::*;

impl Load<'_> {
    pub fn load_dict(&mut self) -> PyResult<()> {
        let mark = self.pop_mark()?;
        let dict = PyDictObject::new();
        if !(self.stack.len() - mark).is_multiple_of(2) {
            return fail("odd number of items for DICT");
        }
        let items: Vec<Ref> = self.stack.drain(mark..).collect();
        for pair in items.chunks_exact(2) {
            dict.set(&pair[0], &pair[1])?;
        }
        self.stack.push(dict.into_object());
        Ok(())
    }
    pub fn load_frozenset(&mut self) -> PyResult<()> {
        let mark = self.pop_mark()?;
        let items: Vec<Ref> = self.stack.drain(mark..).collect();
        let set = PySetObject::new_frozenset();
        for item in &items {
            set.add(item)?;
        }
        self.stack.push(set.into_object());
        Ok(())
    }
    /// Appends what stands from `start` up to what stands below it.
    pub fn append_from(&mut self, start: usize) -> PyResult<()> {
        if start > self.stack.len() || start <= self.fence() {
            return self.underflow();
        }
        if start == self.stack.len() {
            return Ok(());
        }
        let target = self.stack[start - 1].clone();
        if let Some(list) = target.as_object().downcast_exact::<PyListObject>() {
            for item in self.stack.drain(start..) {
                list.try_push(item)?;
            }
            return Ok(());
        }
        let items: Vec<Ref> = self.stack.drain(start..).collect();
        if let Some(extend) = target.get_attr_opt(identifier!("extend"))? {
            extend.call1(PyListObject::from_vec(items).as_object())?;
            return Ok(());
        }
        // What only `append` was required of, before PEP 307.
        let append = target.get_attr(identifier!("append"))?;
        for item in &items {
            append.call1(item)?;
        }
        Ok(())
    }
    /// Sets the keys and values from `start` up in what stands below them.
    pub fn set_items_from(&mut self, start: usize) -> PyResult<()> {
        if start > self.stack.len() || start <= self.fence() {
            return self.underflow();
        }
        if start == self.stack.len() {
            return Ok(());
        }
        if !(self.stack.len() - start).is_multiple_of(2) {
            return fail("odd number of items for SETITEMS");
        }
        let target = self.stack[start - 1].clone();
        if let Some(dict) = target.as_object().downcast_exact::<PyDictObject>() {
            // Hashing may run Python code, but nothing that reaches this stack.
            for pair in self.stack[start..].chunks_exact(2) {
                dict.set(&pair[0], &pair[1])?;
            }
        } else {
            for pair in self.stack[start..].chunks_exact(2) {
                target.set_item(&pair[0], &pair[1])?;
            }
        }
        self.stack.truncate(start);
        Ok(())
    }
    pub fn load_add_items(&mut self) -> PyResult<()> {
        let mark = self.pop_mark()?;
        if mark > self.stack.len() || mark <= self.fence() {
            return self.underflow();
        }
        if mark == self.stack.len() {
            return Ok(());
        }
        let target = self.stack[mark - 1].clone();
        let items: Vec<Ref> = self.stack.drain(mark..).collect();
        if let Some(set) = target.as_object().downcast::<PySetObject>() {
            for item in &items {
                set.add(item)?;
            }
            return Ok(());
        }
        let add = target.get_attr(identifier!("add"))?;
        for item in &items {
            add.call1(item)?;
        }
        Ok(())
    }

    /// A line that names something.
    fn read_name(&mut self, ascii: bool) -> PyResult {
        let line = self.input.read_line()?;
        if line.is_empty() {
            return Err(truncated());
        }
        let text = if ascii {
            adder_runtime::objects::codecs::single_byte::decode_ascii(line, "strict")?
        } else {
            adder_runtime::objects::codecs::utf_8::decode(line, "strict", true)?.0
        };
        Ok(text.into_object())
    }
    pub fn load_global(&mut self) -> PyResult<()> {
        let module_name = self.read_name(false)?;
        let name = self.read_name(false)?;
        let object = self.class_named(&module_name, &name)?;
        self.stack.push(object);
        Ok(())
    }
    pub fn load_stack_global(&mut self) -> PyResult<()> {
        let name = self.pop()?;
        let module_name = self.pop()?;
        if !PyUnicodeObject::check_exact(&name) || !PyUnicodeObject::check_exact(&module_name) {
            return fail("STACK_GLOBAL requires str");
        }
        let object = self.class_named(&module_name, &name)?;
        self.stack.push(object);
        Ok(())
    }
    fn instantiate(&mut self, class: &PyObject, arguments: &PyTupleObject) -> PyResult<()> {
        let bare = arguments.len() == 0
            && class.downcast_type().is_some()
            && class.get_attr_opt(identifier!("__getinitargs__"))?.is_none();
        let object = if bare {
            class.call_method(identifier!("__new__"), &[class])?
        } else {
            class.call_tuple(arguments, None)?
        };
        self.stack.push(object);
        Ok(())
    }
    pub fn load_inst(&mut self) -> PyResult<()> {
        let mark = self.pop_mark()?;
        let module_name = self.read_name(true)?;
        let name = self.read_name(true)?;
        let class = self.class_named(&module_name, &name)?;
        let arguments = self.pop_tuple(mark)?;
        self.instantiate(&class, &arguments)
    }
    pub fn load_obj(&mut self) -> PyResult<()> {
        let mark = self.pop_mark()?;
        if self.stack.len() <= mark {
            return self.underflow();
        }
        let arguments = self.pop_tuple(mark + 1)?;
        let class = self.pop()?;
        self.instantiate(&class, &arguments)
    }
    pub fn load_newobj(&mut self, with_keywords: bool) -> PyResult<()> {
        let op = if with_keywords { "NEWOBJ_EX" } else { "NEWOBJ" };
        let kwargs = if with_keywords { Some(self.pop()?) } else { None };
        let arguments = self.pop()?;
        let class = self.pop()?;
        let Some(class) = class.as_object().downcast_type() else {
            let found = class.ty().full_name();
            return fail(&format!("{op} class argument must be a type, not {found}"));
        };
        let Some(new) = class.tp_new.get() else {
            let name = class.full_name();
            return fail(&format!("{op} class argument '{name}' doesn't have __new__"));
        };
        if !PyTupleObject::check(&arguments) {
            let found = arguments.ty().full_name();
            return fail(&format!("{op} args argument must be a tuple, not {found}"));
        }
        let kwargs = match &kwargs {
            Some(kwargs) if !PyDictObject::check(kwargs) => {
                let found = kwargs.ty().full_name();
                return fail(&format!("{op} kwargs argument must be a dict, not {found}"));
            }
            Some(kwargs) => kwargs.as_raw(),
            None => std::ptr::null_mut(),
        };
        // SAFETY: a type's own tp_new, with a tuple and a dict or null; it gives a new count or null.
        let object = unsafe { Ref::from_owned_opt(new(class.as_ptr().cast(), arguments.as_raw(), kwargs)) };
        match object {
            Some(object) => {
                self.stack.push(object);
                Ok(())
            }
            None => Err(Raised::from_c("__new__")),
        }
    }
    pub fn load_reduce(&mut self) -> PyResult<()> {
        let arguments = self.pop()?;
        let callable = self.pop()?;
        let Some(arguments) = arguments.as_object().downcast::<PyTupleObject>() else {
            return Err(raise!(TypeError, "argument list must be a tuple"));
        };
        let object = callable.call_tuple(arguments, None)?;
        self.stack.push(object);
        Ok(())
    }
    /// Gives the instance below the top the state on the top.
    pub fn load_build(&mut self) -> PyResult<()> {
        if self.stack.len() < self.fence() + 2 {
            return self.underflow();
        }
        let state = self.pop()?;
        let instance = self.top()?.clone();
        if let Some(set_state) = instance.get_attr_opt(identifier!("__setstate__"))? {
            set_state.call1(&state)?;
            return Ok(());
        }
        let (attributes, slots) = match state.as_object().downcast_exact::<PyTupleObject>().map(PyTupleObject::as_slice) {
            Some([attributes, slots]) => (*attributes, Some(*slots)),
            _ => (state.as_object(), None),
        };
        if !is_none(attributes) {
            let Some(attributes) = attributes.downcast::<PyDictObject>() else {
                return fail("state is not a dictionary");
            };
            set_attributes(&instance, attributes)?;
        }
        if let Some(slots) = slots.filter(|slots| !is_none(slots)) {
            let Some(slots) = slots.downcast::<PyDictObject>() else {
                return fail("slot state is not a dictionary");
            };
            let mut position = 0;
            while let Some((name, value, _)) = slots.next_entry(&mut position) {
                let (name, value) = (name.to_ref(), value.to_ref());
                let Some(name) = name.as_object().downcast::<PyUnicodeObject>() else {
                    let found = name.ty().name();
                    return Err(raise!(TypeError, "attribute name must be string, not '{found}'"));
                };
                instance.set_attr(name, &value)?;
            }
        }
        Ok(())
    }
}

/// `instance.__dict__.update(attributes)`, with the names interned.
fn set_attributes(object: &PyObject, attributes: &PyDictObject) -> PyResult<()> {
    // The usual class, whose `__dict__` is what `object` would have there: the values go to the instance itself.
    let plain = instance::valid_inline_values(object).is_some()
        && object
            .ty()
            .lookup(identifier!("__dict__"))
            .is_some_and(|descriptor| std::ptr::eq(descriptor.ty(), &PyGetSetDescr_Type));
    let dict = if plain { None } else { Some(object.get_attr(identifier!("__dict__"))?) };
    let mut position = 0;
    while let Some((name, value, _)) = attributes.next_entry(&mut position) {
        let (name, value) = (name.to_ref(), value.to_ref());
        let text = name.as_object().downcast_exact::<PyUnicodeObject>();
        let text = text.map(|text| if text.is_interned() { text.to_ref() } else { PyUnicodeObject::intern(text.to_ref()) });
        match (&dict, text) {
            (None, Some(text)) => {
                instance::set_attribute(object, &text, Some(&value))?;
            }
            (None, None) => object.get_attr(identifier!("__dict__"))?.set_item(&name, &value)?,
            (Some(dict), Some(text)) => dict.set_item(text.as_object(), &value)?,
            (Some(dict), None) => dict.set_item(&name, &value)?,
        }
    }
    Ok(())
}
