//! Rows for staging. Dates and decimals go as text, from which the database makes them exactly.

use moon_core::{
    BusinessDate, Cell, Currency, Dimension, Error, ProductCode, ProductRow, PublishedTarget, Result, Scope,
    StagedRows, Sum, TargetScope, Text,
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

/// Turns staged rows into those of a table, checking that they belong.
pub(super) fn stage_rows(rows: &StagedRows, scope: &Scope, currency: Currency) -> Result<(Stage, Vec<StageRow>)> {
    Ok(match rows {
        StagedRows::Cells(cells) => {
            (Stage::Cells, cells.iter().map(|cell| cell_row(cell, scope, currency)).collect::<Result<_>>()?)
        }
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
        StagedRows::AgentCells(_) | StagedRows::Restatements(_) | StagedRows::Close(_) | StagedRows::Reopen(_) => {
            return Err(Error::new(moon_core::ErrorKind::Unsupported, "this warehouse cannot stage that yet"));
        }
        StagedRows::ProductMetrics { month, rows } => {
            if let Some(month) = month.filter(|month| !scope.months.contains(month.epoch_day())) {
                return Err(Error::invalid("month lies outside of the run's scope").with("month", month));
            }
            (Stage::Metrics, rows.iter().map(|row| metric_row(*month, row, currency)).collect())
        }
    })
}

/// Minor units as an exact decimal.
pub(super) fn decimal(minor: i128, currency: Currency) -> Value {
    value::bytes(Sum::new(minor, 0).display(currency).to_string())
}

fn cell_row(cell: &Cell, scope: &Scope, currency: Currency) -> Result<StageRow> {
    let fail = |fault: &'static str| {
        Error::invalid(fault).with("dimension", cell.dimension.name()).with("day", cell.day).with("code", &cell.code)
    };
    let dimension =
        dimension_number(cell.dimension).ok_or_else(|| fail("the warehouse has no daily figures of agents"))?;
    if !scope.days.contains(cell.day.epoch_day()) {
        return Err(fail("cell lies outside of the run's scope"));
    }
    let mut row = vec![Value::Int(dimension), value::date(cell.day), value::bytes(&*cell.code)];
    for sum in [cell.figures.net, cell.figures.gross, cell.figures.activity] {
        row.extend([decimal(sum.minor, currency), Value::Int(sum.count)]);
    }
    Ok(row)
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
    if let TargetScope::Agent(_) = target.scope {
        return Err(Error::invalid("targets of agents are not published"));
    }
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
