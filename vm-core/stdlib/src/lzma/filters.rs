//! Filter specifiers (dicts) -> chains of filters with their options, and options in their encoded form and back.

use super::{ERROR, stream_error};
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use liblzma_sys as lz;

pub const LZMA1: u64 = 0x4000_0000_0000_0001;
pub const LZMA2: u64 = 0x21;
pub const DELTA: u64 = 3;
const FIRST_BCJ: u64 = 4;
const LAST_BCJ: u64 = 9;
/// What ends a chain.
const NO_FILTER: u64 = u64::MAX;
const MAX_FILTERS: usize = 4;

/// `lzma_options_delta`.
#[repr(C)]
struct DeltaOptions {
    kind: u32,
    dist: u32,
    reserved: [u32; 6],
    reserved_ptr: [*mut c_void; 2],
}

enum Options {
    Lzma(Box<lz::lzma_options_lzma>),
    Delta(Box<DeltaOptions>),
    Bcj(Box<lz::lzma_options_bcj>),
}

impl Options {
    fn as_ptr(&self) -> *mut c_void {
        match self {
            Options::Lzma(options) => (&raw const **options).cast_mut().cast(),
            Options::Delta(options) => (&raw const **options).cast_mut().cast(),
            Options::Bcj(options) => (&raw const **options).cast_mut().cast(),
        }
    }
}

/// An int that the library takes in 32 bits.
pub fn u32_of(object: &PyObject) -> PyResult<u32> {
    let int = object.index()?;
    if int.is_negative() {
        return Err(raise!(ValueError, "Cannot convert negative int"));
    }
    match int.to_i64().map(u32::try_from) {
        Some(Ok(value)) => Ok(value),
        _ => Err(raise!(OverflowError, "Python int too large for C uint32_t")),
    }
}

/// The options of a preset.
pub fn preset_options(preset: u32) -> PyResult<Box<lz::lzma_options_lzma>> {
    // SAFETY: a struct of numbers and null pointers, which the call fills.
    let mut options: Box<lz::lzma_options_lzma> = Box::new(unsafe { std::mem::zeroed() });
    // SAFETY: the struct to fill.
    if unsafe { lz::lzma_lzma_preset(&mut *options, preset) } != 0 {
        return Err(ERROR.raise(format!("Invalid compression preset: {preset}")));
    }
    Ok(options)
}

fn entry(spec: &PyObject, name: &str) -> PyResult<Option<Ref>> {
    match spec.get_item(PyUnicodeObject::from_str(name).as_object()) {
        Ok(value) => Ok(Some(value)),
        Err(raised) => raised.clear_if(exc::KeyError).map(|()| None),
    }
}

/// The entries of a specifier beside its id; other names are refused.
fn entries<const N: usize>(spec: &PyObject, names: [&str; N], kind: &str) -> PyResult<[Option<u32>; N]> {
    let mut values = [None; N];
    let mut n_found = 1;
    for (name, value) in names.into_iter().zip(&mut values) {
        if let Some(found) = entry(spec, name)? {
            *value = Some(u32_of(&found)?);
            n_found += 1;
        }
    }
    if spec.len()? != n_found {
        return Err(raise!(ValueError, "Invalid filter specifier for {kind} filter"));
    }
    Ok(values)
}

fn lzma_options(spec: &PyObject) -> PyResult<Options> {
    const NAMES: [&str; 9] = ["preset", "dict_size", "lc", "lp", "pb", "mode", "nice_len", "mf", "depth"];
    let [preset, dict_size, lc, lp, pb, mode, nice_len, mf, depth] = entries(spec, NAMES, "LZMA")?;
    let mut options = preset_options(preset.unwrap_or(lz::LZMA_PRESET_DEFAULT))?;
    let fields = [
        (&mut options.dict_size, dict_size),
        (&mut options.lc, lc),
        (&mut options.lp, lp),
        (&mut options.pb, pb),
        (&mut options.nice_len, nice_len),
        (&mut options.depth, depth),
    ];
    for (field, value) in fields {
        *field = value.unwrap_or(*field);
    }
    options.mode = mode.unwrap_or(options.mode);
    options.mf = mf.unwrap_or(options.mf);
    Ok(Options::Lzma(options))
}

