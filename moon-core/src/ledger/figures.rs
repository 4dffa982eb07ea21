//! Key figures straight from the store: what the warehouse does not hold, and what must be true to the second.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::TryStreamExt;

use super::Ledger;
use super::attribution::Attribution;
use crate::{
    AgentCode, AsNow, BranchCode, BranchEntry, BusinessDate, DayRange, DaySet, Dimension, Fold, FoldPlan, GroupSum,
    KpiQuery, KpiReport, PAGE_LIMIT_MAX, PageRequest, Placement, PostingBatch, PostingFilter, ProductCode,
    ProductEntry, Published, PublishedTarget, Result, SaleKind, Sum, Target, TargetScope, TeamCode, TeamEntry,
    UnitOfWork, publishable_targets, targets_in_force,
};

mod narrow;

use narrow::PlaceFilter;

/// Under which places sales count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum View {
    /// Under the places that were given, or derived for the sale's date: what is published.
    #[default]
    AsSold,
    /// Given places stay; derived ones follow the agent's assignment in force on the day of asking, else the one that
    /// ended last.
    AsNow,
}

/// Which sales count. Absent parts match all, so that the default is everything, as sold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FigureFilter {
    /// Under which places they count, for the filters by team and branch too.
    pub view: View,
    /// Of these agents.
    pub agents: Option<Vec<AgentCode>>,
    /// Of these products.
    pub products: Option<Vec<ProductCode>>,
    /// Of these teams.
    pub teams: Option<Vec<TeamCode>>,
    /// Of these branches.
    pub branches: Option<Vec<BranchCode>>,
    /// Of these kinds.
    pub kinds: Option<Vec<SaleKind>>,
}

/// Total sales of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentRow {
    /// The code, or [`UNASSIGNED`](crate::UNASSIGNED) for sales that credit nobody.
    pub agent: Arc<str>,
    /// Amount and count.
    pub total: Sum,
    /// The same a year before, where asked.
    pub year_before: Option<Sum>,
}

impl Ledger {
    /// The three key figures of a period, computed from the store in one snapshot.
    ///
    /// Products are compared with the targets that are set against exactly the sales that count: those of the ledger
    /// when nothing but products is filtered, those of the one agent, team or branch when only that one is asked for, and
    /// none otherwise, since scopes never add into one another.
    ///
    /// # Errors
    /// `Refused` when a sum is too large to be exact; those of the store.
    pub async fn key_figures(&self, query: &KpiQuery, filter: &FigureFilter) -> Result<KpiReport> {
        let mut unit = self.snapshot().await?;
        self.key_figures_in(unit.as_mut(), query, filter).await
    }

    /// [`key_figures`](Self::key_figures) in the caller's unit: one snapshot if the unit is one.
    ///
    /// # Errors
    /// As of [`key_figures`](Self::key_figures).
    pub async fn key_figures_in(
        &self,
        unit: &mut dyn UnitOfWork,
        query: &KpiQuery,
        filter: &FigureFilter,
    ) -> Result<KpiReport> {
        let calendar = self.settings.calendar;
        let targets = unit.products().targets().await?;
        let mut published = dimensions(unit).await?;
        published.targets = targets_against(filter, &targets, query.as_of);
        // All time has no year before it, and then there is nothing to put beside a total.
        let before = match query.days_year_before(calendar) {
            Some(days) => {
                let sums = sums(unit, &Dimension::DAILY, days, filter, query.as_of).await?;
                Some(Published { sums, ..Published::default() })
            }
            None => None,
        };
        published.sums = sums(unit, &Dimension::DAILY, query.days(), filter, query.as_of).await?;
        KpiReport::assemble(query, &published, before.as_ref(), calendar, self.settings.currency)
    }

    /// Total sales by agent, ascending by code: a row for each agent with a posting in the period or, where asked, in the
    /// same period a year before. They add up to the control total of [`key_figures`](Self::key_figures).
    ///
    /// # Errors
    /// As of [`key_figures`](Self::key_figures).
    pub async fn agent_figures(&self, query: &KpiQuery, filter: &FigureFilter) -> Result<Vec<AgentRow>> {
        let mut unit = self.snapshot().await?;
        self.agent_figures_in(unit.as_mut(), query, filter).await
    }

    /// [`agent_figures`](Self::agent_figures) in the caller's unit.
    ///
    /// # Errors
    /// As of [`key_figures`](Self::key_figures).
    pub async fn agent_figures_in(
        &self,
        unit: &mut dyn UnitOfWork,
        query: &KpiQuery,
        filter: &FigureFilter,
    ) -> Result<Vec<AgentRow>> {
        let before = query.days_year_before(self.settings.calendar);
        let absent = before.map(|_| Sum::ZERO);
        let mut rows = BTreeMap::new();
        for group in sums(unit, &[Dimension::Agent], query.days(), filter, query.as_of).await? {
            rows.insert(group.code, (group.figures.of(query.basis), absent));
        }
        if let Some(days) = before {
            for group in sums(unit, &[Dimension::Agent], days, filter, query.as_of).await? {
                rows.entry(group.code).or_insert((Sum::ZERO, None)).1 = Some(group.figures.of(query.basis));
            }
        }
        let row = |(agent, (total, year_before))| AgentRow { agent, total, year_before };
        Ok(rows.into_iter().map(row).collect())
    }

