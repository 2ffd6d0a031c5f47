//! Normalisation forms (UAX #15): decomposition, canonical order, composition.

use super::tables::{COMPOSITIONS, OLD_DECOMPOSITIONS};
use super::{Version, is_assigned, parts_of, record};
use adder_runtime::prelude::*;

/// `NFC`, `NFD`, `NFKC`, `NFKD`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Form {
    compatible: bool,
    composed: bool,
}

impl Form {
    pub fn of(name: &str) -> PyResult<Form> {
        let (compatible, composed) = match name {
            "NFC" => (false, true),
            "NFD" => (false, false),
            "NFKC" => (true, true),
            "NFKD" => (true, false),
            _ => return Err(raise!(ValueError, "invalid normalization form")),
        };
        Ok(Form { compatible, composed })
    }
}

const S_BASE: u32 = 0xAC00;
const L_BASE: u32 = 0x1100;
const V_BASE: u32 = 0x1161;
const T_BASE: u32 = 0x11A7;
const N_L: u32 = 19;
const N_V: u32 = 21;
const N_T: u32 = 28;

/// A Hangul syllable as the database splits it: into all its letters.
pub fn split_hangul(code: u32) -> Option<Vec<u32>> {
    let place = code
        .checked_sub(S_BASE)
        .filter(|place| *place < N_L * N_V * N_T)?;
    let (first, vowel, last) = (place / (N_V * N_T), place % (N_V * N_T) / N_T, place % N_T);
    let mut letters = vec![L_BASE + first, V_BASE + vowel];
    if last > 0 {
        letters.push(T_BASE + last);
    }
    Some(letters)
}

fn compose_pair(first: u32, second: u32) -> Option<u32> {
    if let (Some(l), Some(v)) = (first.checked_sub(L_BASE), second.checked_sub(V_BASE))
        && l < N_L
        && v < N_V
    {
        return Some(S_BASE + (l * N_V + v) * N_T);
    }
    if let (Some(place), Some(t)) = (first.checked_sub(S_BASE), second.checked_sub(T_BASE))
        && place < N_L * N_V * N_T
        && place % N_T == 0
        && (1..N_T).contains(&t)
    {
        return Some(first + t);
    }
    let at = COMPOSITIONS
        .binary_search_by_key(&(first, second), |row| (row.0, row.1))
        .ok()?;
    Some(COMPOSITIONS[at].2)
}

fn combining(code: u32) -> u8 {
    record(Version::Current, code).combining
}

fn decompose(version: Version, form: Form, code: u32, out: &mut Vec<u32>) {
    if code < 0xA0 || !is_assigned(version, code) {
        return out.push(code);
    }
    if let Some(letters) = split_hangul(code) {
        return out.extend(letters);
    }
    if version == Version::Old
        && let Some((_, corrected)) = OLD_DECOMPOSITIONS.iter().find(|(from, _)| *from == code)
    {
        return out.push(*corrected);
    }
    match parts_of(code) {
        ([], _) => out.push(code),
        (_, prefix) if prefix != 0 && !form.compatible => out.push(code),
        (parts, _) => parts.iter().for_each(|part| decompose(version, form, *part, out)),
    }
}

/// Sorts each run of combining characters by class, keeping the order of equals.
fn order(codes: &mut [u32]) {
    let mut at = 0;
    while at < codes.len() {
        if combining(codes[at]) == 0 {
            at += 1;
            continue;
        }
        let len = codes[at..]
            .iter()
            .take_while(|code| combining(**code) != 0)
            .count();
        codes[at..at + len].sort_by_key(|code| combining(*code));
        at += len;
    }
}

fn compose(codes: &[u32]) -> Vec<u32> {
    let mut composed: Vec<u32> = Vec::with_capacity(codes.len());
    let mut starter: Option<usize> = None;
    let mut last_class = 0;
    for &code in codes {
        let class = combining(code);
        if let Some(place) = starter {
            let is_adjacent = place + 1 == composed.len();
            // Blocked when something of the same or a higher class (or a starter) stands between.
            if (is_adjacent || (last_class != 0 && last_class < class))
                && let Some(pair) = compose_pair(composed[place], code)
            {
                composed[place] = pair;
                continue;
            }
        }
        if class == 0 {
            starter = Some(composed.len());
        }
        last_class = class;
        composed.push(code);
    }
    composed
}

/// The text in a normalisation form.
pub fn normalize(version: Version, form: &str, text: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
    let form = Form::of(form)?;
    // Below these nothing changes.
    let unchanged_below = if form.compatible { 0xA0 } else { 0xC0 };
    if text.code_points().all(|code| code < unchanged_below) {
        return Ok(text.to_exact());
    }
    let mut codes = Vec::with_capacity(text.len() + text.len() / 2);
    text.code_points()
        .for_each(|code| decompose(version, form, code, &mut codes));
    order(&mut codes);
    if form.composed {
        codes = compose(&codes);
    }
    Ok(PyUnicodeObject::from_code_points(&codes))
}
