//! Real data into a ledger, by the library.

use std::path::Path;
use std::sync::Arc;

use moon_core::{Actor, Ledger, LedgerOptions, Store};
use moon_import::{ImportMap, ImportOptions, ImportSummary, import_file};

use crate::figures::workspace;

/// A new ledger over an empty store.
pub(crate) async fn ledger(store: Arc<dyn Store>, currency: &str) -> Ledger {
    store.migrate().await.unwrap();
    let options = LedgerOptions { currency: Some(currency.parse().unwrap()), ..LedgerOptions::default() };
    Ledger::open(store, &options).await.unwrap()
}

/// Imports files by the maps of these names; the summary of the last one.
pub(crate) async fn import(ledger: &Ledger, folder: &Path, files: &[(&str, &str)]) -> ImportSummary {
    let scratch = tempfile::tempdir().unwrap();
    let mut summary = ImportSummary::default();
    for (file, map) in files {
        let map = ImportMap::load(&workspace().join("examples/integration-service/maps").join(map)).unwrap();
        let rejects = scratch.path().join("rejects.csv");
        let options = ImportOptions { actor: Actor::new("test").unwrap(), rejects };
        let report = import_file(ledger, &map, &folder.join(file), &options, &mut |_| {}).await.unwrap();
        assert_eq!(report.rejects, None, "{file}: {:?}", report.first_rejects);
        summary = report.summary;
    }
    summary
}
