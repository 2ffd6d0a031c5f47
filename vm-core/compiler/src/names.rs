//! Names of characters <-> characters: `\N{…}` and `unicodedata`. The crate `unicode_names2`, made exact, and the Tangut
//! ideographs, whose names are their numbers.

const TANGUT: &str = "TANGUT IDEOGRAPH-";

fn is_tangut(code: u32) -> bool {
    matches!(code, 0x17000..=0x187F7 | 0x18D00..=0x18D08)
}

/// The name of a character.
pub fn name_of(c: char) -> Option<String> {
    if is_tangut(u32::from(c)) {
        return Some(format!("{TANGUT}{:X}", u32::from(c)));
    }
    unicode_names2::name(c).map(|name| name.to_string())
}

/// The character of a name or an alias.
pub fn character(name: &str) -> Option<char> {
    unicode_names2::character(name)
        .filter(|found| is_name_of(name, *found))
        .or_else(|| by_number(name))
}

/// Whether the crate found the character by its name or an alias, and not by a name with other spaces and hyphens.
fn is_name_of(query: &str, found: char) -> bool {
    let Some(name) = name_of(found) else {
        return query.trim() == query;
    };
    let letters = |text: &str| {
        text.chars()
            .filter(|c| !matches!(c, ' ' | '-' | '_'))
            .collect::<String>()
            .to_ascii_uppercase()
    };
    let is_computed = name.starts_with("CJK UNIFIED IDEOGRAPH-") || name.starts_with("HANGUL SYLLABLE ");
    if is_computed {
        return name.eq_ignore_ascii_case(query);
    }
    name.eq_ignore_ascii_case(query) || (letters(&name) != letters(query) && query.trim() == query)
}

/// The character of a name that ends in its own number.
fn by_number(name: &str) -> Option<char> {
    let (_, number) = name.rsplit_once('-')?;
    let found = char::from_u32(u32::from_str_radix(number, 16).ok()?)?;
    name_of(found)
        .filter(|known| known.eq_ignore_ascii_case(name))
        .map(|_| found)
}
