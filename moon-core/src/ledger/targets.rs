//! Setting targets.

use std::collections::HashSet;

use serde_json::json;

use super::masters::unknown;
use super::{Ledger, retry_contention, subject};
use crate::{
    Actor, Amount, BusinessDate, Error, ErrorKind, Granularity, Lock, Mark, Result, Target, TargetKey, TargetScope,
    UnitOfWork, Version,
};

/// A target to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTarget {
    /// What it is for.
    pub key: TargetKey,
    /// From when on it is in force; `None`: from the first day of its period.
    pub from: Option<BusinessDate>,
    /// What is to be reached, not negative.
    pub amount: Amount,
    /// The version of this very (key, from) that is to be corrected; `None`: it must be new, or the same.
    pub expected: Option<Version>,
}

/// What became of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetOutcome {
    /// It is new.
    Set,
    /// It took the place of an earlier version of the same (key, from).
    Corrected,
    /// The same is known already. Nothing changed.
    Duplicate,
}

impl Ledger {
    /// Sets targets.
    ///
    /// # Errors
    /// `InvalidInput` for a negative amount, a period that is no month, quarter, fiscal year or all time, or the same (key,
    /// from) twice in the call; `NotFound` for an unknown product, branch, team or agent; `AlreadyExists` when the (key,
    /// from) has another amount and no version was named; `VersionConflict` when the named one is not the present one;
    /// those of the store. Then nothing was set.
    pub async fn set_targets(&self, actor: &Actor, targets: &[NewTarget]) -> Result<Vec<TargetOutcome>> {
        retry_contention(self.pause(), || async {
            let mut unit = self.begin().await?;
            let outcomes = self.set_targets_in(unit.as_mut(), actor, targets).await?;
            unit.commit().await?;
            Ok(outcomes)
        })
        .await
    }

    /// [`set_targets`](Self::set_targets) in the caller's unit.
    ///
    /// # Errors
    /// As of [`set_targets`](Self::set_targets).
    pub async fn set_targets_in(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        targets: &[NewTarget],
    ) -> Result<Vec<TargetOutcome>> {
        let now = self.clock.now();
        let froms = targets.iter().map(check).collect::<Result<Vec<_>>>()?;
        let mut met = HashSet::with_capacity(targets.len());
        if let Some((target, from)) =
            targets.iter().zip(&froms).find(|(target, from)| !met.insert((&target.key, **from)))
        {
            return Err(named(Error::invalid("target is given twice"), target, *from));
        }
        check_named(unit, targets).await?;
        let keys: Vec<TargetKey> = targets.iter().map(|target| target.key.clone()).collect();
        let known = unit.products().find_targets(&keys).await?;
        let mut outcomes = Vec::with_capacity(targets.len());
        let mut marks = Vec::new();
        for (target, from) in targets.iter().zip(froms) {
            let known = known.iter().find(|known| known.key == target.key && known.from == from);
            let outcome = decide(target, from, known)?;
            if outcome != TargetOutcome::Duplicate {
                let version = known.map_or(Version::FIRST, |known| known.version.next());
                let entered = Target {
                    key: target.key.clone(),
                    from,
                    amount: target.amount,
                    version,
                    entered_at: now,
                    entered_by: actor.0.clone(),
                };
                unit.products().add_target(&entered).await?;
                marks.push(Mark::Target { product: target.key.product.clone(), period: target.key.period });
            }
            outcomes.push(outcome);
        }
        if !marks.is_empty() {
            let details = json!({ "changed": marks.len(), "targets": targets.len() });
            self.append_marks(unit, marks, now).await?;
            let label = |target: &NewTarget| {
                let product = target.key.product.as_ref().map_or("all products", |product| product.as_str());
                format!("{product}, {}, {}", target.key.scope, self.settings.calendar.label(target.key.period))
            };
            self.append_audit(unit, actor, "set_targets", subject(targets, "targets", label), details, now).await?;
        }
        Ok(outcomes)
    }
}

/// Checks a target by itself; returns from when on it is in force.
fn check(target: &NewTarget) -> Result<BusinessDate> {
    let days = target.key.period.days();
    let granularity = target.key.period.granularity();
    if matches!(granularity, Granularity::Day | Granularity::Week) {
        return Err(Error::invalid("target is not for a month, a quarter, a fiscal year or all time")
            .with("granularity", granularity));
    }
    let from = target.from.or(days.first()).ok_or_else(|| Error::invalid("target is for a period without days"))?;
    if !days.contains(from.epoch_day()) && from > days.first().unwrap_or(from) {
        return Err(named(Error::invalid("target comes into force after its period"), target, from));
    }
    if target.amount < Amount::ZERO {
        return Err(
            named(Error::invalid("target is negative"), target, from).with("minor_units", target.amount.minor())
        );
    }
    Ok(from)
}

/// Whether everything that targets name exists.
async fn check_named(unit: &mut dyn UnitOfWork, targets: &[NewTarget]) -> Result<()> {
    for target in targets {
        if let Some(product) = &target.key.product
            && unit.products().find(std::slice::from_ref(product)).await?.iter().all(Option::is_none)
        {
            return Err(unknown(product));
        }
        match &target.key.scope {
            TargetScope::Ledger => {}
            TargetScope::Branch(code) => {
                if unit.organisation().find_branches(std::slice::from_ref(code)).await?.iter().all(Option::is_none) {
                    return Err(unknown(code));
                }
            }
            TargetScope::Team(code) => {
                if unit.organisation().find_teams(std::slice::from_ref(code)).await?.iter().all(Option::is_none) {
                    return Err(unknown(code));
                }
            }
            TargetScope::Agent(code) => {
                if unit.agents().find(std::slice::from_ref(code), Lock::None).await?.iter().all(Option::is_none) {
                    return Err(unknown(code));
                }
            }
        }
    }
    Ok(())
}

fn decide(target: &NewTarget, from: BusinessDate, known: Option<&Target>) -> Result<TargetOutcome> {
    match (known, target.expected) {
        (Some(known), _) if known.amount == target.amount => Ok(TargetOutcome::Duplicate),
        (None, None) => Ok(TargetOutcome::Set),
        (Some(known), Some(expected)) if known.version == expected => Ok(TargetOutcome::Corrected),
        (Some(_), None) => {
            Err(named(Error::new(ErrorKind::AlreadyExists, "target is set already with another amount"), target, from))
        }
        (_, Some(expected)) => Err(named(
            Error::new(ErrorKind::VersionConflict, "target was changed by somebody else; read it again"),
            target,
            from,
        )
        .with("expected_version", expected)),
    }
}

fn named(error: Error, target: &NewTarget, from: BusinessDate) -> Error {
    let product = target.key.product.as_ref().map_or("all", |product| product.as_str());
    let first = target.key.period.days().first();
    error
        .with("product", product)
        .with("scope", &target.key.scope)
        .with("period", target.key.period.granularity())
        .with("starting", first.map(|first| first.to_string()).unwrap_or_default())
        .with("in_force_from", from)
}
