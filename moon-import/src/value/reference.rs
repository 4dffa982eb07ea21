//! References, joined from the values that form them.

use moon_core::Reference;

use super::{Cell, Fault, Slots};
use crate::map::Field;
use crate::read::Row;

/// What stands between the parts of a reference. Inside of a part it is written with an escape before it.
const MARK: char = '|';
const ESCAPE: char = '\\';

/// Reads a reference out of one or several values.
#[derive(Debug)]
pub(crate) struct ReferenceCell {
    cells: Vec<Cell>,
    joined: String,
}

impl ReferenceCell {
    pub(crate) fn new(fields: &[Field], slots: &mut Slots) -> Self {
        Self { cells: fields.iter().map(|field| Cell::new(field, slots)).collect(), joined: String::new() }
    }

    /// The reference of a row; `None` when all of its parts are missing.
    pub(crate) fn read(&mut self, row: &Row<'_>) -> Result<Option<Reference>, Fault> {
        self.joined.clear();
        let mut first_missing = None;
        let mut any = false;
        for (place, cell) in self.cells.iter().enumerate() {
            if place > 0 {
                self.joined.push(MARK);
            }
            match cell.read(row)? {
                // One value alone needs no mark, and stays as its source writes it.
                Some(part) if self.cells.len() == 1 => self.joined.push_str(&part),
                Some(part) => push_escaped(&mut self.joined, &part),
                None => {
                    first_missing.get_or_insert(cell);
                    continue;
                }
            }
            any = true;
        }
        match first_missing {
            _ if !any => Ok(None),
            Some(cell) => Err(cell.fault(&"value is missing, and it is a part of the reference")),
            None => Reference::new("reference", &self.joined).map(Some).map_err(|error| self.fault(&error)),
        }
    }

    pub(crate) fn require(&mut self, row: &Row<'_>) -> Result<Reference, Fault> {
        self.read(row)?.ok_or_else(|| self.fault(&"reference is missing"))
    }

    fn fault(&self, error: &dyn std::fmt::Display) -> Fault {
        let fallback = || Fault { column: String::new(), reason: error.to_string() };
        self.cells.first().map_or_else(fallback, |cell| cell.fault(error))
    }
}

fn push_escaped(joined: &mut String, part: &str) {
    for character in part.chars() {
        if matches!(character, MARK | ESCAPE) {
            joined.push(ESCAPE);
        }
        joined.push(character);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn join(parts: &[String]) -> String {
        let mut joined = String::new();
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                joined.push(MARK);
            }
            push_escaped(&mut joined, part);
        }
        joined
    }

    proptest! {
        #[test]
        fn different_parts_never_make_the_same_reference(
            left in prop::collection::vec("[a|\\\\]{1,4}", 3), right in prop::collection::vec("[a|\\\\]{1,4}", 3),
        ) {
            prop_assert_eq!(left == right, join(&left) == join(&right));
        }
    }
}
