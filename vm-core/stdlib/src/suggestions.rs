//! `_suggestions`: the nearest of some names.

use adder_runtime::prelude::*;

#[pymodule(name = "_suggestions", types = [])]
pub mod _suggestions {
    use super::*;

    /// The candidate most like the item, if any is near enough.
    #[pyfunction("($module, candidates, item, /)")]
    fn _generate_suggestions(candidates: &PyObject, item: &PyUnicodeObject) -> PyResult<Option<String>> {
        let Some(candidates) = candidates.downcast_exact::<PyListObject>() else {
            return Err(raise!(TypeError, "candidates must be a list"));
        };
        let mut names = Vec::with_capacity(candidates.len());
        for candidate in candidates.as_slice() {
            match candidate.downcast::<PyUnicodeObject>() {
                Some(name) => names.push(name.to_string_lossy()),
                None => return Err(raise!(TypeError, "all elements in 'candidates' must be strings")),
            }
        }
        let item = item.to_string_lossy();
        Ok(adder_interp::suggestions::best_match(&item, names.iter().map(String::as_str)).map(str::to_owned))
    }
}
