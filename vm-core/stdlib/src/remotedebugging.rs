//! `_remote_debugging`: whether the memory of other processes can be read, which `sys.remote_exec` needs. What CPython's module has
//! beside that (`RemoteUnwinder`) reads CPython's own structures in another process and is not here.

use adder_runtime::prelude::*;

/// Looking into other Python processes.
#[pymodule(name = "_remote_debugging")]
pub mod _remote_debugging {
    #[pyconst]
    fn PROCESS_VM_READV_SUPPORTED() -> bool {
        true
    }
}
