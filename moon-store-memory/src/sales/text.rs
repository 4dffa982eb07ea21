//! Texts of one chunk, end to end: references are short and many, and an allocation for each would cost as much again.

use moon_core::{Error, ErrorKind, Reference, Result};

/// Where a text lies. No reference is empty, so that an empty span stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts {
    bytes: String,
    /// Bytes to which no span leads any more.
    unused: usize,
}

impl Texts {
    /// Keeps a text.
    ///
    /// # Errors
    /// `Backend` when a chunk has more text than spans reach, which its bounded rows cannot.
    pub(crate) fn push(&mut self, text: Option<&str>) -> Result<Span> {
        let text = text.unwrap_or_default();
        let span = u32::try_from(self.bytes.len()).ok().zip(u32::try_from(text.len()).ok());
        let (start, len) = span.ok_or_else(|| Error::new(ErrorKind::Backend, "texts of a chunk are too long"))?;
        self.bytes.push_str(text);
        Ok(Span { start, len })
    }

    /// The text of a span.
    pub(crate) fn get(&self, span: Span) -> &str {
        let range = usize::try_from(span.start)
            .ok()
            .zip(usize::try_from(span.len).ok())
            .and_then(|(start, len)| self.bytes.get(start..start + len));
        range.unwrap_or_default()
    }

    /// The reference of a span; `None` for an empty one.
    ///
    /// # Errors
    /// `Corrupt` when it is none.
    pub(crate) fn reference(&self, span: Span) -> Result<Option<Reference>> {
        let text = self.get(span);
        if text.is_empty() {
            return Ok(None);
        }
        Reference::new("reference", text)
            .map(Some)
            .map_err(|cause| Error::new(ErrorKind::Corrupt, "stored reference is not one").caused_by(cause))
    }

    /// Says that nothing leads to this span any more.
    pub(crate) fn forget(&mut self, span: Span) {
        self.unused += self.get(span).len();
    }

    /// Whether more lies unused than used, so that it is worth moving the rest together.
    pub(crate) fn is_wasteful(&self) -> bool {
        self.unused > 4_096 && self.unused * 2 > self.bytes.len()
    }

    /// How much room the texts take, used or not.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}
