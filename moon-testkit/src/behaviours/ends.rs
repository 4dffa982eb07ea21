//! Assignments and targets on the first and the last day that there are.

use std::sync::Arc;

use moon_core::{BusinessDate, Calendar, DayRange, NewAssignment, NewTarget, Store, TargetKey, TargetScope};

use crate::builders::{
    actor, assignment, content, content_message, date, fill, key, ledger, product_code, reading, rupees,
};

/// An assignment may start on the first day of all and on the last one, and end on the last one; sales on these days and
/// beside them go where they belong, also where the assignment is entered late.
pub async fn assignments_hold_at_both_ends_of_time(store: Arc<dyn Store>) {
    fill(&store).await;
    let ledger = ledger(Arc::clone(&store)).await;
    let days = ["1000-01-01", "1000-01-02", "9999-12-30", "9999-12-31"];
    let record = async |prefix: &str| {
        let sale =
            |day: &&str| content_message(&format!("{prefix} {day}"), None, content("AGT001", "LIFE", day, rupees(1)));
        let messages: Vec<_> = days.iter().map(sale).collect();
        assert_eq!(ledger.record_sales(&actor(), &messages).await.unwrap().counts().recorded, 4);
    };
    record("before").await;
    let until = |to: &str, assignment: NewAssignment| NewAssignment { to: Some(date(to)), ..assignment };
    let entered = [
        until("1000-01-02", assignment("AGT001", "1000-01-01", "ALPHA", "COLOMBO")),
        until("9999-12-31", assignment("AGT001", "1000-01-02", "BETA", "KANDY")),
        assignment("AGT001", "9999-12-31", "ALPHA", "KANDY"),
    ];
    ledger.assign(&actor(), &entered).await.unwrap();
    record("after").await;

    let mut unit = reading(&store).await;
    let kept = unit.agents().assignments(&[entered[0].agent.clone()]).await.unwrap();
    let dates: Vec<_> = kept.iter().map(|assignment| (assignment.from, assignment.to)).collect();
    assert_eq!(dates, entered.clone().map(|assignment| (assignment.from, assignment.to)));
    let places = [("ALPHA", "COLOMBO"), ("BETA", "KANDY"), ("BETA", "KANDY"), ("ALPHA", "KANDY")];
    for prefix in ["before", "after"] {
        let keys: Vec<_> = days.iter().map(|day| key(&format!("{prefix} {day}"))).collect();
        let found = unit.sales().find(&keys).await.unwrap().into_iter().flatten();
        let found: Vec<_> = found
            .map(|sale| {
                let (team, branch) = (sale.places.team.unwrap(), sale.places.branch.unwrap());
                (sale.content.date, team.to_string(), branch.to_string())
            })
            .collect();
        let expected = days.iter().zip(places);
        let expected: Vec<_> =
            expected.map(|(day, (team, branch))| (date(day), team.to_owned(), branch.to_owned())).collect();
        assert_eq!(found, expected, "{prefix}");
    }
}

/// Targets are set for the first and the last periods of each length and for all time, in force from the first day of all and
/// from the last one.
pub async fn targets_hold_at_both_ends_of_time(store: Arc<dyn Store>) {
    fill(&store).await;
    let ledger = ledger(Arc::clone(&store)).await;
    let mut targets = Vec::new();
    for period in ["1000-01", "9999-12", "1000-Q1", "9999-Q4", "1000", "9999", "all"] {
        let period = Calendar::default().parse(period).unwrap();
        let days: DayRange = period.days();
        for from in [BusinessDate::MIN, BusinessDate::MAX].into_iter().filter(|from| days.contains(from.epoch_day())) {
            let key = TargetKey { product: Some(product_code("LIFE")), scope: TargetScope::Ledger, period };
            targets.push(NewTarget { key, from: Some(from), amount: rupees(1), expected: None });
        }
    }
    ledger.set_targets(&actor(), &targets).await.unwrap();
    let mut unit = reading(&store).await;
    let kept = unit.products().targets().await.unwrap();
    let mut kept: Vec<_> = kept.into_iter().map(|target| (target.key, target.from)).collect();
    let mut expected: Vec<_> = targets.into_iter().filter_map(|target| Some((target.key, target.from?))).collect();
    kept.sort_unstable();
    expected.sort_unstable();
    assert_eq!(kept, expected);
}
