//! cpython/initconfig.h, second half, and pylifecycle.h's embedding functions: structs with settings -> the running interpreter.
//!
//! C code of an extension gets here when the interpreter runs already, so settings can be made, read and asked for, but an
//! initialisation finds that there is nothing left to do, as it does in CPython after the first one.

use crate::export::{CArg, CValue, Void, put};
use crate::initconfig::{self, Kind};
use crate::pylifecycle::fatal_error;
use adder_runtime::abi::{CStruct, FieldLayout};
use adder_runtime::memory::{raw_free, raw_malloc};
use adder_runtime::prelude::*;
use std::ffi::{CStr, CString};

const STATUS_OK: c_int = 0;
const STATUS_ERROR: c_int = 1;
const STATUS_EXIT: c_int = 2;

impl CArg for PyStatus {
    type C = PyStatus;
    unsafe fn from_c(value: PyStatus) -> PyResult<PyStatus> {
        Ok(value)
    }
}

impl CValue for PyStatus {
    type C = PyStatus;
    const ERROR: PyStatus = status(STATUS_ERROR, std::ptr::null(), 0);
    fn into_c(self) -> PyStatus {
        self
    }
}

const fn status(kind: c_int, message: *const c_char, exitcode: c_int) -> PyStatus {
    PyStatus {
        _type: Cell::new(kind),
        func: Cell::new(std::ptr::null()),
        err_msg: Cell::new(message),
        exitcode: Cell::new(exitcode),
    }
}

pub fn ok() -> PyStatus {
    status(STATUS_OK, std::ptr::null(), 0)
}

pub fn error(message: &'static CStr) -> PyStatus {
    status(STATUS_ERROR, message.as_ptr(), 0)
}

fn no_memory() -> PyStatus {
    error(c"memory allocation failed")
}

const RUNS_ALREADY: &str = "the interpreter runs already";

// ---- wide texts in C's memory ----

/// What the locale's decoder makes of bytes: UTF-8, bytes that are not as lone surrogates.
fn decode(bytes: &[u8]) -> Vec<wchar_t> {
    let mut wide = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        wide.extend(chunk.valid().chars().map(|c| c as wchar_t));
        wide.extend(chunk.invalid().iter().map(|byte| 0xDC00 + wchar_t::from(*byte)));
    }
    wide
}

