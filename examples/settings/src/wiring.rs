//! Which store and which warehouse follow from the settings: the one place where programs meet backends.

use std::sync::Arc;

use moon_core::{Currency, Ledger, Result, Store, Warehouse};
use moon_store_memory::{MemoryStore, MemoryWarehouse};
use moon_store_mysql::{MysqlStore, MysqlWarehouse};
use moon_store_postgres::{PostgresStore, PostgresWarehouse, RedshiftWarehouse};
use moon_store_sqlite::{SqliteStore, SqliteWarehouse};

use crate::exit::SETTING;
use crate::pause::GrowingPause;
use crate::settings::Settings;
use crate::url::{Backend, no_ledger};

/// Opens the store of the settings and brings its tables up to date; a file that is missing is created, a server's database
/// must be there.
///
/// A store in memory is a new, empty one with every call: open it once and share it.
///
/// # Errors
/// `InvalidInput` for a URL that the backend does not take, and when the server refuses the user, the password or the
/// database; `Unavailable` when the store cannot be reached; `Timeout` when it does not answer; `Refused` when it was made
/// by a newer version; `Unsupported` for a backend that keeps no ledger.
pub async fn open_store(settings: &Settings) -> Result<Arc<dyn Store>> {
    let url = &settings.store_url;
    let store: Arc<dyn Store> = match url.backend() {
        Backend::Memory => Arc::new(MemoryStore::new()),
        Backend::Sqlite => Arc::new(SqliteStore::connect(url.expose()).await?),
        Backend::Mysql => Arc::new(MysqlStore::connect(url.expose()).await?),
        Backend::Postgres => Arc::new(PostgresStore::connect(url.expose()).await?),
        Backend::Redshift => return Err(no_ledger(url).with(SETTING, "store_url")),
    };
    store.migrate().await?;
    Ok(store)
}

/// Opens the ledger of the settings in their store, which is brought up to date. Units of work that others stand in the
/// way of are repeated after growing pauses.
///
/// # Errors
/// As for [`open_store`]; `Refused` also when the settings differ from what the ledger was created with.
pub async fn open_ledger(settings: &Settings) -> Result<Ledger> {
    let ledger = Ledger::open(open_store(settings).await?, &settings.ledger).await?;
    Ok(ledger.with_pause(Arc::new(GrowingPause)))
}

/// Opens the warehouse of the settings, by default in the store's own database, and brings its tables up to date. The
/// currency is the ledger's.
///
/// A warehouse in memory is a new, empty one with every call: open it once and share it.
///
/// # Errors
/// As for [`open_store`]; `Refused` also when the warehouse was made for another currency.
pub async fn open_warehouse(settings: &Settings, currency: Currency) -> Result<Arc<dyn Warehouse>> {
    let url = settings.warehouse_url();
    let warehouse: Arc<dyn Warehouse> = match url.backend() {
        Backend::Memory => Arc::new(MemoryWarehouse::new(currency)),
        Backend::Sqlite => Arc::new(SqliteWarehouse::connect(url.expose(), currency).await?),
        Backend::Mysql => Arc::new(MysqlWarehouse::connect(url.expose(), currency).await?),
        Backend::Postgres => Arc::new(PostgresWarehouse::connect(url.expose(), currency).await?),
        Backend::Redshift => Arc::new(RedshiftWarehouse::connect(url.expose(), currency).await?),
    };
    warehouse.migrate().await?;
    Ok(warehouse)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use moon_core::{DayRange, ErrorKind};

    use super::*;
    use crate::{ErrorReport, SettingsArgs};

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        settings: SettingsArgs,
    }

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    fn settings(store: &str, warehouse: Option<&str>) -> Settings {
        let mut flags = vec!["program", "--store-url", store];
        flags.extend(warehouse.iter().flat_map(|url| ["--warehouse-url", url]));
        Settings::load(&Program::try_parse_from(flags).unwrap().settings).unwrap()
    }

    #[tokio::test]
    async fn memory_stands_alone() {
        let settings = settings("memory:", None);
        assert_eq!(open_store(&settings).await.unwrap().info().backend, "memory");
        let warehouse = open_warehouse(&settings, currency("LKR")).await.unwrap();
        assert_eq!(warehouse.backend(), "memory");
        assert_eq!(warehouse.read(DayRange::ALL).await.unwrap().run, None);
    }

    #[tokio::test]
    async fn a_programs_ledger_repeats_after_pauses() {
        let ledger = open_ledger(&settings("memory:", None)).await.unwrap();
        assert_eq!(ledger.store().info().backend, "memory");
        assert_eq!(ledger.pause().attempts_max(), GrowingPause::ATTEMPTS_MAX);
    }

    #[tokio::test]
    async fn a_file_is_created_with_both_in_it_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("moon.db").display());
        let settings = settings(&url, None);
        for _ in 0..2 {
            assert_eq!(open_store(&settings).await.unwrap().info().backend, "sqlite");
            assert_eq!(open_warehouse(&settings, currency("LKR")).await.unwrap().backend(), "sqlite");
        }
        assert!(folder.path().join("moon.db").is_file());
    }

    #[tokio::test]
    async fn store_and_warehouse_may_live_apart() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("figures.db").display());
        let settings = settings("memory:", Some(&url));
        assert_eq!(open_store(&settings).await.unwrap().info().backend, "memory");
        assert_eq!(open_warehouse(&settings, currency("LKR")).await.unwrap().backend(), "sqlite");
    }

    #[tokio::test]
    async fn a_warehouse_of_another_currency_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("moon.db").display());
        open_warehouse(&settings(&url, None), currency("LKR")).await.unwrap();
        let error = open_warehouse(&settings(&url, None), currency("EUR")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_opened_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("no/such/folder/moon.db").display());
        let error = open_store(&settings(&url, None)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_an_error_without_the_password() {
        // Nobody listens on port 1.
        for backend in ["postgres", "postgresql", "mysql", "mariadb"] {
            let url = format!("{backend}://me:geheim@127.0.0.1:1/moon");
            let error = open_store(&settings(&url, None)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
            assert!(!format!("{error:?} {}", ErrorReport::new(&error)).contains("geheim"), "{error:?}");
        }
        for backend in ["postgres", "redshift", "mysql"] {
            let url = format!("{backend}://me:geheim@127.0.0.1:1/moon");
            let error = open_warehouse(&settings("memory:", Some(&url)), currency("LKR")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
            assert!(!format!("{error:?} {}", ErrorReport::new(&error)).contains("geheim"), "{error:?}");
        }
    }
}
