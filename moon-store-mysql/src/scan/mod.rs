//! The stream of postings: sales first, then what cancels and reinstates them.
//!
//! Reading and the work on what was read take turns, within whoever polls the stream. The server does not take part in the
//! turns: while a batch is worked on, the rows of the next one arrive in the buffers of the connection.

mod adjustments;
mod decode;
mod dictionary;
mod sales;

use std::future;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::stream::PollNext;
use futures_util::{StreamExt as _, stream};
use moon_core::{DaySet, PostingBatch, PostingFilter, PostingSource, Pushdown, Result, TotalsPlan};
use mysql_async::Value;
use tokio::sync::mpsc::{self, Sender};

use crate::filter::SaleConditions;
use crate::unit::MysqlUnit;
use dictionary::Dictionaries;

/// How many sales of a statement are passed on at once: so few that they lie in the processor's caches, so many that
/// passing on costs nothing.
const BATCH: usize = 4_096;

/// The most postings of a statement that is one batch.
const WHOLE: usize = 65_536;

const DOING: &str = "read postings";

#[async_trait]
impl PostingSource for MysqlUnit<'_> {
    fn scan<'a>(&'a mut self, filter: &'a PostingFilter) -> BoxStream<'a, Result<PostingBatch>> {
        let (sender, mut receiver) = mpsc::channel(1);
        let batches = stream::poll_fn(move |context| receiver.poll_recv(context)).map(Ok);
        let reading = stream::once(async move { Scan::new(self, filter, sender).await?.read().await });
        let failure = reading.filter_map(|outcome| future::ready(outcome.err().map(Err)));
        // What waits goes out before more is read.
        stream::select_with_strategy(batches, failure, |_: &mut ()| PollNext::Left).boxed()
    }

    async fn totals(&mut self, plan: &TotalsPlan) -> Result<Pushdown> {
        self.sum(plan).await.map(Pushdown::Answered)
    }
}

struct Scan<'a, 'c> {
    unit: &'a mut MysqlUnit<'c>,
    days: &'a DaySet,
    conditions: SaleConditions,
    without_agents: bool,
    /// The most sales of the next statement, without agents.
    sales_max: usize,
    dictionaries: Dictionaries,
    batches: Sender<PostingBatch>,
}

impl<'a, 'c> Scan<'a, 'c> {
    async fn new(
        unit: &'a mut MysqlUnit<'c>,
        filter: &'a PostingFilter,
        batches: Sender<PostingBatch>,
    ) -> Result<Self> {
        let conditions = SaleConditions::of(unit, filter).await?;
        let dictionaries = Dictionaries::load(&mut unit.session).await?;
        Ok(Self {
            unit,
            days: &filter.days,
            conditions,
            without_agents: filter.without_agents,
            sales_max: sales::FIRST,
            dictionaries,
            batches,
        })
    }

    async fn read(mut self) -> Result<()> {
        self.read_sales().await?;
        self.read_adjustments().await
    }

    async fn send(&mut self, batch: PostingBatch) {
        if !batch.is_empty() {
            hand_over(&self.batches, batch).await;
        }
    }

    /// These values, and behind them those of the filter's conditions.
    fn params(&self, values: impl IntoIterator<Item = Value>) -> Vec<Value> {
        let mut params: Vec<Value> = values.into_iter().collect();
        params.extend(self.conditions.params.iter().cloned());
        params
    }
}

/// Hands over a batch, and waits until the next one is asked for: whoever gives the scan up in between leaves no statement
/// behind that was sent and not answered, at most one whose rows are still arriving.
async fn hand_over(batches: &Sender<PostingBatch>, batch: PostingBatch) {
    // Neither fails: what receives lives as long as the scan.
    drop(batches.send(batch).await);
    drop(batches.reserve().await);
}
