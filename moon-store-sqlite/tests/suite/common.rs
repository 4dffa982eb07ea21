//! What the tests of this crate share.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use moon_core::{
    Agent, AgentCode, Amount, Branch, BranchCode, BusinessDate, Consents, Contact, Product, ProductCode, Revision,
    Sale, SaleContent, SaleId, SaleKey, SaleKind, Store, Team, TeamCode, Text, TxMode, UnitOfWork, Version,
};
use moon_store_sqlite::SqliteStore;
use tempfile::TempDir;
use uuid::Uuid;

/// A database file that vanishes with the test.
pub(crate) struct Database {
    folder: TempDir,
}

impl Database {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("moon.db")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.file().display())
    }

    /// A migrated store.
    pub(crate) async fn store(&self) -> SqliteStore {
        let store = SqliteStore::connect(&self.url()).await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    /// A migrated store with agent `A`, team `T`, branch `B` and products `P` and `Q`.
    pub(crate) async fn filled(&self) -> SqliteStore {
        let store = self.store().await;
        let mut unit = write(&store).await;
        unit.organisation().put_team(&team("T"), None).await.unwrap();
        unit.organisation().put_branch(&branch("B"), None).await.unwrap();
        unit.agents().put(&agent("A"), None).await.unwrap();
        unit.products().put(&product("P"), None).await.unwrap();
        unit.products().put(&product("Q"), None).await.unwrap();
        unit.commit().await.unwrap();
        store
    }
}

pub(crate) async fn write(store: &SqliteStore) -> Box<dyn UnitOfWork> {
    store.begin(TxMode::ReadWrite).await.unwrap()
}

pub(crate) async fn read(store: &SqliteStore) -> Box<dyn UnitOfWork> {
    store.begin(TxMode::ReadOnly).await.unwrap()
}

pub(crate) fn text(value: &str) -> Text {
    Text::new("text", value).unwrap()
}

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 123_456_000).unwrap()
}

pub(crate) fn date(value: &str) -> BusinessDate {
    value.parse().unwrap()
}

pub(crate) fn amount(minor: i64) -> Amount {
    Amount::from_minor(minor).unwrap()
}

pub(crate) fn team(code: &str) -> Team {
    Team { code: TeamCode::new(code).unwrap(), name: text("a team"), version: Version::FIRST }
}

pub(crate) fn branch(code: &str) -> Branch {
    Branch {
        code: BranchCode::new(code).unwrap(),
        name: text("a branch"),
        region: Some(text("a region")),
        version: Version::FIRST,
    }
}

pub(crate) fn product(code: &str) -> Product {
    Product {
        code: ProductCode::new(code).unwrap(),
        name: text("a product"),
        line: Some(text("life")),
        free_look_days: Some(14),
        version: Version::FIRST,
    }
}

pub(crate) fn agent(code: &str) -> Agent {
    Agent {
        code: AgentCode::new(code).unwrap(),
        name: text("an agent"),
        contact: Contact::default(),
        time_zone: None,
        status: moon_core::AgentStatus::Active,
        consents: Consents::default(),
        version: Version::FIRST,
    }
}

/// A sale of product `P` by nobody, nowhere.
pub(crate) fn sale(reference: &str, number: u128, day: &str, minor: i64) -> Sale {
    Sale {
        id: SaleId(Uuid::from_u128(number)),
        key: SaleKey::new("source", reference).unwrap(),
        content: SaleContent {
            agent: None,
            product: ProductCode::new("P").unwrap(),
            amount: amount(minor),
            date: date(day),
            kind: SaleKind::NewBusiness,
            policy_number: None,
            team: None,
            branch: None,
        },
        places: moon_core::Places::default(),
        revision: Revision::FIRST,
        last_revision: Revision::FIRST,
        voided: false,
        adjustments: Vec::new(),
        recorded_at: at(0),
        content_at: at(0),
    }
}
