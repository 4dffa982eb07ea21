//! Whoever changes the ledger: sales, corrections, cancellations, reinstatements, voids, late assignments, names.

use moon_core::{ErrorKind, Ledger, LifeMessage, PutRule, SaleMessage};
use moon_testkit::builders::{
    actor, assignment, cancel, cancel_part, content, content_message, date, enter, life_message, reinstate, rupees,
    team,
};
use moon_testkit::random::Chance;

const TEAMS: [&str; 3] = ["T0", "T1", "T2"];
const BRANCHES: [&str; 4] = ["B0", "B1", "B2", "B3"];
const PRODUCTS: [&str; 3] = ["P0", "P1", "P2"];

/// The last one belongs nowhere at first.
const AGENTS: [&str; 7] = ["A0", "A1", "A2", "A3", "A4", "A5", "A6"];

/// Days on which something is sold.
const DAYS: u64 = 90;

/// A month that has ended on every clock, and in which something is sold.
pub(crate) const MONTH: &str = "2024-01";

/// The most new sales of a batch.
const SALES_MAX: u64 = 40;

/// Writes batches by chance.
#[derive(Debug)]
pub(crate) struct Writer {
    chance: Chance,
    /// The name before each reference.
    name: String,
    /// How many sales it has recorded.
    sales: u64,
}

impl Writer {
    /// Enters who and what is sold, in a new ledger.
    pub(crate) async fn new(ledger: &Ledger, chance: Chance) -> Self {
        enter(ledger, &TEAMS, &BRANCHES, &PRODUCTS, &AGENTS).await;
        let placed = AGENTS.iter().take(AGENTS.len() - 1).zip(TEAMS.iter().cycle().zip(BRANCHES.iter().cycle()));
        let placed: Vec<_> =
            placed.map(|(agent, (team, branch))| assignment(agent, "2020-01-01", team, branch)).collect();
        ledger.assign(&actor(), &placed).await.unwrap();
        Self::named("S", chance)
    }

    /// One more, in a ledger that knows these.
    pub(crate) fn named(name: &str, chance: Chance) -> Self {
        Self { chance, name: name.to_owned(), sales: 0 }
    }

    fn day(&mut self) -> String {
        let first = date("2024-01-01").epoch_day();
        moon_core::BusinessDate::from_epoch_day(first + i32::try_from(self.chance.below(DAYS)).unwrap())
            .unwrap()
            .to_string()
    }

    fn content(&mut self, reference: &str) -> SaleMessage {
        let (agent, product, day) = (self.chance.pick(&AGENTS), self.chance.pick(&PRODUCTS), self.day());
        let amount = rupees(i64::try_from(self.chance.below(90_000)).unwrap() - 10_000);
        content_message(reference, None, content(agent, product, &day, amount))
    }

    /// New sales.
    pub(crate) fn sales(&mut self) -> Vec<SaleMessage> {
        let count = 1 + self.chance.below(SALES_MAX);
        let first = self.sales;
        self.sales += count;
        (first..self.sales).map(|number| self.content(&format!("{}{number}", self.name))).collect()
    }

    /// Something about sales of before. What cannot be (a cancelled sale cancelled once more, say) is refused one by one.
    pub(crate) fn changes(&mut self) -> Vec<SaleMessage> {
        let mut messages = Vec::new();
        for _ in 0..self.sales.min(12) {
            let reference = format!("{}{}", self.name, self.chance.below(self.sales));
            let life = match self.chance.below(6) {
                0 => cancel("2024-04-30"),
                1 => cancel_part(&self.day(), rupees(1)),
                2 => reinstate("2024-05-01"),
                3 if self.chance.below(4) == 0 => LifeMessage::Void,
                _ => {
                    messages.push(self.content(&reference));
                    continue;
                }
            };
            messages.push(life_message(&reference, None, life));
        }
        messages
    }

    /// Sales, changes of others, and sometimes an agent who is found to have moved long ago, or another name.
    pub(crate) async fn write(&mut self, ledger: &Ledger) {
        let changes = self.changes();
        ledger.record_sales(&actor(), &changes).await.unwrap();
        let sales = self.sales();
        let counts = ledger.record_sales(&actor(), &sales).await.unwrap().counts();
        assert_eq!(counts.recorded, u64::try_from(sales.len()).unwrap());
        if self.chance.below(3) == 0 {
            let (agent, day) = (self.chance.pick(&AGENTS), self.day());
            let late = assignment(agent, &day, self.chance.pick(&TEAMS), self.chance.pick(&BRANCHES));
            // The same day may have been entered before, with another place.
            match ledger.assign(&actor(), &[late]).await {
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error:?}"),
            }
        }
        if self.chance.below(5) == 0 {
            let mut renamed = team(self.chance.pick(&TEAMS));
            renamed.name = moon_testkit::builders::text(&format!("Team of batch {}", self.sales));
            ledger.put_teams(&actor(), &[renamed], PutRule::Replace).await.unwrap();
        }
    }
}
