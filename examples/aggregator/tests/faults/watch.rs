//! A reader who looks at the published figures all the time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moon_core::{DayRange, Figures, Published, Warehouse};
use tokio::task::JoinHandle;

use crate::figures::{State, is_lawful};

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Sees one known state after the other.
pub(crate) struct Watch {
    /// The states in the order in which they may be published; all that may ever be seen.
    states: Arc<Mutex<Vec<State>>>,
    over: Arc<AtomicBool>,
    task: JoinHandle<u32>,
}

impl Watch {
    /// Begins to look at figures that are published as they were last said to be.
    pub(crate) fn new(warehouse: Arc<dyn Warehouse>, published: State) -> Self {
        let states = Arc::new(Mutex::new(vec![published]));
        let over = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(look(warehouse, Arc::clone(&states), Arc::clone(&over)));
        Self { states, over, task }
    }

    /// Before a run: what may be published from now on.
    pub(crate) fn expect(&self, state: State) {
        self.states.lock().unwrap().push(state);
    }

    /// Ends; how often it looked.
    pub(crate) async fn end(self) -> u32 {
        self.over.store(true, Ordering::Release);
        self.task.await.unwrap()
    }
}

async fn look(warehouse: Arc<dyn Warehouse>, states: Arc<Mutex<Vec<State>>>, over: Arc<AtomicBool>) -> u32 {
    let (mut at, mut run, mut looks) = (0, (0, 0), 0);
    while !over.load(Ordering::Acquire) {
        let published = warehouse.read(DayRange::ALL).await.unwrap();
        let seen = state(&published);
        assert!(is_lawful(&seen), "groups of one look do not add up to the same: {seen:?}");
        let known = states.lock().unwrap().clone();
        // An older one, a mixture and nothing at all are not among those that are left.
        let further = known[at..].iter().position(|state| *state == seen);
        at += further.unwrap_or_else(|| panic!("after state {at} of {}: {seen:?}", known.len()));
        let key = published.run.unwrap().key;
        assert!((key.epoch, key.number) >= run, "{key:?} after {run:?}");
        (run, looks) = ((key.epoch, key.number), looks + 1);
        tokio::time::sleep(LOOK_EVERY).await;
    }
    looks
}

fn state(published: &Published) -> State {
    let sums = published.sums.iter().filter(|sum| sum.figures != Figures::default());
    sums.map(|sum| ((sum.dimension.name().to_owned(), sum.code.to_string()), sum.figures)).collect()
}
