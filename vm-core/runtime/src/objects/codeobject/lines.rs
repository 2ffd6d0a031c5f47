//! Locations and handlers of words, and their form as bytes (`co_linetable`, `co_exceptiontable`). It stands alone: the
//! build of frozen code uses it too.

/// A range of words and its handler; see the compiler's `ExceptionEntry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptionHandler {
    pub start: u32,
    pub end: u32,
    pub handler: u32,
    /// Number of temporaries that stay.
    pub depth: u16,
    /// Whether the handler wants the index of the raising word before the exception.
    pub lasti: bool,
}

/// Where the words from `start` on come from. Lines from 1, columns in UTF-8 bytes from 0; -1: unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    pub start: u32,
    pub line: i32,
    pub end_line: i32,
    pub col: i32,
    pub end_col: i32,
}

impl Location {
    pub const NONE: Location = Location {
        start: 0,
        line: -1,
        end_line: -1,
        col: -1,
        end_col: -1,
    };
}

/// LEB128 of the zigzag form: small numbers of either sign take one byte.
fn push_signed(bytes: &mut Vec<u8>, value: i32) {
    let mut rest = ((value << 1) ^ (value >> 31)) as u32;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

fn read_signed(bytes: &mut std::slice::Iter<'_, u8>) -> Option<i32> {
    let (mut value, mut shift) = (0u32, 0);
    loop {
        let byte = *bytes.next()?;
        value |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value >> 1) as i32 ^ -((value & 1) as i32));
        }
        shift += 7;
    }
}

/// Runs as differences to the run before.
pub fn encode_locations(runs: &[Location]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(runs.len() * 6);
    let (mut start, mut line) = (0, 0);
    for run in runs {
        push_signed(&mut bytes, (run.start - start) as i32);
        push_signed(&mut bytes, run.line - line);
        push_signed(&mut bytes, run.end_line - run.line);
        push_signed(&mut bytes, run.col);
        push_signed(&mut bytes, run.end_col);
        (start, line) = (run.start, run.line);
    }
    bytes
}

/// The inverse of `encode_locations`; `None` for bytes that it cannot have made.
pub fn decode_locations(bytes: &[u8]) -> Option<Vec<Location>> {
    let mut runs = Vec::new();
    let mut rest = bytes.iter();
    let (mut start, mut line) = (0i32, 0i32);
    while !rest.as_slice().is_empty() {
        start = start.checked_add(read_signed(&mut rest)?)?;
        line = line.checked_add(read_signed(&mut rest)?)?;
        let end_line = line.checked_add(read_signed(&mut rest)?)?;
        let (col, end_col) = (read_signed(&mut rest)?, read_signed(&mut rest)?);
        runs.push(Location {
            start: u32::try_from(start).ok()?,
            line,
            end_line,
            col,
            end_col,
        });
    }
    Some(runs)
}

/// Six bits a byte, the highest first; bit 6: more follow, bit 7: an entry begins.
fn push_big_endian(bytes: &mut Vec<u8>, value: u32, begins: u8) {
    let n_more = (1..6).rev().find(|n| value >> (6 * n) != 0).unwrap_or(0);
    for n in (0..=n_more).rev() {
        let more = if n > 0 { 64 } else { 0 };
        let first = if n == n_more { begins } else { 0 };
        bytes.push(first | more | (value >> (6 * n) & 63) as u8);
    }
}

fn read_big_endian(bytes: &mut std::slice::Iter<'_, u8>) -> Option<u32> {
    let mut value = 0u32;
    loop {
        let byte = *bytes.next()?;
        value = value << 6 | u32::from(byte & 63);
        if byte & 64 == 0 {
            return Some(value);
        }
    }
}

pub fn encode_exception_table(entries: &[ExceptionHandler]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * 5);
    for entry in entries {
        push_big_endian(&mut bytes, entry.start, 0x80);
        push_big_endian(&mut bytes, entry.end - entry.start, 0);
        push_big_endian(&mut bytes, entry.handler, 0);
        push_big_endian(
            &mut bytes,
            u32::from(entry.depth) << 1 | u32::from(entry.lasti),
            0,
        );
    }
    bytes
}

/// The inverse of `encode_exception_table`; `None` for bytes that it cannot have made.
pub fn decode_exception_table(bytes: &[u8]) -> Option<Vec<ExceptionHandler>> {
    let mut entries = Vec::new();
    let mut rest = bytes.iter();
    while !rest.as_slice().is_empty() {
        let start = read_big_endian(&mut rest)?;
        let end = start.checked_add(read_big_endian(&mut rest)?)?;
        let handler = read_big_endian(&mut rest)?;
        let depth = read_big_endian(&mut rest)?;
        entries.push(ExceptionHandler {
            start,
            end,
            handler,
            depth: u16::try_from(depth >> 1).ok()?,
            lasti: depth & 1 != 0,
        });
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_survive_their_bytes() {
        let runs = vec![
            Location {
                start: 0,
                line: 3,
                end_line: 3,
                col: 0,
                end_col: 8,
            },
            Location {
                start: 4,
                ..Location::NONE
            },
            Location {
                start: 700,
                line: 90_000,
                end_line: 90_002,
                col: 300,
                end_col: 1,
            },
        ];
        assert_eq!(decode_locations(&encode_locations(&runs)), Some(runs));
        let table = vec![ExceptionHandler {
            start: 1,
            end: 500,
            handler: 600,
            depth: 3,
            lasti: true,
        }];
        assert_eq!(
            decode_exception_table(&encode_exception_table(&table)),
            Some(table)
        );
        assert_eq!(decode_locations(&[0x80]), None);
    }
}
