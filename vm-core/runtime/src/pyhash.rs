//! Bytes -> hash: SipHash-1-3 under one process-wide key, as CPython's default (so the same `PYTHONHASHSEED` gives
//! the same hashes). `str`, `bytes` and read-only `memoryview` hash their raw bytes through here.

use std::sync::OnceLock;

static KEY: OnceLock<(u64, u64)> = OnceLock::new();

/// How the key is chosen; what the command line or `PYTHONHASHSEED` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seed {
    /// A fresh random key.
    Random,
    /// The key derived from a number; 0 turns randomisation off.
    Fixed(u32),
}

/// Chooses the key. It must come before the first hash; later calls do nothing.
pub fn init(seed: Seed) {
    let _ = KEY.set(key_of(seed));
}

/// The seed that the environment asks for, or the text that is not one.
pub fn seed_from_environment() -> Result<Seed, String> {
    match std::env::var("PYTHONHASHSEED") {
        Ok(text) if text.is_empty() || text == "random" => Ok(Seed::Random),
        Ok(text) => text.parse::<u32>().map(Seed::Fixed).map_err(|_| text),
        Err(_) => Ok(Seed::Random),
    }
}

/// The key that a seed stands for.
pub fn key_of(seed: Seed) -> (u64, u64) {
    let mut bytes = [0u8; 16];
    match seed {
        Seed::Fixed(0) => {}
        Seed::Fixed(number) => {
            let mut state = number;
            for byte in &mut bytes {
                state = state.wrapping_mul(214_013).wrapping_add(2_531_011);
                *byte = (state >> 16) as u8;
            }
        }
        Seed::Random => {
            // SAFETY: the buffer has the given length.
            let n_read = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
            if n_read != bytes.len() as isize {
                let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                bytes = time
                    .map_or(1, |time| time.as_nanos())
                    .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                    .to_le_bytes();
            }
        }
    }
    let half = |range: std::ops::Range<usize>| {
        bytes[range]
            .iter()
            .rev()
            .fold(0u64, |word, &byte| word << 8 | u64::from(byte))
    };
    (half(0..8), half(8..16))
}

#[inline]
fn key() -> (u64, u64) {
    *KEY.get_or_init(|| key_of(seed_from_environment().unwrap_or(Seed::Random)))
}

/// The Python hash of a run of bytes: 0 for none, never -1.
pub fn hash_bytes(bytes: &[u8]) -> isize {
    if bytes.is_empty() {
        return 0;
    }
    let (k0, k1) = key();
    match siphash13(k0, k1, bytes) as isize {
        -1 => -2,
        hash => hash,
    }
}

#[inline(always)]
fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

/// SipHash with one round per word and three at the end (Aumasson and Bernstein).
pub fn siphash13(k0: u64, k1: u64, bytes: &[u8]) -> u64 {
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        v[3] ^= word;
        round(&mut v);
        v[0] ^= word;
    }
    let tail = rest
        .iter()
        .rev()
        .fold(0u64, |tail, &byte| tail << 8 | u64::from(byte));
    let last = (bytes.len() as u64) << 56 | tail;
    v[3] ^= last;
    round(&mut v);
    v[0] ^= last;
    v[2] ^= 0xff;
    round(&mut v);
    round(&mut v);
    round(&mut v);
    v[0] ^ v[1] ^ v[2] ^ v[3]
}
