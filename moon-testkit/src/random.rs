//! Sales made at random from a seed: the same ones on every machine.

use moon_core::{
    AMOUNT_MINOR_MAX, Adjustment, AdjustmentKind, Amount, BusinessDate, Places, Revision, Sale, SaleContent, SaleKind,
};

use crate::builders::{agent_code, branch_code, date, product_code, sale, team_code};

/// A generator of numbers (SplitMix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The numbers of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 up to but without `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// One of some things.
    pub fn pick<T: Clone>(&mut self, things: &[T]) -> T {
        let at = usize::try_from(self.below(u64::try_from(things.len()).unwrap())).unwrap();
        things[at].clone()
    }
}

/// Sales of what [`fill`](crate::builders::fill) writes, numbered from 1, on 40 days from 2026-01-20 on: places given,
/// derived and missing, every kind, cancellations and reinstatements, voids, and amounts up to the largest.
#[must_use]
pub fn sales(seed: u64, count: u32) -> Vec<Sale> {
    let chance = &mut Chance::new(seed);
    (1..=count).map(|number| random_sale(chance, number)).collect()
}

fn random_sale(chance: &mut Chance, number: u32) -> Sale {
    let first = date("2026-01-20").epoch_day();
    let day = first + i32::try_from(chance.below(40)).unwrap();
    let small = i64::try_from(chance.below(2_000_000)).unwrap() - 500_000;
    let minor = chance.pick(&[small, small, small, 0, AMOUNT_MINOR_MAX - small.abs(), -AMOUNT_MINOR_MAX]);
    let amount = Amount::from_minor(minor).unwrap();
    let places = Places {
        team: chance.pick(&[None, Some("ALPHA"), Some("BETA")]).map(team_code),
        branch: chance.pick(&[None, Some("COLOMBO"), Some("KANDY")]).map(branch_code),
    };
    let content = SaleContent {
        agent: chance.pick(&[None, Some("AGT001"), Some("AGT002")]).map(agent_code),
        product: product_code(chance.pick(&["LIFE", "MOTOR"])),
        amount,
        date: BusinessDate::from_epoch_day(day).unwrap(),
        kind: chance.pick(&SaleKind::EVERY),
        policy_number: None,
        team: places.team.clone().filter(|_| chance.below(2) == 0),
        branch: places.branch.clone().filter(|_| chance.below(2) == 0),
    };
    let voided = chance.below(10) == 0;
    let adjustments = if voided { Vec::new() } else { random_life(chance, day, amount) };
    let last_revision = adjustments.last().map_or(Revision::FIRST, |adjustment| adjustment.revision);
    Sale { content, places, voided, adjustments, last_revision, ..sale(number, "2026-01-20", amount) }
}

/// Cancelled and reinstated in turn, up to three times.
fn random_life(chance: &mut Chance, day: i32, amount: Amount) -> Vec<Adjustment> {
    let mut own_day = day;
    let times = chance.pick(&[0, 0, 0, 1, 1, 2, 3]);
    (1..=times)
        .map(|revision| {
            own_day += i32::try_from(chance.below(30)).unwrap();
            let (kind, amount, count) = if revision % 2 == 1 {
                (AdjustmentKind::Cancellation, -amount, -1)
            } else {
                (AdjustmentKind::Reinstatement, amount, 1)
            };
            let date = BusinessDate::from_epoch_day(own_day).unwrap();
            Adjustment { kind, date, amount, count, revision: Revision(revision) }
        })
        .collect()
}