/// One filter of a specifier: its id and options.
fn filter_of(spec: &PyObject) -> PyResult<(u64, Options)> {
    let is_mapping = spec.ty().mapping_slot(|slots| slots.mp_subscript.get()).is_some();
    if !is_mapping || PyTupleObject::check(spec) || PyListObject::check(spec) || PyUnicodeObject::check(spec) {
        return Err(raise!(TypeError, "Filter specifier must be a dict or dict-like object"));
    }
    let Some(id) = entry(spec, "id")? else {
        return Err(raise!(ValueError, "Filter specifier must have an \"id\" entry"));
    };
    let id = id.index()?.as_u64()?;
    let options = match id {
        LZMA1 | LZMA2 => lzma_options(spec)?,
        DELTA => {
            let [dist] = entries(spec, ["dist"], "delta")?;
            Options::Delta(Box::new(DeltaOptions {
                kind: 0,
                dist: dist.unwrap_or(1),
                reserved: [0; 6],
                reserved_ptr: [std::ptr::null_mut(); 2],
            }))
        }
        FIRST_BCJ..=LAST_BCJ => {
            let [start_offset] = entries(spec, ["start_offset"], "BCJ")?;
            Options::Bcj(Box::new(lz::lzma_options_bcj {
                start_offset: start_offset.unwrap_or(0),
            }))
        }
        id => return Err(raise!(ValueError, "Invalid filter ID: {id}")),
    };
    Ok((id, options))
}

fn raw_filter(id: u64, options: *mut c_void) -> lz::lzma_filter {
    lz::lzma_filter { id, options }
}

/// Filters in order, and what ends them.
pub struct Chain {
    raw: Vec<lz::lzma_filter>,
    options: Vec<Options>,
}

impl Chain {
    pub fn of(specs: &PyObject) -> PyResult<Chain> {
        let n = specs.sequence_len()?;
        if n > MAX_FILTERS {
            return Err(raise!(
                ValueError,
                "Too many filters - liblzma supports a maximum of {MAX_FILTERS}"
            ));
        }
        let mut chain = Chain {
            raw: Vec::with_capacity(n + 1),
            options: Vec::with_capacity(n),
        };
        for at in 0..n {
            let (id, options) = filter_of(&*specs.get_index(at as isize)?)?;
            chain.raw.push(raw_filter(id, options.as_ptr()));
            chain.options.push(options);
        }
        chain.raw.push(raw_filter(NO_FILTER, std::ptr::null_mut()));
        Ok(chain)
    }
    pub fn as_ptr(&self) -> *const lz::lzma_filter {
        self.raw.as_ptr()
    }
    /// The options of the chain's only filter, when that is LZMA1.
    pub fn single_lzma1(&self) -> Option<&lz::lzma_options_lzma> {
        match (&self.raw[..], &self.options[..]) {
            ([first, _], [Options::Lzma(options)]) if first.id == LZMA1 => Some(options),
            _ => None,
        }
    }
}

pub fn encode_properties(spec: &PyObject) -> PyResult<Ref<PyBytesObject>> {
    let (id, options) = filter_of(spec)?;
    let filter = raw_filter(id, options.as_ptr());
    let mut size = 0;
    // SAFETY: a filter with the options of its kind.
    let status = unsafe { lz::lzma_properties_size(&mut size, &filter) };
    if status != lz::LZMA_OK {
        return Err(stream_error(status));
    }
    let mut bytes = vec![0; size as usize];
    // SAFETY: as above; there is room for the size that was asked for.
    match unsafe { lz::lzma_properties_encode(&filter, bytes.as_mut_ptr()) } {
        lz::LZMA_OK => Ok(PyBytesObject::from_vec(bytes)),
        status => Err(stream_error(status)),
    }
}

pub fn decode_properties(id: u64, bytes: &[u8]) -> PyResult<Ref<PyDictObject>> {
    let mut filter = raw_filter(id, std::ptr::null_mut());
    // SAFETY: the bytes are read during the call; the options are allocated with malloc.
    let status = unsafe { lz::lzma_properties_decode(&mut filter, std::ptr::null(), bytes.as_ptr(), bytes.len()) };
    if status != lz::LZMA_OK {
        return Err(stream_error(status));
    }
    let mut fields: Vec<(&str, u64)> = vec![("id", id)];
    if !filter.options.is_null() {
        // SAFETY: the options that the library allocated are those of the filter's kind.
        unsafe {
            match id {
                LZMA1 => {
                    let options = &*filter.options.cast::<lz::lzma_options_lzma>();
                    fields.extend([
                        ("dict_size", options.dict_size.into()),
                        ("lc", options.lc.into()),
                        ("lp", options.lp.into()),
                        ("pb", options.pb.into()),
                    ]);
                }
                LZMA2 => {
                    let options = &*filter.options.cast::<lz::lzma_options_lzma>();
                    fields.push(("dict_size", options.dict_size.into()));
                }
                DELTA => fields.push(("dist", (*filter.options.cast::<DeltaOptions>()).dist.into())),
                _ => {
                    let options = &*filter.options.cast::<lz::lzma_options_bcj>();
                    fields.push(("start_offset", options.start_offset.into()));
                }
            }
        }
    }
    // SAFETY: allocated with malloc by the library, and not used any more; null is fine.
    unsafe { libc::free(filter.options) };
    let dict = PyDictObject::new();
    for (name, value) in fields {
        dict.set_str(
            &PyUnicodeObject::intern(PyUnicodeObject::from_str(name)),
            PyLongObject::from_u64(value).as_object(),
        )?;
    }
    Ok(dict)
}
