//! What a run published, in one hash.

use std::fmt::Write as _;

use moon_core::{Cell, DaySet, Manifest, Result};
use sha2::{Digest, Sha256};

use crate::agents::AgentFigures;
use crate::command::RunCommand;

/// How many pieces the days of a run may have to be told in its manifest.
const DAY_RANGES_MAX: usize = 366;

/// The hash of cells: SHA-256, in lower-case hexadecimal, over a line for each cell, in their order: ascending by
/// dimension (team, branch, product), day and code, the codes byte by byte. A line is, in UTF-8,
///
/// ```text
/// team <TAB> 2026-03-01 <TAB> CODE <TAB> net <TAB> n <TAB> gross <TAB> n <TAB> activity <TAB> n <LF>
/// ```
///
/// without the blanks. Amounts are minor units, each followed by its count. A code has no tab and no line feed. Without a
/// cell the hash is the empty text.
#[must_use]
pub fn hash_cells<'c>(cells: impl IntoIterator<Item = &'c Cell>) -> String {
    let mut hash = CellsHash::default();
    for cell in cells {
        hash.add(cell);
    }
    hash.finish().1
}

/// The hash of cells that come one after the other.
#[derive(Debug, Default)]
pub(crate) struct CellsHash {
    hash: Sha256,
    cells: u64,
    line: String,
}

impl CellsHash {
    pub(crate) fn add(&mut self, cell: &Cell) {
        self.cells = self.cells.saturating_add(1);
        let line = &mut self.line;
        line.clear();
        // Writing to a text cannot fail.
        let _ = write!(line, "{}\t{}\t{}", cell.dimension.name(), cell.day, cell.code);
        for sum in [cell.figures.net, cell.figures.gross, cell.figures.activity] {
            let _ = write!(line, "\t{}\t{}", sum.minor, sum.count);
        }
        line.push('\n');
        self.hash.update(line.as_bytes());
    }

    /// How many cells there were, and their hash.
    pub(crate) fn finish(self) -> (u64, String) {
        let mut text = String::new();
        if self.cells > 0 {
            for byte in self.hash.finalize() {
                let _ = write!(text, "{byte:02x}");
            }
        }
        (self.cells, text)
    }
}

/// The manifest of a run that replaces the cells of these days.
pub(crate) fn manifest(
    command: &RunCommand,
    days: &DaySet,
    cells: &[Cell],
    agents: Option<&AgentFigures>,
) -> Result<Manifest> {
    Ok(Manifest {
        cells: u64::try_from(cells.len()).unwrap_or(u64::MAX),
        cells_hash: hash_cells(cells),
        closed: command.close.clone(),
        reopened: command.reopen.clone(),
        agent_key: agents.map(|agents| agents.key.fingerprint()).transpose()?,
        days: (days.ranges().len() <= DAY_RANGES_MAX).then(|| days.clone()),
    })
}

#[cfg(test)]
mod tests {
    use moon_core::{Dimension, Figures, Sum};

    use super::*;

    #[test]
    fn the_hash_is_that_of_the_documented_lines() {
        assert_eq!(hash_cells(&[]), "");
        let figures = Figures { net: Sum::new(-5, 0), gross: Sum::new(95, 1), activity: Sum::new(1, 1) };
        let cell =
            |dimension, code: &str| Cell { dimension, day: "2026-03-01".parse().unwrap(), code: code.into(), figures };
        let cells = [cell(Dimension::Team, "Alpha"), cell(Dimension::Product, "Junior")];
        // printf 'team\t2026-03-01\tAlpha\t-5\t0\t95\t1\t1\t1\nproduct\t2026-03-01\tJunior\t-5\t0\t95\t1\t1\t1\n' | sha256sum
        assert_eq!(hash_cells(&cells), "f0246d29362870402a500ec59890748965e5cc54c44996998bd0d29032dd296e");
    }
}
