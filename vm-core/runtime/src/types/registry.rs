//! All static types of all crates: each `#[pytype]` registers its own before `main`, and `ready_all` readies them.

use super::TypeSpec;
use crate::prelude::*;
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

const CAPACITY: usize = 2048;

struct Registry([Cell<Option<&'static TypeSpec>>; CAPACITY]);
// SAFETY: written before `main` by one thread, read afterwards.
unsafe impl Sync for Registry {}

static REGISTRY: Registry = Registry([const { Cell::new(None) }; CAPACITY]);
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Adds a type. Called by constructors before `main`: it must not allocate or panic.
pub fn register(spec: &'static TypeSpec) {
    let at = COUNT.fetch_add(1, Ordering::Relaxed);
    if let Some(place) = REGISTRY.0.get(at) {
        place.set(Some(spec));
    }
}

fn registered() -> impl Iterator<Item = &'static TypeSpec> {
    REGISTRY.0[..COUNT.load(Ordering::Relaxed).min(CAPACITY)]
        .iter()
        .filter_map(Cell::get)
}

/// The declaration of a static type of ours.
pub fn spec_of(ty: &PyTypeObject) -> Option<&'static TypeSpec> {
    if ty.is_heap_type() {
        return None;
    }
    registered().find(|spec| std::ptr::eq(spec.ty, ty))
}

/// Every static type of ours.
pub fn all_types() -> impl Iterator<Item = &'static PyTypeObject> {
    registered().map(|spec| spec.ty)
}

/// Readies every registered type.
pub fn ready_all() -> PyResult<()> {
    assert!(
        COUNT.load(Ordering::Relaxed) <= CAPACITY,
        "the type registry is full"
    );
    // The tables of a type are filled with instances of these.
    use crate::objects::{descrobject::*, funcobject::*, methodobject::*};
    let first = [
        &PyCFunction_Type,
        &PyClassMethod_Type,
        &PyStaticMethod_Type,
        &PyMethodDescr_Type,
        &PyWrapperDescr_Type,
        // What goes wrong with the others is told by these.
        crate::exceptions::exc::SystemError,
        crate::exceptions::exc::TypeError,
    ];
    for ty in first.into_iter().chain(registered().map(|spec| spec.ty)) {
        super::ready(ty)?;
    }
    crate::objects::interpolationobject::add_match_args()
}
