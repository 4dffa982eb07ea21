//! A reader who looks at the published figures all the time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moon_core::{DayRange, Figures, Published, Warehouse};
use tokio::task::JoinHandle;

use crate::figures::{State, is_lawful};

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What it saw.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Looks {
    /// How often it looked.
    pub(crate) all: u32,
    /// How often it saw another state than the time before.
    pub(crate) changes: u32,
}

/// Sees one known state after the other.
pub(crate) struct Watch {
    /// The states in the order in which they may be published; all that may ever be seen.
    states: Arc<Mutex<Vec<State>>>,
    over: Arc<AtomicBool>,
    task: JoinHandle<Looks>,
}

impl Watch {
    /// Begins to look at figures that are published as they were last said to be, and has seen them once.
    pub(crate) async fn new(warehouse: Arc<dyn Warehouse>, published: State) -> Self {
        let states = Arc::new(Mutex::new(vec![published]));
        let over = Arc::new(AtomicBool::new(false));
        let mut eye = Eye { warehouse, states: Arc::clone(&states), at: 0, run: (0, 0), looks: Looks::default() };
        eye.look().await;
        let task = tokio::spawn(eye.look_until(Arc::clone(&over)));
        Self { states, over, task }
    }

    /// Before a run: what may be published from now on.
    pub(crate) fn expect(&self, state: State) {
        self.states.lock().unwrap().push(state);
    }

    /// Ends, when the last state was published, with a look at that.
    pub(crate) async fn end(self) -> Looks {
        self.over.store(true, Ordering::Release);
        let looks = self.task.await.unwrap();
        assert!(looks.changes > 0, "no state but the first was seen in {looks:?}");
        looks
    }
}

struct Eye {
    warehouse: Arc<dyn Warehouse>,
    states: Arc<Mutex<Vec<State>>>,
    /// Where the state stands that was seen last.
    at: usize,
    /// The epoch and the number of its run.
    run: (u32, u64),
    looks: Looks,
}

impl Eye {
    /// Looks all the time, and once when all is over: at the last state.
    async fn look_until(mut self, over: Arc<AtomicBool>) -> Looks {
        while !over.load(Ordering::Acquire) {
            self.look().await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.look().await;
        let states = self.states.lock().unwrap();
        assert_eq!(states.get(self.at), states.last(), "what was published last is not seen");
        self.looks
    }

    async fn look(&mut self) {
        let published = self.warehouse.read(DayRange::ALL).await.unwrap();
        let seen = state(&published);
        assert!(is_lawful(&seen), "groups of one look do not add up to the same: {seen:?}");
        let known = self.states.lock().unwrap().clone();
        // An older one, a mixture and nothing at all are not among those that are left.
        let further = known[self.at..].iter().position(|state| *state == seen);
        let further = further.unwrap_or_else(|| panic!("after state {} of {}: {seen:?}", self.at, known.len()));
        self.at += further;
        let key = published.run.unwrap().key;
        assert!((key.epoch, key.number) >= self.run, "{key:?} after {:?}", self.run);
        self.run = (key.epoch, key.number);
        self.looks.all += 1;
        self.looks.changes += u32::from(further > 0);
    }
}

fn state(published: &Published) -> State {
    let sums = published.sums.iter().filter(|sum| sum.figures != Figures::default());
    sums.map(|sum| ((sum.dimension.name().to_owned(), sum.code.to_string()), sum.figures)).collect()
}
