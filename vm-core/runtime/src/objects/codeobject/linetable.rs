//! `co_linetable` and `co_exceptiontable` as bytes that Python programs read: the formats that CPython documents, with our
//! words in place of its code units. What comes back need not be what we made: anything is a table of locations.

use super::Location;

const ONE_LINE: u8 = 10;
const NO_COLUMNS: u8 = 13;
const LONG: u8 = 14;
const NOTHING: u8 = 15;
/// Words that one entry covers at most.
const MOST_WORDS: u32 = 8;

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

/// `co_lnotab`: pairs of bytes, how many bytes of code further and how many lines further.
pub fn encode_lnotab(runs: &[Location], first_line: i32, bytes_per_word: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut at, mut line) = (0, first_line);
    for run in runs.iter().filter(|run| run.line >= 0) {
        if run.line == line {
            continue;
        }
        let mut code_delta = run.start * bytes_per_word - at;
        let mut line_delta = run.line.wrapping_sub(line);
        while code_delta > 255 {
            bytes.extend([255, 0]);
            code_delta -= 255;
        }
        while !(-128..=127).contains(&line_delta) {
            let step = line_delta.clamp(-128, 127);
            bytes.extend([code_delta as u8, step as i8 as u8]);
            line_delta -= step;
            code_delta = 0;
        }
        bytes.extend([code_delta as u8, line_delta as i8 as u8]);
        (at, line) = (run.start * bytes_per_word, run.line);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::{ExceptionHandler, decode_exception_table, encode_exception_table};
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
        assert_eq!(
            encode_lnotab(&runs, 3, 2),
            [60, 1, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 65, 127]
                .into_iter()
                .chain(std::iter::repeat_n([0u8, 127], 707).flatten())
                .chain([0, 80])
                .collect::<Vec<u8>>()
        );
    }
}
