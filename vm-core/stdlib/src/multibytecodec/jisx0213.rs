//! JIS X 0213, of 2000 and of 2004, in EUC and in Shift JIS: two planes of 94 rows, and codes that mean two characters.

use super::charset::{Step, Written, jis_of_shifted, shifted_of_jis};
use super::tables;

/// Which edition of the standard.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    First,
    Second,
}

/// Codes of the first plane that mean two characters: a letter and a mark, or two tones.
const PAIRS: [(u16, u32, u32); 25] = [
    (0xA4F7, 0x304B, 0x309A),
    (0xA4F8, 0x304D, 0x309A),
    (0xA4F9, 0x304F, 0x309A),
    (0xA4FA, 0x3051, 0x309A),
    (0xA4FB, 0x3053, 0x309A),
    (0xA5F7, 0x30AB, 0x309A),
    (0xA5F8, 0x30AD, 0x309A),
    (0xA5F9, 0x30AF, 0x309A),
    (0xA5FA, 0x30B1, 0x309A),
    (0xA5FB, 0x30B3, 0x309A),
    (0xA5FC, 0x30BB, 0x309A),
    (0xA5FD, 0x30C4, 0x309A),
    (0xA5FE, 0x30C8, 0x309A),
    (0xA6F8, 0x31F7, 0x309A),
    (0xABC4, 0x00E6, 0x0300),
    (0xABC8, 0x0254, 0x0300),
    (0xABC9, 0x0254, 0x0301),
    (0xABCA, 0x028C, 0x0300),
    (0xABCB, 0x028C, 0x0301),
    (0xABCC, 0x0259, 0x0300),
    (0xABCD, 0x0259, 0x0301),
    (0xABCE, 0x025A, 0x0300),
    (0xABCF, 0x025A, 0x0301),
    (0xABE5, 0x02E9, 0x02E5),
    (0xABE6, 0x02E5, 0x02E9),
];

/// Codes that the second edition added to the first plane.
const ADDED: [u16; 10] =
    [0xAEA1, 0xAFFE, 0xCFD4, 0xCFFE, 0xF4A7, 0xFEFA, 0xFEFB, 0xFEFC, 0xFEFD, 0xFEFE];

/// A code of the second plane, and its character in the first and in the second edition.
const EXCHANGED: (u16, u32, u32) = (0xFDBB, 0x9B1D, 0x9B1C);

/// What the first plane has for some characters: how many of them, and their EUC code.
pub enum Found {
    Code(usize, [u8; 2]),
    /// The next character has to be known.
    Incomplete,
    None,
}

/// What becomes of bytes that mean nothing: those that a later edition added go together.
fn illegal(edition: Edition, code: Option<(u8, u8)>) -> Step {
    let is_later = code.is_some_and(|(row, cell)| !is_in(edition, u16::from_be_bytes([row, cell])));
    Step::Illegal(if is_later { 2 } else { 1 })
}

fn is_in(edition: Edition, code: u16) -> bool {
    edition == Edition::Second || !ADDED.contains(&code)
}

/// The character, or the two, of an EUC code of the first plane.
pub fn of_first_plane(edition: Edition, lead: u8, trail: u8) -> Option<(u32, Option<u32>)> {
    let code = u16::from_be_bytes([lead, trail]);
    if let Some((_, first, second)) = PAIRS.iter().find(|(own, ..)| *own == code) {
        return Some((*first, Some(*second)));
    }
    let character = tables::JISX0213_1_TABLE.character(lead, trail)?;
    is_in(edition, code).then_some((character, None))
}

fn of_second_plane(edition: Edition, lead: u8, trail: u8) -> Option<u32> {
    if edition == Edition::First && u16::from_be_bytes([lead, trail]) == EXCHANGED.0 {
        return Some(EXCHANGED.1);
    }
    tables::JISX0213_2_TABLE.character(lead, trail)
}

/// The EUC code of the first two of `codes` together.
pub fn pair(codes: &[u32], is_final: bool) -> Found {
    let character = codes[0];
    if !PAIRS.iter().any(|(_, first, _)| *first == character) {
        return Found::None;
    }
    match codes.get(1) {
        None if is_final => Found::None,
        None => Found::Incomplete,
        Some(next) => match PAIRS.iter().find(|(_, first, second)| *first == character && second == next) {
            Some((code, ..)) => Found::Code(2, code.to_be_bytes()),
            None => Found::None,
        },
    }
}

/// The EUC code of a character.
pub fn single(edition: Edition, character: u32) -> Found {
    match tables::JISX0213_1_TABLE.code(character) {
        Some(code) if is_in(edition, u16::from_be_bytes(code)) => Found::Code(1, code),
        _ => Found::None,
    }
}

/// The EUC code, without its first byte, of a character of the second plane.
pub fn second_plane(edition: Edition, character: u32) -> Option<[u8; 2]> {
    if edition == Edition::First && (character == EXCHANGED.1 || character == EXCHANGED.2) {
        return (character == EXCHANGED.1).then(|| EXCHANGED.0.to_be_bytes());
    }
    tables::JISX0213_2_TABLE.code(character)
}

fn step(found: Option<(u32, Option<u32>)>, n_bytes: usize) -> Step {
    match found {
        Some((first, Some(second))) => Step::Pair(first, second, n_bytes),
        Some((only, None)) => Step::Char(only, n_bytes),
        None => Step::Illegal(1),
    }
}

