//! The life of a sale: how cancellations, reinstatements and a void turn into postings.

use crate::{
    Adjustment, AdjustmentKind, Amount, BusinessDate, Error, ErrorKind, LifeMessage, Result, Revision, SaleContent,
};

/// What the life messages of a sale make of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) voided: bool,
    pub(crate) adjustments: Vec<Adjustment>,
    /// What of the amount still stands.
    remaining: Amount,
    /// Whether the sale still counts as one: false once nothing remains.
    counts: bool,
}

impl Life {
    /// Folds life messages, ascending by revision, over a content. The result depends on the messages alone, never on
    /// the order in which they arrived: a part beyond the remainder takes the remainder, a date before the sale's is the
    /// sale's, and a message that finds nothing to do leaves no posting. A void anywhere is final.
    pub(crate) fn fold<'a>(content: &SaleContent, messages: impl Iterator<Item = (Revision, &'a LifeMessage)>) -> Self {
        let mut life = Self { voided: false, adjustments: Vec::new(), remaining: content.amount, counts: true };
        for (revision, message) in messages {
            match message {
                LifeMessage::Void => {
                    return Self { voided: true, adjustments: Vec::new(), remaining: Amount::ZERO, counts: false };
                }
                LifeMessage::Cancel { date, amount } => life.cancel(content, revision, *date, *amount),
                LifeMessage::Reinstate { date } => life.reinstate(content, revision, *date),
            }
        }
        life
    }

    fn cancel(&mut self, content: &SaleContent, revision: Revision, date: BusinessDate, part: Option<Amount>) {
        if !self.counts {
            return;
        }
        let taken = part.map_or(self.remaining, |part| within(part, self.remaining));
        let rest = self.remaining.minor() - taken.minor();
        let ends = rest == 0;
        if taken == Amount::ZERO && !ends {
            return;
        }
        // The rest lies between nothing and what remained, so it is a valid amount.
        self.remaining = Amount::from_minor(rest).unwrap_or_default();
        self.counts = !ends;
        let kind = AdjustmentKind::Cancellation;
        let count = if ends { -1 } else { 0 };
        self.adjustments.push(Adjustment { kind, date: date.max(content.date), amount: -taken, count, revision });
    }

    fn reinstate(&mut self, content: &SaleContent, revision: Revision, date: BusinessDate) {
        let restored = content.amount.minor() - self.remaining.minor();
        if self.counts && restored == 0 {
            return;
        }
        let count = i8::from(!self.counts);
        self.counts = true;
        self.remaining = content.amount;
        // What was cancelled lies between nothing and the sale's amount, so it is a valid amount.
        let amount = Amount::from_minor(restored).unwrap_or_default();
        let kind = AdjustmentKind::Reinstatement;
        self.adjustments.push(Adjustment { kind, date: date.max(content.date), amount, count, revision });
    }

    /// Whether a command about the sale as it stands can have its full effect.
    ///
    /// # Errors
    /// `Refused` or `InvalidInput`, saying what stands in the way.
    pub(crate) fn permits(&self, content: &SaleContent, message: &LifeMessage) -> Result<()> {
        let refused = |reason: &str| Err(Error::new(ErrorKind::Refused, reason));
        if self.voided {
            return refused("the sale is void, which is final");
        }
        match message {
            LifeMessage::Void => Ok(()),
            LifeMessage::Cancel { date, .. } | LifeMessage::Reinstate { date } if *date < content.date => {
                Err(Error::invalid("date lies before the sale's").with("date", date).with("sale_date", content.date))
            }
            LifeMessage::Cancel { .. } if !self.counts => refused("nothing of the sale remains to be cancelled"),
            LifeMessage::Cancel { amount: Some(part), .. }
                if *part == Amount::ZERO || within(*part, self.remaining) != *part =>
            {
                Err(Error::invalid("part to cancel is zero, of the other sign, or more than remains")
                    .with("part_minor", part.minor())
                    .with("remaining_minor", self.remaining.minor()))
            }
            LifeMessage::Reinstate { .. }
                if self.adjustments.is_empty() || self.remaining == content.amount && self.counts =>
            {
                refused("nothing of the sale was cancelled")
            }
            LifeMessage::Cancel { .. } | LifeMessage::Reinstate { .. } => Ok(()),
        }
    }
}

