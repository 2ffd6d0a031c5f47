//! Bytes <-> characters, one at a time, of the multibyte encodings: which bytes lead, what shifts, which table is asked.

use super::differences::GB18030_FOUR;
use super::iso2022::Iso2022;
use super::jisx0213::{self, Edition};
use super::tables::{self, Table};
use super::johab;
use encoding_rs::GB18030;

/// What a decoder meets next.
pub enum Step {
    Char(u32, usize),
    Pair(u32, u32, usize),
    /// Bytes that mean no character: a shift or a designation.
    Skip(usize),
    /// More bytes are needed to know.
    Incomplete,
    Illegal(usize),
}

/// What an encoder made of the first of some characters.
pub enum Written {
    /// So many characters are written.
    Chars(usize),
    /// The next character has to be known.
    Incomplete,
    Illegal,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    Gb2312,
    Gbk,
    Gb18030,
    Hz,
    Cp932,
    ShiftJis,
    EucJp,
    EucKr,
    Cp949,
    Big5,
    Cp950,
    Big5Hkscs,
    Johab,
    EucJis(Edition),
    ShiftJisX(Edition),
    Iso2022(Iso2022),
}

impl Charset {
    /// The charset of a codec's name.
    pub fn of(name: &str) -> Option<Charset> {
        if let Some(kind) = Iso2022::of(name) {
            return Some(Charset::Iso2022(kind));
        }
        Some(match name {
            "gb2312" => Charset::Gb2312,
            "gbk" => Charset::Gbk,
            "gb18030" => Charset::Gb18030,
            "hz" => Charset::Hz,
            "cp932" => Charset::Cp932,
            "shift_jis" => Charset::ShiftJis,
            "euc_jp" => Charset::EucJp,
            "euc_kr" => Charset::EucKr,
            "cp949" => Charset::Cp949,
            "big5" => Charset::Big5,
            "cp950" => Charset::Cp950,
            "big5hkscs" => Charset::Big5Hkscs,
            "johab" => Charset::Johab,
            "euc_jisx0213" => Charset::EucJis(Edition::First),
            "euc_jis_2004" => Charset::EucJis(Edition::Second),
            "shift_jisx0213" => Charset::ShiftJisX(Edition::First),
            "shift_jis_2004" => Charset::ShiftJisX(Edition::Second),
            _ => return None,
        })
    }

    /// What an encoder starts with.
    pub fn encoder_state(self) -> u64 {
        match self {
            Charset::Iso2022(_) => Iso2022::ENCODER_STATE,
            _ => 0,
        }
    }
    /// What a decoder starts with.
    pub fn decoder_state(self) -> u64 {
        match self {
            Charset::Iso2022(_) => Iso2022::DECODER_STATE,
            _ => 0,
        }
    }

