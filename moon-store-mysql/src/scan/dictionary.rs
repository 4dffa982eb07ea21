//! From the numbers under which the database keeps codes to the dictionary indices of a scan.

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

/// The index of each number that has been seen, at the place of the number; numbers are dense and begin at 1.
#[derive(Debug, Default)]
struct Dictionary {
    indices: Vec<u32>,
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
        for number in columns.iter().flat_map(|column| column.iter()).copied() {
            if number != UNASSIGNED_INDEX && self.slot(number).is_some_and(|index| *index == 0) {
                self.length += 1;
                let index = self.length;
                if let Some(slot) = self.slot(number) {
                    *slot = index;
                }
                new_numbers.push(number);
            }
        }
        if !new_numbers.is_empty() {
            let names = codes::codes_of(session, coded, &new_numbers).await?;
            for number in &new_numbers {
                let name = names.get(number).ok_or_else(|| {
                    Error::new(ErrorKind::Corrupt, "sale refers to a code that is not there").with("number", number)
                })?;
                new_codes.push(value::code(name)?);
            }
        }
        for column in columns {
            for number in column {
                *number = usize::try_from(*number)
                    .ok()
                    .and_then(|place| self.indices.get(place))
                    .copied()
                    .unwrap_or(UNASSIGNED_INDEX);
            }
        }
        Ok(())
    }

    /// The place of a number's index, made if need be; index 0 until the number is seen.
    fn slot(&mut self, number: u32) -> Option<&mut u32> {
        let place = usize::try_from(number).ok()?;
        if place >= self.indices.len() {
            self.indices.resize(place + 1, 0);
        }
        self.indices.get_mut(place)
    }
}
