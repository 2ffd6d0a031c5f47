//! `binascii`: binary data <-> hexadecimal, base64, uuencode, quoted-printable; CRCs.

use crate::util::{AsciiBuffer, ExceptionClass};
use adder_runtime::exceptions::exc;
use adder_runtime::objects::buffer::BytesArg;
use adder_runtime::prelude::*;

pub static ERROR: ExceptionClass = ExceptionClass::new("binascii.Error", || exc::ValueError);
static INCOMPLETE: ExceptionClass = ExceptionClass::new("binascii.Incomplete", || exc::Exception);

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NOT_BASE64: u8 = 0xff;

const FROM_BASE64: [u8; 256] = {
    let mut table = [NOT_BASE64; 256];
    let mut value = 0;
    while value < 64 {
        table[BASE64[value] as usize] = value as u8;
        value += 1;
    }
    table
};

fn encode_base64(data: &[u8], newline: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len().div_ceil(3) * 4 + 1);
    for chunk in data.chunks(3) {
        let word = chunk.iter().enumerate().fold(0u32, |word, (at, byte)| word | u32::from(*byte) << (16 - 8 * at));
        for at in 0..4 {
            out.push(if at <= chunk.len() { BASE64[(word >> (18 - 6 * at) & 63) as usize] } else { b'=' });
        }
    }
    if newline {
        out.push(b'\n');
    }
    out
}

fn decode_base64(data: &[u8], strict: bool) -> PyResult<Vec<u8>> {
    let mut out = Vec::with_capacity(data.len() / 4 * 3 + 3);
    if strict && data.first() == Some(&b'=') {
        return Err(ERROR.raise("Leading padding not allowed"));
    }
    let (mut quad_position, mut pads, mut left) = (0, 0, 0u8);
    for byte in data {
        if *byte == b'=' {
            pads += 1;
            if !strict || quad_position >= 2 && quad_position + pads <= 4 {
                continue;
            }
            if quad_position == 1 {
                break;
            }
            return Err(ERROR.raise("Excess padding not allowed"));
        }
        let value = FROM_BASE64[usize::from(*byte)];
        if value == NOT_BASE64 {
            if strict {
                return Err(ERROR.raise("Only base64 data is allowed"));
            }
            continue;
        }
        if strict && pads > 0 {
            return Err(ERROR.raise(if quad_position + pads == 4 {
                "Excess data after padding"
            } else {
                "Discontinuous padding not allowed"
            }));
        }
        pads = 0;
        match quad_position {
            0 => left = value,
            1 => {
                out.push(left << 2 | value >> 4);
                left = value & 15;
            }
            2 => {
                out.push(left << 4 | value >> 2);
                left = value & 3;
            }
            _ => {
                out.push(left << 6 | value);
                left = 0;
            }
        }
        quad_position = (quad_position + 1) % 4;
    }
    match quad_position {
        0 => Ok(out),
        2 | 3 if quad_position + pads >= 4 => Ok(out),
        1 => {
            let n_chars = out.len() / 3 * 4 + 1;
            Err(ERROR.raise(format!(
                "Invalid base64-encoded string: number of data characters ({n_chars}) cannot be 1 more than a multiple of 4"
            )))
        }
        _ => Err(ERROR.raise("Incorrect padding")),
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Hexadecimal digits with an optional separator between groups, counted from the right or, negative, from the left.
pub fn hex(data: &[u8], separator: Option<u8>, bytes_per_group: isize) -> Vec<u8> {
    let group = bytes_per_group.unsigned_abs();
    let mut out = Vec::with_capacity(data.len() * 3);
    for (at, byte) in data.iter().enumerate() {
        if let Some(separator) = separator
            && at > 0
            && group > 0
            && if bytes_per_group > 0 { (data.len() - at).is_multiple_of(group) } else { at % group == 0 }
        {
            out.push(separator);
        }
        out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
    out
}

fn separator(separator: Option<&PyObject>) -> PyResult<Option<u8>> {
    let Some(separator) = separator else { return Ok(None) };
    if separator.len()? != 1 {
        return Err(raise!(ValueError, "sep must be length 1."));
    }
    if let Some(text) = separator.downcast::<PyUnicodeObject>() {
        return match u8::try_from(text.char_at(0)) {
            Ok(byte) => Ok(Some(byte)),
            Err(_) => Err(raise!(ValueError, "sep must be ASCII.")),
        };
    }
    match separator.downcast::<PyBytesObject>() {
        Some(bytes) => Ok(Some(bytes.as_bytes()[0])),
        None => Err(raise!(TypeError, "sep must be str or bytes.")),
    }
}

fn to_hex(data: &BytesArg<'_>, sep: Option<&PyObject>, bytes_per_sep: Option<isize>) -> PyResult<Ref<PyBytesObject>> {
    let separator = separator(sep)?;
    Ok(PyBytesObject::from_vec(hex(data.as_bytes(), separator, bytes_per_sep.unwrap_or(1))))
}

fn from_hex(text: &[u8]) -> PyResult<Ref<PyBytesObject>> {
    if !text.len().is_multiple_of(2) {
        return Err(ERROR.raise("Odd-length string"));
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut out = Vec::with_capacity(text.len() / 2);
    for pair in text.chunks_exact(2) {
        match (digit(pair[0]), digit(pair[1])) {
            (Some(high), Some(low)) => out.push(high << 4 | low),
            _ => return Err(ERROR.raise("Non-hexadecimal digit found")),
        }
    }
    Ok(PyBytesObject::from_vec(out))
}

const CRC32: [[u32; 256]; 8] = {
    let mut tables = [[0u32; 256]; 8];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 != 0 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        tables[0][index] = crc;
        index += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut index = 0;
        while index < 256 {
            let last = tables[table - 1][index];
            tables[table][index] = last >> 8 ^ tables[0][(last & 0xff) as usize];
            index += 1;
        }
        table += 1;
    }
    tables
};

/// The CRC-32 of zip and gzip, continued from an earlier value.
pub fn crc32(data: &[u8], start: u32) -> u32 {
    let mut crc = !start;
    let mut chunks = data.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]) ^ crc;
        crc = CRC32[7][(word & 0xff) as usize]
            ^ CRC32[6][(word >> 8 & 0xff) as usize]
            ^ CRC32[5][(word >> 16 & 0xff) as usize]
            ^ CRC32[4][(word >> 24) as usize]
            ^ CRC32[3][usize::from(chunk[4])]
            ^ CRC32[2][usize::from(chunk[5])]
            ^ CRC32[1][usize::from(chunk[6])]
            ^ CRC32[0][usize::from(chunk[7])];
    }
    for byte in chunks.remainder() {
        crc = crc >> 8 ^ CRC32[0][((crc ^ u32::from(*byte)) & 0xff) as usize];
    }
    !crc
}

