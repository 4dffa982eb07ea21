//! Sales and the messages about them. Each call checks everything before it changes anything, so that one that fails has
//! changed nothing.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use moon_core::{
    BusinessDate, Error, ErrorKind, MessageBody, Page, PageRequest, Reference, Result, Revision, Sale, SaleChange,
    SaleId, SaleKey, SaleQuery, SaleRepository, Source, StoredMessage,
};
use uuid::Uuid;

use crate::page;
use crate::sales::{Chunk, Row, RowKey};
use crate::state::State;
use crate::store::MemoryUnit;

#[async_trait]
impl SaleRepository for MemoryUnit {
    async fn insert_absent(&mut self, sales: &[Sale]) -> Result<Vec<usize>> {
        let state = self.state_mut()?;
        let mut known = Vec::new();
        let mut rows = Vec::with_capacity(sales.len());
        let (mut keys, mut ids) = (HashSet::with_capacity(sales.len()), HashSet::with_capacity(sales.len()));
        for (place, sale) in sales.iter().enumerate() {
            if !keys.insert(&sale.key) || !ids.insert(sale.id) {
                return Err(Error::invalid("two sales of one call have one key or identifier").with("sale", &sale.key));
            }
            if state.sales.find(&sale.key).is_some() || has_messages(state, &sale.key) {
                known.push(place);
                continue;
            }
            if state.sales.find_id(sale.id).is_some() {
                return Err(identifier_taken(sale));
            }
            rows.push(new_row(state, sale)?);
        }
        // In the order of the chunks, so that each is found warm.
        rows.sort_unstable_by_key(|row| row.key);
        for row in &rows {
            state.sales.insert(row)?;
        }
        Ok(known)
    }

    async fn find(&mut self, keys: &[SaleKey]) -> Result<Vec<Option<Sale>>> {
        let state = self.state();
        keys.iter().map(|key| state.sales.find(key).map(|row| sale(state, row)).transpose()).collect()
    }

    async fn get(&mut self, id: SaleId) -> Result<Option<Sale>> {
        let state = self.state();
        state.sales.find_id(id).map(|row| sale(state, row)).transpose()
    }

    async fn list(&mut self, query: &SaleQuery, page: &PageRequest) -> Result<Page<Sale>> {
        let state = self.state();
        let after = page::after(page, read_sort_key)?;
        let first = RowKey { day: query.days.start(), ..RowKey::LOWEST };
        let first = after.map_or(first, |after| after.max(first));
        let Some(wanted) = Wanted::new(state, query) else { return Ok(Page { items: Vec::new(), next: None }) };
        let places = state.sales.chunks_from(first).flat_map(|head| {
            let start = head.chunk.place(first).unwrap_or_else(|start| start);
            (start..head.chunk.len()).map(|at| (&*head.chunk, at))
        });
        let found = places
            .skip_while(|(chunk, at)| after.is_some() && chunk.key(*at) == after)
            .take_while(|(chunk, at)| chunk.key(*at).is_some_and(|key| key.day < query.days.end()))
            .filter(|(chunk, at)| wanted.matches(chunk, *at));
        let page = page::page(found, page, |(chunk, at)| chunk.key(*at).map(write_sort_key).unwrap_or_default());
        let items = page.items.into_iter().map(|(chunk, at)| chunk.row(at)?.into_sale(state)).collect::<Result<_>>()?;
        Ok(Page { items, next: page.next })
    }

    async fn write(&mut self, changes: &[SaleChange]) -> Result<()> {
        let state = self.state_mut()?;
        let mut rows = Vec::with_capacity(changes.len());
        let mut seen = HashSet::with_capacity(changes.len());
        for SaleChange { before, after } in changes {
            let found = state.sales.find(&after.key);
            let expected = before.as_ref().map(|before| before.id);
            if found.map(|found| found.id) != expected {
                let message = if expected.is_some() { "sale that was found is gone" } else { "sale is there already" };
                return Err(Error::new(ErrorKind::VersionConflict, message).with("sale", &after.key));
            }
            if expected.is_some_and(|id| id != after.id) {
                return Err(Error::invalid("change would give a sale another identifier").with("sale", &after.key));
            }
            if expected.is_none() && state.sales.find_id(after.id).is_some() {
                return Err(identifier_taken(after));
            }
            if !seen.insert(after.id) {
                return Err(Error::invalid("two changes of one call are for one sale").with("sale", &after.key));
            }
            rows.push((found, new_row(state, after)?));
        }
        for (before, row) in &rows {
            match before {
                Some(before) => state.sales.replace(*before, row)?,
                None => state.sales.insert(row)?,
            }
        }
        Ok(())
    }

