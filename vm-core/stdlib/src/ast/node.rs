//! `AST`, the base of all node classes: construction from fields, copying, pickling, printing.

use super::table::Kind;
use super::types::types;
use adder_runtime::exceptions::exc;
use adder_runtime::hooks::warn;
use adder_runtime::object::ObjectCell;
use adder_runtime::objects::genericaliasobject::Py_GenericAliasType;
use adder_runtime::objects::unionobject;
use adder_runtime::prelude::*;
use std::mem::offset_of;

/// A node: everything is in its dict.
#[repr(C)]
pub struct AstNode {
    ob_base: PyObject,
    pub dict: ObjectCell<PyDictObject>,
}

/// How deep `repr` goes.
const REPR_DEPTH: usize = 3;

#[pytype(
    name = "ast.AST",
    static_name = AST_TYPE,
    flags = BASETYPE | HAVE_GC,
    dictoffset = offset_of!(AstNode, dict) as isize,
)]
impl AstNode {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        cls.alloc_instance(0)
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.dict.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        drop(self.dict.take());
    }
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        let this = self.as_object();
        let fields = this
            .ty()
            .as_object()
            .get_attr(identifier!("_fields"))?
            .collect()?;
        if args.len() > fields.len() {
            let plural = if fields.len() == 1 { "" } else { "s" };
            return Err(raise!(
                TypeError,
                "{} constructor takes at most {} positional argument{plural}",
                this.ty().name(),
                fields.len()
            ));
        }
        let mut given = vec![false; fields.len()];
        for (index, value) in args.as_slice().iter().enumerate() {
            set(this, &fields[index], value)?;
            given[index] = true;
        }
        let mut attributes: Option<Vec<Ref>> = None;
        let mut position = 0;
        while let Some((key, value, _)) = kwargs.and_then(|kwargs| kwargs.next_entry(&mut position)) {
            let (key, value) = (key.to_ref(), value.to_ref());
            match index_of(&fields, &key)? {
                Some(index) if given[index] => {
                    return Err(raise!(
                        TypeError,
                        "{} got multiple values for argument {}",
                        this.ty().full_name(),
                        key.repr()?.to_string_lossy()
                    ));
                }
                Some(index) => given[index] = true,
                None => {
                    if attributes.is_none() {
                        attributes = Some(
                            this.ty()
                                .as_object()
                                .get_attr(identifier!("_attributes"))?
                                .collect()?,
                        );
                    }
                    if index_of(attributes.as_deref().unwrap_or_default(), &key)?.is_none() {
                        let message = format!(
                            "{}.__init__ got an unexpected keyword argument {}. Support for arbitrary keyword \
                             arguments is deprecated and will be removed in Python 3.15.",
                            this.ty().full_name(),
                            key.repr()?.to_string_lossy()
                        );
                        warn(exc::DeprecationWarning, &message, 1)?;
                    }
                }
            }
            set(this, &key, &value)?;
        }
        let missing: Vec<&Ref> = fields
            .iter()
            .zip(&given)
            .filter(|(_, given)| !**given)
            .map(|(name, _)| name)
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            set_defaults(this, &missing)
        }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        Ok(PyUnicodeObject::from_string(node_repr(self.as_object(), REPR_DEPTH)?).into_object())
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let this = self.as_object();
        let class = this.ty().as_object();
        let Some(dict) = self.dict.get() else {
            return Ok(PyTupleObject::from_slice(&[class, PyTupleObject::empty().as_object()]).into_object());
        };
        // The constructor wants its required fields; the state then sets all.
        let mut n_given = 0;
        if let Some(fields) = class.get_attr_opt(identifier!("_fields"))? {
            for name in fields.collect()? {
                if !dict.contains(&name)? {
                    break;
                }
                n_given += 1;
            }
        }
        let args = PyTupleObject::with_len_and(n_given, |_| none_ref());
        let state = dict.copy()?;
        Ok(PyTupleObject::from_slice(&[class, args.as_object(), state.as_object()]).into_object())
    }
    /// Return a copy with other values for the given fields.
    #[method(raw, "($self, /, **fields)")]
    fn __replace__(&self, args: &[&PyObject], kwargs: adder_runtime::args::Kwargs<'_>) -> PyResult {
        if !args.is_empty() {
            return Err(raise!(TypeError, "__replace__() takes no positional arguments"));
        }
        let kwargs: Vec<(Ref, Ref)> = kwargs
            .iter()
            .map(|(name, value)| (name.to_object(), value.to_ref()))
            .collect();
        replace(self, &kwargs)
    }
}

fn set(node: &PyObject, name: &PyObject, value: &PyObject) -> PyResult<()> {
    node.set_attr(adder_runtime::protocol::attributes::attribute_name(name)?, value)
}

