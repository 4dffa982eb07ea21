//! Published figures as they stand: cells, product metrics, figures of agents.

use moon_core::{
    AgentCell, Attainment, BusinessDate, Cell, Coverage, DayRange, Dimension, Error, ErrorKind, Figures,
    ProductMetrics, ProductRow, Result, Sum, TargetStatus,
};

use super::stage::dimension_number;
use crate::failure::corrupt;
use crate::session::Session;
use crate::value;

const DOING: &str = "read published figures";

/// The dimension of a number in the tables.
pub(super) fn dimension(stored: i64) -> Result<Dimension> {
    Dimension::DAILY
        .into_iter()
        .find(|dimension| dimension_number(*dimension) == Some(stored))
        .ok_or_else(|| Error::new(ErrorKind::Corrupt, "published cell has an unknown dimension").with("number", stored))
}

#[derive(sqlx::FromRow)]
pub(super) struct CellRow {
    dimension: i64,
    day: i64,
    code: String,
    #[sqlx(flatten)]
    figures: FiguresRow,
}

impl CellRow {
    pub(super) fn read(self) -> Result<Cell> {
        Ok(Cell {
            dimension: dimension(self.dimension)?,
            day: value::day(self.day)?,
            code: self.code.into(),
            figures: self.figures.read(),
        })
    }
}

/// The six columns.
#[derive(sqlx::FromRow)]
struct FiguresRow {
    net_sales: i64,
    net_count: i64,
    gross_sales: i64,
    gross_count: i64,
    activity_sales: i64,
    activity_count: i64,
}

impl FiguresRow {
    fn read(&self) -> Figures {
        Figures {
            net: Sum::new(self.net_sales.into(), self.net_count),
            gross: Sum::new(self.gross_sales.into(), self.gross_count),
            activity: Sum::new(self.activity_sales.into(), self.activity_count),
        }
    }
}

pub(super) async fn cells(session: &mut Session, days: DayRange) -> Result<Vec<Cell>> {
    let rows: sqlx::Result<Vec<CellRow>> = sqlx::query_as(
        "SELECT dimension, day, code, net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count
         FROM warehouse_cells WHERE dimension IN (1, 2, 3) AND day >= ? AND day < ? ORDER BY dimension, day, code",
    )
    .bind(days.start())
    .bind(days.end())
    .fetch_all(session.reading()?)
    .await;
    session.done(DOING, rows)?.into_iter().map(CellRow::read).collect()
}

#[derive(sqlx::FromRow)]
struct AgentRow {
    month: i64,
    agent: String,
    #[sqlx(flatten)]
    figures: FiguresRow,
}

pub(super) async fn agent_cells(session: &mut Session, months: DayRange) -> Result<Vec<AgentCell>> {
    let rows: sqlx::Result<Vec<AgentRow>> = sqlx::query_as(
        "SELECT month, agent, net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count
         FROM warehouse_agents WHERE month >= ? AND month < ? ORDER BY month, agent",
    )
    .bind(months.start())
    .bind(months.end())
    .fetch_all(session.reading()?)
    .await;
    let cell =
        |row: AgentRow| Ok(AgentCell { month: value::day(row.month)?, agent: row.agent, figures: row.figures.read() });
    session.done(DOING, rows)?.into_iter().map(cell).collect()
}

#[derive(sqlx::FromRow)]
struct MetricRow {
    month: Option<i64>,
    product: String,
    product_name: String,
    target_amount: Option<i64>,
    total_sales: i64,
    sale_count: i64,
    variance: Option<i64>,
    attainment: Option<String>,
    status: String,
    complete: bool,
    coverage: String,
}

impl MetricRow {
    fn read(self) -> Result<(Option<BusinessDate>, ProductRow)> {
        let row = ProductRow {
            product: self.product.into(),
            product_name: self.product_name.into(),
            target_minor: self.target_amount.map(i128::from),
            total: Sum::new(self.total_sales.into(), self.sale_count),
            variance_minor: self.variance.map(i128::from),
            attainment: self.attainment.as_deref().map(str::parse::<Attainment>).transpose()?,
            status: TargetStatus::from_name(&self.status).map_err(corrupt)?,
            complete: self.complete,
            coverage: Coverage::from_name(&self.coverage).map_err(corrupt)?,
            year_before: None,
        };
        Ok((self.month.map(value::day).transpose()?, row))
    }
}

pub(super) async fn product_metrics(session: &mut Session, months: DayRange) -> Result<Vec<ProductMetrics>> {
    // SQLite puts NULL first, that is all time.
    let rows: sqlx::Result<Vec<MetricRow>> = sqlx::query_as(
        "SELECT month, product, product_name, target_amount, total_sales, sale_count, variance, attainment, status,
             complete, coverage
         FROM warehouse_product_metrics WHERE month IS NULL OR (month >= ? AND month < ?) ORDER BY month, product",
    )
    .bind(months.start())
    .bind(months.end())
    .fetch_all(session.reading()?)
    .await;
    let mut metrics: Vec<ProductMetrics> = Vec::new();
    for row in session.done(DOING, rows)? {
        let (month, row) = row.read()?;
        match metrics.last_mut() {
            Some(last) if last.month == month => last.rows.push(row),
            _ => metrics.push(ProductMetrics { month, rows: vec![row] }),
        }
    }
    Ok(metrics)
}
