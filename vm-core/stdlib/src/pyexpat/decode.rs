//! Bytes of a document, in pieces -> text, by what the document says of its encoding.

use super::scan::{INVALID_TOKEN, PARTIAL_CHAR, XmlError, find};
use adder_runtime::objects::codecs;
use adder_runtime::prelude::*;

enum Encoding {
    /// Not known yet: too little was seen.
    Unknown,
    Utf8,
    Utf16 { big: bool },
    /// One character a byte; none for bytes that are no character.
    Table(Box<[Option<char>; 256]>),
}

pub struct Decoder {
    encoding: Encoding,
    /// What overrides the document.
    pub forced: Option<String>,
    pending: Vec<u8>,
}

/// The encoding that an XML declaration names.
fn declared(head: &[u8]) -> Option<String> {
    let rest = &head[find(head, b"encoding")? + 8..];
    let rest = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let quote = *rest.first()?;
    let end = rest[1..].iter().position(|byte| *byte == quote)?;
    Some(String::from_utf8_lossy(&rest[1..=end]).into_owned())
}

/// The table of an encoding that Python knows.
fn table_of(name: &str) -> PyResult<Encoding> {
    let all: Vec<u8> = (0..=255).collect();
    let bytes = PyBytesObject::from_slice(&all);
    let text = codecs::decode_by_name(bytes.as_object(), &all, name, Some("replace"))?;
    if text.len() != 256 {
        return Err(raise!(ValueError, "multi-byte encodings are not supported"));
    }
    let mut table = Box::new([None; 256]);
    for (entry, code) in table.iter_mut().zip(text.code_points()) {
        *entry = char::from_u32(code).filter(|character| *character != '\u{fffd}');
    }
    Ok(Encoding::Table(table))
}

impl Decoder {
    pub fn new(forced: Option<String>) -> Decoder {
        Decoder {
            encoding: Encoding::Unknown,
            forced,
            pending: Vec::new(),
        }
    }
    /// Input that is a str: whatever the document says of its encoding.
    pub fn force_utf8(&mut self) {
        self.encoding = Encoding::Utf8;
    }
    /// Whether the bytes are not UTF-8 already.
    pub fn converts(&self) -> bool {
        matches!(self.encoding, Encoding::Utf16 { .. } | Encoding::Table(_))
    }
    fn skip(&mut self, n: usize) {
        self.pending.drain(..n);
    }
    fn named(&mut self, name: &str) -> PyResult<Encoding> {
        Ok(match &*name.to_ascii_lowercase() {
            "utf-8" | "utf8" => {
                if self.pending.starts_with(&[0xef, 0xbb, 0xbf]) {
                    self.skip(3);
                }
                Encoding::Utf8
            }
            "utf-16" | "utf-16le" | "utf-16be" => {
                let little = self.pending.starts_with(&[0xff, 0xfe]);
                if little || self.pending.starts_with(&[0xfe, 0xff]) {
                    self.skip(2);
                }
                Encoding::Utf16 { big: !little && !name.eq_ignore_ascii_case("utf-16le") }
            }
            "iso-8859-1" | "latin-1" | "latin1" => {
                Encoding::Table(Box::new(std::array::from_fn(|byte| Some(char::from(byte as u8)))))
            }
            "us-ascii" | "ascii" => Encoding::Table(Box::new(std::array::from_fn(|byte| {
                Some(char::from(byte as u8)).filter(char::is_ascii)
            }))),
            _ => table_of(name)?,
        })
    }
    /// Finds out the encoding; false when more has to be seen.
    fn decide(&mut self, is_final: bool) -> PyResult<bool> {
        if !matches!(self.encoding, Encoding::Unknown) {
            return Ok(true);
        }
        if let Some(name) = self.forced.clone() {
            self.encoding = self.named(&name)?;
            return Ok(true);
        }
        let head = &self.pending;
        if head.len() < 4 && !is_final {
            return Ok(false);
        }
        let (n_mark, encoding) = match &head[..] {
            [0xef, 0xbb, 0xbf, ..] => (3, Encoding::Utf8),
            [0xfe, 0xff, ..] => (2, Encoding::Utf16 { big: true }),
            [0xff, 0xfe, ..] => (2, Encoding::Utf16 { big: false }),
            [0, b'<', ..] => (0, Encoding::Utf16 { big: true }),
            [b'<', 0, ..] => (0, Encoding::Utf16 { big: false }),
            head if head.starts_with(b"<?xml") || b"<?xml".starts_with(head) => match find(head, b"?>") {
                None if !is_final && head.len() < 4096 => return Ok(false),
                None => (0, Encoding::Utf8),
                Some(end) => match declared(&head[..end]) {
                    // What can be read so far is no UTF-16.
                    Some(name) if !name.to_ascii_lowercase().starts_with("utf-16") => (0, self.named(&name)?),
                    _ => (0, Encoding::Utf8),
                },
            },
            _ => (0, Encoding::Utf8),
        };
        self.skip(n_mark);
        self.encoding = encoding;
        Ok(true)
    }
    /// The text of what came so far, and what is wrong after it.
    pub fn decode(&mut self, bytes: &[u8], is_final: bool) -> PyResult<(String, Option<XmlError>)> {
        self.pending.extend_from_slice(bytes);
        if !self.decide(is_final)? {
            return Ok((String::new(), None));
        }
        let pending = std::mem::take(&mut self.pending);
        let cut = is_final.then_some(PARTIAL_CHAR);
        match &self.encoding {
            Encoding::Unknown => Ok((String::new(), None)),
            Encoding::Table(table) => {
                let mut text = String::with_capacity(pending.len());
                for byte in pending {
                    match table[usize::from(byte)] {
                        Some(character) => text.push(character),
                        None => return Ok((text, Some(INVALID_TOKEN))),
                    }
                }
                Ok((text, None))
            }
            Encoding::Utf8 => match String::from_utf8(pending) {
                Ok(text) => Ok((text, None)),
                Err(error) => {
                    let (valid, wrong) = (error.utf8_error().valid_up_to(), error.utf8_error().error_len());
                    let mut bytes = error.into_bytes();
                    let rest = bytes.split_off(valid);
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    if wrong.is_some() {
                        return Ok((text, Some(INVALID_TOKEN)));
                    }
                    self.pending = rest;
                    Ok((text, cut))
                }
            },
            Encoding::Utf16 { big } => {
                let unit = |pair: &[u8]| {
                    let pair = [pair[0], pair[1]];
                    if *big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
                };
                let mut units: Vec<u16> = pending.chunks_exact(2).map(unit).collect();
                if units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
                    units.pop();
                }
                let rest = pending[units.len() * 2..].to_vec();
                let cut = cut.filter(|_| !rest.is_empty());
                self.pending = rest;
                match String::from_utf16(&units) {
                    Ok(text) => Ok((text, cut)),
                    Err(_) => Ok((String::new(), Some(INVALID_TOKEN))),
                }
            }
        }
    }
}
