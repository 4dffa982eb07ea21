//! Which target holds for a period.

use std::collections::BTreeMap;

use super::Coverage;
use crate::{
    Amount, BusinessDate, Calendar, Error, ErrorKind, Granularity, Period, ProductCode, PublishedTarget, Result,
    Target, TargetKey, TargetScope,
};

/// The targets in force as of a day, ascending, each (product, scope, period) at most once. For each period, that is the
/// last version that starts at or before the day, the day being moved into the period: the last version of a period that
/// has ended counts for its final status, and the first for one that is still to come. A version that starts later is
/// not in force.
#[must_use]
pub fn targets_in_force(targets: &[Target], as_of: BusinessDate) -> Vec<PublishedTarget> {
    let mut in_force: BTreeMap<&TargetKey, &Target> = BTreeMap::new();
    for target in targets {
        let days = target.key.period.days();
        let Some((first, last)) = days.first().zip(days.last()) else { continue };
        if target.from > as_of.clamp(first, last) {
            continue;
        }
        let latest = in_force.entry(&target.key).or_insert(target);
        if (latest.from, latest.version) < (target.from, target.version) {
            *latest = target;
        }
    }
    let mut published: Vec<_> = in_force
        .into_values()
        .map(|Target { key, amount, .. }| PublishedTarget {
            product: key.product.clone(),
            scope: key.scope.clone(),
            period: key.period,
            amount: *amount,
        })
        .collect();
    published.sort_unstable();
    published
}

/// Those [in force](targets_in_force) that a warehouse may hold: all but those of agents.
#[must_use]
pub fn publishable_targets(targets: &[Target], as_of: BusinessDate) -> Vec<PublishedTarget> {
    let mut published = targets_in_force(targets, as_of);
    published.retain(|target| !matches!(target.scope, TargetScope::Agent(_)));
    published
}

/// What is to be reached in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolvedTarget {
    /// Minor units; `None` unless the coverage is full.
    pub amount_minor: Option<i128>,
    /// How much of the period is covered.
    pub coverage: Coverage,
}

impl ResolvedTarget {
    const NONE: Self = Self { amount_minor: None, coverage: Coverage::None };
    const PARTIAL: Self = Self { amount_minor: None, coverage: Coverage::Partial };

    /// What parts come to: the sum when each is covered in full, else nothing.
    fn sum_of(parts: impl IntoIterator<Item = Result<Self>>) -> Result<Self> {
        let (mut sum, mut covered, mut gap) = (0_i128, false, false);
        for part in parts {
            match part? {
                Self { amount_minor: Some(amount), .. } => {
                    covered = true;
                    sum = sum
                        .checked_add(amount)
                        .ok_or_else(|| Error::new(ErrorKind::Refused, "sum of targets is too large to be exact"))?;
                }
                Self { coverage: Coverage::None, .. } => gap = true,
                Self { .. } => (covered, gap) = (true, true),
            }
        }
        Ok(match (covered, gap) {
            (false, _) => Self::NONE,
            (true, true) => Self::PARTIAL,
            (true, false) => Self { amount_minor: Some(sum), coverage: Coverage::Full },
        })
    }
}

/// Targets in force, ready to be asked.
#[derive(Debug, Clone)]
pub struct TargetBook<'t> {
    calendar: Calendar,
    targets: BTreeMap<Option<&'t ProductCode>, BTreeMap<&'t TargetScope, BTreeMap<Period, Amount>>>,
}

impl<'t> TargetBook<'t> {
    /// Reads targets, of which each (product, scope, period) has one; else the last counts.
    #[must_use]
    pub fn new(targets: &'t [PublishedTarget], calendar: Calendar) -> Self {
        let mut book = Self { calendar, targets: BTreeMap::new() };
        for target in targets {
            let scopes = book.targets.entry(target.product.as_ref()).or_default();
            scopes.entry(&target.scope).or_default().insert(target.period, target.amount);
        }
        book
    }

