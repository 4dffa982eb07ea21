//! The sales behind figures of a closed period that differ.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use moon_core::{
    BusinessDate, DaySet, Ledger, LifeMessage, MessageBody, Result, Sale, SaleKey, StoredMessage, UnitOfWork,
};

use super::{Comparison, LateSale, Reason, RestatedCell, Since};
use crate::touching::{Group, SalesOf, sale_days};

/// Looks for the sales behind the cells that differ: first where they lie, then where they may have gone.
pub(super) async fn find(
    ledger: &Ledger,
    unit: &mut dyn UnitOfWork,
    since: &Since,
    sales_max: usize,
    comparison: &mut Comparison,
) -> Result<()> {
    let mut changed = Vec::with_capacity(comparison.cells.len());
    for RestatedCell { change, .. } in &comparison.cells {
        changed.push((change.day, Group::new(change.dimension, &change.code)?));
    }
    let days: DaySet = changed.iter().map(|(day, _)| *day).collect();
    if days.is_empty() {
        return Ok(());
    }
    let sale_days = sale_days(unit, &days, None).await?;
    let mut pages = SalesOf::new(&sale_days, None);
    while let Some(mut sales) = pages.next(unit).await? {
        sales.retain(|sale| lies_in(sale, &changed));
        add(comparison, sales_max, late(ledger, unit, &sales, since.began).await?);
    }
    let mut pages = SalesOf::new(&since.days, None);
    while let Some(mut sales) = pages.next(unit).await? {
        // Reported with another content than it has; few sales are.
        sales.retain(|sale| {
            sale.recorded_at < since.began && sale.content_at >= since.began && !lies_in(sale, &changed)
        });
        let sales = gone(unit, sales, &days, since.began).await?;
        add(comparison, sales_max, late(ledger, unit, &sales, since.began).await?);
    }
    Ok(())
}

fn add(comparison: &mut Comparison, sales_max: usize, late: Vec<LateSale>) {
    for sale in late {
        if comparison.sales.len() < sales_max {
            comparison.sales.push(sale);
        } else {
            comparison.more_sales = comparison.more_sales.saturating_add(1);
        }
    }
}

/// Whether a posting of the sale, or its date if it is voided, lies in one of these cells.
fn lies_in(sale: &Sale, cells: &[(BusinessDate, Group)]) -> bool {
    let days: BTreeSet<BusinessDate> = sale.posting_dates().chain([sale.content.date]).collect();
    cells.iter().any(|(day, group)| days.contains(day) && group.has(sale))
}

/// Those of these sales that had a posting on one of the days before something was said about them.
async fn gone(
    unit: &mut dyn UnitOfWork,
    mut sales: Vec<Sale>,
    days: &DaySet,
    since: DateTime<Utc>,
) -> Result<Vec<Sale>> {
    let messages = messages(unit, &sales).await?;
    sales.retain(|sale| {
        let before = || of(&messages, sale).iter().filter(|message| message.received_at < since);
        let cancelled = before().filter_map(|message| match &message.body {
            MessageBody::Life(LifeMessage::Cancel { date, .. } | LifeMessage::Reinstate { date }) => Some(*date),
            MessageBody::Life(LifeMessage::Void) | MessageBody::Content(_) => None,
        });
        let sold = reported_day(of(&messages, sale), since);
        cancelled.chain(sold).any(|day| days.contains(day.epoch_day()))
    });
    Ok(sales)
}

/// The date of a sale by the highest content of before, where that has been replaced.
fn reported_day(messages: &[StoredMessage], since: DateTime<Utc>) -> Option<BusinessDate> {
    let contents = messages.iter().filter_map(|message| match &message.body {
        MessageBody::Content(content) if message.received_at < since => Some((message.revision, content.date)),
        MessageBody::Content(_) | MessageBody::Life(_) => None,
    });
    contents.max().map(|(_, day)| day)
}

type Messages = BTreeMap<SaleKey, Vec<StoredMessage>>;

/// The kept messages about these sales.
async fn messages(unit: &mut dyn UnitOfWork, sales: &[Sale]) -> Result<Messages> {
    let keys: Vec<SaleKey> = sales.iter().map(|sale| sale.key.clone()).collect();
    let mut messages = Messages::new();
    if !keys.is_empty() {
        for message in unit.sales().messages(&keys).await? {
            messages.entry(message.key.clone()).or_default().push(message);
        }
    }
    Ok(messages)
}

fn of<'m>(messages: &'m Messages, sale: &Sale) -> &'m [StoredMessage] {
    messages.get(&sale.key).map(Vec::as_slice).unwrap_or_default()
}

/// Those of these sales about which something was said since.
async fn late(
    ledger: &Ledger,
    unit: &mut dyn UnitOfWork,
    sales: &[Sale],
    since: DateTime<Utc>,
) -> Result<Vec<LateSale>> {
    if sales.is_empty() {
        return Ok(Vec::new());
    }
    let messages = messages(unit, sales).await?;
    let behind = ledger.assignments_behind_in(unit, sales).await?;
    let mut late = Vec::new();
    for (sale, assignment) in sales.iter().zip(behind) {
        let mut reasons = Vec::new();
        for message in of(&messages, sale).iter().filter(|message| message.received_at >= since) {
            let reason = match &message.body {
                MessageBody::Content(_) => Reason::Content(message.revision),
                MessageBody::Life(life) => Reason::Life(name(life), message.revision),
            };
            reasons.push((message.received_at, reason));
        }
        let corrected = sale.content_at >= since;
        if corrected {
            reasons.push((sale.content_at, Reason::Content(sale.revision)));
        }
        let derived = sale.content.team.is_none() || sale.content.branch.is_none();
        if let Some(assignment) = assignment.filter(|assignment| derived && assignment.entered_at >= since) {
            reasons.push((assignment.entered_at, Reason::Assigned(Box::new(assignment))));
        }
        if !reasons.is_empty() {
            reasons.sort_by_key(|(at, _)| *at);
            let reported = reported_day(of(&messages, sale), since).filter(|_| corrected);
            late.push(LateSale {
                id: sale.id,
                key: sale.key.clone(),
                day: sale.content.date,
                moved_from: reported.filter(|day| *day != sale.content.date),
                places: sale.places.clone(),
                product: sale.content.product.clone(),
                reasons,
            });
        }
    }
    Ok(late)
}

fn name(life: &LifeMessage) -> &'static str {
    match life {
        LifeMessage::Cancel { .. } => "cancel",
        LifeMessage::Reinstate { .. } => "reinstate",
        LifeMessage::Void => "void",
    }
}
