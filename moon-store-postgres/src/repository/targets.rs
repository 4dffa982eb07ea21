//! Targets: every version is kept.

use moon_core::{
    AgentCode, BranchCode, Code, CodeKind, DayRange, Error, ErrorKind, Granularity, Period, ProductCode, Result,
    Target, TargetKey, TargetScope, TeamCode,
};
use tokio_postgres::types::Type;

use crate::codes::{Coded, Codes};
use crate::failure::corrupt;
use crate::session::{Param, Row};
use crate::unit::PostgresUnit;
use crate::value::{self, Day, Instant};

fn target(row: &Row) -> Result<Target> {
    fn optional<K: CodeKind>(row: &Row, column: usize) -> Result<Option<Code<K>>> {
        row.get::<Option<&str>>(column)?.map(value::code).transpose()
    }
    let branch: Option<BranchCode> = optional(row, 1)?;
    let team: Option<TeamCode> = optional(row, 2)?;
    let agent: Option<AgentCode> = optional(row, 3)?;
    let scope = match (branch, team, agent) {
        (Some(branch), ..) => TargetScope::Branch(branch),
        (_, Some(team), _) => TargetScope::Team(team),
        (.., Some(agent)) => TargetScope::Agent(agent),
        (None, None, None) => TargetScope::Ledger,
    };
    let granularity = Granularity::from_name(row.get(4)?).map_err(corrupt)?;
    let (start, end): (Day, Day) = (row.get(5)?, row.get(6)?);
    Ok(Target {
        key: TargetKey {
            product: optional(row, 0)?,
            scope,
            period: Period::from_parts(granularity, DayRange::new(start.0, end.0)),
        },
        from: row.get::<Day>(7)?.date()?,
        version: value::version(row.get(8)?)?,
        amount: value::amount(row.get(9)?)?,
        entered_at: row.get::<Instant>(10)?.0,
        entered_by: value::text("entered_by", row.get(11)?)?,
    })
}

/// Current targets `g`; what is in the braces narrows them down.
fn select(from: &str) -> String {
    format!(
        "SELECT p.code, b.code, t.code, a.code, g.granularity, g.period_start, g.period_end, g.from_date, g.version,
             g.amount, g.entered_at, g.entered_by
         FROM {from}
         LEFT JOIN ledger_products p ON p.id = g.product_id
         LEFT JOIN ledger_branches b ON b.id = g.branch_id
         LEFT JOIN ledger_teams t ON t.id = g.team_id
         LEFT JOIN ledger_agents a ON a.id = g.agent_id
         WHERE NOT EXISTS (SELECT 1 FROM ledger_targets later
             WHERE coalesce(later.product_id, 0) = coalesce(g.product_id, 0)
             AND coalesce(later.branch_id, 0) = coalesce(g.branch_id, 0)
             AND coalesce(later.team_id, 0) = coalesce(g.team_id, 0)
             AND coalesce(later.agent_id, 0) = coalesce(g.agent_id, 0)
             AND later.granularity = g.granularity AND later.period_start = g.period_start
             AND later.period_end = g.period_end AND later.from_date = g.from_date AND later.version > g.version)"
    )
}

/// The numbers of what a key names; `None` where it names nothing.
#[derive(Debug, Clone, Copy, Default)]
struct KeyNumbers {
    product: Option<i32>,
    branch: Option<i32>,
    team: Option<i32>,
    agent: Option<i32>,
}

impl KeyNumbers {
    fn of(codes: &Codes, key: &TargetKey) -> Result<Self> {
        let product = key.product.as_ref().map(|product| codes.product(product)).transpose()?;
        let numbers = Self { product, ..Self::default() };
        Ok(match &key.scope {
            TargetScope::Ledger => numbers,
            TargetScope::Branch(code) => Self { branch: codes.branch(Some(code))?, ..numbers },
            TargetScope::Team(code) => Self { team: codes.team(Some(code))?, ..numbers },
            TargetScope::Agent(code) => Self { agent: codes.agent(Some(code))?, ..numbers },
        })
    }
}