fn index_of(names: &[Ref], name: &PyObject) -> PyResult<Option<usize>> {
    for (index, candidate) in names.iter().enumerate() {
        if candidate.is(name) || candidate.eq(name)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Gives the fields that the constructor was not told their defaults.
fn set_defaults(node: &PyObject, missing: &[&Ref]) -> PyResult<()> {
    let types = types()?;
    let class = node.ty().full_name();
    let Some(field_types) = node.ty().as_object().get_attr_opt(identifier!("_field_types"))? else {
        return Ok(());
    };
    let Some(field_types) = field_types.downcast::<PyDictObject>().ok() else {
        return Err(raise!(TypeError, "{class}._field_types must be a dict"));
    };
    for name in missing {
        match field_types.get(name)? {
            None => {
                let message = format!(
                    "Field {} is missing from {class}._field_types. This will become an error in Python 3.15.",
                    name.repr()?.to_string_lossy()
                );
                warn(exc::DeprecationWarning, &message, 1)?;
            }
            // The class has None for optional fields.
            Some(ty) if unionobject::members(&ty).is_some() => {}
            Some(ty) if std::ptr::eq(ty.ty(), &Py_GenericAliasType) => {
                set(node, name, PyListObject::new().as_object())?;
            }
            Some(ty) if ty.is(types.class(Kind::expr_context).ty.as_object()) => {
                if let Some(load) = &types.class(Kind::Load).singleton {
                    set(node, name, load)?;
                }
            }
            Some(_) => {
                let message = format!(
                    "{class}.__init__ missing 1 required positional argument: '{}'. This will become an error in \
                     Python 3.15.",
                    name.str()?.to_string_lossy()
                );
                warn(exc::DeprecationWarning, &message, 1)?;
            }
        }
    }
    Ok(())
}

/// The names in an attribute of a node's class, if it has it.
fn names_of(node: &PyObject, attribute: &PyUnicodeObject) -> PyResult<Vec<Ref>> {
    match node.ty().as_object().get_attr_opt(attribute)? {
        Some(names) => names.collect(),
        None => Ok(Vec::new()),
    }
}

fn replace(node: &AstNode, changes: &[(Ref, Ref)]) -> PyResult {
    let this = node.as_object();
    let class = this.ty().full_name();
    let fields = names_of(this, identifier!("_fields"))?;
    let attributes = names_of(this, identifier!("_attributes"))?;
    // What still has to come from somewhere.
    let mut expected: Vec<Ref> = Vec::new();
    for name in fields.iter().chain(&attributes) {
        if index_of(&expected, name)?.is_none() {
            expected.push(name.clone());
        }
    }
    for (name, _) in changes {
        match index_of(&expected, name)? {
            Some(index) => drop(expected.swap_remove(index)),
            None => {
                return Err(raise!(
                    TypeError,
                    "{class}.__replace__ got an unexpected keyword argument {}.",
                    name.repr()?.to_string_lossy()
                ));
            }
        }
    }
    let dict = node.dict.get();
    let in_dict = |name: &Ref| dict.as_ref().map_or(Ok(false), |dict| dict.contains(name));
    let field_types = this.ty().as_object().get_attr_opt(identifier!("_field_types"))?;
    let field_types = field_types.and_then(|types| types.downcast::<PyDictObject>().ok());
    let mut missing = Vec::new();
    for name in expected {
        if in_dict(&name)? || index_of(&attributes, &name)?.is_some() {
            continue;
        }
        let ty = match &field_types {
            Some(types) => types.get(&name)?,
            None => None,
        };
        if ty.is_none_or(|ty| unionobject::members(&ty).is_none()) {
            missing.push(name.repr()?.to_string_lossy());
        }
    }
    if !missing.is_empty() {
        missing.sort();
        let plural = if missing.len() == 1 { "" } else { "s" };
        return Err(raise!(
            TypeError,
            "{class}.__replace__ missing {} keyword argument{plural}: {}.",
            missing.len(),
            missing.join(", ")
        ));
    }
    let payload = PyDictObject::new();
    for name in fields.iter().chain(&attributes) {
        if let Some(value) = dict.as_ref().map_or(Ok(None), |dict| dict.get(name))? {
            payload.set(name, &value)?;
        }
    }
    for (name, value) in changes {
        payload.set(name, value)?;
    }
    this.ty()
        .as_object()
        .call_tuple(&PyTupleObject::empty(), Some(&payload))
}

fn node_repr(node: &PyObject, depth: usize) -> PyResult<String> {
    let name = node.ty().name();
    if depth == 0 {
        return Ok(format!("{name}(...)"));
    }
    let text = adder_runtime::protocol::with_repr_guard(node, || {
        let mut parts = Vec::new();
        for field in names_of(node, identifier!("_fields"))? {
            let value = node.get_attr(adder_runtime::protocol::attributes::attribute_name(&field)?)?;
            let value = match sequence_repr(&value, depth - 1)? {
                Some(text) => text,
                None => value_repr(&value, depth - 1)?,
            };
            parts.push(format!("{}={value}", field.str()?.to_string_lossy()));
        }
        Ok(format!("{name}({})", parts.join(", ")))
    })?;
    Ok(text.unwrap_or_else(|| format!("{name}(...)")))
}

fn value_repr(value: &PyObject, depth: usize) -> PyResult<String> {
    if value.is_instance_of(&AST_TYPE) {
        node_repr(value, depth)
    } else {
        Ok(value.repr()?.to_string_lossy())
    }
}

/// Lists and tuples show their first and last item.
fn sequence_repr(value: &PyObject, depth: usize) -> PyResult<Option<String>> {
    let (open, items, close) = if PyListObject::check(value) {
        ('[', value.collect()?, ']')
    } else if PyTupleObject::check(value) {
        ('(', value.collect()?, ')')
    } else {
        return Ok(None);
    };
    let mut text = String::from(open);
    if let Some(first) = items.first() {
        text.push_str(&value_repr(first, depth)?);
    }
    if items.len() > 2 {
        text.push_str(", ...");
    }
    if items.len() > 1 {
        text.push_str(", ");
        text.push_str(&value_repr(&items[items.len() - 1], depth)?);
    }
    text.push(close);
    Ok(Some(text))
}

/// Whether `object` is a node.
pub fn is_node(object: &PyObject) -> bool {
    object.is_instance_of(&AST_TYPE)
}

/// A node with its fields and place, made without its constructor.
pub fn make(class: &PyTypeObject, dict: Ref<PyDictObject>) -> PyResult {
    let node = class.alloc_instance(0)?;
    match node.dict_slot() {
        Some(slot) => slot.set(dict.into_object_raw()),
        None => return Err(raise!(SystemError, "node class without a dict")),
    }
    Ok(node)
}
