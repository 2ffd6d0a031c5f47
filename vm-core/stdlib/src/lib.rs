//! Native modules that `Lib/` expects: each is a file or folder named after the module.
//!
//! Comes in: calls from Python. Goes out: objects. `MODULES` is the table of built-in modules, which the import system
//! and `sys.builtin_module_names` read.
#![allow(non_upper_case_globals, non_camel_case_types, non_snake_case)]

pub mod module_parts;

use adder_runtime::abi::PyObject;

/// A module's name and its multi-phase init function.
pub type ModuleInit = (&'static str, unsafe extern "C" fn() -> *mut PyObject);

/// Declares the modules of this crate: file, module inside it; after the semicolon further modules of a file.
macro_rules! modules {
    ($($file:ident :: $module:ident,)* ; $($shared:ident :: $inner:ident,)*) => {
        $(pub mod $file;)*
        /// All modules of this crate.
        pub static MODULES: &[ModuleInit] = &[$($file::$module::INIT,)* $($shared::$inner::INIT,)*];
    };
}

pub mod coding;
pub mod crossinterp;
pub mod hashes;
pub mod pytime;
pub mod util;

modules! {
    mmapmodule::mmap,
    multiprocessing::_multiprocessing,
    posixshmem::_posixshmem,
    socketmodule::_socket,
    faulthandler::faulthandler,
    locale::_locale,
    lsprof::_lsprof,
    posixsubprocess::_posixsubprocess,
    termios::termios,
    selectmodule::select,
    signalmodule::_signal,
    datetimemodule::_datetime,
    zoneinfo::_zoneinfo,
    decimal::_decimal,
    errno::errno,
    fcntl::fcntl,
    grp::grp,
    pwd::pwd,
    timemodule::time,
    remotedebugging::_remote_debugging,
    resource::resource,
    io::_io,
    posixmodule::posix,
    abc::_abc,
    ast::_ast,
    atexit::atexit,
    cmath::cmath,
    codecs::_codecs,
    ctypes::_ctypes,
    collections::_collections,
    functools::_functools,
    gcmodule::gc,
    itertools::itertools,
    marshal::marshal,
    math::math,
    operator::_operator,
    string::_string,
    thread::_thread,
    sre::_sre,
    unicodedata::unicodedata,
    weakref::_weakref,
    structmodule::_struct,
    bisect::_bisect,
    heapq::_heapq,
    random::_random,
    array::array,
    asyncio::_asyncio,
    queue::_queue,
    csv::_csv,
    statistics::_statistics,
    interpreters::_interpreters,
    interpqueues::_interpqueues,
    interpchannels::_interpchannels,
    types::_types,
    typing::_typing,
    contextvars::_contextvars,
    warnings::_warnings,
    json::_json,
    binascii::binascii,
    zlib::zlib,
    bz2module::_bz2,
    lzma::_lzma,
    pyexpat::pyexpat,
    md5module::_md5,
    sha1module::_sha1,
    sha2module::_sha2,
    sha3module::_sha3,
    blake2module::_blake2,
    hashopenssl::_hashlib,
    hmacmodule::_hmac,
    uuidmodule::_uuid,
    opcode::_opcode,
    pickle::_pickle,
    stat::_stat,
    testinternalcapi::_testinternalcapi,
    suggestions::_suggestions,
    symtable::_symtable,
    sysconfig::_sysconfig,
    sysconfigdata::platform,
    tokenize::_tokenize,
    tracemalloc::_tracemalloc,
    multibytecodec::_multibytecodec,
    ;
    multibytecodec::_codecs_cn,
    multibytecodec::_codecs_hk,
    multibytecodec::_codecs_iso2022,
    multibytecodec::_codecs_jp,
    multibytecodec::_codecs_kr,
    multibytecodec::_codecs_tw,
}
