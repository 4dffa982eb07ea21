//! Codes, read once for each text.

use std::collections::HashMap;

use moon_core::{AgentKind, BranchKind, Code, CodeKind, ProductKind, TeamKind};

use super::{Cell, Fault, Slots};
use crate::map::Field;
use crate::read::Row;

/// How many texts are remembered at most; beyond, all are forgotten. Keeps memory constant for files in which every row
/// has a code of its own.
const TEXTS_MAX: usize = 65_536;

pub(crate) type AgentCell = CodeCell<AgentKind>;
pub(crate) type TeamCell = CodeCell<TeamKind>;
pub(crate) type BranchCell = CodeCell<BranchKind>;
pub(crate) type ProductCell = CodeCell<ProductKind>;

/// Reads the codes of one column. Files repeat few codes many times, so each text is checked once.
#[derive(Debug)]
pub(crate) struct CodeCell<K: CodeKind> {
    cell: Cell,
    known: HashMap<Box<str>, Option<Code<K>>>,
}

impl<K: CodeKind> CodeCell<K> {
    pub(crate) fn new(field: &Field, slots: &mut Slots) -> Self {
        Self { cell: Cell::new(field, slots), known: HashMap::new() }
    }

    pub(crate) fn optional(field: Option<&Field>, slots: &mut Slots) -> Option<Self> {
        field.map(|field| Self::new(field, slots))
    }

    /// The code of a row; `None` when it is missing.
    pub(crate) fn read(&mut self, row: &Row<'_>) -> Result<Option<Code<K>>, Fault> {
        let Some(raw) = self.cell.raw(row)? else { return Ok(None) };
        if let Some(code) = self.known.get(raw) {
            return Ok(code.clone());
        }
        let meaning = self.cell.meaning(raw);
        let code = meaning.map(|text| Code::new(&text)).transpose().map_err(|error| self.cell.fault(&error))?;
        if self.known.len() >= TEXTS_MAX {
            self.known.clear();
        }
        self.known.insert(raw.into(), code.clone());
        Ok(code)
    }

    pub(crate) fn require(&mut self, row: &Row<'_>) -> Result<Code<K>, Fault> {
        self.read(row)?.ok_or_else(|| self.cell.missing())
    }
}

/// The code in a column that a map may leave out.
pub(crate) fn read_optional<K: CodeKind>(
    cell: Option<&mut CodeCell<K>>,
    row: &Row<'_>,
) -> Result<Option<Code<K>>, Fault> {
    cell.map_or(Ok(None), |cell| cell.read(row))
}
