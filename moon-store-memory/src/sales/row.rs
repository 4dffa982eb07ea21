//! One sale between its entity and its columns.

use chrono::{DateTime, Utc};
use moon_core::{
    Adjustment, AdjustmentKind, Amount, BusinessDate, Error, ErrorKind, GIVEN_BRANCH, GIVEN_TEAM, Places, Reference,
    Result, Revision, Sale, SaleContent, SaleId, SaleKey, SaleKind, Source,
};
use uuid::Uuid;

use super::text::Span;
use crate::state::State;

/// The order of sales: by date (days since 1970-01-01), then identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowKey {
    pub(crate) day: i32,
    pub(crate) id: SaleId,
}

impl RowKey {
    /// Not above any sale's.
    pub(crate) const LOWEST: Self = Self { day: i32::MIN, id: SaleId(Uuid::nil()) };

    pub(crate) fn of(sale: &Sale) -> Self {
        Self { day: sale.content.date.epoch_day(), id: sale.id }
    }
}

/// What a sale is beside its posting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SaleDetail {
    pub(crate) id: SaleId,
    pub(super) recorded_at: i64,
    pub(super) content_at: i64,
    pub(super) source: u32,
    pub(super) revision: Revision,
    pub(super) last_revision: Revision,
    pub(super) reference: Span,
    pub(super) policy_number: Span,
    pub(crate) kind: SaleKind,
    pub(crate) voided: bool,
}

/// What an adjustment is beside its posting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdjustmentDetail {
    pub(super) sale: SaleId,
    pub(super) revision: Revision,
    pub(super) kind: AdjustmentKind,
    /// The sale's, for filters.
    pub(crate) sale_kind: SaleKind,
}

/// A sale with its codes replaced by dictionary indices, on its way into a chunk or out of it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) key: RowKey,
    pub(crate) team: u32,
    pub(crate) branch: u32,
    pub(crate) product: u32,
    pub(crate) agent: u32,
    pub(crate) given: u8,
    pub(crate) amount: i64,
    /// Its spans are those of the chunk that holds the row, and nothing in a row that is in none.
    pub(crate) detail: SaleDetail,
    pub(crate) reference: Reference,
    pub(crate) policy_number: Option<Reference>,
    pub(crate) adjustments: Vec<Adjustment>,
}

impl Row {
    /// Replaces codes by indices; `source` is that of the sale's source.
    ///
    /// # Errors
    /// `NotFound` for an unknown agent, product, team or branch; `InvalidInput` when the sale does not count under a
    /// place that its source gave, or is voided and has adjustments.
    pub(crate) fn from_sale(state: &State, sale: &Sale, source: u32) -> Result<Self> {
        let Sale { content, places, .. } = sale;
        let mut given = 0;
        if content.team.is_some() {
            given |= GIVEN_TEAM;
        }
        if content.branch.is_some() {
            given |= GIVEN_BRANCH;
        }
        let kept = |given: bool, same: bool| !given || same;
        if !kept(content.team.is_some(), content.team == places.team)
            || !kept(content.branch.is_some(), content.branch == places.branch)
        {
            return Err(
                Error::invalid("sale does not count under the place that its source gave").with("sale", &sale.key)
            );
        }
        if sale.voided && !sale.adjustments.is_empty() {
            return Err(Error::invalid("voided sale has adjustments").with("sale", &sale.key));
        }
        let named = |error: Error| error.with("sale", &sale.key);
        Ok(Self {
            key: RowKey::of(sale),
            team: state.teams.optional(places.team.as_ref()).map_err(named)?,
            branch: state.branches.optional(places.branch.as_ref()).map_err(named)?,
            product: state.products.required(&content.product).map_err(named)?,
            agent: state.agents.optional(content.agent.as_ref()).map_err(named)?,
            given,
            amount: content.amount.minor(),
            detail: SaleDetail {
                id: sale.id,
                recorded_at: sale.recorded_at.timestamp_micros(),
                content_at: sale.content_at.timestamp_micros(),
                source,
                revision: sale.revision,
                last_revision: sale.last_revision,
                reference: Span::default(),
                policy_number: Span::default(),
                kind: content.kind,
                voided: sale.voided,
            },
            reference: sale.key.reference.clone(),
            policy_number: content.policy_number.clone(),
            adjustments: sale.adjustments.clone(),
        })
    }

    /// Replaces indices by codes.
    ///
    /// # Errors
    /// `Corrupt` when what is stored cannot be.
    pub(crate) fn into_sale(self, state: &State) -> Result<Sale> {
        let corrupt = || Error::new(ErrorKind::Corrupt, "stored sale cannot be read").with("id", self.key.id);
        let instant = |micros: i64| DateTime::<Utc>::from_timestamp_micros(micros).ok_or_else(corrupt);
        let source: Source = state.sales.source(self.detail.source).ok_or_else(corrupt)?;
        let places = Places { team: state.teams.code(self.team), branch: state.branches.code(self.branch) };
        let content = SaleContent {
            agent: state.agents.code(self.agent),
            product: state.products.code(self.product).ok_or_else(corrupt)?,
            amount: Amount::from_minor(self.amount)?,
            date: BusinessDate::from_epoch_day(self.key.day)?,
            kind: self.detail.kind,
            policy_number: self.policy_number,
            team: places.team.clone().filter(|_| self.given & GIVEN_TEAM != 0),
            branch: places.branch.clone().filter(|_| self.given & GIVEN_BRANCH != 0),
        };
        Ok(Sale {
            id: self.key.id,
            key: SaleKey { source, reference: self.reference },
            content,
            places,
            revision: self.detail.revision,
            last_revision: self.detail.last_revision,
            voided: self.detail.voided,
            adjustments: self.adjustments,
            recorded_at: instant(self.detail.recorded_at)?,
            content_at: instant(self.detail.content_at)?,
        })
    }
}
