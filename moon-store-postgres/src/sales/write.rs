//! Changes of sales.

use moon_core::{Error, ErrorKind, Result, Sale, SaleChange};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::KEYS;
use super::columns::{AdjustmentColumns, INSERT_ADJUSTMENTS, SaleColumns, sales_table};
use super::row::AWAITED;
use crate::unit::PostgresUnit;

const DOING: &str = "change sales";

/// What stands under the key of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Nothing,
    Awaited,
    Sale(Uuid),
}

impl PostgresUnit<'_> {
    pub(super) async fn write_sales(&mut self, changes: &[SaleChange]) -> Result<()> {
        self.session.check_writes()?;
        if changes.is_empty() {
            return Ok(());
        }
        let after: Vec<&Sale> = changes.iter().map(|change| &change.after).collect();
        self.load_sale_codes(&after).await?;
        // Look at all before writing any, so that a conflict leaves nothing half done.
        let standing = self.standing(changes).await?;
        let (mut updates, mut inserts) = (Vec::new(), Vec::new());
        for (change, standing) in changes.iter().zip(standing) {
            match (&change.before, standing) {
                (Some(before), Standing::Sale(id)) if before.id.0 == id => updates.push(&change.after),
                (None, Standing::Awaited) => updates.push(&change.after),
                (None, Standing::Nothing) => inserts.push(&change.after),
                _ => return Err(changed_by_another(&change.after)),
            }
        }
        let adjusted: Vec<Uuid> = changes
            .iter()
            .filter_map(|change| change.before.as_ref())
            .filter(|before| !before.adjustments.is_empty())
            .map(|before| before.id.0)
            .collect();
        if !adjusted.is_empty() {
            let sql = "DELETE FROM ledger_adjustments WHERE sale_id = ANY($1)";
            self.session.execute(DOING, sql, &[(&adjusted, Type::UUID_ARRAY)]).await?;
        }
        self.update(&updates).await?;
        if !inserts.is_empty() {
            let inserted = self.insert_carefully(&inserts).await?;
            if let Some(sale) = inserts.iter().find(|sale| !inserted.contains(&sale.id.0)) {
                return Err(changed_by_another(sale));
            }
        }
        let adjustments = AdjustmentColumns::of(after.into_iter());
        if !adjustments.is_empty() {
            self.session.execute(DOING, INSERT_ADJUSTMENTS, &adjustments.params()).await?;
        }
        Ok(())
    }

    /// What stands under each key, locked.
    async fn standing(&mut self, changes: &[SaleChange]) -> Result<Vec<Standing>> {
        let columns = self.key_columns(changes.iter().map(|change| &change.after.key)).await?;
        let sql = format!(
            "SELECT k.place, s.id, s.state FROM {KEYS} JOIN ledger_sales s USING (source_id, reference)
             ORDER BY s.source_id, s.reference FOR UPDATE OF s"
        );
        let mut standing = vec![Standing::Nothing; changes.len()];
        for row in self.session.rows(DOING, &sql, &columns.params()).await? {
            let place = usize::try_from(row.get::<i64>(0)?).unwrap_or(usize::MAX);
            if let Some(slot) = standing.get_mut(place) {
                *slot = if row.get::<i16>(2)? == AWAITED { Standing::Awaited } else { Standing::Sale(row.get(1)?) };
            }
        }
        Ok(standing)
    }

    /// Writes sales over what stands under their keys. A row whose indexed columns stay touches no index.
    async fn update(&mut self, sales: &[&Sale]) -> Result<()> {
        let Some(first) = sales.first() else { return Ok(()) };
        let columns = SaleColumns::of(&self.codes, sales.iter().copied())?;
        let sql = format!(
            "UPDATE ledger_sales s SET id = x.id, amount = x.amount, recorded_at = x.recorded_at,
                 content_at = x.content_at, revision = x.revision, last_revision = x.last_revision,
                 sale_date = x.sale_date, product_id = x.product_id, agent_id = x.agent_id, team_id = x.team_id,
                 branch_id = x.branch_id, kind = x.kind, given = x.given, state = x.state,
                 policy_number = x.policy_number
             FROM {} WHERE s.source_id = x.source_id AND s.reference = x.reference",
            sales_table()
        );
        let touched = self.session.execute(DOING, &sql, &columns.params()).await?;
        if usize::try_from(touched).ok() == Some(sales.len()) { Ok(()) } else { Err(changed_by_another(first)) }
    }
}

fn changed_by_another(sale: &Sale) -> Error {
    Error::new(ErrorKind::VersionConflict, "sale is not as it was found; somebody else changed it")
        .with("sale", &sale.key)
}