pub fn decode_euc(edition: Edition, bytes: &[u8]) -> Step {
    let lead = bytes[0];
    if lead < 0x80 {
        return Step::Char(lead.into(), 1);
    }
    let Some(&trail) = bytes.get(1) else {
        return Step::Incomplete;
    };
    match lead {
        0x8E => match trail {
            0xA1..=0xDF => Step::Char(0xFF61 + u32::from(trail) - 0xA1, 2),
            _ => Step::Illegal(1),
        },
        0x8F => {
            let Some(&last) = bytes.get(2) else {
                return Step::Incomplete;
            };
            let found = of_second_plane(edition, trail, last).or_else(|| tables::JISX0212_TABLE.character(trail, last));
            step(found.map(|character| (character, None)), 3)
        }
        _ => match of_first_plane(edition, lead, trail) {
            None => illegal(edition, Some((lead, trail))),
            found => step(found, 2),
        },
    }
}

/// The rows of the second plane, two for each lead byte of Shift JIS from 0xF0 on.
const SECOND_PLANE_ROWS: [[u8; 2]; 13] = [
    [1, 8],
    [3, 4],
    [5, 12],
    [13, 14],
    [15, 78],
    [79, 80],
    [81, 82],
    [83, 84],
    [85, 86],
    [87, 88],
    [89, 90],
    [91, 92],
    [93, 94],
];

pub fn decode_shifted(edition: Edition, bytes: &[u8]) -> Step {
    let lead = bytes[0];
    match lead {
        0x5C => return Step::Char(0xA5, 1),
        0x7E => return Step::Char(0x203E, 1),
        0..0x80 => return Step::Char(lead.into(), 1),
        0xA1..=0xDF => return Step::Char(0xFF61 + u32::from(lead) - 0xA1, 1),
        _ => {}
    }
    let Some(&trail) = bytes.get(1) else {
        return Step::Incomplete;
    };
    let place = (lead < 0xF0).then(|| jis_of_shifted(lead, trail)).flatten();
    let found = if lead >= 0xF0 {
        second_plane_of_shifted(lead, trail)
            .and_then(|(row, cell)| of_second_plane(edition, row, cell))
            .map(|character| (character, None))
    } else {
        place.and_then(|(row, cell)| of_first_plane(edition, row, cell))
    };
    if found.is_none() {
        return illegal(edition, place);
    }
    // The single bytes of these two characters mean others.
    let found = found.map(|(character, second)| match character {
        0xFF3C => (0x5C, second),
        0xFF5E => (0x7E, second),
        _ => (character, second),
    });
    step(found, 2)
}

/// Whether only the second edition has the character.
fn is_later(edition: Edition, character: u32) -> bool {
    let of_plane = || tables::JISX0213_1_TABLE.code(character).map(u16::from_be_bytes);
    edition == Edition::First && (character == EXCHANGED.2 || of_plane().is_some_and(|code| ADDED.contains(&code)))
}

fn second_plane_of_shifted(lead: u8, trail: u8) -> Option<(u8, u8)> {
    let rows = SECOND_PLANE_ROWS.get(usize::from(lead - 0xF0))?;
    // As a lead byte of the first plane would have it.
    let (row, cell) = jis_of_shifted(0x81, trail)?;
    Some((rows[usize::from(row - 0xA1)] + 0xA0, cell))
}

fn shifted_of_second_plane(row: u8, cell: u8) -> Option<[u8; 2]> {
    let number = row - 0xA0;
    let place = SECOND_PLANE_ROWS.iter().position(|rows| rows.contains(&number))?;
    let is_second = SECOND_PLANE_ROWS[place][1] == number;
    let [_, trail] = shifted_of_jis(0xA1 + u8::from(is_second), cell);
    Some([0xF0 + place as u8, trail])
}

pub fn encode(edition: Edition, is_shifted: bool, codes: &[u32], is_final: bool, out: &mut Vec<u8>) -> Written {
    match (codes[0], is_shifted) {
        (0xA5, true) => out.push(0x5C),
        (0x203E, true) => out.push(0x7E),
        (0x5C | 0x7E, true) => {
            let wide = if codes[0] == 0x5C { 0xFF3C } else { 0xFF5E };
            return encode_double(edition, true, &[wide], is_final, out);
        }
        (0xFF3C | 0xFF5E, true) => return Written::Illegal,
        (code @ 0..0x80, _) => out.push(code as u8),
        (code @ 0xFF61..=0xFF9F, true) => out.push((code - 0xFF61) as u8 + 0xA1),
        (code @ 0xFF61..=0xFF9F, false) => out.extend([0x8E, (code - 0xFF61) as u8 + 0xA1]),
        _ => return encode_double(edition, is_shifted, codes, is_final, out),
    }
    Written::Chars(1)
}

fn encode_double(edition: Edition, is_shifted: bool, codes: &[u32], is_final: bool, out: &mut Vec<u8>) -> Written {
    let found = match pair(codes, is_final) {
        Found::None => single(edition, codes[0]),
        found => found,
    };
    match found {
        Found::Incomplete => return Written::Incomplete,
        Found::Code(n, [row, cell]) => {
            out.extend(if is_shifted { shifted_of_jis(row, cell) } else { [row, cell] });
            return Written::Chars(n);
        }
        Found::None => {}
    }
    if let Some([row, cell]) = second_plane(edition, codes[0]) {
        if !is_shifted {
            out.extend([0x8F, row, cell]);
            return Written::Chars(1);
        }
        return match shifted_of_second_plane(row, cell) {
            Some(bytes) => {
                out.extend(bytes);
                Written::Chars(1)
            }
            None => Written::Illegal,
        };
    }
    match tables::JISX0212_TABLE.code(codes[0]) {
        Some([row, cell]) if !is_shifted && !is_later(edition, codes[0]) => {
            out.extend([0x8F, row, cell]);
            Written::Chars(1)
        }
        _ => Written::Illegal,
    }
}
