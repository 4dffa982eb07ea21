//! What a run tells about itself while it works.

use moon_core::BusinessDate;

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Waits for another run to end.
    Waiting,
    /// Persists its key and claims the open marks.
    Claiming,
    /// Reads postings and folds them.
    Reading,
    /// Writes figures where nobody sees them yet.
    Staging,
    /// Has them checked and put in place of the old ones.
    Publishing,
    /// Removes the marks it has dealt with.
    Settling,
}

impl Step {
    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Claiming => "claiming",
            Self::Reading => "reading",
            Self::Staging => "staging",
            Self::Publishing => "publishing",
            Self::Settling => "settling",
        }
    }
}

/// Hears about the progress of a run. Calls come in the order of events, from the task of the run, and must not block.
pub trait Progress: Send + Sync {
    /// A step begins.
    fn step(&self, step: Step);

    /// So many postings were read in all; those of the ledger come ascending by day, and `day` is the last one met.
    fn read(&self, rows: u64, day: BusinessDate);

    /// So many of all daily cells are staged.
    fn staged(&self, cells: usize, of: usize);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _step: Step) {}

    fn read(&self, _rows: u64, _day: BusinessDate) {}

    fn staged(&self, _cells: usize, _of: usize) {}
}
