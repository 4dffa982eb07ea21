//! What is named must exist: a store refuses what a ledger would never write.

use std::sync::Arc;

use moon_core::{
    Assignment, ErrorKind, Period, Result, Sale, SaleChange, Store, Target, TargetKey, TargetScope, UnitOfWork, Version,
};

use crate::builders::{
    agent_code, branch_code, date, fill, key, noon, product_code, reading, rupees, sale, team_code, text, writing,
};

/// The attempt is refused for something that is not known, and its unit can be rolled back and leaves nothing.
async fn refused(what: &str, unit: Box<dyn UnitOfWork>, outcome: Result<()>) {
    let error = outcome.expect_err(what);
    assert_eq!(error.kind(), ErrorKind::NotFound, "{what}: {error}");
    unit.rollback().await.unwrap();
}

/// Sales that name one thing each that is not there.
fn misnamed() -> Vec<(&'static str, Sale)> {
    let good = || sale(1, "2026-02-10", rupees(1));
    let (mut agent, mut product, mut team, mut branch) = (good(), good(), good(), good());
    agent.content.agent = Some(agent_code("agt001"));
    product.content.product = product_code("LIFE2");
    team.places.team = Some(team_code("alpha"));
    branch.places.branch = Some(branch_code("Colombo"));
    vec![("agent", agent), ("product", product), ("team", team), ("branch", branch)]
}

/// A sale names an agent, a product, a team and a branch that are known.
pub async fn a_sale_names_what_is_known(store: Arc<dyn Store>) {
    fill(&store).await;
    for (what, sale) in misnamed() {
        let mut unit = writing(&store).await;
        let outcome = unit.sales().insert_absent(&[sale]).await.map(drop);
        refused(what, unit, outcome).await;
    }
    let good = sale(1, "2026-02-10", rupees(1));
    let mut unit = writing(&store).await;
    unit.sales().insert_absent(std::slice::from_ref(&good)).await.unwrap();
    unit.commit().await.unwrap();
    for (what, after) in misnamed() {
        let mut unit = writing(&store).await;
        let outcome = unit.sales().write(&[SaleChange { before: Some(good.clone()), after }]).await;
        refused(what, unit, outcome).await;
    }
    assert_eq!(reading(&store).await.sales().find(&[key("S1")]).await.unwrap(), [Some(good)]);
}

/// An assignment names an agent, a team and a branch that are known.
pub async fn an_assignment_names_what_is_known(store: Arc<dyn Store>) {
    fill(&store).await;
    for (agent, team, branch) in
        [("AGT009", "ALPHA", "KANDY"), ("AGT001", "GAMMA", "KANDY"), ("AGT001", "ALPHA", "GALLE")]
    {
        let assignment = Assignment {
            agent: agent_code(agent),
            from: date("2026-01-01"),
            to: None,
            team: team_code(team),
            branch: branch_code(branch),
            version: Version::FIRST,
            entered_at: noon("2026-06-15"),
            entered_by: text("tests"),
        };
        let mut unit = writing(&store).await;
        let outcome = unit.agents().add_assignment(&assignment).await;
        refused(agent, unit, outcome).await;
    }
    assert_eq!(reading(&store).await.agents().assignment_history(&agent_code("AGT001")).await.unwrap(), []);
}

/// A target names a product, a branch, a team or an agent that is known.
pub async fn a_target_names_what_is_known(store: Arc<dyn Store>) {
    fill(&store).await;
    let life = Some(product_code("LIFE"));
    let keys = [
        (Some(product_code("HEALTH")), TargetScope::Ledger),
        (life.clone(), TargetScope::Branch(branch_code("GALLE"))),
        (None, TargetScope::Team(team_code("GAMMA"))),
        (life, TargetScope::Agent(agent_code("AGT009"))),
    ];
    for (product, scope) in keys {
        let what = scope.to_string();
        let target = Target {
            key: TargetKey { product, scope, period: Period::ALL },
            from: date("2026-01-01"),
            amount: rupees(1),
            version: Version::FIRST,
            entered_at: noon("2026-06-15"),
            entered_by: text("tests"),
        };
        let mut unit = writing(&store).await;
        let outcome = unit.products().add_target(&target).await;
        refused(&what, unit, outcome).await;
    }
    assert_eq!(reading(&store).await.products().targets().await.unwrap(), []);
}
