//! Unicode text -> the ASCII that number parsers read: decimal digits and spaces of all scripts become ASCII ones.

/// The zeros of the runs of ten decimal digits beyond ASCII (Unicode 16, general category Nd).
const ZEROS: [u32; 75] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
    0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0,
    0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0,
    0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50,
    0x11d50, 0x11da0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8, 0x1d7e2,
    0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

/// The decimal digit that a code point stands for.
pub fn decimal_value(c: u32) -> Option<u8> {
    if c < 128 {
        return (c as u8).is_ascii_digit().then(|| c as u8 - b'0');
    }
    let index = ZEROS.partition_point(|zero| *zero <= c).checked_sub(1)?;
    let value = c - ZEROS[index];
    (value < 10).then_some(value as u8)
}

/// Space beyond ASCII.
fn is_wide_space(c: u32) -> bool {
    matches!(c, 0x85 | 0xa0 | 0x1680 | 0x2000..=0x200a | 0x2028 | 0x2029 | 0x202f | 0x205f | 0x3000)
}

/// `_PyUnicode_TransformDecimalAndSpaceToASCII`: what is neither ASCII, digit nor space ends the text as `?`.
pub fn to_ascii(code_points: impl Iterator<Item = u32>) -> Vec<u8> {
    let mut text = Vec::with_capacity(code_points.size_hint().0);
    for c in code_points {
        if c < 127 {
            text.push(c as u8);
        } else if is_wide_space(c) {
            text.push(b' ');
        } else if let Some(digit) = decimal_value(c) {
            text.push(b'0' + digit);
        } else {
            text.push(b'?');
            break;
        }
    }
    text
}
