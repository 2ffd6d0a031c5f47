//! Format specification text -> `Spec`: the mini language `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`.
//!
//! Pure: errors are values, which the caller raises. Tests: `tests.rs`.

use super::FormatError;
use crate::objects::numeric_text::decimal_value;

/// Which separator stands between groups of digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grouping {
    None,
    Comma,
    Underscore,
    /// Underscores between groups of four: binary, octal and hexadecimal numbers.
    UnderscoreFour,
    /// What the C locale says (type `n`).
    Locale,
}

/// A parsed specification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spec {
    pub fill: u32,
    pub align: u8,
    pub alternate: bool,
    /// `z`: a negative zero loses its sign.
    pub no_negative_zero: bool,
    /// `+`, `-`, space, or 0 when absent.
    pub sign: u8,
    pub width: Option<usize>,
    pub grouping: Grouping,
    pub fraction_grouping: Grouping,
    pub precision: Option<usize>,
    /// The type's character, or the default (0 for floats without one).
    pub kind: u32,
}

impl Spec {
    /// Whether a number's own text is the result: nothing is padded, grouped or signed.
    pub fn is_plain(&self) -> bool {
        self.width.is_none()
            && matches!(self.sign, 0 | b'-')
            && self.grouping == Grouping::None
            && self.fraction_grouping == Grouping::None
            && self.kind != u32::from(b'n')
    }
}

fn is_align(c: u32) -> bool {
    [b'<', b'>', b'=', b'^']
        .iter()
        .any(|align| u32::from(*align) == c)
}

/// The specification's unread rest.
struct Reader<'a> {
    rest: &'a [u32],
}

impl Reader<'_> {
    fn peek(&self) -> Option<u32> {
        self.rest.first().copied()
    }
    fn take(&mut self, c: u8) -> bool {
        let found = self.peek() == Some(c.into());
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }
    /// A decimal number, None when there is no digit.
    fn number(&mut self) -> Result<Option<usize>, FormatError> {
        let mut value: Option<usize> = None;
        while let Some(digit) = self.peek().and_then(decimal_value) {
            let next = value
                .unwrap_or(0)
                .checked_mul(10)
                .and_then(|value| value.checked_add(digit as usize));
            let next = next.filter(|value| isize::try_from(*value).is_ok());
            value = Some(next.ok_or_else(|| FormatError::value("Too many decimal digits in format string"))?);
            self.rest = &self.rest[1..];
        }
        Ok(value)
    }
    fn grouping(&mut self) -> Result<Grouping, FormatError> {
        let mut grouping = Grouping::None;
        if self.take(b',') {
            grouping = Grouping::Comma;
        }
        if self.peek() == Some(u32::from(b'_')) {
            if grouping != Grouping::None {
                return Err(FormatError::value("Cannot specify both ',' and '_'."));
            }
            self.take(b'_');
            grouping = Grouping::Underscore;
        }
        if self.peek() == Some(u32::from(b',')) && grouping == Grouping::Underscore {
            return Err(FormatError::value("Cannot specify both ',' and '_'."));
        }
        Ok(grouping)
    }
}

/// Parses a specification for an object of type `type_name`.
pub fn parse(
    text: &[u32],
    type_name: &dyn std::fmt::Display,
    default_kind: u8,
    default_align: u8,
) -> Result<Spec, FormatError> {
    let mut spec = Spec {
        fill: b' '.into(),
        align: default_align,
        alternate: false,
        no_negative_zero: false,
        sign: 0,
        width: None,
        grouping: Grouping::None,
        fraction_grouping: Grouping::None,
        precision: None,
        kind: default_kind.into(),
    };
    let mut reader = Reader { rest: text };
    let mut fill_given = false;
    let mut align_given = false;
    if text.len() >= 2 && is_align(text[1]) {
        spec.fill = text[0];
        spec.align = text[1] as u8;
        fill_given = true;
        align_given = true;
        reader.rest = &text[2..];
    } else if !text.is_empty() && is_align(text[0]) {
        spec.align = text[0] as u8;
        align_given = true;
        reader.rest = &text[1..];
    }
    for sign in [b' ', b'+', b'-'] {
        if spec.sign == 0 && reader.take(sign) {
            spec.sign = sign;
        }
    }
    spec.no_negative_zero = reader.take(b'z');
    spec.alternate = reader.take(b'#');
    if !fill_given && reader.take(b'0') {
        spec.fill = b'0'.into();
        if !align_given && default_align == b'>' {
            spec.align = b'=';
        }
    }
    spec.width = reader.number()?;
    spec.grouping = reader.grouping()?;
    if reader.take(b'.') {
        spec.precision = reader.number()?;
        spec.fraction_grouping = reader.grouping()?;
        if spec.precision.is_none() && spec.fraction_grouping == Grouping::None {
            return Err(FormatError::value("Format specifier missing precision"));
        }
    }
    match reader.rest {
        [] => {}
        [kind] => spec.kind = *kind,
        _ => {
            let text: String = text.iter().filter_map(|c| char::from_u32(*c)).collect();
            return Err(FormatError::value(format!(
                "Invalid format specifier '{text}' for object of type '{type_name}'"
            )));
        }
    }
    check_grouping(&mut spec)?;
    super::has_room(spec.width.unwrap_or(0))?;
    Ok(spec)
}

fn check_grouping(spec: &mut Spec) -> Result<(), FormatError> {
    let is_one_of = |kinds: &[u8]| kinds.iter().any(|kind| u32::from(*kind) == spec.kind);
    if spec.grouping != Grouping::None && !is_one_of(b"defgEG%F\0") {
        if is_one_of(b"boxX") && spec.grouping == Grouping::Underscore {
            spec.grouping = Grouping::UnderscoreFour;
        } else {
            return Err(invalid_grouping(spec.grouping, spec.kind));
        }
    }
    // The locale decides for `n`; types without a fraction ignore its grouping.
    if spec.fraction_grouping != Grouping::None && spec.kind == u32::from(b'n') {
        return Err(invalid_grouping(spec.fraction_grouping, spec.kind));
    }
    Ok(())
}

fn invalid_grouping(grouping: Grouping, kind: u32) -> FormatError {
    let separator = if grouping == Grouping::Comma { ',' } else { '_' };
    if (33..128).contains(&kind) {
        FormatError::value(format!(
            "Cannot specify '{separator}' with '{}'.",
            kind as u8 as char
        ))
    } else {
        FormatError::value(format!("Cannot specify '{separator}' with '\\x{kind:x}'."))
    }
}
