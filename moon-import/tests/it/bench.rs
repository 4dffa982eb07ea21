//! What the tests share: a ledger in memory, files in a folder of their own, and plain sums over what the store holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::StreamExt;
use moon_core::{
    Actor, Error, ErrorKind, Ledger, LedgerOptions, PostingBatch, PostingFilter, Result, Store, StoreInfo, TxMode,
    UNASSIGNED, UnitOfWork,
};
use moon_import::{ImportMap, ImportOptions, ImportReport, import_file};
use moon_store_memory::MemoryStore;

/// A ledger with a folder for its files.
pub(crate) struct Bench {
    pub(crate) ledger: Ledger,
    pub(crate) folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn new(currency: &str) -> Self {
        let store = MemoryStore::new();
        store.migrate().await.unwrap();
        let options = LedgerOptions { currency: Some(currency.parse().unwrap()), ..LedgerOptions::default() };
        let ledger = Ledger::open(Arc::new(store), &options).await.unwrap();
        Self { ledger, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn rejects(&self) -> PathBuf {
        self.folder.path().join("rejects.csv")
    }

    /// The rejects of the last import: line, column and reason.
    pub(crate) fn rejected(&self) -> Vec<(u64, String, String)> {
        let Ok(mut reader) = csv::Reader::from_path(self.rejects()) else { return Vec::new() };
        let rows = reader.records().map(|row| {
            let row = row.unwrap();
            (row[0].parse().unwrap(), row[1].to_owned(), row[2].to_owned())
        });
        rows.collect()
    }

    pub(crate) async fn import(&self, file: &Path, map: &ImportMap) -> Result<ImportReport> {
        let _ = std::fs::remove_file(self.rejects());
        let options = ImportOptions { actor: Actor::new("test").unwrap(), rejects: self.rejects() };
        import_file(&self.ledger, map, file, &options, &mut |_| {}).await
    }

    /// Imports a text by a map, both given here.
    pub(crate) async fn import_text(&self, name: &str, text: impl AsRef<[u8]>, map: &str) -> Result<ImportReport> {
        let file = self.file(name, text);
        self.import(&file, &ImportMap::parse(map, "map.toml").unwrap()).await
    }

    pub(crate) async fn totals(&self) -> Totals {
        totals(self.ledger.store().as_ref()).await
    }
}

/// Rows, recorded, duplicates, corrections, stale, conflicts and rejected.
pub(crate) fn counts(report: &ImportReport) -> [u64; 7] {
    let summary = report.summary;
    [
        summary.rows,
        summary.recorded,
        summary.duplicates,
        summary.corrections,
        summary.stale,
        summary.conflicts,
        summary.rejected,
    ]
}

/// Minor units and count over all postings, by code.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) all: (i128, i64),
    pub(crate) teams: BTreeMap<String, i128>,
    pub(crate) branches: BTreeMap<String, i128>,
    pub(crate) products: BTreeMap<String, i128>,
    pub(crate) days: BTreeMap<i32, i128>,
}

pub(crate) async fn totals(store: &dyn Store) -> Totals {
    let mut unit = store.begin(TxMode::ReadOnly).await.unwrap();
    let filter = PostingFilter::default();
    let mut scan = unit.postings().scan(&filter);
    let mut totals = Totals::default();
    let (mut teams, mut branches, mut products) =
        (vec![UNASSIGNED.to_owned()], vec![UNASSIGNED.to_owned()], vec![UNASSIGNED.to_owned()]);
    while let Some(batch) = scan.next().await {
        let PostingBatch { new_codes, sales, adjustments } = batch.unwrap();
        teams.extend(new_codes.teams.iter().map(ToString::to_string));
        branches.extend(new_codes.branches.iter().map(ToString::to_string));
        products.extend(new_codes.products.iter().map(ToString::to_string));
        let ones = vec![1; sales.len()];
        for (columns, counts) in [(&sales, &ones), (&adjustments.postings, &adjustments.count)] {
            for at in 0..columns.len() {
                let minor = i128::from(columns.amount[at]);
                totals.all.0 += minor;
                totals.all.1 += i64::from(counts[at]);
                *totals.teams.entry(teams[columns.team[at] as usize].clone()).or_default() += minor;
                *totals.branches.entry(branches[columns.branch[at] as usize].clone()).or_default() += minor;
                *totals.products.entry(products[columns.product[at] as usize].clone()).or_default() += minor;
                *totals.days.entry(columns.day[at]).or_default() += minor;
            }
        }
    }
    totals
}

/// A store in which writing can be made to fail.
#[derive(Debug)]
pub(crate) struct Failing {
    store: Arc<dyn Store>,
    fails: AtomicBool,
}

impl Failing {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, fails: AtomicBool::new(false) }
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for Failing {
    fn info(&self) -> StoreInfo {
        self.store.info()
    }

    async fn begin(&self, mode: TxMode) -> Result<Box<dyn UnitOfWork>> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Backend, "disk is full"));
        }
        self.store.begin(mode).await
    }

    async fn migrate(&self) -> Result<()> {
        self.store.migrate().await
    }

    async fn ping(&self) -> Result<()> {
        self.store.ping().await
    }
}
