//! What the life messages of a sale leave of it, played through one by one.

use moon_core::{Adjustment, AdjustmentKind, Amount, BusinessDate, ErrorKind, LifeMessage, Revision, SaleContent};

/// A sale after some life messages.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) voided: bool,
    /// Whether it still counts.
    stands: bool,
    /// Minor units that were cancelled, with the sign of the sale.
    taken: i64,
    pub(super) postings: Vec<Adjustment>,
}

impl Standing {
    /// Plays messages, ascending by revision, on a content.
    pub(super) fn after<'a>(content: &SaleContent, lives: impl Iterator<Item = (u32, &'a LifeMessage)>) -> Self {
        let mut standing = Self { voided: false, stands: true, taken: 0, postings: Vec::new() };
        for (revision, life) in lives {
            match life {
                LifeMessage::Void => standing.voided = true,
                LifeMessage::Cancel { date, amount } => standing.cancel(content, revision, *date, *amount),
                LifeMessage::Reinstate { date } => standing.reinstate(content, revision, *date),
            }
        }
        if standing.voided {
            standing.postings.clear();
        }
        standing
    }

    fn rest(&self, content: &SaleContent) -> i64 {
        content.amount.minor() - self.taken
    }

    fn cancel(&mut self, content: &SaleContent, revision: u32, date: BusinessDate, part: Option<Amount>) {
        let rest = self.rest(content);
        let wanted = part.map_or(rest, Amount::minor);
        // Never beyond what remains, and nothing at all against its sign.
        let part = if wanted.signum() != rest.signum() {
            0
        } else if wanted.abs() > rest.abs() {
            rest
        } else {
            wanted
        };
        let ends = part == rest;
        if self.stands && (part != 0 || ends) {
            self.taken += part;
            self.stands = !ends;
            self.post(content, revision, AdjustmentKind::Cancellation, date, -part, if ends { -1 } else { 0 });
        }
    }

    fn reinstate(&mut self, content: &SaleContent, revision: u32, date: BusinessDate) {
        if !self.stands || self.taken != 0 {
            let count = if self.stands { 0 } else { 1 };
            self.post(content, revision, AdjustmentKind::Reinstatement, date, self.taken, count);
            self.taken = 0;
            self.stands = true;
        }
    }

    fn post(
        &mut self,
        content: &SaleContent,
        revision: u32,
        kind: AdjustmentKind,
        date: BusinessDate,
        minor: i64,
        count: i8,
    ) {
        let amount = Amount::from_minor(minor).unwrap();
        let date = if date < content.date { content.date } else { date };
        self.postings.push(Adjustment { kind, date, amount, count, revision: Revision(revision) });
    }

    /// Whether a command could have its full effect.
    pub(super) fn permits(&self, content: &SaleContent, command: &LifeMessage) -> Result<(), ErrorKind> {
        let rest = self.rest(content);
        match command {
            _ if self.voided => Err(ErrorKind::Refused),
            LifeMessage::Void => Ok(()),
            LifeMessage::Cancel { date, .. } | LifeMessage::Reinstate { date } if *date < content.date => {
                Err(ErrorKind::InvalidInput)
            }
            LifeMessage::Cancel { .. } if !self.stands => Err(ErrorKind::Refused),
            LifeMessage::Cancel { amount: Some(part), .. } => {
                let part = part.minor();
                let fits = part != 0 && part.signum() == rest.signum() && part.abs() <= rest.abs();
                if fits { Ok(()) } else { Err(ErrorKind::InvalidInput) }
            }
            LifeMessage::Reinstate { .. } if self.stands && self.taken == 0 => Err(ErrorKind::Refused),
            LifeMessage::Cancel { .. } | LifeMessage::Reinstate { .. } => Ok(()),
        }
    }
}
