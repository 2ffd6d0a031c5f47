//! fuzzer's bytes -> a Python function `one(data)` in a VM in this process, which is made once.
//!
//! A driver (`drivers/*.py`) is a module with that function. It handles the exceptions that bad data may raise; whatever else
//! it raises, a panic, a crash or a call that does not end is a finding. Small blocks come from the C library, so that
//! the address sanitizer sees them.

use adder_interp::{Config, import, pylifecycle, pythonrun};
use adder_runtime::prelude::*;
use std::cell::OnceCell;

/// The address sanitizer's settings: allocations that are too large fail as `malloc` does, and local variables stay on the stack,
/// whose depth the virtual machine measures.
#[unsafe(no_mangle)]
pub extern "C" fn __asan_default_options() -> *const std::ffi::c_char {
    c"detect_odr_violation=0:allocator_may_return_null=1:max_allocation_size_mb=256:detect_stack_use_after_return=0".as_ptr()
}

/// What every driver finds in its namespace.
const PRELUDE: &str = include_str!("../drivers/_prelude.py");

thread_local! {
    static ONE: OnceCell<Ref> = const { OnceCell::new() };
}

/// Gives `data` to the driver.
pub fn run(driver: &str, data: &[u8]) {
    ONE.with(|one| {
        let one = one.get_or_init(|| match start(driver) {
            Ok(one) => one,
            Err(raised) => {
                pythonrun::handle_uncaught(raised);
                panic!("the driver does not start");
            }
        });
        let data = PyBytesObject::from_slice(data);
        if let Err(raised) = one.call1(data.as_object()) {
            pythonrun::handle_uncaught(raised);
            panic!("an exception that the driver does not expect");
        }
    });
}

fn start(driver: &str) -> PyResult {
    // SAFETY: no other thread is there yet.
    unsafe { std::env::set_var("PYTHONMALLOC", "malloc") };
    import::extend_inittab(adder_stdlib::MODULES);
    import::set_code_reader(adder_stdlib::marshal::loads_embedded);
    let config = Config {
        import_site: false,
        isolated: true,
        dont_write_bytecode: true,
        hash_seed: Some(0),
        ..Config::default()
    };
    adder_interp::initialize(config)?;
    pylifecycle::initialize_imports()?;
    pythonrun::run_string(PRELUDE, "<prelude>")?;
    pythonrun::run_string(driver, "<driver>")?;
    pythonrun::run_string("prepare()", "<prepare>")?;
    let one = pythonrun::main_dict()?.get_str(identifier!("guarded"));
    one.ok_or_else(|| raise!(NameError, "the prelude has no function guarded()"))
}
