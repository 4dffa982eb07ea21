//! From published sums and targets to a report.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Attainment, BranchRow, TargetStatus};
use super::{Coverage, KpiQuery, KpiReport, ProductRow, ReportRun, TargetBook, TeamRow};
use crate::{
    Basis, BusinessDate, Calendar, Cell, Currency, DayRange, Dimension, Error, ErrorKind, Figures, Granularity,
    GroupSum, ProductCode, Published, Result, Sum,
};

impl GroupSum {
    /// The sums of each group over the cells of these days, ascending by dimension and code; a group without a cell has
    /// none.
    ///
    /// # Errors
    /// `Refused` when a sum is too large to be exact.
    pub fn over<'c>(cells: impl IntoIterator<Item = &'c Cell>, days: DayRange) -> Result<Vec<Self>> {
        let mut sums: BTreeMap<(Dimension, &Arc<str>), Figures> = BTreeMap::new();
        for cell in cells.into_iter().filter(|cell| days.contains(cell.day.epoch_day())) {
            let sum = sums.entry((cell.dimension, &cell.code)).or_default();
            *sum = sum.plus(cell.figures)?;
        }
        let groups = sums.into_iter();
        Ok(groups.map(|((dimension, code), figures)| Self { dimension, code: Arc::clone(code), figures }).collect())
    }
}

impl KpiQuery {
    /// The days over which the sums are wanted.
    #[must_use]
    pub fn days(&self) -> DayRange {
        until(self.period.days(), self.to_date.then_some(self.as_of))
    }

    /// The days of the same period a year before, to date up to the same day of it; `None` when not asked, for all time
    /// and before the first year.
    #[must_use]
    pub fn days_year_before(&self, calendar: Calendar) -> Option<DayRange> {
        if !self.with_year_before {
            return None;
        }
        let before = calendar.year_before(self.period)?;
        let days = self.period.days();
        let as_of = self.as_of.epoch_day();
        let end = if !self.to_date || as_of >= days.end() {
            None
        } else if as_of < days.start() {
            return Some(DayRange::new(before.days().start(), before.days().start()));
        } else if self.period.granularity() == Granularity::Week {
            BusinessDate::from_epoch_day(before.days().start() + (as_of - days.start())).ok()
        } else {
            calendar.year_before(calendar.period_of(Granularity::Day, self.as_of))?.days().first()
        };
        Some(until(before.days(), end))
    }
}

fn until(days: DayRange, last: Option<BusinessDate>) -> DayRange {
    last.map_or(days, |last| DayRange::new(days.start(), days.end().min(last.epoch_day() + 1)))
}

impl KpiReport {
    /// Assembles the three key figures from the sums over [`KpiQuery::days`], and, where asked, those over
    /// [`KpiQuery::days_year_before`].
    ///
    /// # Errors
    /// `Corrupt` when the sums by team, by branch and by product differ; `Refused` when a sum is too large to be exact.
    pub fn assemble(
        query: &KpiQuery,
        published: &Published,
        year_before: Option<&Published>,
        calendar: Calendar,
        currency: Currency,
    ) -> Result<Self> {
        let control = control(published)?.of(query.basis);
        let year_before = year_before.filter(|_| query.with_year_before);
        if let Some(before) = year_before {
            self::control(before)?;
        }
        let name = |known: Option<&str>, code: &Arc<str>| known.map_or_else(|| Arc::clone(code), Arc::from);
        let teams: BTreeMap<_, _> = published.teams.iter().map(|team| (team.code.as_str(), team)).collect();
        let branches: BTreeMap<_, _> = published.branches.iter().map(|branch| (branch.code.as_str(), branch)).collect();
        let team_row = |(code, (total, year_before)): (Arc<str>, (Sum, Option<Sum>))| {
            let team_name = name(teams.get(&*code).map(|team| team.name.as_str()), &code);
            TeamRow { team: code, team_name, total, year_before }
        };
        let branch_row = |(code, (total, year_before)): (Arc<str>, (Sum, Option<Sum>))| {
            let branch = branches.get(&*code);
            let branch_name = name(branch.map(|branch| branch.name.as_str()), &code);
            let region = branch.and_then(|branch| branch.region.clone());
            BranchRow { branch: code, branch_name, region, total, year_before }
        };
        Ok(Self {
            period: calendar.label(query.period),
            basis: query.basis,
            currency,
            teams: groups(published, year_before, Dimension::Team, query.basis).into_iter().map(team_row).collect(),
            branches: groups(published, year_before, Dimension::Branch, query.basis)
                .into_iter()
                .map(branch_row)
                .collect(),
            products: product_rows(query, published, year_before, calendar)?,
            control,
            run: published.run.as_ref().map(|record| ReportRun { run_id: record.key.id, rows_read: record.rows_read }),
        })
    }
}

