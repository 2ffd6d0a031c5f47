//! printf-like formats of the C API -> str and bytes: PyUnicode_FromFormat, PyErr_Format, PyBytes_FromFormat.

use crate::export::str_from_utf8;
use crate::va::VaList;
use adder_runtime::prelude::*;
use std::ffi::CStr;

/// Text under construction, in UTF-8 extended to lone surrogates.
#[derive(Default)]
pub struct Text(Vec<u8>);

impl Text {
    pub fn push_str(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    pub fn push_code_point(&mut self, code_point: u32) {
        match char::from_u32(code_point) {
            Some(c) => self.0.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => {
                let byte = |shift: u32| 0x80 | (code_point >> shift & 0x3f) as u8;
                self.0
                    .extend_from_slice(&[0xe0 | (code_point >> 12) as u8, byte(6), byte(0)]);
            }
        }
    }

    pub fn push_unicode(&mut self, text: &PyUnicodeObject) {
        match text.as_str() {
            Some(text) => self.push_str(text),
            None => text
                .code_points()
                .for_each(|code_point| self.push_code_point(code_point)),
        }
    }

    fn n_chars(&self) -> usize {
        self.0.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
    }

    /// Keeps the first `n_chars` characters.
    fn truncate_chars(&mut self, n_chars: usize) {
        let starts = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte & 0xc0 != 0x80)
            .map(|(idx, _)| idx);
        if let Some(end) = { starts }.nth(n_chars) {
            self.0.truncate(end);
        }
    }

    fn append(&mut self, other: &Text) {
        self.0.extend_from_slice(&other.0);
    }

    pub fn finish(self) -> Ref<PyUnicodeObject> {
        match String::from_utf8(self.0) {
            Ok(text) => PyUnicodeObject::from_string(text),
            Err(error) => PyUnicodeObject::from_wtf8(error.as_bytes()),
        }
    }
}

/// What stands between `%` and the conversion letter.
struct Spec {
    alternative: bool,
    left: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
    /// "", "l", "ll", "z", "t" or "j".
    size: &'static str,
    letter: u8,
}

fn invalid(format: &[u8]) -> Raised {
    raise!(
        SystemError,
        "invalid format string: {}",
        String::from_utf8_lossy(format)
    )
}

/// A number or `*` at the start of `rest`.
fn number(rest: &mut &[u8], args: &VaList, whole: &[u8]) -> PyResult<Option<isize>> {
    if rest.first() == Some(&b'*') {
        *rest = &rest[1..];
        return Ok(Some(args.int() as isize));
    }
    let mut value = None;
    while let Some(byte) = rest.first().filter(|byte| byte.is_ascii_digit()) {
        let digit = (byte - b'0') as isize;
        let next = value
            .unwrap_or(0isize)
            .checked_mul(10)
            .and_then(|value| value.checked_add(digit));
        value = Some(
            next.filter(|value| *value <= c_int::MAX as isize)
                .ok_or_else(|| {
                    raise!(
                        ValueError,
                        "width too big in format {}",
                        String::from_utf8_lossy(whole)
                    )
                })?,
        );
        *rest = &rest[1..];
    }
    Ok(value)
}

/// Reads a specification; `rest` starts at the `%`.
fn read_spec(rest: &mut &[u8], args: &VaList) -> PyResult<Spec> {
    let whole = *rest;
    *rest = &rest[1..];
    let (mut alternative, mut left, mut zero) = (false, false, false);
    while let Some(flag) = rest.first() {
        match flag {
            b'#' => alternative = true,
            b'-' => left = true,
            b'0' => zero = true,
            _ => break,
        }
        *rest = &rest[1..];
    }
    let mut width = number(rest, args, whole)?;
    if let Some(negative) = width.filter(|width| *width < 0) {
        left = true;
        width = Some(negative.saturating_neg());
    }
    let mut precision = None;
    if rest.first() == Some(&b'.') {
        *rest = &rest[1..];
        precision = match number(rest, args, whole)? {
            Some(value) => usize::try_from(value).ok(),
            None => Some(0),
        };
    }
    let mut size = "";
    for (prefix, name) in [
        (&b"ll"[..], "ll"),
        (b"l", "l"),
        (b"z", "z"),
        (b"t", "t"),
        (b"j", "j"),
    ] {
        if rest.starts_with(prefix) {
            *rest = &rest[prefix.len()..];
            size = name;
            break;
        }
    }
    let Some((&letter, after)) = rest.split_first() else {
        return Err(invalid(whole));
    };
    *rest = after;
    let width = width.map(|width| width as usize);
    Ok(Spec {
        alternative,
        left,
        zero,
        width,
        precision,
        size,
        letter,
    })
}

