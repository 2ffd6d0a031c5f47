//! `product`, `permutations`, `combinations`, `combinations_with_replacement`: pools and index vectors.

use super::header;
use adder_runtime::args::{check_keyword_count, unexpected_keyword};
use adder_runtime::memory::vec_with_room;
use adder_runtime::prelude::*;
use std::cell::{Cell, RefCell};

/// What all four share: index vectors over pools, in lexicographic order.
struct Odometer {
    indices: RefCell<Vec<usize>>,
    started: Cell<bool>,
    stopped: Cell<bool>,
}

impl Odometer {
    fn new(indices: Vec<usize>, stopped: bool) -> Odometer {
        Odometer { indices: RefCell::new(indices), started: Cell::new(false), stopped: Cell::new(stopped) }
    }
    /// Advances by `step` unless this is the first call. False at the end.
    fn advance(&self, step: impl FnOnce(&mut Vec<usize>) -> bool) -> bool {
        if self.stopped.get() {
            return false;
        }
        if !self.started.replace(true) {
            return true;
        }
        if !step(&mut self.indices.borrow_mut()) {
            self.stopped.set(true);
            return false;
        }
        true
    }
}

fn visit_all(visitor: &Visitor, pools: &[Vec<Ref>]) -> c_int {
    for item in pools.iter().flatten() {
        let status = visitor.visit(item.as_raw());
        if status != 0 {
            return status;
        }
    }
    0
}

#[repr(C)]
pub struct Product {
    ob_base: PyObject,
    pools: Vec<Vec<Ref>>,
    odometer: Odometer,
}

#[pytype(name = "itertools.product", static_name = PRODUCT_TYPE, flags = BASETYPE | HAVE_GC)]
/// The Cartesian product of the iterables.
impl Product {
    #[new(raw, "(*iterables, repeat=1)")]
    fn py_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let mut repeat = 1;
        if let Some(kwargs) = kwargs.filter(|kwargs| kwargs.len() != 0) {
            check_keyword_count("product", kwargs.len(), 1)?;
            match kwargs.get_str(identifier!("repeat")) {
                Some(value) => repeat = value.to_index(adder_runtime::exceptions::exc::OverflowError)?,
                None => {
                    let keyword = kwargs.next_entry(&mut 0).map(|(name, _, _)| name.to_ref()).unwrap_or_else(none_ref);
                    let keyword = keyword.str()?.to_string_lossy();
                    return Err(unexpected_keyword("product", &keyword, &["repeat"]));
                }
            }
        }
        if repeat < 0 {
            return Err(raise!(ValueError, "repeat argument cannot be negative"));
        }
        let n_pools = args.len().checked_mul(repeat as usize).filter(|n| *n < isize::MAX as usize / 64);
        let Some(n_pools) = n_pools else {
            return Err(raise!(OverflowError, "repeat argument too large"));
        };
        let mut once = Vec::with_capacity(args.len());
        if repeat > 0 {
            for iterable in args.as_slice() {
                once.push(iterable.collect()?);
            }
        }
        let mut pools: Vec<Vec<Ref>> = vec_with_room(n_pools)?;
        let mut indices = vec_with_room(n_pools)?;
        for pool in once.iter().cycle().take(n_pools) {
            let mut copy = vec_with_room(pool.len())?;
            copy.extend(pool.iter().cloned());
            pools.push(copy);
            indices.push(0);
        }
        let stopped = pools.iter().any(Vec::is_empty);
        let odometer = Odometer::new(indices, stopped);
        Ok(Ref::new_in(cls, Product { ob_base: header(), pools, odometer })?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visit_all(visitor, &self.pools)
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let more = self.odometer.advance(|indices| {
            for at in (0..indices.len()).rev() {
                indices[at] += 1;
                if indices[at] < self.pools[at].len() {
                    return true;
                }
                indices[at] = 0;
            }
            false
        });
        if !more {
            return Ok(None);
        }
        let indices = self.odometer.indices.borrow();
        let items = self.pools.iter().zip(indices.iter()).map(|(pool, at)| pool[*at].clone()).collect();
        Ok(Some(PyTupleObject::from_vec(items).into_object()))
    }
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        size_of::<Product>() + self.pools.len() * size_of::<usize>()
    }
}

fn pool_argument(r: Option<&PyObject>) -> PyResult<Option<usize>> {
    let Some(r) = r.filter(|r| !is_none(r)) else { return Ok(None) };
    let Some(r) = r.downcast::<PyLongObject>() else {
        return Err(raise!(TypeError, "Expected int as r"));
    };
    let r = r.as_isize()?;
    usize::try_from(r).map(Some).map_err(|_| raise!(ValueError, "r must be non-negative"))
}