impl PostgresUnit<'_> {
    async fn load_target_codes(&mut self, keys: &[TargetKey]) -> Result<()> {
        let Self { session, codes, .. } = self;
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
        self.load_target_codes(keys).await?;
        // A key with an unknown code has no target.
        let wanted: Vec<(KeyNumbers, Period)> =
            keys.iter().filter_map(|key| Some((KeyNumbers::of(&self.codes, key).ok()?, key.period))).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let numbers = |of: fn(&KeyNumbers) -> Option<i32>| -> Vec<i32> {
            wanted.iter().map(|(numbers, _)| of(numbers).unwrap_or(0)).collect()
        };
        let days =
            |of: fn(DayRange) -> i32| -> Vec<Day> { wanted.iter().map(|(_, period)| Day(of(period.days()))).collect() };
        let granularities: Vec<&str> = wanted.iter().map(|(_, period)| period.granularity().name()).collect();
        let sql = select(
            "(SELECT DISTINCT * FROM unnest($1::int4[], $2::int4[], $3::int4[], $4::int4[], $5::text[], $6::date[], $7::date[])
                 AS x (product, branch, team, agent, granularity, period_start, period_end)) k
             JOIN ledger_targets g ON coalesce(g.product_id, 0) = k.product AND coalesce(g.branch_id, 0) = k.branch
                 AND coalesce(g.team_id, 0) = k.team AND coalesce(g.agent_id, 0) = k.agent
                 AND g.granularity = k.granularity AND g.period_start = k.period_start AND g.period_end = k.period_end",
        );
        let params: [Param<'_>; 7] = [
            (&numbers(|numbers| numbers.product), Type::INT4_ARRAY),
            (&numbers(|numbers| numbers.branch), Type::INT4_ARRAY),
            (&numbers(|numbers| numbers.team), Type::INT4_ARRAY),
            (&numbers(|numbers| numbers.agent), Type::INT4_ARRAY),
            (&granularities, Type::TEXT_ARRAY),
            (&days(DayRange::start), Type::DATE_ARRAY),
            (&days(DayRange::end), Type::DATE_ARRAY),
        ];
        self.session.rows("find targets", &sql, &params).await?.iter().map(target).collect()
    }

    pub(super) async fn current_targets(&mut self) -> Result<Vec<Target>> {
        self.session.rows("read targets", &select("ledger_targets g"), &[]).await?.iter().map(target).collect()
    }

    pub(super) async fn insert_target(&mut self, target: &Target) -> Result<()> {
        self.session.check_writes()?;
        self.load_target_codes(std::slice::from_ref(&target.key)).await?;
        let numbers = KeyNumbers::of(&self.codes, &target.key)?;
        let period = target.key.period;
        let params: [Param<'_>; 12] = [
            (&numbers.product, Type::INT4),
            (&numbers.branch, Type::INT4),
            (&numbers.team, Type::INT4),
            (&numbers.agent, Type::INT4),
            (&period.granularity().name(), Type::TEXT),
            (&Day(period.days().start()), Type::DATE),
            (&Day(period.days().end()), Type::DATE),
            (&Day::from(target.from), Type::DATE),
            (&i64::from(target.version.0), Type::INT8),
            (&target.amount.minor(), Type::INT8),
            (&Instant(target.entered_at), Type::TIMESTAMPTZ),
            (&target.entered_by.as_str(), Type::TEXT),
        ];
        let sql = "INSERT INTO ledger_targets (product_id, branch_id, team_id, agent_id, granularity, period_start,
                period_end, from_date, version, amount, entered_at, entered_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING";
        if self.session.execute("add a target", sql, &params).await? == 1 {
            return Ok(());
        }
        Err(Error::new(ErrorKind::VersionConflict, "this version of the target is there already")
            .with("product", target.key.product.as_ref().map_or("all", ProductCode::as_str))
            .with("scope", &target.key.scope)
            .with("from", target.from)
            .with("version", target.version))
    }
}
