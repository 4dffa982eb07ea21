//! The history: what arrives, in the order in which it arrives.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use moon_core::{
    Amount, BusinessDate, LifeMessage, MessageBody, NewAssignment, Reference, Result, Revision, RevisionRule,
    SaleContent, SaleMessage, Sum,
};

use crate::SalesForce;
use crate::sale::SaleMaker;
use crate::story::{Turn, arrival, story};

/// The most messages in one [`Event::Sales`].
pub const MESSAGES_MAX: usize = 1_000;

/// Something that arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Messages about sales: contents, corrections, cancellations, reinstatements, voids. A busy day has several.
    Sales {
        /// The day of arrival.
        arrived: BusinessDate,
        /// In their order, at most [`MESSAGES_MAX`].
        messages: Vec<SaleMessage>,
    },
    /// Assignments of agents who join or move; some took effect weeks before. That of an agent who is going to leave has
    /// an end.
    Assignments {
        /// The day of arrival.
        arrived: BusinessDate,
        /// In their order.
        assignments: Vec<NewAssignment>,
    },
}

/// What has arrived so far, and what it adds up to over all time. Computed beside the ledger, to prove the ledger by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrived {
    /// Sales.
    pub sales: u64,
    /// Corrections of contents.
    pub corrections: u64,
    /// Cancellations, in full or in part, those by a negative row included.
    pub cancellations: u64,
    /// Reinstatements.
    pub reinstatements: u64,
    /// Voids.
    pub voids: u64,
    /// Assignments behind the first ones.
    pub assignments: u64,
    /// Of these, transfers that took effect before they arrived.
    pub late_transfers: u64,
    /// The postings of sales alone.
    pub gross: Sum,
    /// All postings, which is also the activity.
    pub net: Sum,
}

impl Arrived {
    /// Life messages: cancellations, reinstatements and voids.
    #[must_use]
    pub fn life(&self) -> u64 {
        self.cancellations + self.reinstatements + self.voids
    }

    /// All messages about sales.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.sales + self.corrections + self.life()
    }
}

/// What is still to be said about a sale: on which day, about which, as which message of its story. Ascending.
type Pending = Reverse<(i32, u64, u8)>;

/// The events of a history, made one by one by [`SalesForce::history`]. Holds no more than what is still to come of the
/// sales of the last five months.
#[derive(Debug, Clone)]
pub struct History<'a> {
    force: &'a SalesForce,
    maker: Option<SaleMaker<'a>>,
    day: i32,
    last_day: i32,
    next_sale: u64,
    next_entry: usize,
    pending: BinaryHeap<Pending>,
    arrived: Arrived,
}

impl SalesForce {
    /// The history from the first to the last day: each day the assignments, then messages about sales. What would
    /// arrive behind the last day is left out. Each call begins anew, and yields the same.
    #[must_use]
    pub fn history(&self) -> History<'_> {
        let first_day = self.plan.first_day.epoch_day();
        History {
            force: self,
            maker: None,
            day: first_day,
            last_day: self.season.last_day(),
            next_sale: 0,
            // Those of the first day are in force before the history begins.
            next_entry: self.entries.partition_point(|entry| entry.entered <= first_day),
            pending: BinaryHeap::new(),
            arrived: Arrived::default(),
        }
    }
}

