//! `%` formatting, as far as `str` and `bytes` agree: the reading of `%` specifications, the taking of arguments, and
//! the conversion of numbers to ASCII text.

use crate::exceptions::exc;
use crate::objects::dtoa;
use crate::prelude::*;

/// A specification after its `%`, its stars already replaced by arguments.
#[derive(Clone, Debug)]
pub struct Spec {
    pub left: bool,
    pub sign: bool,
    pub blank: bool,
    pub alternate: bool,
    pub zero: bool,
    pub width: Option<usize>,
    pub precision: Option<usize>,
    pub conversion: u32,
    /// Where the conversion's character is in the format.
    pub place: usize,
}

/// The arguments: a tuple whose items are taken in order, or one object; and a mapping for `%(key)`.
pub struct Arguments<'a> {
    args: &'a PyObject,
    tuple: Option<&'a PyTupleObject>,
    mapping: Option<&'a PyObject>,
    n_taken: usize,
    /// The value of the key of this specification.
    keyed: Option<Ref>,
}

impl<'a> Arguments<'a> {
    /// `is_text` says that an object which is a sequence of characters is no mapping.
    pub fn new(args: &'a PyObject, is_text: bool) -> Arguments<'a> {
        let tuple = args.downcast::<PyTupleObject>();
        let has_subscript = args.ty().mapping_slot(|slots| slots.mp_subscript.get()).is_some();
        let mapping = (tuple.is_none() && !is_text && has_subscript).then_some(args);
        Arguments {
            args,
            tuple,
            mapping,
            n_taken: 0,
            keyed: None,
        }
    }
    /// The next argument. TypeError when there is none.
    pub fn take(&mut self) -> PyResult {
        let idx = self.n_taken;
        self.n_taken += 1;
        let found = match (&self.keyed, self.tuple) {
            (Some(keyed), _) => (idx == 0).then(|| keyed.clone()),
            (None, Some(tuple)) => tuple.as_slice().get(idx).map(|item| item.to_ref()),
            (None, None) => (idx == 0).then(|| self.args.to_ref()),
        };
        found.ok_or_else(|| raise!(TypeError, "not enough arguments for format string"))
    }
    /// Makes the mapping's value of `key` the only argument.
    fn take_key(&mut self, key: &PyObject) -> PyResult<()> {
        let Some(mapping) = self.mapping else {
            return Err(needs_mapping());
        };
        self.keyed = Some(mapping.get_item(key)?);
        self.n_taken = 0;
        Ok(())
    }
    fn check_mapping(&self) -> PyResult<()> {
        if self.mapping.is_none() {
            Err(needs_mapping())
        } else {
            Ok(())
        }
    }
    /// TypeError when arguments are left over.
    pub fn finish(&self, what: &str) -> PyResult<()> {
        let is_left = match (&self.keyed, self.tuple) {
            (Some(_), _) => false,
            (None, Some(tuple)) => self.n_taken < tuple.as_slice().len(),
            (None, None) => self.n_taken == 0,
        };
        if is_left && self.mapping.is_none() {
            return Err(raise!(
                TypeError,
                "not all arguments converted during {what} formatting"
            ));
        }
        Ok(())
    }
}

fn needs_mapping() -> Raised {
    raise!(TypeError, "format requires a mapping")
}

/// A format that is being read: characters by place.
pub struct Reader<F> {
    at: usize,
    len: usize,
    char_at: F,
}

impl<F: Fn(usize) -> u32> Reader<F> {
    pub fn new(len: usize, char_at: F) -> Reader<F> {
        Reader { at: 0, len, char_at }
    }
    pub fn place(&self) -> usize {
        self.at
    }
    pub fn peek(&self) -> Option<u32> {
        (self.at < self.len).then(|| (self.char_at)(self.at))
    }
    pub fn go_to(&mut self, place: usize) {
        self.at = place;
    }
    fn next(&mut self) -> PyResult<u32> {
        let Some(code) = self.peek() else {
            return Err(raise!(ValueError, "incomplete format"));
        };
        self.at += 1;
        Ok(code)
    }
    /// Reads a specification; the place is behind its `%`. `key` makes the object of a key's range.
    pub fn spec(
        &mut self,
        arguments: &mut Arguments<'_>,
        key: impl Fn(usize, usize) -> Ref,
    ) -> PyResult<Spec> {
        if self.peek() == Some(u32::from(b'(')) {
            arguments.check_mapping()?;
            let (start, end) = self.key_range()?;
            arguments.take_key(&key(start, end))?;
        }
        let mut spec = Spec {
            left: false,
            sign: false,
            blank: false,
            alternate: false,
            zero: false,
            width: None,
            precision: None,
            conversion: 0,
            place: 0,
        };
        let mut code = self.next()?;
        loop {
            match u8::try_from(code) {
                Ok(b'-') => spec.left = true,
                Ok(b'+') => spec.sign = true,
                Ok(b' ') => spec.blank = true,
                Ok(b'#') => spec.alternate = true,
                Ok(b'0') => spec.zero = true,
                _ => break,
            }
            code = self.next()?;
        }
        if code == u32::from(b'*') {
            let width = star(arguments)?.as_isize()?;
            spec.left |= width < 0;
            spec.width = Some(width.unsigned_abs());
            code = self.next()?;
        } else if is_digit(code) {
            (spec.width, code) = self.number(code, isize::MAX as usize, "width too big")?;
        }
        if code == u32::from(b'.') {
            spec.precision = Some(0);
            code = self.next()?;
            if code == u32::from(b'*') {
                spec.precision = Some(star_precision(arguments)?);
                code = self.next()?;
            } else if is_digit(code) {
                (spec.precision, code) = self.number(code, i32::MAX as usize, "precision too big")?;
            }
        }
        if matches!(u8::try_from(code), Ok(b'h' | b'l' | b'L')) {
            code = self.next()?;
        }
        spec.conversion = code;
        spec.place = self.at - 1;
        Ok(spec)
    }
    fn key_range(&mut self) -> PyResult<(usize, usize)> {
        self.at += 1;
        let start = self.at;
        let mut depth = 1;
        while let Some(code) = self.peek() {
            self.at += 1;
            match u8::try_from(code) {
                Ok(b'(') => depth += 1,
                Ok(b')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok((start, self.at - 1));
            }
        }
        Err(raise!(ValueError, "incomplete format key"))
    }
    fn number(&mut self, first: u32, most: usize, too_big: &str) -> PyResult<(Option<usize>, u32)> {
        let mut value = (first - 48) as usize;
        loop {
            let code = self.next()?;
            if !is_digit(code) {
                return Ok((Some(value), code));
            }
            let digit = (code - 48) as usize;
            if value > (most - digit) / 10 {
                return Err(raise!(ValueError, "{too_big}"));
            }
            value = value * 10 + digit;
        }
    }
}

fn is_digit(code: u32) -> bool {
    (48..58).contains(&code)
}

fn star<'a>(arguments: &mut Arguments<'a>) -> PyResult<Ref<PyLongObject>> {
    arguments
        .take()?
        .downcast::<PyLongObject>()
        .map_err(|_| raise!(TypeError, "* wants int"))
}

fn star_precision(arguments: &mut Arguments<'_>) -> PyResult<usize> {
    let value = star(arguments)?;
    match value.to_i64().map(i32::try_from) {
        Some(Ok(value)) => Ok(value.max(0) as usize),
        _ => Err(raise!(OverflowError, "Python int too large to convert to C int")),
    }
}

/// `ValueError: unsupported format character …`.
#[cold]
pub fn unsupported(spec: &Spec) -> Raised {
    let (code, place) = (spec.conversion, spec.place);
    let shown = if (31..=126).contains(&code) {
        char::from(code as u8)
    } else {
        '?'
    };
    raise!(
        ValueError,
        "unsupported format character '{shown}' (0x{code:x}) at index {place}"
    )
}

/// The number that an integer conversion formats.
fn integer_of(value: &PyObject, conversion: u8) -> PyResult<Ref<PyLongObject>> {
    if let Some(number) = value.downcast::<PyLongObject>() {
        return Ok(number.to_ref());
    }
    let (wanted, converted) = match conversion {
        b'x' | b'X' | b'o' => ("an integer", value.index_subclass()),
        _ if is_number(value) => ("a real number", value.to_int()),
        _ => (
            "a real number",
            Err(not_a_number(value, conversion, "a real number")),
        ),
    };
    converted.map_err(|raised| match raised.clear_if(exc::TypeError) {
        Ok(()) => not_a_number(value, conversion, wanted),
        Err(raised) => raised,
    })
}

fn not_a_number(value: &PyObject, conversion: u8, wanted: &str) -> Raised {
    let (conversion, ty) = (char::from(conversion), value.ty().full_name());
    raise!(TypeError, "%{conversion} format: {wanted} is required, not {ty}")
}

/// `PyNumber_Check`.
fn is_number(value: &PyObject) -> bool {
    let ty = value.ty();
    ty.number_slot(|slots| slots.nb_index.get()).is_some()
        || ty.number_slot(|slots| slots.nb_int.get()).is_some()
        || ty.number_slot(|slots| slots.nb_float.get()).is_some()
        || value.downcast::<PyComplexObject>().is_some()
}

/// `d i u o x X`: digits with their sign, the prefix of the alternate form, and zeros up to the precision.
fn integer_text(value: &PyObject, spec: &Spec, conversion: u8) -> PyResult<String> {
    let number = integer_of(value, conversion)?;
    let text = match conversion {
        b'o' => number.to_radix_string(8, false),
        b'x' => number.to_radix_string(16, false),
        b'X' => number.to_radix_string(16, false).to_ascii_uppercase(),
        _ => number.to_decimal_string()?,
    };
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    let prefix = match conversion {
        b'o' if spec.alternate => "0o",
        b'x' if spec.alternate => "0x",
        b'X' if spec.alternate => "0X",
        _ => "",
    };
    let n_zeros = spec.precision.unwrap_or(0).saturating_sub(digits.len());
    if n_zeros > i32::MAX as usize - 3 {
        return Err(raise!(OverflowError, "precision too large"));
    }
    crate::memory::ensure_room(3 * n_zeros)?;
    if sign.is_empty() && prefix.is_empty() && n_zeros == 0 {
        return Ok(text);
    }
    Ok(format!("{sign}{prefix}{}{digits}", "0".repeat(n_zeros)))
}

/// `e E f F g G`.
fn float_text(value: &PyObject, spec: &Spec, conversion: u8, not_float: Option<&str>) -> PyResult<String> {
    let number = value.to_f64().map_err(|raised| match not_float {
        Some(message) => match raised.clear_if(exc::TypeError) {
            Ok(()) => raise!(TypeError, "{message}, not {}", value.ty().full_name()),
            Err(raised) => raised,
        },
        None => raised,
    })?;
    let flags = if spec.alternate { dtoa::DTSF_ALT } else { 0 };
    let precision = spec.precision.unwrap_or(6);
    if precision > dtoa::MAX_PRECISION {
        return Err(raise!(ValueError, "precision too big"));
    }
    crate::memory::ensure_room(2 * precision)?;
    Ok(dtoa::double_to_string(
        number,
        char::from(conversion),
        precision,
        flags,
    ))
}

/// The text of a numeric conversion, laid out to its width: always ASCII. `None` when the conversion is no number's.
pub fn number_text(value: &PyObject, spec: &Spec, not_float: Option<&str>) -> PyResult<Option<String>> {
    let Ok(conversion) = u8::try_from(spec.conversion) else {
        return Ok(None);
    };
    let text = match conversion {
        b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => integer_text(value, spec, conversion)?,
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => float_text(value, spec, conversion, not_float)?,
        _ => return Ok(None),
    };
    if spec.width.is_none() && !spec.sign && !spec.blank {
        return Ok(Some(text));
    }
    let (sign, body) = match text.as_bytes()[0] {
        b'-' => ("-", &text[1..]),
        _ if spec.sign => ("+", text.as_str()),
        _ if spec.blank => (" ", text.as_str()),
        _ => ("", text.as_str()),
    };
    let is_prefixed = spec.alternate && matches!(conversion, b'x' | b'X' | b'o');
    let (prefix, digits) = body.split_at(if is_prefixed { 2 } else { 0 });
    let n_missing = spec.width.unwrap_or(0).saturating_sub(sign.len() + body.len());
    if n_missing >= i32::MAX as usize {
        return Err(crate::memory::no_memory());
    }
    crate::memory::ensure_room(3 * n_missing)?;
    let padding = || if spec.zero && !spec.left { "0" } else { " " }.repeat(n_missing);
    Ok(Some(match (spec.left, spec.zero) {
        (true, _) => format!("{sign}{body}{}", padding()),
        (false, true) => format!("{sign}{prefix}{}{digits}", padding()),
        (false, false) => format!("{}{sign}{body}", padding()),
    }))
}
