//! The node classes as Python types, made from the table when module `_ast` or a tree is first asked for.

use super::node::AST_TYPE;
use super::table::{Field, Kind, NODES, NodeClass, Quantity, Role, sum_doc};
use adder_runtime::objects::genericaliasobject::new_generic_alias;
use adder_runtime::objects::unionobject::union_of;
use adder_runtime::prelude::*;
use std::cell::OnceCell;
use std::collections::HashMap;

/// What the conversions know of a class.
pub struct Class {
    pub ty: Ref<PyTypeObject>,
    /// Names of the fields, in order.
    pub names: Box<[Ref<PyUnicodeObject>]>,
    /// The one instance that stands for all, of classes without fields and places.
    pub singleton: Option<Ref>,
}

/// All node classes, by `Kind`.
pub struct Types {
    classes: Vec<Class>,
    kinds: HashMap<usize, Kind>,
}

struct Shared(OnceCell<Types>);
// SAFETY: touched only under the GIL.
unsafe impl Sync for Shared {}
static TYPES: Shared = Shared(OnceCell::new());

/// The names of the attributes that say where a node is.
pub const PLACES: [&str; 4] = ["lineno", "col_offset", "end_lineno", "end_col_offset"];

/// The node classes; made on first use.
pub fn types() -> PyResult<&'static Types> {
    if let Some(types) = TYPES.0.get() {
        return Ok(types);
    }
    let types = Types::make()?;
    Ok(TYPES.0.get_or_init(|| types))
}

impl Types {
    pub fn class(&self, kind: Kind) -> &Class {
        &self.classes[kind as usize]
    }

    /// The kind of an instance: that of the nearest class of ours among its type's bases.
    pub fn kind_of(&self, object: &PyObject) -> Option<Kind> {
        let ty = object.ty();
        if let Some(kind) = self.kinds.get(&(ty.as_ptr() as usize)) {
            return Some(*kind);
        }
        let mro = ty.mro()?;
        mro.as_slice()
            .iter()
            .find_map(|class| self.kinds.get(&(class.as_ptr() as usize)))
            .copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static NodeClass, &Class)> {
        NODES.iter().zip(&self.classes)
    }

    fn make() -> PyResult<Types> {
        prepare_base()?;
        let mut types = Types {
            classes: Vec::with_capacity(NODES.len()),
            kinds: HashMap::new(),
        };
        for node in NODES {
            let class = types.make_class(node)?;
            types.kinds.insert(class.ty.as_ptr() as usize, node.kind);
            types.classes.push(class);
        }
        // Types of fields name classes that come later in the table.
        for node in NODES {
            types.add_field_types(node)?;
        }
        Ok(types)
    }

    fn make_class(&self, node: &NodeClass) -> PyResult<Class> {
        let base = match node.role {
            Role::Alternative(sum) => self.classes[sum as usize].ty.to_ref(),
            Role::Sum | Role::Product => AST_TYPE.to_ref(),
        };
        let names: Box<[_]> = node.fields().map(|field| interned(field.name)).collect();
        let fields = PyTupleObject::from_vec(names.iter().map(|name| name.to_object()).collect());
        let dict = PyDictObject::new();
        let doc = if node.role == Role::Sum {
            sum_doc(node)
        } else {
            node.signature()
        };
        dict.set_str(identifier!("_fields"), fields.as_object())?;
        dict.set_str(identifier!("__match_args__"), fields.as_object())?;
        dict.set_str(identifier!("__module__"), identifier!("ast").as_object())?;
        dict.set_str(
            identifier!("__doc__"),
            PyUnicodeObject::from_string(doc).as_object(),
        )?;
        if !matches!(node.role, Role::Alternative(_)) {
            let places: &[&str] = if node.located { &PLACES } else { &[] };
            let places = places.iter().map(|name| interned(name).into_object()).collect();
            dict.set_str(
                identifier!("_attributes"),
                PyTupleObject::from_vec(places).as_object(),
            )?;
            if node.located {
                dict.set_str(identifier!("end_lineno"), none())?;
                dict.set_str(identifier!("end_col_offset"), none())?;
            }
        }
        for field in node.fields().filter(|field| field.quantity == Quantity::Optional) {
            dict.set_str(&interned(field.name), none())?;
        }
        let name = interned(node.name);
        let bases = PyTupleObject::from_slice(&[base.as_object()]);
        let ty = adder_runtime::PyType_Type.as_object().call(&[
            name.as_object(),
            bases.as_object(),
            dict.as_object(),
        ])?;
        let ty = ty
            .downcast::<PyTypeObject>()
            .map_err(|_| raise!(SystemError, "a node class is not a type"))?;
        let is_simple = matches!(node.role, Role::Alternative(_)) && names.is_empty() && !node.located;
        let singleton = if is_simple {
            Some(ty.alloc_instance(0)?)
        } else {
            None
        };
        Ok(Class { ty, names, singleton })
    }

    fn add_field_types(&self, node: &NodeClass) -> PyResult<()> {
        if node.role == Role::Sum {
            return Ok(());
        }
        let field_types = PyDictObject::new();
        for field in node.fields() {
            field_types.set_str(&interned(field.name), &*self.field_type(field)?)?;
        }
        let ty = self.class(node.kind).ty.as_object();
        ty.set_attr(identifier!("_field_types"), field_types.as_object())?;
        ty.set_attr(identifier!("__annotations__"), field_types.as_object())
    }

    fn field_type(&self, field: Field) -> PyResult {
        let one = match field.kind {
            "identifier" | "string" => PyUnicodeObject::type_object().as_object(),
            "int" => PyLongObject::type_object().as_object(),
            "constant" => PyObject::type_object().as_object(),
            name => {
                let node = NODES
                    .iter()
                    .find(|node| node.name == name)
                    .expect("fields name classes of the table");
                self.class(node.kind).ty.as_object()
            }
        };
        match field.quantity {
            Quantity::One => Ok(one.to_ref()),
            Quantity::Optional => union_of(one, none()),
            Quantity::Many => new_generic_alias(PyListObject::type_object().as_object(), one),
        }
    }
}

pub fn interned(text: &str) -> Ref<PyUnicodeObject> {
    PyUnicodeObject::intern(PyUnicodeObject::from_str(text))
}

/// Readies `AST`, which is a class that programs may change.
fn prepare_base() -> PyResult<()> {
    adder_runtime::types::ready(&AST_TYPE)?;
    adder_runtime::types::typeobject::add_dict_and_weakref_getsets(&AST_TYPE, true, false)?;
    AST_TYPE.clear_flag(Py_TPFLAGS_IMMUTABLETYPE);
    let base = AST_TYPE.as_object();
    let empty = PyTupleObject::empty();
    for name in ["_fields", "_attributes", "__match_args__"] {
        base.set_attr(&interned(name), empty.as_object())?;
    }
    base.set_attr(identifier!("__module__"), identifier!("ast").as_object())
}
