//! From the numbers under which the database keeps codes to the dictionary indices of a scan.

use std::collections::HashMap;

use moon_core::{Code, CodeKind, Error, ErrorKind, PostingBatch, Result, UNASSIGNED_INDEX};

use crate::codes::{self, Coded};
use crate::session::Session;
use crate::value;

/// The four dictionaries of a scan.
#[derive(Debug, Default)]
pub(super) struct Dictionaries {
    teams: Dictionary,
    branches: Dictionary,
    products: Dictionary,
    agents: Dictionary,
}

impl Dictionaries {
    /// Replaces the database's numbers in a batch by dictionary indices, and adds the codes that are new.
    pub(super) async fn encode(&mut self, session: &mut Session<'_>, batch: &mut PostingBatch) -> Result<()> {
        let (sales, adjustments) = (&mut batch.sales, &mut batch.adjustments.postings);
        let new = &mut batch.new_codes;
        self.teams.encode(session, Coded::Team, [&mut sales.team, &mut adjustments.team], &mut new.teams).await?;
        self.branches
            .encode(session, Coded::Branch, [&mut sales.branch, &mut adjustments.branch], &mut new.branches)
            .await?;
        self.products
            .encode(session, Coded::Product, [&mut sales.product, &mut adjustments.product], &mut new.products)
            .await?;
        self.agents.encode(session, Coded::Agent, [&mut sales.agent, &mut adjustments.agent], &mut new.agents).await
    }
}

/// Numbers below this have their index at their own place; a sequence with gaps may lead beyond.
const DENSE: usize = 1 << 20;

/// The index of each number that has been seen; 0 for those that have not.
#[derive(Debug, Default)]
struct Dictionary {
    dense: Vec<u32>,
    sparse: HashMap<u32, u32>,
    length: u32,
}

impl Dictionary {
    async fn encode<K: CodeKind>(
        &mut self,
        session: &mut Session<'_>,
        coded: Coded,
        columns: [&mut Vec<u32>; 2],
        new_codes: &mut Vec<Code<K>>,
    ) -> Result<()> {
        let mut new_numbers = Vec::new();
        for number in columns.into_iter().flatten().filter(|number| **number != UNASSIGNED_INDEX) {
            let next = self.length + 1;
            let slot = self.slot(*number);
            if *slot == 0 {
                *slot = next;
                new_numbers.push(*number);
            }
            let index = *slot;
            self.length = self.length.max(index);
            *number = index;
        }
        if new_numbers.is_empty() {
            return Ok(());
        }
        let names = codes::codes_of(session, coded, &new_numbers).await?;
        for number in &new_numbers {
            let name = names.get(number).ok_or_else(|| {
                Error::new(ErrorKind::Corrupt, "sale refers to a code that is not there").with("number", number)
            })?;
            new_codes.push(value::code(name)?);
        }
        Ok(())
    }

    /// The place of a number's index, made if need be.
    fn slot(&mut self, number: u32) -> &mut u32 {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        if place < DENSE && place >= self.dense.len() {
            self.dense.resize(place + 1, 0);
        }
        match self.dense.get_mut(place) {
            Some(slot) => slot,
            None => self.sparse.entry(number).or_default(),
        }
    }
}
