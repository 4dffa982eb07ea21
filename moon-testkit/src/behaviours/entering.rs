//! Master data through the ledger: what each rule does with what is there.

use std::sync::Arc;

use moon_core::{ErrorKind, Ledger, Lock, PutOutcome, PutRule, Result, Store, Team, Version};

use crate::builders::{
    actor, agent, agent_code, branch, branch_code, ledger, product, product_code, reading, team, team_code, text,
};

fn named(code: &str, name: &str) -> Team {
    Team { name: text(name), ..team(code) }
}

async fn put(ledger: &Ledger, teams: &[Team], rule: PutRule) -> Result<Vec<PutOutcome>, ErrorKind> {
    ledger.put_teams(&actor(), teams, rule).await.map_err(|error| error.kind())
}

/// Name and version of a team.
async fn there(store: &Arc<dyn Store>, code: &str) -> Option<(String, u32)> {
    let found = reading(store).await.organisation().find_teams(&[team_code(code)]).await.unwrap();
    found.into_iter().flatten().next().map(|team| (team.name.to_string(), team.version.0))
}

fn is(name: &str, version: u32) -> Option<(String, u32)> {
    Some((name.to_owned(), version))
}

/// `Create` makes what is new, and refuses the whole call for what is there.
pub async fn create_refuses_what_is_there(store: Arc<dyn Store>) {
    let ledger = ledger(Arc::clone(&store)).await;
    assert_eq!(put(&ledger, &[named("A", "one")], PutRule::Create).await, Ok(vec![PutOutcome::Created]));
    let call = [named("B", "one"), named("A", "two")];
    assert_eq!(put(&ledger, &call, PutRule::Create).await, Err(ErrorKind::AlreadyExists));
    assert_eq!((there(&store, "A").await, there(&store, "B").await), (is("one", 1), None));
    let twice = [named("B", "one"), named("B", "one")];
    assert_eq!(put(&ledger, &twice, PutRule::Create).await, Err(ErrorKind::AlreadyExists));
    assert_eq!(there(&store, "B").await, None);
}

/// `Ensure` leaves what is there, `Replace` takes its place where it differs; a repeat of either changes nothing.
pub async fn ensure_leaves_and_replace_replaces(store: Arc<dyn Store>) {
    use PutOutcome::{Created, Unchanged, Updated};
    let ledger = ledger(Arc::clone(&store)).await;
    assert_eq!(put(&ledger, &[named("A", "one")], PutRule::Ensure).await, Ok(vec![Created]));
    assert_eq!(put(&ledger, &[named("A", "two")], PutRule::Ensure).await, Ok(vec![Unchanged]));
    assert_eq!(there(&store, "A").await, is("one", 1));
    let call = [named("A", "two"), named("B", "new"), named("A", "two"), named("A", "three")];
    let outcomes = Ok(vec![Updated, Created, Unchanged, Updated]);
    assert_eq!(put(&ledger, &call, PutRule::Replace).await, outcomes);
    assert_eq!(there(&store, "A").await, is("three", 3));
    assert_eq!(put(&ledger, &call[1..2], PutRule::Replace).await, Ok(vec![Unchanged]));
    assert_eq!(there(&store, "B").await, is("new", 1));
}

/// `Update` names the version that it has seen; the row's own version is of no account.
pub async fn update_names_the_version_seen(store: Arc<dyn Store>) {
    let ledger = ledger(Arc::clone(&store)).await;
    let update = |version| PutRule::Update(Version(version));
    assert_eq!(put(&ledger, &[named("A", "one")], update(1)).await, Err(ErrorKind::NotFound));
    put(&ledger, &[named("A", "one")], PutRule::Create).await.unwrap();
    let two = Team { version: Version(77), ..named("A", "two") };
    assert_eq!(put(&ledger, &[two], update(1)).await, Ok(vec![PutOutcome::Updated]));
    assert_eq!(there(&store, "A").await, is("two", 2));
    assert_eq!(put(&ledger, &[named("A", "three")], update(1)).await, Err(ErrorKind::VersionConflict));
    assert_eq!(put(&ledger, &[named("A", "two")], update(2)).await, Ok(vec![PutOutcome::Unchanged]));
    assert_eq!(there(&store, "A").await, is("two", 2));
}

/// The rules hold for branches, products and agents too.
pub async fn the_rules_hold_for_all_master_data(store: Arc<dyn Store>) {
    let ledger = ledger(Arc::clone(&store)).await;
    let other = || text("Another name");
    for (rule, expected) in [
        (PutRule::Update(Version::FIRST), Err(ErrorKind::NotFound)),
        (PutRule::Create, Ok(vec![PutOutcome::Created])),
        (PutRule::Create, Err(ErrorKind::AlreadyExists)),
        (PutRule::Ensure, Ok(vec![PutOutcome::Unchanged])),
        (PutRule::Replace, Ok(vec![PutOutcome::Unchanged])),
    ] {
        let kind = |outcome: Result<Vec<PutOutcome>>| outcome.map_err(|error| error.kind());
        assert_eq!(kind(ledger.put_branches(&actor(), &[branch("X")], rule).await), expected, "branch {rule:?}");
        assert_eq!(kind(ledger.put_products(&actor(), &[product("X")], rule).await), expected, "product {rule:?}");
        assert_eq!(kind(ledger.put_agents(&actor(), &[agent("X")], rule).await), expected, "agent {rule:?}");
    }
    let (branch, product) =
        (moon_core::Branch { name: other(), ..branch("X") }, moon_core::Product { name: other(), ..product("X") });
    let agent = moon_core::Agent { name: other(), ..agent("X") };
    let update = PutRule::Update(Version::FIRST);
    for (number, expected) in [(1, Ok(vec![PutOutcome::Updated])), (2, Err(ErrorKind::VersionConflict))] {
        let kind = |outcome: Result<Vec<PutOutcome>>| outcome.map_err(|error| error.kind());
        assert_eq!(
            kind(ledger.put_branches(&actor(), std::slice::from_ref(&branch), update).await),
            expected,
            "{number}"
        );
        assert_eq!(
            kind(ledger.put_products(&actor(), std::slice::from_ref(&product), update).await),
            expected,
            "{number}"
        );
        assert_eq!(kind(ledger.put_agents(&actor(), std::slice::from_ref(&agent), update).await), expected, "{number}");
    }
    let mut unit = reading(&store).await;
    let version = Version(2);
    let branches = unit.organisation().find_branches(&[branch_code("X")]).await.unwrap();
    assert_eq!(branches, [Some(moon_core::Branch { version, ..branch })]);
    let products = unit.products().find(&[product_code("X")]).await.unwrap();
    assert_eq!(products, [Some(moon_core::Product { version, ..product })]);
    let agents = unit.agents().find(&[agent_code("X")], Lock::None).await.unwrap();
    assert_eq!(agents, [Some(moon_core::Agent { version, ..agent })]);
}
