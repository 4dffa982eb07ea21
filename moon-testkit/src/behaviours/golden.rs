//! The worked examples, read through scans, the store's sums and the ledger's key figures, in every order of arrival.

use std::sync::Arc;

use moon_core::{
    Dimension, Figures, Ledger, LifeMessage, Reference, SaleContent, SaleKind, SaleMessage, Store, UNASSIGNED, View,
};

use super::recording::told;
use crate::builders::{
    actor, assignment, cancel, cancel_part, content, content_message, enter, ledger, life_message, reinstate, rupees,
    team_code,
};
use crate::figures::{Groups, assert_group, figures, in_rupees};

/// All orders of the numbers below `count`.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for number in 0..count {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            (0..=order.len()).map(move |at| {
                let mut longer = order.clone();
                longer.insert(at, number);
                longer
            })
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}

async fn record(ledger: &Ledger, messages: &[SaleMessage]) -> Vec<String> {
    told(&ledger.record_sales(&actor(), messages).await.unwrap())
}

const NOTHING: Figures =
    Figures { net: moon_core::Sum::ZERO, gross: moon_core::Sum::ZERO, activity: moon_core::Sum::ZERO };

/// The names of example A once more for each order of arrival.
struct Names {
    alpha: String,
    beta: String,
    colombo: String,
    kandy: String,
    agent: String,
    sales: String,
}

impl Names {
    fn new(number: usize) -> Self {
        let name = |what: &str| format!("{what} {number}");
        let (alpha, beta, colombo, kandy) = (name("Alpha"), name("Beta"), name("Colombo"), name("Kandy"));
        Self { alpha, beta, colombo, kandy, agent: name("AGT"), sales: name("A") }
    }

    async fn enter(&self, ledger: &Ledger) {
        enter(ledger, &[&self.alpha, &self.beta], &[&self.colombo, &self.kandy], &[], &[&self.agent]).await;
    }

    async fn assign(&self, ledger: &Ledger, late: bool) {
        let assignment = if late {
            assignment(&self.agent, "2026-02-15", &self.beta, &self.kandy)
        } else {
            assignment(&self.agent, "2026-01-01", &self.alpha, &self.colombo)
        };
        ledger.assign(&actor(), &[assignment]).await.unwrap();
    }

    fn sale(&self, number: u32, day: &str, amount: i64) -> SaleMessage {
        let mut content = content(&self.agent, "LIFE", day, rupees(amount));
        content.team = (number == 3).then(|| team_code(&self.alpha));
        content_message(&format!("{} {number}", self.sales), Some(0), content)
    }

    fn sold(&self) -> [SaleMessage; 3] {
        [self.sale(1, "2026-02-10", 100), self.sale(2, "2026-02-20", 200), self.sale(3, "2026-02-25", 50)]
    }

    fn cancelled(&self) -> SaleMessage {
        life_message(&format!("{} 2", self.sales), Some(1), cancel("2026-03-05"))
    }

    /// The lines of the example's table below `before it`.
    async fn check(&self, [february, march, february_now, march_now]: &[Groups; 4]) {
        let (team, branch) = (Dimension::Team, Dimension::Branch);
        let taken_back = in_rupees((0, 0), (0, 0), (-200, -1));
        assert_group(february, team, &self.alpha, in_rupees((150, 2), (150, 2), (150, 2)));
        assert_group(march, team, &self.alpha, NOTHING);
        assert_group(february, team, &self.beta, in_rupees((200, 1), (0, 0), (200, 1)));
        assert_group(march, team, &self.beta, taken_back);
        assert_group(february, branch, &self.colombo, in_rupees((100, 1), (100, 1), (100, 1)));
        assert_group(march, branch, &self.colombo, NOTHING);
        assert_group(february, branch, &self.kandy, in_rupees((250, 2), (50, 1), (250, 2)));
        assert_group(march, branch, &self.kandy, taken_back);
        assert_group(february_now, team, &self.alpha, in_rupees((50, 1), (50, 1), (50, 1)));
        assert_group(march_now, team, &self.alpha, NOTHING);
        assert_group(february_now, team, &self.beta, in_rupees((300, 2), (100, 1), (300, 2)));
        assert_group(march_now, team, &self.beta, taken_back);
    }
}

