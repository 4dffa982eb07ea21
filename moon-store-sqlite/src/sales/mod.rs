//! Sales and the messages about them.

mod insert;
mod messages;
mod row;
mod write;

use std::collections::BTreeMap;

use async_trait::async_trait;
use moon_core::{
    Cursor, Error, Page, PageRequest, Reference, Result, Sale, SaleChange, SaleId, SaleKey, SaleQuery, SaleRepository,
    Source, StoredMessage,
};
use sqlx::{QueryBuilder, Sqlite};

use crate::codes::Coded;
use crate::unit::SqliteUnit;
use crate::value;
use row::{SALE_COLUMNS, SALE_TABLES, SaleRow};

impl SqliteUnit {
    /// The places of keys by the number of their source. Sources that nobody named before have no sales, and none here.
    async fn places_by_source<'a>(&mut self, keys: &[&'a SaleKey]) -> Result<BTreeMap<i64, Vec<(usize, &'a str)>>> {
        let Self { session, codes } = self;
        codes.load(session, Coded::Source, keys.iter().map(|key| key.source.as_str())).await?;
        let mut places: BTreeMap<i64, Vec<(usize, &str)>> = BTreeMap::new();
        for (place, key) in keys.iter().enumerate() {
            if let Some(source) = self.codes.get(Coded::Source, key.source.as_str()) {
                places.entry(source).or_default().push((place, key.reference.as_str()));
            }
        }
        Ok(places)
    }
}

/// The place in the caller's keys of a place in one source's references.
fn caller_place(places: &[(usize, &str)], place: i64) -> Option<usize> {
    let (place, _) = places.get(usize::try_from(place).ok()?)?;
    Some(*place)
}

#[async_trait]
impl SaleRepository for SqliteUnit {
    async fn insert_absent(&mut self, sales: &[Sale]) -> Result<Vec<usize>> {
        self.insert_absent_sales(sales).await
    }

    async fn find(&mut self, keys: &[SaleKey]) -> Result<Vec<Option<Sale>>> {
        let mut sales = vec![None; keys.len()];
        for (source, places) in self.places_by_source(&keys.iter().collect::<Vec<_>>()).await? {
            let mut query = QueryBuilder::<Sqlite>::new("SELECT k.key AS place, ");
            query.push(SALE_COLUMNS).push(" FROM json_each(");
            query.push_bind(value::json_texts(places.iter().map(|(_, reference)| *reference))?);
            query.push(") k CROSS JOIN ").push(SALE_TABLES).push(" WHERE s.reference = k.value AND s.source_id = ");
            query.push_bind(source);
            let rows: sqlx::Result<Vec<SaleRow>> = query.build_query_as().fetch_all(self.session.reading()?).await;
            for row in self.session.done("find sales", rows)? {
                if let Some(slot) = caller_place(&places, row.place).and_then(|place| sales.get_mut(place)) {
                    *slot = Some(row.read()?);
                }
            }
        }
        Ok(sales)
    }

    async fn get(&mut self, id: SaleId) -> Result<Option<Sale>> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT 0 AS place, ");
        query.push(SALE_COLUMNS).push(" FROM ").push(SALE_TABLES).push(" WHERE s.id = ");
        query.push_bind(id.0.as_bytes().to_vec());
        let row: sqlx::Result<Option<SaleRow>> = query.build_query_as().fetch_optional(self.session.reading()?).await;
        self.session.done("read a sale", row)?.map(|row| row.read()).transpose()
    }

    async fn list(&mut self, query: &SaleQuery, page: &PageRequest) -> Result<Page<Sale>> {
        // A position before the wanted days leaves all of them to come.
        let after = page.after.as_ref().map(list_position).transpose()?.filter(|(day, _)| *day >= query.days.start());
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT 0 AS place, ");
        sql.push(SALE_COLUMNS).push(" FROM ").push(SALE_TABLES);
        sql.push(" WHERE s.sale_day < ").push_bind(query.days.end());
        // One lower bound only: beside another one SQLite would not go straight to the position, but walk up to it again
        // with every page.
        match after {
            None => sql.push(" AND s.sale_day >= ").push_bind(query.days.start()),
            Some((day, id)) => {
                sql.push(" AND (s.sale_day, s.id) > (").push_bind(day).push(", ").push_bind(id).push(")")
            }
        };
        let codes = [
            (" AND s.agent_id = ", Coded::Agent, query.agent.as_ref().map(AsRef::as_ref)),
            (" AND s.product_id = ", Coded::Product, query.product.as_ref().map(AsRef::as_ref)),
            (" AND s.team_id = ", Coded::Team, query.team.as_ref().map(AsRef::as_ref)),
            (" AND s.branch_id = ", Coded::Branch, query.branch.as_ref().map(AsRef::as_ref)),
        ];
        for (condition, coded, code) in codes {
            let Some(code) = code else { continue };
            self.codes.load(&mut self.session, coded, std::iter::once(code)).await?;
            // An unknown code has no sales: no number is 0.
            sql.push(condition).push_bind(self.codes.get(coded, code).unwrap_or(0));
        }
        sql.push(" ORDER BY s.sale_day, s.id LIMIT ").push_bind(i64::from(page.limit) + 1);
        let rows: sqlx::Result<Vec<SaleRow>> = sql.build_query_as().fetch_all(self.session.reading()?).await;
        let rows = self.session.done("list sales", rows)?;
        let sales = rows.iter().map(SaleRow::read).collect::<Result<_>>()?;
        Ok(Page::from_fetched(sales, page.limit, |sale: &Sale| {
            format!("{} {}", sale.content.date.epoch_day(), sale.id.0.simple())
        }))
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

/// The day and the identifier behind which a page of a list begins.
fn list_position(cursor: &Cursor) -> Result<(i32, Vec<u8>)> {
    let key = cursor.sort_key()?;
    let parts = key.split_once(' ').and_then(|(day, id)| {
        let id = uuid::Uuid::try_parse(id).ok()?;
        Some((day.parse().ok()?, id.as_bytes().to_vec()))
    });
    parts.ok_or_else(|| Error::invalid("cursor is not one of a list of sales").with("cursor", cursor.as_str()))
}
