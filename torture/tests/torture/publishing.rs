//! A server killed while figures are published: readers see one published state after the other, whole and never an older
//! one, and the next run puts everything right.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moon_aggregate::{Aggregation, RunCommand, RunOptions, RunReport, Silent};
use moon_core::{DayRange, Dimension, ErrorKind, Figures, Published, Result, Warehouse};
use moon_servers::Kind;
use moon_testkit::builders::actor;
use moon_testkit::random::Chance;
use moon_testkit::rounds::{Rounds, chance};

use crate::arena::Arena;
use crate::expected::{BRANCHES, Batch, Groups, PRODUCTS, TEAMS, add, batch, day, prepare};

/// How often a reader looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The most sales between two runs.
const SALES_MAX: u64 = 60;

/// Days on which something is sold.
const DAYS: u64 = 60;

/// The latest moment of a kill, in milliseconds.
const KILL_MAX: u64 = 600;

/// What has to happen in the rounds.
const BROKEN_OFF: &str = "the kill broke a run off";
const MET: &str = "a reader looked at the figures during a run";

/// What the ledger holds after one more batch, and so what a run may publish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct State {
    total: Figures,
    groups: Groups,
}

impl State {
    fn with(&self, batch: &Batch) -> Self {
        let mut state = self.clone();
        state.total = state.total.plus(batch.figures).unwrap();
        for (key, figures) in &batch.groups {
            add(&mut state.groups, key.clone(), *figures);
        }
        state
    }

    fn of(published: &Published) -> Self {
        let mut groups = Groups::new();
        for sum in &published.sums {
            add(&mut groups, (sum.dimension, sum.code.to_string()), sum.figures);
        }
        groups.retain(|_, figures| *figures != Figures::default());
        // The control of a run's record is that of its days.
        let teams = published.sums.iter().filter(|sum| sum.dimension == Dimension::Team);
        let total = teams.fold(Figures::default(), |total, sum| total.plus(sum.figures).unwrap());
        Self { total, groups }
    }
}

