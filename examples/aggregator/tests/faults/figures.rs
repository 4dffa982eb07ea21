//! Daily cells by plain SQL, on either side.

use std::collections::{BTreeMap, BTreeSet};

use moon_core::{Figures, Sum};
use moon_testkit::random::Chance;

use crate::servers::{Database, Server};
use crate::world::World;
use crate::writer::{MONTH, Writer};

/// Dimension, day and code.
pub(crate) type Cell = (String, String, String);

/// Cells with a sum that is not zero.
pub(crate) type Cells = BTreeMap<Cell, Figures>;

/// Sums over all days, by dimension and code: what readers see of a published state.
pub(crate) type State = BTreeMap<(String, String), Figures>;

const DIMENSIONS: [(&str, &str); 3] =
    [("team", "ledger_teams"), ("branch", "ledger_branches"), ("product", "ledger_products")];

/// What the postings in a ledger's tables add up to. Both servers know all of it.
async fn source(ledger: &Database) -> Cells {
    let mut cells = Cells::new();
    for (dimension, table) in DIMENSIONS {
        let place = format!("LEFT JOIN {table} g ON g.id = s.{dimension}_id WHERE s.state = 0");
        let adjusted = format!("FROM ledger_adjustments j JOIN ledger_sales s ON s.id = j.sale_id {place}");
        let code = "COALESCE(g.code, 'unassigned') AS code";
        let query = format!(
            "SELECT CONCAT_WS(' ', '{dimension}', day, code),
                CONCAT_WS(' ', SUM(n), SUM(nc), SUM(g), SUM(gc), SUM(a), SUM(ac))
             FROM (
                SELECT s.sale_date AS day, {code}, s.amount AS n, 1 AS nc, s.amount AS g, 1 AS gc, s.amount AS a, 1 AS ac
                FROM ledger_sales s {place}
                UNION ALL SELECT s.sale_date, {code}, j.amount, j.count, 0, 0, 0, 0 {adjusted}
                UNION ALL SELECT j.own_date, {code}, 0, 0, 0, 0, j.amount, j.count {adjusted}
             ) x GROUP BY day, code"
        );
        add(&mut cells, ledger.rows(&query).await);
    }
    cells
}

/// What the tables of a warehouse on PostgreSQL show, whose currency has two digits.
async fn published(url: &str) -> Cells {
    let mut cells = Cells::new();
    for (dimension, _) in DIMENSIONS {
        let minor = |name: &str| format!("CAST({name}_sales * 100 AS BIGINT), {name}_count");
        let sums = ["net", "gross", "activity"].map(minor).join(", ");
        let query = format!(
            "SELECT CONCAT_WS(' ', '{dimension}', day, {dimension}), CONCAT_WS(' ', {sums}) FROM {dimension}_sales_daily"
        );
        add(&mut cells, Server::Postgres.query(url, &[query]).await);
    }
    cells
}

fn add(cells: &mut Cells, rows: Vec<(String, String)>) {
    for (key, sums) in rows {
        let key: Vec<&str> = key.split(' ').collect();
        let sums: Vec<i64> = sums.split(' ').map(|number| number.parse().unwrap()).collect();
        let (&[dimension, day, code], &[net, nets, gross, grosses, activity, activities]) = (&key[..], &sums[..])
        else {
            panic!("{key:?}: {sums:?}");
        };
        let sum = |minor: i64, count| Sum::new(minor.into(), count);
        let figures = Figures { net: sum(net, nets), gross: sum(gross, grosses), activity: sum(activity, activities) };
        if figures != Figures::default() {
            cells.insert((dimension.to_owned(), day.to_owned(), code.to_owned()), figures);
        }
    }
}

/// Cells summed over all days.
pub(crate) fn state(cells: &Cells) -> State {
    let mut state = State::new();
    for ((dimension, _, code), figures) in cells {
        let sum = state.entry((dimension.clone(), code.clone())).or_default();
        *sum = sum.plus(*figures).unwrap();
    }
    state.retain(|_, figures| *figures != Figures::default());
    state
}

