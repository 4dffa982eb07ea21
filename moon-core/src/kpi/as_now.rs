//! The other view: sales under the places that agents have now.

use std::collections::HashMap;

use super::{GIVEN_BRANCH, GIVEN_TEAM, PostingBatch, PostingColumns, UNASSIGNED_INDEX};
use crate::{AgentCode, BranchCode, Code, CodeKind, Error, ErrorKind, Result, TeamCode};

/// Where an agent counts as of now: by the assignment in force, else by the last one that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The team.
    pub team: TeamCode,
    /// The home branch.
    pub branch: BranchCode,
}

/// Puts the agents' present places into the batches of one scan: a place that the source gave stays, a derived one
/// follows the agent. Agents without a placement, and sales without an agent, are unassigned where nothing was given.
///
/// The batches that come out have dictionaries of their own, since an agent's present team need not occur in the scan.
/// All batches of a scan must pass, in their order.
#[derive(Debug, Clone)]
pub struct AsNow {
    placements: HashMap<AgentCode, Placement>,
    teams: Relabelling<crate::TeamKind>,
    branches: Relabelling<crate::BranchKind>,
    /// New indices of team and branch for each agent of the scan.
    agents: Vec<(u32, u32)>,
}

impl AsNow {
    /// A view under these placements.
    #[must_use]
    pub fn new(placements: HashMap<AgentCode, Placement>) -> Self {
        Self {
            placements,
            teams: Relabelling::new(),
            branches: Relabelling::new(),
            agents: vec![(UNASSIGNED_INDEX, UNASSIGNED_INDEX)],
        }
    }

    /// The same postings under the present places.
    ///
    /// # Errors
    /// `Corrupt` for an index without a code.
    pub fn place(&mut self, mut batch: PostingBatch) -> Result<PostingBatch> {
        let (mut new_teams, mut new_branches) = (Vec::new(), Vec::new());
        for team in &batch.new_codes.teams {
            let index = self.teams.index(team, &mut new_teams)?;
            self.teams.of_scan.push(index);
        }
        for branch in &batch.new_codes.branches {
            let index = self.branches.index(branch, &mut new_branches)?;
            self.branches.of_scan.push(index);
        }
        for agent in &batch.new_codes.agents {
            let places = match self.placements.get(agent) {
                Some(place) => (
                    self.teams.index(&place.team, &mut new_teams)?,
                    self.branches.index(&place.branch, &mut new_branches)?,
                ),
                None => (UNASSIGNED_INDEX, UNASSIGNED_INDEX),
            };
            self.agents.push(places);
        }
        batch.new_codes.teams = new_teams;
        batch.new_codes.branches = new_branches;
        for postings in [&mut batch.sales, &mut batch.adjustments.postings] {
            self.place_columns(postings)?;
        }
        Ok(batch)
    }

    fn place_columns(&self, postings: &mut PostingColumns) -> Result<()> {
        let rows = postings.team.iter_mut().zip(&mut postings.branch).zip(postings.agent.iter().zip(&postings.given));
        for ((team, branch), (agent, given)) in rows {
            let (team_now, branch_now) =
                self.agents.get(*agent as usize).copied().ok_or_else(|| no_code("agent", *agent))?;
            *team = if given & GIVEN_TEAM != 0 { self.teams.relabel(*team)? } else { team_now };
            *branch = if given & GIVEN_BRANCH != 0 { self.branches.relabel(*branch)? } else { branch_now };
        }
        Ok(())
    }
}

/// From the dictionary of a scan to one that has more codes.
#[derive(Debug, Clone)]
struct Relabelling<K: CodeKind> {
    of_scan: Vec<u32>,
    known: HashMap<Code<K>, u32>,
}

impl<K: CodeKind> Relabelling<K> {
    fn new() -> Self {
        Self { of_scan: vec![UNASSIGNED_INDEX], known: HashMap::new() }
    }

