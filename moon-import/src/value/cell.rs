//! One value of a row, by the map's field.

use std::borrow::Cow;
use std::fmt::Display;

use moon_core::{Amount, LedgerSettings, Text};

use super::NumberForm;
use crate::map::{Field, Origin};
use crate::read::Row;

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The column; empty when it is not about one.
    pub(crate) column: String,
    pub(crate) reason: String,
}

/// The columns that a map names, each with a slot in which rows carry its value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots {
    names: Vec<String>,
}

impl Slots {
    /// The slot of a column.
    pub(crate) fn of(&mut self, column: &str) -> usize {
        self.names.iter().position(|name| name == column).unwrap_or_else(|| {
            self.names.push(column.to_owned());
            self.names.len() - 1
        })
    }

    /// The columns in the order of their slots.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

/// A field with its slot.
#[derive(Debug)]
pub(crate) struct Cell {
    field: Field,
    /// `None` for a constant.
    slot: Option<usize>,
}

impl Cell {
    pub(crate) fn new(field: &Field, slots: &mut Slots) -> Self {
        let slot = match &field.origin {
            Origin::Column(name) => Some(slots.of(name)),
            Origin::Constant(_) => None,
        };
        Self { field: field.clone(), slot }
    }

    pub(crate) fn optional(field: Option<&Field>, slots: &mut Slots) -> Option<Self> {
        field.map(|field| Self::new(field, slots))
    }

    /// The text of a row as it stands, before it gets a meaning; `None` where a row has nothing there.
    pub(crate) fn raw<'a>(&'a self, row: &Row<'a>) -> Result<Option<&'a str>, Fault> {
        match (self.slot, &self.field.origin) {
            (None, Origin::Constant(text)) => Ok(Some(text)),
            (slot, _) => row.value(slot.unwrap_or(usize::MAX)).map_err(|reason| self.fault(&reason)),
        }
    }

    /// What a raw text means: without blanks at the ends, translated, `None` when it is missing.
    pub(crate) fn meaning<'a>(&'a self, raw: &'a str) -> Option<Cow<'a, str>> {
        let text = raw.trim();
        let text = if self.field.collapse_blanks { collapse_blanks(text) } else { Cow::Borrowed(text) };
        if text.is_empty() || self.field.missing.iter().any(|missing| *missing == *text) {
            return None;
        }
        match self.field.values.get(&*text) {
            Some(value) if value.is_empty() => None,
            Some(value) => Some(Cow::Borrowed(value)),
            None => Some(text),
        }
    }

    /// The value of a row; `None` when it is missing.
    pub(crate) fn read<'a>(&'a self, row: &Row<'a>) -> Result<Option<Cow<'a, str>>, Fault> {
        Ok(self.raw(row)?.and_then(|raw| self.meaning(raw)))
    }

    pub(crate) fn require<'a>(&'a self, row: &Row<'a>) -> Result<Cow<'a, str>, Fault> {
        self.read(row)?.ok_or_else(|| self.missing())
    }

    pub(crate) fn amount(&self, row: &Row<'_>, form: NumberForm, settings: &LedgerSettings) -> Result<Amount, Fault> {
        let text = self.require(row)?;
        form.amount(&text, settings.currency).map_err(|error| self.fault(&error))
    }

    /// A text for people.
    pub(crate) fn text(&self, row: &Row<'_>, field: &'static str) -> Result<Option<Text>, Fault> {
        let Some(text) = self.read(row)? else { return Ok(None) };
        Text::new(field, &text).map(Some).map_err(|error| self.fault(&error))
    }

    /// The fault of this column, said by an error.
    pub(crate) fn fault(&self, error: &dyn Display) -> Fault {
        Fault { column: self.field.label().to_owned(), reason: error.to_string() }
    }

    pub(crate) fn missing(&self) -> Fault {
        self.fault(&"value is missing")
    }
}

fn collapse_blanks(text: &str) -> Cow<'_, str> {
    let mut blank_before = false;
    let is_plain = text.chars().all(|character| {
        let blank = character.is_whitespace();
        let plain = !blank || (character == ' ' && !blank_before);
        blank_before = blank;
        plain
    });
    if is_plain {
        return Cow::Borrowed(text);
    }
    let mut collapsed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    Cow::Owned(collapsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_blanks_become_one() {
        assert_eq!(collapse_blanks("ANNIV   12"), "ANNIV 12");
        assert_eq!(collapse_blanks("A \t B\u{a0}C"), "A B C");
        assert!(matches!(collapse_blanks("A B C"), Cow::Borrowed("A B C")));
    }
}