    /// What a warehouse shows beside the sums: teams, branches and products, ascending by code, and the targets in force
    /// as of a day but for those of agents, ascending. The sums are empty, and there is no run.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn dimensions_in(&self, unit: &mut dyn UnitOfWork, as_of: BusinessDate) -> Result<Published> {
        let mut published = dimensions(unit).await?;
        published.targets = publishable_targets(&unit.products().targets().await?, as_of);
        Ok(published)
    }
}

/// All teams, branches and products.
async fn dimensions(unit: &mut dyn UnitOfWork) -> Result<Published> {
    let mut published = Published::default();
    let mut page = Some(PageRequest::first(PAGE_LIMIT_MAX));
    while let Some(request) = page {
        let found = unit.organisation().list_teams(&request).await?;
        page = request.following(&found);
        published.teams.extend(found.items.into_iter().map(|team| TeamEntry { code: team.code, name: team.name }));
    }
    let mut page = Some(PageRequest::first(PAGE_LIMIT_MAX));
    while let Some(request) = page {
        let found = unit.organisation().list_branches(&request).await?;
        page = request.following(&found);
        published.branches.extend(found.items.into_iter().map(|branch| BranchEntry {
            code: branch.code,
            name: branch.name,
            region: branch.region,
        }));
    }
    let mut page = Some(PageRequest::first(PAGE_LIMIT_MAX));
    while let Some(request) = page {
        let found = unit.products().list(&request).await?;
        page = request.following(&found);
        published.products.extend(found.items.into_iter().map(|product| ProductEntry {
            code: product.code,
            name: product.name,
            line: product.line,
        }));
    }
    Ok(published)
}

/// The sums of each group over the days, of the sales that count.
async fn sums(
    unit: &mut dyn UnitOfWork,
    groups: &[Dimension],
    days: DayRange,
    filter: &FigureFilter,
    as_of: BusinessDate,
) -> Result<Vec<GroupSum>> {
    let days = DaySet::from(days);
    if days.is_empty() {
        return Ok(Vec::new());
    }
    let mut fold = Fold::new(FoldPlan::whole(groups, days.clone()));
    let mut wanted = PostingFilter {
        days,
        agents: filter.agents.clone(),
        products: filter.products.clone(),
        teams: None,
        branches: None,
        kinds: filter.kinds.clone(),
        without_agents: filter.view == View::AsSold && !groups.contains(&Dimension::Agent),
    };
    match filter.view {
        View::AsSold => {
            wanted.teams.clone_from(&filter.teams);
            wanted.branches.clone_from(&filter.branches);
            let mut batches = unit.postings().scan(&wanted);
            while let Some(batch) = batches.try_next().await? {
                fold.push(&batch)?;
            }
        }
        View::AsNow => {
            let mut view = AsNow::new(placements(unit, filter.agents.as_deref(), as_of).await?);
            let mut places = PlaceFilter::new(filter);
            let mut batches = unit.postings().scan(&wanted);
            while let Some(batch) = batches.try_next().await? {
                let mut batch: PostingBatch = view.place(batch)?;
                places.narrow(&mut batch);
                fold.push(&batch)?;
            }
        }
    }
    GroupSum::over(&fold.finish()?.cells, DayRange::ALL)
}

/// Where agents count as of a day: these, or all.
async fn placements(
    unit: &mut dyn UnitOfWork,
    agents: Option<&[AgentCode]>,
    as_of: BusinessDate,
) -> Result<HashMap<AgentCode, Placement>> {
    let mut placements = HashMap::new();
    let mut place = |attribution: &Attribution, agents: &[AgentCode]| {
        for agent in agents {
            if let Some(assignment) = attribution.places_now(agent, as_of) {
                let placement = Placement { team: assignment.team.clone(), branch: assignment.branch.clone() };
                placements.insert(agent.clone(), placement);
            }
        }
    };
    if let Some(agents) = agents {
        place(&Attribution::load(unit, agents).await?, agents);
        return Ok(placements);
    }
    let mut page = Some(PageRequest::first(PAGE_LIMIT_MAX));
    while let Some(request) = page {
        let found = unit.agents().list(&request).await?;
        page = request.following(&found);
        let agents: Vec<_> = found.items.into_iter().map(|agent| agent.code).collect();
        place(&Attribution::load(unit, &agents).await?, &agents);
    }
    Ok(placements)
}

/// The targets in force that are set against exactly the sales that count, as targets of all that counts.
fn targets_against(filter: &FigureFilter, targets: &[Target], as_of: BusinessDate) -> Vec<PublishedTarget> {
    let FigureFilter { view: _, agents, products, teams, branches, kinds } = filter;
    let scope = match (agents.as_deref(), teams.as_deref(), branches.as_deref(), kinds) {
        (None, None, None, None) => None,
        (Some([agent]), None, None, None) => Some(TargetScope::Agent(agent.clone())),
        (None, Some([team]), None, None) => Some(TargetScope::Team(team.clone())),
        (None, None, Some([branch]), None) => Some(TargetScope::Branch(branch.clone())),
        _ => return Vec::new(),
    };
    let mut against = targets_in_force(targets, as_of);
    if let Some(products) = products {
        against.retain(|target| target.product.as_ref().is_some_and(|product| products.contains(product)));
    }
    if let Some(scope) = scope {
        against.retain(|target| target.scope == scope);
        for target in &mut against {
            target.scope = TargetScope::Ledger;
        }
    }
    against
}
