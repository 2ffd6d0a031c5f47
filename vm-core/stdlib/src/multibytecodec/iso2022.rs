//! ISO 2022: sets are designated by escape sequences, and characters are of seven bits. Source: RFC 1468, 1554, 1557, 2237; JIS X 0213.
//!
//! The state is bytes, from the lowest up: the sets that are G0, G1 and G2, by the last byte of their escape sequence, with the
//! highest bit set for those of two bytes a character; then, as the fifth, whether G1 is shifted in.

use super::charset::{Step, Written};
use super::jisx0213::{self, Edition};
use super::tables::{self, Table};

/// What an ISO 2022 encoding may designate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Iso2022 {
    sets: &'static [Set],
    /// The Korean set is G1 throughout, announced at the start and reached by shifts.
    is_korean: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Ascii,
    JisRoman,
    Katakana,
    Jis0208,
    Jis0208Old,
    Jis0212,
    Jis0213(Edition),
    Jis0213Second,
    Gb2312,
    Ks1001,
    /// Of G2.
    Latin1,
    Greek,
}

impl Set {
    fn escape(self) -> &'static [u8] {
        match self {
            Set::Ascii => b"\x1b(B",
            Set::JisRoman => b"\x1b(J",
            Set::Katakana => b"\x1b(I",
            Set::Jis0208 => b"\x1b$B",
            Set::Jis0208Old => b"\x1b$@",
            Set::Jis0212 => b"\x1b$(D",
            Set::Jis0213(Edition::First) => b"\x1b$(O",
            Set::Jis0213(Edition::Second) => b"\x1b$(Q",
            Set::Jis0213Second => b"\x1b$(P",
            Set::Gb2312 => b"\x1b$A",
            Set::Ks1001 => b"\x1b$(C",
            Set::Latin1 => b"\x1b.A",
            Set::Greek => b"\x1b.F",
        }
    }
    fn is_double(self) -> bool {
        !matches!(self, Set::Ascii | Set::JisRoman | Set::Katakana | Set::Latin1 | Set::Greek)
    }
    /// Whether it is designated as G2, from which characters come one by one.
    fn is_g2(self) -> bool {
        matches!(self, Set::Latin1 | Set::Greek)
    }
    /// The set's byte in the state.
    fn mark(self) -> u8 {
        let last = self.escape().last().copied().unwrap_or(0);
        if self.is_double() { last | 0x80 } else { last }
    }
    fn table(self) -> Option<&'static Table> {
        match self {
            Set::Jis0208 | Set::Jis0208Old => Some(&tables::JISX0208_TABLE),
            Set::Jis0212 => Some(&tables::JISX0212_TABLE),
            Set::Gb2312 => Some(&tables::GB2312_TABLE),
            Set::Ks1001 => Some(&tables::CP949_TABLE),
            _ => None,
        }
    }
    /// The bytes of seven bits of the first of `codes`.
    fn code(self, codes: &[u32], is_final: bool) -> Coded {
        let character = codes[0];
        let one = |byte: u32| Coded::Bytes(1, [byte as u8, 0]);
        match (self, character) {
            (Set::Ascii, 0..=0x7F) => one(character),
            (Set::JisRoman, 0xA5) => one(0x5C),
            (Set::JisRoman, 0x203E) => one(0x7E),
            (Set::JisRoman, 0x5C | 0x7E) => Coded::None,
            (Set::JisRoman, 0..=0x7F) => one(character),
            (Set::Katakana, 0xFF61..=0xFF9F) => one(character - 0xFF61 + 0x21),
            (Set::Latin1, 0xA0..=0xFF) => one(character - 0x80),
            (Set::Greek, _) => greek_code(character).map_or(Coded::None, one),
            (Set::Jis0213(edition), _) => match jisx0213::first_plane(edition, codes, is_final) {
                jisx0213::Found::Code(n, bytes) => Coded::Bytes(n, bytes.map(|byte| byte & 0x7F)),
                jisx0213::Found::Incomplete => Coded::Incomplete,
                jisx0213::Found::None => Coded::None,
            },
            (Set::Jis0213Second, _) => tables::JISX0213_2_TABLE
                .code(character)
                .map_or(Coded::None, |bytes| Coded::Bytes(1, bytes.map(|byte| byte & 0x7F))),
            _ => match self.table().and_then(|table| table.code(character)) {
                Some([lead, trail]) if lead >= 0xA1 && trail >= 0xA1 => Coded::Bytes(1, [lead & 0x7F, trail & 0x7F]),
                _ => Coded::None,
            },
        }
    }
    fn decode(self, lead: u8, trail: u8) -> Option<(u32, Option<u32>)> {
        let single = match self {
            Set::Ascii => Some(lead.into()),
            Set::JisRoman => Some(match lead {
                0x5C => 0xA5,
                0x7E => 0x203E,
                _ => lead.into(),
            }),
            Set::Katakana => (0x21..=0x5F).contains(&lead).then(|| 0xFF61 + u32::from(lead) - 0x21),
            Set::Latin1 => (0x20..=0x7F).contains(&lead).then(|| u32::from(lead) + 0x80),
            Set::Greek => greek(lead),
            _ if lead < 0x21 || trail < 0x21 || trail >= 0x7F => None,
            Set::Jis0213(edition) => return jisx0213::of_first_plane(edition, lead | 0x80, trail | 0x80),
            Set::Jis0213Second => tables::JISX0213_2_TABLE.character(lead | 0x80, trail | 0x80),
            _ => self.table()?.character(lead | 0x80, trail | 0x80),
        };
        single.map(|character| (character, None))
    }
}

