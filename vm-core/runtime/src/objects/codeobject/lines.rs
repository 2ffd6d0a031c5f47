//! Locations and handlers of words, and their form as bytes (`co_linetable`, `co_exceptiontable`): the formats that CPython
//! documents, with our words in place of its code units. What comes back need not be what we made: anything is a table of
//! locations. It stands alone: the build of frozen code uses it too.

const ONE_LINE: u8 = 10;
const NO_COLUMNS: u8 = 13;
const LONG: u8 = 14;
const NOTHING: u8 = 15;
/// Words that one entry covers at most.
const MOST_WORDS: u32 = 8;

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

/// Six bits a byte, the lowest first; bit 6: more follow.
fn push_varint(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 64 {
        bytes.push(64 | (value & 63) as u8);
        value >>= 6;
    }
    bytes.push(value as u8);
}

fn push_signed(bytes: &mut Vec<u8>, value: i32) {
    let magnitude = value.unsigned_abs() << 1;
    push_varint(bytes, magnitude | u32::from(value < 0));
}

fn read_varint(bytes: &mut std::slice::Iter<'_, u8>) -> Option<u32> {
    let (mut value, mut shift) = (0u32, 0);
    loop {
        let byte = *bytes.next()?;
        value |= u32::from(byte & 63).checked_shl(shift).unwrap_or(0);
        if byte & 64 == 0 {
            return Some(value);
        }
        shift += 6;
    }
}

fn read_signed(bytes: &mut std::slice::Iter<'_, u8>) -> Option<i32> {
    let value = read_varint(bytes)?;
    let magnitude = (value >> 1) as i32;
    Some(if value & 1 != 0 { -magnitude } else { magnitude })
}

/// One entry for up to eight words at a place.
fn push_entry(bytes: &mut Vec<u8>, n_words: u32, run: &Location, line: &mut i32) {
    let mut head = |code: u8| bytes.push(0x80 | code << 3 | (n_words - 1) as u8);
    if run.line < 0 {
        head(NOTHING);
        return;
    }
    let delta = run.line - *line;
    *line = run.line;
    if run.col < 0 && run.end_col < 0 && run.end_line == run.line {
        head(NO_COLUMNS);
        push_signed(bytes, delta);
        return;
    }
    let width = run.end_col - run.col;
    if run.end_line == run.line && run.col >= 0 && run.end_col >= 0 {
        if delta == 0 && run.col < 80 && (0..16).contains(&width) {
            head((run.col >> 3) as u8);
            bytes.push(((run.col & 7) << 4 | width) as u8);
            return;
        }
        if (0..3).contains(&delta) && run.col < 128 && run.end_col < 128 {
            head(ONE_LINE + delta as u8);
            bytes.extend([run.col as u8, run.end_col as u8]);
            return;
        }
    }
    head(LONG);
    push_signed(bytes, delta);
    push_varint(bytes, (run.end_line - run.line).max(0) as u32);
    push_varint(bytes, (run.col + 1) as u32);
    push_varint(bytes, (run.end_col + 1) as u32);
}

/// The places of `n_words` words; lines count from the code's first one.
pub fn encode_linetable(runs: &[Location], first_line: i32, n_words: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(runs.len() * 4);
    let mut line = first_line;
    let unknown_until = runs.first().map_or(n_words, |run| run.start);
    let unknown = [Location::NONE];
    let unknown = unknown.iter().filter(|_| unknown_until > 0);
    let mut runs = unknown.chain(runs).peekable();
    while let Some(run) = runs.next() {
        let mut left = runs
            .peek()
            .map_or(n_words, |next| next.start)
            .saturating_sub(run.start);
        while left > 0 {
            let n = left.min(MOST_WORDS);
            push_entry(&mut bytes, n, run, &mut line);
            left -= n;
        }
    }
    bytes
}

/// The inverse of `encode_linetable`; it ends where the bytes make no more sense.
pub fn decode_linetable(bytes: &[u8], first_line: i32) -> Vec<Location> {
    let mut runs: Vec<Location> = Vec::new();
    let mut rest = bytes.iter();
    let (mut start, mut line) = (0u32, first_line);
    while let Some(&head) = rest.next() {
        let mut entry = || -> Option<(i32, i32, i32, i32)> {
            let code = head >> 3 & 15;
            Some(match code {
                NOTHING => (-1, -1, -1, -1),
                NO_COLUMNS => {
                    line = line.wrapping_add(read_signed(&mut rest)?);
                    (line, line, -1, -1)
                }
                LONG => {
                    line = line.wrapping_add(read_signed(&mut rest)?);
                    let end_line = line.wrapping_add(read_varint(&mut rest)? as i32);
                    let col = read_varint(&mut rest)? as i32 - 1;
                    (line, end_line, col, read_varint(&mut rest)? as i32 - 1)
                }
                ONE_LINE..NO_COLUMNS => {
                    line = line.wrapping_add(i32::from(code - ONE_LINE));
                    let col = i32::from(*rest.next()?);
                    (line, line, col, i32::from(*rest.next()?))
                }
                _ => {
                    let second = i32::from(*rest.next()?);
                    let col = i32::from(code) << 3 | second >> 4;
                    (line, line, col, col + (second & 15))
                }
            })
        };
        let Some((line, end_line, col, end_col)) = entry() else {
            break;
        };
        let is_sane = |number: i32| (-1..1 << 30).contains(&number);
        let (line, end_line, col, end_col) = match [line, end_line, col, end_col].into_iter().all(is_sane) {
            true => (line, end_line, col, end_col),
            false => (-1, -1, -1, -1),
        };
        let run = Location {
            start,
            line,
            end_line,
            col,
            end_col,
        };
        let same = |last: &Location| Location { start, ..*last } == run;
        if !runs.last().is_some_and(same) {
            runs.push(run);
        }
        start += u32::from(head & 7) + 1;
    }
    runs
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
        let place = |start, line, end_line, col, end_col| Location {
            start,
            line,
            end_line,
            col,
            end_col,
        };
        let runs = vec![
            place(0, 3, 3, 0, 8),
            place(4, -1, -1, -1, -1),
            place(30, 4, 4, 90, 100),
            place(31, 4, 4, -1, -1),
            place(700, 90_000, 90_002, 300, 1),
        ];
        assert_eq!(decode_linetable(&encode_linetable(&runs, 3, 900), 3), runs);
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
        assert_eq!(encode_exception_table(&[]), []);
        assert_eq!(decode_exception_table(&[0x80]), None);
        assert_eq!(decode_linetable(&[0xff], 1)[0].line, -1);
        assert_eq!(decode_linetable(&[0xf0, 0x41], 1), []);
    }
}
