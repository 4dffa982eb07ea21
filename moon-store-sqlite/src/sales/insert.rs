//! The way in for new sales, one and many.
//!
//! Keys that are taken are looked up before, and the others inserted by statements of many rows each: twice as fast here
//! as a statement for each row, and as rows handed over in one JSON text.

use std::sync::{Arc, LazyLock};

use moon_core::{Error, ErrorKind, Reference, Result, Sale, SaleKey, Source};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe};

use super::caller_place;
use super::row::given;
use crate::codes::{Coded, Codes};
use crate::session::Session;
use crate::unit::SqliteUnit;
use crate::value;

/// Rows of one statement, descending: few lengths, so that their statements stay prepared.
const ROWS: [usize; 3] = [256, 16, 1];

/// An INSERT for each of [`ROWS`]. OR FAIL spares SQLite the copies of pages with which it could undo a half done
/// statement; nothing can fail here but a breach of the contract, after which the whole unit is undone.
static INSERTS: LazyLock<[Arc<str>; 3]> = LazyLock::new(|| {
    ROWS.map(|rows| {
        let row = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
        let values = vec![row; rows].join(",");
        let columns = "sale_day, id, source_id, reference, revision, last_revision, product_id, agent_id, team_id, \
                       branch_id, given, amount, kind, voided, policy_number, recorded_at, content_at";
        format!("INSERT OR FAIL INTO ledger_sales ({columns}) VALUES {values}").into()
    })
});

const DOING: &str = "record sales";

impl SqliteUnit {
    pub(super) async fn insert_absent_sales(&mut self, sales: &[Sale]) -> Result<Vec<usize>> {
        self.session.writing()?;
        let taken = self.taken(&sales.iter().map(|sale| &sale.key).collect::<Vec<_>>()).await?;
        let absent: Vec<&Sale> = sales.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(sale, _)| sale).collect();
        self.load_sale_codes(&absent).await?;
        insert(&mut self.session, &self.codes, &absent).await?;
        Ok(taken.iter().enumerate().filter(|(_, taken)| **taken).map(|(place, _)| place).collect())
    }

    /// Whether a sale or a message has the key, for each key. Nothing can come in between: the unit holds the write lock.
    pub(super) async fn taken(&mut self, keys: &[&SaleKey]) -> Result<Vec<bool>> {
        const WITH_SALE: &str = "SELECT json_group_array(k.key) FROM json_each(?) k
            CROSS JOIN ledger_sales s ON s.source_id = ? AND s.reference = k.value";
        const WITHOUT_SALE: &str = "SELECT json_group_array(k.key) FROM json_each(?) k WHERE EXISTS (
            SELECT 1 FROM ledger_sale_messages m
            WHERE m.source_id = ? AND m.reference = k.value AND m.without_sale = 1)";
        let waiting: sqlx::Result<bool> =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM ledger_sale_messages WHERE without_sale = 1)")
                .fetch_one(self.session.reading()?)
                .await;
        let waiting = self.session.done(DOING, waiting)?;
        let mut taken = vec![false; keys.len()];
        for (source, places) in self.places_by_source(keys).await? {
            let references = value::json_texts(places.iter().map(|(_, reference)| *reference))?;
            for (query, wanted) in [(WITH_SALE, true), (WITHOUT_SALE, waiting)] {
                if !wanted {
                    continue;
                }
                let found: sqlx::Result<String> = sqlx::query_scalar(query)
                    .bind(references.as_str())
                    .bind(source)
                    .fetch_one(self.session.reading()?)
                    .await;
                let found: Vec<i64> = value::from_json(&self.session.done(DOING, found)?)?;
                for place in found {
                    if let Some(slot) = caller_place(&places, place).and_then(|place| taken.get_mut(place)) {
                        *slot = true;
                    }
                }
            }
        }
        Ok(taken)
    }

    /// Looks up the numbers of everything that these sales name.
    pub(super) async fn load_sale_codes(&mut self, sales: &[&Sale]) -> Result<()> {
        let Self { session, codes } = self;
        let unknown = |source: &&Source| codes.get(Coded::Source, source.as_str()).is_none();
        let mut sources: Vec<_> = sales.iter().map(|sale| &sale.key.source).filter(unknown).collect();
        sources.sort_unstable();
        sources.dedup();
        codes.load_or_create_sources(session, &sources).await?;
        let products = sales.iter().map(|sale| sale.content.product.as_str());
        codes.load(session, Coded::Product, products).await?;
        let agents = sales.iter().filter_map(|sale| sale.content.agent.as_ref()).map(AsRef::as_ref);
        codes.load(session, Coded::Agent, agents).await?;
        let teams = sales.iter().filter_map(|sale| sale.places.team.as_ref()).map(AsRef::as_ref);
        codes.load(session, Coded::Team, teams).await?;
        let branches = sales.iter().filter_map(|sale| sale.places.branch.as_ref()).map(AsRef::as_ref);
        codes.load(session, Coded::Branch, branches).await
    }
}

