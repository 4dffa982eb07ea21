//! What becomes of a row of master data, given what is there.

use std::collections::HashMap;

use super::unknown;
use crate::{Code, CodeKind, Error, ErrorKind, Result, Version};

/// What to do with a row whose code exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutRule {
    /// The code must be new.
    Create,
    /// Leave what is there as it is.
    Ensure,
    /// Take its place if it differs.
    Replace,
    /// Take the place of this very version.
    Update(Version),
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutOutcome {
    /// It is new.
    Created,
    /// It took the place of what was there.
    Updated,
    /// It was there already, or was left as it was. Nothing changed.
    Unchanged,
}

/// Master data has a code and a version, and is compared without the version.
pub(super) trait Versioned: Clone + PartialEq + Send + Sync {
    type Kind: CodeKind;
    fn code(&self) -> &Code<Self::Kind>;
    fn version(&self) -> Version;
    fn with_version(&self, version: Version) -> Self;
}

/// A row to write, and the one that it takes the place of.
pub(super) struct Write<M> {
    pub(super) row: M,
    pub(super) before: Option<M>,
}

/// Decides about a row; `None` for the write when nothing changes.
fn decide<M: Versioned>(row: &M, found: Option<&M>, rule: PutRule) -> Result<(PutOutcome, Option<Write<M>>)> {
    let Some(found) = found else {
        return match rule {
            PutRule::Update(_) => Err(unknown(row.code())),
            PutRule::Create | PutRule::Ensure | PutRule::Replace => {
                Ok((PutOutcome::Created, Some(Write { row: row.with_version(Version::FIRST), before: None })))
            }
        };
    };
    match rule {
        PutRule::Create => {
            return Err(Error::new(ErrorKind::AlreadyExists, format!("{} exists already", M::Kind::NOUN))
                .with("code", row.code()));
        }
        PutRule::Update(version) if version != found.version() => {
            return Err(Error::new(
                ErrorKind::VersionConflict,
                format!("{} was changed by somebody else; read it again", M::Kind::NOUN),
            )
            .with("code", row.code())
            .with("expected_version", version)
            .with("version", found.version()));
        }
        PutRule::Ensure | PutRule::Replace | PutRule::Update(_) => {}
    }
    if rule == PutRule::Ensure || row.with_version(found.version()) == *found {
        return Ok((PutOutcome::Unchanged, None));
    }
    Ok((
        PutOutcome::Updated,
        Some(Write { row: row.with_version(found.version().next()), before: Some(found.clone()) }),
    ))
}

/// Decides about all rows of a call; a second row of the same code is judged against the first.
pub(super) fn decide_all<M: Versioned>(
    rows: &[M],
    found: Vec<Option<M>>,
    rule: PutRule,
) -> Result<Vec<(PutOutcome, Option<Write<M>>)>> {
    let mut latest: HashMap<Code<M::Kind>, M> = HashMap::new();
    let mut decisions = Vec::with_capacity(rows.len());
    for (row, found) in rows.iter().zip(found) {
        let found = latest.get(row.code()).cloned().or(found);
        let decision = decide(row, found.as_ref(), rule)?;
        if let Some(write) = &decision.1 {
            latest.insert(row.code().clone(), write.row.clone());
        }
        decisions.push(decision);
    }
    Ok(decisions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Name, Team, TeamCode};

    fn team(name: &str, version: u32) -> Team {
        Team {
            code: TeamCode::new("ALPHA").unwrap(),
            name: Name::new("name", name).unwrap(),
            version: Version(version),
        }
    }

    #[test]
    fn each_rule_decides_by_what_is_there() {
        let there = team("Alpha", 3);
        let same = team("Alpha", 0);
        let other = team("Beta", 0);
        let outcome = |row: &Team, found: Option<&Team>, rule| {
            decide(row, found, rule).map(|(outcome, _)| outcome).map_err(|error| error.kind())
        };
        for rule in [PutRule::Create, PutRule::Ensure, PutRule::Replace] {
            assert_eq!(outcome(&same, None, rule), Ok(PutOutcome::Created));
        }
        assert_eq!(outcome(&same, None, PutRule::Update(Version(3))), Err(ErrorKind::NotFound));
        assert_eq!(outcome(&same, Some(&there), PutRule::Create), Err(ErrorKind::AlreadyExists));
        assert_eq!(outcome(&other, Some(&there), PutRule::Ensure), Ok(PutOutcome::Unchanged));
        assert_eq!(outcome(&same, Some(&there), PutRule::Replace), Ok(PutOutcome::Unchanged));
        assert_eq!(outcome(&other, Some(&there), PutRule::Update(Version(2))), Err(ErrorKind::VersionConflict));
        let (_, write) = decide(&other, Some(&there), PutRule::Update(Version(3))).unwrap();
        let write = write.unwrap();
        assert_eq!((write.row, write.before), (team("Beta", 4), Some(there)));
    }

    #[test]
    fn a_second_row_of_a_call_is_judged_against_the_first() {
        let decisions = decide_all(
            &[team("Alpha", 0), team("Alpha", 0), team("Beta", 0)],
            vec![None, None, None],
            PutRule::Replace,
        )
        .unwrap();
        let outcomes: Vec<_> = decisions.iter().map(|(outcome, _)| *outcome).collect();
        assert_eq!(outcomes, [PutOutcome::Created, PutOutcome::Unchanged, PutOutcome::Updated]);
    }
}
