//! Published figures as they stand: cells, product metrics, figures of agents. Lists are put in order here, byte by byte.

use moon_core::{
    AgentCell, Attainment, Cell, Coverage, Currency, DayRange, Dimension, ProductMetrics, ProductRow, Result, Sum,
    TargetStatus,
};
use mysql_async::Row;

use super::read::{figures, minor};
use crate::session::Session;
use crate::value::{self, Columns as _};

const DOING: &str = "read published figures";

/// The six columns of figures, in the order that [`figures`] reads.
pub(super) const SIX: &str = "net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count";

/// The rows of a statement that takes the first day and the last; none where there are no days.
pub(super) async fn rows_of(
    session: &mut Session<'_>,
    doing: &'static str,
    sql: &str,
    days: DayRange,
) -> Result<Vec<Row>> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
    session.rows(doing, sql, vec![value::date(first), value::date(last)]).await
}

pub(super) async fn cells(session: &mut Session<'_>, days: DayRange, currency: Currency) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for dimension in Dimension::DAILY {
        let name = dimension.name();
        let sql = format!("SELECT day, {name}, {SIX} FROM {name}_sales_daily WHERE day BETWEEN ? AND ?");
        for row in rows_of(session, DOING, &sql, days).await? {
            let (day, code) = (row.date(0)?, row.text(1)?.into());
            cells.push(Cell { dimension, day, code, figures: figures(&row, 2, currency)? });
        }
    }
    cells.sort_unstable();
    Ok(cells)
}

pub(super) async fn agent_cells(
    session: &mut Session<'_>,
    months: DayRange,
    currency: Currency,
) -> Result<Vec<AgentCell>> {
    let sql = format!("SELECT month, agent, {SIX} FROM warehouse_agents WHERE month BETWEEN ? AND ?");
    let mut cells = Vec::new();
    for row in rows_of(session, DOING, &sql, months).await? {
        let (month, agent) = (row.date(0)?, row.text(1)?.to_owned());
        cells.push(AgentCell { month, agent, figures: figures(&row, 2, currency)? });
    }
    cells.sort_unstable();
    Ok(cells)
}

const METRICS: &str =
    "SELECT month, product, product_name, target_amount, total_sales, sale_count, variance, attainment,
        status, complete, coverage
    FROM warehouse_product_metrics";

fn metric(row: &Row, currency: Currency) -> Result<ProductRow> {
    let amount = |column: usize| row.optional_text(column)?.map(|amount| minor(amount, currency)).transpose();
    Ok(ProductRow {
        product: row.text(1)?.into(),
        product_name: row.text(2)?.into(),
        target_minor: amount(3)?,
        total: Sum::new(minor(row.text(4)?, currency)?, row.int(5)?),
        variance_minor: amount(6)?,
        attainment: row.optional_text(7)?.map(str::parse::<Attainment>).transpose()?,
        status: TargetStatus::from_name(row.text(8)?)?,
        complete: row.int(9)? != 0,
        coverage: Coverage::from_name(row.text(10)?)?,
        year_before: None,
    })
}

pub(super) async fn product_metrics(
    session: &mut Session<'_>,
    months: DayRange,
    currency: Currency,
) -> Result<Vec<ProductMetrics>> {
    let mut rows = Vec::new();
    for row in session.rows(DOING, &format!("{METRICS} WHERE all_time = 1"), Vec::new()).await? {
        rows.push((None, metric(&row, currency)?));
    }
    let monthly = format!("{METRICS} WHERE all_time = 0 AND month BETWEEN ? AND ?");
    for row in rows_of(session, DOING, &monthly, months).await? {
        rows.push((Some(row.date(0)?), metric(&row, currency)?));
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
