//! What readers see.

use moon_core::{
    BranchEntry, DayRange, Dimension, Error, ErrorKind, Figures, Granularity, GroupSum, Period, ProductEntry,
    Published, PublishedTarget, Result, Sum, TargetScope, TeamEntry,
};

use super::runs;
use super::stage::dimension_number;
use crate::failure::corrupt;
use crate::session::Session;
use crate::value::{self, recombine};

const DOING: &str = "read published figures";

/// Everything, in the session's one snapshot.
pub(super) async fn published(session: &mut Session, days: DayRange) -> Result<Published> {
    Ok(Published {
        sums: sums(session, days).await?,
        teams: teams(session).await?,
        branches: branches(session).await?,
        products: products(session).await?,
        targets: targets(session).await?,
        run: runs::last_published(session).await?,
    })
}

async fn sums(session: &mut Session, days: DayRange) -> Result<Vec<GroupSum>> {
    let mut sums = Vec::new();
    for dimension in Dimension::DAILY {
        let rows: sqlx::Result<Vec<SumRow>> = sqlx::query_as(
            "SELECT code, sum(net_sales >> 32) AS net_high, sum(net_sales & 4294967295) AS net_low,
                 sum(net_count) AS net_count, sum(gross_sales >> 32) AS gross_high,
                 sum(gross_sales & 4294967295) AS gross_low, sum(gross_count) AS gross_count,
                 sum(activity_sales >> 32) AS activity_high, sum(activity_sales & 4294967295) AS activity_low,
                 sum(activity_count) AS activity_count
             FROM warehouse_cells WHERE dimension = ? AND day >= ? AND day < ? GROUP BY code ORDER BY code",
        )
        .bind(dimension_number(dimension))
        .bind(days.start())
        .bind(days.end())
        .fetch_all(session.reading()?)
        .await;
        let rows = session.done(DOING, rows)?;
        sums.extend(rows.into_iter().map(|row| GroupSum { dimension, figures: row.figures(), code: row.code.into() }));
    }
    Ok(sums)
}

/// The sums of a group, in halves that cannot overflow.
#[derive(sqlx::FromRow)]
struct SumRow {
    code: String,
    net_high: i64,
    net_low: i64,
    net_count: i64,
    gross_high: i64,
    gross_low: i64,
    gross_count: i64,
    activity_high: i64,
    activity_low: i64,
    activity_count: i64,
}

impl SumRow {
    fn figures(&self) -> Figures {
        Figures {
            net: Sum::new(recombine(self.net_high, self.net_low), self.net_count),
            gross: Sum::new(recombine(self.gross_high, self.gross_low), self.gross_count),
            activity: Sum::new(recombine(self.activity_high, self.activity_low), self.activity_count),
        }
    }
}

async fn teams(session: &mut Session) -> Result<Vec<TeamEntry>> {
    let rows: sqlx::Result<Vec<(String, String)>> =
        sqlx::query_as("SELECT code, name FROM teams ORDER BY code").fetch_all(session.reading()?).await;
    let entry =
        |(code, name): (String, String)| Ok(TeamEntry { code: value::code(&code)?, name: value::text("name", &name)? });
    session.done(DOING, rows)?.into_iter().map(entry).collect()
}

type EntryRow = (String, String, Option<String>);

async fn branches(session: &mut Session) -> Result<Vec<BranchEntry>> {
    let rows: sqlx::Result<Vec<EntryRow>> =
        sqlx::query_as("SELECT code, name, region FROM branches ORDER BY code").fetch_all(session.reading()?).await;
    let entry = |(code, name, region): EntryRow| {
        Ok(BranchEntry {
            code: value::code(&code)?,
            name: value::text("name", &name)?,
            region: region.map(|region| value::text("region", &region)).transpose()?,
        })
    };
    session.done(DOING, rows)?.into_iter().map(entry).collect()
}

async fn products(session: &mut Session) -> Result<Vec<ProductEntry>> {
    let rows: sqlx::Result<Vec<EntryRow>> =
        sqlx::query_as("SELECT code, name, line FROM products ORDER BY code").fetch_all(session.reading()?).await;
    let entry = |(code, name, line): EntryRow| {
        Ok(ProductEntry {
            code: value::code(&code)?,
            name: value::text("name", &name)?,
            line: line.map(|line| value::text("line", &line)).transpose()?,
        })
    };
    session.done(DOING, rows)?.into_iter().map(entry).collect()
}

#[derive(sqlx::FromRow)]
struct TargetRow {
    product: Option<String>,
    scope: String,
    granularity: String,
    period_start: i32,
    period_end: i32,
    amount: i64,
}

impl TargetRow {
    fn read(&self) -> Result<PublishedTarget> {
        let granularity = Granularity::from_name(&self.granularity).map_err(corrupt)?;
        Ok(PublishedTarget {
            product: self.product.as_deref().map(value::code).transpose()?,
            scope: scope(&self.scope)?,
            period: Period::from_parts(granularity, DayRange::new(self.period_start, self.period_end)),
            amount: value::amount(self.amount)?,
        })
    }
}

async fn targets(session: &mut Session) -> Result<Vec<PublishedTarget>> {
    let rows: sqlx::Result<Vec<TargetRow>> =
        sqlx::query_as("SELECT product, scope, granularity, period_start, period_end, amount FROM warehouse_targets")
            .fetch_all(session.reading()?)
            .await;
    let rows = session.done(DOING, rows)?;
    let mut targets: Vec<_> = rows.iter().map(TargetRow::read).collect::<Result<_>>()?;
    targets.sort_unstable();
    Ok(targets)
}

/// A scope from its text: `ledger`, `branch:CODE` or `team:CODE`.
fn scope(stored: &str) -> Result<TargetScope> {
    match stored.split_once(':') {
        None if stored == "ledger" => Ok(TargetScope::Ledger),
        Some(("branch", code)) => Ok(TargetScope::Branch(value::code(code)?)),
        Some(("team", code)) => Ok(TargetScope::Team(value::code(code)?)),
        _ => Err(Error::new(ErrorKind::Corrupt, "published target has an unknown scope").with("scope", stored)),
    }
}
