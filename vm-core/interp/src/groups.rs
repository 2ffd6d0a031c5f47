//! `except*`: the opcodes' side of exception groups.

use adder_runtime::abi::*;
use adder_runtime::exceptions::{group, match_star};
use adder_runtime::prelude::*;

/// CHECK_EG_MATCH: the part of the exception that matches and the rest; None for an empty one.
pub fn group_match(exception: &PyObject, class: &PyObject) -> PyResult<(Ref, Ref)> {
    group::check_star_type(class)?;
    let found = match_star(exception, class)?;
    if found.wrapped
        && let Some(matched) = &found.matched
    {
        // The group begins here.
        let _ = adder_runtime::error::restore(matched.clone());
        crate::traceback::add_current_entry();
        let _ = adder_runtime::error::fetch();
    }
    Ok((
        found.matched.unwrap_or_else(none_ref),
        found.rest.unwrap_or_else(none_ref),
    ))
}

/// PREP_RERAISE_STAR.
pub fn prep_reraise_star(original: &PyObject, list: &PyObject) -> PyResult {
    // SAFETY: the compiler passes a list.
    let list = unsafe { list.cast_unchecked::<PyListObject>() };
    Ok(group::prep_reraise_star(original, list)?.unwrap_or_else(none_ref))
}