/// The bytes of a wide text; the opposite of `decode`.
fn encode(wide: &[wchar_t]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(wide.len());
    for unit in wide {
        match char::from_u32(*unit as u32) {
            Some(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            None => bytes.push((*unit as u32 & 0xff) as u8),
        }
    }
    bytes
}

/// A terminated copy; null when there is no memory.
fn keep(wide: &[wchar_t]) -> *mut wchar_t {
    let copy = raw_malloc((wide.len() + 1) * size_of::<wchar_t>()).cast::<wchar_t>();
    if !copy.is_null() {
        // SAFETY: the block has room for the text and its end.
        unsafe {
            std::ptr::copy_nonoverlapping(wide.as_ptr(), copy, wide.len());
            *copy.add(wide.len()) = 0;
        }
    }
    copy
}

/// Gives back a block of `keep` or of a list; NULL is none.
fn give_back<T>(block: *mut T) {
    // SAFETY: all blocks of this file are raw_malloc's and have one owner.
    unsafe { raw_free(block.cast()) };
}

/// # Safety
/// `text` is terminated.
unsafe fn wide_slice<'a>(text: *const wchar_t) -> &'a [wchar_t] {
    // SAFETY: the caller's contract.
    unsafe { std::slice::from_raw_parts(text, libc::wcslen(text.cast())) }
}

/// Puts a copy of `text` (NULL: none) into a field that owns its text.
///
/// # Safety
/// `field` holds NULL or a text of `keep`; `text` is terminated or NULL.
unsafe fn set_text(field: *mut *mut wchar_t, text: *const wchar_t) -> PyStatus {
    let copy = if text.is_null() {
        std::ptr::null_mut()
    } else {
        // SAFETY: the caller's contract.
        keep(unsafe { wide_slice(text) })
    };
    if copy.is_null() && !text.is_null() {
        return no_memory();
    }
    // SAFETY: the caller's contract.
    unsafe {
        give_back(*field);
        *field = copy;
    }
    ok()
}

/// # Safety
/// The list owns its items.
unsafe fn clear_list(list: &PyWideStringList) {
    let items = list.items.replace(std::ptr::null_mut());
    for idx in 0..list.length.replace(0) {
        // SAFETY: the caller's contract.
        unsafe { give_back(*items.add(idx as usize)) };
    }
    give_back(items);
}

/// # Safety
/// The list owns its items; `0 <= at <= length`.
unsafe fn insert(list: &PyWideStringList, at: usize, text: &[wchar_t]) -> PyStatus {
    let n_items = list.length.get() as usize;
    let (items, copy) = (
        raw_malloc((n_items + 1) * size_of::<*mut wchar_t>()).cast::<*mut wchar_t>(),
        keep(text),
    );
    if items.is_null() || copy.is_null() {
        give_back(items);
        give_back(copy);
        return no_memory();
    }
    let old = list.items.get();
    // SAFETY: the new block has one place more than the old one.
    unsafe {
        if !old.is_null() {
            std::ptr::copy_nonoverlapping(old, items, at);
            std::ptr::copy_nonoverlapping(old.add(at), items.add(at + 1), n_items - at);
        }
        *items.add(at) = copy;
    }
    list.items.set(items);
    list.length.set(n_items as isize + 1);
    give_back(old);
    ok()
}

/// # Safety
/// The list owns its items.
unsafe fn set_list(list: &PyWideStringList, texts: &[Vec<wchar_t>]) -> PyStatus {
    // SAFETY: the caller's contract.
    unsafe { clear_list(list) };
    for (idx, text) in texts.iter().enumerate() {
        // SAFETY: as above.
        let status = unsafe { insert(list, idx, text) };
        if status._type.get() != STATUS_OK {
            return status;
        }
    }
    ok()
}

/// # Safety
/// C gives that many terminated texts.
unsafe fn texts_of(n_items: isize, items: *const *mut wchar_t) -> Vec<Vec<wchar_t>> {
    (0..n_items.max(0) as usize)
        // SAFETY: the caller's contract.
        .map(|idx| unsafe { wide_slice(*items.add(idx)) }.to_vec())
        .collect()
}

/// # Safety
/// As `texts_of`.
unsafe fn decoded_texts(n_items: isize, items: *const *mut c_char) -> Vec<Vec<wchar_t>> {
    (0..n_items.max(0) as usize)
        // SAFETY: the caller's contract.
        .map(|idx| decode(unsafe { CStr::from_ptr(*items.add(idx)) }.to_bytes()))
        .collect()
}

// ---- PyConfig and PyPreConfig ----

const INIT_PYTHON: c_int = 2;
const INIT_ISOLATED: c_int = 3;

fn python_config() -> PyConfig {
    let config = PyConfig::zeroed();
    for undecided in [
        &config.import_time,
        &config.dev_mode,
        &config.use_hash_seed,
        &config.faulthandler,
        &config.tracemalloc,
        &config.perf_profiling,
        &config.remote_debug,
        &config.int_max_str_digits,
        &config.cpu_count,
        &config.thread_inherit_context,
        &config.context_aware_warnings,
    ] {
        undecided.set(-1);
    }
    for yes in [
        &config.use_environment,
        &config.use_frozen_modules,
        &config.install_signal_handlers,
        &config.code_debug_ranges,
        &config.site_import,
        &config.write_bytecode,
        &config.user_site_directory,
        &config.buffered_stdio,
        &config.pathconfig_warnings,
        &config._install_importlib,
        &config._init_main,
        &config.configure_c_stdio,
        &config.parse_argv,
    ] {
        yes.set(1);
    }
    config._config_init.set(INIT_PYTHON);
    config
}

fn isolated_config() -> PyConfig {
    let config = python_config();
    for no in [
        &config.use_environment,
        &config.user_site_directory,
        &config.dev_mode,
        &config.install_signal_handlers,
        &config.use_hash_seed,
        &config.tracemalloc,
        &config.perf_profiling,
        &config.pathconfig_warnings,
        &config.configure_c_stdio,
        &config.parse_argv,
    ] {
        no.set(0);
    }
    config.isolated.set(1);
    config.safe_path.set(1);
    config.int_max_str_digits.set(4300);
    config._config_init.set(INIT_ISOLATED);
    config
}

fn python_preconfig() -> PyPreConfig {
    let config = PyPreConfig::zeroed();
    config._config_init.set(INIT_PYTHON);
    config.parse_argv.set(1);
    config.use_environment.set(1);
    config.configure_locale.set(1);
    for undecided in [
        &config.isolated,
        &config.coerce_c_locale,
        &config.coerce_c_locale_warn,
        &config.utf8_mode,
        &config.dev_mode,
    ] {
        undecided.set(-1);
    }
    config.isolated.set(0);
    config
}

fn isolated_preconfig() -> PyPreConfig {
    let config = PyPreConfig::zeroed();
    config._config_init.set(INIT_ISOLATED);
    config.isolated.set(1);
    config
}

/// A field of a settings struct.
enum Field<'a> {
    Int(&'a Cell<c_int>),
    Ulong(&'a Cell<c_ulong>),
    Text(&'a Cell<*mut wchar_t>),
    List(&'a PyWideStringList),
}

/// The field `name` of a struct, by the layout that `c_structs!` records.
fn field_of<'a, T: CStruct>(config: &'a T, name: &str) -> Option<Field<'a>> {
    let FieldLayout { offset, size, .. } = T::LAYOUT.fields.iter().find(|field| field.name == name)?;
    let place = std::ptr::from_ref(config).wrapping_byte_add(*offset);
    // SAFETY: the layout gives the place; the size and the name tell the type.
    Some(unsafe {
        match (*size, name) {
            (4, _) => Field::Int(&*place.cast()),
            (8, "hash_seed") => Field::Ulong(&*place.cast()),
            (8, _) => Field::Text(&*place.cast()),
            _ => Field::List(&*place.cast()),
        }
    })
}

/// # Safety
/// C gives a struct that was initialised and whose texts are its own.
unsafe fn clear_config(config: &PyConfig) {
    for field in PyConfig::LAYOUT.fields {
        match field_of(config, field.name) {
            Some(Field::Text(text)) => give_back(text.replace(std::ptr::null_mut())),
            // SAFETY: the caller's contract.
            Some(Field::List(list)) => unsafe { clear_list(list) },
            _ => {}
        }
    }
}

fn wide_text(object: &PyObject) -> PyResult<Vec<wchar_t>> {
    let text = object.str()?;
    Ok(text
        .code_points()
        .into_iter()
        .map(|point| point as wchar_t)
        .collect())
}

/// Fills what is undecided with what the running interpreter has.
fn read_config(config: &PyConfig) -> PyResult<PyStatus> {
    for row in &initconfig::OPTIONS {
        let Some(field) = field_of(config, row.name) else {
            continue;
        };
        let value = initconfig::get(row)?;
        match field {
            Field::Int(place) if place.get() < 0 => place.set(crate::longobject::as_c_int(&value)?),
            Field::Text(place) if place.get().is_null() && !is_none(&value) => {
                place.set(keep(&wide_text(&value)?))
            }
            Field::List(list) if list.length.get() == 0 && row.kind == Kind::StrList => {
                let items = value.to_tuple()?;
                let texts = items
                    .as_slice()
                    .iter()
                    .map(|item| wide_text(item))
                    .collect::<PyResult<Vec<_>>>()?;
                // SAFETY: the list is the struct's own.
                let status = unsafe { set_list(list, &texts) };
                if status._type.get() != STATUS_OK {
                    return Ok(status);
                }
            }
            _ => {}
        }
    }
    config.module_search_paths_set.set(1);
    Ok(ok())
}

/// With the interpreter, whatever the calling thread is.
fn attached<T>(f: impl FnOnce() -> T) -> T {
    let was_attached = adder_runtime::thread::ensure_attached();
    let result = f();
    adder_runtime::thread::release_attached(was_attached);
    result
}

// ---- PyInitConfig ----

/// `PyInitConfig`, opaque in C.
pub struct InitConfig {
    pre: PyPreConfig,
    config: PyConfig,
    error: Option<CString>,
}

impl InitConfig {
    fn field(&self, name: &CStr) -> Option<Field<'_>> {
        let name = name.to_str().ok()?;
        initconfig::row(name)?;
        field_of(&self.config, name).or_else(|| field_of(&self.pre, name))
    }
    fn fail(&mut self, message: impl Into<String>) -> c_int {
        self.error = CString::new(message.into()).ok();
        -1
    }
    fn done(&mut self, status: &PyStatus) -> c_int {
        if status._type.get() == STATUS_OK {
            return 0;
        }
        self.fail("memory allocation failed")
    }
}

impl Drop for InitConfig {
    fn drop(&mut self) {
        // SAFETY: its texts are its own.
        unsafe { clear_config(&self.config) };
    }
}

/// # Safety
/// `config` came from PyInitConfig_Create.
unsafe fn init_config<'a>(config: *mut c_void) -> &'a mut InitConfig {
    // SAFETY: the caller's contract.
    unsafe { &mut *config.cast::<InitConfig>() }
}

/// A copy for C, which gives it to `free`.
fn c_copy(bytes: Vec<u8>) -> *mut c_char {
    let text = CString::new(bytes).unwrap_or_default();
    // SAFETY: a terminated text.
    unsafe { libc::strdup(text.as_ptr()) }
}

const UNKNOWN: &str = "unknown config option name";

/// # Safety
/// C gives a configuration of ours, a name and a place.
unsafe fn init_get_int(config: *mut c_void, name: &CStr, place: *mut i64) -> c_int {
    // SAFETY: the caller's contract.
    let config = unsafe { init_config(config) };
    let value = match config.field(name) {
        Some(Field::Int(field)) => i64::from(field.get()),
        Some(Field::Ulong(field)) => field.get() as i64,
        Some(_) => return config.fail("config option type is not int"),
        None => return config.fail(UNKNOWN),
    };
    // SAFETY: the caller's contract.
    unsafe { put(place, value) };
    0
}

/// # Safety
/// As `init_get_int`.
unsafe fn init_set_int(config: *mut c_void, name: &CStr, value: i64) -> c_int {
    // SAFETY: the caller's contract.
    let config = unsafe { init_config(config) };
    match config.field(name) {
        Some(Field::Int(field)) => match c_int::try_from(value) {
            Ok(value) => field.set(value),
            Err(_) => return config.fail("config option value is out of int range"),
        },
        Some(Field::Ulong(field)) => match c_ulong::try_from(value) {
            Ok(value) => field.set(value),
            Err(_) => return config.fail("config option value is out of unsigned long range"),
        },
        Some(_) => return config.fail("config option type is not int"),
        None => return config.fail(UNKNOWN),
    }
    if name == c"hash_seed" {
        config.config.use_hash_seed.set(1);
    }
    0
}

/// # Safety
/// As `init_get_int`.
unsafe fn init_set_texts(config: *mut c_void, name: &CStr, texts: &[Vec<wchar_t>], is_list: bool) -> c_int {
    // SAFETY: the caller's contract.
    let config = unsafe { init_config(config) };
    let status = match config.field(name) {
        // SAFETY: the fields own their texts.
        Some(Field::List(list)) if is_list => unsafe { set_list(list, texts) },
        Some(Field::Text(field)) if !is_list => {
            let copy = texts.first().map_or(std::ptr::null_mut(), |text| keep(text));
            give_back(field.replace(copy));
            if copy.is_null() && !texts.is_empty() {
                no_memory()
            } else {
                ok()
            }
        }
        Some(_) if is_list => return config.fail("config option type is not string list"),
        Some(_) => return config.fail("config option type is not string"),
        None => return config.fail(UNKNOWN),
    };
    if is_list && name == c"module_search_paths" {
        config.config.module_search_paths_set.set(1);
    }
    config.done(&status)
}

/// Runs the command line of a new process of this command, and gives its exit status.
fn run_command(args: Vec<Vec<u8>>) -> c_int {
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::process::ExitStatusExt;
    let args = args.into_iter().skip(1).map(std::ffi::OsString::from_vec);
    let mut command = std::process::Command::new(&adder_interp::pylifecycle::config().executable);
    match command.args(args).status() {
        Ok(status) => status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
        Err(error) => {
            eprintln!("Py_Main: {error}");
            1
        }
    }
}

capi! {
    fn PyStatus_Ok() -> PyStatus { ok() }
    fn PyStatus_Error(message: *const c_char) -> PyStatus { status(STATUS_ERROR, message, 0) }
    fn PyStatus_NoMemory() -> PyStatus { no_memory() }
    fn PyStatus_Exit(exitcode: c_int) -> PyStatus { status(STATUS_EXIT, std::ptr::null(), exitcode) }
    fn PyStatus_Exception(status: PyStatus) -> c_int { c_int::from(status._type.get() != STATUS_OK) }
    fn PyStatus_IsError(status: PyStatus) -> c_int { c_int::from(status._type.get() == STATUS_ERROR) }
    fn PyStatus_IsExit(status: PyStatus) -> c_int { c_int::from(status._type.get() == STATUS_EXIT) }
    fn Py_ExitStatusException(status: PyStatus) -> Void {
        if status._type.get() == STATUS_EXIT {
            std::process::exit(status.exitcode.get());
        }
        // SAFETY: a status has terminated texts or NULL.
        let text = |text: *const c_char| (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) });
        if status._type.get() == STATUS_ERROR {
            fatal_error(text(status.func.get()), text(status.err_msg.get()));
        }
        fatal_error(Some(c"Py_ExitStatusException"), Some(c"Py_ExitStatusException() must not be called on success"))
    }

    fn PyWideStringList_Append(list: *mut PyWideStringList, item: *const wchar_t) -> PyStatus {
        // SAFETY: C gives a list that owns its items and a terminated text.
        unsafe { insert(&*list, (*list).length.get() as usize, wide_slice(item)) }
    }
    fn PyWideStringList_Insert(list: *mut PyWideStringList, index: isize, item: *const wchar_t) -> PyStatus {
        if index < 0 {
            return error(c"PyWideStringList_Insert index must be >= 0");
        }
        // SAFETY: C gives a list that owns its items and a terminated text.
        unsafe { insert(&*list, index.min((*list).length.get()) as usize, wide_slice(item)) }
    }

    fn PyPreConfig_InitPythonConfig(config: *mut PyPreConfig) -> Void {
        // SAFETY: C gives a place.
        unsafe { put(config, python_preconfig()) };
        Void
    }
    fn PyPreConfig_InitIsolatedConfig(config: *mut PyPreConfig) -> Void {
        // SAFETY: C gives a place.
        unsafe { put(config, isolated_preconfig()) };
        Void
    }
    fn Py_PreInitialize(_config: *const PyPreConfig) -> PyStatus { ok() }
    fn Py_PreInitializeFromBytesArgs(_config: *const PyPreConfig, _n_args: isize, _args: *mut *mut c_char) -> PyStatus { ok() }
    fn Py_PreInitializeFromArgs(_config: *const PyPreConfig, _n_args: isize, _args: *mut *mut wchar_t) -> PyStatus { ok() }

    fn PyConfig_InitPythonConfig(config: *mut PyConfig) -> Void {
        // SAFETY: C gives a place.
        unsafe { put(config, python_config()) };
        Void
    }
    fn PyConfig_InitIsolatedConfig(config: *mut PyConfig) -> Void {
        // SAFETY: C gives a place.
        unsafe { put(config, isolated_config()) };
        Void
    }
    fn PyConfig_Clear(config: *mut PyConfig) -> Void {
        // SAFETY: C gives an initialised struct.
        unsafe { clear_config(&*config) };
        Void
    }
    fn PyConfig_SetString(_config: *mut PyConfig, place: *mut *mut wchar_t, text: *const wchar_t) -> PyStatus {
        // SAFETY: C gives a field of the struct and a terminated text or NULL.
        unsafe { set_text(place, text) }
    }
    fn PyConfig_SetBytesString(_config: *mut PyConfig, place: *mut *mut wchar_t, text: Option<&CStr>) -> PyStatus {
        let wide = text.map(|text| decode(text.to_bytes()).into_iter().chain([0]).collect::<Vec<_>>());
        // SAFETY: as above.
        unsafe { set_text(place, wide.as_ref().map_or(std::ptr::null(), |wide| wide.as_ptr())) }
    }
    fn PyConfig_SetWideStringList(
        _config: *mut PyConfig, list: *mut PyWideStringList, n_items: isize, items: *mut *mut wchar_t
    ) -> PyStatus {
        // SAFETY: C gives a list of the struct and that many texts.
        unsafe { set_list(&*list, &texts_of(n_items, items)) }
    }
    fn PyConfig_SetArgv(config: *mut PyConfig, n_args: isize, args: *const *mut wchar_t) -> PyStatus {
        // SAFETY: C gives a struct and that many texts.
        unsafe { set_list(&(*config).argv, &texts_of(n_args, args)) }
    }
    fn PyConfig_SetBytesArgv(config: *mut PyConfig, n_args: isize, args: *const *mut c_char) -> PyStatus {
        // SAFETY: C gives a struct and that many texts.
        unsafe { set_list(&(*config).argv, &decoded_texts(n_args, args)) }
    }
    fn PyConfig_Read(config: *mut PyConfig) -> PyStatus {
        // SAFETY: C gives an initialised struct.
        let config = unsafe { &*config };
        attached(|| read_config(config).unwrap_or_else(|raised| {
            raised.clear();
            error(c"the configuration of the interpreter cannot be read")
        }))
    }
    fn Py_InitializeFromConfig(_config: *const PyConfig) -> PyStatus { ok() }

    fn PyInitConfig_Create() -> *mut c_void {
        let config = InitConfig { pre: isolated_preconfig(), config: isolated_config(), error: None };
        Box::into_raw(Box::new(config)).cast()
    }
    fn PyInitConfig_Free(config: *mut c_void) -> Void {
        if !config.is_null() {
            // SAFETY: C gives away what PyInitConfig_Create gave.
            drop(unsafe { Box::from_raw(config.cast::<InitConfig>()) });
        }
        Void
    }
    fn PyInitConfig_GetError(config: *mut c_void, place: *mut *const c_char) -> c_int {
        // SAFETY: C gives a configuration of ours and a place.
        unsafe {
            let error = &init_config(config).error;
            put(place, error.as_ref().map_or(std::ptr::null(), |error| error.as_ptr()));
            c_int::from(error.is_some())
        }
    }
    /// 0: there is none, since the command line of a running interpreter is done with.
    fn PyInitConfig_GetExitCode(_config: *mut c_void, _place: *mut c_int) -> c_int { 0 }
    fn PyInitConfig_HasOption(config: *mut c_void, name: &CStr) -> c_int {
        // SAFETY: C gives a configuration of ours.
        c_int::from(unsafe { init_config(config) }.field(name).is_some())
    }
    fn PyInitConfig_GetInt(config: *mut c_void, name: &CStr, place: *mut i64) -> c_int {
        // SAFETY: C keeps the contract.
        unsafe { init_get_int(config, name, place) }
    }
    fn PyInitConfig_GetStr(config: *mut c_void, name: &CStr, place: *mut *mut c_char) -> c_int {
        // SAFETY: C gives a configuration of ours.
        let config = unsafe { init_config(config) };
        let text = match config.field(name) {
            Some(Field::Text(text)) => text.get(),
            Some(_) => return config.fail("config option type is not string"),
            None => return config.fail(UNKNOWN),
        };
        // SAFETY: C gives a place; the field's text is terminated.
        unsafe { put(place, if text.is_null() { std::ptr::null_mut() } else { c_copy(encode(wide_slice(text))) }) };
        0
    }
    fn PyInitConfig_GetStrList(config: *mut c_void, name: &CStr, length: *mut usize, place: *mut *mut *mut c_char) -> c_int {
        // SAFETY: C gives a configuration of ours.
        let config = unsafe { init_config(config) };
        let (n_items, items) = match config.field(name) {
            Some(Field::List(list)) => (list.length.get() as usize, list.items.get()),
            Some(_) => return config.fail("config option type is not string list"),
            None => return config.fail(UNKNOWN),
        };
        // SAFETY: a fresh block with room for the items; C gives places.
        unsafe {
            let copies = libc::malloc(n_items.max(1) * size_of::<*mut c_char>()).cast::<*mut c_char>();
            if copies.is_null() {
                return config.fail("memory allocation failed");
            }
            for idx in 0..n_items {
                *copies.add(idx) = c_copy(encode(wide_slice(*items.add(idx))));
            }
            put(length, n_items);
            put(place, copies);
        }
        0
    }
    fn PyInitConfig_FreeStrList(length: usize, items: *mut *mut c_char) -> Void {
        // SAFETY: C gives away what PyInitConfig_GetStrList gave.
        unsafe {
            for idx in 0..length {
                libc::free((*items.add(idx)).cast());
            }
            libc::free(items.cast());
        }
        Void
    }
    fn PyInitConfig_SetInt(config: *mut c_void, name: &CStr, value: i64) -> c_int {
        // SAFETY: C keeps the contract.
        unsafe { init_set_int(config, name, value) }
    }
    fn PyInitConfig_SetStr(config: *mut c_void, name: &CStr, value: Option<&CStr>) -> c_int {
        let texts: Vec<_> = value.iter().map(|value| decode(value.to_bytes())).collect();
        // SAFETY: C keeps the contract.
        unsafe { init_set_texts(config, name, &texts, false) }
    }
    fn PyInitConfig_SetStrList(config: *mut c_void, name: &CStr, length: usize, items: *const *mut c_char) -> c_int {
        // SAFETY: C keeps the contract.
        unsafe { init_set_texts(config, name, &decoded_texts(length as isize, items), true) }
    }
    fn PyInitConfig_AddModule(config: *mut c_void, name: &CStr, _init: *mut c_void) -> c_int {
        let message = format!("{}: built-in modules cannot be added: {RUNS_ALREADY}", name.to_string_lossy());
        // SAFETY: C gives a configuration of ours.
        unsafe { init_config(config) }.fail(message)
    }
    fn Py_InitializeFromInitConfig(_config: *mut c_void) -> c_int { 0 }

    /// The command that the arguments spell, in a process of its own: this one has its interpreter.
    fn Py_Main(n_args: c_int, args: *mut *mut wchar_t) -> c_int {
        // SAFETY: C gives that many texts.
        run_command(unsafe { texts_of(n_args as isize, args) }.iter().map(|arg| encode(arg)).collect())
    }
    /// As `Py_Main`.
    fn Py_BytesMain(n_args: c_int, args: *mut *mut c_char) -> c_int {
        // SAFETY: C gives that many texts.
        run_command(unsafe { decoded_texts(n_args as isize, args) }.iter().map(|arg| encode(arg)).collect())
    }
    fn Py_RunMain() -> c_int {
        eprintln!("Py_RunMain: {RUNS_ALREADY}");
        1
    }
    fn Py_FrozenMain(_n_args: c_int, _args: *mut *mut c_char) -> c_int {
        eprintln!("Py_FrozenMain: {RUNS_ALREADY}, and it has no frozen __main__");
        1
    }
    fn PyImport_ExtendInittab(_table: *mut c_void) -> c_int { -1 }
}
