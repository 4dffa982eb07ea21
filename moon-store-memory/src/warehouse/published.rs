//! What readers see.

use std::collections::BTreeMap;
use std::sync::Arc;

use moon_core::{
    BranchCode, BranchEntry, BusinessDate, Cell, Closing, DayRange, Dimension, Figures as Sums, GroupSum, Period,
    ProductCode, ProductEntry, ProductRow, Published, PublishedTarget, Restatement, Result, RunKey, RunRecord,
    TeamCode, TeamEntry,
};
use uuid::Uuid;

use crate::tree::Tree;

/// Dimension, day and code.
pub(super) type CellKey = (Dimension, BusinessDate, Arc<str>);

/// All published figures. A clone shares them.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    pub(super) cells: Tree<CellKey, Sums>,
    pub(super) dimensions: Arc<Dimensions>,
    /// By month, named by its first day, or all time, then by product.
    pub(super) product_metrics: BTreeMap<Option<BusinessDate>, Arc<BTreeMap<Arc<str>, ProductRow>>>,
    /// By month, named by its first day, then by pseudonym.
    pub(super) agents: BTreeMap<BusinessDate, Arc<BTreeMap<String, Sums>>>,
    /// In the order of the runs that closed.
    pub(super) closings: Vec<Frozen>,
    pub(super) restatements: Tree<Restatement, ()>,
    /// Records of runs, published or not.
    pub(super) runs: Tree<Uuid, Arc<RunRecord>>,
    /// The run published last.
    pub(super) last: Option<RunKey>,
}

/// A closing with all cells as its run published them, which share what did not change since.
#[derive(Debug, Clone)]
pub(super) struct Frozen {
    pub(super) closing: Closing,
    pub(super) cells: Tree<CellKey, Sums>,
}

impl Frozen {
    pub(super) fn is_standing(&self, period: Period) -> bool {
        self.closing.period == period && self.closing.is_standing()
    }
}

/// Names and targets, which every run replaces as a whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Dimensions {
    pub(super) teams: BTreeMap<TeamCode, TeamEntry>,
    pub(super) branches: BTreeMap<BranchCode, BranchEntry>,
    pub(super) products: BTreeMap<ProductCode, ProductEntry>,
    pub(super) targets: Vec<PublishedTarget>,
}

/// The cells of a dimension on these days, ascending by day and code.
pub(super) fn cells_of(
    cells: &Tree<CellKey, Sums>,
    dimension: Dimension,
    days: DayRange,
) -> impl Iterator<Item = (&CellKey, &Sums)> {
    let start = days.first().map(|first| (dimension, first, Arc::from("")));
    let cells = start.map(|start| cells.starting_at(&start));
    cells
        .into_iter()
        .flatten()
        .take_while(move |((known, day, _), _)| *known == dimension && days.contains(day.epoch_day()))
}

/// The cells of all dimensions on these days, ascending by dimension, day and code.
pub(super) fn all_cells(cells: &Tree<CellKey, Sums>, days: DayRange) -> Vec<Cell> {
    let found = Dimension::DAILY.into_iter().flat_map(|dimension| cells_of(cells, dimension, days));
    let cell = |((dimension, day, code), figures): (&CellKey, &Sums)| Cell {
        dimension: *dimension,
        day: *day,
        code: Arc::clone(code),
        figures: *figures,
    };
    found.map(cell).collect()
}

impl Figures {
    /// The sums over these days and all that goes with them.
    ///
    /// # Errors
    /// `Refused` on overflow.
    pub(super) fn read(&self, days: DayRange) -> Result<Published> {
        let mut sums: Vec<GroupSum> = Vec::new();
        for dimension in Dimension::DAILY {
            let mut groups: BTreeMap<&Arc<str>, Sums> = BTreeMap::new();
            for ((_, _, code), figures) in cells_of(&self.cells, dimension, days) {
                let group = groups.entry(code).or_default();
                *group = group.plus(*figures)?;
            }
            let groups = groups.into_iter();
            sums.extend(groups.map(|(code, figures)| GroupSum { dimension, code: Arc::clone(code), figures }));
        }
        let Dimensions { teams, branches, products, targets } = &*self.dimensions;
        Ok(Published {
            sums,
            teams: teams.values().cloned().collect(),
            branches: branches.values().cloned().collect(),
            products: products.values().cloned().collect(),
            targets: targets.clone(),
            run: self.last.and_then(|last| self.runs.get(&last.id)).map(|record| RunRecord::clone(record)),
        })
    }
}
