//! What comes into the ledger about sales, and what became of it.

use crate::{Error, MessageBody, Reference, Revision, SaleId, SaleKey};

/// How a message finds its place in the sequence of its sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RevisionRule {
    /// The source numbers its messages.
    Given(Revision),
    /// Behind all that is known. Content equal to the present one is a duplicate; a life message without a number is a
    /// command about the sale as it stands, and is refused where it could not have its full effect.
    Next,
    /// The source tells of each sale once: other content than the present one is a conflict.
    Only,
}

/// A message about a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleMessage {
    /// Which sale.
    pub key: SaleKey,
    /// Its place in the sale's sequence.
    pub revision: RevisionRule,
    /// What it says.
    pub body: MessageBody,
    /// The source's own reference of the entry that carries a life message; a repeat of it is a duplicate.
    pub entry: Option<Reference>,
}

/// What became of a message.
#[derive(Debug)]
pub enum SaleOutcome {
    /// A new sale.
    Recorded(SaleId, Revision),
    /// The content of a known sale was replaced.
    Corrected(SaleId, Revision),
    /// A life message about a known sale took its place.
    Applied(SaleId, Revision),
    /// A life message about a sale that is not known yet is kept until the sale comes.
    Kept(Revision),
    /// The same message arrived before. Nothing changed.
    Duplicate(Option<SaleId>),
    /// Content older than what is known: kept in the history, no figure changed.
    Stale(SaleId),
    /// The same revision or entry arrived before with another payload. Nothing changed.
    Conflict(Error),
    /// The message breaks a rule or names something unknown. Nothing changed.
    Rejected(Error),
}

impl SaleOutcome {
    /// Whether the message was new and is kept: not a repeat, not in conflict, not rejected.
    #[must_use]
    pub fn is_taken_in(&self) -> bool {
        match self {
            Self::Recorded(..) | Self::Corrected(..) | Self::Applied(..) | Self::Kept(_) | Self::Stale(_) => true,
            Self::Duplicate(_) | Self::Conflict(_) | Self::Rejected(_) => false,
        }
    }
}

/// How many messages had which outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordCounts {
    /// New sales.
    pub recorded: u64,
    /// Replaced contents.
    pub corrections: u64,
    /// Life messages, applied or kept.
    pub life: u64,
    /// Repeats.
    pub duplicates: u64,
    /// Older contents.
    pub stale: u64,
    /// Other payloads under a known revision.
    pub conflicts: u64,
    /// Messages that broke a rule.
    pub rejected: u64,
}

impl RecordCounts {
    /// Counts one outcome.
    pub fn add(&mut self, outcome: &SaleOutcome) {
        let count = match outcome {
            SaleOutcome::Recorded(..) => &mut self.recorded,
            SaleOutcome::Corrected(..) => &mut self.corrections,
            SaleOutcome::Applied(..) | SaleOutcome::Kept(_) => &mut self.life,
            SaleOutcome::Duplicate(_) => &mut self.duplicates,
            SaleOutcome::Stale(_) => &mut self.stale,
            SaleOutcome::Conflict(_) => &mut self.conflicts,
            SaleOutcome::Rejected(_) => &mut self.rejected,
        };
        *count += 1;
    }
}

/// What became of the messages of one call.
#[derive(Debug, Default)]
pub struct RecordReport {
    /// An outcome for each message, in their order.
    pub outcomes: Vec<SaleOutcome>,
}

impl RecordReport {
    /// How many messages had which outcome.
    #[must_use]
    pub fn counts(&self) -> RecordCounts {
        let mut counts = RecordCounts::default();
        self.outcomes.iter().for_each(|outcome| counts.add(outcome));
        counts
    }
}
