//! Rows for staging. Dates and decimals go as text, from which the database makes them exactly.

use moon_core::{
    AgentCell, BusinessDate, Cell, Currency, Dimension, Error, Figures, ProductCode, ProductRow, PublishedTarget,
    Restatement, Result, StagedRows, Sum, Text,
};
use mysql_async::Value;

use crate::value;

/// A staging table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Cells,
    Entries,
    Targets,
    Metrics,
    Agents,
    Restatements,
}

impl Stage {
    /// The table, and its columns behind `run_id` in the order of the rows.
    pub(super) fn table(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Cells => (
                "warehouse_stage_cells",
                &[
                    "dimension",
                    "day",
                    "code",
                    "net_sales",
                    "net_count",
                    "gross_sales",
                    "gross_count",
                    "activity_sales",
                    "activity_count",
                ],
            ),
            Self::Entries => ("warehouse_stage_entries", &["dimension", "code", "name", "detail"]),
            Self::Targets => (
                "warehouse_stage_targets",
                &["product", "scope", "granularity", "period_start", "period_end", "target_amount"],
            ),
            Self::Metrics => (
                "warehouse_stage_metrics",
                &[
                    "all_time",
                    "month",
                    "product",
                    "product_name",
                    "target_amount",
                    "total_sales",
                    "sale_count",
                    "variance",
                    "attainment",
                    "status",
                    "complete",
                    "coverage",
                ],
            ),
            Self::Agents => (
                "warehouse_stage_agents",
                &[
                    "month",
                    "agent",
                    "net_sales",
                    "net_count",
                    "gross_sales",
                    "gross_count",
                    "activity_sales",
                    "activity_count",
                ],
            ),
            Self::Restatements => (
                "warehouse_stage_restatements",
                &[
                    "dimension",
                    "day",
                    "code",
                    "before_net_sales",
                    "before_net_count",
                    "before_gross_sales",
                    "before_gross_count",
                    "before_activity_sales",
                    "before_activity_count",
                    "after_net_sales",
                    "after_net_count",
                    "after_gross_sales",
                    "after_gross_count",
                    "after_activity_sales",
                    "after_activity_count",
                ],
            ),
        }
    }
}

/// The number of a daily dimension in the tables; `None` for agents, who have none there.
pub(super) fn dimension_number(dimension: Dimension) -> Option<i64> {
    match dimension {
        Dimension::Team => Some(1),
        Dimension::Branch => Some(2),
        Dimension::Product => Some(3),
        Dimension::Agent => None,
    }
}

/// A row, by the columns of its stage.
pub(super) type StageRow = Vec<Value>;

/// Turns staged rows into those of a table; `None` for what is no row.
pub(super) fn stage_rows(rows: &StagedRows, currency: Currency) -> Result<Option<(Stage, Vec<StageRow>)>> {
    Ok(Some(match rows {
        StagedRows::Cells(cells) => (Stage::Cells, cells.iter().map(|cell| cell_row(cell, currency)).collect()),
        StagedRows::Teams(teams) => {
            let entries = teams.iter().map(|team| entry_row(Dimension::Team, team.code.as_str(), &team.name, None));
            (Stage::Entries, entries.collect())
        }
        StagedRows::Branches(branches) => {
            let entries = branches
                .iter()
                .map(|branch| entry_row(Dimension::Branch, branch.code.as_str(), &branch.name, branch.region.as_ref()));
            (Stage::Entries, entries.collect())
        }
        StagedRows::Products(products) => {
            let entries = products.iter().map(|product| {
                entry_row(Dimension::Product, product.code.as_str(), &product.name, product.line.as_ref())
            });
            (Stage::Entries, entries.collect())
        }
        StagedRows::Targets(targets) => {
            (Stage::Targets, targets.iter().map(|target| target_row(target, currency)).collect::<Result<_>>()?)
        }
        StagedRows::ProductMetrics { month, rows } => {
            (Stage::Metrics, rows.iter().map(|row| metric_row(*month, row, currency)).collect())
        }
        StagedRows::AgentCells(cells) => (Stage::Agents, cells.iter().map(|cell| agent_row(cell, currency)).collect()),
        StagedRows::Restatements(rows) => {
            (Stage::Restatements, rows.iter().map(|row| restatement_row(row, currency)).collect())
        }
        StagedRows::Close(_) | StagedRows::Reopen(_) => return Ok(None),
    }))
}

/// Minor units as an exact decimal.
pub(super) fn decimal(minor: i128, currency: Currency) -> Value {
    value::bytes(Sum::new(minor, 0).display(currency).to_string())
}

/// The six columns of figures.
fn six(figures: &Figures, currency: Currency) -> impl Iterator<Item = Value> {
    let sums = [figures.net, figures.gross, figures.activity].into_iter();
    sums.flat_map(move |sum| [decimal(sum.minor, currency), Value::Int(sum.count)])
}

fn group(dimension: Dimension, day: BusinessDate, code: &str) -> StageRow {
    vec![value::optional_int(dimension_number(dimension)), value::date(day), value::bytes(code)]
}

fn cell_row(cell: &Cell, currency: Currency) -> StageRow {
    let mut row = group(cell.dimension, cell.day, &cell.code);
    row.extend(six(&cell.figures, currency));
    row
}

fn restatement_row(restatement: &Restatement, currency: Currency) -> StageRow {
    let mut row = group(restatement.dimension, restatement.day, &restatement.code);
    row.extend(six(&restatement.before, currency).chain(six(&restatement.after, currency)));
    row
}

fn agent_row(cell: &AgentCell, currency: Currency) -> StageRow {
    let mut row = vec![value::date(cell.month), value::bytes(&cell.agent)];
    row.extend(six(&cell.figures, currency));
    row
}

fn entry_row(dimension: Dimension, code: &str, name: &Text, detail: Option<&Text>) -> StageRow {
    vec![
        value::optional_int(dimension_number(dimension)),
        value::bytes(code),
        value::bytes(name.as_str()),
        value::optional(detail.map(Text::as_str)),
    ]
}

fn target_row(target: &PublishedTarget, currency: Currency) -> Result<StageRow> {
    let days = target.period.days();
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Err(Error::invalid("period of a target has no days"));
    };
    Ok(vec![
        value::optional(target.product.as_ref().map(ProductCode::as_str)),
        value::bytes(target.scope.to_string()),
        value::bytes(target.period.granularity().name()),
        value::date(first),
        value::date(last),
        decimal(target.amount.minor().into(), currency),
    ])
}

fn metric_row(month: Option<BusinessDate>, row: &ProductRow, currency: Currency) -> StageRow {
    vec![
        value::int(i64::from(month.is_none())),
        value::date(month.unwrap_or(BusinessDate::MIN)),
        value::bytes(&*row.product),
        value::bytes(&*row.product_name),
        row.target_minor.map_or(Value::NULL, |minor| decimal(minor, currency)),
        decimal(row.total.minor, currency),
        Value::Int(row.total.count),
        row.variance_minor.map_or(Value::NULL, |minor| decimal(minor, currency)),
        value::optional(row.attainment.map(|attainment| attainment.to_string())),
        value::bytes(row.status.name()),
        value::int(i64::from(row.complete)),
        value::bytes(row.coverage.name()),
    ]
}