macro_rules! selection {
    ($(#[$doc:meta])* $struct:ident, $static:ident, $name:literal, $signature:literal, [$($r:tt)*], |$pool_len:ident, $given:ident| $setup:block,
     |$indices:ident, $cycles:ident, $n:ident| $step:block) => {
        #[repr(C)]
        pub struct $struct {
            ob_base: PyObject,
            pool: Vec<Vec<Ref>>,
            length: usize,
            odometer: Odometer,
            cycles: RefCell<Vec<usize>>,
        }

        #[pytype(name = $name, static_name = $static, flags = BASETYPE | HAVE_GC)]
        $(#[$doc])*
        impl $struct {
            #[new($signature)]
            fn new(cls: &PyTypeObject, iterable: &PyObject, r: $($r)*) -> PyResult {
                let pool = iterable.collect()?;
                let $pool_len = pool.len();
                let $given = r;
                let (indices, cycles, length, stopped): (Vec<usize>, Vec<usize>, usize, bool) = $setup;
                let made = $struct {
                    ob_base: header(),
                    pool: vec![pool],
                    length,
                    odometer: Odometer::new(indices, stopped),
                    cycles: RefCell::new(cycles),
                };
                Ok(Ref::new_in(cls, made)?.into_object())
            }
            #[slot]
            fn tp_traverse(&self, visitor: &Visitor) -> c_int {
                visit_all(visitor, &self.pool)
            }
            #[slot]
            fn tp_iter(&self) -> PyResult {
                Ok(self.to_object())
            }
            #[slot]
            fn tp_iternext(&self) -> PyResult<Option<Ref>> {
                let $n = self.pool[0].len();
                let more = self.odometer.advance(|$indices| {
                    #[allow(unused_mut, unused_variables)]
                    let mut $cycles = self.cycles.borrow_mut();
                    $step
                });
                if !more {
                    return Ok(None);
                }
                let indices = self.odometer.indices.borrow();
                let items = indices[..self.length].iter().map(|at| self.pool[0][*at].clone()).collect();
                Ok(Some(PyTupleObject::from_vec(items).into_object()))
            }
            #[method("($self, /)")]
            fn __sizeof__(&self) -> usize {
                size_of::<$struct>() + self.length * size_of::<usize>()
            }
        }
    };
}

fn selection_size(r: isize) -> PyResult<usize> {
    usize::try_from(r).map_err(|_| raise!(ValueError, "r must be non-negative"))
}

selection!(
    /// Arrangements of r items in every order.
    Permutations, PERMUTATIONS_TYPE, "itertools.permutations", "(iterable, r=None)", [Option<&PyObject>],
    |n, given| {
        let r = pool_argument(given)?.unwrap_or(n);
        if r > n {
            (Vec::new(), Vec::new(), 0, true)
        } else {
            ((0..n).collect(), (0..r).map(|at| n - at).collect(), r, false)
        }
    },
    |indices, cycles, n| {
        for at in (0..cycles.len()).rev() {
            cycles[at] -= 1;
            if cycles[at] == 0 {
                indices[at..].rotate_left(1);
                cycles[at] = n - at;
            } else {
                let other = n - cycles[at];
                indices.swap(at, other);
                return true;
            }
        }
        false
    }
);

selection!(
    /// Selections of r items in the order of the iterable.
    Combinations, COMBINATIONS_TYPE, "itertools.combinations", "(iterable, r)", [isize],
    |n, given| {
        let r = selection_size(given)?;
        if r > n { (Vec::new(), Vec::new(), 0, true) } else { ((0..r).collect(), Vec::new(), r, false) }
    },
    |indices, cycles, n| {
        let r = indices.len();
        let Some(at) = (0..r).rev().find(|at| indices[*at] != at + n - r) else { return false };
        indices[at] += 1;
        for later in at + 1..r {
            indices[later] = indices[later - 1] + 1;
        }
        true
    }
);

selection!(
    /// Selections of r items in the order of the iterable, where an item may come again.
    CombinationsWithReplacement, COMBINATIONS_WITH_REPLACEMENT_TYPE, "itertools.combinations_with_replacement",
    "(iterable, r)", [isize],
    |n, given| {
        let r = selection_size(given)?;
        (vec![0; r], Vec::new(), r, n == 0 && r > 0)
    },
    |indices, cycles, n| {
        let Some(at) = (0..indices.len()).rev().find(|at| indices[*at] + 1 < n) else { return false };
        let value = indices[at] + 1;
        for later in &mut indices[at..] {
            *later = value;
        }
        true
    }
);