/// The part of `part` that lies between nothing and `whole`.
fn within(part: Amount, whole: Amount) -> Amount {
    if whole < Amount::ZERO { part.clamp(whole, Amount::ZERO) } else { part.clamp(Amount::ZERO, whole) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ProductCode, SaleKind};

    fn sale(minor: i64) -> SaleContent {
        SaleContent {
            agent: None,
            product: ProductCode::new("LIFE").unwrap(),
            amount: Amount::from_minor(minor).unwrap(),
            date: day("2026-01-15"),
            kind: SaleKind::NewBusiness,
            policy_number: None,
            team: None,
            branch: None,
        }
    }

    fn day(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    fn cancel(date: &str, minor: Option<i64>) -> LifeMessage {
        LifeMessage::Cancel { date: day(date), amount: minor.map(|minor| Amount::from_minor(minor).unwrap()) }
    }

    fn reinstate(date: &str) -> LifeMessage {
        LifeMessage::Reinstate { date: day(date) }
    }

    fn postings(content: &SaleContent, messages: &[LifeMessage]) -> Vec<(String, i64, i8)> {
        let numbered =
            messages.iter().enumerate().map(|(at, message)| (Revision(u32::try_from(at).unwrap() + 1), message));
        let life = Life::fold(content, numbered);
        life.adjustments
            .iter()
            .map(|posting| (posting.date.to_string(), posting.amount.minor(), posting.count))
            .collect()
    }

    fn expected(rows: &[(&str, i64, i8)]) -> Vec<(String, i64, i8)> {
        rows.iter().map(|(date, minor, count)| ((*date).to_owned(), *minor, *count)).collect()
    }

    #[test]
    fn example_b_cancel_reinstate_and_cancel_a_part() {
        let messages = [cancel("2026-02-03", None), reinstate("2026-03-04"), cancel("2026-04-10", Some(300))];
        let rows = [("2026-02-03", -1_000, -1), ("2026-03-04", 1_000, 1), ("2026-04-10", -300, 0)];
        assert_eq!(postings(&sale(1_000), &messages), expected(&rows));
    }

    #[test]
    fn parts_end_with_the_remainder_and_never_go_beyond() {
        let messages = [
            cancel("2026-02-01", Some(700)),
            cancel("2026-02-02", Some(700)),
            cancel("2026-02-03", Some(1)),
            cancel("2026-02-04", None),
        ];
        assert_eq!(postings(&sale(1_000), &messages), expected(&[("2026-02-01", -700, 0), ("2026-02-02", -300, -1)]));
        let negative = [cancel("2026-02-01", Some(-40)), cancel("2026-02-02", Some(10)), cancel("2026-02-03", None)];
        assert_eq!(postings(&sale(-100), &negative), expected(&[("2026-02-01", 40, 0), ("2026-02-03", 60, -1)]));
    }

    #[test]
    fn a_sale_of_nothing_still_counts_and_can_be_cancelled() {
        let messages = [cancel("2026-02-01", None), reinstate("2026-02-02"), cancel("2026-02-03", None)];
        assert_eq!(
            postings(&sale(0), &messages),
            expected(&[("2026-02-01", 0, -1), ("2026-02-02", 0, 1), ("2026-02-03", 0, -1)])
        );
    }

    #[test]
    fn dates_before_the_sale_become_the_sales_and_a_void_is_final() {
        assert_eq!(postings(&sale(5), &[cancel("2026-01-01", None)]), expected(&[("2026-01-15", -5, -1)]));
        assert_eq!(postings(&sale(5), &[reinstate("2026-02-01")]), expected(&[]));
        assert_eq!(
            postings(&sale(5), &[cancel("2026-02-01", None), LifeMessage::Void, reinstate("2026-02-01")]),
            expected(&[])
        );
    }

    #[test]
    fn commands_that_cannot_have_their_full_effect_are_refused() {
        let content = sale(1_000);
        let permits = |messages: &[LifeMessage], command: &LifeMessage| {
            let numbered = messages.iter().map(|message| (Revision(1), message));
            Life::fold(&content, numbered).permits(&content, command).map_err(|error| error.kind())
        };
        let part = cancel("2026-02-01", Some(400));
        assert_eq!(permits(&[], &part), Ok(()));
        assert_eq!(
            permits(std::slice::from_ref(&part), &cancel("2026-02-02", Some(601))),
            Err(ErrorKind::InvalidInput)
        );
        assert_eq!(permits(std::slice::from_ref(&part), &reinstate("2026-02-02")), Ok(()));
        assert_eq!(permits(&[], &cancel("2026-02-02", Some(-1))), Err(ErrorKind::InvalidInput));
        assert_eq!(permits(&[], &cancel("2026-01-14", None)), Err(ErrorKind::InvalidInput));
        assert_eq!(permits(&[], &reinstate("2026-02-02")), Err(ErrorKind::Refused));
        assert_eq!(permits(&[cancel("2026-02-01", None)], &cancel("2026-02-02", None)), Err(ErrorKind::Refused));
        assert_eq!(permits(&[LifeMessage::Void], &LifeMessage::Void), Err(ErrorKind::Refused));
    }
}
