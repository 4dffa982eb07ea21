//! A filter with its codes replaced by dictionary indices.

use moon_core::{Code, CodeKind, DayRange, DaySet, PostingColumns, PostingFilter, SaleKind};

use crate::catalog::{Catalog, Coded};
use crate::sales::ChunkHead;
use crate::state::State;

/// See the module.
#[derive(Debug)]
pub(super) struct Matcher<'a> {
    days: &'a DaySet,
    /// Of each index, whether it is wanted.
    agents: Option<Vec<bool>>,
    products: Option<Vec<bool>>,
    teams: Option<Vec<bool>>,
    branches: Option<Vec<bool>>,
    kinds: Option<&'a [SaleKind]>,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(state: &State, filter: &'a PostingFilter) -> Self {
        Self {
            days: &filter.days,
            agents: wanted(&state.agents, filter.agents.as_deref()),
            products: wanted(&state.products, filter.products.as_deref()),
            teams: wanted(&state.teams, filter.teams.as_deref()),
            branches: wanted(&state.branches, filter.branches.as_deref()),
            kinds: filter.kinds.as_deref(),
        }
    }

    /// Whether days alone decide.
    pub(super) fn is_by_days_only(&self) -> bool {
        self.agents.is_none()
            && self.products.is_none()
            && self.teams.is_none()
            && self.branches.is_none()
            && self.kinds.is_none()
    }

    /// The wanted ranges that meet `hull`, ascending.
    pub(super) fn ranges(&self, hull: DayRange) -> impl Iterator<Item = DayRange> {
        let ranges = self.days.ranges();
        let start = ranges.partition_point(|range| range.end() <= hull.start());
        let ranges = ranges.get(start..).unwrap_or_default().iter().copied();
        ranges.take_while(move |range| range.start() < hull.end())
    }

    /// Whether a posting of the chunk can match; without touching the chunk.
    pub(super) fn may_match(&self, head: &ChunkHead) -> bool {
        [head.days, head.own_days].into_iter().any(|hull| !hull.is_empty() && self.ranges(hull).next().is_some())
    }

    /// Whether all days of the chunk's sales are wanted, and so all of its adjustments whatever their own days.
    pub(super) fn has_all_of(&self, head: &ChunkHead) -> bool {
        self.ranges(head.days).next().is_some_and(|range| range.intersect(head.days) == head.days)
    }

    /// Whether a day is wanted.
    pub(super) fn has_day(&self, day: i32) -> bool {
        self.days.contains(day)
    }

    /// Whether the posting at a place matches, days aside.
    pub(super) fn matches(&self, postings: &PostingColumns, at: usize, kind: SaleKind) -> bool {
        let is = |wanted: &Option<Vec<bool>>, column: &[u32]| {
            wanted.as_ref().is_none_or(|wanted| {
                let index = column.get(at).and_then(|index| usize::try_from(*index).ok());
                index.and_then(|index| wanted.get(index)).copied().unwrap_or(false)
            })
        };
        self.kinds.is_none_or(|kinds| kinds.contains(&kind))
            && is(&self.agents, &postings.agent)
            && is(&self.products, &postings.product)
            && is(&self.teams, &postings.team)
            && is(&self.branches, &postings.branch)
    }
}

/// Of each index up to the highest wanted one, whether it is wanted. Unknown codes match nothing.
fn wanted<K: CodeKind, T: Coded<K>>(catalog: &Catalog<K, T>, codes: Option<&[Code<K>]>) -> Option<Vec<bool>> {
    codes.map(|codes| {
        let mut wanted = Vec::new();
        for index in codes.iter().filter_map(|code| catalog.index(code)) {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            if wanted.len() <= index {
                wanted.resize(index + 1, false);
            }
            if let Some(flag) = wanted.get_mut(index) {
                *flag = true;
            }
        }
        wanted
    })
}
