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
    Jis0213Second(Edition),
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
            Set::Jis0213Second(_) => b"\x1b$(P",
            Set::Gb2312 => b"\x1b$(A",
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
    /// The bytes of seven bits of a character.
    fn code(self, character: u32) -> Option<[u8; 2]> {
        let one = |byte: u32| Some([byte as u8, 0]);
        let double = match (self, character) {
            (Set::Ascii, 0..=0x7F) => return one(character),
            (Set::JisRoman, 0xA5) => return one(0x5C),
            (Set::JisRoman, 0x203E) => return one(0x7E),
            (Set::JisRoman, 0x5C | 0x7E) => None,
            (Set::JisRoman, 0..=0x7F) => return one(character),
            (Set::Katakana, 0xFF61..=0xFF9F) => return one(character - 0xFF61 + 0x21),
            (Set::Jis0213(_), WIDE_TILDE) => None,
            (Set::Jis0213(edition), _) => match jisx0213::single(edition, character) {
                jisx0213::Found::Code(_, bytes) => Some(bytes),
                _ => None,
            },
            (Set::Jis0213Second(edition), _) => jisx0213::second_plane(edition, character),
            _ => self.table().and_then(|table| table.code(character)),
        };
        let [lead, trail] = double?;
        (lead >= 0xA1 && trail >= 0xA1).then_some([lead & 0x7F, trail & 0x7F])
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
            Set::Latin1 => (lead < 0x80).then(|| u32::from(lead) + 0x80),
            Set::Greek => greek(lead),
            _ if lead < 0x21 || !(0x21..0x7F).contains(&trail) => None,
            Set::Jis0213(edition) => {
                let found = jisx0213::of_first_plane(edition, lead | 0x80, trail | 0x80);
                return found.map(|(character, second)| (if character == WIDE_TILDE { 0x7E } else { character }, second));
            }
            Set::Jis0213Second(_) => tables::JISX0213_2_TABLE.character(lead | 0x80, trail | 0x80),
            _ => self.table()?.character(lead | 0x80, trail | 0x80),
        };
        single.map(|character| (character, None))
    }
}

/// A tilde in EUC, but plain here.
const WIDE_TILDE: u32 = 0xFF5E;