    async fn messages(&mut self, keys: &[SaleKey]) -> Result<Vec<StoredMessage>> {
        let keys: BTreeSet<&SaleKey> = keys.iter().collect();
        let state = self.state();
        let messages = keys.into_iter().flat_map(|key| {
            let from = (key.clone(), Revision::FIRST);
            state.messages.starting_at(&from).take_while(move |((known, _), _)| known == key)
        });
        Ok(messages.map(|(_, message)| StoredMessage::clone(message)).collect())
    }

    async fn add_messages(&mut self, messages: &[StoredMessage]) -> Result<()> {
        let state = self.state_mut()?;
        let (mut places, mut entries) = (HashSet::new(), HashSet::new());
        for message in messages {
            let place = (message.key.clone(), message.revision);
            let entry = entry(message);
            let taken = state.messages.get(&place).is_some()
                || entry.as_ref().is_some_and(|entry| state.entries.get(entry).is_some());
            if taken || !places.insert(place) || entry.is_some_and(|entry| !entries.insert(entry)) {
                return Err(Error::new(ErrorKind::AlreadyExists, "message is kept already")
                    .with("sale", &message.key)
                    .with("revision", message.revision));
            }
        }
        for message in messages {
            let place = (message.key.clone(), message.revision);
            if let Some(entry) = entry(message) {
                state.entries.insert(entry, place.clone());
            }
            state.messages.insert(place, Arc::new(message.clone()));
        }
        Ok(())
    }

    async fn find_entries(&mut self, source: &Source, entries: &[Reference]) -> Result<Vec<StoredMessage>> {
        let state = self.state();
        let entries: BTreeSet<&Reference> = entries.iter().collect();
        let places = entries.into_iter().filter_map(|entry| state.entries.get(&(source.clone(), entry.clone())));
        let messages = places.filter_map(|place| state.messages.get(place));
        let life = messages.filter(|message| matches!(message.body, MessageBody::Life(_)));
        Ok(life.map(|message| StoredMessage::clone(message)).collect())
    }
}

fn sale(state: &State, row: RowKey) -> Result<Sale> {
    state.sales.row(row)?.into_sale(state)
}

fn new_row(state: &mut State, sale: &Sale) -> Result<Row> {
    let source = state.sales.source_number(&sale.key.source)?;
    Row::from_sale(state, sale, source)
}

fn has_messages(state: &State, key: &SaleKey) -> bool {
    let first = || state.messages.starting_at(&(key.clone(), Revision::FIRST)).next();
    !state.messages.is_empty() && first().is_some_and(|((known, _), _)| known == key)
}

fn identifier_taken(sale: &Sale) -> Error {
    Error::new(ErrorKind::AlreadyExists, "another sale has this identifier").with("id", sale.id).with("sale", &sale.key)
}

fn entry(message: &StoredMessage) -> Option<(Source, Reference)> {
    message.entry.as_ref().map(|entry| (message.key.source.clone(), entry.clone()))
}

fn write_sort_key(key: RowKey) -> String {
    format!("{}/{}", key.day, key.id)
}

fn read_sort_key(text: &str) -> Result<RowKey> {
    let parts = text.split_once('/').and_then(|(day, id)| day.parse().ok().zip(Uuid::parse_str(id).ok()));
    let (day, id) = parts.ok_or_else(|| Error::invalid("cursor is not one of a list of sales").with("key", text))?;
    Ok(RowKey { day: BusinessDate::from_epoch_day(day)?.epoch_day(), id: SaleId(id) })
}

/// The indices that a query asks for.
struct Wanted {
    agent: Option<u32>,
    product: Option<u32>,
    team: Option<u32>,
    branch: Option<u32>,
}

impl Wanted {
    /// `None` when a code is unknown, so that nothing can match.
    fn new(state: &State, query: &SaleQuery) -> Option<Self> {
        let known = |code: bool, index: Option<u32>| if code && index.is_none() { None } else { Some(index) };
        let agent = query.agent.as_ref().and_then(|code| state.agents.index(code));
        let product = query.product.as_ref().and_then(|code| state.products.index(code));
        let team = query.team.as_ref().and_then(|code| state.teams.index(code));
        let branch = query.branch.as_ref().and_then(|code| state.branches.index(code));
        Some(Self {
            agent: known(query.agent.is_some(), agent)?,
            product: known(query.product.is_some(), product)?,
            team: known(query.team.is_some(), team)?,
            branch: known(query.branch.is_some(), branch)?,
        })
    }

    fn matches(&self, chunk: &Chunk, at: usize) -> bool {
        let is = |wanted: Option<u32>, column: &[u32]| wanted.is_none() || column.get(at).copied() == wanted;
        let sales = &chunk.sales;
        is(self.agent, &sales.agent)
            && is(self.product, &sales.product)
            && is(self.team, &sales.team)
            && is(self.branch, &sales.branch)
    }
}
