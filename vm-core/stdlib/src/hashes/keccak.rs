//! Keccak as of FIPS 202: SHA-3 and SHAKE.

#[derive(Clone)]
pub struct Keccak {
    lanes: [u64; 25],
    /// Bytes of the current block that have been absorbed.
    filled: usize,
    rate: usize,
    suffix: u8,
    output_size: usize,
}

const ROUND_CONSTANTS: [u64; 24] = {
    // The bits come from a linear feedback shift register.
    let mut constants = [0u64; 24];
    let mut register = 1u8;
    let mut round = 0;
    while round < 24 {
        let mut power = 0;
        while power < 7 {
            if register & 1 != 0 {
                constants[round] |= 1 << ((1u32 << power) - 1);
            }
            let carry = register & 0x80 != 0;
            register <<= 1;
            if carry {
                register ^= 0x71;
            }
            power += 1;
        }
        round += 1;
    }
    constants
};

/// For the walk of rho and pi: where each lane goes, and by how much it is turned.
const WALK: [(usize, u32); 24] = {
    let mut walk = [(0, 0); 24];
    let (mut x, mut y) = (1, 0);
    let mut step = 0;
    while step < 24 {
        let turn = ((step + 1) * (step + 2) / 2 % 64) as u32;
        let next = (2 * x + 3 * y) % 5;
        x = y;
        y = next;
        walk[step] = (x + 5 * y, turn);
        step += 1;
    }
    walk
};

fn permute(lanes: &mut [u64; 25]) {
    for constant in ROUND_CONSTANTS {
        let mut columns = [0u64; 5];
        for x in 0..5 {
            columns[x] = lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20];
        }
        for x in 0..5 {
            let mixed = columns[(x + 4) % 5] ^ columns[(x + 1) % 5].rotate_left(1);
            for y in 0..5 {
                lanes[x + 5 * y] ^= mixed;
            }
        }
        let mut carried = lanes[1];
        for (target, turn) in WALK {
            carried = std::mem::replace(&mut lanes[target], carried.rotate_left(turn));
        }
        for y in 0..5 {
            let row: [u64; 5] = std::array::from_fn(|x| lanes[x + 5 * y]);
            for x in 0..5 {
                lanes[x + 5 * y] = row[x] ^ (!row[(x + 1) % 5] & row[(x + 2) % 5]);
            }
        }
        lanes[0] ^= constant;
    }
}

impl Keccak {
    /// `output_size` is zero for a function with a chosen length.
    pub fn new(rate: usize, suffix: u8, output_size: usize) -> Keccak {
        Keccak {
            lanes: [0; 25],
            filled: 0,
            rate,
            suffix,
            output_size,
        }
    }
    pub fn rate(&self) -> usize {
        self.rate
    }
    pub fn output_size(&self) -> usize {
        self.output_size
    }
    pub fn suffix(&self) -> u8 {
        self.suffix
    }
    pub fn update(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            if self.filled.is_multiple_of(8) && data.len() >= 8 && self.filled + 8 <= self.rate {
                let (word, rest) = data.split_at(8);
                let word: [u8; 8] = std::array::from_fn(|index| word[index]);
                self.lanes[self.filled / 8] ^= u64::from_le_bytes(word);
                self.filled += 8;
                data = rest;
            } else {
                self.lanes[self.filled / 8] ^= u64::from(data[0]) << (8 * (self.filled % 8));
                self.filled += 1;
                data = &data[1..];
            }
            if self.filled == self.rate {
                permute(&mut self.lanes);
                self.filled = 0;
            }
        }
    }
    /// The digest of what has come so far.
    pub fn digest(&self, len: usize) -> Vec<u8> {
        let mut lanes = self.lanes;
        let mut xor = |at: usize, byte: u8| lanes[at / 8] ^= u64::from(byte) << (8 * (at % 8));
        xor(self.filled, self.suffix);
        xor(self.rate - 1, 0x80);
        let mut out = Vec::with_capacity(len);
        loop {
            permute(&mut lanes);
            for lane in &lanes[..self.rate / 8] {
                let left = len - out.len();
                if left == 0 {
                    return out;
                }
                out.extend_from_slice(&lane.to_le_bytes()[..left.min(8)]);
            }
            if out.len() == len {
                return out;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn known_digests() {
        let mut sha3 = Keccak::new(136, 6, 32);
        sha3.update(b"abc");
        assert_eq!(
            hex(&sha3.digest(32)),
            "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"
        );
        let shake = Keccak::new(168, 0x1f, 0);
        assert_eq!(hex(&shake.digest(16)), "7f9c2ba4e88f827d616045507605853e");
    }
}
