//! `gc`: the collector's controls.

use adder_runtime::memory::gc as collector;
use adder_runtime::prelude::*;

/// Controls of the cycle collector.
#[pymodule(name = "gc")]
pub mod gc {
    use super::*;

    #[pyconst]
    const DEBUG_STATS: i64 = 1;
    #[pyconst]
    const DEBUG_COLLECTABLE: i64 = 2;
    #[pyconst]
    const DEBUG_UNCOLLECTABLE: i64 = 4;
    #[pyconst]
    const DEBUG_SAVEALL: i64 = 32;
    #[pyconst]
    const DEBUG_LEAK: i64 = 38;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        module.add("garbage", collector::garbage_list())?;
        module.add("callbacks", collector::callbacks_list())
    }

    /// Enable automatic collection.
    #[pyfunction("($module, /)")]
    fn enable() {
        collector::set_enabled(true);
    }
    /// Disable automatic collection.
    #[pyfunction("($module, /)")]
    fn disable() {
        collector::set_enabled(false);
    }
    /// Whether automatic collection is enabled.
    #[pyfunction("($module, /)")]
    fn isenabled() -> bool {
        collector::is_enabled()
    }
    /// Run the collector on a generation and all younger ones; returns how many unreachable objects were found.
    #[pyfunction("($module, /, generation=2)")]
    fn collect(generation: Option<i64>) -> PyResult<usize> {
        match usize::try_from(generation.unwrap_or(2)) {
            Ok(generation) if generation < collector::N_GENERATIONS => Ok(collector::collect(generation)),
            _ => Err(raise!(ValueError, "invalid generation")),
        }
    }
    /// Set the debugging flags.
    #[pyfunction("($module, flags, /)")]
    fn set_debug(flags: i32) {
        collector::set_debug_flags(flags);
    }
    /// The debugging flags.
    #[pyfunction("($module, /)")]
    fn get_debug() -> i32 {
        collector::debug_flags()
    }
    /// Set the collection thresholds.
    #[pyfunction("~($module, threshold0, threshold1=<unrepresentable>, threshold2=<unrepresentable>, /)")]
    fn set_threshold(threshold0: i64, threshold1: Option<i64>, threshold2: Option<i64>) {
        let values = [Some(threshold0), threshold1, threshold2];
        for (generation, threshold) in values.into_iter().enumerate() {
            if let Some(threshold) = threshold {
                collector::set_threshold(generation, threshold.max(0) as usize);
            }
        }
    }
    /// The collection thresholds.
    #[pyfunction("($module, /)")]
    fn get_threshold() -> (usize, usize, usize) {
        let [young, middle, old] = collector::thresholds();
        (young, middle, old)
    }
    /// How many objects were allocated, and collections run, since the last collection of each generation.
    #[pyfunction("($module, /)")]
    fn get_count() -> (usize, usize, usize) {
        let [young, middle, old] = collector::counts();
        (young, middle, old)
    }
    /// Statistics of each generation.
    #[pyfunction("($module, /)")]
    fn get_stats() -> PyResult {
        let list = PyListObject::new();
        for stats in collector::stats() {
            let row = PyDictObject::new();
            for (name, value) in [
                ("collections", stats.collections),
                ("collected", stats.collected),
                ("uncollectable", stats.uncollectable),
            ] {
                row.set_str(
                    &PyUnicodeObject::intern(PyUnicodeObject::from_str(name)),
                    PyLongObject::from_usize(value).as_object(),
                )?;
            }
            list.push(row.into_object());
        }
        Ok(list.into_object())
    }
    /// The objects that the collector tracks, of all generations or of one.
    #[pyfunction("($module, /, generation=None)")]
    fn get_objects(generation: Option<i64>) -> PyResult {
        let generation = match generation {
            None => None,
            Some(generation) if generation >= collector::N_GENERATIONS as i64 => {
                return Err(raise!(
                    ValueError,
                    "generation parameter must be less than the number of available generations (3)"
                ));
            }
            Some(generation) if generation < 0 => {
                return Err(raise!(ValueError, "generation parameter cannot be negative"));
            }
            Some(generation) => Some(generation as usize),
        };
        let number = PyLongObject::from_i64(generation.map_or(-1, |generation| generation as i64));
        adder_runtime::hooks::audit("gc.get_objects", &[number.as_object()])?;
        Ok(PyListObject::from_vec(collector::objects(generation)).into_object())
    }
    /// Whether the collector tracks the object.
    #[pyfunction("($module, obj, /)")]
    fn is_tracked(obj: &PyObject) -> bool {
        collector::is_gc_object(obj) && collector::is_tracked(obj.as_ptr())
    }
    /// Whether the collector has finalized the object.
    #[pyfunction("($module, obj, /)")]
    fn is_finalized(obj: &PyObject) -> bool {
        collector::is_gc_object(obj) && collector::is_finalized(obj.as_ptr())
    }
    /// The objects that refer directly to any of the given ones.
    #[pyfunction("($module, /, *objs)")]
    fn get_referrers(objs: &[&PyObject]) -> PyResult {
        let audited = PyTupleObject::from_slice(objs);
        adder_runtime::hooks::audit("gc.get_referrers", &[audited.as_object()])?;
        drop(audited);
        let result = PyListObject::new();
        for candidate in collector::objects(None) {
            let mut refers = false;
            collector::referents(&candidate, &mut |referent| {
                refers |= objs.iter().any(|object| object.is(referent));
            });
            if refers {
                result.push(candidate);
            }
        }
        Ok(result.into_object())
    }
    /// The objects that the given ones refer to directly.
    #[pyfunction("($module, /, *objs)")]
    fn get_referents(objs: &[&PyObject]) -> PyResult {
        let audited = PyTupleObject::from_slice(objs);
        adder_runtime::hooks::audit("gc.get_referents", &[audited.as_object()])?;
        let result = PyListObject::new();
        for object in objs {
            collector::referents(object, &mut |referent| result.push(referent.to_ref()));
        }
        Ok(result.into_object())
    }
    /// Leave all tracked objects alone from here on.
    #[pyfunction("($module, /)")]
    fn freeze() {
        collector::freeze();
    }
    /// Undo `freeze`.
    #[pyfunction("($module, /)")]
    fn unfreeze() {
        collector::unfreeze();
    }
    /// How many objects are frozen.
    #[pyfunction("($module, /)")]
    fn get_freeze_count() -> usize {
        collector::freeze_count()
    }
}
