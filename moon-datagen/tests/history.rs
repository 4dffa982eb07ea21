//! What a history is made of, without a ledger.
#![expect(clippy::unwrap_used, reason = "a test stops at what it cannot read")]

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use moon_core::{
    AgentCode, Amount, BusinessDate, Calendar, Currency, LifeMessage, MessageBody, SaleContent, SaleKind, SaleMessage,
};
use moon_datagen::{Arrived, Event, MESSAGES_MAX, Plan, Rates, SALES_CSV_HEADER, SalesForce, write_sales_csv};

fn rupee() -> Currency {
    "LKR".parse().unwrap()
}

fn force(plan: &Plan) -> SalesForce {
    SalesForce::new(plan, rupee(), Calendar::default()).unwrap()
}

fn events(plan: &Plan) -> (Vec<Event>, Arrived) {
    let force = force(plan);
    let mut history = force.history();
    let events = history.by_ref().map(Result::unwrap).collect();
    (events, *history.arrived())
}

fn csv(plan: &Plan) -> String {
    let mut bytes = Vec::new();
    write_sales_csv(plan, rupee(), &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// FNV-1a: fixed by its definition, unlike the standard library's.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn contents(events: &[Event]) -> Vec<SaleContent> {
    let messages = events.iter().flat_map(|event| match event {
        Event::Sales { messages, .. } => messages.as_slice(),
        Event::Assignments { .. } => &[],
    });
    let contents = messages.filter_map(|message| match &message.body {
        MessageBody::Content(content) => Some(content.clone()),
        MessageBody::Life(_) => None,
    });
    contents.collect()
}

/// Targets and events as text.
fn told(plan: &Plan) -> String {
    let mut told = String::new();
    for target in force(plan).targets() {
        let product = target.key.product.as_ref().map_or("all", |product| product.as_str());
        let (scope, period) = (&target.key.scope, Calendar::default().label(target.key.period));
        writeln!(told, "target {product} {scope} {period} {}", target.amount.minor()).unwrap();
    }
    for event in events(plan).0 {
        match event {
            Event::Assignments { arrived, assignments } => {
                for row in assignments {
                    writeln!(told, "{arrived} {} from {} in {} and {}", row.agent, row.from, row.team, row.branch)
                        .unwrap();
                }
            }
            Event::Sales { arrived, messages } => {
                for SaleMessage { key, body, entry, .. } in messages {
                    let text = match body {
                        MessageBody::Content(content) => format!("{} for {}", content.product, content.amount.minor()),
                        MessageBody::Life(LifeMessage::Cancel { date, amount }) => {
                            format!("cancelled on {date}: {:?}", amount.map(Amount::minor))
                        }
                        MessageBody::Life(LifeMessage::Reinstate { date }) => format!("reinstated on {date}"),
                        MessageBody::Life(LifeMessage::Void) => "void".to_owned(),
                    };
                    let entry = entry.map(|entry| entry.to_string()).unwrap_or_default();
                    writeln!(told, "{arrived} {key} {entry} {text}").unwrap();
                }
            }
        }
    }
    told
}

fn small() -> Plan {
    Plan { sales: 3_000, ..Plan::demo() }
}

#[test]
fn a_seed_is_a_history_for_ever() {
    let (plan, other) = (small(), Plan { seed: 2, ..small() });
    // Other numbers here mean that ledgers filled before can no longer be completed by a repeat.
    assert_eq!(fingerprint(&csv(&plan)), 12_819_244_196_783_132_458);
    assert_eq!(fingerprint(&told(&plan)), 14_760_742_713_905_982_750);
    assert_ne!(csv(&plan), csv(&other));
    assert_ne!(events(&plan).0, events(&other).0);
    assert_ne!(force(&plan).targets(), force(&other).targets());
}

#[test]
fn any_size_adds_up() {
    let base = Plan { rates: Rates { backdated: 0, ..Rates::default() }, ..Plan::demo() };
    let plans = [
        Plan { sales: 0, ..base.clone() },
        Plan { sales: 0, products: 0, days: 0, agents: 0, teams: 0, branches: 0, ..base.clone() },
        Plan { sales: 1, ..base.clone() },
        Plan { sales: 700, days: 1, ..base.clone() },
        Plan { sales: 700, agents: 0, ..base.clone() },
        Plan { sales: 700, teams: 0, ..base.clone() },
        Plan { sales: 700, branches: 0, ..base.clone() },
        Plan { sales: 700, agents: 1, teams: 1, branches: 1, products: 1, ..base.clone() },
        Plan { sales: 700, agents: 300, teams: 70, branches: 60, products: 65, days: 3, ..base.clone() },
        Plan { sales: 5_000, days: 1, rates: Rates::calm(), ..base.clone() },
        Plan { sales: 700, first_day: BusinessDate::MIN, ..base.clone() },
        base.clone().ending_on(BusinessDate::MAX).map(|plan| Plan { sales: 700, ..plan }).unwrap(),
    ];
    for plan in plans {
        let (events, arrived) = events(&plan);
        assert_eq!(arrived.sales, plan.sales, "{plan:?}");
        assert_eq!(u64::try_from(csv(&plan).lines().count()).unwrap(), plan.sales + 1, "{plan:?}");
        let batches = events.iter().map(|event| match event {
            Event::Sales { messages, .. } => messages.len(),
            Event::Assignments { assignments, .. } => assignments.len().min(MESSAGES_MAX),
        });
        assert!(batches.clone().all(|length| (1..=MESSAGES_MAX).contains(&length)), "{plan:?}");
    }
}

#[test]
fn calm_rates_leave_nothing_but_sales() {
    let plan = Plan { rates: Rates::calm(), ..small() };
    let (events, arrived) = events(&plan);
    assert_eq!((arrived.sales, arrived.messages(), arrived.assignments), (plan.sales, plan.sales, 0));
    assert_eq!(arrived.gross, arrived.net);
    let sum: i128 = contents(&events).iter().map(|content| i128::from(content.amount.minor())).sum();
    assert_eq!((arrived.gross.minor, u64::try_from(arrived.gross.count)), (sum, Ok(plan.sales)));
}

#[test]
fn everything_named_exists_and_nothing_arrives_before_it_happens() {
    let plan = small();
    let force = force(&plan);
    let agents: HashSet<_> = force.agents().iter().map(|agent| &agent.code).collect();
    let teams: HashSet<_> = force.teams().iter().map(|team| &team.code).collect();
    let branches: HashSet<_> = force.branches().iter().map(|branch| &branch.code).collect();
    let products: HashSet<_> = force.products().iter().map(|product| &product.code).collect();
    assert_eq!((agents.len(), teams.len(), branches.len(), products.len()), (120, 8, 9, 12));
    let mut known: HashSet<AgentCode> = force.first_assignments().unwrap().into_iter().map(|row| row.agent).collect();
    let last_day = plan.last_day().unwrap();
    let mut day = plan.first_day;
    for event in force.history() {
        match event.unwrap() {
            Event::Assignments { arrived, assignments } => {
                assert!(day <= arrived && arrived <= last_day);
                day = arrived;
                for row in assignments {
                    assert!(agents.contains(&row.agent) && teams.contains(&row.team) && branches.contains(&row.branch));
                    assert!(row.from <= arrived && row.to.is_none_or(|to| to > arrived));
                    known.insert(row.agent);
                }
            }
            Event::Sales { arrived, messages } => {
                assert!(day <= arrived && arrived <= last_day);
                day = arrived;
                for message in messages {
                    match message.body {
                        MessageBody::Content(content) => {
                            assert!(plan.first_day <= content.date && content.date <= arrived);
                            assert!(content.agent.is_none_or(|agent| known.contains(&agent)));
                            assert!(content.team.is_none_or(|team| teams.contains(&team)));
                            assert!(content.branch.is_none_or(|branch| branches.contains(&branch)));
                            assert!(products.contains(&content.product));
                        }
                        MessageBody::Life(LifeMessage::Cancel { date, .. } | LifeMessage::Reinstate { date }) => {
                            assert_eq!(date, arrived);
                        }
                        MessageBody::Life(LifeMessage::Void) => {}
                    }
                }
            }
        }
    }
}

#[test]
fn what_happens_is_about_as_frequent_as_planned() {
    let plan = Plan { sales: 40_000, agents: 400, ..Plan::demo() };
    let (events, arrived) = events(&plan);
    // A tenth off for what would have arrived behind the last day, and a tenth for chance.
    let near = |found: u64, rates: &[u16]| {
        let wanted = plan.sales * rates.iter().copied().map(u64::from).sum::<u64>() / 10_000;
        assert!(wanted * 8 / 10 <= found && found <= wanted * 11 / 10, "{found} of {wanted}");
    };
    let rates = &plan.rates;
    near(arrived.sales, &[10_000]);
    near(arrived.corrections, &[rates.corrections]);
    near(arrived.cancellations, &[rates.cancellations, rates.partial_cancellations, rates.named_reversals]);
    assert!((20..=100).contains(&arrived.voids), "{}", arrived.voids);
    assert!((150..=360).contains(&arrived.reinstatements), "{}", arrived.reinstatements);
    assert!(arrived.late_transfers > 5 && arrived.assignments > arrived.late_transfers * 3, "{arrived:?}");
    assert!(arrived.net.minor < arrived.gross.minor && arrived.net.count < arrived.gross.count);

    let contents = contents(&events);
    let count = |wanted: fn(&SaleContent) -> bool| {
        u64::try_from(contents.iter().filter(|content| wanted(content)).count()).unwrap()
    };
    near(count(|content| content.kind == SaleKind::Reversal), &[rates.reversals]);
    near(count(|content| content.agent.is_none()), &[rates.without_agent]);
    near(count(|content| content.branch.is_some()), &[rates.branch_given]);
    near(count(|content| content.team.is_some()), &[rates.team_given]);
    near(count(|content| content.kind == SaleKind::NewBusiness), &[5_500]);
    assert!(count(|content| content.amount.minor() < 0) > 400 && count(|content| content.amount.minor() == 0) > 50);
}

#[test]
fn few_agents_sell_much() {
    let plan = Plan { sales: 20_000, agents: 400, rates: Rates::calm(), ..Plan::demo() };
    let mut sales: HashMap<AgentCode, u32> = HashMap::new();
    for content in contents(&events(&plan).0) {
        *sales.entry(content.agent.unwrap()).or_default() += 1;
    }
    let mut sales: Vec<u32> = sales.into_values().collect();
    sales.sort_unstable_by(|left, right| right.cmp(left));
    let best: u32 = sales.iter().take(40).sum();
    assert!(best > 9_000 && best < 14_000, "{best} of 20,000 by a tenth of the agents");
    assert!(sales.len() > 380);
}

#[test]
fn a_file_has_a_header_and_exact_amounts() {
    let plan = Plan { sales: 200, ..small() };
    let text = csv(&plan);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(SALES_CSV_HEADER));
    let columns = SALES_CSV_HEADER.split(',').count();
    for line in lines {
        let fields: Vec<_> = line.split(',').collect();
        assert_eq!(fields.len(), columns, "{line}");
        assert!(fields[0].starts_with('S') && !line.contains('"'));
        fields[1].parse::<BusinessDate>().unwrap();
        Amount::parse(fields[4], rupee()).unwrap();
    }
    let yen = |sales| {
        let mut bytes = Vec::new();
        write_sales_csv(&Plan { sales, ..small() }, "JPY".parse().unwrap(), &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    assert!(yen(50).lines().skip(1).all(|line| line.split(',').nth(4).unwrap().parse::<i64>().is_ok()));
}
