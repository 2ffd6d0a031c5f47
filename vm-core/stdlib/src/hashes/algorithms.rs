//! Names -> hash functions, as OpenSSL's library names them, and what is built on any of them: HMAC (RFC 2104) and PBKDF2 (RFC 8018).

use super::Hasher;
use super::blake2::{Blake2b, Blake2s, Params};
use super::keccak::Keccak;
use sha2::Digest;

/// A hash function that is known by name.
pub struct Algorithm {
    /// Python's name for it.
    pub name: &'static str,
    /// Other names, in small letters; they are matched in any case.
    aliases: &'static [&'static str],
    pub block_size: usize,
    /// 0 when whoever asks for the digest chooses.
    pub digest_size: usize,
    start: fn() -> Box<dyn Hasher>,
    derive: fn(&Derivation<'_>, &mut [u8]),
}

/// What a key is derived from.
pub struct Derivation<'a> {
    pub password: &'a [u8],
    pub salt: &'a [u8],
    pub iterations: usize,
}

macro_rules! algorithms {
    ($($name:literal, $aliases:expr, block $block:literal, digest $digest:literal, $start:expr;)+) => {
        static ALGORITHMS: &[Algorithm] = &[$(
            Algorithm {
                name: $name,
                aliases: &$aliases,
                block_size: $block,
                digest_size: $digest,
                start: || Box::new($start),
                derive: |from, key| derive($start, $block, from, key),
            },
        )+];
    };
}

algorithms! {
    "md5", ["md5", "ssl3-md5"], block 64, digest 16, md5::Md5::new();
    "sha1", ["sha1", "sha-1", "ssl3-sha1"], block 64, digest 20, sha1::Sha1::new();
    "sha224", ["sha224", "sha-224", "sha2-224"], block 64, digest 28, sha2::Sha224::new();
    "sha256", ["sha256", "sha-256", "sha2-256"], block 64, digest 32, sha2::Sha256::new();
    "sha384", ["sha384", "sha-384", "sha2-384"], block 128, digest 48, sha2::Sha384::new();
    "sha512", ["sha512", "sha-512", "sha2-512"], block 128, digest 64, sha2::Sha512::new();
    "sha512_224", ["sha512-224", "sha-512/224", "sha2-512/224"], block 128, digest 28, sha2::Sha512_224::new();
    "sha512_256", ["sha512-256", "sha-512/256", "sha2-512/256"], block 128, digest 32, sha2::Sha512_256::new();
    "sha3_224", ["sha3-224"], block 144, digest 28, Keccak::new(144, 6, 28);
    "sha3_256", ["sha3-256"], block 136, digest 32, Keccak::new(136, 6, 32);
    "sha3_384", ["sha3-384"], block 104, digest 48, Keccak::new(104, 6, 48);
    "sha3_512", ["sha3-512"], block 72, digest 64, Keccak::new(72, 6, 64);
    "shake_128", ["shake128", "shake-128"], block 168, digest 0, Keccak::new(168, 0x1F, 0);
    "shake_256", ["shake256", "shake-256"], block 136, digest 0, Keccak::new(136, 0x1F, 0);
    "blake2b", ["blake2b512", "blake2b-512"], block 128, digest 64, Blake2b::new(&plain_blake2(64));
    "blake2s", ["blake2s256", "blake2s-256"], block 64, digest 32, Blake2s::new(&plain_blake2(32));
    "md5-sha1", ["md5-sha1"], block 64, digest 36, Md5Sha1::default();
    "ripemd160", ["ripemd160", "ripemd-160", "ripemd", "rmd160"], block 64, digest 20, ripemd::Ripemd160::new();
    "sm3", ["sm3"], block 64, digest 32, sm3::Sm3::new();
}

fn plain_blake2(digest_size: u8) -> Params<'static> {
    Params {
        digest_size,
        key: &[],
        salt: &[],
        person: &[],
        fanout: 1,
        depth: 1,
        leaf_size: 0,
        node_offset: 0,
        node_depth: 0,
        inner_size: 0,
        last_node: false,
    }
}

/// Both digests, one behind the other, as TLS had them.
#[derive(Clone, Default)]
struct Md5Sha1(md5::Md5, sha1::Sha1);

