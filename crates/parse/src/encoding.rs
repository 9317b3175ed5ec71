//! Byte order marks, and UTF-16 turned into the UTF-8 that formats read.

/// Order of the bytes of a UTF-16 unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// Low byte first.
    Little,
    /// High byte first.
    Big,
}

/// Length in bytes of the UTF-8 byte order mark at the start of `bytes`, 0 if there is none.
#[must_use]
pub fn bom_len(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
}

/// The byte order of an input that begins with a UTF-16 byte order mark, and the mark's length.
///
/// A mark that is followed by two zero bytes is UTF-32's, which nobody writes logs in.
#[must_use]
pub fn utf16(bytes: &[u8]) -> Option<(ByteOrder, usize)> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => None,
        [0xff, 0xfe, ..] => Some((ByteOrder::Little, 2)),
        [0xfe, 0xff, ..] => Some((ByteOrder::Big, 2)),
        _ => None,
    }
}

/// UTF-16 in, UTF-8 out, in chunks that may end inside a unit or between surrogates.
///
/// Unpaired surrogates and a final odd byte become U+FFFD each.
#[derive(Debug, Clone)]
pub struct Transcoder {
    order: ByteOrder,
    /// First byte of a unit whose second has not come yet.
    half: Option<u8>,
    /// A high surrogate whose partner has not come yet.
    high: Option<u16>,
}

impl Transcoder {
    /// A transcoder for text in the given order, its byte order mark already taken off.
    #[must_use]
    pub const fn new(order: ByteOrder) -> Self {
        Self { order, half: None, high: None }
    }

    /// Appends the text of `chunk` to `out`, except for a character that is not all there yet.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let mut rest = chunk;
        if let (Some(first), Some((second, tail))) = (self.half, rest.split_first()) {
            self.half = None;
            self.unit([first, *second], out);
            rest = tail;
        }
        let (units, odd) = rest.as_chunks::<2>();
        for unit in units {
            self.unit(*unit, out);
        }
        if let [byte] = odd {
            self.half = Some(*byte);
        }
    }

    /// Appends what is left over at the end of the input.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.high.take().is_some() {
            append(char::REPLACEMENT_CHARACTER, out);
        }
        if self.half.take().is_some() {
            append(char::REPLACEMENT_CHARACTER, out);
        }
    }

    fn unit(&mut self, bytes: [u8; 2], out: &mut Vec<u8>) {
        let unit = match self.order {
            ByteOrder::Little => u16::from_le_bytes(bytes),
            ByteOrder::Big => u16::from_be_bytes(bytes),
        };
        match (self.high.take(), unit) {
            (Some(high), 0xdc00..=0xdfff) => {
                let code = 0x10000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00);
                append(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), out);
            }
            (before, unit) => {
                if before.is_some() {
                    append(char::REPLACEMENT_CHARACTER, out);
                }
                self.single(unit, out);
            }
        }
    }

    fn single(&mut self, unit: u16, out: &mut Vec<u8>) {
        if (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
        } else {
            append(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER), out);
        }
    }
}

fn append(character: char, out: &mut Vec<u8>) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way of cutting the input into three chunks must give what the standard library gives.
    #[track_caller]
    fn check(units: &[u16], odd: &[u8]) {
        let mut expect = String::from_utf16_lossy(units);
        expect.extend(odd.iter().map(|_| char::REPLACEMENT_CHARACTER));
        for (order, to_bytes) in
            [(ByteOrder::Little, u16::to_le_bytes as fn(u16) -> [u8; 2]), (ByteOrder::Big, u16::to_be_bytes)]
        {
            let mut bytes: Vec<u8> = units.iter().flat_map(|unit| to_bytes(*unit)).collect();
            bytes.extend_from_slice(odd);
            for first in 0..=bytes.len() {
                for second in first..=bytes.len() {
                    let mut transcoder = Transcoder::new(order);
                    let mut out = Vec::new();
                    for chunk in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                        transcoder.push(chunk, &mut out);
                    }
                    transcoder.finish(&mut out);
                    assert_eq!(String::from_utf8(out).as_deref(), Ok(expect.as_str()), "{first} {second}");
                }
            }
        }
    }

    #[test]
    fn agrees_with_the_standard_library() {
        check(&[], b"");
        check(&[0x41, 0xe9, 0x6f22, 0xd83d, 0xde00, 0x0a], b"");
        check(&[0xd83d, 0x41, 0xde00, 0xd83d, 0xd83d, 0xde00], b"");
        check(&[0x41, 0xd83d], b"\x41");
    }

    #[test]
    fn byte_order_marks() {
        assert_eq!(bom_len(b"\xef\xbb\xbf{}"), 3);
        assert_eq!(bom_len(b"{}"), 0);
        assert_eq!(utf16(b"\xff\xfea\0"), Some((ByteOrder::Little, 2)));
        assert_eq!(utf16(b"\xfe\xff\0a"), Some((ByteOrder::Big, 2)));
        assert_eq!(utf16(b"\xff\xfe\0\0"), None);
        assert_eq!(utf16(b"\xef\xbb\xbf"), None);
    }
}
