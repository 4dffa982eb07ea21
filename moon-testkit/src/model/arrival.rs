//! Every order of arrival ends in the same state.

use std::collections::BTreeMap;

use moon_core::{
    AgentCode, BusinessDate, DayRange, Dimension, Ledger, MessageBody, NewAssignment, PAGE_LIMIT_MAX, PageRequest,
    PostingFilter, Reference, Revision, RevisionRule, Sale, SaleId, SaleKey, SaleMessage, SaleQuery, Totals,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use uuid::Uuid;

use super::command::{SALES, content, life, open_assignment};
use super::{prepared, run_cases};
use crate::builders::{actor, key, noon};
use crate::fixture::{StoreFixture, block_on};
use crate::postings::{scan, totals_of};

/// Something that arrives. Each is the only one of its place: a revision of a sale, or a start of an agent.
#[derive(Debug, Clone)]
enum Arrival {
    Message(SaleMessage),
    Assignment(NewAssignment),
}

/// Numbered messages, assignments and repeats of some of them arrive in two orders, cut into calls of another length:
/// both ledgers hold the same then, but for identifiers and instants.
pub fn every_order_of_arrival_ends_in_the_same_state<F: StoreFixture>() {
    if F::skipped() {
        return;
    }
    run_cases(orders(), |(first, second, cut)| {
        let states = [(first, *cut), (second, 1)].map(|(arrivals, cut)| {
            block_on(async {
                let (store, guard) = F::store().await;
                let ledger = prepared(store).await;
                for part in arrivals.chunks(cut) {
                    arrive(&ledger, part).await;
                }
                let state = State::of(&ledger).await;
                drop(guard);
                state
            })
        });
        let [first, second] = states;
        assert_eq!(first, second);
    });
}

/// The same things in two orders, and how many arrive in one call of the first.
fn orders() -> impl Strategy<Value = (Vec<Arrival>, Vec<Arrival>, usize)> {
    let body = prop_oneof![content().prop_map(MessageBody::Content), life().prop_map(MessageBody::Life)];
    let messages = btree_map((0..SALES.len(), 0_u32..5), body, 1..12).prop_map(|messages| {
        let message = |((sale, revision), body): ((usize, u32), MessageBody)| SaleMessage {
            key: key(SALES[sale]),
            revision: RevisionRule::Given(Revision(revision)),
            body,
            entry: None,
        };
        messages.into_iter().map(message).map(Arrival::Message).collect::<Vec<_>>()
    });
    let assignments = vec(open_assignment(), 0..4).prop_map(|assignments| {
        let by_key: BTreeMap<(AgentCode, BusinessDate), NewAssignment> =
            assignments.into_iter().map(|new| ((new.agent.clone(), new.from), new)).collect();
        by_key.into_values().map(Arrival::Assignment).collect::<Vec<_>>()
    });
    (messages, assignments, 0_usize..4).prop_flat_map(|(mut all, assignments, repeated)| {
        all.extend(assignments);
        let repeats: Vec<_> = all.iter().take(repeated).cloned().collect();
        all.extend(repeats);
        (Just(all.clone()).prop_shuffle(), Just(all).prop_shuffle(), 1_usize..6)
    })
}

/// One call for each run of messages and each run of assignments.
async fn arrive(ledger: &Ledger, arrivals: &[Arrival]) {
    let mut messages = Vec::new();
    for arrival in arrivals {
        match arrival {
            Arrival::Message(message) => messages.push(message.clone()),
            Arrival::Assignment(assignment) => {
                ledger.assign(&actor(), std::slice::from_ref(assignment)).await.unwrap();
            }
        }
    }
    let report = ledger.record_sales(&actor(), &messages).await.unwrap();
    assert_eq!(report.counts().conflicts, 0, "{report:?}");
}

/// What does not depend on when and in which order things came.
#[derive(Debug, PartialEq)]
struct State {
    sales: BTreeMap<SaleKey, Sale>,
    messages: Vec<(SaleKey, Revision, MessageBody, Option<Reference>)>,
    totals: Totals,
}

impl State {
    async fn of(ledger: &Ledger) -> Self {
        let mut unit = ledger.snapshot().await.unwrap();
        let page = PageRequest::first(PAGE_LIMIT_MAX);
        let sales = unit.sales().list(&SaleQuery::default(), &page).await.unwrap().items.into_iter();
        let plain = |sale: Sale| Sale {
            id: SaleId(Uuid::nil()),
            recorded_at: noon("2026-06-15"),
            content_at: noon("2026-06-15"),
            ..sale
        };
        let messages = unit.sales().messages(&SALES.map(key)).await.unwrap().into_iter();
        let (postings, _) = scan(unit.as_mut(), &PostingFilter::default()).await;
        Self {
            sales: sales.map(|sale| (sale.key.clone(), plain(sale))).collect(),
            messages: messages.map(|message| (message.key, message.revision, message.body, message.entry)).collect(),
            totals: totals_of(&postings, &Dimension::DAILY, &DayRange::ALL.into()),
        }
    }
}
