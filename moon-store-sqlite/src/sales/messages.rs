//! The messages that are kept beside the sales.

use moon_core::{Reference, Result, SaleKey, Source, StoredMessage};

use crate::codes::Coded;
use crate::unit::SqliteUnit;
use crate::value;

#[derive(sqlx::FromRow)]
struct MessageRow {
    reference: String,
    revision: i64,
    body: String,
    entry: Option<String>,
    received_at: i64,
}

impl MessageRow {
    fn read(&self, source: &Source) -> Result<StoredMessage> {
        Ok(StoredMessage {
            key: SaleKey { source: source.clone(), reference: value::reference("reference", &self.reference)? },
            revision: value::revision(self.revision)?,
            body: value::from_json(&self.body)?,
            entry: self.entry.as_deref().map(|entry| value::reference("entry", entry)).transpose()?,
            received_at: value::instant(self.received_at)?,
        })
    }
}

impl SqliteUnit {
    pub(super) async fn messages_of(&mut self, keys: &[SaleKey]) -> Result<Vec<StoredMessage>> {
        let mut messages = Vec::new();
        for places in self.places_by_source(&keys.iter().collect::<Vec<_>>()).await?.into_values() {
            let Some(source) = places.first().and_then(|(place, _)| keys.get(*place)).map(|key| &key.source) else {
                continue;
            };
            let rows: sqlx::Result<Vec<MessageRow>> = sqlx::query_as(
                "SELECT m.reference, m.revision, m.body, m.entry, m.received_at
                 FROM (SELECT DISTINCT value FROM json_each(?)) k
                 CROSS JOIN ledger_sale_messages m ON m.source_id = ? AND m.reference = k.value",
            )
            .bind(value::json_texts(places.iter().map(|(_, reference)| *reference))?)
            .bind(self.codes.id(Coded::Source, source.as_str())?)
            .fetch_all(self.session.reading()?)
            .await;
            for row in self.session.done("read messages", rows)? {
                messages.push(row.read(source)?);
            }
        }
        messages.sort_unstable_by(|a, b| (&a.key, a.revision).cmp(&(&b.key, b.revision)));
        Ok(messages)
    }

    pub(super) async fn insert_messages(&mut self, messages: &[StoredMessage]) -> Result<()> {
        let Some(first) = messages.first() else { return Ok(()) };
        let Self { session, codes } = self;
        session.writing()?;
        let mut sources: Vec<_> = messages.iter().map(|message| &message.key.source).collect();
        sources.sort_unstable();
        sources.dedup();
        codes.load_or_create_sources(session, &sources).await?;
        let rows = messages
            .iter()
            .map(|message| {
                Ok((
                    codes.id(Coded::Source, message.key.source.as_str())?,
                    message.key.reference.as_str(),
                    message.revision.0,
                    value::to_json(&message.body)?,
                    message.entry.as_ref().map(Reference::as_str),
                    value::micros(message.received_at),
                ))
            })
            .collect::<Result<Vec<_>>>()?;
        // One statement: either all are kept or, when one is known already, none.
        let outcome = sqlx::query(
            "INSERT INTO ledger_sale_messages
                 (source_id, reference, revision, body, entry, received_at, without_sale)
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
                 NOT EXISTS (SELECT 1 FROM ledger_sales s
                     WHERE s.source_id = k.value ->> 0 AND s.reference = k.value ->> 1)
             FROM json_each(?) k",
        )
        .bind(value::to_json(&rows)?)
        .execute(session.writing()?)
        .await;
        session.done("keep messages", outcome).map(drop).map_err(|error| error.with("first_sale", &first.key))
    }

    pub(super) async fn messages_with_entries(
        &mut self,
        source: &Source,
        entries: &[Reference],
    ) -> Result<Vec<StoredMessage>> {
        let Self { session, codes } = self;
        codes.load(session, Coded::Source, std::iter::once(source.as_str())).await?;
        let Some(source_id) = codes.get(Coded::Source, source.as_str()) else { return Ok(Vec::new()) };
        let rows: sqlx::Result<Vec<MessageRow>> = sqlx::query_as(
            "SELECT m.reference, m.revision, m.body, m.entry, m.received_at
             FROM (SELECT DISTINCT value FROM json_each(?)) k
             CROSS JOIN ledger_sale_messages m ON m.source_id = ? AND m.entry = k.value
             ORDER BY m.reference, m.revision",
        )
        .bind(value::json_texts(entries.iter().map(Reference::as_str))?)
        .bind(source_id)
        .fetch_all(session.reading()?)
        .await;
        let rows = session.done("find messages by entry", rows)?;
        rows.iter().map(|row| row.read(source)).collect()
    }
}
