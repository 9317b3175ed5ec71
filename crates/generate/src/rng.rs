//! Random numbers that are the same on every machine: xoshiro256++ seeded by `SplitMix64`.
//!
//! Integers only: logarithms and powers of floats may differ in their last bit between
//! platforms, and a dump must not.

/// A seeded generator.
#[derive(Debug, Clone)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The generator of the `index`-th part of the dump with this `seed`. Parts do not
    /// influence each other: a run drawn longer leaves the next one as it was.
    pub fn new(seed: u64, index: u64) -> Self {
        let mut word = seed ^ index.wrapping_mul(0xd134_2543_de82_ef95).rotate_left(17);
        let mut next = || {
            word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = word;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Self { state: [next(), next(), next(), next()] }
    }

    /// 64 random bits.
    pub fn word(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c2, d2) = (c ^ a, d ^ b);
        self.state = [a ^ d2, b ^ c2, c2 ^ (b << 17), d2.rotate_left(45)];
        result
    }

    /// A number below `bound` (0 where `bound` is 0).
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.word()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in `per_mille` of a thousand cases.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// About exponentially distributed around `mean`: the number of trailing zeros of a random
    /// word is geometric, and its next bits fill the steps in between.
    pub fn about(&mut self, mean: u64) -> u64 {
        let word = self.word();
        let steps = u64::from(word.trailing_zeros().min(12)) * 1024 + (word >> 54);
        mean * steps * 7 / 10 / 1024
    }

    /// One of `items`, which must not be empty.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.index(items.len())]
    }

    /// An index below `len`.
    pub fn index(&mut self, len: usize) -> usize {
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        usize::try_from(self.below(len)).unwrap_or(0)
    }

    /// The index of one of `weights`, drawn by weight.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        weights
            .iter()
            .position(|&weight| {
                let hit = left < weight;
                left = left.saturating_sub(weight);
                hit
            })
            .unwrap_or(0)
    }

    /// `N` letters and digits.
    pub fn token<const N: usize>(&mut self, alphabet: &[u8]) -> Token<N> {
        let mut text = [0; N];
        for byte in &mut text {
            *byte = alphabet[self.index(alphabet.len())];
        }
        Token(text)
    }

    /// An id as Apify gives them: 17 letters and digits in upper and lower case.
    pub fn apify_id(&mut self) -> Token<17> {
        loop {
            let id = self.token::<17>(ALPHANUMERIC);
            let has = |test: fn(&u8) -> bool| id.0.iter().any(test);
            if has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit) {
                return id;
            }
        }
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> Token<36> {
        let mut id = self.token::<36>(HEX);
        for dash in [8, 13, 18, 23] {
            id.0[dash] = b'-';
        }
        id.0[14] = b'4';
        id.0[19] = self.pick(b"89ab");
        id
    }
}

/// Letters and digits.
pub const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Hexadecimal digits.
pub const HEX: &[u8] = b"0123456789abcdef";

/// A short ASCII text of fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<const N: usize>(pub [u8; N]);

impl<const N: usize> std::fmt::Display for Token<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|&byte| std::fmt::Write::write_char(f, char::from(byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_bounds_and_differ_by_index() {
        let mut rng = Rng::new(1, 0);
        assert!((0..10_000).all(|_| (3..=7).contains(&rng.range(3, 7))));
        assert_eq!(rng.below(0), 0);
        assert_ne!(Rng::new(1, 0).word(), Rng::new(1, 1).word());
        assert_ne!(Rng::new(1, 0).word(), Rng::new(2, 0).word());
        assert!((0..1000).all(|_| Rng::new(5, 5).weighted(&[0, 1, 0]) == 1));
    }

    #[test]
    fn about_has_about_the_mean() {
        let mut rng = Rng::new(9, 9);
        let sum: u64 = (0..100_000).map(|_| rng.about(1000)).sum();
        assert!((900..1200).contains(&(sum / 100_000)), "{}", sum / 100_000);
    }
}