/// The low 32 bits of an int.
pub fn low_word(value: Option<&PyObject>, default: u32) -> PyResult<u32> {
    match value {
        Some(value) => Ok(value.index()?.as_u64_mask() as u32),
        None => Ok(default),
    }
}

fn encode_quoted(data: &[u8], quote_tabs: bool, is_text: bool, header: bool) -> Vec<u8> {
    const MAX_LINE: usize = 76;
    // The kind of line end is that of the first one.
    let crlf = data.iter().position(|byte| *byte == b'\n').is_some_and(|at| at > 0 && data[at - 1] == b'\r');
    let mut out = Vec::with_capacity(data.len() * 2);
    let mut line_len = 0;
    let mut at = 0;
    let soft_break = |out: &mut Vec<u8>| out.extend_from_slice(if crlf { b"=\r\n" } else { b"=\n" });
    while at < data.len() {
        let byte = data[at];
        let next = data.get(at + 1).copied();
        let line_end = byte == b'\n' || (byte == b'\r' && next == Some(b'\n'));
        let must_quote = byte > 126
            || byte == b'='
            || (header && byte == b'_')
            || (byte == b'.' && line_len == 0 && matches!(next, None | Some(b'\n' | b'\r' | 0)))
            || (!is_text && (byte == b'\r' || byte == b'\n'))
            || ((byte == b'\t' || byte == b' ') && next.is_none())
            || (byte < 33 && byte != b'\r' && byte != b'\n' && byte != b'\t' && byte != b' ')
            || (byte < 33 && byte != b'\r' && byte != b'\n' && (quote_tabs || (byte != b'\t' && byte != b' ')));
        if must_quote && !(is_text && line_end) {
            if line_len + 3 >= MAX_LINE {
                soft_break(&mut out);
                line_len = 0;
            }
            out.extend_from_slice(&[b'=', b"0123456789ABCDEF"[usize::from(byte >> 4)], b"0123456789ABCDEF"[usize::from(byte & 15)]]);
            line_len += 3;
            at += 1;
        } else if is_text && line_end {
            line_len = 0;
            // White space at the end of a line is quoted.
            if let Some(last @ (b' ' | b'\t')) = out.last().copied() {
                out.pop();
                out.extend_from_slice(if last == b' ' { b"=20" } else { b"=09" });
            }
            out.extend_from_slice(if crlf { b"\r\n" } else { b"\n" });
            at += if byte == b'\r' { 2 } else { 1 };
        } else {
            if next.is_some_and(|next| next != b'\n') && line_len + 1 >= MAX_LINE {
                soft_break(&mut out);
                line_len = 0;
            }
            line_len += 1;
            out.push(if header && byte == b' ' { b'_' } else { byte });
            at += 1;
        }
    }
    out
}

