//! `_posixshmem`: memory that processes share by name; see `multiprocessing`.

pub use crate::multiprocessing::_posixshmem;
