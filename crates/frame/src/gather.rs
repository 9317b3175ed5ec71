//! Columns that are filled value by value and become either a column of a data frame or an array that Parquet
//! takes as it is.
//!
//! What repeats is a key into a list of its values from the start ([`Terms`]), and what does not stands once, in one
//! buffer ([`Bodies`]): no value is hashed, compared or copied again on the way into a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use logmill_parse::Text;
use polars::prelude::{
    BooleanChunked, ChunkFullNull, ChunkTake, Column, IdxCa, Int64Chunked, IntoColumn, IntoSeries,
    NewChunkedArray, PlSmallStr, PolarsResult, StringChunked, TimeUnit, TimeZone,
};
use polars_arrow::array::{
    Array, BinaryArray, BooleanArray, DictionaryArray, MutableBinaryViewArray, PrimitiveArray, Utf8ViewArray,
};
use polars_arrow::bitmap::{Bitmap, MutableBitmap};
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow::offset::Offsets;

/// Which values of a column are there; costs nothing until one is not.
#[derive(Default)]
struct Validity(Option<MutableBitmap>);

impl Validity {
    /// Says whether the value behind `n` others is there.
    #[inline]
    fn push(&mut self, n: usize, is_there: bool) {
        match &mut self.0 {
            Some(bits) => bits.push(is_there),
            None if is_there => {}
            None => {
                let mut bits = MutableBitmap::from_len_set(n);
                bits.push(false);
                self.0 = Some(bits);
            }
        }
    }

    fn finish(self) -> Option<Bitmap> {
        self.0.map(MutableBitmap::freeze)
    }
}

/// A text column of the words of a closed list, by their places in it.
#[derive(Default)]
pub(crate) struct Words(Vec<u8>);

/// No word.
const NO_WORD: u8 = u8::MAX;

impl Words {
    /// A column with room for so many words.
    pub(crate) fn with_room(n: usize) -> Self {
        Self(Vec::with_capacity(n))
    }

    pub(crate) fn push(&mut self, place: Option<u8>) {
        self.0.push(place.unwrap_or(NO_WORD));
    }

    /// The words themselves, of a list of fewer than 255.
    pub(crate) fn spelt(&self, list: impl Iterator<Item = &'static str>) -> Terms {
        let mut is_there = [false; 256];
        for place in &self.0 {
            is_there[usize::from(*place)] = true;
        }
        let mut terms = Terms::default();
        let mut keys = [None; 256];
        for ((key, is_there), word) in keys.iter_mut().zip(is_there).zip(list) {
            *key = is_there.then(|| terms.add(word));
        }
        if is_there[usize::from(NO_WORD)] {
            self.0.iter().for_each(|place| terms.push_key(keys[usize::from(*place)]));
        } else {
            terms.keys = self.0.iter().map(|place| keys[usize::from(*place)].unwrap_or_default()).collect();
        }
        terms
    }
}

/// Places in which [`Terms`] looks for a value before it searches all of them.
const SLOTS: usize = 64;

/// A text column of few values, or of stretches of equal ones.
#[derive(Default)]
pub(crate) struct Terms {
    values: Vec<Arc<str>>,
    places: BTreeMap<Arc<str>, u32>,
    /// Key of the value that was looked for last, by [`slot`].
    recent: Vec<u32>,
    last: u32,
    keys: Vec<u32>,
    valid: Validity,
    /// Of all values, each once.
    text_bytes: usize,
}

/// Tells values apart that are likely to stand side by side.
fn slot(value: &[u8]) -> usize {
    let at = |index: usize| usize::from(value.get(index).copied().unwrap_or_default());
    (value.len() ^ at(0) ^ (at(value.len() / 2) << 1) ^ (at(value.len().saturating_sub(2)) << 2)) % SLOTS
}

impl Terms {
    /// A column with room for so many values.
    pub(crate) fn with_room(n: usize) -> Self {
        Self { keys: Vec::with_capacity(n), ..Self::default() }
    }

    pub(crate) fn push(&mut self, value: Option<&str>) {
        let key = value.map(|value| {
            let seen = self.seen(value.as_bytes());
            seen.unwrap_or_else(|| self.find(value))
        });
        self.push_key(key);
    }

