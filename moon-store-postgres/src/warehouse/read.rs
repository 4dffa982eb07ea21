//! What readers see. The statements are those that every dialect knows; parameters and results are text.

use moon_core::{
    Amount, BranchEntry, BusinessDate, Currency, DayRange, Dimension, Error, ErrorKind, Figures, Granularity, GroupSum,
    Period, ProductEntry, Published, PublishedTarget, Result, Sum, TargetScope, TeamEntry,
};
use tokio_postgres::types::Type;

use super::runs;
use crate::failure::corrupt;
use crate::session::{Param, Row, Session};
use crate::value;

const DOING: &str = "read published figures";

pub(crate) const TEAMS: &str = "SELECT code, name FROM teams";
pub(crate) const BRANCHES: &str = "SELECT code, name, region FROM branches";
pub(crate) const PRODUCTS: &str = "SELECT code, name, line FROM products";
pub(crate) const TARGETS: &str = "SELECT product, scope, granularity, CAST(period_start AS VARCHAR),
    CAST(period_end AS VARCHAR), CAST(target_amount AS VARCHAR) FROM warehouse_targets";

/// The six sums of a group as text, in the order that [`figures`] reads.
pub(crate) const SUMS: &str = "CAST(SUM(net_sales) AS VARCHAR), CAST(SUM(net_count) AS VARCHAR),
    CAST(SUM(gross_sales) AS VARCHAR), CAST(SUM(gross_count) AS VARCHAR),
    CAST(SUM(activity_sales) AS VARCHAR), CAST(SUM(activity_count) AS VARCHAR)";

/// The sums of the groups of a dimension, from the first day to the last.
pub(crate) fn group_sums(dimension: Dimension) -> String {
    let name = dimension.name();
    format!(
        "SELECT {name}, {SUMS} FROM {name}_sales_daily
         WHERE day >= CAST($1 AS DATE) AND day <= CAST($2 AS DATE) GROUP BY {name}"
    )
}

/// Everything, in the session's one snapshot. Lists are put in order here: not every warehouse compares byte by byte.
pub(crate) async fn published(session: &mut Session<'_>, days: DayRange, currency: Currency) -> Result<Published> {
    let [teams, branches, products, targets, runs] =
        session.rows_of_each(DOING, [TEAMS, BRANCHES, PRODUCTS, TARGETS, runs::LAST_PUBLISHED]).await?;
    let mut published = Published {
        sums: Vec::new(),
        teams: teams.iter().map(team).collect::<Result<_>>()?,
        branches: branches.iter().map(branch).collect::<Result<_>>()?,
        products: products.iter().map(product).collect::<Result<_>>()?,
        targets: targets.iter().map(|row| target(row, currency)).collect::<Result<_>>()?,
        run: runs.first().map(|row| value::from_json(row.get(0)?)).transpose()?,
    };
    if let (Some(first), Some(last)) = (days.first(), days.last()) {
        for dimension in Dimension::DAILY {
            let params: [Param<'_>; 2] = [(&first.to_string(), Type::VARCHAR), (&last.to_string(), Type::VARCHAR)];
            for row in session.rows(DOING, &group_sums(dimension), &params).await? {
                let code: &str = row.get(0)?;
                published.sums.push(GroupSum { dimension, code: code.into(), figures: figures(&row, 1, currency)? });
            }
        }
    }
    published.sums.sort_unstable();
    published.teams.sort_unstable();
    published.branches.sort_unstable();
    published.products.sort_unstable();
    published.targets.sort_unstable();
    Ok(published)
}

/// Figures from six columns of text.
pub(crate) fn figures(row: &Row, first: usize, currency: Currency) -> Result<Figures> {
    let sum = |column: usize| -> Result<Sum> {
        let count = value::narrow_whole(value::whole(row.get(column + 1)?)?)?;
        Ok(Sum::new(minor(row.get(column)?, currency)?, count))
    };
    Ok(Figures { net: sum(first)?, gross: sum(first + 2)?, activity: sum(first + 4)? })
}

/// An exact decimal as minor units.
pub(crate) fn minor(text: &str, currency: Currency) -> Result<i128> {
    let fail = || {
        Error::new(ErrorKind::Corrupt, "published amount is not one of the warehouse's currency")
            .with("amount", text)
            .with("currency", currency)
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = usize::from(currency.digits());
    let (kept, rest) = fraction.split_at_checked(digits).unwrap_or((fraction, ""));
    if whole.is_empty() || rest.bytes().any(|byte| byte != b'0') {
        return Err(fail());
    }
    format!("{whole}{kept:0<digits$}").parse().map_err(|cause: std::num::ParseIntError| fail().caused_by(cause))
}

fn team(row: &Row) -> Result<TeamEntry> {
    Ok(TeamEntry { code: value::code(row.get(0)?)?, name: value::text("name", row.get(1)?)? })
}

fn branch(row: &Row) -> Result<BranchEntry> {
    let region: Option<&str> = row.get(2)?;
    Ok(BranchEntry {
        code: value::code(row.get(0)?)?,
        name: value::text("name", row.get(1)?)?,
        region: region.map(|region| value::text("region", region)).transpose()?,
    })
}

fn product(row: &Row) -> Result<ProductEntry> {
    let line: Option<&str> = row.get(2)?;
    Ok(ProductEntry {
        code: value::code(row.get(0)?)?,
        name: value::text("name", row.get(1)?)?,
        line: line.map(|line| value::text("line", line)).transpose()?,
    })
}

fn target(row: &Row, currency: Currency) -> Result<PublishedTarget> {
    let product: Option<&str> = row.get(0)?;
    let granularity = Granularity::from_name(row.get(2)?).map_err(corrupt)?;
    let day = |column: usize| row.get::<&str>(column)?.parse::<BusinessDate>().map_err(corrupt);
    let amount = i64::try_from(minor(row.get(5)?, currency)?).ok();
    let too_large = || Error::new(ErrorKind::Corrupt, "published target is too large");
    Ok(PublishedTarget {
        product: product.map(value::code).transpose()?,
        scope: scope(row.get(1)?)?,
        period: Period::from_parts(granularity, DayRange::inclusive(day(3)?, day(4)?)),
        amount: Amount::from_minor(amount.ok_or_else(too_large)?).map_err(corrupt)?,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_minor_units_exactly() {
        let rupee: Currency = "LKR".parse().unwrap();
        let yen: Currency = "JPY".parse().unwrap();
        assert_eq!(minor("-12.3400", rupee).unwrap(), -1_234);
        assert_eq!(minor("-0.0500", rupee).unwrap(), -5);
        assert_eq!(minor("7", rupee).unwrap(), 700);
        assert_eq!(minor("7.0000", yen).unwrap(), 7);
        assert_eq!(minor("98765432109876543210987.6500", rupee).unwrap(), 9_876_543_210_987_654_321_098_765);
        for bad in ["0.001", "NaN", "", "1e3"] {
            assert!(minor(bad, rupee).is_err(), "{bad:?}");
        }
    }
}
