//! What readers see.

use std::collections::BTreeMap;
use std::sync::Arc;

use moon_core::{
    BranchCode, BranchEntry, BusinessDate, DayRange, Dimension, Figures as Sums, GroupSum, ProductCode, ProductEntry,
    ProductRow, Published, PublishedTarget, Result, RunKey, RunRecord, TeamCode, TeamEntry,
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
    /// Records of runs, published or not.
    pub(super) runs: Tree<Uuid, Arc<RunRecord>>,
    /// The run published last.
    pub(super) last: Option<RunKey>,
}

/// Names and targets, which every run replaces as a whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Dimensions {
    pub(super) teams: BTreeMap<TeamCode, TeamEntry>,
    pub(super) branches: BTreeMap<BranchCode, BranchEntry>,
    pub(super) products: BTreeMap<ProductCode, ProductEntry>,
    pub(super) targets: Vec<PublishedTarget>,
}

impl Figures {
    /// The cells of a dimension on these days, ascending by day and code.
    pub(super) fn cells(&self, dimension: Dimension, days: DayRange) -> impl Iterator<Item = (&CellKey, &Sums)> {
        let start = days.first().map(|first| (dimension, first, Arc::from("")));
        let cells = start.map(|start| self.cells.starting_at(&start));
        cells
            .into_iter()
            .flatten()
            .take_while(move |((known, day, _), _)| *known == dimension && days.contains(day.epoch_day()))
    }

    /// The sums over these days and all that goes with them.
    ///
    /// # Errors
    /// `Refused` on overflow.
    pub(super) fn read(&self, days: DayRange) -> Result<Published> {
        let mut sums: Vec<GroupSum> = Vec::new();
        for dimension in Dimension::DAILY {
            let mut groups: BTreeMap<&Arc<str>, Sums> = BTreeMap::new();
            for ((_, _, code), figures) in self.cells(dimension, days) {
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
