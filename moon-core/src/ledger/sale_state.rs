//! One sale while messages about it are taken in: the single place where revisions decide.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::attribution::Attribution;
use super::lifecycle::Life;
use super::message::{RevisionRule, SaleMessage, SaleOutcome};
use crate::{
    Error, ErrorKind, LifeMessage, MessageBody, Reference, Result, Revision, Sale, SaleChange, SaleContent, SaleId,
    SaleKey, StoredMessage,
};

/// A sale and everything said about it. Messages change it in memory; what is new is then written at once.
#[derive(Debug)]
pub(super) struct SaleState {
    key: SaleKey,
    before: Option<Sale>,
    sale: Option<Sale>,
    /// All messages but the current content, by revision.
    messages: BTreeMap<Revision, StoredMessage>,
    /// Messages that are not kept by the store yet.
    new_messages: Vec<StoredMessage>,
}

/// What taking in messages has changed.
#[derive(Debug)]
pub(super) struct StateChange {
    /// The sale, when it is new or differs.
    pub(super) sale: Option<SaleChange>,
    /// Messages to keep.
    pub(super) messages: Vec<StoredMessage>,
}

impl SaleState {
    pub(super) fn new(key: SaleKey, sale: Option<Sale>, messages: impl IntoIterator<Item = StoredMessage>) -> Self {
        let messages = messages.into_iter().map(|message| (message.revision, message)).collect();
        Self { key, before: sale.clone(), sale, messages, new_messages: Vec::new() }
    }

    /// Takes in one message. `new_id` names the sale if the message makes a new one.
    pub(super) fn take(
        &mut self,
        message: &SaleMessage,
        attribution: &Attribution,
        new_id: impl FnOnce() -> SaleId,
        now: DateTime<Utc>,
    ) -> SaleOutcome {
        let revision = match self.place(message) {
            Ok(Some(revision)) => revision,
            Ok(None) => return SaleOutcome::Duplicate(self.sale.as_ref().map(|sale| sale.id)),
            Err(error) if error.kind() == ErrorKind::PayloadConflict => return SaleOutcome::Conflict(error),
            Err(error) => return SaleOutcome::Rejected(error),
        };
        match &message.body {
            MessageBody::Content(content) => self.take_content(content, revision, attribution, new_id, now),
            MessageBody::Life(_) => self.take_life(message, revision, now),
        }
    }

    /// The revision that a message takes; `None` for a repeat of what is known.
    fn place(&self, message: &SaleMessage) -> Result<Option<Revision>> {
        let conflict = |revision: Revision| {
            Error::new(ErrorKind::PayloadConflict, "revision arrived before with another payload")
                .with("sale", &self.key)
                .with("revision", revision)
        };
        let same_content = |content: &SaleContent| self.sale.as_ref().is_some_and(|sale| sale.content == *content);
        match (message.revision, &message.body) {
            (RevisionRule::Given(revision), body) => match self.body_at(revision) {
                None => Ok(Some(revision)),
                Some((known, entry)) if known == *body && entry == message.entry => Ok(None),
                Some(_) => Err(conflict(revision)),
            },
            (RevisionRule::Next | RevisionRule::Only, MessageBody::Content(content)) if same_content(content) => {
                Ok(None)
            }
            (RevisionRule::Only, MessageBody::Content(_)) => match &self.sale {
                Some(sale) => Err(conflict(sale.revision)),
                None => self.next_revision().map(Some),
            },
            (RevisionRule::Next, MessageBody::Content(_)) => self.next_revision().map(Some),
            (RevisionRule::Next | RevisionRule::Only, MessageBody::Life(command)) => {
                if let Some(sale) = &self.sale {
                    self.life(&sale.content)
                        .permits(&sale.content, command)
                        .map_err(|error| error.with("sale", &self.key))?;
                }
                self.next_revision().map(Some)
            }
        }
    }

