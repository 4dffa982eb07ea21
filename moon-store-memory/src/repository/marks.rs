//! Marks. Equal ones are kept once for each claimant.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use moon_core::{BusinessDate, Mark, MarkCounts, MarkRepository, Result};
use uuid::Uuid;

use crate::state::State;
use crate::store::MemoryUnit;

#[async_trait]
impl MarkRepository for MemoryUnit {
    async fn append(&mut self, marks: &[Mark], at: DateTime<Utc>) -> Result<()> {
        let state = self.state_mut()?;
        for mark in marks {
            keep(state, None, mark.clone(), at);
        }
        Ok(())
    }

    async fn claim(&mut self, run: Uuid) -> Result<()> {
        let state = self.state_mut()?;
        for mark in of(state, None) {
            if let Some(at) = state.marks.remove(&(None, mark.clone())) {
                keep(state, Some(run), mark, at);
            }
        }
        Ok(())
    }

    async fn claimed(&mut self, run: Uuid) -> Result<Vec<Mark>> {
        Ok(of(self.state(), Some(run)))
    }

    async fn open(&mut self) -> Result<Vec<Mark>> {
        Ok(of(self.state(), None))
    }

    async fn settle(&mut self, run: Uuid) -> Result<()> {
        let state = self.state_mut()?;
        for mark in of(state, Some(run)) {
            state.marks.remove(&(Some(run), mark));
        }
        Ok(())
    }

    async fn counts(&mut self) -> Result<MarkCounts> {
        Ok(self.state().marks.iter().fold(MarkCounts::default(), |mut counts, ((claimant, _), at)| {
            *(if claimant.is_none() { &mut counts.open } else { &mut counts.claimed }) += 1;
            counts.oldest = counts.oldest.into_iter().chain([*at]).min();
            counts
        }))
    }
}

/// The marks of a claimant (the open ones: `None`), ascending.
fn of(state: &State, claimant: Option<Uuid>) -> Vec<Mark> {
    let lowest = Mark::Day(BusinessDate::MIN);
    let marks = state.marks.starting_at(&(claimant, lowest)).take_while(|((known, _), _)| *known == claimant);
    marks.map(|((_, mark), _)| mark.clone()).collect()
}

/// Keeps a mark, or the older instant of the two if an equal one is there.
fn keep(state: &mut State, claimant: Option<Uuid>, mark: Mark, at: DateTime<Utc>) {
    let key = (claimant, mark);
    let oldest = state.marks.get(&key).map_or(at, |known| at.min(*known));
    state.marks.insert(key, oldest);
}
