//! Targets: every version is kept.

use moon_core::{DayRange, Error, ErrorKind, Granularity, Period, ProductCode, Result, Target, TargetKey, TargetScope};

use crate::codes::{Coded, Codes};
use crate::failure::corrupt;
use crate::unit::SqliteUnit;
use crate::value;

#[derive(sqlx::FromRow)]
struct TargetRow {
    product: Option<String>,
    branch: Option<String>,
    team: Option<String>,
    agent: Option<String>,
    granularity: String,
    period_start: i32,
    period_end: i32,
    from_day: i64,
    version: i64,
    amount: i64,
    entered_at: i64,
    entered_by: String,
}

impl TargetRow {
    fn read(&self) -> Result<Target> {
        let scope = match (&self.branch, &self.team, &self.agent) {
            (Some(branch), ..) => TargetScope::Branch(value::code(branch)?),
            (_, Some(team), _) => TargetScope::Team(value::code(team)?),
            (.., Some(agent)) => TargetScope::Agent(value::code(agent)?),
            (None, None, None) => TargetScope::Ledger,
        };
        Ok(Target {
            key: TargetKey {
                product: self.product.as_deref().map(value::code).transpose()?,
                scope,
                period: Period::from_parts(
                    Granularity::from_name(&self.granularity).map_err(corrupt)?,
                    DayRange::new(self.period_start, self.period_end),
                ),
            },
            from: value::day(self.from_day)?,
            amount: value::amount(self.amount)?,
            version: value::version(self.version)?,
            entered_at: value::instant(self.entered_at)?,
            entered_by: value::text("entered_by", &self.entered_by)?,
        })
    }
}

/// Current targets; what `k` holds narrows them down.
macro_rules! select_targets {
    ($from:literal) => {
        concat!(
            "SELECT p.code AS product, b.code AS branch, t.code AS team, a.code AS agent, g.granularity,
                 g.period_start, g.period_end, g.from_day, g.version, g.amount, g.entered_at, g.entered_by
             FROM ",
            $from,
            " LEFT JOIN ledger_products p ON p.id = g.product_id
             LEFT JOIN ledger_branches b ON b.id = g.branch_id
             LEFT JOIN ledger_teams t ON t.id = g.team_id
             LEFT JOIN ledger_agents a ON a.id = g.agent_id
             WHERE NOT EXISTS (SELECT 1 FROM ledger_targets later
                 WHERE ifnull(later.product_id, 0) = ifnull(g.product_id, 0)
                 AND ifnull(later.branch_id, 0) = ifnull(g.branch_id, 0)
                 AND ifnull(later.team_id, 0) = ifnull(g.team_id, 0)
                 AND ifnull(later.agent_id, 0) = ifnull(g.agent_id, 0)
                 AND later.granularity = g.granularity AND later.period_start = g.period_start
                 AND later.period_end = g.period_end AND later.from_day = g.from_day
                 AND later.version > g.version)"
        )
    };
}

/// The numbers of what a key names.
struct KeyNumbers {
    product: Option<i64>,
    branch: Option<i64>,
    team: Option<i64>,
    agent: Option<i64>,
}

impl KeyNumbers {
    fn of(codes: &Codes, key: &TargetKey) -> Result<Self> {
        let mut numbers = Self {
            product: key.product.as_ref().map(|product| codes.product(product)).transpose()?,
            branch: None,
            team: None,
            agent: None,
        };
        match &key.scope {
            TargetScope::Ledger => {}
            TargetScope::Branch(code) => numbers.branch = codes.branch(Some(code))?,
            TargetScope::Team(code) => numbers.team = codes.team(Some(code))?,
            TargetScope::Agent(code) => numbers.agent = codes.agent(Some(code))?,
        }
        Ok(numbers)
    }
}