async fn february_and_march(ledger: &Ledger) -> [Groups; 4] {
    [
        figures(ledger, View::AsSold, "2026-02").await,
        figures(ledger, View::AsSold, "2026-03").await,
        figures(ledger, View::AsNow, "2026-02").await,
        figures(ledger, View::AsNow, "2026-03").await,
    ]
}

/// Example A as it is told: an assignment that is entered late moves exactly what was derived.
pub async fn example_a_late_assignment(store: Arc<dyn Store>) {
    let ledger = ledger(store).await;
    enter(&ledger, &[], &[], &["LIFE"], &[]).await;
    let names = Names::new(1);
    names.enter(&ledger).await;
    names.assign(&ledger, false).await;
    record(&ledger, &names.sold()).await;
    record(&ledger, &[names.cancelled()]).await;
    let [february, march, ..] = february_and_march(&ledger).await;
    for (dimension, code) in [(Dimension::Team, &names.alpha), (Dimension::Branch, &names.colombo)] {
        assert_group(&february, dimension, code, in_rupees((350, 3), (150, 2), (350, 3)));
        assert_group(&march, dimension, code, in_rupees((0, 0), (0, 0), (-200, -1)));
    }
    names.assign(&ledger, true).await;
    names.check(&february_and_march(&ledger).await).await;
}

/// Example A in every order of its parts: both assignments, the sales, the cancellation.
pub async fn example_a_in_every_order(store: Arc<dyn Store>) {
    let ledger = ledger(store).await;
    enter(&ledger, &[], &[], &["LIFE"], &[]).await;
    let orders = orders(4);
    for (number, order) in orders.iter().enumerate() {
        let names = Names::new(number);
        names.enter(&ledger).await;
        for part in order {
            match part {
                0 => names.assign(&ledger, false).await,
                1 => names.assign(&ledger, true).await,
                2 => drop(record(&ledger, &names.sold()).await),
                _ => drop(record(&ledger, &[names.cancelled()]).await),
            }
        }
    }
    let groups = february_and_march(&ledger).await;
    for number in 0..orders.len() {
        Names::new(number).check(&groups).await;
    }
}

/// Example B: cancelled, reinstated and cancelled in part, in every order of arrival; a product for each order.
pub async fn example_b_cancel_and_reinstate(store: Arc<dyn Store>) {
    let ledger = ledger(store).await;
    enter(&ledger, &[], &[], &[], &["AGT001"]).await;
    let orders = orders(4);
    for (number, order) in orders.iter().enumerate() {
        let (product, sale) = (format!("P{number}"), format!("B{number}"));
        enter(&ledger, &[], &[], &[&product], &[]).await;
        let messages = [
            content_message(&sale, Some(0), content("AGT001", &product, "2026-01-15", rupees(1_000))),
            life_message(&sale, Some(1), cancel("2026-02-03")),
            life_message(&sale, Some(2), reinstate("2026-03-04")),
            life_message(&sale, Some(3), cancel_part("2026-04-10", rupees(300))),
        ];
        for part in order {
            record(&ledger, std::slice::from_ref(&messages[*part])).await;
        }
    }
    let months = [
        ("2026-01", in_rupees((1_000, 1), (700, 1), (1_000, 1))),
        ("2026-02", in_rupees((0, 0), (0, 0), (-1_000, -1))),
        ("2026-03", in_rupees((0, 0), (0, 0), (1_000, 1))),
        ("2026-04", in_rupees((0, 0), (0, 0), (-300, 0))),
        ("all", in_rupees((1_000, 1), (700, 1), (700, 1))),
    ];
    for (period, expected) in months {
        let groups = figures(&ledger, View::AsSold, period).await;
        for number in 0..orders.len() {
            assert_group(&groups, Dimension::Product, &format!("P{number}"), expected);
        }
    }
}

fn example_c(sale: &str, product: &str) -> [SaleMessage; 3] {
    [
        content_message(sale, Some(0), content("AGT001", product, "2026-01-30", rupees(100))),
        life_message(sale, Some(1), cancel("2026-03-20")),
        content_message(sale, Some(2), content("AGT001", product, "2026-02-02", rupees(120))),
    ]
}

