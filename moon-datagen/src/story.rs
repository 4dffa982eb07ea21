//! What becomes of a sale, by its number alone.

use moon_core::Amount;

use crate::Rates;
use crate::chance::{CERTAIN, Draw, Draws};

/// What happens to a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Its content is corrected.
    Correct,
    /// It is taken back.
    Cancel {
        /// `None`: all of it.
        part: Option<Amount>,
        /// By a negative row that names it.
        named: bool,
    },
    /// It counts again.
    Reinstate,
    /// It should never have been entered.
    Void,
}

/// The day on which the content of a sale arrives.
pub(crate) fn arrival(rates: &Rates, day: i32, draws: &Draws) -> i32 {
    let late = draws.happens(Draw::Backdated, rates.backdated);
    if late { day.saturating_add(days_within(draws, Draw::ArrivalDelay, 1, 20)) } else { day }
}

/// What happens to a sale once it has arrived: at most two turns, each so many days behind what was said before.
pub(crate) fn story(rates: &Rates, amount: Amount, draws: &Draws) -> [Option<(i32, Turn)>; 2] {
    let mut point = draws.below(Draw::Fate, CERTAIN.into());
    let mut fate = rates.fates().len();
    for (index, rate) in rates.fates().into_iter().map(u64::from).enumerate() {
        if point < rate {
            fate = index;
            break;
        }
        point -= rate;
    }
    let weeks = days_within(draws, Draw::FateDelay, 1, 90);
    // Of too small an amount there is no part: then all of it is cancelled.
    let percent = i64::try_from(draws.within(Draw::PartSize, 10, 90)).unwrap_or(50);
    let part = Amount::from_minor(amount.minor() / 100 * percent).ok().filter(|part| *part != Amount::ZERO);
    match fate {
        0 => [Some((days_within(draws, Draw::FateDelay, 1, 21), Turn::Correct)), None],
        1 => {
            let again = draws.happens(Draw::Reinstated, rates.reinstatements);
            let reinstated = (days_within(draws, Draw::ReinstatedDelay, 5, 60), Turn::Reinstate);
            [Some((weeks, Turn::Cancel { part: None, named: false })), again.then_some(reinstated)]
        }
        2 => [Some((weeks, Turn::Cancel { part, named: false })), None],
        3 => {
            let part = part.filter(|_| draws.happens(Draw::Part, 4_000));
            [Some((weeks, Turn::Cancel { part, named: true })), None]
        }
        4 => [Some((days_within(draws, Draw::FateDelay, 0, 5), Turn::Void)), None],
        _ => [None, None],
    }
}

fn days_within(draws: &Draws, draw: Draw, low: u64, high: u64) -> i32 {
    i32::try_from(draws.within(draw, low, high)).unwrap_or(1)
}
