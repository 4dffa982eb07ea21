//! Which figures of agents differ.

use std::collections::BTreeMap;

use moon_core::{AgentCell, BusinessDate, DaySet, Figures, Result, Warehouse};

/// A month, by its first day, an agent, the published sums and those of the source; zero where one side has no row.
type AgentDifference = (BusinessDate, String, Figures, Figures);

/// The published rows of the months whose first day lies in these days.
pub(super) async fn published(warehouse: &dyn Warehouse, months: &DaySet) -> Result<Vec<AgentCell>> {
    let mut cells = Vec::new();
    for range in months.ranges() {
        cells.extend(warehouse.agent_cells(*range).await?);
    }
    Ok(cells)
}

/// The rows that differ, ascending by month and agent.
pub(super) fn differences(published: Vec<AgentCell>, source: Vec<AgentCell>) -> Vec<AgentDifference> {
    let mut rows: BTreeMap<(BusinessDate, String), (Figures, Figures)> = BTreeMap::new();
    for AgentCell { month, agent, figures } in published {
        rows.entry((month, agent)).or_default().0 = figures;
    }
    for AgentCell { month, agent, figures } in source {
        rows.entry((month, agent)).or_default().1 = figures;
    }
    let differing = rows.into_iter().filter(|(_, (published, source))| published != source);
    differing.map(|((month, agent), (published, source))| (month, agent, published, source)).collect()
}