    /// Appends text as it stands in the input, which is decoded unless it has been seen in just this form: what is
    /// decoded has nothing in it that would be decoded again.
    pub(crate) fn push_plain(&mut self, raw: &[u8]) {
        let seen = self.seen(raw);
        let key = seen.unwrap_or_else(|| self.find(&Text::plain(raw).decode()));
        self.push_key(Some(key));
    }

    #[inline]
    fn push_key(&mut self, key: Option<u32>) {
        self.valid.push(self.keys.len(), key.is_some());
        self.last = key.unwrap_or(self.last);
        self.keys.push(key.unwrap_or_default());
    }

    /// The key of a value that was seen a short while ago.
    #[inline]
    fn seen(&self, value: &[u8]) -> Option<u32> {
        let is = |key: u32| self.values.get(key as usize).is_some_and(|known| known.as_bytes() == value);
        if is(self.last) {
            return Some(self.last);
        }
        self.recent.get(slot(value)).copied().filter(|key| is(*key))
    }

    fn find(&mut self, value: &str) -> u32 {
        let key = self.places.get(value).copied().unwrap_or_else(|| self.add(value));
        self.recent.resize(SLOTS, 0);
        if let Some(recent) = self.recent.get_mut(slot(value.as_bytes())) {
            *recent = key;
        }
        key
    }

    fn add(&mut self, value: &str) -> u32 {
        // A block has far fewer rows than there are keys.
        let key = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.text_bytes += value.len();
        let value: Arc<str> = value.into();
        self.values.push(Arc::clone(&value));
        self.places.insert(value, key);
        key
    }

    pub(crate) const fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    fn views(values: &[Arc<str>]) -> Utf8ViewArray {
        let mut views = MutableBinaryViewArray::<str>::with_capacity(values.len());
        for value in values {
            views.push_value(&**value);
        }
        views.into()
    }

    fn column(self, name: PlSmallStr) -> PolarsResult<StringChunked> {
        if self.values.is_empty() {
            return Ok(StringChunked::full_null(name, self.keys.len()));
        }
        let values = StringChunked::with_chunk(name, Self::views(&self.values));
        values.take(&IdxCa::from_vec_validity(PlSmallStr::EMPTY, self.keys, self.valid.finish()))
    }

    /// As a dictionary, unless most values stand there once only, as ids of runs of one event do.
    fn array(self) -> PolarsResult<Box<dyn Array>> {
        if self.values.len() > self.keys.len() / 4 * 3 {
            return Ok(self.column(PlSmallStr::EMPTY)?.downcast_as_array().clone().boxed());
        }
        let values = Box::new(Self::views(&self.values));
        let keys =
            PrimitiveArray::<u32>::try_new(ArrowDataType::UInt32, self.keys.into(), self.valid.finish())?;
        Ok(Box::new(DictionaryArray::try_from_keys(keys, values, false)?))
    }
}

/// A text column whose values differ, one after the other in one buffer.
#[derive(Default)]
pub(crate) struct Bodies {
    /// UTF-8, but for what is wrong in the input.
    bytes: Vec<u8>,
    ends: Offsets<i64>,
    valid: Validity,
    /// The value at hand, where it had to be decoded.
    decoded: String,
}

