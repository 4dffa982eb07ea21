//! Sales by the days of their postings, one page at a time.

use std::collections::{BTreeSet, VecDeque};

use futures_util::TryStreamExt;
use moon_core::{
    BranchCode, BusinessDate, DayRange, DaySet, Dimension, Error, PAGE_LIMIT_MAX, PageRequest, PostingFilter,
    ProductCode, Result, Sale, SaleQuery, TeamCode, UNASSIGNED, UnitOfWork,
};

/// One group of sales: a team, a branch or a product, or those without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Group {
    Team(Option<TeamCode>),
    Branch(Option<BranchCode>),
    Product(ProductCode),
}

impl Group {
    /// The group of that code.
    ///
    /// # Errors
    /// `InvalidInput` for what cannot be a code, and for agents, of whom the warehouse has no cells.
    pub(crate) fn new(dimension: Dimension, code: &str) -> Result<Self> {
        match dimension {
            Dimension::Team if code == UNASSIGNED => Ok(Self::Team(None)),
            Dimension::Team => TeamCode::new(code).map(|code| Self::Team(Some(code))),
            Dimension::Branch if code == UNASSIGNED => Ok(Self::Branch(None)),
            Dimension::Branch => BranchCode::new(code).map(|code| Self::Branch(Some(code))),
            Dimension::Product => ProductCode::new(code).map(Self::Product),
            Dimension::Agent => Err(Error::invalid("figures of agents are not published by day")),
        }
    }

    /// Whether a sale counts there.
    pub(crate) fn has(&self, sale: &Sale) -> bool {
        match self {
            Self::Team(team) => sale.places.team == *team,
            Self::Branch(branch) => sale.places.branch == *branch,
            Self::Product(product) => sale.content.product == *product,
        }
    }

    /// A store's query for the sales of the group, as far as it knows one.
    fn query(&self, days: DayRange) -> SaleQuery {
        let all = SaleQuery { days, ..SaleQuery::default() };
        match self {
            Self::Team(team) => SaleQuery { team: team.clone(), ..all },
            Self::Branch(branch) => SaleQuery { branch: branch.clone(), ..all },
            Self::Product(product) => SaleQuery { product: Some(product.clone()), ..all },
        }
    }

    fn filter(&self, days: DaySet) -> PostingFilter {
        let all = PostingFilter::days(days);
        match self {
            Self::Team(team) => PostingFilter { teams: team.clone().map(|team| vec![team]), ..all },
            Self::Branch(branch) => PostingFilter { branches: branch.clone().map(|branch| vec![branch]), ..all },
            Self::Product(product) => PostingFilter { products: Some(vec![product.clone()]), ..all },
        }
    }
}

/// The days on which those sales lie that have a posting on one of `days`, and these days themselves.
pub(crate) async fn sale_days(unit: &mut dyn UnitOfWork, days: &DaySet, group: Option<&Group>) -> Result<DaySet> {
    let filter = group.map_or_else(|| PostingFilter::days(days.clone()), |group| group.filter(days.clone()));
    let mut others = BTreeSet::new();
    let mut batches = unit.postings().scan(&filter);
    while let Some(batch) = batches.try_next().await? {
        let adjustments = batch.adjustments;
        for (sale_day, own_day) in adjustments.postings.day.iter().zip(&adjustments.own_day) {
            if days.contains(*own_day) && !days.contains(*sale_day) {
                others.insert(*sale_day);
            }
        }
    }
    drop(batches);
    let others = others.into_iter().filter_map(|day| BusinessDate::from_epoch_day(day).ok());
    Ok(days.ranges().iter().copied().chain(others.map(BusinessDate::range)).collect())
}

/// The sales of these days, ascending by day and identifier, page by page.
pub(crate) struct SalesOf<'g> {
    group: Option<&'g Group>,
    ranges: VecDeque<DayRange>,
    page: Option<PageRequest>,
}

impl<'g> SalesOf<'g> {
    pub(crate) fn new(days: &DaySet, group: Option<&'g Group>) -> Self {
        let ranges = days.ranges().iter().copied().collect();
        Self { group, ranges, page: Some(PageRequest::first(PAGE_LIMIT_MAX)) }
    }

    /// The next sales; `None` behind the last ones.
    pub(crate) async fn next(&mut self, unit: &mut dyn UnitOfWork) -> Result<Option<Vec<Sale>>> {
        let Some(range) = self.ranges.front().copied() else { return Ok(None) };
        let query = self.group.map_or(SaleQuery { days: range, ..SaleQuery::default() }, |group| group.query(range));
        let request = self.page.take().unwrap_or_else(|| PageRequest::first(PAGE_LIMIT_MAX));
        let found = unit.sales().list(&query, &request).await?;
        self.page = request.following(&found);
        if self.page.is_none() {
            self.ranges.pop_front();
        }
        let mut sales = found.items;
        if let Some(group) = self.group {
            sales.retain(|sale| group.has(sale));
        }
        Ok(Some(sales))
    }
}
