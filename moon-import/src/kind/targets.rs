//! Rows of targets.

use std::collections::HashMap;

use async_trait::async_trait;
use moon_core::{
    Actor, Amount, BusinessDate, Granularity, Ledger, LedgerSettings, NewTarget, Period, Result, TargetKey,
    TargetOutcome, TargetScope, UnitOfWork,
};

use super::unknown::{Known, Named, ensure};
use super::{RowOutcome, RowReader, RowWriter, Written};
use crate::map::{ImportMap, TargetColumns, UnknownRules};
use crate::missing::References;
use crate::read::Row;
use crate::value::{
    AgentCell, BranchCell, Cell, DateCell, Fault, NumberForm, ProductCell, Slots, TeamCell, read_optional,
};

/// Reads targets.
#[derive(Debug)]
pub(crate) struct TargetReader {
    settings: LedgerSettings,
    product: Option<ProductCell>,
    branch: Option<BranchCell>,
    team: Option<TeamCell>,
    agent: Option<AgentCell>,
    value: TargetValue,
    from: Option<DateCell>,
    met: TargetsMet,
}

impl TargetReader {
    pub(crate) fn new(map: &ImportMap, columns: &TargetColumns, settings: LedgerSettings, slots: &mut Slots) -> Self {
        Self {
            settings,
            product: ProductCell::optional(columns.product.as_ref(), slots),
            branch: BranchCell::optional(columns.branch.as_ref(), slots),
            team: TeamCell::optional(columns.team.as_ref(), slots),
            agent: AgentCell::optional(columns.agent.as_ref(), slots),
            value: TargetValue {
                numbers: map.numbers,
                period: Cell::new(&columns.period, slots),
                amount: Cell::new(&columns.amount, slots),
            },
            from: columns.from.as_ref().map(|from| DateCell::new(from, slots)),
            met: TargetsMet::default(),
        }
    }

    fn scope(&mut self, row: &Row<'_>) -> Result<TargetScope, Fault> {
        let branch = read_optional(self.branch.as_mut(), row)?.map(TargetScope::Branch);
        let team = read_optional(self.team.as_mut(), row)?.map(TargetScope::Team);
        let agent = read_optional(self.agent.as_mut(), row)?.map(TargetScope::Agent);
        let mut scopes = [branch, team, agent].into_iter().flatten();
        let scope = scopes.next().unwrap_or(TargetScope::Ledger);
        match scopes.next() {
            None => Ok(scope),
            Some(_) => {
                let reason = "a target is for one of branch, team and agent, not for several".to_owned();
                Err(Fault { column: String::new(), reason })
            }
        }
    }
}

impl RowReader for TargetReader {
    type Item = NewTarget;

    fn read(&mut self, row: &Row<'_>) -> Result<NewTarget, Fault> {
        let scope = self.scope(row)?;
        let product = read_optional(self.product.as_mut(), row)?;
        let (period, amount) = self.value.require(row, &self.settings)?;
        let settings = self.settings;
        let from = self.from.as_mut().map_or(Ok(None), |from| from.read(row, &settings))?;
        let target = NewTarget { key: TargetKey { product, scope, period }, from, amount, expected: None };
        self.met.add(&target, row.line)?;
        Ok(target)
    }

    fn amount(item: &NewTarget) -> i64 {
        item.amount.minor()
    }

    fn into_references(self) -> Option<References> {
        None
    }
}

/// The period and the amount of a target.
#[derive(Debug)]
pub(super) struct TargetValue {
    pub(super) numbers: NumberForm,
    pub(super) period: Cell,
    pub(super) amount: Cell,
}

impl TargetValue {
    /// The value of a row; `None` when it has no amount.
    pub(super) fn read(&self, row: &Row<'_>, settings: &LedgerSettings) -> Result<Option<(Period, Amount)>, Fault> {
        if self.amount.read(row)?.is_none() { Ok(None) } else { self.require(row, settings).map(Some) }
    }

    /// What the ledger would refuse is refused here already, so that a row of a product with a bad target brings no
    /// product into being either.
    fn require(&self, row: &Row<'_>, settings: &LedgerSettings) -> Result<(Period, Amount), Fault> {
        let amount = self.amount.amount(row, self.numbers, settings)?;
        if amount < Amount::ZERO {
            return Err(self.amount.fault(&"target is negative"));
        }
        let label = self.period.require(row)?;
        let period = settings.calendar.parse(&label).map_err(|error| self.period.fault(&error))?;
        if matches!(period.granularity(), Granularity::Day | Granularity::Week) {
            return Err(self.period.fault(&"target is not for a month, a quarter, a fiscal year or all time"));
        }
        Ok((period, amount))
    }
}

/// The targets that a file has, each with its line. Files of targets are small: products times periods.
#[derive(Debug, Default)]
pub(super) struct TargetsMet(HashMap<(TargetKey, Option<BusinessDate>), u64>);

impl TargetsMet {
    pub(super) fn add(&mut self, target: &NewTarget, line: u64) -> Result<(), Fault> {
        match self.0.insert((target.key.clone(), first_day(target)), line) {
            None => Ok(()),
            Some(first) => {
                self.0.insert((target.key.clone(), first_day(target)), first);
                let reason = format!("target is given twice in this file, first on line {first}");
                Err(Fault { column: String::new(), reason })
            }
        }
    }
}

/// From when on a target is in force.
fn first_day(target: &NewTarget) -> Option<BusinessDate> {
    target.from.or(target.key.period.days().first())
}

/// Sets targets.
#[derive(Debug)]
pub(crate) struct TargetWriter {
    pub(crate) unknown: UnknownRules,
}

#[async_trait]
impl RowWriter for TargetWriter {
    type Item = NewTarget;

    async fn write(
        &self,
        ledger: &Ledger,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        known: &Known,
        rows: &[NewTarget],
    ) -> Result<Written> {
        let named: Vec<Named> = rows.iter().map(named).collect();
        let known = ensure(ledger, unit, actor, self.unknown, known, &named).await?;
        let mut outcomes = Vec::with_capacity(rows.len());
        for row in rows {
            outcomes.push(set_target(ledger, unit, actor, row).await?);
        }
        Ok(Written { outcomes, known })
    }
}

fn named(target: &NewTarget) -> Named {
    let mut named = Named { product: target.key.product.clone(), ..Named::default() };
    match &target.key.scope {
        TargetScope::Ledger => {}
        TargetScope::Branch(code) => named.branch = Some(code.clone()),
        TargetScope::Team(code) => named.team = Some(code.clone()),
        TargetScope::Agent(code) => named.agent = Some(code.clone()),
    }
    named
}

/// Sets one target, by itself, so that one that is refused leaves the others alone. Another amount than the known one
/// corrects it: a file says what holds.
pub(super) async fn set_target(
    ledger: &Ledger,
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
    target: &NewTarget,
) -> Result<RowOutcome> {
    let known = unit.products().find_targets(std::slice::from_ref(&target.key)).await?;
    let from = first_day(target);
    let known = known.into_iter().find(|known| known.key == target.key && Some(known.from) == from);
    let target = NewTarget { expected: known.map(|known| known.version), ..target.clone() };
    match ledger.set_targets_in(unit, actor, &[target]).await {
        Ok(outcomes) => Ok(match outcomes.first() {
            Some(TargetOutcome::Set) => RowOutcome::Recorded,
            Some(TargetOutcome::Corrected) => RowOutcome::Corrected,
            Some(TargetOutcome::Duplicate) | None => RowOutcome::Duplicate,
        }),
        Err(error) => RowOutcome::refused(error),
    }
}
