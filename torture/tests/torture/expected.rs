//! Batches of messages, and what they add up to by plain arithmetic, without the engine.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use moon_core::{
    BusinessDate, DayControl, DaySet, Dimension, Figures, Fold, FoldPlan, Ledger, PostingFilter, Sum, Totals,
    UnitOfWork,
};
use moon_core::{SaleMessage, UNASSIGNED};
use moon_testkit::builders::{actor, assignment, cancel, content, content_message, date, enter, life_message, rupees};
use moon_testkit::random::Chance;

pub(crate) const TEAMS: [&str; 3] = ["T0", "T1", "T2"];
pub(crate) const BRANCHES: [&str; 4] = ["B0", "B1", "B2", "B3"];
pub(crate) const PRODUCTS: [&str; 3] = ["P0", "P1", "P2"];

/// Agent `A<n>` belongs to the team and the branch of its number, counted around; the last one belongs nowhere.
pub(crate) const AGENTS: [&str; 9] = ["A0", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8"];

/// Enters who and what is sold, in a new ledger.
pub(crate) async fn prepare(ledger: &Ledger) {
    enter(ledger, &TEAMS, &BRANCHES, &PRODUCTS, &AGENTS).await;
    let placed = AGENTS.iter().take(AGENTS.len() - 1).zip(TEAMS.iter().cycle().zip(BRANCHES.iter().cycle()));
    let placed: Vec<_> = placed.map(|(agent, (team, branch))| assignment(agent, "2020-01-01", team, branch)).collect();
    ledger.assign(&actor(), &placed).await.unwrap();
}

/// Sums by group.
pub(crate) type Groups = BTreeMap<(Dimension, String), Figures>;

/// Messages that go into one call.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) messages: Vec<SaleMessage>,
    /// How many of them are sales.
    pub(crate) sales: u64,
    /// What they add up to.
    pub(crate) figures: Figures,
    /// The same by group.
    pub(crate) groups: Groups,
}

/// A batch of up to `sales_max` sales on one of the days that are given for each, every fifth of them cancelled on its day.
pub(crate) fn batch(name: &str, sales_max: u64, chance: &mut Chance, day: impl Fn(&mut Chance) -> String) -> Batch {
    let sales = 1 + chance.below(sales_max);
    let mut batch = Batch { messages: Vec::new(), sales, figures: Figures::default(), groups: Groups::new() };
    let mut cancellations = Vec::new();
    for number in 0..sales {
        let place = usize::try_from(chance.below(9)).unwrap();
        let (agent, product, day) = (AGENTS[place], chance.pick(&PRODUCTS), day(chance));
        let amount = rupees(i64::try_from(chance.below(90_000)).unwrap() - 10_000);
        let reference = format!("{name}-{number}");
        let sale = content(agent, product, &day, amount);
        batch.messages.push(content_message(&reference, Some(0), sale));
        let is_cancelled = chance.below(5) == 0;
        if is_cancelled {
            cancellations.push(life_message(&reference, Some(1), cancel(&day)));
        }
        let once = Sum { minor: amount.minor().into(), count: 1 };
        let net = if is_cancelled { Sum::ZERO } else { once };
        let figures = Figures { net, gross: once, activity: net };
        let is_placed = place + 1 < AGENTS.len();
        let (team, branch) = (TEAMS[place % TEAMS.len()], BRANCHES[place % BRANCHES.len()]);
        let (team, branch) = if is_placed { (team, branch) } else { (UNASSIGNED, UNASSIGNED) };
        batch.figures = batch.figures.plus(figures).unwrap();
        for key in [(Dimension::Team, team), (Dimension::Branch, branch), (Dimension::Product, product)] {
            add(&mut batch.groups, (key.0, key.1.to_owned()), figures);
        }
    }
    batch.messages.append(&mut cancellations);
    batch
}

/// Adds to a group.
pub(crate) fn add(groups: &mut Groups, key: (Dimension, String), figures: Figures) {
    let sum = groups.entry(key).or_default();
    *sum = sum.plus(figures).unwrap();
}

/// The day of that number, from 2026-01-01 on.
pub(crate) fn day(number: u64) -> BusinessDate {
    BusinessDate::from_epoch_day(date("2026-01-01").epoch_day() + i32::try_from(number).unwrap()).unwrap()
}

/// All totals by day in the snapshot of a unit, read posting by posting, after the law was checked on them.
pub(crate) async fn lawful_totals(unit: &mut dyn UnitOfWork) -> Totals {
    let filter = PostingFilter::default();
    let mut fold = Fold::new(FoldPlan::daily(&Dimension::DAILY, DaySet::all()));
    let mut batches = unit.postings().scan(&filter);
    while let Some(batch) = batches.try_next().await.unwrap() {
        fold.push(&batch).unwrap();
    }
    drop(batches);
    let totals = fold.finish().unwrap();
    check_law(&totals);
    totals
}

/// By team, by branch and by product the same sums as without any grouping, day by day.
fn check_law(totals: &Totals) {
    for dimension in Dimension::DAILY {
        let mut days: BTreeMap<BusinessDate, Figures> = BTreeMap::new();
        for cell in totals.cells.iter().filter(|cell| cell.dimension == dimension) {
            let sum = days.entry(cell.day).or_default();
            *sum = sum.plus(cell.figures).unwrap();
        }
        let days: Vec<DayControl> = days.into_iter().map(|(day, figures)| DayControl { day, figures }).collect();
        totals.control.check(dimension, &days).unwrap();
    }
}
