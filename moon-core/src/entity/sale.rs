//! Sales, the messages that tell of them, and the postings that follow.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    AgentCode, Amount, BranchCode, BusinessDate, Error, ProductCode, Reference, Result, Revision, SaleId, SaleKey,
    TeamCode,
};

/// What kind of business a sale is. Figures count all kinds unless filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleKind {
    /// A new policy.
    #[default]
    NewBusiness,
    /// A policy goes on.
    Renewal,
    /// A policy is changed.
    Endorsement,
    /// A part of a premium.
    Instalment,
    /// Takes back something that is not named.
    Reversal,
}

impl SaleKind {
    /// Every kind, in the order of its number.
    pub const EVERY: [Self; 5] =
        [Self::NewBusiness, Self::Renewal, Self::Endorsement, Self::Instalment, Self::Reversal];

    /// The stable snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NewBusiness => "new_business",
            Self::Renewal => "renewal",
            Self::Endorsement => "endorsement",
            Self::Instalment => "instalment",
            Self::Reversal => "reversal",
        }
    }

    /// The kind of a [`name`](Self::name).
    ///
    /// # Errors
    /// `InvalidInput` for any other text.
    pub fn from_name(name: &str) -> Result<Self> {
        Self::EVERY.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            Error::invalid("kind is not one of new_business, renewal, endorsement, instalment, reversal")
                .with("kind", format_args!("{name:?}"))
        })
    }

    /// The stable number by which stores keep it, 0 to 4.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::NewBusiness => 0,
            Self::Renewal => 1,
            Self::Endorsement => 2,
            Self::Instalment => 3,
            Self::Reversal => 4,
        }
    }

    /// The kind of a [`number`](Self::number); `None` for any other.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::EVERY.get(usize::from(number)).copied()
    }
}

/// What a source says about a sale; two messages with equal content are the same payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleContent {
    /// Who is credited, if anybody.
    pub agent: Option<AgentCode>,
    /// What was sold.
    pub product: ProductCode,
    /// Signed; zero and negative amounts are ordinary.
    pub amount: Amount,
    /// The business date.
    pub date: BusinessDate,
    /// The kind of business.
    pub kind: SaleKind,
    /// The policy, never the sale's identity.
    pub policy_number: Option<Reference>,
    /// The team, if the source gives it: then it is kept for ever.
    pub team: Option<TeamCode>,
    /// The branch, if the source gives it: then it is kept for ever.
    pub branch: Option<BranchCode>,
}

/// The team and the branch under which a sale counts; `None` counts as unassigned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Places {
    /// The team, given or derived.
    pub team: Option<TeamCode>,
    /// The branch, given or derived.
    pub branch: Option<BranchCode>,
}

/// A message about the life of a sale rather than its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifeMessage {
    /// Takes back the sale, or a part of it.
    Cancel {
        /// The date of the cancellation; never counts before the sale's own.
        date: BusinessDate,
        /// The part, with the sign of the sale; `None`: all that remains.
        amount: Option<Amount>,
    },
    /// Restores all that was cancelled.
    Reinstate {
        /// The date of the restoration.
        date: BusinessDate,
    },
    /// The sale should never have been entered: final, counts nowhere.
    Void,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageBody {
    /// What the sale is.
    Content(SaleContent),
    /// What becomes of it.
    Life(LifeMessage),
}

/// A message as it is kept. The current content of a sale is kept in the sale itself; everything else that was ever
/// said about it is kept as messages, and nothing is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMessage {
    /// The sale, which may not be known yet.
    pub key: SaleKey,
    /// Its place in the sale's one sequence.
    pub revision: Revision,
    /// What it says.
    pub body: MessageBody,
    /// The source's own reference of the entry that carried a life message, when it has one: a negative row that names
    /// its original. Unique per source, so that a repeat is known.
    pub entry: Option<Reference>,
    /// When it arrived (UTC, microseconds).
    pub received_at: DateTime<Utc>,
}

/// What kind of posting follows a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentKind {
    /// Takes back.
    Cancellation,
    /// Restores.
    Reinstatement,
}

impl AdjustmentKind {
    /// The stable number by which stores keep it.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Cancellation => 1,
            Self::Reinstatement => 2,
        }
    }

    /// The kind of a [`number`](Self::number); `None` for any other.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Cancellation, Self::Reinstatement].into_iter().find(|kind| kind.number() == number)
    }
}

/// A posting that follows the sale's own: on its own date, under the sale's places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// What it does.
    pub kind: AdjustmentKind,
    /// Its own date, not before the sale's.
    pub date: BusinessDate,
    /// Signed: opposite to the sale for a cancellation.
    pub amount: Amount,
    /// −1 when nothing remains, +1 when a sale counts again, 0 for a part.
    pub count: i8,
    /// The life message it follows from.
    pub revision: Revision,
}

/// A sale as it stands: the content of its highest content revision, the places under which it counts, and the postings
/// that follow from its life messages. The sale's own posting is implied: `content.amount`, count 1, on `content.date`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// The ledger's own identifier.
    pub id: SaleId,
    /// Its identity.
    pub key: SaleKey,
    /// What it is, by the highest content revision.
    pub content: SaleContent,
    /// As sold: what is given, else what was derived.
    pub places: Places,
    /// The revision of `content`.
    pub revision: Revision,
    /// The highest revision of any message about it.
    pub last_revision: Revision,
    /// Never should have been entered: counts nowhere.
    pub voided: bool,
    /// Ascending by the revision they follow from; empty when voided.
    pub adjustments: Vec<Adjustment>,
    /// When its first message arrived (UTC, microseconds).
    pub recorded_at: DateTime<Utc>,
    /// When `content` arrived (UTC, microseconds).
    pub content_at: DateTime<Utc>,
}

impl Sale {
    /// Every date on which one of its postings lies, unsorted, with repeats; none when voided.
    pub fn posting_dates(&self) -> impl Iterator<Item = BusinessDate> {
        let own = (!self.voided).then_some(self.content.date);
        own.into_iter().chain(self.adjustments.iter().map(|adjustment| adjustment.date))
    }
}
