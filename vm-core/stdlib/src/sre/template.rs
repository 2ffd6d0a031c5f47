//! `_sre.SRE_Template`: a parsed replacement string, and its expansion for a match.

use super::matched::Match;
use adder_runtime::prelude::*;

/// Literals and groups in turn.
#[repr(C)]
pub struct Template {
    ob_base: PyObject,
    pub literal: Ref,
    /// A group's number and what follows it, if that is not empty.
    items: Vec<(usize, Option<Ref>)>,
}

#[pytype(name = "re._Template", static_name = TEMPLATE_TYPE, flags = HAVE_GC | DISALLOW_INSTANTIATION)]
/// A parsed replacement string.
impl Template {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for (_, literal) in &self.items {
            let status = visitor.visit_ref(literal);
            if status != 0 {
                return status;
            }
        }
        visitor.visit(self.literal.as_raw())
    }
    pub fn has_groups(&self) -> bool {
        !self.items.is_empty()
    }
    /// The replacement for a match.
    pub fn expand(&self, matched: &Match) -> PyResult {
        if self.items.is_empty() {
            return Ok(self.literal.clone());
        }
        let mut parts = Vec::with_capacity(1 + 2 * self.items.len());
        if !is_empty(&self.literal) {
            parts.push(self.literal.clone());
        }
        for (group, literal) in &self.items {
            if *group >= matched.n_groups() {
                return Err(raise!(IndexError, "no such group"));
            }
            if let Some(text) = matched.group_text(*group)? {
                parts.push(text);
            }
            parts.extend(literal.clone());
        }
        join(parts, self.literal.as_object().downcast::<PyUnicodeObject>().is_none())
    }
}

fn is_empty(literal: &PyObject) -> bool {
    if let Some(text) = literal.downcast::<PyUnicodeObject>() {
        return text.is_empty();
    }
    literal.downcast::<PyBytesObject>().is_some_and(|bytes| bytes.as_bytes().is_empty())
}

/// The pieces of a substitution put together.
pub fn join(parts: Vec<Ref>, bytes: bool) -> PyResult {
    if !bytes && let [only] = parts.as_slice() && only.downcast_exact::<PyUnicodeObject>().is_some() {
        return Ok(only.clone());
    }
    let list = PyListObject::from_vec(parts);
    if bytes {
        return PyBytesObject::empty().as_object().call_method(identifier!("join"), &[list.as_object()]);
    }
    Ok(PyUnicodeObject::empty().join_iterable(list.as_object())?.into_object())
}

pub fn compile(parts: &PyListObject) -> PyResult {
    let invalid = || raise!(TypeError, "invalid template");
    let parts: Vec<Ref> = parts.as_slice().iter().map(|part| part.to_ref()).collect();
    if parts.len() % 2 == 0 {
        return Err(invalid());
    }
    let mut items = Vec::with_capacity(parts.len() / 2);
    for pair in parts[1..].chunks_exact(2) {
        let Some(group) = pair[0].as_object().downcast::<PyLongObject>() else {
            return Err(raise!(TypeError, "an integer is required"));
        };
        let group = usize::try_from(group.as_i64()?).map_err(|_| invalid())?;
        items.push((group, Some(pair[1].clone()).filter(|literal| !is_empty(literal))));
    }
    let template = Template {
        ob_base: adder_runtime::memory::blank_header(),
        literal: parts[0].clone(),
        items,
    };
    Ok(Ref::new(template)?.into_object())
}
