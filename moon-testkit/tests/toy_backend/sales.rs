//! Sales and the messages about them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use moon_core::{
    Error, ErrorKind, Page, PageRequest, Reference, Result, Sale, SaleChange, SaleId, SaleKey, SaleQuery,
    SaleRepository, Source, StoredMessage,
};

use super::{State, ToyUnit, not_found, version_conflict};

#[async_trait]
impl SaleRepository for ToyUnit {
    async fn insert_absent(&mut self, sales: &[Sale]) -> Result<Vec<usize>> {
        let state = self.writable()?;
        let mut collisions = Vec::new();
        for (place, sale) in sales.iter().enumerate() {
            check_references(state, sale)?;
            let has_messages = state.messages.keys().any(|(key, _)| *key == sale.key);
            if has_messages || state.sales.contains_key(&sale.key) {
                collisions.push(place);
            } else {
                state.sales.insert(sale.key.clone(), sale.clone());
            }
        }
        Ok(collisions)
    }

    async fn find(&mut self, keys: &[SaleKey]) -> Result<Vec<Option<Sale>>> {
        Ok(keys.iter().map(|key| self.state.sales.get(key).cloned()).collect())
    }

    async fn get(&mut self, id: SaleId) -> Result<Option<Sale>> {
        Ok(self.state.sales.values().find(|sale| sale.id == id).cloned())
    }

    async fn list(&mut self, query: &SaleQuery, page: &PageRequest) -> Result<Page<Sale>> {
        let after = page.after.as_ref().map(moon_core::Cursor::sort_key).transpose()?;
        let sort_key = |sale: &Sale| format!("{} {}", sale.content.date, sale.id);
        let matching = self.state.sales.values().filter(|sale| matches(query, sale)).map(|sale| (sort_key(sale), sale));
        let sorted: BTreeMap<_, _> =
            matching.filter(|(key, _)| after.as_ref().is_none_or(|after| key > after)).collect();
        let wanted = usize::try_from(page.limit).unwrap_or(usize::MAX).saturating_add(1);
        let fetched = sorted.into_values().take(wanted).cloned().collect();
        Ok(Page::from_fetched(fetched, page.limit, sort_key))
    }

    async fn write(&mut self, changes: &[SaleChange]) -> Result<()> {
        let state = self.writable()?;
        for change in changes {
            check_references(state, &change.after)?;
            if state.sales.contains_key(&change.after.key) != change.before.is_some() {
                return Err(version_conflict("sale"));
            }
            state.sales.insert(change.after.key.clone(), change.after.clone());
        }
        Ok(())
    }

    async fn messages(&mut self, keys: &[SaleKey]) -> Result<Vec<StoredMessage>> {
        Ok(self.state.messages.values().filter(|message| keys.contains(&message.key)).cloned().collect())
    }

    async fn add_messages(&mut self, messages: &[StoredMessage]) -> Result<()> {
        let state = self.writable()?;
        for message in messages {
            let known = state.messages.insert((message.key.clone(), message.revision), message.clone());
            if known.is_some() {
                return Err(Error::new(ErrorKind::AlreadyExists, "message is kept already").with("sale", &message.key));
            }
        }
        Ok(())
    }

    async fn find_entries(&mut self, source: &Source, entries: &[Reference]) -> Result<Vec<StoredMessage>> {
        let named = |message: &&StoredMessage| {
            message.key.source == *source && message.entry.as_ref().is_some_and(|entry| entries.contains(entry))
        };
        Ok(self.state.messages.values().filter(named).cloned().collect())
    }
}

fn matches(query: &SaleQuery, sale: &Sale) -> bool {
    query.days.contains(sale.content.date.epoch_day())
        && (query.agent.is_none() || query.agent == sale.content.agent)
        && query.product.as_ref().is_none_or(|product| *product == sale.content.product)
        && (query.team.is_none() || query.team == sale.places.team)
        && (query.branch.is_none() || query.branch == sale.places.branch)
}

/// What foreign keys do in a database.
fn check_references(state: &State, sale: &Sale) -> Result<()> {
    if let Some(agent) = sale.content.agent.as_ref().filter(|agent| !state.agents.contains_key(*agent)) {
        return Err(not_found("agent", agent));
    }
    if !state.products.contains_key(&sale.content.product) {
        return Err(not_found("product", &sale.content.product));
    }
    if let Some(team) = sale.places.team.as_ref().filter(|team| !state.teams.contains_key(*team)) {
        return Err(not_found("team", team));
    }
    match sale.places.branch.as_ref().filter(|branch| !state.branches.contains_key(*branch)) {
        Some(branch) => Err(not_found("branch", branch)),
        None => Ok(()),
    }
}
