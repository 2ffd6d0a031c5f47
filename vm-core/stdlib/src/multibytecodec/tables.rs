//! `encoding_rs` -> tables of the double-byte character sets: from a code of two bytes to a character, and back.
//!
//! That crate has the sets as browsers use them; what the codecs of Python's library see otherwise is in `differences`. A table
//! is made when its first codec is asked for.

use super::differences::{self, Run};
use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GBK, SHIFT_JIS};
use std::collections::HashMap;
use std::sync::LazyLock;

/// A double-byte set.
pub struct Table {
    /// The character of each code from 0x8000; 0 where there is none.
    decode: Vec<u32>,
    encode: HashMap<u32, u16>,
}

impl Table {
    fn new(character: impl Fn(u8, u8) -> Option<u32>, differences: &[(u16, u32)]) -> Table {
        Table::changed(character, differences, &[], &[])
    }
    /// A set as browsers have it, but for the codes of `differences` and of `runs`, and for what is written as `written` says; other
    /// characters are written by their first code.
    fn changed(
        character: impl Fn(u8, u8) -> Option<u32>,
        differences: &[(u16, u32)],
        runs: &[Run],
        written: &[(u32, u16)],
    ) -> Table {
        let mut table = Table { decode: vec![0; 0x8000], encode: HashMap::new() };
        for (place, entry) in table.decode.iter_mut().enumerate() {
            let [lead, trail] = (place as u16 + 0x8000).to_be_bytes();
            *entry = character(lead, trail).unwrap_or(0);
        }
        for (code, character) in differences {
            table.decode[usize::from(*code) - 0x8000] = *character;
        }
        for (code, first, n) in runs {
            for step in 0..*n {
                let character = if *first == 0 { 0 } else { first + u32::from(step) };
                table.decode[usize::from(code + step) - 0x8000] = character;
            }
        }
        table.encode.extend(written.iter().copied());
        for (place, character) in table.decode.iter().enumerate() {
            if *character != 0 {
                table.encode.entry(*character).or_insert(place as u16 + 0x8000);
            }
        }
        table
    }
    pub fn character(&self, lead: u8, trail: u8) -> Option<u32> {
        let code = u16::from_be_bytes([lead, trail]) as usize;
        let place = code.checked_sub(0x8000)?;
        Some(self.decode[place]).filter(|found| *found != 0)
    }
    pub fn code(&self, character: u32) -> Option<[u8; 2]> {
        self.encode.get(&character).map(|code| code.to_be_bytes())
    }
}

/// What browsers take two bytes for, when that is one character.
fn browser(encoding: &'static Encoding, bytes: &[u8]) -> Option<u32> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(only), None) => Some(only.into()),
        _ => None,
    }
}

fn is_private(character: u32) -> bool {
    (0xE000..0xF900).contains(&character)
}

/// Lead bytes of the GB 2312 rows, with the trail bytes that each has.
fn in_gb2312(lead: u8, trail: u8) -> bool {
    match lead {
        0xA1 | 0xA3 | 0xB0..=0xD6 | 0xD8..=0xF7 => (0xA1..=0xFE).contains(&trail),
        0xA2 => matches!(trail, 0xB1..=0xE2 | 0xE5..=0xEE | 0xF1..=0xFC),
        0xA4 => matches!(trail, 0xA1..=0xF3),
        0xA5 => matches!(trail, 0xA1..=0xF6),
        0xA6 => matches!(trail, 0xA1..=0xB8 | 0xC1..=0xD8),
        0xA7 => matches!(trail, 0xA1..=0xC1 | 0xD1..=0xF1),
        0xA8 => matches!(trail, 0xA1..=0xBA | 0xC5..=0xE9),
        0xA9 => matches!(trail, 0xA4..=0xEF),
        0xD7 => matches!(trail, 0xA1..=0xF9),
        _ => false,
    }
}

pub static GB2312_TABLE: LazyLock<Table> = LazyLock::new(|| {
    let character = |lead, trail| in_gb2312(lead, trail).then(|| browser(GBK, &[lead, trail])).flatten();
    Table::new(character, &[(0xA1A4, 0x30FB), (0xA1AA, 0x2015)])
});

fn gbk(lead: u8, trail: u8) -> Option<u32> {
    let in_user_area = matches!(lead, 0xAA..=0xAF | 0xF8..=0xFE) && trail >= 0xA1 || matches!(lead, 0xA1..=0xA7) && trail < 0xA1;
    let found = browser(GBK, &[lead, trail]).filter(|found| !is_private(*found))?;
    (!in_user_area).then_some(found)
}

const GBK_DIFFERENCES: [(u16, u32); 3] = [(0xA8BF, 0), (0xA8BC, 0), (0xA2E3, 0)];

pub static GBK_TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::changed(gbk, &GBK_DIFFERENCES, differences::GBK, &[]));

/// The characters of two bytes of GB 18030.
pub static GB18030_TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::changed(gbk, &GBK_DIFFERENCES, differences::GB18030, &[]));

