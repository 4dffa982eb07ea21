//! Sales and the messages about them.

mod insert;
mod messages;
mod row;
mod write;

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use moon_core::{
    BusinessDate, Cursor, Error, Page, PageRequest, Reference, Result, Sale, SaleChange, SaleId, SaleKey, SaleQuery,
    SaleRepository, Source, StoredMessage,
};
use mysql_async::{Row, Value};
use uuid::Uuid;

use crate::codes::Coded;
use crate::lists::lookups;
use crate::repository::fetch_limit;
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};
use row::{AWAITED, SALE_COLUMNS, SALE_TABLES, STATE, StoredSale, read_sale};

/// Locks rows until the unit ends.
const LOCK: &str = "FOR UPDATE";

impl MysqlUnit<'_> {
    /// The rows of a query over keys, source by source and ascending by reference. `select` ends before its WHERE, of which
    /// `table` is the one that has the keys; `lock` follows. Sources that nobody named before have no rows.
    async fn rows_by_key<'a>(
        &mut self,
        doing: &str,
        keys: impl Iterator<Item = &'a SaleKey> + Clone,
        (select, table): (&str, &str),
        lock: &str,
    ) -> Result<Vec<Row>> {
        let Self { session, codes, .. } = self;
        codes.load(session, Coded::Source, keys.clone().map(|key| key.source.as_str())).await?;
        let mut references: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
        for key in keys {
            if let Some(source) = codes.get(Coded::Source, key.source.as_str()) {
                references.entry(source).or_default().push(key.reference.as_str());
            }
        }
        let mut rows = Vec::new();
        for (source, mut references) in references {
            references.sort_unstable();
            references.dedup();
            let references: Vec<Value> = references.into_iter().map(value::bytes).collect();
            for (places, mut params) in lookups(&references) {
                params.insert(0, Value::Int(source));
                let sql = format!(
                    "{select} WHERE {table}.source_id = ? AND {table}.reference IN ({places})
                     ORDER BY {table}.reference {lock}"
                );
                rows.append(&mut session.rows(doing, &sql, params).await?);
            }
        }
        Ok(rows)
    }

    async fn find_sales(&mut self, keys: &[SaleKey]) -> Result<Vec<Option<Sale>>> {
        const DOING: &str = "find sales";
        if self.session.writes() {
            // First the locks, in the order of the keys, and in a statement of its own what they then protect.
            let lock = "SELECT s.state FROM ledger_sales s FORCE INDEX (ledger_sales_key)";
            self.rows_by_key(DOING, keys.iter(), (lock, "s"), LOCK).await?;
        }
        let select = format!("SELECT {SALE_COLUMNS} FROM ledger_sales s FORCE INDEX (ledger_sales_key) {SALE_TABLES}");
        let rows = self.rows_by_key(DOING, keys.iter(), (&select, "s"), "").await?;
        let mut known: HashMap<SaleKey, Option<Sale>> = HashMap::with_capacity(rows.len());
        let mut stored = Vec::with_capacity(rows.len());
        for row in &rows {
            if row.int(STATE)? == AWAITED {
                known.insert(row::key(row)?, None);
            } else {
                stored.push(read_sale(row)?);
            }
        }
        for sale in self.complete(stored).await? {
            known.insert(sale.key.clone(), Some(sale));
        }
        let mut sales = Vec::with_capacity(keys.len());
        for key in keys {
            let found = known.get(key);
            if found.is_none() && self.session.writes() {
                self.absent.insert(key.clone());
            }
            sales.push(found.cloned().flatten());
        }
        Ok(sales)
    }

    /// Adds their adjustments to sales: few have any.
    async fn complete(&mut self, stored: Vec<StoredSale>) -> Result<Vec<Sale>> {
        let adjusted: Vec<(BusinessDate, SaleId)> = stored
            .iter()
            .filter(|stored| stored.adjusted)
            .map(|stored| (stored.sale.content.date, stored.sale.id))
            .collect();
        let mut sales: Vec<Sale> = stored.into_iter().map(|stored| stored.sale).collect();
        if !adjusted.is_empty() {
            let mut adjustments = row::adjustments_of(&mut self.session, &adjusted).await?;
            for sale in &mut sales {
                sale.adjustments = adjustments.remove(&sale.id).unwrap_or_default();
            }
        }
        Ok(sales)
    }

    async fn list_sales(&mut self, query: &SaleQuery, page: &PageRequest) -> Result<Page<Sale>> {
        let (Some(first), Some(last)) = (query.days.first(), query.days.last()) else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        // A position before the wanted days leaves all of them to come.
        let after = page.after.as_ref().map(list_position).transpose()?.filter(|(date, _)| *date >= first);
        // Two ranges of one index, as both servers see them only when they are written out.
        let (position, mut params) = match after {
            None => ("s.sale_date >= ?", vec![value::date(first)]),
            Some((date, id)) => (
                "((s.sale_date = ? AND s.id > ?) OR s.sale_date > ?)",
                vec![value::date(date), value::uuid(id), value::date(date)],
            ),
        };
        params.push(value::date(last));
        let codes = [
            ("agent_id", Coded::Agent, query.agent.as_ref().map(AsRef::as_ref)),
            ("product_id", Coded::Product, query.product.as_ref().map(AsRef::as_ref)),
            ("team_id", Coded::Team, query.team.as_ref().map(AsRef::as_ref)),
            ("branch_id", Coded::Branch, query.branch.as_ref().map(AsRef::as_ref)),
        ];
        let mut conditions = String::new();
        for (column, coded, code) in codes {
            let Some(code) = code else { continue };
            self.codes.load(&mut self.session, coded, std::iter::once(code)).await?;
            // An unknown code has no sales: no number is 0.
            params.push(Value::Int(self.codes.get(coded, code).unwrap_or(0)));
            conditions.push_str(&format!(" AND s.{column} = ?"));
        }
        params.push(fetch_limit(page));
        let index = if query.agent.is_some() { "ledger_sales_agent" } else { "PRIMARY" };
        let sql = format!(
            "SELECT {SALE_COLUMNS} FROM ledger_sales s FORCE INDEX ({index}) {SALE_TABLES}
             WHERE {position} AND s.sale_date <= ? AND s.state < {AWAITED}{conditions}
             ORDER BY s.sale_date, s.id LIMIT ?"
        );
        let rows = self.session.rows("list sales", &sql, params).await?;
        let stored = rows.iter().map(read_sale).collect::<Result<_>>()?;
        let sales = self.complete(stored).await?;
        Ok(Page::from_fetched(sales, page.limit, |sale: &Sale| {
            format!("{} {}", sale.content.date.epoch_day(), sale.id.0.simple())
        }))
    }
}

