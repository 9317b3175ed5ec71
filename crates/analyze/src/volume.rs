//! What reading alone costs: every byte of an input, and its newlines counted.

use std::io::{self, Read};

use crate::input::{Content, Input};
use crate::read::Range;

/// Bytes that one thread reads before another may take over.
const STRETCH_BYTES: u64 = 8 << 20;
/// Bytes read at once.
const BLOCK_BYTES: usize = 256 << 10;

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Volume {
    /// Bytes.
    pub bytes: u64,
    /// Newlines.
    pub newlines: u64,
}

impl Volume {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, newlines: self.newlines + other.newlines }
    }
}

/// The volume of an input; `map` spreads its stretches over threads.
pub(crate) fn of(
    input: &dyn Input,
    map: impl FnOnce(
        Vec<(u64, u64)>,
        &(dyn Fn((u64, u64)) -> io::Result<Volume> + Sync),
    ) -> Vec<io::Result<Volume>>,
) -> io::Result<Volume> {
    match input.open()? {
        Content::Random(content) => {
            let size = content.size();
            let stretch = |start| (start, size.min(start + STRETCH_BYTES));
            let starts = (0..size.div_ceil(STRETCH_BYTES)).map(|index| index * STRETCH_BYTES);
            let read = |(start, end)| count(&mut Range { content: content.as_ref(), start, end });
            map(starts.map(stretch).collect(), &read)
                .into_iter()
                .try_fold(Volume::default(), |sum, volume| Ok(sum.plus(volume?)))
        }
        Content::Stream(mut stream) => count(stream.as_mut()),
    }
}

fn count(bytes: &mut dyn Read) -> io::Result<Volume> {
    let mut block = vec![0; BLOCK_BYTES];
    let mut sum = Volume::default();
    loop {
        let n = match bytes.read(&mut block) {
            Ok(0) => return Ok(sum),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let newlines = memchr::memchr_iter(b'\n', block.get(..n).unwrap_or_default()).count();
        sum = sum.plus(Volume { bytes: n as u64, newlines: newlines as u64 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Bytes;

    #[test]
    fn every_stretch_is_counted_once() {
        let line = [b"x".repeat(999), b"\n".to_vec()].concat();
        let input = Bytes::new("input", line.repeat(20_000));
        let volume = of(&input, |stretches, read| stretches.into_iter().map(read).collect());
        assert_eq!(volume.expect("memory"), Volume { bytes: 20_000_000, newlines: 20_000 });
    }
}
