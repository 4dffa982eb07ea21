//! The suite itself: stores with one fault each are caught by its behaviours.
#![deny(clippy::missing_trait_methods)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_core::stream::BoxStream;
use futures_util::StreamExt as _;
use moon_core::{
    AgentRepository, AuditRepository, Mark, MarkCounts, MarkRepository, OrganisationRepository, PostingBatch,
    PostingFilter, PostingSource, ProductRepository, Pushdown, RecordRepository, Result, SaleRepository, Store,
    StoreInfo, TotalsPlan, TxMode, UnitOfWork,
};
use moon_testkit::StoreFixture;
use moon_testkit::behaviours::{faults, marks, scans, units};
use uuid::Uuid;

use super::ToyStore;

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    /// None: the wrapper itself is right.
    Nothing,
    /// Of several marks the last one is not kept.
    LosesMarks,
    /// Settling removes the open marks too.
    SettlesOpenMarks,
    /// A cancellation counts as nothing.
    MiscountsCancellations,
    /// One unit of money is missing from every batch.
    LosesMoney,
    /// What is rolled back is committed.
    CommitsRollbacks,
    /// Every attempt to commit tells of success and keeps nothing.
    LosesCommits,
}

#[derive(Debug)]
struct BrokenStore {
    inner: ToyStore,
    defect: Defect,
}

#[async_trait]
impl Store for BrokenStore {
    fn info(&self) -> StoreInfo {
        self.inner.info()
    }

    async fn begin(&self, mode: TxMode) -> Result<Box<dyn UnitOfWork>> {
        Ok(Box::new(BrokenUnit { inner: self.inner.begin(mode).await?, defect: self.defect }))
    }

    async fn migrate(&self) -> Result<()> {
        self.inner.migrate().await
    }

    async fn ping(&self) -> Result<()> {
        self.inner.ping().await
    }
}

struct BrokenUnit {
    inner: Box<dyn UnitOfWork>,
    defect: Defect,
}

#[async_trait]
impl UnitOfWork for BrokenUnit {
    fn organisation(&mut self) -> &mut dyn OrganisationRepository {
        self.inner.organisation()
    }
    fn agents(&mut self) -> &mut dyn AgentRepository {
        self.inner.agents()
    }
    fn products(&mut self) -> &mut dyn ProductRepository {
        self.inner.products()
    }
    fn sales(&mut self) -> &mut dyn SaleRepository {
        self.inner.sales()
    }
    fn postings(&mut self) -> &mut dyn PostingSource {
        self
    }
    fn marks(&mut self) -> &mut dyn MarkRepository {
        self
    }
    fn audit(&mut self) -> &mut dyn AuditRepository {
        self.inner.audit()
    }
    fn records(&mut self) -> &mut dyn RecordRepository {
        self.inner.records()
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        if self.defect == Defect::LosesCommits { self.inner.rollback().await } else { self.inner.commit().await }
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        if self.defect == Defect::CommitsRollbacks { self.inner.commit().await } else { self.inner.rollback().await }
    }
}

#[async_trait]
impl MarkRepository for BrokenUnit {
    async fn append(&mut self, marks: &[Mark], at: DateTime<Utc>) -> Result<()> {
        let kept = match marks {
            [first @ .., _] if self.defect == Defect::LosesMarks && !first.is_empty() => first,
            marks => marks,
        };
        self.inner.marks().append(kept, at).await
    }
    async fn claim(&mut self, run: Uuid) -> Result<()> {
        self.inner.marks().claim(run).await
    }
    async fn claimed(&mut self, run: Uuid) -> Result<Vec<Mark>> {
        self.inner.marks().claimed(run).await
    }
    async fn open(&mut self) -> Result<Vec<Mark>> {
        self.inner.marks().open().await
    }
    async fn settle(&mut self, run: Uuid) -> Result<()> {
        if self.defect == Defect::SettlesOpenMarks {
            self.inner.marks().claim(run).await?;
        }
        self.inner.marks().settle(run).await
    }
    async fn counts(&mut self) -> Result<MarkCounts> {
        self.inner.marks().counts().await
    }
}

