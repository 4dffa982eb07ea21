//! What a random history is made of, and how it is made.

use moon_core::{
    AMOUNT_MINOR_MAX, AgentCode, Amount, BranchCode, BusinessDate, Calendar, LifeMessage, MessageBody, NewAssignment,
    NewTarget, Reference, Revision, RevisionRule, SaleContent, SaleKey, SaleKind, SaleMessage, TargetKey, TargetScope,
    TeamCode, Version,
};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, any, prop_oneof};
use proptest::sample::{Index, select};
use proptest::strategy::{BoxedStrategy, Strategy};

use crate::builders::{agent_code, branch_code, date, key, product_code, team_code};

/// The teams that exist.
pub(super) const TEAMS: [&str; 2] = ["ALPHA", "BETA"];
/// The branches that exist.
pub(super) const BRANCHES: [&str; 2] = ["COLOMBO", "KANDY"];
/// The products that exist.
pub(super) const PRODUCTS: [&str; 2] = ["LIFE", "MOTOR"];
/// The agents that exist.
pub(super) const AGENTS: [&str; 3] = ["AGT001", "AGT002", "AGT003"];
/// The sales that messages are about, all of one source.
pub(super) const SALES: [&str; 4] = ["S1", "S2", "S3", "S4"];
/// What exists nowhere.
const UNKNOWN: &str = "GHOST";
/// Days are taken from the 40 that begin here.
const FIRST_DAY: &str = "2026-01-20";

/// A change that the ledger makes in one unit of work.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// Messages about sales.
    Record(Vec<SaleMessage>),
    /// A command about a sale as it stands.
    Life(SaleKey, LifeMessage),
    /// Assignments, late ones too.
    Assign(Vec<NewAssignment>),
    /// Targets.
    SetTargets(Vec<NewTarget>),
    /// The run that is under way, or a new one, claims the open marks.
    Claim,
    /// The run ends.
    Settle,
}

/// How a unit of work ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Commit,
    Rollback,
    Drop,
}

/// One step of a history.
#[derive(Debug, Clone)]
pub(super) enum Command {
    /// A change in a unit that the ledger opens and commits.
    Call(Change),
    /// Changes in one unit of the caller's. One that fails ends it by a rollback.
    Unit(Vec<Change>, End),
    /// An earlier step once more.
    Again(Index),
}

/// Histories of up to so many steps.
pub(super) fn histories(steps: usize) -> BoxedStrategy<Vec<Command>> {
    vec(command(), 1..=steps).boxed()
}

fn command() -> BoxedStrategy<Command> {
    let end = prop_oneof![2 => Just(End::Commit), 1 => Just(End::Rollback), 1 => Just(End::Drop)];
    prop_oneof![
        4 => change().prop_map(Command::Call),
        1 => (vec(change(), 1..4), end).prop_map(|(changes, end)| Command::Unit(changes, end)),
        1 => any::<Index>().prop_map(Command::Again),
    ]
    .boxed()
}

fn change() -> BoxedStrategy<Change> {
    prop_oneof![
        6 => vec(message(), 1..6).prop_map(Change::Record),
        1 => (sale_key(), life()).prop_map(|(key, life)| Change::Life(key, life)),
        3 => vec(assignment(), 1..3).prop_map(Change::Assign),
        2 => vec(target(), 1..3).prop_map(Change::SetTargets),
        1 => Just(Change::Claim),
        1 => Just(Change::Settle),
    ]
    .boxed()
}

/// A content or a life message, numbered or not.
pub(super) fn message() -> BoxedStrategy<SaleMessage> {
    prop_oneof![
        5 => (sale_key(), revision_rule(), content()).prop_map(|(key, revision, content)| {
            SaleMessage { key, revision, body: MessageBody::Content(content), entry: None }
        }),
        4 => (sale_key(), revision_rule(), life(), entry()).prop_map(|(key, revision, life, entry)| {
            SaleMessage { key, revision, body: MessageBody::Life(life), entry }
        }),
    ]
    .boxed()
}

fn sale_key() -> BoxedStrategy<SaleKey> {
    select(SALES.to_vec()).prop_map(key).boxed()
}

fn revision_rule() -> BoxedStrategy<RevisionRule> {
    prop_oneof![
        4 => (0_u32..6).prop_map(|revision| RevisionRule::Given(Revision(revision))),
        4 => Just(RevisionRule::Next),
        1 => Just(RevisionRule::Only),
    ]
    .boxed()
}

fn entry() -> BoxedStrategy<Option<Reference>> {
    weighted(0.3, select(vec!["E1", "E2", "E3"]).prop_map(|entry| Reference::new("entry", entry).unwrap())).boxed()
}

