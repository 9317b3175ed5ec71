//! Compressed streams to bytes: concatenated members, padding, and what is wrong with them.
//!
//! Every decoder first hands out all it could make of its input; then it says why it stopped,
//! and goes on saying so.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};
use lzma_rust2::{Action, XzStream};

use crate::fault::{Fault, FaultKind};
use crate::kind::Codec;

/// Compressed bytes read at once.
const INPUT_BYTES: usize = 64 << 10;
/// What a decoder may take for its window, in KiB: as much as `zstd` and `xz -9` need and some more.
const MAX_DECODER_KIB: u32 = 160 << 10;
/// Bytes asked of a decoder at once: what it had made of a damaged block is lost with the error.
const OUTPUT_BYTES: usize = 64 << 10;

/// Reads ahead, counts what is used up, and keeps the operating system's errors apart from those
/// of decoders.
struct Source {
    inner: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    used: u64,
    error: Option<io::Error>,
}

impl Source {
    fn new(inner: Box<dyn Read + Send>) -> Self {
        Self { inner, buffer: vec![0; INPUT_BYTES], at: 0, filled: 0, used: 0, error: None }
    }

    fn ready(&self) -> &[u8] {
        self.buffer.get(self.at..self.filled).unwrap_or_default()
    }

    /// At least `n` bytes of what follows, fewer only at the end.
    fn peek(&mut self, n: usize) -> io::Result<&[u8]> {
        while self.filled - self.at < n {
            self.buffer.copy_within(self.at..self.filled, 0);
            (self.at, self.filled) = (0, self.filled - self.at);
            if self.more()? == 0 {
                break;
            }
        }
        Ok(self.ready())
    }

    /// Reads more behind what is there. A fault below ends the input and is kept for later.
    fn more(&mut self) -> io::Result<usize> {
        if self.error.is_some() {
            return Ok(0);
        }
        loop {
            match self.inner.read(self.buffer.get_mut(self.filled..).unwrap_or_default()) {
                Ok(n) => {
                    self.filled += n;
                    return Ok(n);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.error = Some(error);
                    return Ok(0);
                }
            }
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.filled {
            (self.at, self.filled) = (0, 0);
            self.more()?;
        }
        Ok(self.ready())
    }

    fn consume(&mut self, n: usize) {
        self.at = (self.at + n).min(self.filled);
        self.used += n as u64;
    }
}

/// What one call of a machine did.
struct Turn {
    read: usize,
    written: usize,
    ended: bool,
}

/// A decoder that is fed and emptied by hand.
enum Coder {
    Inflate(Decompress),
    Xz(Box<XzStream>),
}

/// Such a decoder, and the error it met behind the bytes it has handed out.
struct Machine {
    coder: Coder,
    error: Option<io::Error>,
}

impl Coder {
    fn turn(&mut self, input: &[u8], output: &mut [u8]) -> (Turn, Option<io::Error>) {
        match self {
            Self::Inflate(inflate) => {
                let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
                let flush = if input.is_empty() { FlushDecompress::Finish } else { FlushDecompress::None };
                let result = inflate.decompress(input, output, flush);
                let since = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(0);
                let turn = Turn {
                    read: since(inflate.total_in(), before_in),
                    written: since(inflate.total_out(), before_out),
                    ended: matches!(result, Ok(Status::StreamEnd)),
                };
                (turn, result.err().map(io::Error::other))
            }
            Self::Xz(xz) => {
                let (before_in, before_out) = (xz.total_in(), xz.total_out());
                let result = xz.process(input, output, Action::Run);
                let since = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(0);
                match result {
                    Ok(result) => {
                        let ended = matches!(result.status, lzma_rust2::Status::StreamEnd);
                        (Turn { read: result.bytes_consumed, written: result.bytes_produced, ended }, None)
                    }
                    Err(error) => {
                        let read = since(xz.total_in(), before_in);
                        (Turn { read, written: since(xz.total_out(), before_out), ended: false }, Some(error))
                    }
                }
            }
        }
    }
}

impl Machine {
    const fn new(coder: Coder) -> Self {
        Self { coder, error: None }
    }

    /// Reads some bytes; 0 at the end of the stream.
    fn read(&mut self, source: &mut Source, output: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        loop {
            let input = source.fill_buf()?;
            let at_end = input.is_empty();
            let (turn, error) = self.coder.turn(input, output);
            source.consume(turn.read);
            match error {
                error if turn.written > 0 => {
                    self.error = error;
                    return Ok(turn.written);
                }
                Some(error) => return Err(error),
                None if turn.ended => return Ok(0),
                None if at_end => return Err(io::ErrorKind::UnexpectedEof.into()),
                None => {}
            }
        }
    }
}

/// A decoder at work on one stream of its input.
enum Stage {
    Machine(Machine, Source),
    Zstd(zstd::stream::read::Decoder<'static, Source>),
    Bzip2(Box<bzip2::bufread::BzDecoder<Source>>),
    Deflate64(deflate64::Deflate64Decoder<Source>),
    /// The end was reached, well or not.
    Ended(Option<Fault>),
}

impl Stage {
    fn new(codec: Codec, source: Source) -> Result<Self, Fault> {
        Ok(match codec {
            Codec::Gzip => Self::Machine(Machine::new(Coder::Inflate(Decompress::new_gzip(15))), source),
            Codec::Deflate => Self::Machine(Machine::new(Coder::Inflate(Decompress::new(false))), source),
            Codec::Xz => Self::Machine(
                Machine::new(Coder::Xz(Box::new(XzStream::new_mem_limit(false, MAX_DECODER_KIB)))),
                source,
            ),
            Codec::Zstd => match zstd::stream::read::Decoder::with_buffer(source) {
                Ok(decoder) => Self::Zstd(decoder.single_frame()),
                Err(error) => return Err(Fault::new(FaultKind::Unsupported, error.to_string())),
            },
            Codec::Bzip2 => Self::Bzip2(Box::new(bzip2::bufread::BzDecoder::new(source))),
            Codec::Deflate64 => Self::Deflate64(deflate64::Deflate64Decoder::with_buffer(source)),
        })
    }

    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Machine(machine, source) => machine.read(source, output),
            Self::Zstd(decoder) => decoder.read(output),
            Self::Bzip2(decoder) => decoder.read(output),
            Self::Deflate64(decoder) => decoder.read(output),
            Self::Ended(fault) => fault.clone().map_or(Ok(0), |fault| Err(fault.into())),
        }
    }

