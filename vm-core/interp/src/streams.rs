//! The standard streams: a minimal native writer until `io` can be imported, then real text streams.

use crate::state;
use adder_runtime::abi::*;
use adder_runtime::memory;
use adder_runtime::prelude::*;

/// A text stream that writes UTF-8 to a file descriptor, unbuffered.
#[repr(C)]
pub struct NativeWriter {
    ob_base: PyObject,
    fd: i32,
}

#[pytype(name = "_adder.NativeWriter", static_name = NATIVE_WRITER_TYPE)]
/// The standard output before the io module is there.
impl NativeWriter {
    /// Writes text; returns its length.
    #[method("($self, text, /)")]
    fn write(&self, text: &PyUnicodeObject) -> PyResult<usize> {
        let bytes = text.to_string_lossy().into_bytes();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            // SAFETY: the pointer and length are those of the slice.
            let n = unsafe { libc::write(self.fd, rest.as_ptr().cast(), rest.len()) };
            if n < 0 {
                return Err(adder_runtime::exceptions::last_os_error());
            }
            rest = &rest[n as usize..];
        }
        Ok(text.len())
    }
    /// Does nothing: there is no buffer.
    #[method]
    fn flush(&self) {}
    /// The file descriptor.
    #[method]
    fn fileno(&self) -> i32 {
        self.fd
    }
    #[getter]
    fn encoding(&self) -> &'static str {
        "utf-8"
    }
    #[getter]
    fn errors(&self) -> &'static str {
        "surrogateescape"
    }
}

fn set(name: &str, value: &PyObject) -> PyResult<()> {
    let Some(sys) = state::sys_dict() else {
        return Ok(());
    };
    sys.set_str(&PyUnicodeObject::intern(PyUnicodeObject::from_str(name)), value)
}

/// `sys.stdout` and `sys.stderr` as native writers.
pub fn install_native() -> PyResult<()> {
    for (name, fd) in [("stdout", 1), ("stderr", 2)] {
        let writer = Ref::new(NativeWriter {
            ob_base: memory::blank_header(),
            fd,
        })?;
        set(name, writer.as_object())?;
        set(&format!("__{name}__"), writer.as_object())?;
    }
    Ok(())
}

/// Real streams of the `io` module.
pub fn install_io() -> PyResult<()> {
    let io = crate::import::import_full(identifier!("_io").as_object())?;
    let open = crate::import::import_full(identifier!("_io").as_object())?.get_attr(identifier!("open"))?;
    if let Some(builtins) = state::builtins_dict() {
        builtins.set_str(identifier!("open"), &open)?;
    }
    let ioencoding = match crate::pylifecycle::config().ignore_environment {
        true => None,
        false => std::env::var("PYTHONIOENCODING").ok(),
    };
    for (name, fd, mode) in [("stdin", 0, "rb"), ("stdout", 1, "wb"), ("stderr", 2, "wb")] {
        let stream = match make_stream(&io, &open, name, fd, mode, ioencoding.as_deref()) {
            Ok(stream) => stream,
            Err(raised) => {
                // A closed descriptor: the stream is None.
                raised.clear_if(adder_runtime::exceptions::exc::OSError)?;
                none_ref()
            }
        };
        set(name, &stream)?;
        set(&format!("__{name}__"), &stream)?;
    }
    Ok(())
}

fn make_stream(
    io: &PyObject,
    open: &PyObject,
    name: &str,
    fd: i32,
    mode: &str,
    ioencoding: Option<&str>,
) -> PyResult {
    let text = |text: &str| PyUnicodeObject::from_str(text).into_object();
    let unbuffered = crate::pylifecycle::config().unbuffered && fd != 0;
    let buffering = PyLongObject::from_i64(if unbuffered { 0 } else { -1 });
    let descriptor = PyLongObject::from_i64(i64::from(fd));
    let keywords: [(&str, &PyObject); 1] = [("closefd", false_())];
    let mode_text = text(mode);
    let raw_or_buffer = open.call_kw(
        &[descriptor.as_object(), &mode_text, buffering.as_object()],
        &keywords,
    )?;
    let raw = if unbuffered {
        raw_or_buffer.clone()
    } else {
        raw_or_buffer.get_attr(identifier!("raw"))?
    };
    raw.set_attr(identifier!("name"), &text(&format!("<{name}>")))?;
    let is_tty = raw.call_method(identifier!("isatty"), &[])?.is_true()?;
    let (encoding, errors) = match ioencoding.map(|given| given.split_once(':').unwrap_or((given, ""))) {
        Some((encoding, errors)) => (encoding, errors),
        None => ("", ""),
    };
    let encoding = if encoding.is_empty() { "utf-8" } else { encoding };
    let errors = match (errors, fd) {
        (_, 2) => "backslashreplace",
        // Who names an encoding means it.
        ("", _) if ioencoding.is_some_and(|given| !given.starts_with(':') && !given.is_empty()) => "strict",
        ("", _) => crate::pylifecycle::config().stdio_errors,
        (given, _) => given,
    };
    let line_buffering = py_bool(fd == 2 || (is_tty && fd == 1));
    let write_through = py_bool(unbuffered);
    let newline = if fd == 0 { none_ref() } else { text("\n") };
    let wrapper = io.get_attr(identifier!("TextIOWrapper"))?;
    let stream = wrapper.call(&[
        &raw_or_buffer,
        &text(encoding),
        &text(errors),
        &newline,
        &line_buffering,
        &write_through,
    ])?;
    stream.set_attr(identifier!("mode"), &text(&mode[..1]))?;
    Ok(stream)
}
