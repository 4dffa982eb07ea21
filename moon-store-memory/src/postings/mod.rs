//! Postings for the engine, and sums made here.

mod filter;
mod scan;
mod totals;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use moon_core::{PostingBatch, PostingFilter, PostingSource, Pushdown, Result, TotalsPlan};

use crate::store::MemoryUnit;

#[async_trait]
impl PostingSource for MemoryUnit {
    fn scan<'a>(&'a mut self, filter: &'a PostingFilter) -> BoxStream<'a, Result<PostingBatch>> {
        stream::iter(scan::Scan::new(self.state(), filter).map(Ok)).boxed()
    }

    async fn totals(&mut self, plan: &TotalsPlan) -> Result<Pushdown> {
        totals::totals(self.state(), plan).map(Pushdown::Answered)
    }
}