impl Hasher for Md5Sha1 {
    fn update(&mut self, data: &[u8]) {
        Hasher::update(&mut self.0, data);
        Hasher::update(&mut self.1, data);
    }
    fn digest(&self, len: usize) -> Vec<u8> {
        [Hasher::digest(&self.0, len), Hasher::digest(&self.1, len)].concat()
    }
    fn copy(&self) -> Box<dyn Hasher> {
        Box::new(self.clone())
    }
    fn output_size(&self) -> usize {
        36
    }
}

impl Algorithm {
    pub fn all() -> &'static [Algorithm] {
        ALGORITHMS
    }
    pub fn named(name: &str) -> Option<&'static Algorithm> {
        let is_alias = |alias: &&str| name.eq_ignore_ascii_case(alias);
        ALGORITHMS
            .iter()
            .find(|algorithm| algorithm.name == name || algorithm.aliases.iter().any(is_alias))
    }
    pub fn start(&self) -> Box<dyn Hasher> {
        (self.start)()
    }
    pub fn is_xof(&self) -> bool {
        self.digest_size == 0
    }
    /// PBKDF2 with HMAC; not for functions whose digest has no size of its own.
    pub fn derive_key(&self, from: &Derivation<'_>, key: &mut [u8]) {
        (self.derive)(from, key);
    }
    /// An HMAC under way.
    pub fn hmac(&'static self, key: &[u8]) -> Hmac {
        let mut inner = self.start();
        let mut outer = self.start();
        let key = padded_key(&*inner, key, self.block_size);
        inner.update(&masked(&key, INNER));
        outer.update(&masked(&key, OUTER));
        Hmac { inner, outer }
    }
}

const INNER: u8 = 0x36;
const OUTER: u8 = 0x5C;

/// A key that is no longer than a block, or else its digest by `fresh`, with zeros up to a block.
fn padded_key(fresh: &dyn Hasher, key: &[u8], block_size: usize) -> Vec<u8> {
    let mut padded = if key.len() > block_size {
        let mut hash = fresh.copy();
        hash.update(key);
        hash.digest(0)
    } else {
        key.to_vec()
    };
    padded.resize(block_size, 0);
    padded
}

fn masked(key: &[u8], mask: u8) -> Vec<u8> {
    key.iter().map(|byte| byte ^ mask).collect()
}

/// The two hashes of an HMAC: of the message, and what takes the digest of that.
pub struct Hmac {
    inner: Box<dyn Hasher>,
    outer: Box<dyn Hasher>,
}

impl Hasher for Hmac {
    fn update(&mut self, data: &[u8]) {
        self.inner.update(data);
    }
    fn digest(&self, _len: usize) -> Vec<u8> {
        let mut outer = self.outer.copy();
        outer.update(&self.inner.digest(0));
        outer.digest(0)
    }
    fn copy(&self) -> Box<dyn Hasher> {
        Box::new(Hmac {
            inner: self.inner.copy(),
            outer: self.outer.copy(),
        })
    }
    fn output_size(&self) -> usize {
        self.outer.output_size()
    }
}

/// PBKDF2. The states that have taken the key are copied for each round, so that a round costs two blocks.
fn derive<H: Hasher + Clone + 'static>(fresh: H, block_size: usize, from: &Derivation<'_>, key: &mut [u8]) {
    let padded = padded_key(&fresh, from.password, block_size);
    let (mut keyed_inner, mut keyed_outer) = (fresh.clone(), fresh);
    keyed_inner.update(&masked(&padded, INNER));
    keyed_outer.update(&masked(&padded, OUTER));
    let round = |parts: &[&[u8]]| {
        let mut inner = keyed_inner.clone();
        for part in parts {
            inner.update(part);
        }
        let mut outer = keyed_outer.clone();
        outer.update(&inner.digest(0));
        outer.digest(0)
    };
    let size = keyed_outer.output_size();
    for (index, part) in key.chunks_mut(size).enumerate() {
        let mut last = round(&[from.salt, &(index as u32 + 1).to_be_bytes()]);
        let mut sum = last.clone();
        for _ in 1..from.iterations {
            last = round(&[&last]);
            sum.iter_mut().zip(&last).for_each(|(sum, byte)| *sum ^= byte);
        }
        part.copy_from_slice(&sum[..part.len()]);
    }
}