/// Target against sales by product, ascending by code: a row for each product with a target for a part of the period or
/// a posting.
///
/// # Errors
/// `Refused` when a number is too large to be exact.
pub fn product_rows(
    query: &KpiQuery,
    published: &Published,
    year_before: Option<&Published>,
    calendar: Calendar,
) -> Result<Vec<ProductRow>> {
    let names: BTreeMap<_, _> =
        published.products.iter().map(|product| (product.code.as_str(), &product.name)).collect();
    let book = TargetBook::new(&published.targets, calendar);
    let with_target: BTreeMap<&str, &ProductCode> = book.products().map(|code| (code.as_str(), code)).collect();
    let mut sums = groups(published, year_before, Dimension::Product, query.basis);
    let codes: BTreeSet<&str> = sums.keys().map(|code| &**code).chain(with_target.keys().copied()).collect();
    let mut rows = Vec::with_capacity(codes.len());
    let codes: Vec<Arc<str>> = codes.into_iter().map(Arc::from).collect();
    for code in codes {
        let sum = sums.remove(&code);
        let target = with_target.get(&*code).map(|product| book.product_target(product, query.period)).transpose()?;
        let coverage = target.map_or(Coverage::None, |target| target.coverage);
        if sum.is_none() && coverage == Coverage::None {
            continue;
        }
        let (total, year_before) = sum.unwrap_or((Sum::ZERO, year_before.map(|_| Sum::ZERO)));
        let target_minor = target.and_then(|target| target.amount_minor);
        let variance_minor = target_minor
            .map(|target| {
                total.minor.checked_sub(target).ok_or_else(|| {
                    Error::new(ErrorKind::Refused, "variance is too large to be exact").with("product", &*code)
                })
            })
            .transpose()?;
        rows.push(ProductRow {
            product_name: names.get(&*code).map_or_else(|| Arc::clone(&code), |name| Arc::from(name.as_str())),
            target_minor,
            total,
            variance_minor,
            attainment: target_minor.and_then(|target| Attainment::of(total.minor, target)),
            status: TargetStatus::of(total.minor, target_minor),
            complete: query.period.is_complete(query.as_of),
            coverage,
            year_before,
            product: code,
        });
    }
    Ok(rows)
}

/// The sums of one dimension on one basis, those of a year before beside them.
fn groups(
    published: &Published,
    year_before: Option<&Published>,
    dimension: Dimension,
    basis: Basis,
) -> BTreeMap<Arc<str>, (Sum, Option<Sum>)> {
    let of = |published: &Published| -> Vec<(Arc<str>, Sum)> {
        let sums = published.sums.iter().filter(|sum| sum.dimension == dimension);
        sums.map(|sum| (Arc::clone(&sum.code), sum.figures.of(basis))).collect()
    };
    let mut groups: BTreeMap<_, _> =
        of(published).into_iter().map(|(code, sum)| (code, (sum, year_before.map(|_| Sum::ZERO)))).collect();
    for (code, sum) in year_before.map(of).unwrap_or_default() {
        groups.entry(code).or_insert((Sum::ZERO, None)).1 = Some(sum);
    }
    groups
}

/// What the sums of each dimension add up to.
fn control(published: &Published) -> Result<Figures> {
    let mut totals = [Figures::default(); 3];
    for (total, dimension) in totals.iter_mut().zip(Dimension::DAILY) {
        for sum in published.sums.iter().filter(|sum| sum.dimension == dimension) {
            *total = total.plus(sum.figures)?;
        }
    }
    let [teams, branches, products] = totals;
    if teams == branches && branches == products {
        return Ok(teams);
    }
    Err(Error::new(ErrorKind::Corrupt, "sums by team, branch and product differ")
        .with("teams", format_args!("{teams:?}"))
        .with("branches", format_args!("{branches:?}"))
        .with("products", format_args!("{products:?}")))
}
