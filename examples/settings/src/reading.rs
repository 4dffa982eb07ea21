//! Stores and warehouses for commands that only read: nothing is made, migrated or written.

use std::sync::Arc;

use async_trait::async_trait;
use moon_core::{
    Currency, Error, ErrorKind, Ledger, LedgerOptions, Result, Store, StoreInfo, TxMode, UnitOfWork, Warehouse,
};
use moon_store_memory::{MemoryStore, MemoryWarehouse};
use moon_store_mysql::{MysqlStore, MysqlWarehouse};
use moon_store_postgres::{PostgresStore, PostgresWarehouse, RedshiftWarehouse};
use moon_store_sqlite::{SqliteStore, SqliteWarehouse};

use crate::exit::{HINT, SETTING};
use crate::pause::GrowingPause;
use crate::settings::Settings;
use crate::url::{Backend, StoreUrl, no_ledger};

const WAY_OUT: &str = "whatever writes makes it, such as an import, or a run without --dry-run";

/// A store that hands out nothing but snapshots.
#[derive(Debug)]
struct Reading(Arc<dyn Store>);

#[async_trait]
impl Store for Reading {
    fn info(&self) -> StoreInfo {
        self.0.info()
    }

    async fn begin(&self, mode: TxMode) -> Result<Box<dyn UnitOfWork>> {
        match mode {
            TxMode::ReadOnly => self.0.begin(mode).await,
            TxMode::ReadWrite => Err(written()),
        }
    }

    async fn migrate(&self) -> Result<()> {
        Err(written())
    }

    async fn ping(&self) -> Result<()> {
        self.0.ping().await
    }
}

fn written() -> Error {
    Error::new(ErrorKind::Unsupported, "the store is open for reading alone")
}

fn no_ledger_yet(url: &StoreUrl) -> Error {
    Error::new(ErrorKind::NotFound, "there is no ledger yet").with("store_url", url).with(HINT, WAY_OUT)
}

/// Opens the ledger of the settings for reading alone: no file, no table and no settings are made, and the ledger refuses
/// to write. In memory it is a new, empty one.
///
/// # Errors
/// `NotFound` when there is no ledger; `Refused` when its tables are of another version, or the settings differ from what
/// it was created with; else as for [`open_store`](crate::open_store).
pub async fn read_ledger(settings: &Settings) -> Result<Ledger> {
    let url = &settings.store_url;
    let (store, is_there): (Arc<dyn Store>, _) = match url.backend() {
        Backend::Memory => {
            let store = Arc::new(MemoryStore::new());
            Ledger::open(Arc::<MemoryStore>::clone(&store), &settings.ledger).await?;
            (store, true)
        }
        Backend::Sqlite => {
            let store = SqliteStore::connect(&existing(url)).await.map_err(|error| not_opened(error, url))?;
            let is_there = store.is_migrated().await?;
            (Arc::new(store), is_there)
        }
        Backend::Mysql => {
            let store = MysqlStore::connect(url.expose()).await?;
            let is_there = store.is_migrated().await?;
            (Arc::new(store), is_there)
        }
        Backend::Postgres => {
            let store = PostgresStore::connect(url.expose()).await?;
            let is_there = store.is_migrated().await?;
            (Arc::new(store), is_there)
        }
        Backend::Redshift => return Err(no_ledger(url).with(SETTING, "store_url")),
    };
    if !is_there {
        return Err(no_ledger_yet(url));
    }
    let ledger = open(Arc::new(Reading(store)), &settings.ledger, url).await?;
    Ok(ledger.with_pause(Arc::new(GrowingPause)))
}

/// A ledger without settings is none: whoever opens it for writing fixes them.
async fn open(store: Arc<dyn Store>, options: &LedgerOptions, url: &StoreUrl) -> Result<Ledger> {
    Ledger::open(store, options).await.map_err(|error| match error.kind() {
        ErrorKind::Unsupported => no_ledger_yet(url),
        _ => error,
    })
}

