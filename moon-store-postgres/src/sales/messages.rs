//! The messages that are kept beside the sales.

use std::collections::HashSet;

use moon_core::{Error, ErrorKind, Reference, Result, SaleKey, Source, StoredMessage};
use tokio_postgres::types::Type;

use super::{KEYS, stored_key};
use crate::codes::Coded;
use crate::session::{Param, Row};
use crate::unit::PostgresUnit;
use crate::value::{self, Instant};

const DOING: &str = "keep messages";

/// What [`message`] reads.
const COLUMNS: &str = "src.name, m.reference, m.revision, m.body::text, m.entry, m.received_at";

fn message(row: &Row) -> Result<StoredMessage> {
    let entry: Option<&str> = row.get(4)?;
    Ok(StoredMessage {
        key: stored_key(row.get(0)?, row.get(1)?)?,
        revision: value::revision(row.get(2)?)?,
        body: value::from_json(row.get(3)?)?,
        entry: entry.map(|entry| value::reference("entry", entry)).transpose()?,
        received_at: row.get::<Instant>(5)?.0,
    })
}

impl PostgresUnit<'_> {
    pub(super) async fn messages_of(&mut self, keys: &[SaleKey]) -> Result<Vec<StoredMessage>> {
        let mut distinct: Vec<&SaleKey> = keys.iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let columns = self.key_columns(distinct.into_iter()).await?;
        if columns.places.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM {KEYS} JOIN ledger_sale_messages m USING (source_id, reference)
             JOIN ledger_sources src ON src.id = m.source_id ORDER BY src.name, m.reference, m.revision"
        );
        self.session.rows("read messages", &sql, &columns.params()).await?.iter().map(message).collect()
    }

    pub(super) async fn insert_messages(&mut self, messages: &[StoredMessage]) -> Result<()> {
        self.session.check_writes()?;
        if messages.is_empty() {
            return Ok(());
        }
        {
            let Self { session, codes, .. } = self;
            codes.load_or_create_sources(session, messages.iter().map(|message| &message.key.source)).await?;
        }
        self.await_sales(messages).await?;
        let sources =
            messages.iter().map(|message| self.codes.source(&message.key.source)).collect::<Result<Vec<_>>>()?;
        let references: Vec<&str> = messages.iter().map(|message| message.key.reference.as_str()).collect();
        let revisions: Vec<i64> = messages.iter().map(|message| message.revision.0.into()).collect();
        let bodies = messages.iter().map(|message| value::to_json(&message.body)).collect::<Result<Vec<_>>>()?;
        let entries: Vec<Option<&str>> =
            messages.iter().map(|message| message.entry.as_ref().map(Reference::as_str)).collect();
        let received: Vec<Instant> = messages.iter().map(|message| Instant(message.received_at)).collect();
        let params: [Param<'_>; 6] = [
            (&sources, Type::INT4_ARRAY),
            (&references, Type::TEXT_ARRAY),
            (&revisions, Type::INT8_ARRAY),
            (&entries, Type::TEXT_ARRAY),
            (&bodies, Type::TEXT_ARRAY),
            (&received, Type::TIMESTAMPTZ_ARRAY),
        ];
        // Looked up rather than left to the index, whose refusal would spoil the whole unit.
        let known = "SELECT src.name, k.reference, k.revision
            FROM unnest($1::int4[], $2::text[], $3::int8[], $4::text[]) AS k (source_id, reference, revision, entry)
            JOIN ledger_sources src ON src.id = k.source_id
            WHERE EXISTS (SELECT 1 FROM ledger_sale_messages m WHERE m.source_id = k.source_id
                AND m.reference = k.reference AND m.revision = k.revision)
            OR EXISTS (SELECT 1 FROM ledger_sale_messages m WHERE m.source_id = k.source_id AND m.entry = k.entry)
            LIMIT 1";
        if let Some(row) = self.session.row(DOING, known, params.get(..4).unwrap_or_default()).await? {
            return Err(Error::new(ErrorKind::AlreadyExists, "a message of this revision or entry is kept already")
                .with("sale", stored_key(row.get(0)?, row.get(1)?)?)
                .with("revision", row.get::<i64>(2)?));
        }
        let insert = "INSERT INTO ledger_sale_messages (source_id, reference, revision, entry, body, received_at)
            SELECT x.source_id, x.reference, x.revision, x.entry, x.body::json, x.received_at
            FROM unnest($1::int4[], $2::text[], $3::int8[], $4::text[], $5::text[], $6::timestamptz[])
                AS x (source_id, reference, revision, entry, body, received_at)";
        self.session.execute(DOING, insert, &params).await.map(drop)
    }

    /// Makes a row for each key that has no sale yet: it holds the key until the sale comes. A sale that came since this
    /// unit has looked makes the unit start again, so that the message finds it.
    async fn await_sales(&mut self, messages: &[StoredMessage]) -> Result<()> {
        let mut keys: Vec<&SaleKey> = messages.iter().map(|message| &message.key).collect();
        keys.sort_unstable();
        keys.dedup();
        let sources = keys.iter().map(|key| self.codes.source(&key.source)).collect::<Result<Vec<_>>>()?;
        let references: Vec<&str> = keys.iter().map(|key| key.reference.as_str()).collect();
        let sql = "INSERT INTO ledger_sales (id, amount, recorded_at, content_at, revision, last_revision, sale_date,
                source_id, kind, given, state, reference)
            SELECT gen_random_uuid(), 0, 'epoch', 'epoch', 0, 0, '9999-12-31', x.source_id, 0, 0, 2, x.reference
            FROM unnest($1::int4[], $2::text[]) AS x (source_id, reference)
            ON CONFLICT (source_id, reference) DO NOTHING RETURNING source_id, reference";
        let params: [Param<'_>; 2] = [(&sources, Type::INT4_ARRAY), (&references, Type::TEXT_ARRAY)];
        let rows = self.session.rows(DOING, sql, &params).await?;
        let made: HashSet<(i32, &str)> =
            rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_>>()?;
        for ((key, source), reference) in keys.iter().zip(&sources).zip(&references) {
            if self.absent.remove(*key) && !made.contains(&(*source, *reference)) {
                self.session.spoil();
                return Err(Error::new(
                    ErrorKind::Contention,
                    "another unit of work recorded the sale in the meantime; repeat the unit",
                )
                .with("sale", key));
            }
        }
        Ok(())
    }

    pub(super) async fn messages_with_entries(
        &mut self,
        source: &Source,
        entries: &[Reference],
    ) -> Result<Vec<StoredMessage>> {
        let Self { session, codes, .. } = self;
        codes.load(session, Coded::Source, std::iter::once(source.as_str())).await?;
        let Some(source_id) = codes.get(Coded::Source, source.as_str()) else { return Ok(Vec::new()) };
        let entries: Vec<&str> = entries.iter().map(Reference::as_str).collect();
        let sql = format!(
            "SELECT {COLUMNS} FROM ledger_sale_messages m JOIN ledger_sources src ON src.id = m.source_id
             WHERE m.source_id = $1 AND m.entry = ANY($2) ORDER BY m.reference, m.revision"
        );
        let params: [Param<'_>; 2] = [(&source_id, Type::INT4), (&entries, Type::TEXT_ARRAY)];
        session.rows("find messages by entry", &sql, &params).await?.iter().map(message).collect()
    }
}
