//! `print` and `input`.

use adder_runtime::abi::*;
use adder_runtime::exceptions::exc;
use adder_runtime::hooks::sys_attribute;
use adder_runtime::prelude::*;

fn optional_text<'a>(value: Option<&'a PyObject>, name: &str) -> PyResult<Option<&'a PyObject>> {
    match value.filter(|value| !is_none(value)) {
        None => Ok(None),
        Some(value) if PyUnicodeObject::check(value) => Ok(Some(value)),
        Some(value) => Err(raise!(
            TypeError,
            "{name} must be None or a string, not {}",
            value.ty().name()
        )),
    }
}

pub fn print(
    args: &[&PyObject],
    sep: Option<&PyObject>,
    end: Option<&PyObject>,
    file: Option<&PyObject>,
    flush: Option<&PyObject>,
) -> PyResult<()> {
    let file = match file.filter(|file| !is_none(file)) {
        Some(file) => file.to_ref(),
        None => match sys_attribute(identifier!("stdout")) {
            Some(file) if is_none(&file) => return Ok(()),
            Some(file) => file,
            None => return Err(raise!(RuntimeError, "lost sys.stdout")),
        },
    };
    let sep = optional_text(sep, "sep")?;
    let end = optional_text(end, "end")?;
    let write = file.get_attr(identifier!("write"))?;
    for (index, arg) in args.iter().enumerate() {
        if index > 0 {
            write.call1(sep.unwrap_or(identifier!(" ").as_object()))?;
        }
        let text = arg.str()?;
        write.call1(text.as_object())?;
    }
    write.call1(end.unwrap_or(identifier!("\n").as_object()))?;
    if let Some(flush) = flush
        && flush.is_true()?
    {
        file.call_method(identifier!("flush"), &[])?;
    }
    Ok(())
}

fn stream(name: &'static PyUnicodeObject) -> PyResult {
    match sys_attribute(name).filter(|stream| !is_none(stream)) {
        Some(stream) => Ok(stream),
        None => Err(raise!(
            RuntimeError,
            "input(): lost sys.{}",
            name.to_string_lossy()
        )),
    }
}

pub fn input(prompt: Option<&PyObject>) -> PyResult {
    let (stdin, stdout, stderr) = (
        stream(identifier!("stdin"))?,
        stream(identifier!("stdout"))?,
        stream(identifier!("stderr"))?,
    );
    adder_runtime::hooks::audit("builtins.input", &[prompt.unwrap_or(none())])?;
    if let Err(raised) = stderr.call_method(identifier!("flush"), &[]) {
        raised.clear();
    }
    if let Some(prompt) = prompt {
        let text = prompt.str()?;
        stdout.call_method(identifier!("write"), &[text.as_object()])?;
    }
    if let Err(raised) = stdout.call_method(identifier!("flush"), &[]) {
        raised.clear();
    }
    let line = stdin.call_method(identifier!("readline"), &[])?;
    let Some(text) = (*line).downcast::<PyUnicodeObject>() else {
        return Err(raise!(TypeError, "object.readline() returned non-string"));
    };
    if text.len() == 0 {
        return Err(adder_runtime::error::set_object(
            exc::EOFError.as_object(),
            Some(PyUnicodeObject::from_str("EOF when reading a line").as_object()),
        ));
    }
    let length = text.len();
    let end = if text.char_at(length - 1) == u32::from('\n') {
        length - 1
    } else {
        length
    };
    let result = text.substring(0, end);
    adder_runtime::hooks::audit("builtins.input/result", &[result.as_object()])?;
    Ok(result.into_object())
}
