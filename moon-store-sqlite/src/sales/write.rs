//! Changes of sales.

use moon_core::{Error, ErrorKind, Reference, Result, Sale, SaleChange, SaleKey};

use super::insert::{insert, insert_adjustments};
use super::row::given;
use crate::codes::Coded;
use crate::unit::SqliteUnit;
use crate::value;

const DOING: &str = "change sales";

/// A sale that keeps its date: its key on disk stays, and SQLite touches only the indexes whose columns change.
const UPDATE_IN_PLACE: &str = "UPDATE ledger_sales SET revision = ?, last_revision = ?, product_id = ?, agent_id = ?,
    team_id = ?, branch_id = ?, given = ?, amount = ?, kind = ?, voided = ?, policy_number = ?, recorded_at = ?,
    content_at = ? WHERE sale_day = ? AND id = ?";
/// A sale that moves to another date.
const UPDATE_AND_MOVE: &str = "UPDATE ledger_sales SET revision = ?4, last_revision = ?5, product_id = ?6,
    agent_id = ?7, team_id = ?8, branch_id = ?9, given = ?10, amount = ?11, kind = ?12, voided = ?13,
    policy_number = ?14, recorded_at = ?15, content_at = ?16, sale_day = ?3 WHERE sale_day = ?1 AND id = ?2";

impl SqliteUnit {
    pub(super) async fn write_sales(&mut self, changes: &[SaleChange]) -> Result<()> {
        self.session.writing()?;
        // Look at all before writing any, so that a conflict leaves nothing half done.
        self.check_found(changes).await?;
        let after: Vec<&Sale> = changes.iter().map(|change| &change.after).collect();
        self.load_sale_codes(&after).await?;
        for change in changes {
            match &change.before {
                Some(before) => self.update(before, &change.after).await?,
                None => self.insert_awaited(&change.after).await?,
            }
        }
        Ok(())
    }

    /// Whether each sale is there, or not, as it was found.
    async fn check_found(&mut self, changes: &[SaleChange]) -> Result<()> {
        let keys: Vec<SaleKey> = changes.iter().map(|change| change.after.key.clone()).collect();
        let found = self.days_of(&keys).await?;
        for (change, found) in changes.iter().zip(found) {
            let expected = change.before.as_ref().map(|before| before.content.date.epoch_day());
            if expected != found {
                return Err(changed_by_another(&change.after));
            }
        }
        Ok(())
    }

    /// The day of the sale of each key.
    async fn days_of(&mut self, keys: &[SaleKey]) -> Result<Vec<Option<i32>>> {
        let mut days = vec![None; keys.len()];
        for (source, places) in self.places_by_source(&keys.iter().collect::<Vec<_>>()).await? {
            let found: sqlx::Result<Vec<(i64, i32)>> = sqlx::query_as(
                "SELECT k.key, s.sale_day FROM json_each(?) k
                 CROSS JOIN ledger_sales s ON s.source_id = ? AND s.reference = k.value",
            )
            .bind(value::json_texts(places.iter().map(|(_, reference)| *reference))?)
            .bind(source)
            .fetch_all(self.session.reading()?)
            .await;
            for (place, day) in self.session.done(DOING, found)? {
                if let Some(slot) = super::caller_place(&places, place).and_then(|place| days.get_mut(place)) {
                    *slot = Some(day);
                }
            }
        }
        Ok(days)
    }

    async fn update(&mut self, before: &Sale, after: &Sale) -> Result<()> {
        let Self { session, codes } = self;
        let id = before.id.0.as_bytes().as_slice();
        let (from, to) = (before.content.date.epoch_day(), after.content.date.epoch_day());
        if !before.adjustments.is_empty() {
            let outcome = sqlx::query("DELETE FROM ledger_adjustments WHERE sale_day = ? AND sale_id = ?")
                .bind(from)
                .bind(id)
                .execute(session.writing()?)
                .await;
            session.done(DOING, outcome)?;
        }
        let moves = from != to;
        let mut query = sqlx::query(if moves { UPDATE_AND_MOVE } else { UPDATE_IN_PLACE });
        if moves {
            query = query.bind(from).bind(id).bind(to);
        }
        query = query
            .bind(after.revision.0)
            .bind(after.last_revision.0)
            .bind(codes.product(&after.content.product)?)
            .bind(codes.agent(after.content.agent.as_ref())?)
            .bind(codes.team(after.places.team.as_ref())?)
            .bind(codes.branch(after.places.branch.as_ref())?)
            .bind(given(&after.content))
            .bind(after.content.amount.minor())
            .bind(after.content.kind.number())
            .bind(after.voided)
            .bind(after.content.policy_number.as_ref().map(Reference::as_str))
            .bind(value::micros(after.recorded_at))
            .bind(value::micros(after.content_at));
        if !moves {
            query = query.bind(from).bind(id);
        }
        let outcome = query.execute(session.writing()?).await;
        if session.done(DOING, outcome)?.rows_affected() != 1 {
            return Err(changed_by_another(after));
        }
        insert_adjustments(session, after).await
    }

    /// Inserts a sale of whose life messages told before it came itself.
    async fn insert_awaited(&mut self, sale: &Sale) -> Result<()> {
        let Self { session, codes } = self;
        insert(session, codes, &[sale]).await?;
        let outcome = sqlx::query(
            "UPDATE ledger_sale_messages SET without_sale = 0
             WHERE source_id = ? AND reference = ? AND without_sale = 1",
        )
        .bind(codes.id(Coded::Source, sale.key.source.as_str())?)
        .bind(sale.key.reference.as_str())
        .execute(session.writing()?)
        .await;
        session.done(DOING, outcome).map(drop)
    }
}

fn changed_by_another(sale: &Sale) -> Error {
    Error::new(ErrorKind::VersionConflict, "sale is not as it was found; somebody else changed it")
        .with("sale", &sale.key)
}
