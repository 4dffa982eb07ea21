//! The model test: random histories on a store and on a naive ledger, which must hold the same after every step.
//!
//! The same histories are made on every machine, ten for each store by default; the environment variable
//! `MOON_TEST_CASES` asks for more of them, and `MOON_TORTURE_SEED` for others. A history that fails is shrunk to a small one, which is printed.

mod arrival;
mod command;
mod compare;
mod naive;
mod standing;

use std::sync::Arc;

use moon_core::{Error, ErrorKind, Ledger, RecordReport, SaleOutcome, Store, TargetOutcome, UnitOfWork};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

pub use self::arrival::every_order_of_arrival_ends_in_the_same_state;
use self::command::{AGENTS, BRANCHES, Change, Command, End, PRODUCTS, TEAMS, histories};
use self::compare::{compare, compare_views};
use self::naive::{Answer, Model, Outcome};
use crate::builders::{actor, enter, ledger, writing};
use crate::fixture::{StoreFixture, block_on};
use crate::rounds;

/// Histories for each store, unless more are asked for.
const CASES: u32 = 10;
/// Attempts to make a history that fails smaller.
const SHRINKING_MAX: u32 = 4_000;
/// Steps of a history at most.
const STEPS_MAX: usize = 12;

/// Random histories leave the store with what the naive ledger holds: outcomes, sales, places, postings, messages,
/// assignments, targets, audit, marks, and all figures by day on all bases, as sold and as now.
pub fn random_histories_match_the_naive_ledger<F: StoreFixture>() {
    if F::skipped() {
        return;
    }
    run_cases(histories(STEPS_MAX), |commands| {
        block_on(async {
            let (store, guard) = F::store().await;
            play(store, commands).await;
            drop(guard);
        });
    });
}

/// Runs a test on random values, the same ones on every machine unless others are asked for; what fails is shrunk and told.
fn run_cases<S: Strategy>(strategy: S, test: impl Fn(&S::Value)) {
    let config = Config {
        cases: rounds::cases(CASES),
        max_shrink_iters: SHRINKING_MAX,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, rounds::histories());
    let outcome = runner.run(&strategy, |value| {
        test(&value);
        Ok::<(), TestCaseError>(())
    });
    let told = match outcome {
        Ok(()) => None,
        Err(TestError::Fail(reason, value)) => Some(format!("{reason}\nafter {value:#?}")),
        Err(TestError::Abort(reason)) => Some(reason.to_string()),
    };
    assert!(told.is_none(), "{}", told.unwrap_or_default());
}

/// A ledger in a fresh store with the master data that commands name.
async fn prepared(store: Arc<dyn Store>) -> Ledger {
    let ledger = ledger(store).await;
    enter(&ledger, &TEAMS, &BRANCHES, &PRODUCTS, &AGENTS).await;
    ledger
}

async fn play(store: Arc<dyn Store>, commands: &[Command]) {
    let ledger = prepared(Arc::clone(&store)).await;
    let mut model = Model::new();
    compare(&ledger, &model).await;
    for (place, command) in commands.iter().enumerate() {
        match repeated(command, &commands[..place]) {
            Command::Again(_) => {}
            Command::Call(change) => {
                let mut changed = model.clone();
                let expected = changed.change(change);
                assert_eq!(call(&ledger, &model, change).await, expected, "{change:?}");
                if expected.is_ok() {
                    model = changed;
                }
            }
            Command::Unit(changes, end) => {
                let mut unit = writing(&store).await;
                let mut changed = model.clone();
                let mut end = *end;
                for change in changes {
                    let before = changed.clone();
                    let expected = changed.change(change);
                    assert_eq!(change_in(&ledger, unit.as_mut(), &before, change).await, expected, "{change:?}");
                    if expected.is_err() {
                        end = End::Rollback;
                        break;
                    }
                }
                match end {
                    End::Commit => {
                        unit.commit().await.unwrap();
                        model = changed;
                    }
                    End::Rollback => unit.rollback().await.unwrap(),
                    End::Drop => drop(unit),
                }
            }
        }
        compare(&ledger, &model).await;
    }
    compare_views(&ledger, &model).await;
}

