//! Token types with the numbers of `Lib/token.py`, and which operators there are.

pub const ENDMARKER: i32 = 0;
pub const NAME: i32 = 1;
pub const NUMBER: i32 = 2;
pub const STRING: i32 = 3;
pub const NEWLINE: i32 = 4;
pub const INDENT: i32 = 5;
pub const DEDENT: i32 = 6;
pub const COLON: i32 = 11;
pub const DOT: i32 = 23;
pub const ELLIPSIS: i32 = 52;
pub const OP: i32 = 55;
pub const FSTRING_START: i32 = 59;
pub const FSTRING_MIDDLE: i32 = 60;
pub const FSTRING_END: i32 = 61;
pub const TSTRING_START: i32 = 62;
pub const TSTRING_MIDDLE: i32 = 63;
pub const TSTRING_END: i32 = 64;
pub const COMMENT: i32 = 65;
pub const NL: i32 = 66;

/// Whether a token's text may span lines.
pub fn is_string(kind: i32) -> bool {
    kind == STRING || (FSTRING_START..=TSTRING_END).contains(&kind)
}

const OPERATORS: &[(&str, i32)] = &[
    ("(", 7),
    (")", 8),
    ("[", 9),
    ("]", 10),
    (":", COLON),
    (",", 12),
    (";", 13),
    ("+", 14),
    ("-", 15),
    ("*", 16),
    ("/", 17),
    ("|", 18),
    ("&", 19),
    ("<", 20),
    (">", 21),
    ("=", 22),
    (".", DOT),
    ("%", 24),
    ("{", 25),
    ("}", 26),
    ("==", 27),
    ("!=", 28),
    ("<=", 29),
    (">=", 30),
    ("~", 31),
    ("^", 32),
    ("<<", 33),
    (">>", 34),
    ("**", 35),
    ("+=", 36),
    ("-=", 37),
    ("*=", 38),
    ("/=", 39),
    ("%=", 40),
    ("&=", 41),
    ("|=", 42),
    ("^=", 43),
    ("<<=", 44),
    (">>=", 45),
    ("**=", 46),
    ("//", 47),
    ("//=", 48),
    ("@", 49),
    ("@=", 50),
    ("->", 51),
    ("...", ELLIPSIS),
    (":=", 53),
    ("!", 54),
];

/// The type of an operator; `OP` when it is none.
pub fn operator(text: &[u8]) -> i32 {
    OPERATORS
        .iter()
        .find(|(operator, _)| operator.as_bytes() == text)
        .map_or(OP, |(_, kind)| *kind)
}