/// Opens the warehouse of the settings for reading alone: no file and no table is made. One that has no tables yet shows
/// what an empty one shows, and is one in memory.
///
/// # Errors
/// As for [`open_warehouse`](crate::open_warehouse); `Refused` also when its tables are of another version.
pub async fn read_warehouse(settings: &Settings, currency: Currency) -> Result<Arc<dyn Warehouse>> {
    let url = settings.warehouse_url();
    let (warehouse, is_there): (Arc<dyn Warehouse>, _) = match url.backend() {
        Backend::Memory => return Ok(Arc::new(MemoryWarehouse::new(currency))),
        Backend::Sqlite => match SqliteWarehouse::connect(&existing(url), currency).await {
            Ok(warehouse) => {
                let is_there = warehouse.is_migrated().await?;
                (Arc::new(warehouse), is_there)
            }
            // Whatever keeps a file from being opened is told when figures are to be written into it.
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                return Ok(Arc::new(MemoryWarehouse::new(currency)));
            }
            Err(error) => return Err(error),
        },
        Backend::Mysql => {
            let warehouse = MysqlWarehouse::connect(url.expose(), currency).await?;
            let is_there = warehouse.is_migrated().await?;
            (Arc::new(warehouse), is_there)
        }
        Backend::Postgres => {
            let warehouse = PostgresWarehouse::connect(url.expose(), currency).await?;
            let is_there = warehouse.is_migrated().await?;
            (Arc::new(warehouse), is_there)
        }
        Backend::Redshift => (Arc::new(RedshiftWarehouse::connect(url.expose(), currency).await?), true),
    };
    Ok(if is_there { warehouse } else { Arc::new(MemoryWarehouse::new(currency)) })
}

/// The URL of a file that must be there.
fn existing(url: &StoreUrl) -> String {
    let text = url.expose();
    match text.split_once('?') {
        Some((_, query)) if query.contains("mode=") => text.to_owned(),
        Some(_) => format!("{text}&mode=rw"),
        None => format!("{text}?mode=rw"),
    }
}

fn not_opened(error: Error, url: &StoreUrl) -> Error {
    match error.kind() {
        ErrorKind::Unavailable => no_ledger_yet(url).caused_by(error),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use moon_core::DayRange;

    use super::*;
    use crate::{SettingsArgs, open_ledger, open_warehouse};

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        settings: SettingsArgs,
    }

    fn settings(store: &str, warehouse: Option<&str>) -> Settings {
        let mut flags = vec!["program", "--store-url", store];
        flags.extend(warehouse.iter().flat_map(|url| ["--warehouse-url", url]));
        Settings::load(&Program::try_parse_from(flags).unwrap().settings).unwrap()
    }

    fn rupee() -> Currency {
        "LKR".parse().unwrap()
    }

    #[tokio::test]
    async fn a_file_that_is_missing_stays_missing() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("moon.db").display());
        let settings = settings(&url, None);
        let error = read_ledger(&settings).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
        let warehouse = read_warehouse(&settings, rupee()).await.unwrap();
        assert_eq!(warehouse.read(DayRange::ALL).await.unwrap().run, None);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn tables_without_a_ledger_are_no_ledger_and_get_none() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("moon.db").display());
        let settings = settings(&url, None);
        for _ in 0..2 {
            crate::open_store(&settings).await.unwrap();
            let error = read_ledger(&settings).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
        }
    }

    #[tokio::test]
    async fn what_is_there_is_read_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("moon.db").display());
        let settings = settings(&url, None);
        open_ledger(&settings).await.unwrap();
        assert_eq!(read_warehouse(&settings, rupee()).await.unwrap().backend(), "memory", "it has no tables");
        open_warehouse(&settings, rupee()).await.unwrap();
        let ledger = read_ledger(&settings).await.unwrap();
        assert_eq!(ledger.settings().currency, rupee());
        let refused = ledger.store().begin(TxMode::ReadWrite).await.err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
        assert_eq!(ledger.store().migrate().await.unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(read_warehouse(&settings, rupee()).await.unwrap().backend(), "sqlite");
        let other = read_warehouse(&settings, "EUR".parse().unwrap()).await.unwrap_err();
        assert_eq!(other.kind(), ErrorKind::Refused);
    }

    #[tokio::test]
    async fn memory_is_empty() {
        let ledger = read_ledger(&settings("memory:", None)).await.unwrap();
        assert_eq!(ledger.store().info().backend, "memory");
    }

    #[test]
    fn a_url_keeps_what_it_says() {
        for (url, shown) in [
            ("sqlite:moon.db", "sqlite:moon.db?mode=rw"),
            ("sqlite:moon.db?mode=ro", "sqlite:moon.db?mode=ro"),
            ("sqlite:moon.db?immutable=true", "sqlite:moon.db?immutable=true&mode=rw"),
        ] {
            assert_eq!(existing(&url.parse().unwrap()), shown);
        }
    }
}
