//! What readers see.

use moon_core::{
    Amount, BranchEntry, Currency, DayRange, Dimension, Error, ErrorKind, Figures, Granularity, GroupSum, Period,
    ProductEntry, Published, PublishedTarget, Result, Sum, TargetScope, TeamEntry,
};
use mysql_async::Row;

use super::runs;
use crate::failure::corrupt;
use crate::session::Session;
use crate::value::{self, Columns as _};

const DOING: &str = "read published figures";

/// The six sums of a group, in the order that [`figures`] reads.
pub(super) const SUMS: &str = "SUM(net_sales), SUM(net_count), SUM(gross_sales), SUM(gross_count), SUM(activity_sales), \
    SUM(activity_count)";

/// Everything, in the session's one snapshot. Lists are put in order here, byte by byte.
pub(super) async fn published(session: &mut Session<'_>, days: DayRange, currency: Currency) -> Result<Published> {
    let mut published = Published { run: runs::last_published(session).await?, ..Published::default() };
    for row in session.rows(DOING, "SELECT code, name FROM teams", Vec::new()).await? {
        published.teams.push(TeamEntry { code: value::code(row.text(0)?)?, name: value::text("name", row.text(1)?)? });
    }
    for row in session.rows(DOING, "SELECT code, name, region FROM branches", Vec::new()).await? {
        published.branches.push(BranchEntry {
            code: value::code(row.text(0)?)?,
            name: value::text("name", row.text(1)?)?,
            region: row.optional_text(2)?.map(|region| value::text("region", region)).transpose()?,
        });
    }
    for row in session.rows(DOING, "SELECT code, name, line FROM products", Vec::new()).await? {
        published.products.push(ProductEntry {
            code: value::code(row.text(0)?)?,
            name: value::text("name", row.text(1)?)?,
            line: row.optional_text(2)?.map(|line| value::text("line", line)).transpose()?,
        });
    }
    let targets = "SELECT product, scope, granularity, period_start, period_end, target_amount FROM warehouse_targets";
    for row in session.rows(DOING, targets, Vec::new()).await? {
        published.targets.push(target(&row, currency)?);
    }
    if let (Some(first), Some(last)) = (days.first(), days.last()) {
        for dimension in Dimension::DAILY {
            let name = dimension.name();
            let sql =
                format!("SELECT {name}, {SUMS} FROM {name}_sales_daily WHERE day BETWEEN ? AND ? GROUP BY {name}");
            for row in session.rows(DOING, &sql, vec![value::date(first), value::date(last)]).await? {
                let (code, figures) = (row.text(0)?.into(), figures(&row, 1, currency)?);
                published.sums.push(GroupSum { dimension, code, figures });
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

/// Figures from the six columns of [`SUMS`].
pub(super) fn figures(row: &Row, first: usize, currency: Currency) -> Result<Figures> {
    let sum = |column: usize| Ok(Sum::new(minor(row.text(column)?, currency)?, row.int(column + 1)?)) as Result<Sum>;
    Ok(Figures { net: sum(first)?, gross: sum(first + 2)?, activity: sum(first + 4)? })
}

/// An exact decimal as minor units.
pub(super) fn minor(text: &str, currency: Currency) -> Result<i128> {
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

fn target(row: &Row, currency: Currency) -> Result<PublishedTarget> {
    let granularity = Granularity::from_name(row.text(2)?).map_err(corrupt)?;
    let amount = i64::try_from(minor(row.text(5)?, currency)?).ok();
    let too_large = || Error::new(ErrorKind::Corrupt, "published target is too large");
    Ok(PublishedTarget {
        product: row.optional_text(0)?.map(value::code).transpose()?,
        scope: scope(row.text(1)?)?,
        period: Period::from_parts(granularity, DayRange::inclusive(row.date(3)?, row.date(4)?)),
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
