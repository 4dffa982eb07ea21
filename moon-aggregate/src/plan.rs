//! What a run computes and replaces, decided before a posting is read.

use std::collections::{BTreeMap, BTreeSet};

use moon_core::{
    BusinessDate, Calendar, DayRange, DaySet, Granularity, Mark, Period, ProductCode, ProductMetrics, ProductRow,
    Published, PublishedTarget, Result, RunKind, RunRecord, Scope,
};

use crate::Aggregation;
use crate::command::{Mode, RunCommand};
use crate::source::View;

/// The plan of a run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) kind: RunKind,
    /// Days whose cells are computed: all, or the touched ones.
    pub(crate) days: DaySet,
    /// Months whose product metrics are computed; those of a full run follow from its cells.
    pub(crate) months: BTreeSet<Period>,
    /// Months whose product metrics keep their sums, but not a name or whether the month is over.
    pub(crate) refreshed: Vec<ProductMetrics>,
    /// The published months among those in question, and so all of them that may have cells.
    pub(crate) published_months: BTreeSet<Period>,
    /// Product metrics of all time, as published.
    pub(crate) all_time: Vec<ProductRow>,
    /// The days of the months whose figures of agents are computed: all that hold a touched day. None where they are
    /// switched off.
    pub(crate) agent_days: DaySet,
}

impl Plan {
    /// Plans a run. Touched days are all that has changed only since the run whose marks were settled last. If that is not
    /// what the warehouse shows (before the first run; after a restored store has started a new epoch; in a warehouse that
    /// is new or was restored itself), all days are computed. So they are when figures of agents were switched on or off,
    /// got another key, or when a consent changed: all months of agents differ then.
    pub(crate) async fn new(
        aggregation: &Aggregation,
        command: &RunCommand,
        view: &View,
        published: &Published,
    ) -> Result<Self> {
        let (ledger, warehouse) = (aggregation.ledger(), aggregation.warehouse().as_ref());
        let key = aggregation.agent_figures().map(|agents| agents.key.fingerprint()).transpose()?;
        let as_before = |run: &&RunRecord| Some(run.key) == view.settled && run.manifest.agent_key == key;
        let last = published.run.as_ref().filter(as_before);
        let consents_changed = key.is_some() && view.other_marks.contains(&Mark::Consents);
        let (Some(last), false) = (last, command.mode == Mode::Full || consents_changed) else {
            return Ok(Self::full(key.is_some()));
        };
        let (kind, days) = match command.mode {
            Mode::Range(range) => {
                let ranges = view.touched.ranges().iter().copied().chain([range]);
                (RunKind::Backfill, ranges.collect())
            }
            Mode::Incremental | Mode::Full => (RunKind::Incremental, view.touched.clone()),
        };
        let before = ledger.settings().business_date(last.started_at)?;
        let renamed = renamed(published, &view.dimensions);
        let mut months = months_of(&days);
        months.extend(changed_targets(&published.targets, &view.dimensions.targets));
        let ended = ended_between(before, view.today);
        let wanted = if renamed {
            DayRange::ALL
        } else {
            months.iter().map(|month| month.days()).chain([ended]).collect::<DaySet>().hull()
        };
        let names: BTreeMap<&str, &str> =
            view.dimensions.products.iter().map(|entry| (entry.code.as_str(), entry.name.as_str())).collect();
        let (mut all_time, mut refreshed, mut published_months) = (Vec::new(), Vec::new(), BTreeSet::new());
        for metrics in warehouse.product_metrics(wanted).await? {
            let Some(first) = metrics.month else {
                all_time = metrics.rows;
                continue;
            };
            let month = Calendar::default().period_of(Granularity::Month, first);
            published_months.insert(month);
            if !months.contains(&month) {
                let rows: Vec<_> = metrics.rows.iter().map(|row| refresh(row, month, view.today, &names)).collect();
                if rows != metrics.rows {
                    refreshed.push(ProductMetrics { month: Some(first), rows });
                }
            }
        }
        let agent_days = match key {
            Some(_) => months_of(&days).into_iter().map(Period::days).collect(),
            None => DaySet::default(),
        };
        Ok(Self { kind, days, months, refreshed, published_months, all_time, agent_days })
    }