#[async_trait]
impl SaleRepository for MysqlUnit<'_> {
    async fn insert_absent(&mut self, sales: &[Sale]) -> Result<Vec<usize>> {
        self.insert_absent_sales(sales).await
    }

    async fn find(&mut self, keys: &[SaleKey]) -> Result<Vec<Option<Sale>>> {
        self.find_sales(keys).await
    }

    async fn get(&mut self, id: SaleId) -> Result<Option<Sale>> {
        let sql =
            format!("SELECT {SALE_COLUMNS} FROM ledger_sales s {SALE_TABLES} WHERE s.id = ? AND s.state < {AWAITED}");
        let rows = self.session.rows("read a sale", &sql, vec![value::uuid(id.0)]).await?;
        let stored = rows.iter().map(read_sale).collect::<Result<_>>()?;
        Ok(self.complete(stored).await?.into_iter().next())
    }

    async fn list(&mut self, query: &SaleQuery, page: &PageRequest) -> Result<Page<Sale>> {
        self.list_sales(query, page).await
    }

    async fn write(&mut self, changes: &[SaleChange]) -> Result<()> {
        self.write_sales(changes).await
    }

    async fn messages(&mut self, keys: &[SaleKey]) -> Result<Vec<StoredMessage>> {
        self.messages_of(keys).await
    }

    async fn add_messages(&mut self, messages: &[StoredMessage]) -> Result<()> {
        self.insert_messages(messages).await
    }

    async fn find_entries(&mut self, source: &Source, entries: &[Reference]) -> Result<Vec<StoredMessage>> {
        self.messages_with_entries(source, entries).await
    }
}

/// The date and the identifier behind which a page of a list begins.
fn list_position(cursor: &Cursor) -> Result<(BusinessDate, Uuid)> {
    let key = cursor.sort_key()?;
    let parts = key.split_once(' ').and_then(|(day, id)| {
        let date = BusinessDate::from_epoch_day(day.parse().ok()?).ok()?;
        Some((date, Uuid::try_parse(id).ok()?))
    });
    parts.ok_or_else(|| Error::invalid("cursor is not one of a list of sales").with("cursor", cursor.as_str()))
}
