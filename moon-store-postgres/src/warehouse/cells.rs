//! Published figures as they stand: cells, product metrics, figures of agents. The statements are those that every dialect
//! knows; parameters and results are text, and lists are put in order here.

use moon_core::{
    AgentCell, Attainment, BusinessDate, Cell, Coverage, Currency, DayRange, Dimension, ProductMetrics, ProductRow,
    Result, Sum, TargetStatus,
};
use tokio_postgres::types::Type;

use super::read::{figures, minor};
use crate::failure::corrupt;
use crate::session::{Param, Row, Session};
use crate::value;

const DOING: &str = "read published figures";

/// The six columns of figures as text, in the order that [`figures`] reads.
pub(crate) const SIX: &str = "CAST(net_sales AS VARCHAR), CAST(net_count AS VARCHAR), CAST(gross_sales AS VARCHAR),
    CAST(gross_count AS VARCHAR), CAST(activity_sales AS VARCHAR), CAST(activity_count AS VARCHAR)";

/// The cells of a dimension, from the first day to the last.
pub(crate) fn cells_of(dimension: Dimension) -> String {
    let name = dimension.name();
    format!(
        "SELECT CAST(day AS VARCHAR), {name}, {SIX} FROM {name}_sales_daily
         WHERE day >= CAST($1 AS DATE) AND day <= CAST($2 AS DATE)"
    )
}

/// The figures of agents, from the first day to the last.
pub(crate) fn agents() -> String {
    format!(
        "SELECT CAST(month AS VARCHAR), agent, {SIX} FROM warehouse_agents
         WHERE month >= CAST($1 AS DATE) AND month <= CAST($2 AS DATE)"
    )
}

const METRICS: &str = "SELECT CAST(month AS VARCHAR), product, product_name, CAST(target_amount AS VARCHAR),
        CAST(total_sales AS VARCHAR), CAST(sale_count AS VARCHAR), CAST(variance AS VARCHAR),
        CAST(attainment AS VARCHAR), status, CASE WHEN complete THEN 'true' ELSE 'false' END, coverage
    FROM warehouse_product_metrics";

/// The product metrics of all time.
pub(crate) fn all_time_metrics() -> String {
    format!("{METRICS} WHERE month IS NULL")
}

/// The product metrics of months, from the first day to the last.
pub(crate) fn monthly_metrics() -> String {
    format!("{METRICS} WHERE month >= CAST($1 AS DATE) AND month <= CAST($2 AS DATE)")
}

/// A day from a column of text.
pub(super) fn day(row: &Row, column: usize) -> Result<BusinessDate> {
    row.get::<&str>(column)?.parse().map_err(corrupt)
}

/// The rows of a statement that takes the first day and the last; none where there are no days.
async fn rows_of(session: &mut Session<'_>, sql: &str, days: DayRange) -> Result<Vec<Row>> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
    let (first, last) = (first.to_string(), last.to_string());
    let params: [Param<'_>; 2] = [(&first, Type::VARCHAR), (&last, Type::VARCHAR)];
    session.rows(DOING, sql, &params).await
}

pub(crate) async fn cells(session: &mut Session<'_>, days: DayRange, currency: Currency) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for dimension in Dimension::DAILY {
        for row in rows_of(session, &cells_of(dimension), days).await? {
            let (day, code): (_, &str) = (day(&row, 0)?, row.get(1)?);
            cells.push(Cell { dimension, day, code: code.into(), figures: figures(&row, 2, currency)? });
        }
    }
    cells.sort_unstable();
    Ok(cells)
}

pub(crate) async fn agent_cells(
    session: &mut Session<'_>,
    months: DayRange,
    currency: Currency,
) -> Result<Vec<AgentCell>> {
    let mut cells = Vec::new();
    for row in rows_of(session, &agents(), months).await? {
        let (month, agent): (_, &str) = (day(&row, 0)?, row.get(1)?);
        cells.push(AgentCell { month, agent: agent.to_owned(), figures: figures(&row, 2, currency)? });
    }
    cells.sort_unstable();
    Ok(cells)
}

fn metric(row: &Row, currency: Currency) -> Result<ProductRow> {
    let amount = |column: usize| -> Result<Option<i128>> {
        row.get::<Option<&str>>(column)?.map(|amount| minor(amount, currency)).transpose()
    };
    let attainment: Option<&str> = row.get(7)?;
    Ok(ProductRow {
        product: row.get::<&str>(1)?.into(),
        product_name: row.get::<&str>(2)?.into(),
        target_minor: amount(3)?,
        total: Sum::new(minor(row.get(4)?, currency)?, value::narrow_whole(value::whole(row.get(5)?)?)?),
        variance_minor: amount(6)?,
        attainment: attainment.map(str::parse::<Attainment>).transpose()?,
        status: TargetStatus::from_name(row.get(8)?)?,
        complete: row.get::<&str>(9)? == "true",
        coverage: Coverage::from_name(row.get(10)?)?,
        year_before: None,
    })
}

pub(crate) async fn product_metrics(
    session: &mut Session<'_>,
    months: DayRange,
    currency: Currency,
) -> Result<Vec<ProductMetrics>> {
    let mut rows = Vec::new();
    for row in session.rows(DOING, &all_time_metrics(), &[]).await? {
        rows.push((None, metric(&row, currency)?));
    }
    for row in rows_of(session, &monthly_metrics(), months).await? {
        rows.push((Some(day(&row, 0)?), metric(&row, currency)?));
    }
    // All time comes first.
    rows.sort_unstable_by(|(month, row), (other_month, other)| {
        month.cmp(other_month).then_with(|| row.product.cmp(&other.product))
    });
    let mut metrics: Vec<ProductMetrics> = Vec::new();
    for (month, row) in rows {
        match metrics.last_mut() {
            Some(last) if last.month == month => last.rows.push(row),
            _ => metrics.push(ProductMetrics { month, rows: vec![row] }),
        }
    }
    Ok(metrics)
}