    /// The next character of `bytes`, which are not empty.
    pub fn decode(self, state: &mut u64, bytes: &[u8]) -> Step {
        let lead = bytes[0];
        match self {
            Charset::Hz => return decode_hz(state, bytes),
            Charset::Iso2022(kind) => return kind.decode(state, bytes),
            Charset::EucJis(edition) => return jisx0213::decode_euc(edition, bytes),
            Charset::ShiftJisX(edition) => return jisx0213::decode_shifted(edition, bytes),
            Charset::Johab => return johab::decode(bytes),
            _ => {}
        }
        if lead < 0x80 {
            return Step::Char(lead.into(), 1);
        }
        match self {
            Charset::Cp932 | Charset::ShiftJis if (0xA1..=0xDF).contains(&lead) => {
                return Step::Char(0xFF61 + u32::from(lead) - 0xA1, 1);
            }
            Charset::Cp932 if matches!(lead, 0x80 | 0xA0 | 0xFD..=0xFF) => {
                return Step::Char(if lead >= 0xFD { 0xF8F1 + u32::from(lead) - 0xFD } else if lead == 0xA0 { 0xF8F0 } else { 0x80 }, 1);
            }
            Charset::Gb18030 if matches!(lead, 0x80 | 0xFF) => return Step::Illegal(1),
            _ => {}
        }
        let Some(&trail) = bytes.get(1) else {
            return Step::Incomplete;
        };
        if self == Charset::Gb18030 && (0x30..=0x39).contains(&trail) {
            return decode_four_bytes(bytes);
        }
        if self == Charset::EucJp && lead == 0x8E {
            return match trail {
                0xA1..=0xDF => Step::Char(0xFF61 + u32::from(trail) - 0xA1, 2),
                _ => Step::Illegal(1),
            };
        }
        if self == Charset::EucJp && lead == 0x8F {
            let Some(&last) = bytes.get(2) else {
                return Step::Incomplete;
            };
            return match tables::JISX0212_TABLE.character(trail, last) {
                Some(found) => Step::Char(found, 3),
                None => Step::Illegal(1),
            };
        }
        if self == Charset::EucKr && (lead, trail) == (0xA4, 0xD4) {
            return decode_jamo(bytes);
        }
        if self == Charset::Big5Hkscs {
            let base = match (lead, trail) {
                (0x88, 0x62 | 0x64) => 0xCA,
                (0x88, 0xA3 | 0xA5) => 0xEA,
                _ => 0,
            };
            if base != 0 {
                return Step::Pair(base, if matches!(trail, 0x62 | 0xA3) { 0x304 } else { 0x30C }, 2);
            }
        }
        let found = match self {
            Charset::ShiftJis => jis_of_shifted(lead, trail)
                .and_then(|(row, cell)| tables::JISX0208_TABLE.character(row, cell)),
            Charset::EucKr if lead < 0xA1 || trail < 0xA1 => None,
            _ => self.table().and_then(|table| table.character(lead, trail)),
        };
        match found {
            Some(found) => Step::Char(found, 2),
            None => Step::Illegal(1),
        }
    }

