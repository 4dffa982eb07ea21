//! Careers: when agents join, where they are placed, when they move and when they leave.

use moon_core::{AgentCode, BranchCode, BusinessDate, NewAssignment, Result, TeamCode};

use crate::Plan;
use crate::chance::{Chance, Stream, Weighted};

/// How many teams and branches there are to be placed in, and where each team is at home.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offices {
    pub(crate) teams: usize,
    pub(crate) branches: usize,
}

impl Offices {
    /// A place by chance: the first teams are the larger ones, and most of a team sits in the branch of the team.
    fn place(self, chance: &mut Chance) -> Option<(usize, usize)> {
        let below = |chance: &mut Chance, bound: usize| {
            usize::try_from(chance.below(u64::try_from(bound).unwrap_or(0))).unwrap_or(0)
        };
        if self.teams == 0 || self.branches == 0 {
            return None;
        }
        let (left, right) = (below(chance, self.teams), below(chance, self.teams));
        let team = if chance.happens(3_000) { left.min(right) } else { right };
        let home = team % self.branches;
        let branch = if chance.happens(8_500) { home } else { below(chance, self.branches) };
        Some((team, branch))
    }
}

/// Where an agent is placed from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placement {
    /// The first day, and the one on which it is entered: the same, or a later one.
    pub(crate) from: i32,
    pub(crate) entered: i32,
    /// Indices.
    pub(crate) team: usize,
    pub(crate) branch: usize,
}

/// What an agent goes through, in days since 1970-01-01.
#[derive(Debug, Clone, Default)]
pub(crate) struct Career {
    pub(crate) joins: i32,
    /// The first day on which the agent is no longer there.
    pub(crate) leaves: Option<i32>,
    /// Ascending by start; empty without offices.
    pub(crate) placements: Vec<Placement>,
}

impl Career {
    /// Each is entered before the next one takes effect, so what is entered never depends on what is not known yet.
    fn new(plan: &Plan, offices: Offices, last_day: i32, founder: bool, chance: &mut Chance) -> Self {
        let first_day = plan.first_day.epoch_day();
        let somewhen = |chance: &mut Chance, from: i32, days: i32| {
            let ahead = chance.below(u64::try_from(days).unwrap_or(0));
            from.saturating_add(i32::try_from(ahead).unwrap_or(0))
        };
        let length = last_day - first_day;
        let joins = match chance.happens(plan.rates.joining) && !founder {
            true => somewhen(chance, first_day + 1, length * 3 / 4).min(last_day),
            false => first_day,
        };
        let leaves = (chance.happens(plan.rates.leaving) && !founder)
            .then(|| somewhen(chance, joins + 30, last_day - joins - 30))
            .filter(|day| *day <= last_day && *day > joins);
        let mut career = Self { joins, leaves, placements: Vec::new() };
        let Some((team, branch)) = offices.place(chance) else { return career };
        career.placements.push(Placement { from: joins, entered: joins, team, branch });
        let mut known = joins;
        let mut month = joins + 1;
        while month <= last_day {
            let (moves, late) = (chance.happens(plan.rates.transfers), chance.happens(plan.rates.late_transfers));
            let from = somewhen(chance, month, 30);
            let delay = i32::try_from(chance.within(7, 56)).unwrap_or(7);
            let entered = if late { from + delay } else { from };
            let place = offices.place(chance);
            month += 30;
            if moves
                && from > known
                && entered <= last_day
                && leaves.is_none_or(|day| entered < day)
                && let Some((team, branch)) = place
            {
                career.placements.push(Placement { from, entered, team, branch });
                known = entered;
            }
        }
        career
    }

    /// Whether the agent sells on a day.
    pub(crate) fn sells_on(&self, day: i32) -> bool {
        self.joins <= day && self.leaves.is_none_or(|left| day < left)
    }

    /// Where the agent really is on a day, whether it is entered already or not.
    pub(crate) fn on(&self, day: i32) -> Option<&Placement> {
        self.placements.iter().rev().find(|placement| placement.from <= day).filter(|_| self.sells_on(day))
    }
}

/// All careers, with who sells how much.
#[derive(Debug, Clone, Default)]
pub(crate) struct Careers {
    pub(crate) all: Vec<Career>,
    shares: Weighted,
}

impl Careers {
    pub(crate) fn new(plan: &Plan, offices: Offices) -> Result<Self> {
        let last_day = plan.last_day()?.epoch_day();
        let mut chance = Chance::new(plan.seed, Stream::Careers);
        // The first agent is there from the first to the last day, so that there is always somebody to sell.
        let all: Vec<_> =
            (0..plan.agents).map(|agent| Career::new(plan, offices, last_day, agent == 0, &mut chance)).collect();
        // Zipf's law, a little flattened at the top, over agents in random order.
        let mut ranks: Vec<(u64, u64)> = (0..u64::from(plan.agents)).map(|rank| (chance.word(), rank)).collect();
        ranks.sort_unstable();
        let shares = Weighted::new(ranks.into_iter().map(|(_, rank)| 1_000_000_000 / (rank + 4)));
        Ok(Self { all, shares })
    }

    /// An agent who sells on the day, by a random word: the one it points to, else the next one who does.
    pub(crate) fn pick(&self, word: u64, day: i32) -> Option<usize> {
        let wanted = self.shares.pick(word)?;
        let (before, from) = self.all.split_at_checked(wanted)?;
        let ahead = from.iter().position(|career| career.sells_on(day)).map(|ahead| wanted + ahead);
        ahead.or_else(|| before.iter().position(|career| career.sells_on(day)))
    }
}

/// An assignment that is entered on a day, by indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) entered: i32,
    pub(crate) agent: usize,
    pub(crate) from: i32,
    pub(crate) to: Option<i32>,
    pub(crate) team: usize,
    pub(crate) branch: usize,
}

impl Entry {
    /// Whether it takes effect before it is entered.
    pub(crate) fn is_late(&self) -> bool {
        self.from < self.entered
    }

    pub(crate) fn assignment(&self, names: &Names<'_>) -> Result<Option<NewAssignment>> {
        let (Some(agent), Some(team), Some(branch)) =
            (names.agents.get(self.agent), names.teams.get(self.team), names.branches.get(self.branch))
        else {
            return Ok(None);
        };
        Ok(Some(NewAssignment {
            agent: agent.clone(),
            from: BusinessDate::from_epoch_day(self.from)?,
            to: self.to.map(BusinessDate::from_epoch_day).transpose()?,
            team: team.clone(),
            branch: branch.clone(),
            expected: None,
        }))
    }
}

/// The codes behind indices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) agents: &'a [AgentCode],
    pub(crate) teams: &'a [TeamCode],
    pub(crate) branches: &'a [BranchCode],
}

/// Every assignment in the order in which it is entered. That of an agent who is going to leave has its end from the
/// beginning, so that a repeat of all of them corrects none.
pub(crate) fn entries(careers: &[Career]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (agent, career) in careers.iter().enumerate() {
        for (index, placement) in career.placements.iter().enumerate() {
            let is_last = index + 1 == career.placements.len();
            entries.push(Entry {
                entered: placement.entered,
                agent,
                from: placement.from,
                to: career.leaves.filter(|_| is_last),
                team: placement.team,
                branch: placement.branch,
            });
        }
    }
    entries.sort_unstable();
    entries
}
