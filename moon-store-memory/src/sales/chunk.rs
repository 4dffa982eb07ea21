//! Chunks: some hundred sales that lie beside each other, as columns.
//!
//! A chunk is what a unit of work copies before it changes one of its sales, and what a scan takes over or passes over
//! as a whole.

use std::ops::Range;
use std::sync::Arc;

use moon_core::{
    Adjustment, AdjustmentPostings, Amount, BusinessDate, DayRange, Error, ErrorKind, PostingColumns, Result, SaleId,
};

use super::row::{AdjustmentDetail, Row, RowKey, SaleDetail};
use super::text::Texts;

/// The most sales of a chunk: about 100 KiB, which are copied for one change and read at once by a scan.
pub(super) const CHUNK_SALES_MAX: usize = 1_024;

/// A chunk and what a scan must know to pass it over without touching it.
#[derive(Debug, Clone)]
pub(crate) struct ChunkHead {
    /// Covers the days of its sales.
    pub(crate) days: DayRange,
    /// Covers the own days of its adjustments.
    pub(crate) own_days: DayRange,
    pub(crate) chunk: Arc<Chunk>,
}

impl ChunkHead {
    pub(super) fn new(chunk: Arc<Chunk>) -> Self {
        let days = hull(&chunk.sales.day);
        Self { days, own_days: hull(&chunk.adjustments.own_day), chunk }
    }

    /// The chunk, to be changed; [`refresh`](Self::refresh) afterwards.
    pub(super) fn chunk_mut(&mut self) -> &mut Chunk {
        Arc::make_mut(&mut self.chunk)
    }

    /// Takes over what a change did to the days.
    pub(super) fn refresh(&mut self) {
        // Sales are in order, so that this looks at two of them.
        self.days = match (self.chunk.sales.day.first(), self.chunk.sales.day.last()) {
            (Some(first), Some(last)) => DayRange::new(*first, last.saturating_add(1)),
            _ => DayRange::new(0, 0),
        };
        self.own_days = hull(&self.chunk.adjustments.own_day);
    }
}

