//! `print` and `input`.

use adder_runtime::hooks;
use adder_runtime::prelude::*;

/// `sys.name`; RuntimeError when it is lost.
fn stream(name: &PyUnicodeObject) -> PyResult {
    match hooks::sys_attribute(name) {
        Some(stream) => Ok(stream),
        None => Err(raise!(RuntimeError, "lost sys.{}", name.to_string_lossy())),
    }
}

fn text_option(value: Option<Ref>, name: &str) -> PyResult<Option<Ref>> {
    match value.filter(|value| !is_none(value)) {
        None => Ok(None),
        Some(value) if PyUnicodeObject::check(&value) => Ok(Some(value)),
        Some(value) => Err(raise!(TypeError, "{name} must be None or a string, not {}", value.ty().name())),
    }
}

/// `print(*args, sep=, end=, file=, flush=)`.
pub fn print(args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult<()> {
    let n_keywords = kwnames.map_or(0, |names| names.len());
    let (values, keyword_values) = args.split_at(args.len() - n_keywords);
    let (mut separator, mut end, mut file, mut flush) = (None, None, None, None);
    for (name, value) in kwnames.map_or(&[][..], |names| names.as_slice()).iter().zip(keyword_values) {
        let name = name.str()?.to_string_lossy();
        let value = Some(value.to_ref());
        match name.as_str() {
            "sep" => separator = value,
            "end" => end = value,
            "file" => file = value,
            "flush" => flush = value,
            _ => return Err(raise!(TypeError, "print() got an unexpected keyword argument '{name}'")),
        }
    }
    let file = match file.filter(|file| !is_none(file)) {
        Some(file) => file,
        None => {
            let stdout = stream(identifier!("stdout"))?;
            if is_none(&stdout) {
                return Ok(());
            }
            stdout
        }
    };
    let separator = text_option(separator, "sep")?;
    let end = text_option(end, "end")?;
    let write = file.get_attr(identifier!("write"))?;
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            match &separator {
                None => write.call1(PyUnicodeObject::from_char(u32::from(b' ')).as_object())?,
                Some(separator) => write.call1(separator)?,
            };
        }
        write.call1(value.str()?.as_object())?;
    }
    match &end {
        None => write.call1(PyUnicodeObject::from_char(u32::from(b'\n')).as_object())?,
        Some(end) => write.call1(end)?,
    };
    if let Some(flush) = flush
        && flush.is_true()?
    {
        file.call_method(identifier!("flush"), &[])?;
    }
    Ok(())
}

/// `input(prompt)`: by the streams; end of file is EOFError.
pub fn input(prompt: Option<&PyObject>) -> PyResult {
    let (stdin, stdout) = (stream(identifier!("stdin"))?, stream(identifier!("stdout"))?);
    for (stream, name) in [(&stdin, "stdin"), (&stdout, "stdout")] {
        if is_none(stream) {
            return Err(raise!(RuntimeError, "input(): lost sys.{name}"));
        }
    }
    hooks::audit("builtins.input", &[prompt.unwrap_or(none())])?;
    if let Some(stderr) = hooks::sys_attribute(identifier!("stderr"))
        && !is_none(&stderr)
        && let Err(raised) = stderr.call_method(identifier!("flush"), &[])
    {
        raised.clear();
    }
    if let Some(prompt) = prompt {
        stdout.call_method(identifier!("write"), &[prompt.str()?.as_object()])?;
    }
    stdout.call_method(identifier!("flush"), &[])?;
    let line = stdin.call_method(identifier!("readline"), &[])?;
    let Some(text) = (*line).downcast::<PyUnicodeObject>() else {
        return Err(raise!(TypeError, "object.readline() returned non-string"));
    };
    if text.len() == 0 {
        return Err(raise!(EOFError, "EOF when reading a line"));
    }
    let end = if text.char_at(text.len() - 1) == u32::from(b'\n') { text.len() - 1 } else { text.len() };
    let result = text.substring(0, end).into_object();
    hooks::audit("builtins.input/result", &[&result])?;
    Ok(result)
}