/// Example C as it is told: what becomes of each message.
pub async fn example_c_outcomes(store: Arc<dyn Store>) {
    let ledger = ledger(store).await;
    enter(&ledger, &[], &[], &["LIFE"], &["AGT001"]).await;
    let [first, cancelled, second] = example_c("C", "LIFE");
    let other = content_message("C", Some(2), content("AGT001", "LIFE", "2026-02-02", rupees(121)));
    for (message, expected) in [
        (&second, "recorded 2"),
        (&cancelled, "applied 1"),
        (&first, "stale"),
        (&second, "duplicate"),
        (&other, "conflict payload_conflict"),
    ] {
        assert_eq!(record(&ledger, std::slice::from_ref(message)).await, [expected]);
    }
}

/// Example C: every order of arrival ends in the same figures; a product for each order. Once message by message, once in
/// one call.
pub async fn example_c_in_every_order(store: Arc<dyn Store>) {
    let ledger = ledger(store).await;
    enter(&ledger, &[], &[], &[], &["AGT001"]).await;
    let mut products = Vec::new();
    for together in [false, true] {
        for order in orders(3) {
            let product = format!("P{}", products.len());
            enter(&ledger, &[], &[], &[&product], &[]).await;
            let messages = example_c(&format!("C{}", products.len()), &product);
            let ordered: Vec<_> = order.iter().map(|part| messages[*part].clone()).collect();
            for call in ordered.chunks(if together { 3 } else { 1 }) {
                record(&ledger, call).await;
            }
            products.push(product);
        }
    }
    let months = [
        ("2026-01", NOTHING),
        ("2026-02", in_rupees((120, 1), (0, 0), (120, 1))),
        ("2026-03", in_rupees((0, 0), (0, 0), (-120, -1))),
    ];
    for (period, expected) in months {
        let groups = figures(&ledger, View::AsSold, period).await;
        for product in &products {
            assert_group(&groups, Dimension::Product, product, expected);
        }
    }
}

/// Example E but for the closing: a negative row on its own, a renewal, a voided sale, one without an agent, and a
/// negative row that names its original.
pub async fn example_e_a_month_with_everything(store: Arc<dyn Store>) {
    let ledger = ledger(store).await;
    enter(&ledger, &["Alpha"], &["Colombo"], &["LIFE"], &["AGT001"]).await;
    ledger.assign(&actor(), &[assignment("AGT001", "2026-01-01", "Alpha", "Colombo")]).await.unwrap();
    let sale = |day, amount| content("AGT001", "LIFE", day, rupees(amount));
    let messages = [
        content_message("E1", None, sale("2026-05-04", 500)),
        content_message("E2", None, sale("2026-05-11", -120)),
        content_message("E3", None, SaleContent { kind: SaleKind::Renewal, ..sale("2026-05-31", 400) }),
        content_message("E4", None, sale("2026-05-12", 999)),
        content_message("E5", None, SaleContent { agent: None, ..sale("2026-05-13", 80) }),
        life_message("E4", None, LifeMessage::Void),
    ];
    let expected = ["recorded 0", "recorded 0", "recorded 0", "recorded 0", "recorded 0", "applied 1"];
    assert_eq!(record(&ledger, &messages).await, expected);
    let whole = in_rupees((80, 1), (80, 1), (80, 1));
    let may = figures(&ledger, View::AsSold, "2026-05").await;
    assert_group(&may, Dimension::Team, "Alpha", in_rupees((780, 3), (780, 3), (780, 3)));
    assert_group(&may, Dimension::Team, UNASSIGNED, whole);

    let mut named = life_message("E1", None, cancel_part("2026-06-02", rupees(200)));
    named.entry = Some(Reference::new("entry", "E6").unwrap());
    assert_eq!(record(&ledger, &[named.clone(), named]).await, ["applied 1", "duplicate"]);
    let may = figures(&ledger, View::AsSold, "2026-05").await;
    let june = figures(&ledger, View::AsSold, "2026-06").await;
    for (dimension, code) in [(Dimension::Team, "Alpha"), (Dimension::Branch, "Colombo")] {
        assert_group(&may, dimension, code, in_rupees((780, 3), (580, 3), (780, 3)));
        assert_group(&june, dimension, code, in_rupees((0, 0), (0, 0), (-200, 0)));
        assert_group(&may, dimension, UNASSIGNED, whole);
        assert_group(&june, dimension, UNASSIGNED, NOTHING);
    }
    assert_group(&may, Dimension::Product, "LIFE", in_rupees((860, 4), (660, 4), (860, 4)));
}