/// An integer argument.
fn integer_value(spec: &Spec, args: &VaList) -> i128 {
    let signed = matches!(spec.letter, b'd' | b'i');
    match (signed, spec.size) {
        (true, "l") => args.long() as i128,
        (true, "ll" | "j") => args.longlong() as i128,
        (true, "z" | "t") => args.ssize() as i128,
        (true, _) => args.int() as i128,
        (false, "l") => args.long() as u64 as i128,
        (false, "ll" | "j") => args.longlong() as u64 as i128,
        (false, "z" | "t") => args.ssize() as usize as i128,
        (false, _) => args.uint() as i128,
    }
}

/// The digits of an integer argument, with the sign.
fn integer(spec: &Spec, args: &VaList) -> (bool, String) {
    let value = integer_value(spec, args);
    let magnitude = value.unsigned_abs();
    let digits = match spec.letter {
        b'x' => format!("{magnitude:x}"),
        b'X' => format!("{magnitude:X}"),
        b'o' => format!("{magnitude:o}"),
        _ => magnitude.to_string(),
    };
    (value < 0, digits)
}

/// A decimal number without width and precision, which most are.
fn push_decimal(out: &mut Text, value: i128) {
    if value < 0 {
        out.0.push(b'-');
    }
    let Ok(mut rest) = u64::try_from(value.unsigned_abs()) else {
        return out.push_str(&value.unsigned_abs().to_string());
    };
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.0.extend_from_slice(&digits[start..]);
}

fn push_integer(out: &mut Text, spec: &Spec, negative: bool, digits: String) {
    let digits = format!("{:0>1$}", digits, spec.precision.unwrap_or(0));
    let sign = if negative { "-" } else { "" };
    let width = spec.width.unwrap_or(0);
    let len = sign.len() + digits.len();
    let padding = width.saturating_sub(len);
    if spec.left {
        out.push_str(&format!("{sign}{digits}{}", " ".repeat(padding)));
    } else if spec.zero {
        out.push_str(&format!("{sign}{}{digits}", "0".repeat(padding)));
    } else {
        out.push_str(&format!("{}{sign}{digits}", " ".repeat(padding)));
    }
}

/// Adds `text`, cut to the precision and padded to the width.
fn push_text(out: &mut Text, spec: &Spec, mut text: Text) {
    if let Some(precision) = spec.precision {
        text.truncate_chars(precision);
    }
    let padding = " ".repeat(spec.width.unwrap_or(0).saturating_sub(text.n_chars()));
    if spec.left {
        text.push_str(&padding);
        out.append(&text);
    } else {
        out.push_str(&padding);
        out.append(&text);
    }
}

/// The text of a C string; the precision counts bytes and may cut the last character, which is then left out.
fn c_text(pointer: *const c_char, spec: &Spec) -> Text {
    let mut text = Text::default();
    let bytes = c_bytes(pointer, spec.precision);
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) => {
                text.push_str(valid);
                break;
            }
            Err(error) => {
                let (valid, bad) = rest.split_at(error.valid_up_to());
                text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                let Some(n_bad) = error.error_len() else {
                    // An incomplete character at the end was cut by the precision.
                    if spec.precision.is_none_or(|precision| bytes.len() < precision) {
                        text.push_code_point(0xfffd);
                    }
                    break;
                };
                text.push_code_point(0xfffd);
                rest = &bad[n_bad..];
            }
        }
    }
    text
}

/// The bytes of a C string, at most `limit` of them (which need not be terminated).
fn c_bytes<'a>(pointer: *const c_char, limit: Option<usize>) -> &'a [u8] {
    if pointer.is_null() {
        return b"(null)";
    }
    let mut len = 0;
    // SAFETY: C gives a string that is terminated or at least `limit` long.
    unsafe {
        while limit.is_none_or(|limit| len < limit) && *pointer.add(len) != 0 {
            len += 1;
        }
        std::slice::from_raw_parts(pointer.cast(), len)
    }
}

fn wide_text(pointer: *const i32, limit: Option<usize>) -> Text {
    let mut text = Text::default();
    let mut char_idx = 0;
    // SAFETY: C gives a wide string that is terminated or at least `limit` long.
    unsafe {
        while limit.is_none_or(|limit| char_idx < limit) && *pointer.add(char_idx) != 0 {
            text.push_code_point(*pointer.add(char_idx) as u32);
            char_idx += 1;
        }
    }
    text
}

fn of_unicode(text: &PyUnicodeObject) -> Text {
    let mut out = Text::default();
    out.push_unicode(text);
    out
}

fn missing_object(spec: &Spec) -> Raised {
    raise!(
        SystemError,
        "%{} in a format has a NULL argument",
        spec.letter as char
    )
}

