//! `itertools`: iterator building blocks. Each file holds a family of types.

pub mod combine;
pub mod combinatoric;
pub mod filter;
pub mod group;
pub mod infinite;

use adder_runtime::prelude::*;

/// Functional tools for creating and using iterators.
#[pymodule(name = "itertools", types = [
    infinite::COUNT_TYPE, infinite::CYCLE_TYPE, infinite::REPEAT_TYPE,
    filter::COMPRESS_TYPE, filter::DROPWHILE_TYPE, filter::TAKEWHILE_TYPE, filter::FILTERFALSE_TYPE, filter::ISLICE_TYPE,
    filter::STARMAP_TYPE,
    combine::ACCUMULATE_TYPE, combine::CHAIN_TYPE, combine::PAIRWISE_TYPE, combine::ZIP_LONGEST_TYPE, combine::BATCHED_TYPE,
    combinatoric::PRODUCT_TYPE, combinatoric::PERMUTATIONS_TYPE, combinatoric::COMBINATIONS_TYPE,
    combinatoric::COMBINATIONS_WITH_REPLACEMENT_TYPE,
    group::GROUPBY_TYPE, group::GROUPER_TYPE, group::TEE_TYPE, group::TEE_DATA_TYPE,
])]
pub mod itertools {
    use super::*;

    /// Independent iterators over the same iterable.
    #[pyfunction("($module, iterable, n=2, /)")]
    fn tee(iterable: &PyObject, n: Option<isize>) -> PyResult {
        group::tee(iterable, n.unwrap_or(2))
    }
}

/// Refuses keyword arguments of a constructor; subclasses may have their own.
pub(crate) fn no_keywords(cls: &PyTypeObject, own: &PyTypeObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
    let same_init = cls.tp_init.get().map(|slot| slot as usize) == own.tp_init.get().map(|slot| slot as usize);
    if same_init && kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
        let name = own.name();
        let name = name.rsplit('.').next().unwrap_or_default();
        return Err(raise!(TypeError, "{name}() takes no keyword arguments"));
    }
    Ok(())
}

/// An empty header for a struct literal.
pub(crate) const fn header() -> PyObject {
    adder_runtime::memory::blank_header()
}

/// Visits fields in turn.
macro_rules! traverse {
    ($visitor:expr; $($field:expr),*) => {{
        $(
            let status = $field.visit($visitor);
            if status != 0 {
                return status;
            }
        )*
        0
    }};
}
pub(crate) use traverse;

