//! Johab (KS X 1001, annex 3): syllables are spelled by three numbers of five bits; signs and Chinese characters are those of
//! KS X 1001, moved.

use super::charset::{Step, Written};
use super::tables;

/// The filler of an initial, of a vowel and of a final.
const FILLERS: [u16; 3] = [1, 2, 1];
const N_INITIALS: u32 = 19;
const N_VOWELS: u32 = 21;
const N_FINALS: u32 = 28;

/// The letters by themselves: initials, vowels and finals (from the first on) as compatibility letters, from U+3130.
const INITIAL_LETTERS: [u8; 19] = [1, 2, 4, 7, 8, 9, 17, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30];
const FINAL_LETTERS: [u8; 27] = [
    1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 26, 27, 28, 29, 30,
];
const FIRST_VOWEL_LETTER: u32 = 0x314F;
const LETTERS: u32 = 0x3130;

/// A number of five bits -> an initial, from 0.
fn initial(number: u16) -> Option<u32> {
    (2..=20).contains(&number).then(|| u32::from(number) - 2)
}

fn vowel(number: u16) -> Option<u32> {
    let number = u32::from(number);
    Some(match number {
        3..=7 => number - 3,
        10..=15 => number - 5,
        18..=23 => number - 7,
        26..=29 => number - 9,
        _ => return None,
    })
}

/// As `initial`, of a final, from 1.
fn last(number: u16) -> Option<u32> {
    let number = u32::from(number);
    Some(match number {
        2..=17 => number - 1,
        19..=29 => number - 2,
        _ => return None,
    })
}

fn initial_number(initial: u32) -> u16 {
    initial as u16 + 2
}

fn vowel_number(vowel: u32) -> u16 {
    (3..30)
        .find(|number| self::vowel(*number) == Some(vowel))
        .unwrap_or(FILLERS[1])
}

fn last_number(last: u32) -> u16 {
    (2..30)
        .find(|number| self::last(*number) == Some(last))
        .unwrap_or(FILLERS[2])
}

fn spelled(numbers: [u16; 3]) -> [u8; 2] {
    (0x8000 | numbers[0] << 10 | numbers[1] << 5 | numbers[2]).to_be_bytes()
}

/// A syllable or a letter.
fn hangul(code: u16) -> Option<u32> {
    let numbers = [code >> 10 & 31, code >> 5 & 31, code & 31];
    let [no_initial, no_vowel, no_last] = [0, 1, 2].map(|place| numbers[place] == FILLERS[place]);
    match (initial(numbers[0]), vowel(numbers[1]), last(numbers[2])) {
        (Some(initial), Some(vowel), last) if last.is_some() || no_last => {
            Some(0xAC00 + (initial * N_VOWELS + vowel) * N_FINALS + last.unwrap_or(0))
        }
        (Some(initial), None, None) if no_vowel && no_last => Some(LETTERS + u32::from(INITIAL_LETTERS[initial as usize])),
        (None, Some(vowel), None) if no_initial && no_last => Some(FIRST_VOWEL_LETTER + vowel),
        (None, None, Some(last)) if no_initial && no_vowel => {
            Some(LETTERS + u32::from(FINAL_LETTERS[last as usize - 1]))
        }
        (None, None, None) if no_initial && no_vowel && no_last => Some(0x3000),
        _ => None,
    }
}

pub fn decode(bytes: &[u8]) -> Step {
    let lead = bytes[0];
    if lead < 0x80 {
        return Step::Char(lead.into(), 1);
    }
    let Some(&trail) = bytes.get(1) else {
        return Step::Incomplete;
    };
    let found = if lead < 0xD8 {
        hangul(u16::from_be_bytes([lead, trail]))
    } else {
        sign_place(lead, trail).and_then(|(row, cell)| tables::CP949_TABLE.character(row, cell))
    };
    match found {
        Some(character) => Step::Char(character, 2),
        None => Step::Illegal(1),
    }
}

/// The row of the first Chinese characters, from 0.
const FIRST_CHINESE_ROW: u8 = 41;

/// The EUC code of a sign or a Chinese character: two rows for each lead byte.
fn sign_place(lead: u8, trail: u8) -> Option<(u8, u8)> {
    let row = match lead {
        0xD9..=0xDE => 2 * (lead - 0xD9),
        0xE0..=0xF9 => 2 * (lead - 0xE0) + FIRST_CHINESE_ROW,
        _ => return None,
    };
    let cell = match trail {
        0x31..=0x7E => trail - 0x31,
        0x91..=0xFE => trail - 0x43,
        _ => return None,
    };
    // Letters are spelled.
    if lead == 0xDA && (0xA1..=0xD3).contains(&trail) {
        return None;
    }
    Some((row + u8::from(cell >= 94) + 0xA1, cell % 94 + 0xA1))
}

fn sign_code(row: u8, cell: u8) -> Option<[u8; 2]> {
    let (row, cell) = (row - 0xA1, cell - 0xA1);
    let (lead, is_second) = match row {
        0..=11 => (0xD9 + row / 2, row % 2 == 1),
        FIRST_CHINESE_ROW..=92 => (0xE0 + (row - FIRST_CHINESE_ROW) / 2, (row - FIRST_CHINESE_ROW) % 2 == 1),
        _ => return None,
    };
    let cell = if is_second { cell + 94 } else { cell };
    Some([lead, if cell < 0x4E { cell + 0x31 } else { cell + 0x43 }])
}

pub fn encode(code: u32, out: &mut Vec<u8>) -> Written {
    let position = |letters: &[u8], letter: u32| letters.iter().position(|own| LETTERS + u32::from(*own) == letter);
    let bytes = match code {
        0..0x80 => {
            out.push(code as u8);
            return Written::Chars(1);
        }
        0xAC00..=0xD7A3 => {
            let index = code - 0xAC00;
            let last = match index % N_FINALS {
                0 => FILLERS[2],
                last => last_number(last),
            };
            let (initial, vowel) = (index / N_FINALS / N_VOWELS, index / N_FINALS % N_VOWELS);
            debug_assert!(initial < N_INITIALS);
            Some(spelled([initial_number(initial), vowel_number(vowel), last]))
        }
        0x3131..=0x314E => match (position(&INITIAL_LETTERS, code), position(&FINAL_LETTERS, code)) {
            (Some(initial), _) => Some(spelled([initial_number(initial as u32), FILLERS[1], FILLERS[2]])),
            (None, Some(last)) => Some(spelled([FILLERS[0], FILLERS[1], last_number(last as u32 + 1)])),
            _ => None,
        },
        0x314F..=0x3163 => Some(spelled([FILLERS[0], vowel_number(code - FIRST_VOWEL_LETTER), FILLERS[2]])),
        _ => tables::CP949_TABLE
            .code(code)
            .filter(|[row, cell]| *row >= 0xA1 && *cell >= 0xA1)
            .and_then(|[row, cell]| sign_code(row, cell)),
    };
    match bytes {
        Some(bytes) => {
            out.extend(bytes);
            Written::Chars(1)
        }
        None => Written::Illegal,
    }
}