    /// The new index of a code; a code that had none yet is also put among `new_codes`.
    fn index(&mut self, code: &Code<K>, new_codes: &mut Vec<Code<K>>) -> Result<u32> {
        if let Some(index) = self.known.get(code) {
            return Ok(*index);
        }
        let index = u32::try_from(self.known.len() + 1)
            .map_err(|cause| Error::new(ErrorKind::Refused, "scan has too many codes").caused_by(cause))?;
        self.known.insert(code.clone(), index);
        new_codes.push(code.clone());
        Ok(index)
    }

    fn relabel(&self, index: u32) -> Result<u32> {
        self.of_scan.get(index as usize).copied().ok_or_else(|| no_code(K::NOUN, index))
    }
}

fn no_code(dimension: &'static str, index: u32) -> Error {
    Error::new(ErrorKind::Corrupt, "posting has an index without a code")
        .with("dimension", dimension)
        .with("index", index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AdjustmentPostings, Cell, DaySet, Dimension, Fold, FoldPlan, NewCodes, Sum};

    fn codes<K: CodeKind>(texts: &[&str]) -> Vec<Code<K>> {
        texts.iter().map(|text| Code::new(text).unwrap()).collect()
    }

    /// Example A of the worked examples: all sales of one agent, who has moved from Alpha in Colombo to Beta in Kandy.
    #[test]
    fn given_places_stay_and_derived_ones_follow_the_agent() {
        let batch = PostingBatch {
            new_codes: NewCodes {
                teams: codes(&["Alpha"]),
                branches: codes(&["Colombo"]),
                products: codes(&["Junior"]),
                agents: codes(&["AGT001", "AGT002"]),
            },
            sales: PostingColumns {
                day: vec![41, 51, 56, 57],
                team: vec![1, 1, 1, 1],
                branch: vec![1, 1, 1, 0],
                product: vec![1; 4],
                agent: vec![1, 1, 1, 2],
                given: vec![0, 0, GIVEN_TEAM, 0],
                amount: vec![100, 200, 50, 7],
            },
            adjustments: AdjustmentPostings {
                postings: PostingColumns {
                    day: vec![51],
                    team: vec![1],
                    branch: vec![1],
                    product: vec![1],
                    agent: vec![1],
                    given: vec![0],
                    amount: vec![-200],
                },
                own_day: vec![64],
                count: vec![-1],
            },
        };
        let placement = Placement { team: TeamCode::new("Beta").unwrap(), branch: BranchCode::new("Kandy").unwrap() };
        let mut view = AsNow::new(HashMap::from([(AgentCode::new("AGT001").unwrap(), placement)]));
        let mut fold = Fold::new(FoldPlan::whole(&[Dimension::Team, Dimension::Branch], DaySet::all()));
        fold.push(&view.place(batch).unwrap()).unwrap();
        let totals = fold.finish().unwrap();
        let net: Vec<_> =
            totals.cells.iter().map(|Cell { code, figures, .. }| (&**code, figures.gross, figures.net)).collect();
        assert_eq!(
            net,
            [
                ("Alpha", Sum::new(50, 1), Sum::new(50, 1)),
                ("Beta", Sum::new(300, 2), Sum::new(100, 1)),
                ("unassigned", Sum::new(7, 1), Sum::new(7, 1)),
                ("Kandy", Sum::new(350, 3), Sum::new(150, 2)),
                ("unassigned", Sum::new(7, 1), Sum::new(7, 1)),
            ]
        );
    }

    #[test]
    fn an_index_without_a_code_is_an_error() {
        let columns = PostingColumns {
            day: vec![0],
            team: vec![1],
            branch: vec![0],
            product: vec![0],
            agent: vec![0],
            given: vec![GIVEN_TEAM],
            amount: vec![1],
        };
        let batch = PostingBatch { sales: columns, ..PostingBatch::default() };
        assert_eq!(AsNow::new(HashMap::new()).place(batch).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