/// `module.qualname` of a type; `builtins` and `__main__` are left out. `separator` is `.` or `:`.
pub fn fully_qualified_name(ty: &PyTypeObject, separator: &str) -> PyResult<String> {
    let qualname = ty
        .as_object()
        .get_attr(identifier!("__qualname__"))?
        .str()?
        .to_string_lossy();
    let module = ty.as_object().get_attr(identifier!("__module__"))?;
    if let Some(module) = module
        .downcast::<PyUnicodeObject>()
        .ok()
        .map(|module| module.to_string_lossy())
        && module != "builtins"
        && module != "__main__"
    {
        return Ok(format!("{module}{separator}{qualname}"));
    }
    Ok(qualname)
}

/// One conversion that yields text.
fn text_argument(spec: &Spec, args: &VaList) -> PyResult<Text> {
    let object = || args.object().ok_or_else(|| missing_object(spec));
    Ok(match spec.letter {
        b's' if spec.size == "l" => wide_text(args.ptr(), spec.precision),
        b's' => c_text(args.ptr(), spec),
        b'p' => {
            let mut text = Text::default();
            text.push_str(&format!("{:#x}", args.ptr::<u8>() as usize));
            text
        }
        b'U' => match object()?.downcast::<PyUnicodeObject>() {
            Some(text) => of_unicode(text),
            None => return Err(raise!(SystemError, "%U in a format needs a str")),
        },
        b'V' => {
            let (object, fallback) = (args.object(), args.ptr::<c_char>());
            match object {
                Some(object) => of_unicode(&*object.str()?),
                None if spec.size == "l" => wide_text(fallback.cast(), spec.precision),
                None => c_text(fallback, spec),
            }
        }
        b'S' => of_unicode(&*object()?.str()?),
        b'R' => of_unicode(&*object()?.repr()?),
        b'A' => of_unicode(&*object()?.ascii()?),
        b'T' | b'N' => {
            let object = object()?;
            let ty = if spec.letter == b'T' {
                object.ty()
            } else {
                match object.downcast::<PyTypeObject>() {
                    Some(ty) => ty,
                    None => return Err(raise!(TypeError, "%N argument must be a type")),
                }
            };
            let mut text = Text::default();
            text.push_str(&fully_qualified_name(
                ty,
                if spec.alternative { ":" } else { "." },
            )?);
            text
        }
        _ => unreachable!("the caller looked at the letter"),
    })
}

/// PyUnicode_FromFormatV.
pub fn format_unicode(format: &CStr, args: &VaList) -> PyResult<Ref<PyUnicodeObject>> {
    Ok(format_text(format, args)?.finish())
}

pub fn format_text(format: &CStr, args: &VaList) -> PyResult<Text> {
    let mut rest = format.to_bytes();
    let mut out = Text(Vec::with_capacity(rest.len() + 32));
    while let Some(&byte) = rest.first() {
        if byte != b'%' {
            let end = rest.iter().position(|byte| *byte == b'%').unwrap_or(rest.len());
            let (literal, after) = rest.split_at(end);
            if !literal.is_ascii() {
                return Err(raise!(
                    ValueError,
                    "PyUnicode_FromFormatV() expects an ASCII-encoded format string, got a non-ASCII byte: 0x{:02x}",
                    literal.iter().find(|byte| !byte.is_ascii()).copied().unwrap_or(0)
                ));
            }
            out.0.extend_from_slice(literal);
            rest = after;
            continue;
        }
        let directive = rest;
        let spec = read_spec(&mut rest, args)?;
        let plain = spec.size.is_empty() && spec.width.is_none() && spec.precision.is_none();
        let fits = match spec.letter {
            b'%' => directive.get(1) == Some(&b'%'),
            b'c' | b'p' => plain,
            b's' | b'V' => matches!(spec.size, "" | "l"),
            b'U' | b'S' | b'R' | b'A' | b'T' | b'N' => spec.size.is_empty(),
            _ => true,
        };
        if !fits {
            return Err(invalid(directive));
        }
        match spec.letter {
            b'%' => out.push_str("%"),
            b'c' => {
                let code_point = args.int();
                if !(0..=0x10ffff).contains(&code_point) {
                    return Err(raise!(OverflowError, "character argument not in range(0x110000)"));
                }
                let mut text = Text::default();
                text.push_code_point(code_point as u32);
                push_text(
                    &mut out,
                    &Spec {
                        precision: None,
                        ..spec
                    },
                    text,
                );
            }
            b'd' | b'i' | b'u' if spec.width.is_none() && spec.precision.is_none() => {
                push_decimal(&mut out, integer_value(&spec, args));
            }
            b's' if plain => {
                let text = args.ptr::<c_char>();
                let bytes = if text.is_null() {
                    b"(null)"
                } else {
                    // SAFETY: C gives a terminated string.
                    unsafe { CStr::from_ptr(text) }.to_bytes()
                };
                if bytes.is_ascii() {
                    out.0.extend_from_slice(bytes);
                } else {
                    out.append(&c_text(text, &spec));
                }
            }
            b'd' | b'i' | b'u' | b'x' | b'X' | b'o' => {
                let (negative, digits) = integer(&spec, args);
                push_integer(&mut out, &spec, negative, digits);
            }
            b's' | b'p' | b'U' | b'V' | b'S' | b'R' | b'A' | b'T' | b'N' => {
                let text = text_argument(&spec, args)?;
                push_text(&mut out, &spec, text);
            }
            _ => return Err(invalid(directive)),
        }
    }
    Ok(out)
}