/// The states in the order of the batches; all that may ever be seen.
type States = Arc<Mutex<Vec<State>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_server_killed_while_publishing() {
    kill_while_publishing(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mariadb_server_killed_while_publishing() {
    kill_while_publishing(Kind::MySql).await;
}

async fn kill_while_publishing(kind: Kind) {
    let Some(mut arena) = Arena::open(kind) else { return };
    let mut rounds = Rounds::new(&[BROKEN_OFF, MET]);
    while let Some(round) = rounds.begin() {
        let mut chance = chance(round);
        let database = arena.database("publishing").await;
        let ledger = database.ledger().await;
        prepare(&ledger).await;
        let aggregation = Aggregation::new(ledger, database.warehouse().await);
        let states = States::default();
        let runs = Arc::new(AtomicU64::new(0));
        let mut publisher = Publisher {
            aggregation,
            states: Arc::clone(&states),
            chance: chance.clone(),
            unsure: None,
            runs: Arc::clone(&runs),
        };
        publisher.step().await.unwrap();

        let over = Arc::new(AtomicBool::new(false));
        let reader = Reader { warehouse: database.warehouse().await, states: Arc::clone(&states), runs };
        let reader = tokio::spawn(reader.look_until(Arc::clone(&over)));
        let publishing = tokio::spawn(publisher.until_the_server_is_gone());
        tokio::time::sleep(Duration::from_millis(5 + chance.below(KILL_MAX))).await;
        arena.kill().await;
        let mut publisher = publishing.await.unwrap();
        let is_broken_off = publisher.leave_run();
        arena.restart().await;

        publisher.step().await.unwrap();
        let before = states.lock().unwrap().len();
        publisher.step().await.unwrap();
        over.store(true, Ordering::Release);
        let looks = reader.await.unwrap();
        assert_eq!(states.lock().unwrap().len(), before + 1, "the server is back: a step after the other");
        eprintln!(
            "publishing on {}, round {round}: {before} states, {looks:?}, {}",
            kind.word(),
            if is_broken_off { "a run broken off" } else { "no run broken off" }
        );
        for (thing, happened) in [(BROKEN_OFF, is_broken_off), (MET, looks.during_runs > 0)] {
            if happened {
                rounds.happened(thing);
            }
        }
    }
}

/// Records a batch and publishes, again and again.
struct Publisher {
    aggregation: Aggregation,
    states: States,
    chance: Chance,
    /// A batch of which nobody knows whether it was recorded.
    unsure: Option<Batch>,
    /// How many runs were begun and how many were ended, taken together: odd in the middle of one.
    runs: Arc<AtomicU64>,
}

impl Publisher {
    /// Records a batch, or once more the one that nobody is sure of, and publishes everything exactly.
    async fn step(&mut self) -> Result<()> {
        let batch = match self.unsure.take() {
            Some(batch) => batch,
            None => {
                let mut states = self.states.lock().unwrap();
                let name = states.len().to_string();
                let batch = batch(&name, SALES_MAX, &mut self.chance, |chance| day(chance.below(DAYS)).to_string());
                let state = states.last().cloned().unwrap_or_default().with(&batch);
                states.push(state);
                batch
            }
        };
        let recorded = self.aggregation.ledger().record_sales(&actor(), &batch.messages).await;
        self.unsure = recorded.is_err().then_some(batch);
        recorded?;
        self.runs.fetch_add(1, Ordering::SeqCst);
        run(&self.aggregation).await?;
        self.runs.fetch_add(1, Ordering::SeqCst);
        let published = self.aggregation.warehouse().read(DayRange::ALL).await?;
        assert_eq!(Some(&State::of(&published)), self.states.lock().unwrap().last(), "not what was recorded");
        Ok(())
    }

    /// Whether it was in the middle of a run, which it then is no longer.
    fn leave_run(&self) -> bool {
        let was_in_a_run = self.runs.load(Ordering::SeqCst) % 2 == 1;
        self.runs.fetch_add(u64::from(was_in_a_run), Ordering::SeqCst);
        was_in_a_run
    }

    async fn until_the_server_is_gone(mut self) -> Self {
        loop {
            if let Err(error) = self.step().await {
                assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout), "{error:?}");
                return self;
            }
        }
    }
}

async fn run(aggregation: &Aggregation) -> Result<RunReport> {
    // The server may have been gone before the run could give back its lease, and the ledger's clock stands still.
    let options = RunOptions { lease: Duration::ZERO, ..RunOptions::default() };
    aggregation.run(&RunCommand::incremental(), &options, &Silent).await
}

/// How often a reader saw figures.
#[derive(Debug, Default)]
struct Looks {
    all: u32,
    /// Those that a run went on beside, if only for a part of them.
    during_runs: u32,
}

/// Looks at the figures all the time.
struct Reader {
    warehouse: Arc<dyn Warehouse>,
    states: States,
    runs: Arc<AtomicU64>,
}

impl Reader {
    async fn look_until(self, over: Arc<AtomicBool>) -> Looks {
        let (mut last, mut looks) = (0, Looks::default());
        while !over.load(Ordering::Acquire) {
            let before = self.runs.load(Ordering::SeqCst);
            match self.warehouse.read(DayRange::ALL).await {
                Ok(published) => {
                    last = self.check(&published, last);
                    looks.all += 1;
                    if before % 2 == 1 || self.runs.load(Ordering::SeqCst) != before {
                        looks.during_runs += 1;
                    }
                }
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout), "{error:?}");
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        looks
    }

    /// Which state this is: none before the one that was seen last.
    fn check(&self, published: &Published, last: usize) -> usize {
        let seen = State::of(published);
        let known = self.states.lock().unwrap().clone();
        let at = known.iter().position(|state| *state == seen);
        let at = at.unwrap_or_else(|| panic!("saw what no run has published: {seen:?}"));
        assert!(at >= last, "saw state {at} after state {last}");
        let dimensions = (published.teams.len(), published.branches.len(), published.products.len());
        assert_eq!(dimensions, (TEAMS.len(), BRANCHES.len(), PRODUCTS.len()));
        at
    }
}
