//! Staged rows as SQLite takes them: a statement that inserts, and a JSON array of arrays.

use moon_core::{
    AgentCell, BusinessDate, Cell, Dimension, Error, ErrorKind, Figures, Period, ProductCode, ProductRow,
    PublishedTarget, Restatement, Result, StagedRows, Text,
};

use super::stage::dimension_number;
use crate::value::to_json;

/// What is to be done with staged rows.
pub(super) enum Staging {
    /// A statement that takes the run and the rows.
    Rows(&'static str, String),
    Close(Period),
    Reopen(Period),
}

pub(super) fn staging(rows: &StagedRows) -> Result<Staging> {
    let (statement, rows) = match rows {
        StagedRows::Cells(cells) => (STAGE_CELLS, cell_rows(cells)?),
        StagedRows::Teams(teams) => {
            let entries = teams.iter().map(|team| (team.code.as_str(), &team.name, None));
            (STAGE_ENTRIES, entry_rows(Dimension::Team, entries)?)
        }
        StagedRows::Branches(branches) => {
            let entries = branches.iter().map(|branch| (branch.code.as_str(), &branch.name, branch.region.as_ref()));
            (STAGE_ENTRIES, entry_rows(Dimension::Branch, entries)?)
        }
        StagedRows::Products(products) => {
            let entries = products.iter().map(|product| (product.code.as_str(), &product.name, product.line.as_ref()));
            (STAGE_ENTRIES, entry_rows(Dimension::Product, entries)?)
        }
        StagedRows::Targets(targets) => (STAGE_TARGETS, target_rows(targets)?),
        StagedRows::ProductMetrics { month, rows } => (STAGE_METRICS, metric_rows(*month, rows)?),
        StagedRows::AgentCells(cells) => (STAGE_AGENTS, agent_rows(cells)?),
        StagedRows::Restatements(rows) => (STAGE_RESTATEMENTS, restatement_rows(rows)?),
        StagedRows::Close(period) => return Ok(Staging::Close(*period)),
        StagedRows::Reopen(period) => return Ok(Staging::Reopen(*period)),
    };
    Ok(Staging::Rows(statement, rows))
}

/// Minor units as SQLite keeps them. The least 64-bit number is left out: it has no absolute value.
fn minor(field: &'static str, of: impl std::fmt::Display, minor: i128) -> Result<i64> {
    i64::try_from(minor).ok().filter(|minor| *minor != i64::MIN).ok_or_else(|| {
        Error::new(ErrorKind::Refused, "figure has more digits than an SQLite warehouse can hold; use another backend")
            .with("figure", field)
            .with("of", of)
            .with("minor_units", minor)
    })
}

/// The six numbers of figures, in the order of the tables.
fn six(of: &str, figures: &Figures) -> Result<(i64, i64, i64, i64, i64, i64)> {
    Ok((
        minor("net_sales", of, figures.net.minor)?,
        figures.net.count,
        minor("gross_sales", of, figures.gross.minor)?,
        figures.gross.count,
        minor("activity_sales", of, figures.activity.minor)?,
        figures.activity.count,
    ))
}

fn cell_rows(cells: &[Cell]) -> Result<String> {
    let row = |cell: &Cell| {
        let (net, net_count, gross, gross_count, activity, activity_count) = six(&cell.code, &cell.figures)?;
        let (dimension, day) = (dimension_number(cell.dimension), cell.day.epoch_day());
        let code = cell.code.to_string();
        Ok((dimension, day, code, net, net_count, gross, gross_count, activity, activity_count))
    };
    to_json(&cells.iter().map(row).collect::<Result<Vec<_>>>()?)
}

fn agent_rows(cells: &[AgentCell]) -> Result<String> {
    let row = |cell: &AgentCell| {
        let (net, net_count, gross, gross_count, activity, activity_count) = six(&cell.agent, &cell.figures)?;
        let (month, agent) = (cell.month.epoch_day(), cell.agent.clone());
        Ok((month, agent, net, net_count, gross, gross_count, activity, activity_count))
    };
    to_json(&cells.iter().map(row).collect::<Result<Vec<_>>>()?)
}

fn restatement_rows(rows: &[Restatement]) -> Result<String> {
    let row = |row: &Restatement| {
        let before = six(&row.code, &row.before)?;
        let after = six(&row.code, &row.after)?;
        let (dimension, day) = (dimension_number(row.dimension), row.day.epoch_day());
        Ok((dimension, day, row.code.to_string(), before, after))
    };
    to_json(&rows.iter().map(row).collect::<Result<Vec<_>>>()?)
}

fn metric_rows(month: Option<BusinessDate>, rows: &[ProductRow]) -> Result<String> {
    let month = month.map(BusinessDate::epoch_day);
    let of = |field, product: &str, value: Option<i128>| value.map(|value| minor(field, product, value)).transpose();
    let row = |row: &ProductRow| {
        Ok((
            month,
            row.product.to_string(),
            row.product_name.to_string(),
            of("target_amount", &row.product, row.target_minor)?,
            minor("total_sales", &row.product, row.total.minor)?,
            row.total.count,
            of("variance", &row.product, row.variance_minor)?,
            row.attainment.map(|attainment| attainment.to_string()),
            row.status.name(),
            u8::from(row.complete),
            row.coverage.name(),
        ))
    };
    to_json(&rows.iter().map(row).collect::<Result<Vec<_>>>()?)
}

/// Teams, branches or products as rows for their stage.
fn entry_rows<'a>(
    dimension: Dimension,
    entries: impl Iterator<Item = (&'a str, &'a Text, Option<&'a Text>)>,
) -> Result<String> {
    let dimension = dimension_number(dimension);
    let rows: Vec<_> = entries.map(|(code, name, detail)| (dimension, code, name, detail)).collect();
    to_json(&rows)
}

fn target_rows(targets: &[PublishedTarget]) -> Result<String> {
    let mut rows = Vec::with_capacity(targets.len());
    for target in targets {
        rows.push((
            target.product.as_ref().map(ProductCode::as_str),
            target.scope.to_string(),
            target.period.granularity().name(),
            target.period.days().start(),
            target.period.days().end(),
            target.amount.minor(),
        ));
    }
    to_json(&rows)
}

const STAGE_CELLS: &str = "INSERT INTO warehouse_stage_cells (run_id, dimension, day, code, net_sales, net_count,
        gross_sales, gross_count, activity_sales, activity_count)
    SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
        value ->> 8 FROM json_each(?2)";
