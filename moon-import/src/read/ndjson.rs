//! Rows of an NDJSON file: a JSON object on each line.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use moon_core::Result;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::buffer::Buffer;
use super::{Next, RAW_BYTES_MAX, ROW_BYTES_MAX, Row};
use crate::value::{Fault, Slots};

/// Gives rows.
#[derive(Debug)]
pub(crate) struct NdjsonRows<R> {
    buffer: Buffer<R>,
    names: Vec<String>,
    /// The present line, up to its bound.
    text: Vec<u8>,
    /// Its whole length.
    bytes: usize,
    values: String,
    slots: Vec<Option<(usize, usize)>>,
    line: u64,
}

impl<R: Read> NdjsonRows<R> {
    pub(super) fn open(buffer: Buffer<R>, slots: &Slots) -> Self {
        let names = slots.names().to_vec();
        let slots = vec![None; names.len()];
        Self { buffer, names, text: Vec::new(), bytes: 0, values: String::new(), slots, line: 0 }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.buffer.bytes()
    }

    pub(super) fn next(&mut self) -> Result<Next<'_>> {
        loop {
            if !self.read_line()? {
                return Ok(Next::End);
            }
            if self.bytes > ROW_BYTES_MAX || !self.line_text().is_empty() {
                break;
            }
        }
        let text = line_text(&self.text, self.line);
        let raw = text.get(..RAW_BYTES_MAX.min(text.len())).unwrap_or_default();
        let bad = |reason: String| Ok(Next::Bad(self.line, Fault { column: String::new(), reason }, raw));
        if self.bytes > ROW_BYTES_MAX {
            return bad(format!("row is longer than {ROW_BYTES_MAX} bytes"));
        }
        let Ok(text) = std::str::from_utf8(text) else {
            return bad("text is not valid UTF-8".to_owned());
        };
        self.values.clear();
        self.slots.fill(None);
        let object = Object { names: &self.names, values: &mut self.values, slots: &mut self.slots };
        let mut parser = serde_json::Deserializer::from_str(text);
        if let Err(cause) = object.deserialize(&mut parser).and_then(|()| parser.end()) {
            return bad(format!("row is not a JSON object of plain values: {cause}"));
        }
        Ok(Next::Row(Row { line: self.line, text: &self.values, slots: &self.slots }, raw))
    }

    fn line_text(&self) -> &[u8] {
        line_text(&self.text, self.line)
    }

    /// Reads one line; false at the end of the file. Of a line that is too long the rest is read and not kept.
    fn read_line(&mut self) -> Result<bool> {
        self.text.clear();
        self.bytes = 0;
        self.line += 1;
        loop {
            let input = self.buffer.look()?;
            if input.is_empty() {
                return Ok(self.bytes > 0);
            }
            let end = input.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(input.len(), |end| end + 1);
            let free = (ROW_BYTES_MAX + 1).saturating_sub(self.text.len()).min(taken);
            self.text.extend_from_slice(input.get(..free).unwrap_or_default());
            self.bytes += taken;
            self.buffer.take(taken);
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

/// A line without what does not count: blanks at its ends, and the mark at the beginning of the file.
fn line_text(line: &[u8], number: u64) -> &[u8] {
    let mark: &[u8] = if number == 1 { b"\xef\xbb\xbf" } else { b"" };
    line.strip_prefix(mark).unwrap_or(line).trim_ascii()
}

/// Takes the wanted values out of an object. Numbers stay the text that they are written as: no floating point.
struct Object<'a> {
    names: &'a [String],
    values: &'a mut String,
    slots: &'a mut [Option<(usize, usize)>],
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut met = vec![false; self.names.len()];
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let Some(slot) = self.names.iter().position(|name| *name == *key) else {
                map.next_value::<serde::de::IgnoredAny>()?;
                continue;
            };
            let twice = met.get_mut(slot).is_some_and(|met| std::mem::replace(met, true));
            if twice {
                return Err(A::Error::custom(format_args!("`{key}` is given twice")));
            }
            let value: &RawValue = map.next_value()?;
            let start = self.values.len();
            match value.get().as_bytes().first() {
                Some(b'n') => continue,
                Some(b'"') => {
                    self.values.push_str(&serde_json::from_str::<Cow<'_, str>>(value.get()).map_err(A::Error::custom)?);
                }
                Some(b'{' | b'[') => return Err(A::Error::custom(format_args!("`{key}` is an object or a list"))),
                _ => self.values.push_str(value.get()),
            }
            if let Some(place) = self.slots.get_mut(slot) {
                *place = Some((start, self.values.len()));
            }
        }
        Ok(())
    }
}