    /// The products that have a target of their own, for whatever scope and period, ascending.
    pub fn products(&self) -> impl Iterator<Item = &'t ProductCode> {
        self.targets.keys().copied().flatten()
    }

    /// The target of one scope, for one product or (`None`) all together: the one of exactly that period, else the sum
    /// of finer ones that tile it without a gap. An all-time target serves all time only.
    ///
    /// # Errors
    /// `Refused` when the sum is too large to be exact.
    pub fn target(&self, product: Option<&ProductCode>, scope: &TargetScope, period: Period) -> Result<ResolvedTarget> {
        match self.targets.get(&product).and_then(|scopes| scopes.get(scope)) {
            Some(periods) => self.over(periods, period),
            None => Ok(ResolvedTarget::NONE),
        }
    }

    /// The target of a product in the whole ledger: its own, or, when the ledger has none at all for it in the period,
    /// the sum of those of its branches. A branch without a target sets none; one with a gap leaves the sum without.
    ///
    /// # Errors
    /// `Refused` when the sum is too large to be exact.
    pub fn product_target(&self, product: &ProductCode, period: Period) -> Result<ResolvedTarget> {
        let own = self.target(Some(product), &TargetScope::Ledger, period)?;
        if own.coverage != Coverage::None {
            return Ok(own);
        }
        let Some(scopes) = self.targets.get(&Some(product)) else { return Ok(own) };
        let branches = scopes.iter().filter(|(scope, _)| matches!(scope, TargetScope::Branch(_)));
        let set = branches
            .map(|(_, periods)| self.over(periods, period))
            .filter(|part| !matches!(part, Ok(ResolvedTarget::NONE)));
        ResolvedTarget::sum_of(set)
    }

    fn over(&self, periods: &BTreeMap<Period, Amount>, period: Period) -> Result<ResolvedTarget> {
        if let Some(amount) = periods.get(&period) {
            return Ok(ResolvedTarget { amount_minor: Some(amount.minor().into()), coverage: Coverage::Full });
        }
        if period.granularity() == Granularity::All {
            // Nothing tiles all time, yet some of it is covered.
            return Ok(if periods.is_empty() { ResolvedTarget::NONE } else { ResolvedTarget::PARTIAL });
        }
        ResolvedTarget::sum_of(self.calendar.tiles(period).into_iter().map(|tile| self.over(periods, tile)))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::{BranchCode, Text, Version};

    fn product() -> ProductCode {
        ProductCode::new("Junior").unwrap()
    }

    fn branch(code: &str) -> TargetScope {
        TargetScope::Branch(BranchCode::new(code).unwrap())
    }

    fn version(scope: TargetScope, period: &str, from: &str, amount: i64) -> Target {
        Target {
            key: TargetKey { product: Some(product()), scope, period: Calendar::default().parse(period).unwrap() },
            from: from.parse().unwrap(),
            amount: Amount::from_minor(amount).unwrap(),
            version: Version::FIRST,
            entered_at: DateTime::UNIX_EPOCH,
            entered_by: Text::new("by", "test").unwrap(),
        }
    }

    fn ask(targets: &[Target], as_of: &str, period: &str) -> (Option<i128>, Coverage) {
        let published = publishable_targets(targets, as_of.parse().unwrap());
        let book = TargetBook::new(&published, Calendar::default());
        let resolved = book.product_target(&product(), Calendar::default().parse(period).unwrap()).unwrap();
        (resolved.amount_minor, resolved.coverage)
    }

    /// Example D of the worked examples.
    #[test]
    fn the_version_in_force_counts_and_the_last_one_for_the_end() {
        let ledger = TargetScope::Ledger;
        let targets = [
            version(ledger.clone(), "2026-03", "2026-03-15", 2_000),
            version(ledger.clone(), "2026-03", "2026-01-01", 1_000),
            version(ledger, "2026-03", "2026-04-01", 9_000),
        ];
        for (as_of, amount) in
            [("2025-06-01", 1_000), ("2026-03-14", 1_000), ("2026-03-15", 2_000), ("2027-01-01", 2_000)]
        {
            assert_eq!(ask(&targets, as_of, "2026-03"), (Some(amount), Coverage::Full), "{as_of}");
        }
        assert_eq!(ask(&targets[..1], "2026-03-14", "2026-03"), (None, Coverage::None));
        assert_eq!(ask(&targets, "2026-04-01", "2026-Q1"), (None, Coverage::Partial));
        assert_eq!(ask(&targets, "2026-04-01", "2026"), (None, Coverage::Partial));
        assert_eq!(ask(&targets, "2026-04-01", "all"), (None, Coverage::Partial));
        assert_eq!(ask(&targets, "2026-04-01", "2026-Q2"), (None, Coverage::None));
        assert_eq!(ask(&targets, "2026-04-01", "2026-03-20"), (None, Coverage::None));
    }

    #[test]
    fn an_all_time_target_serves_all_time_only() {
        let targets = [version(TargetScope::Ledger, "all", "2026-01-01", 7)];
        assert_eq!(ask(&targets, "2026-01-01", "all"), (Some(7), Coverage::Full));
        assert_eq!(ask(&targets, "2025-12-31", "all"), (None, Coverage::None));
        assert_eq!(ask(&targets, "2026-01-01", "2026"), (None, Coverage::None));
    }

    #[test]
    fn a_missing_quarter_is_added_up_from_its_months() {
        let ledger = || TargetScope::Ledger;
        let mut targets: Vec<_> = ["2026-Q1", "2026-Q2", "2026-Q4", "2026-07", "2026-08"]
            .map(|period| version(ledger(), period, "2025-01-01", 10))
            .into();
        assert_eq!(ask(&targets, "2026-01-01", "2026"), (None, Coverage::Partial));
        targets.push(version(ledger(), "2026-09", "2025-01-01", 5));
        assert_eq!(ask(&targets, "2026-01-01", "2026-Q3"), (Some(25), Coverage::Full));
        assert_eq!(ask(&targets, "2026-01-01", "2026"), (Some(55), Coverage::Full));
        targets.push(version(ledger(), "2026", "2025-01-01", 1));
        assert_eq!(ask(&targets, "2026-01-01", "2026"), (Some(1), Coverage::Full));
    }

    #[test]
    fn only_branches_add_up_and_only_where_the_ledger_has_nothing() {
        let mut targets = vec![
            version(branch("Colombo"), "2026-03", "2026-01-01", 3),
            version(branch("Kandy"), "2026-03", "2026-01-01", 4),
            version(branch("Galle"), "2026-05", "2026-01-01", 100),
            version(TargetScope::Agent("AGT001".parse().unwrap()), "2026-03", "2026-01-01", 50),
            version(TargetScope::Team("Alpha".parse().unwrap()), "2026-03", "2026-01-01", 60),
        ];
        assert_eq!(ask(&targets, "2026-03-01", "2026-03"), (Some(7), Coverage::Full));
        assert_eq!(ask(&targets, "2026-03-01", "2026-Q1"), (None, Coverage::Partial));
        assert_eq!(publishable_targets(&targets, "2026-03-01".parse().unwrap()).len(), 4);
        targets.push(version(TargetScope::Ledger, "2026-03", "2026-01-01", 0));
        assert_eq!(ask(&targets, "2026-03-01", "2026-03"), (Some(0), Coverage::Full));
    }

    proptest! {
        /// Whatever months have targets: the year has the sum when all do, and none otherwise.
        #[test]
        fn months_make_a_year_only_without_a_gap(amounts in prop::collection::vec(prop::option::weighted(0.95, 0..=crate::AMOUNT_MINOR_MAX), 12), start in 1_u8..=12) {
            let calendar = Calendar::new(start).unwrap();
            let year = calendar.parse("2026").unwrap();
            let months: Vec<_> = calendar.tiles(year).into_iter().flat_map(|quarter| calendar.tiles(quarter)).collect();
            let published: Vec<_> = months.iter().zip(&amounts).filter_map(|(period, amount)| Some(PublishedTarget {
                product: Some(product()),
                scope: TargetScope::Ledger,
                period: *period,
                amount: Amount::from_minor((*amount)?).unwrap(),
            })).collect();
            let resolved = TargetBook::new(&published, calendar).product_target(&product(), year).unwrap();
            let sum = amounts.iter().copied().map(|amount| amount.map(i128::from)).sum::<Option<i128>>();
            prop_assert_eq!(resolved.amount_minor, sum);
            let coverage = match published.len() { 0 => Coverage::None, 12 => Coverage::Full, _ => Coverage::Partial };
            prop_assert_eq!(resolved.coverage, coverage);
        }

        /// The order of versions does not matter, and the amount changes on exactly the days on which a version starts.
        #[test]
        fn versions_take_over_on_their_first_day(starts in prop::collection::btree_set(0..90_i32, 1..6), day in -10..100_i32, seed in any::<u64>()) {
            let first = "2026-03-01".parse::<BusinessDate>().unwrap().epoch_day();
            let date = |offset: i32| BusinessDate::from_epoch_day(first - 30 + offset).unwrap();
            let mut targets: Vec<_> = starts.iter().map(|start| {
                let from = date(*start).to_string();
                version(TargetScope::Ledger, "2026-03", &from, (*start).into())
            }).collect();
            let length = targets.len();
            targets.rotate_left(usize::try_from(seed % 7).unwrap() % length);
            let expected = starts.iter().rev().find(|start| **start <= day.clamp(30, 60)).map(|start| i128::from(*start));
            prop_assert_eq!(ask(&targets, &date(day).to_string(), "2026-03").0, expected);
        }
    }
}
