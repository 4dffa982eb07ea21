//! What is special to this store. What every store must do is in the shared suite of `moon-testkit`.

mod postings;
mod sales;
mod snapshots;

use std::future::Future;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use moon_core::{
    Adjustment, AdjustmentKind, Agent, AgentCode, AgentStatus, Amount, Branch, BranchCode, BusinessDate, Code,
    CodeKind, Consents, Contact, Name, Places, Product, ProductCode, Revision, Sale, SaleContent, SaleId, SaleKey,
    SaleKind, Team, TeamCode, TxMode, UnitOfWork, Version,
};
use uuid::Uuid;

use crate::MemoryStore;
use crate::store::MemoryUnit;

/// The result of a future that has nothing to wait for, as all of this store's but that of a second writer.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing to wait for")
}

fn begin(store: &MemoryStore, mode: TxMode) -> Box<MemoryUnit> {
    Box::new(ready(store.unit(mode)))
}

fn commit(unit: Box<MemoryUnit>) {
    ready(unit.commit()).unwrap();
}

pub(crate) fn code<K: CodeKind>(text: &str) -> Code<K> {
    Code::new(text).unwrap()
}

pub(crate) fn day(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

pub(crate) fn instant() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap()
}

fn product(text: &str) -> Product {
    let name = Name::new("name", text).unwrap();
    Product { code: code(text), name, line: None, free_look_days: None, version: Version::FIRST }
}

fn agent(text: &str) -> Agent {
    Agent {
        code: code(text),
        name: Name::new("name", text).unwrap(),
        contact: Contact::default(),
        time_zone: None,
        status: AgentStatus::Active,
        consents: Consents::default(),
        version: Version::FIRST,
    }
}

/// A store with teams T1 to T3, branches B1 to B3, products P1 to P3 and agents A1 to A3.
fn store() -> MemoryStore {
    let store = MemoryStore::new();
    let mut unit = begin(&store, TxMode::ReadWrite);
    for number in 1..=3 {
        let name = |letter: char| (format!("{letter}{number}"), Name::new("name", "some name").unwrap());
        let (text, name_of_team) = name('T');
        let team = Team { code: code(&text), name: name_of_team, version: Version::FIRST };
        ready(unit.organisation().put_team(&team, None)).unwrap();
        let (text, name_of_branch) = name('B');
        let branch = Branch { code: code(&text), name: name_of_branch, region: None, version: Version::FIRST };
        ready(unit.organisation().put_branch(&branch, None)).unwrap();
        ready(unit.products().put(&product(&name('P').0), None)).unwrap();
        ready(unit.agents().put(&agent(&name('A').0), None)).unwrap();
    }
    commit(unit);
    store
}

/// A sale of 1.00 of P1, without agent and places.
fn sale(number: u32, date: BusinessDate) -> Sale {
    let content = SaleContent {
        agent: None::<AgentCode>,
        product: code::<moon_core::ProductKind>("P1") as ProductCode,
        amount: Amount::from_minor(100).unwrap(),
        date,
        kind: SaleKind::NewBusiness,
        policy_number: None,
        team: None::<TeamCode>,
        branch: None::<BranchCode>,
    };
    Sale {
        id: SaleId(Uuid::from_u128(number.into())),
        key: SaleKey::new("core", &format!("ref-{number}")).unwrap(),
        content,
        places: Places::default(),
        revision: Revision::FIRST,
        last_revision: Revision::FIRST,
        voided: false,
        adjustments: Vec::new(),
        recorded_at: instant(),
        content_at: instant(),
    }
}

/// All of the sale, taken back on a date.
fn cancellation(sale: &Sale, date: BusinessDate, revision: u32) -> Adjustment {
    let amount = -sale.content.amount;
    Adjustment { kind: AdjustmentKind::Cancellation, date, amount, count: -1, revision: Revision(revision) }
}

fn insert(store: &MemoryStore, sales: &[Sale]) {
    let mut unit = begin(store, TxMode::ReadWrite);
    assert_eq!(ready(unit.sales().insert_absent(sales)).unwrap(), Vec::<usize>::new());
    commit(unit);
}