/// PyBytes_FromFormatV: fewer conversions, bytes as they are; an unknown one is copied with the rest of the format.
pub fn format_bytes(format: &CStr, args: &VaList) -> PyResult<Ref<PyBytesObject>> {
    let mut out = Vec::new();
    let mut rest = format.to_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            out.push(byte);
            rest = after;
            continue;
        }
        let directive = rest;
        if after.is_empty() {
            out.push(byte);
            break;
        }
        let spec = read_spec(&mut rest, args)?;
        match spec.letter {
            b'%' => out.push(b'%'),
            b'c' => match u8::try_from(args.int()) {
                Ok(byte) => out.push(byte),
                Err(_) => {
                    return Err(raise!(
                        OverflowError,
                        "PyBytes_FromFormatV(): %c format expects an integer in range [0; 255]"
                    ));
                }
            },
            b'd' | b'i' | b'u' | b'x' => {
                let (negative, digits) = integer(&spec, args);
                out.extend_from_slice(if negative { b"-" } else { b"" });
                out.extend_from_slice(digits.as_bytes());
            }
            b's' => out.extend_from_slice(c_bytes(args.ptr(), spec.precision)),
            b'p' => out.extend_from_slice(format!("{:#x}", args.ptr::<u8>() as usize).as_bytes()),
            _ => {
                out.extend_from_slice(directive);
                break;
            }
        }
    }
    Ok(PyBytesObject::from_slice(&out))
}

capi! {
    fn adder_PyUnicode_FromFormatV(format: &CStr, args: VaList) -> PyResult<Ref<PyUnicodeObject>> {
        format_unicode(format, &args)
    }
    fn adder_PyBytes_FromFormatV(format: &CStr, args: VaList) -> PyResult<Ref<PyBytesObject>> {
        format_bytes(format, &args)
    }
    fn adder_PyErr_FormatV(exception: &PyObject, format: &CStr, args: VaList) -> PyResult {
        // An exception that is set already is not the context of this one.
        adder_runtime::error::clear();
        let message = format_unicode(format, &args)?;
        Err(adder_runtime::error::set_object(exception, Some(message.as_object())))
    }
    fn adder_PyErr_FormatUnraisable(format: Option<&CStr>, args: VaList) -> c_int {
        let raised = adder_runtime::error::fetch();
        let message = match format.map(|format| format_unicode(format, &args)).transpose() {
            Ok(message) => message.map(|message| message.to_string_lossy()),
            Err(raised) => { raised.clear(); None }
        };
        if let Some(exception) = raised {
            let raised = adder_runtime::error::restore(exception);
            crate::pyerrors::write_unraisable_message(raised, message.as_deref(), None);
        }
        0
    }
    fn adder_PyErr_WarnFormat(category: Option<&PyObject>, level: isize, format: &CStr, args: VaList) -> PyResult<()> {
        let message = format_unicode(format, &args)?;
        crate::warnings::warn(category, message.as_object(), level, None)
    }
    fn adder_PyErr_ResourceWarning(source: Option<&PyObject>, level: isize, format: &CStr, args: VaList) -> PyResult<()> {
        let message = format_unicode(format, &args)?;
        let category = adder_runtime::exceptions::exc::ResourceWarning;
        crate::warnings::warn(Some(category.as_object()), message.as_object(), level, source)
    }
    fn adder_PyErr_WarnExplicitFormat(
        category: Option<&PyObject>, filename: &CStr, lineno: c_int, module: Option<&CStr>, registry: Option<&PyObject>,
        format: &CStr, args: VaList
    ) -> PyResult<()> {
        let message = format_unicode(format, &args)?;
        let filename = str_from_utf8(filename.to_bytes())?;
        let module = module.map(|module| str_from_utf8(module.to_bytes())).transpose()?;
        crate::warnings::warn_explicit(
            category, message.as_object(), filename.as_object(), lineno, module.as_ref().map(|module| module.as_object()), registry,
        )
    }
}