#[async_trait]
impl PostingSource for BrokenUnit {
    fn scan<'a>(&'a mut self, filter: &'a PostingFilter) -> BoxStream<'a, Result<PostingBatch>> {
        let defect = self.defect;
        let tamper = move |mut batch: PostingBatch| {
            if defect == Defect::MiscountsCancellations {
                batch.adjustments.count.fill(0);
            }
            if let Some(amount) = batch.sales.amount.first_mut().filter(|_| defect == Defect::LosesMoney) {
                *amount -= 1;
            }
            batch
        };
        self.inner.postings().scan(filter).map(move |batch| batch.map(tamper)).boxed()
    }
    async fn totals(&mut self, plan: &TotalsPlan) -> Result<Pushdown> {
        self.inner.postings().totals(plan).await
    }
}

fn broken(defect: Defect) -> Arc<dyn Store> {
    Arc::new(BrokenStore { inner: ToyStore::default(), defect })
}

macro_rules! broken_fixture {
    ($fixture:ident) => {
        struct $fixture;

        impl StoreFixture for $fixture {
            type Guard = ();

            fn skipped() -> bool {
                false
            }

            async fn store() -> (Arc<dyn Store>, ()) {
                (broken(Defect::$fixture), ())
            }
        }
    };
}

broken_fixture!(Nothing);
broken_fixture!(LosesMarks);
broken_fixture!(SettlesOpenMarks);
broken_fixture!(MiscountsCancellations);
broken_fixture!(LosesMoney);
broken_fixture!(CommitsRollbacks);
broken_fixture!(LosesCommits);

fn fails(test: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(test)).is_err()
}

/// Whether a behaviour fails on a store of the fixture.
fn caught<F: StoreFixture, B: Future<Output = ()>>(behaviour: impl FnOnce(Arc<dyn Store>) -> B) -> bool {
    fails(|| moon_testkit::run_on_store::<F, _>(behaviour))
}

fn model_fails<F: StoreFixture>() -> bool {
    fails(moon_testkit::model::random_histories_match_the_naive_ledger::<F>)
}

#[test]
fn a_store_without_a_defect_passes() {
    assert!(!caught::<Nothing, _>(units::a_rollback_leaves_nothing));
    assert!(!caught::<Nothing, _>(marks::a_run_claims_every_mark_once));
    assert!(!caught::<Nothing, _>(scans::a_scan_yields_exactly_what_matches));
    assert!(!caught::<Nothing, _>(faults::recording_is_all_or_nothing));
    assert!(!model_fails::<Nothing>());
}

#[test]
fn behaviours_catch_defects() {
    assert!(caught::<LosesMarks, _>(marks::a_run_claims_every_mark_once));
    assert!(caught::<SettlesOpenMarks, _>(marks::a_mark_beside_a_claimed_one_waits_for_the_next_run));
    assert!(caught::<MiscountsCancellations, _>(scans::a_scan_yields_exactly_what_matches));
    assert!(caught::<LosesMoney, _>(scans::sums_of_the_store_equal_folded_ones));
    assert!(caught::<CommitsRollbacks, _>(units::a_rollback_leaves_nothing));
    assert!(caught::<LosesCommits, _>(units::a_commit_is_visible_to_later_units));
    assert!(caught::<LosesCommits, _>(faults::recording_is_all_or_nothing));
}

#[test]
fn the_model_catches_lost_and_settled_marks() {
    assert!(model_fails::<LosesMarks>());
    assert!(model_fails::<SettlesOpenMarks>());
}

#[test]
fn the_model_catches_wrong_sums() {
    assert!(model_fails::<MiscountsCancellations>());
    assert!(model_fails::<LosesMoney>());
}

#[test]
fn the_model_catches_units_that_end_wrongly() {
    assert!(model_fails::<CommitsRollbacks>());
    assert!(model_fails::<LosesCommits>());
}