impl Bodies {
    /// A column with room for so many values and bytes.
    pub(crate) fn with_room(n: usize, n_bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(n_bytes), ends: Offsets::with_capacity(n), ..Self::default() }
    }

    /// Appends a value. Nearly all text stands in the input as it is and is copied once; whether it is UTF-8 is
    /// asked of all values at once.
    pub(crate) fn push(&mut self, value: Option<Text<'_>>) {
        self.valid.push(self.ends.len_proxy(), value.is_some());
        let start = self.bytes.len();
        if let Some(value) = value {
            if let Some(bytes) = value.as_it_stands() {
                self.bytes.extend_from_slice(bytes);
            } else {
                self.decoded.clear();
                value.decode_into(&mut self.decoded);
                self.bytes.extend_from_slice(self.decoded.as_bytes());
            }
        }
        // Only ends beyond 2^63 bytes are refused.
        let _ = self.ends.try_push(self.bytes.len() - start);
    }

    pub(crate) const fn n_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The text of all values, their ends in it, and which of them are there. What is no UTF-8 is replaced.
    fn into_text(self) -> (String, Offsets<i64>, Option<Bitmap>) {
        let Self { bytes, ends, valid, .. } = self;
        let is_border =
            |text: &str| (0..ends.len_proxy()).all(|row| text.is_char_boundary(ends.start_end(row).1));
        match String::from_utf8(bytes) {
            Ok(text) if is_border(&text) => (text, ends, valid.finish()),
            Ok(text) => replaced(text.as_bytes(), &ends, valid),
            Err(refused) => replaced(refused.as_bytes(), &ends, valid),
        }
    }

    fn column(self, name: PlSmallStr) -> StringChunked {
        let (text, ends, valid) = self.into_text();
        let mut views = MutableBinaryViewArray::<str>::with_capacity(ends.len_proxy());
        for row in 0..ends.len_proxy() {
            let (start, end) = ends.start_end(row);
            match text.get(start..end) {
                Some(value) if valid.as_ref().is_none_or(|valid| valid.get(row) == Some(true)) => {
                    views.push_value(value);
                }
                _ => views.push_null(),
            }
        }
        StringChunked::with_chunk(name, Utf8ViewArray::from(views))
    }

    /// The bytes; that they are UTF-8 is the schema's to say.
    fn array(self) -> PolarsResult<Box<dyn Array>> {
        let (text, ends, valid) = self.into_text();
        let (ends, bytes) = (ends.into(), text.into_bytes().into());
        Ok(Box::new(BinaryArray::<i64>::try_new(ArrowDataType::LargeBinary, ends, bytes, valid)?))
    }
}

/// The values of which some are no UTF-8, one by one.
fn replaced(bytes: &[u8], ends: &Offsets<i64>, valid: Validity) -> (String, Offsets<i64>, Option<Bitmap>) {
    let mut text = String::with_capacity(bytes.len());
    let mut text_ends = Offsets::with_capacity(ends.len_proxy());
    for row in 0..ends.len_proxy() {
        let (from, to) = ends.start_end(row);
        let start = text.len();
        text.push_str(&String::from_utf8_lossy(bytes.get(from..to).unwrap_or_default()));
        let _ = text_ends.try_push(text.len() - start);
    }
    (text, text_ends, valid.finish())
}

/// A column of whole numbers.
#[derive(Default)]
pub(crate) struct Numbers {
    values: Vec<i64>,
    valid: Validity,
}

impl Numbers {
    /// A column with room for so many values.
    pub(crate) fn with_room(n: usize) -> Self {
        Self { values: Vec::with_capacity(n), ..Self::default() }
    }

    pub(crate) fn push(&mut self, value: Option<i64>) {
        self.valid.push(self.values.len(), value.is_some());
        self.values.push(value.unwrap_or_default());
    }

    pub(crate) fn column(self, name: PlSmallStr) -> Column {
        Int64Chunked::from_vec_validity(name, self.values, self.valid.finish()).into_column()
    }

    /// As instants: microseconds since the Unix epoch.
    pub(crate) fn instants(self, name: PlSmallStr) -> Column {
        let micros = Int64Chunked::from_vec_validity(name, self.values, self.valid.finish());
        micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series().into_column()
    }

    fn array(self) -> PolarsResult<Box<dyn Array>> {
        let (values, valid) = (self.values.into(), self.valid.finish());
        Ok(Box::new(PrimitiveArray::<i64>::try_new(ArrowDataType::Int64, values, valid)?))
    }
}

/// A column that has been filled.
pub(crate) enum Filled {
    Terms(Terms),
    Bodies(Bodies),
    Numbers(Numbers),
    /// Microseconds since the Unix epoch.
    Instants(Numbers),
    Flags(Vec<bool>),
}

