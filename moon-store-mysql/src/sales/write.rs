//! Changes of sales.

use std::collections::HashMap;

use moon_core::{BusinessDate, Error, ErrorKind, Result, Sale, SaleChange, SaleId};

use super::LOCK;
use super::insert::insert_adjustments;
use super::row::{AWAITED, by_sale};
use crate::unit::MysqlUnit;
use crate::value::Columns as _;

const DOING: &str = "change sales";

/// What stands under the key of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Nothing,
    Awaited,
    Sale(SaleId),
}

impl MysqlUnit<'_> {
    pub(super) async fn write_sales(&mut self, changes: &[SaleChange]) -> Result<()> {
        self.session.check_writes()?;
        let after: Vec<&Sale> = changes.iter().map(|change| &change.after).collect();
        self.load_sale_codes(&after).await?;
        // Look at all before writing any, so that a conflict leaves nothing half done.
        let standing = self.standing(changes).await?;
        let (mut updates, mut inserts) = (Vec::new(), Vec::new());
        for (change, standing) in changes.iter().zip(standing) {
            match (&change.before, standing) {
                (Some(before), Standing::Sale(id)) if before.id == id => updates.push(&change.after),
                (None, Standing::Awaited) => updates.push(&change.after),
                (None, Standing::Nothing) => inserts.push(&change.after),
                _ => return Err(changed_by_another(&change.after)),
            }
        }
        let adjusted: Vec<(BusinessDate, SaleId)> = changes
            .iter()
            .filter_map(|change| change.before.as_ref())
            .filter(|before| !before.adjustments.is_empty())
            .map(|before| (before.content.date, before.id))
            .collect();
        for (condition, params) in by_sale(&adjusted) {
            let sql = format!("DELETE FROM ledger_adjustments WHERE {condition}");
            self.session.execute(DOING, &sql, params).await?;
        }
        self.overwrite(&updates).await?;
        if !inserts.is_empty() {
            let refused = self.insert_carefully(&inserts).await?;
            if let Some(sale) = inserts.iter().find(|sale| refused.contains(&sale.id)) {
                return Err(changed_by_another(sale));
            }
        }
        insert_adjustments(&mut self.session, after.into_iter()).await
    }

    /// What stands under each key, locked.
    async fn standing(&mut self, changes: &[SaleChange]) -> Result<Vec<Standing>> {
        let select = "SELECT s.source_id, s.reference, s.id, s.state
            FROM ledger_sales s FORCE INDEX (ledger_sales_key)";
        let keys = changes.iter().map(|change| &change.after.key);
        let rows = self.rows_by_key(DOING, keys, (select, "s"), LOCK).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let standing =
                if row.int(3)? == AWAITED { Standing::Awaited } else { Standing::Sale(SaleId(row.uuid(2)?)) };
            found.insert((row.int(0)?, row.text(1)?), standing);
        }
        let of = |change: &SaleChange| {
            let key = &change.after.key;
            let source = self.codes.source(&key.source)?;
            Ok(found.get(&(source, key.reference.as_str())).copied().unwrap_or(Standing::Nothing))
        };
        changes.iter().map(of).collect()
    }
}

fn changed_by_another(sale: &Sale) -> Error {
    Error::new(ErrorKind::VersionConflict, "sale is not as it was found; somebody else changed it")
        .with("sale", &sale.key)
}