fn decode_quoted(data: &[u8], header: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let digit = |at: usize| data.get(at).and_then(|byte| char::from(*byte).to_digit(16)).map(|digit| digit as u8);
    let mut at = 0;
    while at < data.len() {
        match data[at] {
            b'=' => {
                at += 1;
                let Some(byte) = data.get(at) else { break };
                if *byte == b'\n' || *byte == b'\r' {
                    // A soft line break.
                    while at < data.len() && data[at] != b'\n' {
                        at += 1;
                    }
                    at += 1;
                } else if *byte == b'=' {
                    // Broken, as some encoders do it.
                    out.push(b'=');
                    at += 1;
                } else if let (Some(high), Some(low)) = (digit(at), digit(at + 1)) {
                    out.push(high << 4 | low);
                    at += 2;
                } else {
                    out.push(b'=');
                }
            }
            b'_' if header => {
                out.push(b' ');
                at += 1;
            }
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

fn decode_uu(data: &[u8]) -> PyResult<Vec<u8>> {
    let Some((first, rest)) = data.split_first() else { return Err(ERROR.raise("Missing length byte")) };
    let n_bytes = usize::from(first.wrapping_sub(b' ') & 0o77);
    let mut out = Vec::with_capacity(n_bytes);
    let mut rest = rest.iter();
    let (mut word, mut n_bits) = (0u32, 0);
    while out.len() < n_bytes {
        let value = match rest.next() {
            // Lines may have lost the spaces at their ends.
            None | Some(b'\n' | b'\r') => {
                rest = [].iter();
                0
            }
            Some(byte) if *byte < b' ' || *byte > b' ' + 64 => return Err(ERROR.raise("Illegal char")),
            Some(byte) => u32::from(byte - b' ') & 0o77,
        };
        word = word << 6 | value;
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            out.push((word >> n_bits) as u8);
            word &= (1 << n_bits) - 1;
        }
    }
    for byte in rest {
        if !matches!(byte, b' ' | b'`' | b'\n' | b'\r') {
            return Err(ERROR.raise("Trailing garbage"));
        }
    }
    Ok(out)
}

fn encode_uu(data: &[u8], backtick: bool) -> PyResult<Vec<u8>> {
    if data.len() > 45 {
        return Err(ERROR.raise("At most 45 bytes at once"));
    }
    let char_of = |value: u32| if backtick && value == 0 { b'`' } else { value as u8 + b' ' };
    let mut out = vec![char_of(data.len() as u32)];
    for chunk in data.chunks(3) {
        let word = chunk.iter().enumerate().fold(0u32, |word, (at, byte)| word | u32::from(*byte) << (16 - 8 * at));
        out.extend((0..4).map(|at| char_of(word >> (18 - 6 * at) & 63)));
    }
    out.push(b'\n');
    Ok(out)
}

/// Conversion between binary data and ASCII
#[pymodule(name = "binascii", types = [])]
pub mod binascii {
    use super::*;

    #[pyconst]
    fn Error() -> PyResult {
        ERROR.get()
    }
    #[pyconst]
    fn Incomplete() -> PyResult {
        INCOMPLETE.get()
    }
    /// Decode a line of uuencoded data.
    #[pyfunction("($module, data, /)")]
    fn a2b_uu(data: AsciiBuffer<'_>) -> PyResult<Ref<PyBytesObject>> {
        decode_uu(data.as_bytes()).map(PyBytesObject::from_vec)
    }
    /// Uuencode line of data.
    #[pyfunction("($module, data, /, *, backtick=False)")]
    fn b2a_uu(data: BytesArg<'_>, backtick: bool) -> PyResult<Ref<PyBytesObject>> {
        encode_uu(data.as_bytes(), backtick).map(PyBytesObject::from_vec)
    }
    /// Decode a line of base64 data.
    #[pyfunction("($module, data, /, *, strict_mode=False)")]
    fn a2b_base64(data: AsciiBuffer<'_>, strict_mode: bool) -> PyResult<Ref<PyBytesObject>> {
        decode_base64(data.as_bytes(), strict_mode).map(PyBytesObject::from_vec)
    }
    /// Base64-code line of data.
    #[pyfunction("($module, data, /, *, newline=True)")]
    fn b2a_base64(data: BytesArg<'_>, newline: bool) -> Ref<PyBytesObject> {
        PyBytesObject::from_vec(encode_base64(data.as_bytes(), newline))
    }
    /// Compute CRC-CCITT incrementally.
    #[pyfunction("($module, data, crc, /)")]
    fn crc_hqx(data: BytesArg<'_>, crc: &PyObject) -> PyResult<u32> {
        let mut crc = low_word(Some(crc), 0)? & 0xffff;
        for byte in data.as_bytes() {
            crc ^= u32::from(*byte) << 8;
            for _ in 0..8 {
                crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
            }
            crc &= 0xffff;
        }
        Ok(crc)
    }
    /// Compute CRC-32 incrementally.
    #[pyfunction("($module, data, crc=0, /)")]
    fn crc32(data: BytesArg<'_>, crc: Option<&PyObject>) -> PyResult<u32> {
        Ok(super::crc32(data.as_bytes(), low_word(crc, 0)?))
    }
    /// Hexadecimal representation of binary data.
    #[pyfunction("($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)")]
    fn b2a_hex(data: BytesArg<'_>, sep: Option<&PyObject>, bytes_per_sep: Option<isize>) -> PyResult<Ref<PyBytesObject>> {
        to_hex(&data, sep, bytes_per_sep)
    }
    /// Hexadecimal representation of binary data.
    #[pyfunction("($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)")]
    fn hexlify(data: BytesArg<'_>, sep: Option<&PyObject>, bytes_per_sep: Option<isize>) -> PyResult<Ref<PyBytesObject>> {
        to_hex(&data, sep, bytes_per_sep)
    }
    /// Binary data of hexadecimal representation.
    #[pyfunction("($module, hexstr, /)")]
    fn a2b_hex(hexstr: AsciiBuffer<'_>) -> PyResult<Ref<PyBytesObject>> {
        from_hex(hexstr.as_bytes())
    }
    /// Binary data of hexadecimal representation.
    #[pyfunction("($module, hexstr, /)")]
    fn unhexlify(hexstr: AsciiBuffer<'_>) -> PyResult<Ref<PyBytesObject>> {
        from_hex(hexstr.as_bytes())
    }
    /// Decode a string of qp-encoded data.
    #[pyfunction("($module, /, data, header=False)")]
    fn a2b_qp(data: AsciiBuffer<'_>, header: bool) -> Ref<PyBytesObject> {
        PyBytesObject::from_vec(decode_quoted(data.as_bytes(), header))
    }
    /// Encode a string using quoted-printable encoding.
    #[pyfunction("($module, /, data, quotetabs=False, istext=True, header=False)")]
    fn b2a_qp(data: BytesArg<'_>, quotetabs: bool, istext: bool, header: bool) -> Ref<PyBytesObject> {
        PyBytesObject::from_vec(encode_quoted(data.as_bytes(), quotetabs, istext, header))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_of_check_string() {
        assert_eq!(super::crc32(b"123456789", 0), 0xcbf4_3926);
        assert_eq!(super::crc32(b"6789", super::crc32(b"12345", 0)), 0xcbf4_3926);
    }
    #[test]
    fn base64_pads() {
        assert_eq!(encode_base64(b"a", true), b"YQ==\n");
        assert_eq!(encode_base64(b"abc", false), b"YWJj");
    }
}