impl Filled {
    /// As a column of a data frame.
    pub(crate) fn column(self, name: &str) -> PolarsResult<Column> {
        let name = PlSmallStr::from_str(name);
        Ok(match self {
            Self::Terms(terms) => terms.column(name)?.into_column(),
            Self::Bodies(bodies) => bodies.column(name).into_column(),
            Self::Numbers(numbers) => numbers.column(name),
            Self::Instants(numbers) => numbers.instants(name),
            Self::Flags(flags) => BooleanChunked::from_slice(name, &flags).into_column(),
        })
    }

    /// As an array of which the Parquet type of the column can be made.
    pub(crate) fn array(self) -> PolarsResult<Box<dyn Array>> {
        match self {
            Self::Terms(terms) => terms.array(),
            Self::Bodies(bodies) => bodies.array(),
            Self::Numbers(numbers) | Self::Instants(numbers) => numbers.array(),
            Self::Flags(flags) => Ok(BooleanArray::from_slice(flags).boxed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a column of these values holds, as a column and as an array.
    #[track_caller]
    fn check_bodies(raw: &[Option<&[u8]>], expected: &[Option<&str>]) {
        let bodies = || {
            let mut bodies = Bodies::default();
            for value in raw {
                bodies.push(value.map(Text::plain));
            }
            bodies
        };
        let column = bodies().column("message".into());
        assert_eq!(column.iter().collect::<Vec<_>>(), expected);
        let array = bodies().array().expect("an array");
        let array = array.as_any().downcast_ref::<BinaryArray<i64>>().expect("bytes");
        let bytes: Vec<Option<&[u8]>> = expected.iter().map(|text| text.map(str::as_bytes)).collect();
        assert_eq!(array.iter().collect::<Vec<_>>(), bytes);
    }

    #[test]
    fn bodies_are_utf_8_one_by_one() {
        check_bodies(&[], &[]);
        check_bodies(
            &[Some(b"a"), None, Some(b""), Some("\u{e9}".as_bytes())],
            &[Some("a"), None, Some(""), Some("\u{e9}")],
        );
        check_bodies(&[None, Some(b"a\xffb"), Some(b"c")], &[None, Some("a\u{fffd}b"), Some("c")]);
        // Two halves of a character make none.
        check_bodies(&[Some(b"caf\xc3"), Some(b"\xa9!")], &[Some("caf\u{fffd}"), Some("\u{fffd}!")]);
        check_bodies(&[Some(b"\x1b[1mbold\x1b[0m"), None], &[Some("bold"), None]);
    }

    #[track_caller]
    fn check_terms(values: &[Option<&str>]) {
        let terms = || {
            let mut terms = Terms::default();
            for value in values {
                terms.push(*value);
            }
            terms
        };
        let column = terms().column("step".into()).expect("a column");
        assert_eq!(column.iter().collect::<Vec<_>>(), values);
        let is_dictionary =
            matches!(terms().array().expect("an array").dtype(), ArrowDataType::Dictionary(..));
        let mut distinct: Vec<&str> = values.iter().flatten().copied().collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(terms().text_bytes(), distinct.concat().len());
        assert_eq!(is_dictionary, distinct.len() <= values.len() / 4 * 3, "{distinct:?}");
    }

    #[test]
    fn terms_are_what_was_pushed() {
        check_terms(&[]);
        check_terms(&[None, None, None, None]);
        check_terms(&[Some("a"), Some("a"), None, Some("b"), Some("a"), Some(""), Some(""), Some("b")]);
        check_terms(&[Some("a"), Some("b"), None, Some("c")]);
        let many: Vec<String> = (0..300).map(|n| format!("{:03}", n * 7 % 200)).collect();
        check_terms(&many.iter().map(|value| Some(value.as_str())).collect::<Vec<_>>());
    }

    #[test]
    fn words_are_spelt_where_they_occur() {
        let mut words = Words::default();
        for place in [Some(2), None, Some(0), Some(2)] {
            words.push(place);
        }
        let terms = words.spelt(["a", "b", "c"].into_iter());
        assert_eq!(terms.values.iter().map(|value| &**value).collect::<Vec<_>>(), ["a", "c"]);
        let column = terms.column("kind".into()).expect("a column");
        assert_eq!(column.iter().collect::<Vec<_>>(), [Some("c"), None, Some("a"), Some("c")]);
    }
}