/// The step that a command stands for.
fn repeated<'c>(command: &'c Command, earlier: &'c [Command]) -> &'c Command {
    match command {
        Command::Again(which) if !earlier.is_empty() => {
            let place = which.index(earlier.len());
            repeated(&earlier[place], &earlier[..place])
        }
        _ => command,
    }
}

/// A change in a unit of the ledger's own.
async fn call(ledger: &Ledger, model: &Model, change: &Change) -> Result<Answer, ErrorKind> {
    match change {
        Change::Record(messages) => ledger.record_sales(&actor(), messages).await.map(recorded),
        Change::Life(key, life) => ledger.change_life(&actor(), key, life.clone()).await.map(|_| Answer::Done),
        Change::Assign(assignments) => ledger.assign(&actor(), assignments).await.map(assigned),
        Change::SetTargets(targets) => ledger.set_targets(&actor(), targets).await.map(targets_set),
        Change::Claim | Change::Settle => {
            let mut unit = writing(ledger.store()).await;
            let answer = change_in(ledger, unit.as_mut(), model, change).await;
            unit.commit().await.unwrap();
            return answer;
        }
    }
    .map_err(|error: Error| error.kind())
}

/// A change in a unit that is lent to the ledger.
async fn change_in(
    ledger: &Ledger,
    unit: &mut dyn UnitOfWork,
    model: &Model,
    change: &Change,
) -> Result<Answer, ErrorKind> {
    match change {
        Change::Record(messages) => ledger.record_sales_in(unit, &actor(), messages).await.map(recorded),
        Change::Life(key, life) => ledger.change_life_in(unit, &actor(), key, life.clone()).await.map(|_| Answer::Done),
        Change::Assign(assignments) => ledger.assign_in(unit, &actor(), assignments).await.map(assigned),
        Change::SetTargets(targets) => ledger.set_targets_in(unit, &actor(), targets).await.map(targets_set),
        Change::Claim => unit.marks().claim(model.run()).await.map(|()| Answer::Done),
        Change::Settle => unit.marks().settle(model.run()).await.map(|()| Answer::Done),
    }
    .map_err(|error: Error| error.kind())
}

fn recorded(report: RecordReport) -> Answer {
    let outcome = |outcome: &SaleOutcome| match outcome {
        SaleOutcome::Recorded(_, revision) => Outcome::Recorded(revision.0),
        SaleOutcome::Corrected(_, revision) => Outcome::Corrected(revision.0),
        SaleOutcome::Applied(_, revision) => Outcome::Applied(revision.0),
        SaleOutcome::Kept(revision) => Outcome::Kept(revision.0),
        SaleOutcome::Duplicate(_) => Outcome::Duplicate,
        SaleOutcome::Stale(_) => Outcome::Stale,
        SaleOutcome::Conflict(_) => Outcome::Conflict,
        SaleOutcome::Rejected(_) => Outcome::Rejected,
    };
    Answer::Outcomes(report.outcomes.iter().map(outcome).collect())
}

fn assigned(outcomes: Vec<moon_core::AssignOutcome>) -> Answer {
    use moon_core::AssignOutcome::{Corrected, Duplicate, Entered};
    let answer = |outcome| match outcome {
        Entered { moved } => Some((true, moved)),
        Corrected { moved } => Some((false, moved)),
        Duplicate => None,
    };
    Answer::Assigned(outcomes.into_iter().map(answer).collect())
}

fn targets_set(outcomes: Vec<TargetOutcome>) -> Answer {
    let answer = |outcome| match outcome {
        TargetOutcome::Set => Some(true),
        TargetOutcome::Corrected => Some(false),
        TargetOutcome::Duplicate => None,
    };
    Answer::Targets(outcomes.into_iter().map(answer).collect())
}
