//! Which names, regions, lines and targets differ.

use std::collections::BTreeMap;

use moon_core::{Error, ErrorKind, Published, PublishedTarget, Result, TargetScope};
use serde::Serialize;
use serde_json::Value;

/// The table whose rows are not marked as names are.
pub(super) const TARGETS: &str = "targets";

/// A table, a key, the published row and the one of the source.
type EntryDifference = (&'static str, String, Option<Value>, Option<Value>);

/// The rows that differ, by table and key.
pub(super) fn differences(published: &Published, source: &Published) -> Result<Vec<EntryDifference>> {
    let mut found = Vec::new();
    compare("teams", &published.teams, &source.teams, |row| row.code.to_string(), &mut found)?;
    compare("branches", &published.branches, &source.branches, |row| row.code.to_string(), &mut found)?;
    compare("products", &published.products, &source.products, |row| row.code.to_string(), &mut found)?;
    compare(TARGETS, &published.targets, &source.targets, target_key, &mut found)?;
    Ok(found)
}

fn compare<T: Serialize + PartialEq>(
    table: &'static str,
    published: &[T],
    source: &[T],
    key: impl Fn(&T) -> String,
    found: &mut Vec<EntryDifference>,
) -> Result<()> {
    let mut rows: BTreeMap<String, [Option<&T>; 2]> = BTreeMap::new();
    for (side, all) in [published, source].into_iter().enumerate() {
        for row in all {
            if let Some(place) = rows.entry(key(row)).or_default().get_mut(side) {
                *place = Some(row);
            }
        }
    }
    for (key, [published, source]) in rows {
        if published != source {
            found.push((table, key, value(published)?, value(source)?));
        }
    }
    Ok(())
}

fn value<T: Serialize>(row: Option<&T>) -> Result<Option<Value>> {
    row.map(serde_json::to_value)
        .transpose()
        .map_err(|cause| Error::new(ErrorKind::Corrupt, "cannot write a row as a document").caused_by(cause))
}

fn target_key(target: &PublishedTarget) -> String {
    let product = target.product.as_ref().map_or("all products", |product| product.as_str());
    let scope = match &target.scope {
        TargetScope::Ledger => String::new(),
        TargetScope::Branch(code) => format!(", branch {code}"),
        TargetScope::Team(code) => format!(", team {code}"),
        TargetScope::Agent(code) => format!(", agent {code}"),
    };
    let days = target.period.days();
    let from = days.first().map(|day| day.to_string()).unwrap_or_default();
    format!("{product}{scope}, {} from {from}", target.period.granularity())
}