/// Inserts sales whose codes are loaded and whose keys are free.
pub(super) async fn insert(session: &mut Session, codes: &Codes, sales: &[&Sale]) -> Result<()> {
    let mut rest = sales;
    for (rows, sql) in ROWS.into_iter().zip(INSERTS.iter()) {
        while let Some((chunk, behind)) = rest.split_at_checked(rows) {
            if chunk.is_empty() {
                break;
            }
            let mut arguments = SqliteArguments::default();
            arguments.reserve(rows * 17, 0);
            for sale in chunk {
                bind_sale(&mut arguments, codes, sale)?;
            }
            let outcome = sqlx::query_with(AssertSqlSafe(Arc::clone(sql)), arguments).execute(session.writing()?).await;
            session.done_or_failed(DOING, outcome)?;
            rest = behind;
        }
    }
    for sale in sales.iter().filter(|sale| !sale.adjustments.is_empty()) {
        insert_adjustments(session, sale).await?;
    }
    Ok(())
}

/// Adds the values of one row, in the order of the columns.
fn bind_sale(arguments: &mut SqliteArguments, codes: &Codes, sale: &Sale) -> Result<()> {
    let content = &sale.content;
    let mut add = || {
        arguments.add(content.date.epoch_day())?;
        arguments.add(sale.id.0.as_bytes().as_slice())?;
        arguments.add(codes.id(Coded::Source, sale.key.source.as_str())?)?;
        arguments.add(sale.key.reference.as_str())?;
        arguments.add(sale.revision.0)?;
        arguments.add(sale.last_revision.0)?;
        arguments.add(codes.product(&content.product)?)?;
        arguments.add(codes.agent(content.agent.as_ref())?)?;
        arguments.add(codes.team(sale.places.team.as_ref())?)?;
        arguments.add(codes.branch(sale.places.branch.as_ref())?)?;
        arguments.add(given(content))?;
        arguments.add(content.amount.minor())?;
        arguments.add(content.kind.number())?;
        arguments.add(sale.voided)?;
        arguments.add(content.policy_number.as_ref().map(Reference::as_str))?;
        arguments.add(value::micros(sale.recorded_at))?;
        arguments.add(value::micros(sale.content_at))
    };
    add().map_err(|cause: sqlx::error::BoxDynError| match cause.downcast::<Error>() {
        Ok(error) => *error,
        Err(cause) => Error::new(ErrorKind::InvalidInput, "value cannot be stored").caused_by(cause),
    })
}

/// Inserts the adjustments of a sale.
pub(super) async fn insert_adjustments(session: &mut Session, sale: &Sale) -> Result<()> {
    for adjustment in &sale.adjustments {
        let outcome = sqlx::query(
            "INSERT INTO ledger_adjustments (sale_day, sale_id, revision, own_day, kind, amount, count)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(sale.content.date.epoch_day())
        .bind(sale.id.0.as_bytes().as_slice())
        .bind(adjustment.revision.0)
        .bind(adjustment.date.epoch_day())
        .bind(adjustment.kind.number())
        .bind(adjustment.amount.minor())
        .bind(adjustment.count)
        .execute(session.writing()?)
        .await;
        session.done(DOING, outcome)?;
    }
    Ok(())
}