/// The right half of ISO 8859-7, by seven bits.
fn greek(byte: u8) -> Option<u32> {
    Some(match byte {
        0x21 => 0x2018,
        0x22 => 0x2019,
        0x2F => 0x2015,
        0..=0x20 | 0x23 | 0x26..=0x29 | 0x2B..=0x2D | 0x30..=0x33 | 0x37 | 0x3B | 0x3D => u32::from(byte) + 0x80,
        0x34..=0x36 | 0x38..=0x3A | 0x3C | 0x3E..=0x51 | 0x53..=0x7E => 0x384 + u32::from(byte) - 0x34,
        _ => return None,
    })
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
const JP_3: &[Set] = &[Set::Ascii, Set::Jis0208, Set::Jis0213(Edition::First), Set::Jis0213Second(Edition::First)];
const JP_2004: &[Set] = &[Set::Ascii, Set::Jis0208, Set::Jis0213(Edition::Second), Set::Jis0213Second(Edition::Second)];
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
/// Announces the revision of JIS X 0208 of 1990, which then is designated.
const REVISION_1990: &[u8] = b"\x1b&@\x1b$B";
const G1_SHIFT: u32 = 8;
const G2_SHIFT: u32 = 16;
const SHIFTED: u64 = 1 << 32;
/// What follows an escape that designates nothing goes through as it is, up to its last byte.
const THROUGH: u64 = 1 << 33;
/// No escape sequence is longer.
const MAX_SEQUENCE: usize = 16;

fn byte_of(state: u64, shift: u32) -> u8 {
    (state >> shift) as u8
}

fn set_byte(state: &mut u64, shift: u32, byte: u8) {
    *state = *state & !(0xFF << shift) | u64::from(byte) << shift;
}

impl Iso2022 {
    /// G0 and G1 are ASCII.
    pub const ENCODER_STATE: u64 = 0x4242;
    /// G2 as well.
    pub const DECODER_STATE: u64 = 0x42_4242;

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
        if *state & THROUGH != 0 {
            if ends_sequence(lead) {
                *state &= !THROUGH;
            }
            return Step::Char(lead.into(), 1);
        }
        match lead {
            ESCAPE => return self.decode_escape(state, bytes),
            SHIFT_OUT | SHIFT_IN if self.is_korean => {
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
            // A code that means nothing is illegal as a whole.
            Some(&trail) => match set.decode(lead, trail) {
                None => Step::Illegal(2),
                found => step(found, 2),
            },
            None => Step::Incomplete,
        }
    }
    fn decode_escape(self, state: &mut u64, bytes: &[u8]) -> Step {
        let has_g2 = self.sets.iter().any(|set| set.is_g2());
        match bytes.get(1) {
            None => return Step::Incomplete,
            Some(b'(' | b')' | b'$' | b'.' | b'&') => {}
            Some(b'N') if has_g2 => return self.decode_g2(*state, bytes),
            Some(_) => {
                *state |= THROUGH;
                return Step::Char(ESCAPE.into(), 1);
            }
        }
        let end = bytes.iter().take(MAX_SEQUENCE).skip(1).position(|byte| ends_sequence(*byte));
        let mut len = match end {
            Some(end) => end + 2,
            None if bytes.len() < MAX_SEQUENCE => return Step::Incomplete,
            None => return Step::Illegal(1),
        };
        if bytes.starts_with(&REVISION_1990[..3]) && bytes.get(3) == Some(&ESCAPE) {
            len = REVISION_1990.len();
            if bytes.len() < len {
                return Step::Incomplete;
            }
        }
        let designated = match &bytes[1..len] {
            [b'$', mark] => Some((0, mark | 0x80)),
            [b'$', b'(', mark] => Some((0, mark | 0x80)),
            [b'$', b')', mark] => Some((G1_SHIFT, mark | 0x80)),
            [b'(', mark] => Some((0, *mark)),
            [b')', mark] => Some((G1_SHIFT, *mark)),
            [b'.', mark] if has_g2 => Some((G2_SHIFT, *mark)),
            sequence if *sequence == REVISION_1990[1..] => Some((0, Set::Jis0208.mark())),
            _ => None,
        };
        match designated {
            Some((shift, mark)) if mark == Set::Ascii.mark() || self.marked(mark).is_some() => {
                set_byte(state, shift, mark);
                Step::Skip(len)
            }
            _ => Step::Illegal(len),
        }
    }
    fn decode_g2(self, state: u64, bytes: &[u8]) -> Step {
        let Some(&byte) = bytes.get(SINGLE_SHIFT.len()) else {
            return Step::Incomplete;
        };
        let set = match byte_of(state, G2_SHIFT) {
            mark if mark == Set::Ascii.mark() => Some(Set::Ascii).filter(|_| byte < 0x80),
            mark => self.marked(mark).filter(|set| set.is_g2()),
        };
        step(set.and_then(|set| set.decode(byte, 0)), SINGLE_SHIFT.len() + 1)
    }
    pub fn encode(self, state: &mut u64, codes: &[u32], is_final: bool, out: &mut Vec<u8>) -> Written {
        let paired = self.sets.iter().find(|set| matches!(set, Set::Jis0213(_)));
        if let Some(set) = paired {
            match jisx0213::pair(codes, is_final) {
                jisx0213::Found::Incomplete => return Written::Incomplete,
                jisx0213::Found::Code(n, bytes) => {
                    self.switch(state, *set, out);
                    out.extend(bytes.map(|byte| byte & 0x7F));
                    return Written::Chars(n);
                }
                jisx0213::Found::None => {}
            }
        }
        let found = self
            .sets
            .iter()
            .find_map(|set| set.code(codes[0]).map(|bytes| (*set, bytes)));
        let Some((set, bytes)) = found else {
            return Written::Illegal;
        };
        self.switch(state, set, out);
        out.extend(&bytes[..if set.is_double() { 2 } else { 1 }]);
        Written::Chars(1)
    }
    /// Writes what makes the next character one of `set`. G2 is only read.
    fn switch(self, state: &mut u64, set: Set, out: &mut Vec<u8>) {
        if self.current(*state) == Some(set) {
            return;
        }
        if !self.is_korean {
            out.extend(set.escape());
            set_byte(state, 0, set.mark());
            return;
        }
        let shifted = set == Set::Ks1001;
        if shifted && !self.is_announced(*state) {
            out.extend(KOREAN_HEADER);
            set_byte(state, G1_SHIFT, set.mark());
        }
        out.push(if shifted { SHIFT_OUT } else { SHIFT_IN });
        *state = *state & !SHIFTED | if shifted { SHIFTED } else { 0 };
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

/// Whether a byte is the last of an escape sequence.
fn ends_sequence(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'@'
}

fn step(found: Option<(u32, Option<u32>)>, n_bytes: usize) -> Step {
    match found {
        Some((first, Some(second))) => Step::Pair(first, second, n_bytes),
        Some((only, None)) => Step::Char(only, n_bytes),
        None => Step::Illegal(1),
    }
}
