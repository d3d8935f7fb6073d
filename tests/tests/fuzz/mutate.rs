//! Mutations: what goes wrong with real files, and what people try on purpose.

/// Values that have broken parsers before.
const EVIL: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\u0000",
    b"-1",
    b"0",
    b"1e999",
    b"NaN",
    b"4294967296",
    b"18446744073709551616",
    b"\xe2\x80\xae",
    b"\xe2\x81\xa6",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\"",
    b"'",
    b"<",
    b">",
    b"&",
    b"]]>",
    b"../",
    b"%00",
    b"{",
    b"[",
    b"}",
    b"]",
    b"null",
    b"\xf0\x9f\x91\xa9\xe2\x80\x8d",
];

/// The largest input that is made, in bytes.
const LARGEST: usize = 400_000;

pub(crate) struct Mutator<'a> {
    state: u64,
    seeds: &'a [Vec<u8>],
    words: &'a [&'a str],
}

impl<'a> Mutator<'a> {
    pub(crate) fn new(seed: u64, seeds: &'a [Vec<u8>], words: &'a [&'a str]) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            seeds,
            words,
        }
    }

    /// A seed with one to eight things done to it.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut input = self.seeds[self.below(self.seeds.len())].clone();
        for _ in 0..=self.below(8) {
            self.mutate(&mut input);
        }
        input.truncate(LARGEST);
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        if input.is_empty() {
            input.push(b' ');
        }
        let at = self.below(input.len());
        let length = self.below((input.len() - at).min(64)) + 1;
        let end = (at + length).min(input.len());
        match self.below(9) {
            0 => input[at] ^= 1 << self.below(8),
            1 => input[at] = self.random() as u8,
            2 => drop(input.drain(at..end)),
            3 => input.truncate(at),
            4 => {
                let evil = EVIL[self.below(EVIL.len())];
                input.splice(at..at, evil.iter().copied());
            }
            5 if !self.words.is_empty() => {
                let word = self.words[self.below(self.words.len())];
                input.splice(at..end, word.bytes());
            }
            // Much of the same: deep nesting, long texts, many items.
            6 => {
                let part = input[at..end].to_vec();
                let times = 1 << self.below(12);
                let many = part.repeat(times.min(LARGEST / part.len()));
                input.splice(at..at, many);
            }
            7 => {
                let other = self.below(self.seeds.len());
                let from = self.below(self.seeds[other].len());
                let to = (from + self.below(200)).min(self.seeds[other].len());
                let part = self.seeds[other][from..to].to_vec();
                input.splice(at..end, part);
            }
            _ => {
                let to = self.below(input.len());
                let part: Vec<_> = input.drain(at..end).collect();
                let to = to.min(input.len());
                input.splice(to..to, part);
            }
        }
    }

    fn below(&mut self, n: usize) -> usize {
        (self.random() % n.max(1) as u64) as usize
    }

    /// Xorshift (Marsaglia, 2003): the same inputs from the same seed, everywhere.
    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}