/// The state of the ledger as it is now.
pub(crate) async fn state_of(ledger: &Database) -> State {
    state(&source(ledger).await)
}

/// Cells in which source and warehouse differ, with the figures of both.
async fn differences(ledger: &Database, figures_url: &str) -> Vec<(Cell, Figures, Figures)> {
    let (expected, found) = (source(ledger).await, published(figures_url).await);
    let cells: BTreeSet<&Cell> = expected.keys().chain(found.keys()).collect();
    let of = |cells: &Cells, cell: &Cell| cells.get(cell).copied().unwrap_or_default();
    let both = cells.into_iter().map(|cell| (cell.clone(), of(&expected, cell), of(&found, cell)));
    both.filter(|(_, expected, found)| expected != found).collect()
}

/// Source and warehouse agree in every cell, and what was reported of closed periods and restated since is what they show.
pub(crate) async fn check(ledger: &Database, figures_url: &str, told: &str) {
    let wrong = differences(ledger, figures_url).await;
    assert!(wrong.is_empty(), "{told}: {} cells differ, such as {:?}", wrong.len(), wrong.first());
    assert!(is_lawful(&state(&published(figures_url).await)), "{told}: groups do not add up to the same");
    let wrong = restated_wrong(figures_url).await;
    assert!(wrong.is_empty(), "{told}: reported and restated is not what is published: {wrong:?}");
}

/// Whether there is the same total by team, by branch and by product.
pub(crate) fn is_lawful(state: &State) -> bool {
    let totals = DIMENSIONS.map(|(dimension, _)| {
        let of = state.iter().filter(|((of, _), _)| of == dimension);
        of.fold(Figures::default(), |total, (_, figures)| total.plus(*figures).unwrap())
    });
    totals.iter().all(|total| *total == totals[0])
}

/// Cells of closed periods in which what was reported and what was restated since do not add up to what is published now.
async fn restated_wrong(figures_url: &str) -> Vec<(String, String)> {
    let now = DIMENSIONS.map(|(dimension, _)| {
        format!(
            "UNION ALL SELECT '{dimension}', day, {dimension}, -net_sales, -net_count, -activity_sales
             FROM {dimension}_sales_daily"
        )
    });
    let query = format!(
        "SELECT CONCAT_WS(' ', dimension, day, code), CONCAT_WS(' ', SUM(net), SUM(nets), SUM(activity))
         FROM (
            SELECT dimension, day, code, net_sales AS net, net_count AS nets, activity_sales AS activity FROM closed_figures
            UNION ALL SELECT dimension, day, code, after_net_sales - before_net_sales, after_net_count - before_net_count,
                after_activity_sales - before_activity_sales FROM restatements
            {}
         ) x
         WHERE EXISTS (SELECT 1 FROM closings c WHERE x.day BETWEEN c.period_start AND c.period_end)
         GROUP BY dimension, day, code HAVING SUM(net) <> 0 OR SUM(nets) <> 0 OR SUM(activity) <> 0",
        now.join(" ")
    );
    Server::Postgres.query(figures_url, &[query]).await
}

#[tokio::test]
async fn what_is_wrong_is_found() {
    let Some(world) = World::new(Server::Mysql).await else { return };
    // One of its seeds, by which something is sold in the month.
    Writer::new(world.ledger(), Chance::new(1)).await.write(world.ledger()).await;
    world.run(&["close", MONTH]).await;
    world.check("nothing is wrong").await;
    let one =
        "UPDATE team_sales_daily SET net_sales = net_sales + 1 WHERE day = (SELECT MIN(day) FROM team_sales_daily)
         AND team = (SELECT MIN(team) FROM team_sales_daily d WHERE d.day = team_sales_daily.day)";
    Server::Postgres.query(&world.figures_url, &[one.to_owned()]).await;
    let found = differences(&world.source, &world.figures_url).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(restated_wrong(&world.figures_url).await.len(), 1, "its month is closed");
    assert!(!is_lawful(&state(&published(&world.figures_url).await)));
}