impl SqliteUnit {
    async fn load_target_codes(&mut self, keys: &[TargetKey]) -> Result<()> {
        let Self { session, codes } = self;
        let products = keys.iter().filter_map(|key| key.product.as_ref()).map(ProductCode::as_str);
        codes.load(session, Coded::Product, products).await?;
        for coded in [Coded::Branch, Coded::Team, Coded::Agent] {
            let scopes = keys.iter().filter_map(|key| match (&key.scope, coded) {
                (TargetScope::Branch(code), Coded::Branch) => Some(code.as_str()),
                (TargetScope::Team(code), Coded::Team) => Some(code.as_str()),
                (TargetScope::Agent(code), Coded::Agent) => Some(code.as_str()),
                _ => None,
            });
            codes.load(session, coded, scopes).await?;
        }
        Ok(())
    }

    pub(super) async fn targets_of(&mut self, keys: &[TargetKey]) -> Result<Vec<Target>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.load_target_codes(keys).await?;
        let wanted: Vec<_> = keys
            .iter()
            .filter_map(|key| {
                // A key with an unknown code has no target.
                let numbers = KeyNumbers::of(&self.codes, key).ok()?;
                Some((
                    numbers.product.unwrap_or(0),
                    numbers.branch.unwrap_or(0),
                    numbers.team.unwrap_or(0),
                    numbers.agent.unwrap_or(0),
                    key.period.granularity().name(),
                    key.period.days().start(),
                    key.period.days().end(),
                ))
            })
            .collect();
        let rows: sqlx::Result<Vec<TargetRow>> = sqlx::query_as(select_targets!(
            "(SELECT DISTINCT value FROM json_each(?)) k CROSS JOIN ledger_targets g
                 ON ifnull(g.product_id, 0) = k.value ->> 0 AND ifnull(g.branch_id, 0) = k.value ->> 1
                 AND ifnull(g.team_id, 0) = k.value ->> 2 AND ifnull(g.agent_id, 0) = k.value ->> 3
                 AND g.granularity = k.value ->> 4 AND g.period_start = k.value ->> 5
                 AND g.period_end = k.value ->> 6"
        ))
        .bind(value::to_json(&wanted)?)
        .fetch_all(self.session.reading()?)
        .await;
        let rows = self.session.done("find targets", rows)?;
        rows.iter().map(TargetRow::read).collect()
    }

    pub(super) async fn current_targets(&mut self) -> Result<Vec<Target>> {
        let rows: sqlx::Result<Vec<TargetRow>> =
            sqlx::query_as(select_targets!("ledger_targets g")).fetch_all(self.session.reading()?).await;
        let rows = self.session.done("read targets", rows)?;
        rows.iter().map(TargetRow::read).collect()
    }

    pub(super) async fn insert_target(&mut self, target: &Target) -> Result<()> {
        self.load_target_codes(std::slice::from_ref(&target.key)).await?;
        let numbers = KeyNumbers::of(&self.codes, &target.key)?;
        let period = target.key.period;
        let outcome = sqlx::query(
            "INSERT INTO ledger_targets (product_id, branch_id, team_id, agent_id, granularity, period_start,
                 period_end, from_day, version, amount, entered_at, entered_by)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(numbers.product)
        .bind(numbers.branch)
        .bind(numbers.team)
        .bind(numbers.agent)
        .bind(period.granularity().name())
        .bind(period.days().start())
        .bind(period.days().end())
        .bind(target.from.epoch_day())
        .bind(target.version.0)
        .bind(target.amount.minor())
        .bind(value::micros(target.entered_at))
        .bind(target.entered_by.as_str())
        .execute(self.session.writing()?)
        .await;
        if self.session.done("add a target", outcome)?.rows_affected() == 1 {
            return Ok(());
        }
        Err(Error::new(ErrorKind::VersionConflict, "this version of the target is there already")
            .with("product", target.key.product.as_ref().map_or("all", ProductCode::as_str))
            .with("scope", &target.key.scope)
            .with("from", target.from)
            .with("version", target.version))
    }
}