    fn into_source(self) -> Option<Source> {
        match self {
            Self::Machine(_, source) => Some(source),
            Self::Zstd(decoder) => Some(decoder.finish()),
            Self::Bzip2(decoder) => Some(decoder.into_inner()),
            Self::Deflate64(decoder) => Some(decoder.into_inner()),
            Self::Ended(_) => None,
        }
    }
}

/// Reads compressed bytes as what they were made of.
pub struct Decoder {
    codec: Codec,
    stage: Stage,
    /// Compressed bytes used by the streams that are done.
    used: u64,
    failure: Option<io::Error>,
}

impl Decoder {
    /// A decoder of all streams in `packed`.
    pub fn new(codec: Codec, packed: Box<dyn Read + Send>) -> Self {
        let stage = Stage::new(codec, Source::new(packed)).unwrap_or_else(|fault| Stage::Ended(Some(fault)));
        Self { codec, stage, used: 0, failure: None }
    }

    /// Compressed bytes of the streams that have been read to their ends.
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// Goes on to what stands behind a stream: another one, padding, or nothing.
    fn next_stream(&mut self) -> io::Result<()> {
        let stage = std::mem::replace(&mut self.stage, Stage::Ended(None));
        let Some(mut source) = stage.into_source() else { return Ok(()) };
        self.used = source.used;
        // In a zip archive the directory says what follows.
        if matches!(self.codec, Codec::Deflate | Codec::Deflate64) {
            return below(source.error.take());
        }
        loop {
            let next = source.peek(6)?;
            let len = next.len();
            if self.codec.begins(next) {
                self.stage = Stage::new(self.codec, source).unwrap_or_else(|fault| Stage::Ended(Some(fault)));
                return Ok(());
            }
            match next.iter().position(|byte| *byte != 0) {
                None if len == 0 => return below(source.error.take()),
                None => source.consume(len),
                Some(0) => return Err(self.trailing(source.used, source.ready())),
                Some(zeros) => source.consume(zeros),
            }
        }
    }

    fn trailing(&self, used: u64, bytes: &[u8]) -> io::Error {
        let found = bytes.get(..bytes.len().min(4)).unwrap_or_default().escape_ascii();
        let name = self.codec.name();
        Fault::corrupt(format!(
            "expected another {name} stream or the end at compressed byte {used}, found `{found}`"
        ))
        .into()
    }

    /// What to say of a decoder's error.
    fn explain(&mut self, error: io::Error) -> io::Error {
        let Some(mut source) = std::mem::replace(&mut self.stage, Stage::Ended(None)).into_source() else {
            return error;
        };
        if let Some(below) = source.error.take() {
            return below;
        }
        let (name, used) = (self.codec.name(), source.used);
        let fault = match error.kind() {
            io::ErrorKind::UnexpectedEof => Fault::truncated(format!(
                "expected more {name} data behind compressed byte {used}, found the end"
            )),
            io::ErrorKind::OutOfMemory => too_large(name, used),
            _ if error.to_string().contains("too much memory") => too_large(name, used),
            _ => Fault::corrupt(format!(
                "expected {name} data before compressed byte {used}, found damage ({error})"
            )),
        };
        fault.into()
    }
}

/// An error of what the compressed bytes come from.
fn below(error: Option<io::Error>) -> io::Result<()> {
    error.map_or(Ok(()), Err)
}

fn too_large(name: &str, used: u64) -> Fault {
    let limit = MAX_DECODER_KIB >> 10;
    Fault::new(
        FaultKind::Unsupported,
        format!(
            "expected {name} data that takes at most {limit} MiB to unpack, found more at compressed byte {used}"
        ),
    )
}

impl Read for Decoder {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        let len = output.len().min(OUTPUT_BYTES);
        let output = output.get_mut(..len).unwrap_or_default();
        loop {
            if let Some(failure) = &self.failure {
                return Err(again(failure));
            }
            if let Stage::Ended(None) = self.stage {
                return Ok(0);
            }
            let result = match self.stage.read(output) {
                Ok(0) => self.next_stream(),
                Ok(n) => return Ok(n),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
                Err(error) => Err(self.explain(error)),
            };
            self.failure = result.err();
        }
    }
}

/// The same error once more.
pub fn again(error: &io::Error) -> io::Error {
    match (Fault::of(error), error.raw_os_error()) {
        (Some(fault), _) => fault.clone().into(),
        (None, Some(code)) => io::Error::from_raw_os_error(code),
        (None, None) => io::Error::new(error.kind(), error.to_string()),
    }
}