    fn take_content(
        &mut self,
        content: &SaleContent,
        revision: Revision,
        attribution: &Attribution,
        new_id: impl FnOnce() -> SaleId,
        now: DateTime<Utc>,
    ) -> SaleOutcome {
        let Some(known) = self.sale.take() else {
            let sale = Sale {
                id: new_id(),
                key: self.key.clone(),
                content: content.clone(),
                places: attribution.places(content),
                revision,
                last_revision: self.last_message().max(Some(revision)).unwrap_or(revision),
                voided: false,
                adjustments: Vec::new(),
                recorded_at: now,
                content_at: now,
            };
            let outcome = SaleOutcome::Recorded(sale.id, revision);
            self.settle(sale);
            return outcome;
        };
        let (id, last_revision) = (known.id, known.last_revision.max(revision));
        let stale = revision < known.revision;
        let (kept, sale) = if stale {
            let kept = self.message(revision, MessageBody::Content(content.clone()), None, now);
            (kept, Sale { last_revision, ..known })
        } else {
            let kept =
                self.message(known.revision, MessageBody::Content(known.content.clone()), None, known.content_at);
            let places = attribution.places(content);
            (kept, Sale { content: content.clone(), places, revision, last_revision, content_at: now, ..known })
        };
        self.keep(kept);
        self.settle(sale);
        if stale { SaleOutcome::Stale(id) } else { SaleOutcome::Corrected(id, revision) }
    }

    fn take_life(&mut self, message: &SaleMessage, revision: Revision, now: DateTime<Utc>) -> SaleOutcome {
        self.keep(self.message(revision, message.body.clone(), message.entry.clone(), now));
        let Some(known) = self.sale.take() else { return SaleOutcome::Kept(revision) };
        let id = known.id;
        let last_revision = known.last_revision.max(revision);
        self.settle(Sale { last_revision, ..known });
        SaleOutcome::Applied(id, revision)
    }

    /// Folds the life messages over the content and makes the result the sale.
    fn settle(&mut self, mut sale: Sale) {
        let life = self.life(&sale.content);
        sale.voided = life.voided;
        sale.adjustments = life.adjustments;
        self.sale = Some(sale);
    }

    fn life(&self, content: &SaleContent) -> Life {
        Life::fold(
            content,
            self.messages.values().filter_map(|message| life_of(&message.body).map(|life| (message.revision, life))),
        )
    }

    fn message(
        &self,
        revision: Revision,
        body: MessageBody,
        entry: Option<Reference>,
        received_at: DateTime<Utc>,
    ) -> StoredMessage {
        StoredMessage { key: self.key.clone(), revision, body, entry, received_at }
    }

    fn keep(&mut self, message: StoredMessage) {
        self.new_messages.push(message.clone());
        self.messages.insert(message.revision, message);
    }

    /// What is known under a revision, with the entry that carried it.
    fn body_at(&self, revision: Revision) -> Option<(MessageBody, Option<Reference>)> {
        let current = self.sale.as_ref().filter(|sale| sale.revision == revision);
        match current {
            Some(sale) => Some((MessageBody::Content(sale.content.clone()), None)),
            None => self.messages.get(&revision).map(|message| (message.body.clone(), message.entry.clone())),
        }
    }

    fn last_message(&self) -> Option<Revision> {
        self.messages.last_key_value().map(|(revision, _)| *revision)
    }

    fn next_revision(&self) -> Result<Revision> {
        let last = self.last_message().max(self.sale.as_ref().map(|sale| sale.last_revision));
        last.map_or(Ok(Revision::FIRST), Revision::next)
    }

    /// What is to be written.
    pub(super) fn into_change(self) -> StateChange {
        let sale = self
            .sale
            .filter(|sale| self.before.as_ref() != Some(sale))
            .map(|after| SaleChange { before: self.before, after });
        StateChange { sale, messages: self.new_messages }
    }
}

fn life_of(body: &MessageBody) -> Option<&LifeMessage> {
    match body {
        MessageBody::Life(life) => Some(life),
        MessageBody::Content(_) => None,
    }
}