    /// The table of a charset that is ASCII and one double-byte set.
    fn table(self) -> Option<&'static Table> {
        Some(match self {
            Charset::Gb2312 | Charset::Hz => &tables::GB2312_TABLE,
            Charset::Gbk => &tables::GBK_TABLE,
            Charset::Gb18030 => &tables::GB18030_TABLE,
            Charset::Cp932 => &tables::CP932_TABLE,
            Charset::EucJp => &tables::JISX0208_TABLE,
            Charset::EucKr | Charset::Cp949 => &tables::CP949_TABLE,
            Charset::Big5 => &tables::BIG5_TABLE,
            Charset::Cp950 => &tables::CP950_TABLE,
            Charset::Big5Hkscs => &tables::HKSCS_TABLE,
            Charset::ShiftJis
            | Charset::Johab
            | Charset::EucJis(_)
            | Charset::ShiftJisX(_)
            | Charset::Iso2022(_) => return None,
        })
    }

    /// Writes the first of `codes`, which are not empty.
    pub fn encode(self, state: &mut u64, codes: &[u32], is_final: bool, out: &mut Vec<u8>) -> Written {
        let code = codes[0];
        match self {
            Charset::Hz => return encode_hz(state, code, out),
            Charset::Iso2022(kind) => return kind.encode(state, codes, is_final, out),
            Charset::EucJis(edition) => return jisx0213::encode(edition, false, codes, is_final, out),
            Charset::ShiftJisX(edition) => return jisx0213::encode(edition, true, codes, is_final, out),
            Charset::Johab => return johab::encode(code, out),
            _ => {}
        }
        if code < 0x80 {
            out.push(code as u8);
            return Written::Chars(1);
        }
        if self == Charset::Big5Hkscs && matches!(code, 0xCA | 0xEA) {
            let lone: [u8; 2] = if code == 0xCA { [0x88, 0x66] } else { [0x88, 0xA7] };
            let Some(next) = codes.get(1) else {
                if !is_final {
                    return Written::Incomplete;
                }
                out.extend(lone);
                return Written::Chars(1);
            };
            let trail = match (code, next) {
                (0xCA, 0x304) => 0x62,
                (0xCA, 0x30C) => 0x64,
                (_, 0x304) => 0xA3,
                (_, 0x30C) => 0xA5,
                _ => {
                    out.extend(lone);
                    return Written::Chars(1);
                }
            };
            out.extend([0x88, trail]);
            return Written::Chars(2);
        }
        if self.encode_one(code, out) {
            Written::Chars(1)
        } else {
            Written::Illegal
        }
    }

    fn encode_one(self, code: u32, out: &mut Vec<u8>) -> bool {
        let is_japanese = matches!(self, Charset::ShiftJis | Charset::EucJp);
        match code {
            0xFF61..=0xFF9F if matches!(self, Charset::Cp932 | Charset::ShiftJis) => out.push((code - 0xFF61) as u8 + 0xA1),
            0xFF61..=0xFF9F if self == Charset::EucJp => out.extend([0x8E, (code - 0xFF61) as u8 + 0xA1]),
            0xA5 if is_japanese => out.push(0x5C),
            0x203E if is_japanese => out.push(0x7E),
            0x80 if self == Charset::Cp932 => out.push(0x80),
            0xF8F0 if self == Charset::Cp932 => out.push(0xA0),
            0xF8F1..=0xF8F3 if self == Charset::Cp932 => out.push((code - 0xF8F1) as u8 + 0xFD),
            _ if self == Charset::ShiftJis => {
                let Some([row, cell]) = tables::JISX0208_TABLE.code(code) else {
                    return false;
                };
                out.extend(shifted_of_jis(row, cell));
            }
            _ => {
                let known = self.table().and_then(|table| table.code(code));
                let bytes = known.filter(|bytes| self != Charset::EucKr || bytes[0] >= 0xA1 && bytes[1] >= 0xA1);
                match bytes {
                    Some(bytes) => out.extend(bytes),
                    None => return self.encode_rest(code, out),
                }
            }
        }
        true
    }

    /// Characters beyond the double-byte set.
    fn encode_rest(self, code: u32, out: &mut Vec<u8>) -> bool {
        match self {
            Charset::EucJp => {
                let Some(bytes) = tables::JISX0212_TABLE.code(code) else {
                    return false;
                };
                out.push(0x8F);
                out.extend(bytes);
            }
            Charset::Gb18030 => {
                if let Some((_, bytes)) = GB18030_FOUR.iter().find(|(character, _)| *character == code) {
                    out.extend(bytes);
                    return true;
                }
                let Some(character) = char::from_u32(code) else { return false };
                let mut text = [0; 4];
                let (bytes, _, failed) = GB18030.encode(character.encode_utf8(&mut text));
                if failed {
                    return false;
                }
                out.extend_from_slice(&bytes);
            }
            Charset::EucKr if (0xAC00..=0xD7A3).contains(&code) => out.extend(jamo_of(code)),
            _ => return false,
        }
        true
    }

    /// What ends a text: back to ASCII.
    pub fn reset(self, state: &mut u64, out: &mut Vec<u8>) {
        match self {
            Charset::Hz if *state != 0 => out.extend(b"~}"),
            Charset::Iso2022(kind) => return kind.reset(state, out),
            _ => {}
        }
        *state = 0;
    }
}

/// Shift JIS to EUC codes.
pub(super) fn jis_of_shifted(lead: u8, trail: u8) -> Option<(u8, u8)> {
    let row = match lead {
        0x81..=0x9F => lead - 0x81,
        0xE0..=0xEF => lead - 0xC1,
        _ => return None,
    };
    let cell = match trail {
        0x40..=0x7E => trail - 0x40,
        0x80..=0xFC => trail - 0x41,
        _ => return None,
    };
    Some((0xA1 + 2 * row + u8::from(cell >= 94), 0xA1 + cell % 94))
}

pub(super) fn shifted_of_jis(row: u8, cell: u8) -> [u8; 2] {
    let (row, cell) = (row - 0xA1, cell - 0xA1);
    let lead = if row / 2 < 0x1F { 0x81 } else { 0xC1 } + row / 2;
    let cell = cell + if row % 2 == 1 { 94 } else { 0 };
    [lead, cell + if cell < 0x3F { 0x40 } else { 0x41 }]
}