const STAGE_ENTRIES: &str = "INSERT INTO warehouse_stage_entries (run_id, dimension, code, name, detail)
    SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?2)";
const STAGE_TARGETS: &str = "INSERT INTO warehouse_stage_targets (run_id, product, scope, granularity, period_start,
        period_end, amount)
    SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?2)";
const STAGE_METRICS: &str = "INSERT INTO warehouse_stage_metrics (run_id, month, product, product_name, target_amount,
        total_sales, sale_count, variance, attainment, status, complete, coverage)
    SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
        value ->> 8, value ->> 9, value ->> 10 FROM json_each(?2)";
const STAGE_AGENTS: &str =
    "INSERT INTO warehouse_stage_agents (run_id, month, agent, net_sales, net_count, gross_sales,
        gross_count, activity_sales, activity_count)
    SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
    FROM json_each(?2)";
const STAGE_RESTATEMENTS: &str = "INSERT INTO warehouse_stage_restatements (run_id, dimension, day, code,
        before_net_sales, before_net_count, before_gross_sales, before_gross_count, before_activity_sales,
        before_activity_count, after_net_sales, after_net_count, after_gross_sales, after_gross_count,
        after_activity_sales, after_activity_count)
    SELECT ?1, value ->> 0, value ->> 1, value ->> 2,
        value ->> '$[3][0]', value ->> '$[3][1]', value ->> '$[3][2]', value ->> '$[3][3]', value ->> '$[3][4]',
        value ->> '$[3][5]', value ->> '$[4][0]', value ->> '$[4][1]', value ->> '$[4][2]', value ->> '$[4][3]',
        value ->> '$[4][4]', value ->> '$[4][5]'
    FROM json_each(?2)";
