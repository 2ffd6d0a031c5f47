//! BLAKE2b and BLAKE2s with all their parameters. Source: RFC 7693 and the BLAKE2 paper (tree mode, salt, personalization).

const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// What shapes a hash besides its data.
pub struct Params<'a> {
    pub digest_size: u8,
    pub key: &'a [u8],
    pub salt: &'a [u8],
    pub person: &'a [u8],
    pub fanout: u8,
    pub depth: u8,
    pub leaf_size: u32,
    pub node_offset: u64,
    pub node_depth: u8,
    pub inner_size: u8,
    pub last_node: bool,
}

macro_rules! blake2 {
    ($name:ident, $word:ty, $double:ty, rounds $rounds:literal, turns $turns:expr, offset bytes $offset:literal, iv $iv:expr) => {
        #[derive(Clone)]
        pub struct $name {
            h: [$word; 8],
            counter: $double,
            block: [u8; Self::BLOCK],
            filled: usize,
            digest_size: usize,
            last_node: bool,
        }

        impl $name {
            const WORD: usize = size_of::<$word>();
            pub const BLOCK: usize = 16 * Self::WORD;
            const IV: [$word; 8] = $iv;

            pub fn new(params: &Params<'_>) -> $name {
                let quarter = 2 * Self::WORD;
                let mut bytes = [
                    params.digest_size,
                    params.key.len() as u8,
                    params.fanout,
                    params.depth,
                ]
                .to_vec();
                bytes.extend_from_slice(&params.leaf_size.to_le_bytes());
                bytes.extend_from_slice(&params.node_offset.to_le_bytes()[..$offset]);
                bytes.extend_from_slice(&[params.node_depth, params.inner_size]);
                bytes.resize(4 * Self::WORD, 0);
                for part in [params.salt, params.person] {
                    bytes.extend_from_slice(part);
                    bytes.resize(bytes.len() + quarter - part.len(), 0);
                }
                let mut h = Self::IV;
                for (word, chunk) in h.iter_mut().zip(bytes.chunks_exact(Self::WORD)) {
                    *word ^= <$word>::from_le_bytes(std::array::from_fn(|index| chunk[index]));
                }
                let mut this = $name {
                    h,
                    counter: 0,
                    block: [0; Self::BLOCK],
                    filled: 0,
                    digest_size: usize::from(params.digest_size),
                    last_node: params.last_node,
                };
                if !params.key.is_empty() {
                    this.block[..params.key.len()].copy_from_slice(params.key);
                    this.filled = Self::BLOCK;
                }
                this
            }
            pub fn output_size(&self) -> usize {
                self.digest_size
            }
            fn compress(&mut self, last: bool) {
                let m: [$word; 16] = std::array::from_fn(|word| {
                    <$word>::from_le_bytes(std::array::from_fn(|byte| {
                        self.block[word * Self::WORD + byte]
                    }))
                });
                let mut v = [0; 16];
                v[..8].copy_from_slice(&self.h);
                v[8..].copy_from_slice(&Self::IV);
                v[12] ^= self.counter as $word;
                v[13] ^= (self.counter >> (8 * Self::WORD)) as $word;
                if last {
                    v[14] = !v[14];
                    if self.last_node {
                        v[15] = !v[15];
                    }
                }
                const TURNS: [u32; 4] = $turns;
                let mut mix = |a: usize, b: usize, c: usize, d: usize, x: $word, y: $word| {
                    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
                    v[d] = (v[d] ^ v[a]).rotate_right(TURNS[0]);
                    v[c] = v[c].wrapping_add(v[d]);
                    v[b] = (v[b] ^ v[c]).rotate_right(TURNS[1]);
                    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
                    v[d] = (v[d] ^ v[a]).rotate_right(TURNS[2]);
                    v[c] = v[c].wrapping_add(v[d]);
                    v[b] = (v[b] ^ v[c]).rotate_right(TURNS[3]);
                };
                for round in 0..$rounds {
                    let s = &SIGMA[round % 10];
                    mix(0, 4, 8, 12, m[s[0]], m[s[1]]);
                    mix(1, 5, 9, 13, m[s[2]], m[s[3]]);
                    mix(2, 6, 10, 14, m[s[4]], m[s[5]]);
                    mix(3, 7, 11, 15, m[s[6]], m[s[7]]);
                    mix(0, 5, 10, 15, m[s[8]], m[s[9]]);
                    mix(1, 6, 11, 12, m[s[10]], m[s[11]]);
                    mix(2, 7, 8, 13, m[s[12]], m[s[13]]);
                    mix(3, 4, 9, 14, m[s[14]], m[s[15]]);
                }
                for index in 0..8 {
                    self.h[index] ^= v[index] ^ v[index + 8];
                }
            }
            /// The last block is kept back, as it is compressed in another way.
            pub fn update(&mut self, mut data: &[u8]) {
                while !data.is_empty() {
                    if self.filled == Self::BLOCK {
                        self.counter += Self::BLOCK as $double;
                        self.compress(false);
                        self.filled = 0;
                    }
                    let n = data.len().min(Self::BLOCK - self.filled);
                    self.block[self.filled..self.filled + n].copy_from_slice(&data[..n]);
                    self.filled += n;
                    data = &data[n..];
                }
            }
            pub fn digest(&self) -> Vec<u8> {
                let mut last = self.clone();
                last.counter += last.filled as $double;
                last.block[self.filled..].fill(0);
                last.compress(true);
                let mut out: Vec<u8> = last.h.iter().flat_map(|word| word.to_le_bytes()).collect();
                out.truncate(self.digest_size);
                out
            }
        }
    };
}

blake2!(Blake2b, u64, u128, rounds 12, turns [32, 24, 16, 63], offset bytes 8, iv [
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
]);
blake2!(Blake2s, u32, u64, rounds 10, turns [16, 12, 8, 7], offset bytes 6, iv [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn all_parameters() {
        let params = Params {
            digest_size: 20,
            key: b"k",
            salt: b"ab",
            person: b"cd",
            fanout: 2,
            depth: 3,
            leaf_size: 4,
            node_offset: 5,
            node_depth: 1,
            inner_size: 7,
            last_node: false,
        };
        let mut b = Blake2b::new(&params);
        b.update(b"a");
        assert_eq!(hex(&b.digest()), "f268fc0241bbece17d426a89c26b4f62dc32d896");
        let mut s = Blake2s::new(&params);
        s.update(b"a");
        assert_eq!(hex(&s.digest()), "95d80172d5063c6e92975941538643fc60719fcc");
    }
}
