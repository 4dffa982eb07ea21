//! Sales and the messages about them.

mod columns;
mod insert;
mod messages;
mod row;
mod write;

use async_trait::async_trait;
use moon_core::{
    Cursor, DayRange, Error, Page, PageRequest, Reference, Result, Sale, SaleChange, SaleId, SaleKey, SaleQuery,
    SaleRepository, Source, StoredMessage,
};
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::codes::Coded;
use crate::repository::fetch_limit;
use crate::session::Param;
use crate::unit::PostgresUnit;
use crate::value::{self, Day};
use row::{SALE_COLUMNS, SALE_TABLES, read_sale};

/// Keys as columns: the number of the source, and the reference. Keys of sources that nobody named before are left out.
#[derive(Debug, Default)]
struct KeyColumns<'a> {
    /// Where the key stood.
    places: Vec<i64>,
    sources: Vec<i32>,
    references: Vec<&'a str>,
}

impl<'a> KeyColumns<'a> {
    fn params(&self) -> [Param<'_>; 3] {
        [(&self.sources, Type::INT4_ARRAY), (&self.references, Type::TEXT_ARRAY), (&self.places, Type::INT8_ARRAY)]
    }
}

/// A table `k` of the keys in [`KeyColumns::params`].
const KEYS: &str = "unnest($1::int4[], $2::text[], $3::int8[]) AS k (source_id, reference, place)";

impl PostgresUnit<'_> {
    async fn key_columns<'a>(&mut self, keys: impl Iterator<Item = &'a SaleKey> + Clone) -> Result<KeyColumns<'a>> {
        let Self { session, codes, .. } = self;
        codes.load(session, Coded::Source, keys.clone().map(|key| key.source.as_str())).await?;
        let mut columns = KeyColumns::default();
        for (place, key) in (0_i64..).zip(keys) {
            if let Some(source) = codes.get(Coded::Source, key.source.as_str()) {
                columns.places.push(place);
                columns.sources.push(source);
                columns.references.push(key.reference.as_str());
            }
        }
        Ok(columns)
    }

    async fn find_sales(&mut self, keys: &[SaleKey]) -> Result<Vec<Option<Sale>>> {
        const DOING: &str = "find sales";
        let columns = self.key_columns(keys.iter()).await?;
        let mut sales = vec![None; keys.len()];
        let mut known = vec![false; keys.len()];
        if !columns.places.is_empty() {
            // First the locks, in the order of the keys, and in a statement of its own what they then protect: a
            // statement that waits for a lock reads everything but the locked row as it was before it waited.
            let lock = format!(
                "SELECT k.place, s.id FROM {KEYS} JOIN ledger_sales s USING (source_id, reference)
                 ORDER BY s.source_id, s.reference FOR UPDATE OF s"
            );
            let read = format!(
                "SELECT {SALE_COLUMNS}, k.place, s.state FROM {KEYS} JOIN ledger_sales s USING (source_id, reference)
                 {SALE_TABLES}"
            );
            let params = columns.params();
            let rows = if self.session.writes() {
                loop {
                    let (locked, rows) = self.session.rows_behind(DOING, &lock, &read, &params).await?;
                    // A sale that came between the two statements was read without a lock: what is decided from it could
                    // be outdated before it is written.
                    if u64::try_from(rows.len()) == Ok(locked) {
                        break rows;
                    }
                }
            } else {
                self.session.rows(DOING, &read, &params).await?
            };
            for row in rows {
                let place = usize::try_from(row.get::<i64>(row::PLACE)?).unwrap_or(usize::MAX);
                let state: i16 = row.get(row::STATE)?;
                if let Some(known) = known.get_mut(place) {
                    *known = true;
                }
                if let Some(slot) = sales.get_mut(place).filter(|_| state != row::AWAITED) {
                    *slot = Some(read_sale(&row)?);
                }
            }
        }
        if self.session.writes() {
            let absent = keys.iter().zip(known).filter(|(_, known)| !known).map(|(key, _)| key.clone());
            self.absent.extend(absent);
        }
        Ok(sales)
    }
}

#[async_trait]
impl SaleRepository for PostgresUnit<'_> {
    async fn insert_absent(&mut self, sales: &[Sale]) -> Result<Vec<usize>> {
        self.insert_absent_sales(sales).await
    }

    async fn find(&mut self, keys: &[SaleKey]) -> Result<Vec<Option<Sale>>> {
        self.find_sales(keys).await
    }

    async fn get(&mut self, id: SaleId) -> Result<Option<Sale>> {
        let sql = format!("SELECT {SALE_COLUMNS} FROM ledger_sales s {SALE_TABLES} WHERE s.id = $1 AND s.state < 2");
        let row = self.session.row("read a sale", &sql, &[(&id.0, Type::UUID)]).await?;
        row.as_ref().map(read_sale).transpose()
    }

    async fn list(&mut self, query: &SaleQuery, page: &PageRequest) -> Result<Page<Sale>> {
        let (after_day, after_id) = match &page.after {
            Some(cursor) => list_position(cursor)?,
            None => (Day(DayRange::ALL.start() - 1), Uuid::nil()),
        };
        let codes = [
            ("agent_id", Coded::Agent, query.agent.as_ref().map(AsRef::as_ref)),
            ("product_id", Coded::Product, query.product.as_ref().map(AsRef::as_ref)),
            ("team_id", Coded::Team, query.team.as_ref().map(AsRef::as_ref)),
            ("branch_id", Coded::Branch, query.branch.as_ref().map(AsRef::as_ref)),
        ];
        let (start, end, limit) = (Day(query.days.start()), Day(query.days.end()), fetch_limit(page));
        let mut params: Vec<Param<'_>> = vec![
            (&start, Type::DATE),
            (&end, Type::DATE),
            (&after_day, Type::DATE),
            (&after_id, Type::UUID),
            (&limit, Type::INT8),
        ];
        let mut conditions = String::new();
        let mut numbers = [0_i32; 4];
        for ((column, coded, code), number) in codes.into_iter().zip(&mut numbers) {
            let Some(code) = code else { continue };
            self.codes.load(&mut self.session, coded, std::iter::once(code)).await?;
            // An unknown code has no sales: no number is 0.
            *number = self.codes.get(coded, code).unwrap_or(0);
            params.push((&*number, Type::INT4));
            conditions.push_str(&format!(" AND s.{column} = ${}", params.len()));
        }
        let sql = format!(
            "SELECT {SALE_COLUMNS} FROM ledger_sales s {SALE_TABLES}
             WHERE s.sale_date >= $1 AND s.sale_date < $2 AND (s.sale_date, s.id) > ($3, $4) AND s.state < 2{conditions}
             ORDER BY s.sale_date, s.id LIMIT $5"
        );
        let rows = self.session.rows("list sales", &sql, &params).await?;
        let sales = rows.iter().map(read_sale).collect::<Result<_>>()?;
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
fn list_position(cursor: &Cursor) -> Result<(Day, Uuid)> {
    let key = cursor.sort_key()?;
    let parts = key.split_once(' ').and_then(|(day, id)| Some((Day(day.parse().ok()?), Uuid::try_parse(id).ok()?)));
    parts.ok_or_else(|| Error::invalid("cursor is not one of a list of sales").with("cursor", cursor.as_str()))
}

/// The key of a stored reference.
fn stored_key(source: &str, reference: &str) -> Result<SaleKey> {
    Ok(SaleKey { source: value::reference("source", source)?, reference: value::reference("reference", reference)? })
}
