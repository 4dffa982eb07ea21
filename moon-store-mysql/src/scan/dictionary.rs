//! From the numbers under which the database keeps codes to the dictionary indices of a scan.

use std::collections::HashMap;

use moon_core::{Code, CodeKind, Error, ErrorKind, PostingBatch, Result, UNASSIGNED_INDEX};

use crate::codes::{self, Coded};
use crate::session::Session;
use crate::value::{self, Columns as _};

/// All codes but those of agents, which may be very many, in one statement.
const CODES: &str = "SELECT 1, id, code FROM ledger_teams UNION ALL SELECT 2, id, code FROM ledger_branches
    UNION ALL SELECT 3, id, code FROM ledger_products";

/// The four dictionaries of a scan.
#[derive(Debug, Default)]
pub(super) struct Dictionaries {
    teams: Dictionary,
    branches: Dictionary,
    products: Dictionary,
    agents: Dictionary,
}

impl Dictionaries {
    /// Reads the codes of teams, branches and products, so that none has to be looked up while sales arrive.
    pub(super) async fn load(session: &mut Session<'_>) -> Result<Self> {
        let mut dictionaries = Self::default();
        for row in session.rows("look up codes", CODES, Vec::new()).await? {
            let dictionary = match row.int(0)? {
                1 => &mut dictionaries.teams,
                2 => &mut dictionaries.branches,
                _ => &mut dictionaries.products,
            };
            dictionary.names.insert(value::narrow(row.int(1)?)?, row.text(2)?.to_owned());
        }
        Ok(dictionaries)
    }

    /// Looks up the codes of a batch's agents, as far as they are new.
    pub(super) async fn load_agents(&mut self, session: &mut Session<'_>, batch: &PostingBatch) -> Result<()> {
        let mut new: Vec<u32> = [&batch.sales.agent, &batch.adjustments.postings.agent]
            .into_iter()
            .flatten()
            .copied()
            .filter(|number| *number != UNASSIGNED_INDEX && !self.agents.has(*number))
            .collect();
        new.sort_unstable();
        new.dedup();
        if !new.is_empty() {
            self.agents.names = codes::codes_of(session, Coded::Agent, &new).await?;
        }
        Ok(())
    }

    /// Replaces the database's numbers in a batch by dictionary indices, and adds the codes that are new.
    pub(super) fn encode(&mut self, batch: &mut PostingBatch) -> Result<()> {
        let (sales, adjustments) = (&mut batch.sales, &mut batch.adjustments.postings);
        let new = &mut batch.new_codes;
        self.teams.encode([&mut sales.team, &mut adjustments.team], &mut new.teams)?;
        self.branches.encode([&mut sales.branch, &mut adjustments.branch], &mut new.branches)?;
        self.products.encode([&mut sales.product, &mut adjustments.product], &mut new.products)?;
        self.agents.encode([&mut sales.agent, &mut adjustments.agent], &mut new.agents)
    }
}

/// The index of each number that has been seen, at the place of the number; numbers are dense and begin at 1.
#[derive(Debug, Default)]
struct Dictionary {
    indices: Vec<u32>,
    length: u32,
    /// Codes that were looked up.
    names: HashMap<u32, String>,
}

impl Dictionary {
    fn encode<K: CodeKind>(&mut self, columns: [&mut Vec<u32>; 2], new_codes: &mut Vec<Code<K>>) -> Result<()> {
        for number in columns.into_iter().flatten() {
            if *number != UNASSIGNED_INDEX {
                *number = match self.index(*number) {
                    Some(index) => index,
                    None => self.add(*number, new_codes)?,
                };
            }
        }
        Ok(())
    }

    fn has(&self, number: u32) -> bool {
        self.index(number).is_some()
    }

    #[inline]
    fn index(&self, number: u32) -> Option<u32> {
        let index = *self.indices.get(usize::try_from(number).ok()?)?;
        (index != 0).then_some(index)
    }

    #[cold]
    fn add<K: CodeKind>(&mut self, number: u32, new_codes: &mut Vec<Code<K>>) -> Result<u32> {
        let name = self.names.remove(&number).ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, "sale refers to a code that is not there").with("number", number)
        })?;
        new_codes.push(value::code(&name)?);
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        if place >= self.indices.len() {
            self.indices.resize(place.saturating_add(1), 0);
        }
        self.length += 1;
        if let Some(slot) = self.indices.get_mut(place) {
            *slot = self.length;
        }
        Ok(self.length)
    }
}