    fn full(with_agents: bool) -> Self {
        Self {
            kind: RunKind::Full,
            days: DaySet::all(),
            months: BTreeSet::new(),
            refreshed: Vec::new(),
            published_months: BTreeSet::new(),
            all_time: Vec::new(),
            agent_days: if with_agents { DaySet::all() } else { DaySet::default() },
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.kind == RunKind::Full
    }

    /// Whether figures of any day or month are replaced.
    pub(crate) fn replaces_days(&self) -> bool {
        let Self { kind: _, days, months, refreshed, published_months: _, all_time: _, agent_days } = self;
        !(days.is_empty() && months.is_empty() && refreshed.is_empty() && agent_days.is_empty())
    }

    /// What the run replaces.
    pub(crate) fn scope(&self) -> Scope {
        let months = if self.is_full() {
            DaySet::all()
        } else {
            let refreshed = self.refreshed.iter().filter_map(|metrics| metrics.month).map(BusinessDate::range);
            self.months.iter().map(|month| month.days()).chain(refreshed).collect()
        };
        // A full run without figures of agents leaves none.
        Scope { days: self.days.clone(), months, agents: self.is_full() || !self.agent_days.is_empty() }
    }
}

/// The months in which these days lie.
pub(crate) fn months_of(days: &DaySet) -> BTreeSet<Period> {
    let mut months = BTreeSet::new();
    for range in days.ranges() {
        let mut rest = *range;
        while let Some(first) = rest.first() {
            let month = Calendar::default().period_of(Granularity::Month, first);
            months.insert(month);
            rest = DayRange::new(month.days().end(), rest.end());
        }
    }
    months
}

/// The months whose own targets differ. No others count in a month.
fn changed_targets(before: &[PublishedTarget], after: &[PublishedTarget]) -> BTreeSet<Period> {
    let monthly = |targets: &[PublishedTarget]| -> BTreeSet<PublishedTarget> {
        targets.iter().filter(|target| target.period.granularity() == Granularity::Month).cloned().collect()
    };
    let (before, after) = (monthly(before), monthly(after));
    before.symmetric_difference(&after).map(|target| target.period).collect()
}

/// The days of the months that are complete on one of these dates and not on the other.
fn ended_between(one: BusinessDate, other: BusinessDate) -> DayRange {
    let first_of = |date| Calendar::default().period_of(Granularity::Month, date).days().start();
    DayRange::new(first_of(one.min(other)), first_of(one.max(other)))
}

/// Whether a product has another name than the published one.
fn renamed(published: &Published, current: &Published) -> bool {
    let names: BTreeMap<&ProductCode, _> = published.products.iter().map(|entry| (&entry.code, &entry.name)).collect();
    current.products.iter().any(|entry| names.get(&entry.code).is_some_and(|name| *name != &entry.name))
}

/// A published row as it would be today, its sums and target being the same.
fn refresh(row: &ProductRow, month: Period, today: BusinessDate, names: &BTreeMap<&str, &str>) -> ProductRow {
    let mut row = row.clone();
    row.complete = month.is_complete(today);
    if let Some(name) = names.get(&*row.product).filter(|name| **name != &*row.product_name) {
        row.product_name = (*name).into();
    }
    row
}

/// Whether names, regions, lines and targets are as they are published.
pub(crate) fn same_dimensions(published: &Published, current: &Published) -> bool {
    let Published { sums: _, teams, branches, products, targets, run: _ } = published;
    (teams, branches, products, targets) == (&current.teams, &current.branches, &current.products, &current.targets)
}