pub(super) fn content() -> BoxedStrategy<SaleContent> {
    let policy = weighted(0.2, select(vec!["P-1", "P-2"]).prop_map(|policy| Reference::new("policy", policy).unwrap()));
    let places = (weighted(0.3, team()), weighted(0.3, branch()));
    (
        weighted(0.9, agent()),
        select(PRODUCTS.to_vec()),
        amount(),
        day(),
        select(SaleKind::EVERY.to_vec()),
        policy,
        places,
    )
        .prop_map(|(agent, product, amount, date, kind, policy_number, (team, branch))| {
            let product = product_code(product);
            SaleContent { agent, product, amount, date, kind, policy_number, team, branch }
        })
        .boxed()
}

pub(super) fn life() -> BoxedStrategy<LifeMessage> {
    prop_oneof![
        3 => day().prop_map(|date| LifeMessage::Cancel { date, amount: None }),
        4 => (day(), amount()).prop_map(|(date, part)| LifeMessage::Cancel { date, amount: Some(part) }),
        4 => day().prop_map(|date| LifeMessage::Reinstate { date }),
        1 => Just(LifeMessage::Void),
    ]
    .boxed()
}

fn assignment() -> BoxedStrategy<NewAssignment> {
    let version = weighted(0.1, (1_u32..3).prop_map(Version));
    (agent(), day(), weighted(0.3, day()), team(), branch(), version)
        .prop_map(|(agent, from, to, team, branch, expected)| NewAssignment { agent, from, to, team, branch, expected })
        .boxed()
}

/// An assignment that is open at its end, of an agent, team and branch that exist.
pub(super) fn open_assignment() -> BoxedStrategy<NewAssignment> {
    (select(AGENTS.to_vec()), day(), select(TEAMS.to_vec()), select(BRANCHES.to_vec()))
        .prop_map(|(agent, from, team, branch)| NewAssignment {
            agent: agent_code(agent),
            from,
            to: None,
            team: team_code(team),
            branch: branch_code(branch),
            expected: None,
        })
        .boxed()
}

fn target() -> BoxedStrategy<NewTarget> {
    let product = weighted(0.8, known_or(&PRODUCTS).prop_map(product_code));
    let scope = prop_oneof![
        3 => Just(TargetScope::Ledger),
        1 => branch().prop_map(TargetScope::Branch),
        1 => team().prop_map(TargetScope::Team),
        1 => agent().prop_map(TargetScope::Agent),
    ];
    // Two kinds of periods that no target can have are among them.
    let periods = vec!["2026-01", "2026-02", "2026-Q1", "2026", "all", "2026-W05", "2026-01-31"];
    let period = select(periods).prop_map(|period| Calendar::default().parse(period).unwrap());
    let version = weighted(0.4, (1_u32..4).prop_map(Version));
    let amount = prop_oneof![8 => 0_i64..4, 1 => Just(AMOUNT_MINOR_MAX), 1 => Just(-1)].prop_map(minor);
    (product, scope, period, weighted(0.3, day()), amount, version)
        .prop_map(|(product, scope, period, from, amount, expected)| NewTarget {
            key: TargetKey { product, scope, period },
            from,
            amount,
            expected,
        })
        .boxed()
}

/// Amounts that meet one another: parts that are equal to a whole, go beyond it, or have the other sign.
fn amount() -> BoxedStrategy<Amount> {
    prop_oneof![
        6 => select(vec![0, 1, 40, 60, 100, 250]),
        3 => select(vec![-100, -40, -1]),
        1 => select(vec![AMOUNT_MINOR_MAX, -AMOUNT_MINOR_MAX]),
    ]
    .prop_map(minor)
    .boxed()
}

fn minor(minor: i64) -> Amount {
    Amount::from_minor(minor).unwrap()
}

fn day() -> BoxedStrategy<BusinessDate> {
    let first = date(FIRST_DAY).epoch_day();
    (0_i32..40).prop_map(move |day| BusinessDate::from_epoch_day(first + day).unwrap()).boxed()
}

fn agent() -> BoxedStrategy<AgentCode> {
    known_or(&AGENTS).prop_map(agent_code).boxed()
}

fn team() -> BoxedStrategy<TeamCode> {
    known_or(&TEAMS).prop_map(team_code).boxed()
}

fn branch() -> BoxedStrategy<BranchCode> {
    known_or(&BRANCHES).prop_map(branch_code).boxed()
}

/// One of these, or rarely what is unknown.
fn known_or(known: &[&'static str]) -> BoxedStrategy<&'static str> {
    prop_oneof![24 => select(known.to_vec()), 1 => Just(UNKNOWN)].boxed()
}