/// The smallest range that covers these days.
fn hull(days: &[i32]) -> DayRange {
    let ends = days.iter().min().zip(days.iter().max());
    ends.map_or(DayRange::new(0, 0), |(first, last)| DayRange::new(*first, last.saturating_add(1)))
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chunk {
    /// The postings of the sales themselves, voided ones among them; ascending by day and identifier.
    pub(crate) sales: PostingColumns,
    /// Beside each sale.
    pub(crate) details: Vec<SaleDetail>,
    /// How many of the sales are voided.
    pub(crate) voided: usize,
    /// In the order of their sales, those of one sale in its own order.
    pub(crate) adjustments: AdjustmentPostings,
    /// Beside each adjustment.
    pub(crate) adjustment_details: Vec<AdjustmentDetail>,
    texts: Texts,
}

impl Chunk {
    /// How many sales it holds.
    pub(crate) fn len(&self) -> usize {
        self.details.len()
    }

    /// The key of the sale at a place.
    pub(crate) fn key(&self, at: usize) -> Option<RowKey> {
        self.sales.day.get(at).zip(self.details.get(at)).map(|(day, detail)| RowKey { day: *day, id: detail.id })
    }

    /// The place of a sale, or the one at which it would stand.
    pub(crate) fn place(&self, key: RowKey) -> Result<usize, usize> {
        let at = partition_point(self.len(), |at| self.key(at).is_some_and(|known| known < key));
        if self.key(at) == Some(key) { Ok(at) } else { Err(at) }
    }

    /// The text of the reference of the sale at a place.
    pub(super) fn reference(&self, at: usize) -> Option<&str> {
        self.details.get(at).map(|detail| self.texts.get(detail.reference))
    }

    /// Reads a sale.
    ///
    /// # Errors
    /// `Corrupt` when there is none, or one that cannot be.
    pub(crate) fn row(&self, at: usize) -> Result<Row> {
        let corrupt = || Error::new(ErrorKind::Corrupt, "columns of a chunk differ in length");
        let cell = |column: &[u32]| column.get(at).copied().ok_or_else(corrupt);
        let detail = *self.details.get(at).ok_or_else(corrupt)?;
        let key = self.key(at).ok_or_else(corrupt)?;
        Ok(Row {
            key,
            team: cell(&self.sales.team)?,
            branch: cell(&self.sales.branch)?,
            product: cell(&self.sales.product)?,
            agent: cell(&self.sales.agent)?,
            given: self.sales.given.get(at).copied().ok_or_else(corrupt)?,
            amount: self.sales.amount.get(at).copied().ok_or_else(corrupt)?,
            reference: self.texts.reference(detail.reference)?.ok_or_else(corrupt)?,
            policy_number: self.texts.reference(detail.policy_number)?,
            adjustments: self
                .adjustment_places(key)
                .map(|at| self.adjustment(at).ok_or_else(corrupt))
                .collect::<Result<_>>()?,
            detail,
        })
    }

    /// Puts a sale at its place.
    ///
    /// # Errors
    /// `Corrupt` when it is there already.
    pub(super) fn insert(&mut self, row: &Row) -> Result<()> {
        let Err(at) = self.place(row.key) else {
            return Err(Error::new(ErrorKind::Corrupt, "chunk has this sale already").with("id", row.key.id));
        };
        let first = self.adjustment_places(row.key).start;
        for (offset, adjustment) in row.adjustments.iter().enumerate() {
            self.insert_adjustment(first + offset, row, adjustment);
        }
        let mut detail = row.detail;
        detail.reference = self.texts.push(Some(row.reference.as_str()))?;
        detail.policy_number = self.texts.push(row.policy_number.as_ref().map(|number| number.as_str()))?;
        insert_posting(&mut self.sales, at, row, row.amount);
        self.details.insert(at, detail);
        self.voided += usize::from(detail.voided);
        Ok(())
    }

    /// Takes out the sale at a place.
    pub(super) fn remove(&mut self, at: usize) {
        if let Some(key) = self.key(at) {
            for place in self.adjustment_places(key).rev() {
                remove_posting(&mut self.adjustments.postings, place);
                self.adjustments.own_day.remove(place);
                self.adjustments.count.remove(place);
                self.adjustment_details.remove(place);
            }
            remove_posting(&mut self.sales, at);
            let detail = self.details.remove(at);
            self.voided -= usize::from(detail.voided);
            self.texts.forget(detail.reference);
            self.texts.forget(detail.policy_number);
        }
    }

    /// Cuts off the sales from a place on as a chunk of their own.
    ///
    /// # Errors
    /// `Corrupt` when a sale cannot be read.
    pub(super) fn split_off(&mut self, at: usize) -> Result<Self> {
        let part = |places: Range<usize>| {
            let mut part = Self::default();
            for place in places {
                part.insert(&self.row(place)?)?;
            }
            Ok(part)
        };
        let (left, right) = (part(0..at)?, part(at..self.len())?);
        *self = left;
        Ok(right)
    }

    /// Moves the texts together once more of them lies unused than used.
    ///
    /// # Errors
    /// `Corrupt` when a sale cannot be read.
    pub(super) fn tidy(&mut self) -> Result<()> {
        if self.texts.is_wasteful() {
            *self = std::mem::take(self).split_off(0)?;
        }
        Ok(())
    }

    /// How much room the texts take, used or not.
    #[cfg(test)]
    pub(crate) fn text_bytes(&self) -> usize {
        self.texts.len()
    }

    /// Where the adjustments of a sale lie.
    fn adjustment_places(&self, key: RowKey) -> Range<usize> {
        let known = |at: usize| {
            let day = self.adjustments.postings.day.get(at);
            day.zip(self.adjustment_details.get(at)).map(|(day, detail)| RowKey { day: *day, id: detail.sale })
        };
        let len = self.adjustment_details.len();
        let start = partition_point(len, |at| known(at).is_some_and(|known| known < key));
        let end = partition_point(len, |at| known(at).is_some_and(|known| known <= key));
        start..end
    }

    fn adjustment(&self, at: usize) -> Option<Adjustment> {
        let detail = self.adjustment_details.get(at)?;
        Some(Adjustment {
            kind: detail.kind,
            date: BusinessDate::from_epoch_day(*self.adjustments.own_day.get(at)?).ok()?,
            amount: Amount::from_minor(*self.adjustments.postings.amount.get(at)?).ok()?,
            count: *self.adjustments.count.get(at)?,
            revision: detail.revision,
        })
    }

    fn insert_adjustment(&mut self, at: usize, row: &Row, adjustment: &Adjustment) {
        insert_posting(&mut self.adjustments.postings, at, row, adjustment.amount.minor());
        self.adjustments.own_day.insert(at, adjustment.date.epoch_day());
        self.adjustments.count.insert(at, adjustment.count);
        let detail = AdjustmentDetail {
            sale: SaleId::clone(&row.key.id),
            revision: adjustment.revision,
            kind: adjustment.kind,
            sale_kind: row.detail.kind,
        };
        self.adjustment_details.insert(at, detail);
    }
}

fn insert_posting(columns: &mut PostingColumns, at: usize, row: &Row, amount: i64) {
    columns.day.insert(at, row.key.day);
    columns.team.insert(at, row.team);
    columns.branch.insert(at, row.branch);
    columns.product.insert(at, row.product);
    columns.agent.insert(at, row.agent);
    columns.given.insert(at, row.given);
    columns.amount.insert(at, amount);
}

fn remove_posting(columns: &mut PostingColumns, at: usize) {
    columns.day.remove(at);
    columns.team.remove(at);
    columns.branch.remove(at);
    columns.product.remove(at);
    columns.agent.remove(at);
    columns.given.remove(at);
    columns.amount.remove(at);
}

/// The first place of `0..len` for which `before` does not hold, given that it holds up to there and not from there on.
fn partition_point(len: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