fn decode_four_bytes(bytes: &[u8]) -> Step {
    if bytes.get(2).is_some_and(|third| !(0x81..=0xFE).contains(third)) || bytes.get(3).is_some_and(|last| !last.is_ascii_digit()) {
        return Step::Illegal(1);
    }
    let Some(four) = bytes.get(..4) else {
        return Step::Incomplete;
    };
    if let Some((character, _)) = GB18030_FOUR.iter().find(|(_, bytes)| bytes == four) {
        return Step::Char(*character, 4);
    }
    let text = GB18030.decode_without_bom_handling_and_without_replacement(four);
    match text.as_deref().and_then(|text| text.chars().next()) {
        Some(character) => Step::Char(character.into(), 4),
        None => Step::Illegal(1),
    }
}

// ---- Hangul that KS X 1001 spells by its parts: a filler and three letters ----

const FINALS: [u8; 27] = [
    0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF, 0xB0, 0xB1, 0xB2, 0xB4, 0xB5, 0xB6, 0xB7,
    0xB8, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE,
];
const INITIALS: [u8; 19] = [
    0xA1, 0xA2, 0xA4, 0xA7, 0xA8, 0xA9, 0xB1, 0xB2, 0xB3, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE,
];
const FILLER: u8 = 0xD4;

fn decode_jamo(bytes: &[u8]) -> Step {
    let Some(eight) = bytes.get(..8) else {
        return Step::Incomplete;
    };
    let parts = (|| {
        if eight[2] != 0xA4 || eight[4] != 0xA4 || eight[6] != 0xA4 {
            return None;
        }
        let initial = INITIALS.iter().position(|known| *known == eight[3])?;
        let vowel = (0xBF..=0xD3).contains(&eight[5]).then(|| usize::from(eight[5] - 0xBF))?;
        let last = match eight[7] {
            FILLER => 0,
            last => FINALS.iter().position(|known| *known == last)? + 1,
        };
        Some(0xAC00 + (initial * 21 + vowel) * 28 + last)
    })();
    match parts {
        Some(code) => Step::Char(code as u32, 8),
        None => Step::Illegal(1),
    }
}

fn jamo_of(code: u32) -> [u8; 8] {
    let index = (code - 0xAC00) as usize;
    let last = match index % 28 {
        0 => FILLER,
        last => FINALS[last - 1],
    };
    [0xA4, FILLER, 0xA4, INITIALS[index / 588], 0xA4, 0xBF + (index / 28 % 21) as u8, 0xA4, last]
}

// ---- HZ: GB 2312 in seven bits, between ~{ and ~} ----

fn decode_hz(state: &mut u64, bytes: &[u8]) -> Step {
    let lead = bytes[0];
    if lead == b'~' {
        return match bytes.get(1) {
            None => Step::Incomplete,
            Some(b'~') if *state == 0 => Step::Char(b'~'.into(), 2),
            Some(b'{') if *state == 0 => {
                *state = 1;
                Step::Skip(2)
            }
            Some(b'\n') if *state == 0 => Step::Skip(2),
            Some(b'}') if *state == 1 => {
                *state = 0;
                Step::Skip(2)
            }
            _ => Step::Illegal(1),
        };
    }
    if lead & 0x80 != 0 {
        return Step::Illegal(1);
    }
    if *state == 0 {
        return Step::Char(lead.into(), 1);
    }
    let Some(&trail) = bytes.get(1) else {
        return Step::Incomplete;
    };
    match tables::GB2312_TABLE.character(lead | 0x80, trail | 0x80) {
        Some(found) if lead >= 0x21 && (0x21..0x80).contains(&trail) => Step::Char(found, 2),
        _ => Step::Illegal(1),
    }
}

fn encode_hz(state: &mut u64, code: u32, out: &mut Vec<u8>) -> Written {
    if code < 0x80 {
        if *state != 0 {
            out.extend(b"~}");
            *state = 0;
        }
        out.push(code as u8);
        if code == u32::from(b'~') {
            out.push(b'~');
        }
        return Written::Chars(1);
    }
    let Some(bytes) = tables::GB2312_TABLE.code(code) else {
        return Written::Illegal;
    };
    if *state == 0 {
        out.extend(b"~{");
        *state = 1;
    }
    out.extend(bytes.map(|byte| byte & 0x7F));
    Written::Chars(1)
}