/// What a set has for a character: how many characters, and their bytes.
enum Coded {
    Bytes(usize, [u8; 2]),
    Incomplete,
    None,
}

/// The right half of ISO 8859-7, by seven bits.
fn greek(byte: u8) -> Option<u32> {
    Some(match byte {
        0x21 => 0x2018,
        0x22 => 0x2019,
        0x2F => 0x2015,
        0x20 | 0x23 | 0x26..=0x29 | 0x2B..=0x2D | 0x30..=0x33 | 0x37 | 0x3B | 0x3D => u32::from(byte) + 0x80,
        0x34..=0x36 | 0x38..=0x3A | 0x3C | 0x3E..=0x51 | 0x53..=0x7E => 0x384 + u32::from(byte) - 0x34,
        _ => return None,
    })
}

fn greek_code(character: u32) -> Option<u32> {
    (0x20..0x7F)
        .find(|byte| greek(*byte) == Some(character))
        .map(u32::from)
}

const JP: &[Set] = &[Set::Ascii, Set::Jis0208, Set::JisRoman, Set::Jis0208Old];
const JP_1: &[Set] = &[Set::Ascii, Set::Jis0208, Set::Jis0212, Set::JisRoman, Set::Jis0208Old];
const JP_2: &[Set] = &[
    Set::Ascii,
    Set::Jis0208,
    Set::Jis0212,
    Set::Ks1001,
    Set::Gb2312,
    Set::JisRoman,
    Set::Jis0208Old,
    Set::Latin1,
    Set::Greek,
];
const JP_3: &[Set] = &[Set::Ascii, Set::Jis0208, Set::Jis0213(Edition::First), Set::Jis0213Second];
const JP_2004: &[Set] = &[Set::Ascii, Set::Jis0208, Set::Jis0213(Edition::Second), Set::Jis0213Second];
const JP_EXT: &[Set] = &[
    Set::Ascii,
    Set::Jis0208,
    Set::Jis0212,
    Set::JisRoman,
    Set::Katakana,
    Set::Jis0208Old,
];
const KR: &[Set] = &[Set::Ascii, Set::Ks1001];

const ESCAPE: u8 = 0x1B;
const SHIFT_OUT: u8 = 0x0E;
const SHIFT_IN: u8 = 0x0F;
/// Has the next character be of G2.
const SINGLE_SHIFT: &[u8] = b"\x1bN";
const KOREAN_HEADER: &[u8] = b"\x1b$)C";
const G1_SHIFT: u32 = 8;
const G2_SHIFT: u32 = 16;
const SHIFTED: u64 = 1 << 32;

fn byte_of(state: u64, shift: u32) -> u8 {
    (state >> shift) as u8
}

fn set_byte(state: &mut u64, shift: u32, byte: u8) {
    *state = *state & !(0xFF << shift) | u64::from(byte) << shift;
}

impl Iso2022 {
    /// G0 and G1 are ASCII.
    pub const INITIAL_STATE: u64 = 0x4242;