impl History<'_> {
    /// What the events that were handed out add up to.
    #[must_use]
    pub fn arrived(&self) -> &Arrived {
        &self.arrived
    }

    fn advance(&mut self) -> Result<Option<Event>> {
        while self.day <= self.last_day {
            let arrived = BusinessDate::from_epoch_day(self.day)?;
            let assignments = self.assignments()?;
            if !assignments.is_empty() {
                return Ok(Some(Event::Assignments { arrived, assignments }));
            }
            let messages = self.messages()?;
            if !messages.is_empty() {
                return Ok(Some(Event::Sales { arrived, messages }));
            }
            self.day += 1;
        }
        Ok(None)
    }

    /// The assignments of the day that were not handed out yet.
    fn assignments(&mut self) -> Result<Vec<NewAssignment>> {
        let mut assignments = Vec::new();
        while let Some(entry) = self.force.entries.get(self.next_entry).filter(|entry| entry.entered <= self.day) {
            self.next_entry += 1;
            self.arrived.assignments += 1;
            self.arrived.late_transfers += u64::from(entry.is_late());
            assignments.extend(entry.assignment(&self.force.names())?);
        }
        Ok(assignments)
    }

    /// Messages of the day that were not handed out yet: what is due, then new sales.
    fn messages(&mut self) -> Result<Vec<SaleMessage>> {
        let mut maker = match self.maker.take() {
            Some(maker) => maker,
            None => SaleMaker::new(self.force)?,
        };
        let sales_end = self.force.season.sales_before(self.day.saturating_add(1));
        let mut messages = Vec::new();
        while messages.len() < MESSAGES_MAX {
            let due = self.pending.peek().map(|Reverse(due)| *due).filter(|(day, ..)| *day <= self.day);
            if let Some((_, sale, step)) = due {
                self.pending.pop();
                messages.extend(self.say(&mut maker, sale, step)?);
            } else if self.next_sale < sales_end {
                let sale = self.next_sale;
                self.next_sale += 1;
                let arrival = arrival(&self.force.plan.rates, self.day, &maker.draws(sale));
                if arrival > self.day {
                    self.expect(arrival, sale, 0);
                } else {
                    messages.extend(self.say(&mut maker, sale, 0)?);
                }
            } else {
                break;
            }
        }
        self.maker = Some(maker);
        Ok(messages)
    }

    fn expect(&mut self, day: i32, sale: u64, step: u8) {
        if day <= self.last_day {
            self.pending.push(Reverse((day, sale, step)));
        }
    }

    /// The message of a sale's story at a step, 0 being its content; plans the next one.
    fn say(&mut self, maker: &mut SaleMaker<'_>, sale: u64, step: u8) -> Result<Option<SaleMessage>> {
        let draws = maker.draws(sale);
        let Some(content) = maker.content(sale)? else { return Ok(None) };
        let [first, second] = story(&self.force.plan.rates, content.amount, &draws);
        if let Some((delay, _)) = [first, second].get(usize::from(step)).copied().flatten() {
            self.expect(self.day.saturating_add(delay), sale, step + 1);
        }
        let mut message = SaleMessage {
            key: maker.key(sale)?,
            revision: RevisionRule::Given(Revision(step.into())),
            body: MessageBody::Content(content.clone()),
            entry: None,
        };
        let turn = match step {
            0 => None,
            1 => first.map(|(_, turn)| turn),
            _ => second.map(|(_, turn)| turn),
        };
        self.arrived.count(&content, turn)?;
        let date = BusinessDate::from_epoch_day(self.day)?;
        match turn {
            None => {}
            Some(Turn::Correct) => {
                let corrected = maker.corrected(&content, &draws)?;
                self.arrived.gross = replaced(self.arrived.gross, content.amount, corrected.amount)?;
                self.arrived.net = replaced(self.arrived.net, content.amount, corrected.amount)?;
                message.body = MessageBody::Content(corrected);
            }
            Some(Turn::Cancel { part, named }) => {
                message.body = MessageBody::Life(LifeMessage::Cancel { date, amount: part });
                if named {
                    // A row of its own in the source knows nothing about the revisions of another.
                    let entry = format!("R{:010}", sale.saturating_add(1));
                    message.entry = Some(Reference::new("reference", &entry)?);
                    message.revision = RevisionRule::Next;
                }
            }
            Some(Turn::Reinstate) => message.body = MessageBody::Life(LifeMessage::Reinstate { date }),
            Some(Turn::Void) => message.body = MessageBody::Life(LifeMessage::Void),
        }
        Ok(Some(message))
    }
}

impl Iterator for History<'_> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

impl Arrived {
    /// Counts a message: the content of a sale, or the turn that its story takes.
    fn count(&mut self, content: &SaleContent, turn: Option<Turn>) -> Result<()> {
        let whole = Sum::new(content.amount.minor().into(), 1);
        let less = |sum: Sum| Sum::new(-sum.minor, -sum.count);
        match turn {
            None => {
                self.sales += 1;
                self.gross = self.gross.plus(whole)?;
                self.net = self.net.plus(whole)?;
            }
            Some(Turn::Correct) => self.corrections += 1,
            Some(Turn::Cancel { part, .. }) => {
                self.cancellations += 1;
                let taken = part.map_or(whole, |part| Sum::new(part.minor().into(), 0));
                self.net = self.net.plus(less(taken))?;
            }
            Some(Turn::Reinstate) => {
                self.reinstatements += 1;
                self.net = self.net.plus(whole)?;
            }
            Some(Turn::Void) => {
                self.voids += 1;
                self.gross = self.gross.plus(less(whole))?;
                self.net = self.net.plus(less(whole))?;
            }
        }
        Ok(())
    }
}

fn replaced(sum: Sum, before: Amount, after: Amount) -> Result<Sum> {
    sum.plus(Sum::new(i128::from(after.minor()) - i128::from(before.minor()), 0))
}

#[cfg(test)]
mod tests {
    use moon_core::Calendar;

    use super::*;
    use crate::Plan;

    #[test]
    fn what_is_held_depends_on_the_sales_of_a_day_and_not_on_the_length() {
        let held = |years: u32| {
            let plan = Plan { sales: 4_000 * u64::from(years), days: 365 * years, ..Plan::demo() };
            let force = SalesForce::new(&plan, "LKR".parse().unwrap(), Calendar::default()).unwrap();
            let mut history = force.history();
            let mut held = 0;
            while let Some(event) = history.next() {
                event.unwrap();
                held = held.max(history.pending.len());
            }
            held
        };
        let (short, long) = (held(1), held(8));
        assert!(short > 10 && long < short * 2, "{short} {long}");
    }
}
