//! From sums by agent to rows that tell nobody who it is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use moon_core::{
    AgentCell, AgentCode, BusinessDate, Calendar, Cell, ControlTotals, DayControl, Dimension, Figures, Granularity,
    Lock, Result, Totals, UNASSIGNED, UnitOfWork, Warehouse,
};

use super::{AgentFigures, WITHHELD};
use crate::plan::Plan;

/// How many agents are looked up at a time.
const AGENTS_AT_ONCE: usize = 1_000;

/// The sums by agent and month of one snapshot, and who may be told apart.
#[derive(Debug, Default)]
pub(crate) struct AgentTotals {
    /// Ascending by month and code; the codes do not leave this type.
    cells: Vec<Cell>,
    /// The name that an agent has in the warehouse.
    labels: HashMap<Arc<str>, String>,
}

impl AgentTotals {
    /// Takes what was folded by agent and month, checks that each month adds up to its plain sums, and looks up in the
    /// same snapshot which agents allow analytics.
    ///
    /// # Errors
    /// `Refused` when a month does not add up; those of the store.
    pub(crate) async fn new(unit: &mut dyn UnitOfWork, figures: &AgentFigures, totals: Totals) -> Result<Self> {
        let Totals { cells, control } = totals;
        control.check(Dimension::Agent, &by_month(&cells)?)?;
        let agents: BTreeSet<&Arc<str>> = cells.iter().map(|cell| &cell.code).collect();
        let agents: Vec<&Arc<str>> = agents.into_iter().filter(|code| &***code != UNASSIGNED).collect();
        let mut labels = HashMap::from([(Arc::from(UNASSIGNED), UNASSIGNED.to_owned())]);
        for some in agents.chunks(AGENTS_AT_ONCE) {
            let codes = some.iter().map(|code| AgentCode::new(code)).collect::<Result<Vec<_>>>()?;
            for (code, agent) in some.iter().zip(unit.agents().find(&codes, Lock::None).await?) {
                if agent.is_some_and(|agent| agent.consents.allows_analytics()) {
                    labels.insert(Arc::clone(code), figures.key.pseudonym(code)?);
                }
            }
        }
        Ok(Self { cells, labels })
    }

    /// Checks that each month adds up to these plain sums of all its days.
    ///
    /// # Errors
    /// `Refused` when one does not.
    pub(crate) fn check(&self, days: &ControlTotals) -> Result<()> {
        let mut months: Vec<DayControl> = Vec::new();
        for control in &days.days {
            let month = Calendar::default().period_of(Granularity::Month, control.day);
            let first = month.days().first().unwrap_or(control.day);
            match months.last_mut().filter(|month| month.day == first) {
                Some(month) => month.figures = month.figures.plus(control.figures)?,
                None => months.push(DayControl { day: first, figures: control.figures }),
            }
        }
        ControlTotals { days: months }.check(Dimension::Agent, &by_month(&self.cells)?)
    }

    /// The rows of one month after the other, ascending by agent.
    ///
    /// # Errors
    /// `Refused` when a sum is too large to be exact.
    pub(crate) fn months(&self) -> impl Iterator<Item = Result<Vec<AgentCell>>> {
        let month = |cells: &[Cell]| {
            let Some(month) = cells.first().map(|cell| cell.day) else { return Ok(Vec::new()) };
            let mut rows: BTreeMap<&str, Figures> = BTreeMap::new();
            for cell in cells {
                let label = self.labels.get(&cell.code).map_or(WITHHELD, String::as_str);
                let sum = rows.entry(label).or_default();
                *sum = sum.plus(cell.figures)?;
            }
            let row = |(agent, figures): (&str, Figures)| AgentCell { month, agent: agent.to_owned(), figures };
            Ok(rows.into_iter().map(row).collect())
        };
        self.cells.chunk_by(|one, other| one.day == other.day).map(month)
    }

    /// The rows of all months.
    ///
    /// # Errors
    /// As of [`months`](Self::months).
    pub(crate) fn rows(&self) -> Result<Vec<AgentCell>> {
        let months = self.months().collect::<Result<Vec<_>>>()?;
        Ok(months.into_iter().flatten().collect())
    }
}

/// The sums of all agents by month.
fn by_month(cells: &[Cell]) -> Result<Vec<DayControl>> {
    let month = |cells: &[Cell]| {
        let figures = cells.iter().try_fold(Figures::default(), |sum, cell| sum.plus(cell.figures))?;
        Ok(cells.first().map(|cell| DayControl { day: cell.day, figures }))
    };
    let months = cells.chunk_by(|one, other| one.day == other.day).map(month);
    Ok(months.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// The published rows of months in which the run replaces something else only.
pub(crate) async fn kept(warehouse: &dyn Warehouse, plan: &Plan) -> Result<Vec<AgentCell>> {
    let scope = plan.scope();
    if plan.is_full() || !scope.agents {
        return Ok(Vec::new());
    }
    let mut cells = warehouse.agent_cells(scope.months.hull()).await?;
    cells.retain(|cell| scope.has_month(cell.month) && !plan.agent_days.contains(cell.month.epoch_day()));
    Ok(cells)
}

/// The months in which rows differ, ascending.
pub(crate) fn changed_months(before: &[AgentCell], after: &[AgentCell]) -> Vec<BusinessDate> {
    let (before, after): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), after.iter().collect());
    let months: BTreeSet<_> = before.symmetric_difference(&after).map(|cell| cell.month).collect();
    months.into_iter().collect()
}