    pub fn of(name: &str) -> Option<Iso2022> {
        let sets = match name {
            "iso2022_jp" => JP,
            "iso2022_jp_1" => JP_1,
            "iso2022_jp_2" => JP_2,
            "iso2022_jp_3" => JP_3,
            "iso2022_jp_2004" => JP_2004,
            "iso2022_jp_ext" => JP_EXT,
            "iso2022_kr" => return Some(Iso2022 { sets: KR, is_korean: true }),
            _ => return None,
        };
        Some(Iso2022 { sets, is_korean: false })
    }
    fn marked(self, mark: u8) -> Option<Set> {
        self.sets.iter().copied().find(|set| set.mark() == mark)
    }
    /// The set of the next character; none when the state came from elsewhere.
    fn current(self, state: u64) -> Option<Set> {
        let shift = if state & SHIFTED != 0 { G1_SHIFT } else { 0 };
        self.marked(byte_of(state, shift)).filter(|set| !set.is_g2())
    }
    fn is_announced(self, state: u64) -> bool {
        byte_of(state, G1_SHIFT) == Set::Ks1001.mark()
    }
    pub fn decode(self, state: &mut u64, bytes: &[u8]) -> Step {
        let lead = bytes[0];
        match lead {
            ESCAPE => return self.decode_escape(state, bytes),
            SHIFT_OUT | SHIFT_IN if self.is_korean => {
                if lead == SHIFT_OUT && !self.is_announced(*state) {
                    return Step::Illegal(1);
                }
                *state = *state & !SHIFTED | if lead == SHIFT_OUT { SHIFTED } else { 0 };
                return Step::Skip(1);
            }
            b'\n' => {
                *state &= !SHIFTED;
                return Step::Char(lead.into(), 1);
            }
            0..0x20 => return Step::Char(lead.into(), 1),
            0x80.. => return Step::Illegal(1),
            _ => {}
        }
        let Some(set) = self.current(*state) else {
            return Step::Illegal(1);
        };
        if !set.is_double() {
            return step(set.decode(lead, 0), 1);
        }
        match bytes.get(1) {
            Some(&trail) => step(set.decode(lead, trail), 2),
            None => Step::Incomplete,
        }
    }
    fn decode_escape(self, state: &mut u64, bytes: &[u8]) -> Step {
        if self.is_korean {
            if bytes.starts_with(KOREAN_HEADER) {
                set_byte(state, G1_SHIFT, Set::Ks1001.mark());
                return Step::Skip(KOREAN_HEADER.len());
            }
            return if KOREAN_HEADER.starts_with(bytes) { Step::Incomplete } else { Step::Illegal(1) };
        }
        let has_g2 = self.sets.iter().any(|set| set.is_g2());
        if has_g2 && bytes.starts_with(SINGLE_SHIFT) {
            let Some(&byte) = bytes.get(SINGLE_SHIFT.len()) else {
                return Step::Incomplete;
            };
            let set = self.marked(byte_of(*state, G2_SHIFT)).filter(|set| set.is_g2());
            return step(set.and_then(|set| set.decode(byte, 0)), SINGLE_SHIFT.len() + 1);
        }
        for set in self.sets {
            if bytes.starts_with(set.escape()) {
                set_byte(state, if set.is_g2() { G2_SHIFT } else { 0 }, set.mark());
                return Step::Skip(set.escape().len());
            }
        }
        let is_begun = |sequence: &[u8]| sequence.starts_with(bytes);
        if self.sets.iter().any(|set| is_begun(set.escape())) || has_g2 && is_begun(SINGLE_SHIFT) {
            return Step::Incomplete;
        }
        Step::Illegal(1)
    }
    pub fn encode(self, state: &mut u64, codes: &[u32], is_final: bool, out: &mut Vec<u8>) -> Written {
        if self.is_korean && !self.is_announced(*state) {
            out.extend(KOREAN_HEADER);
            set_byte(state, G1_SHIFT, Set::Ks1001.mark());
        }
        for set in self.sets {
            match set.code(codes, is_final) {
                Coded::None => {}
                Coded::Incomplete => return Written::Incomplete,
                Coded::Bytes(n, bytes) => {
                    self.switch(state, *set, out);
                    out.extend(&bytes[..if set.is_double() { 2 } else { 1 }]);
                    return Written::Chars(n);
                }
            }
        }
        Written::Illegal
    }
    /// Writes what makes the next character one of `set`.
    fn switch(self, state: &mut u64, set: Set, out: &mut Vec<u8>) {
        if set.is_g2() {
            if byte_of(*state, G2_SHIFT) != set.mark() {
                out.extend(set.escape());
                set_byte(state, G2_SHIFT, set.mark());
            }
            out.extend(SINGLE_SHIFT);
        } else if self.current(*state) == Some(set) {
        } else if self.is_korean {
            let shifted = set == Set::Ks1001;
            out.push(if shifted { SHIFT_OUT } else { SHIFT_IN });
            *state = *state & !SHIFTED | if shifted { SHIFTED } else { 0 };
        } else {
            out.extend(set.escape());
            set_byte(state, 0, set.mark());
        }
    }
    /// What ends a text: back to ASCII.
    pub fn reset(self, state: &mut u64, out: &mut Vec<u8>) {
        if self.is_korean {
            if *state & SHIFTED != 0 {
                out.push(SHIFT_IN);
            }
            *state &= !SHIFTED;
            return;
        }
        if byte_of(*state, 0) != Set::Ascii.mark() {
            out.extend(Set::Ascii.escape());
            set_byte(state, 0, Set::Ascii.mark());
        }
    }
}

fn step(found: Option<(u32, Option<u32>)>, n_bytes: usize) -> Step {
    match found {
        Some((first, Some(second))) => Step::Pair(first, second, n_bytes),
        Some((only, None)) => Step::Char(only, n_bytes),
        None => Step::Illegal(1),
    }
}