/// KS X 1001 and what Microsoft added to it.
pub static CP949_TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::new(|lead, trail| browser(EUC_KR, &[lead, trail]).filter(|found| !is_private(*found)), &[]));

/// JIS X 0208 by EUC codes. Where browsers follow Microsoft this follows JIS.
pub static JISX0208_TABLE: LazyLock<Table> = LazyLock::new(|| {
    let character = |lead, trail| match lead {
        0xA1..=0xA8 | 0xB0..=0xF4 if trail >= 0xA1 => browser(EUC_JP, &[lead, trail]),
        _ => None,
    };
    let own = [
        (0xA1C0, 0xFF3C),
        (0xA1C1, 0x301C),
        (0xA1C2, 0x2016),
        (0xA1DD, 0x2212),
        (0xA1F1, 0xA2),
        (0xA1F2, 0xA3),
        (0xA2CC, 0xAC),
    ];
    Table::new(character, &own)
});

/// JIS X 0212 by EUC codes without their first byte.
pub static JISX0212_TABLE: LazyLock<Table> = LazyLock::new(|| {
    let character = |lead, trail| match lead {
        0xA1..=0xFE if trail >= 0xA1 => browser(EUC_JP, &[0x8F, lead, trail]),
        _ => None,
    };
    Table::new(character, &[(0xA2B7, 0x7E)])
});

/// Windows's Japanese set by Shift JIS codes, with the user's area.
pub static CP932_TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::changed(|lead, trail| browser(SHIFT_JIS, &[lead, trail]), &[], &[], differences::CP932_WRITTEN));

/// Big5 as the consortium's table has it: without Hong Kong's and ETEN's characters.
pub static BIG5_TABLE: LazyLock<Table> = LazyLock::new(|| {
    let character = |lead: u8, trail: u8| match (lead, trail) {
        (0xA1..=0xA2, _) | (0xA3, 0x40..=0xBF) | (0xA4..=0xC5, _) | (0xC6, 0x40..=0x7E) | (0xC9..=0xF8, _) | (0xF9, 0x40..=0xD5) => {
            browser(BIG5, &[lead, trail])
        }
        _ => None,
    };
    let own = [
        (0xA145, 0x2022),
        (0xA14E, 0xFF64),
        (0xA15A, 0),
        (0xA1C3, 0),
        (0xA1C5, 0),
        (0xA1E3, 0x223C),
        (0xA1F2, 0x2295),
        (0xA1F3, 0x2299),
        (0xA1FE, 0),
        (0xA240, 0),
        (0xA241, 0x2215),
        (0xA242, 0x2216),
        (0xA2CC, 0),
        (0xA2CE, 0),
    ];
    Table::changed(character, &own, differences::BIG5, differences::BIG5_WRITTEN)
});

/// Windows's traditional Chinese set.
pub static CP950_TABLE: LazyLock<Table> = LazyLock::new(|| {
    let character = |lead: u8, trail: u8| match (lead, trail) {
        (0xA1..=0xA2, _) | (0xA3, 0x40..=0xBF | 0xE1) | (0xA4..=0xC5, _) | (0xC6, 0x40..=0x7E) | (0xC9..=0xF8, _) | (0xF9, _) => {
            browser(BIG5, &[lead, trail])
        }
        _ => None,
    };
    Table::changed(character, &[], differences::CP950, differences::CP950_WRITTEN)
});

/// Big5 with Hong Kong's characters.
pub static HKSCS_TABLE: LazyLock<Table> =
    LazyLock::new(|| {
        let character = |lead, trail| browser(BIG5, &[lead, trail]).filter(|found| !is_private(*found));
        Table::changed(character, &[], differences::BIG5HKSCS, differences::BIG5HKSCS_WRITTEN)
    });

/// What JIS X 0213 adds to JIS X 0208 in its first plane, and all of its second: a plane, the EUC code of the first character, and
/// the characters of the codes from there on.
const JISX0213: &str = include_str!("jisx0213.txt");

fn jisx0213_runs(plane: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    for line in JISX0213.lines() {
        let mut parts = line.splitn(3, ' ');
        let (Some(own), Some(code), Some(characters)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let Ok(code) = u16::from_str_radix(code, 16) else { continue };
        if own == plane {
            let one = |(step, character): (usize, char)| (code + step as u16, character.into(), 1);
            runs.extend(characters.chars().enumerate().map(one));
        }
    }
    runs
}

/// The first plane of JIS X 0213 by EUC codes.
pub static JISX0213_1_TABLE: LazyLock<Table> = LazyLock::new(|| {
    let character = |lead, trail| JISX0208_TABLE.character(lead, trail);
    Table::changed(character, &[], &jisx0213_runs("1"), &[])
});

/// Its second plane, by EUC codes without their first byte. Its rows are others than those of JIS X 0212.
pub static JISX0213_2_TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::changed(|_, _| None, &[], &jisx0213_runs("2"), &[]));
