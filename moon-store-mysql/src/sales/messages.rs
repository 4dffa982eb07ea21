//! The messages that are kept beside the sales.

use std::collections::HashSet;

use moon_core::{Error, ErrorKind, Reference, Result, SaleKey, Source, StoredMessage};
use mysql_async::{Row, Value};

use super::LOCK;
use crate::codes::Coded;
use crate::lists::{lookups, parts, places};
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};

const DOING: &str = "keep messages";

/// How many messages a statement keeps.
const ROWS_MAX: usize = 256;

/// What [`message`] reads.
const SELECT: &str = "SELECT src.name, m.reference, m.revision, m.body, m.entry, m.received_at
    FROM ledger_sale_messages m LEFT JOIN ledger_sources src ON src.id = m.source_id";

fn message(row: &Row) -> Result<StoredMessage> {
    Ok(StoredMessage {
        key: SaleKey {
            source: value::reference("source", row.text(0)?)?,
            reference: value::reference("reference", row.text(1)?)?,
        },
        revision: value::revision(row.int(2)?)?,
        body: value::from_json(row.text(3)?)?,
        entry: row.optional_text(4)?.map(|entry| value::reference("entry", entry)).transpose()?,
        received_at: row.instant(5)?,
    })
}

impl MysqlUnit<'_> {
    pub(super) async fn messages_of(&mut self, keys: &[SaleKey]) -> Result<Vec<StoredMessage>> {
        let rows = self.rows_by_key("read messages", keys.iter(), (SELECT, "m"), "").await?;
        let mut messages: Vec<StoredMessage> = rows.iter().map(message).collect::<Result<_>>()?;
        messages.sort_unstable_by(|a, b| (&a.key, a.revision).cmp(&(&b.key, b.revision)));
        Ok(messages)
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
        self.check_unknown(messages).await?;
        for part in parts(messages, ROWS_MAX) {
            let sql = format!(
                "INSERT INTO ledger_sale_messages (source_id, reference, revision, received_at, entry, body) VALUES {}",
                places("(?,?,?,?,?,?)", part.len())
            );
            let mut params = Vec::with_capacity(part.len() * 6);
            for message in part {
                params.push(Value::Int(self.codes.source(&message.key.source)?));
                params.push(value::bytes(message.key.reference.as_str()));
                params.push(value::int(message.revision.0));
                params.push(value::micros(message.received_at));
                params.push(value::optional(message.entry.as_ref().map(Reference::as_str)));
                params.push(value::bytes(value::to_json(&message.body)?));
            }
            match self.session.execute(DOING, &sql, params).await {
                // Not a moment ago: another unit has kept an equal entry about another sale since.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    return Err(self.overtaken().caused_by(error));
                }
                outcome => drop(outcome?),
            }
        }
        Ok(())
    }

    /// Refuses messages of which a revision or an entry is known, before any is kept.
    async fn check_unknown(&mut self, messages: &[StoredMessage]) -> Result<()> {
        let keys = messages.iter().map(|message| &message.key);
        let mut known: HashSet<(SaleKey, u32)> = HashSet::new();
        for row in self.rows_by_key(DOING, keys, (SELECT, "m"), "").await? {
            let message = message(&row)?;
            known.insert((message.key, message.revision.0));
        }
        let mut entries: HashSet<(Source, Reference)> = HashSet::new();
        let mut sources: Vec<&Source> = messages.iter().map(|message| &message.key.source).collect();
        sources.sort_unstable();
        sources.dedup();
        for source in sources {
            let carried = messages.iter().filter(|message| message.key.source == *source);
            let wanted: Vec<Reference> = carried.filter_map(|message| message.entry.clone()).collect();
            for message in self.messages_with_entries(source, &wanted).await? {
                entries.extend(message.entry.map(|entry| (source.clone(), entry)));
            }
        }
        for message in messages {
            let new_revision = known.insert((message.key.clone(), message.revision.0));
            let entry = message.entry.clone().map(|entry| (message.key.source.clone(), entry));
            if !new_revision || entry.is_some_and(|entry| !entries.insert(entry)) {
                return Err(Error::new(
                    ErrorKind::AlreadyExists,
                    "a message of this revision or entry is kept already",
                )
                .with("sale", &message.key)
                .with("revision", message.revision));
            }
        }
        Ok(())
    }

    /// Makes a row for each key that has no sale yet: it holds the key until the sale comes. A sale that came since this
    /// unit has looked makes the unit start again, so that the message finds it.
    async fn await_sales(&mut self, messages: &[StoredMessage]) -> Result<()> {
        let mut keys: Vec<&SaleKey> = messages.iter().map(|message| &message.key).collect();
        keys.sort_unstable();
        keys.dedup();
        let select = "SELECT s.source_id, s.reference FROM ledger_sales s FORCE INDEX (ledger_sales_key)";
        let rows = self.rows_by_key(DOING, keys.iter().copied(), (select, "s"), LOCK).await?;
        let mut standing = HashSet::with_capacity(rows.len());
        for row in &rows {
            standing.insert((row.int(0)?, row.text(1)?));
        }
        let mut missing = Vec::new();
        for key in keys {
            let source = self.codes.source(&key.source)?;
            let stands = standing.contains(&(source, key.reference.as_str()));
            if self.absent.remove(key) && stands {
                return Err(self.overtaken().with("sale", key));
            }
            if !stands {
                missing.push((source, key.reference.as_str()));
            }
        }
        for part in parts(&missing, ROWS_MAX) {
            // The identifier only has to be one that no sale has; the sale brings its own.
            let row = "(LEFT(UNHEX(SHA2(CONCAT(?, '/', ?), 256)), 16), '9999-12-31', ?, ?, 0, 0, 2, 0, 0, 0, 0, 0)";
            let sql = format!(
                "INSERT INTO ledger_sales (id, sale_date, source_id, reference, given, kind, state, amount, revision,
                     last_revision, recorded_at, content_at) VALUES {}",
                places(row, part.len())
            );
            let key = |(source, reference): &(i64, &str)| {
                let (source, reference) = (Value::Int(*source), value::bytes(reference));
                [source.clone(), reference.clone(), source, reference]
            };
            match self.session.execute(DOING, &sql, part.iter().flat_map(key).collect()).await {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    return Err(self.overtaken().caused_by(error));
                }
                outcome => drop(outcome?),
            }
        }
        Ok(())
    }

    /// Another unit was faster: this one must begin anew to see what that one left.
    fn overtaken(&mut self) -> Error {
        self.session.spoil();
        Error::new(ErrorKind::Contention, "another unit of work told of the sale in the meantime; repeat the unit")
    }

    pub(super) async fn messages_with_entries(
        &mut self,
        source: &Source,
        entries: &[Reference],
    ) -> Result<Vec<StoredMessage>> {
        let Self { session, codes, .. } = self;
        codes.load(session, Coded::Source, std::iter::once(source.as_str())).await?;
        let Some(source_id) = codes.get(Coded::Source, source.as_str()) else { return Ok(Vec::new()) };
        let mut entries: Vec<&str> = entries.iter().map(Reference::as_str).collect();
        entries.sort_unstable();
        entries.dedup();
        let entries: Vec<Value> = entries.into_iter().map(value::bytes).collect();
        let mut messages = Vec::new();
        for (places, mut params) in lookups(&entries) {
            params.insert(0, Value::Int(source_id));
            let sql =
                format!("{SELECT} WHERE m.source_id = ? AND m.entry IN ({places}) ORDER BY m.reference, m.revision");
            for row in session.rows("find messages by entry", &sql, params).await? {
                messages.push(message(&row)?);
            }
        }
        Ok(messages)
    }
}
