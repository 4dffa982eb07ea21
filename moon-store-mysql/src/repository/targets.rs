//! Targets: every version is kept.

use moon_core::{DayRange, Error, ErrorKind, Granularity, Period, ProductCode, Result, Target, TargetKey, TargetScope};
use mysql_async::{Row, Value};

use super::version_taken;
use crate::codes::{Coded, Codes};
use crate::failure::corrupt;
use crate::lists::parts;
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};

fn target(row: &Row) -> Result<Target> {
    let scope = match row.text(1)? {
        "ledger" => TargetScope::Ledger,
        "branch" => TargetScope::Branch(value::code(row.text(2)?)?),
        "team" => TargetScope::Team(value::code(row.text(2)?)?),
        "agent" => TargetScope::Agent(value::code(row.text(2)?)?),
        other => {
            return Err(Error::new(ErrorKind::Corrupt, "stored target has an unknown scope").with("scope", other));
        }
    };
    let granularity = Granularity::from_name(row.text(3)?).map_err(corrupt)?;
    let days = DayRange::new(value::narrow(row.int(4)?)?, value::narrow(row.int(5)?)?);
    Ok(Target {
        key: TargetKey {
            product: row.optional_text(0)?.map(value::code).transpose()?,
            scope,
            period: Period::from_parts(granularity, days),
        },
        from: row.date(6)?,
        version: value::version(row.int(7)?)?,
        amount: value::amount(row.int(8)?)?,
        entered_at: row.instant(9)?,
        entered_by: value::text("entered_by", row.text(10)?)?,
    })
}

/// Current targets; what follows narrows them down.
const SELECT: &str = "SELECT p.code, g.scope, COALESCE(b.code, t.code, a.code), g.granularity, g.period_start,
        g.period_end, g.from_date, g.version, g.amount, g.entered_at, g.entered_by
    FROM ledger_targets g
    LEFT JOIN ledger_products p ON p.id = g.product_id
    LEFT JOIN ledger_branches b ON b.id = g.branch_id
    LEFT JOIN ledger_teams t ON t.id = g.team_id
    LEFT JOIN ledger_agents a ON a.id = g.agent_id
    WHERE NOT EXISTS (SELECT 1 FROM ledger_targets later
        WHERE later.product = g.product AND later.scope = g.scope AND later.place = g.place
        AND later.granularity = g.granularity AND later.period_start = g.period_start
        AND later.period_end = g.period_end AND later.from_date = g.from_date AND later.version > g.version)";

/// The numbers of what a key names; 0 where it names nothing.
struct KeyNumbers {
    product: i64,
    scope: &'static str,
    place: i64,
}

impl KeyNumbers {
    fn of(codes: &Codes, key: &TargetKey) -> Result<Self> {
        let product = key.product.as_ref().map(|product| codes.product(product)).transpose()?.unwrap_or(0);
        let (scope, place) = match &key.scope {
            TargetScope::Ledger => ("ledger", 0),
            TargetScope::Branch(code) => ("branch", codes.id(Coded::Branch, code.as_str())?),
            TargetScope::Team(code) => ("team", codes.id(Coded::Team, code.as_str())?),
            TargetScope::Agent(code) => ("agent", codes.id(Coded::Agent, code.as_str())?),
        };
        Ok(Self { product, scope, place })
    }

    /// The number for the column that refers to groups of a scope.
    fn place_of(&self, scope: &str) -> Value {
        if self.scope == scope { Value::Int(self.place) } else { Value::NULL }
    }
}

/// How many keys a statement looks up.
const KEYS_MAX: usize = 64;

impl MysqlUnit<'_> {
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
        let mut keys: Vec<&TargetKey> = keys.iter().collect();
        keys.sort_unstable();
        keys.dedup();
        // A key with an unknown code has no target.
        let wanted: Vec<(KeyNumbers, Period)> =
            keys.iter().filter_map(|key| Some((KeyNumbers::of(&self.codes, key).ok()?, key.period))).collect();
        let one = "(g.product = ? AND g.scope = ? AND g.place = ? AND g.granularity = ? AND g.period_start = ?
            AND g.period_end = ?)";
        let mut targets = Vec::new();
        for part in parts(&wanted, KEYS_MAX) {
            let sql = format!("{SELECT} AND ({})", vec![one; part.len()].join(" OR "));
            let key = |(numbers, period): &(KeyNumbers, Period)| {
                [
                    Value::Int(numbers.product),
                    value::bytes(numbers.scope),
                    Value::Int(numbers.place),
                    value::bytes(period.granularity().name()),
                    value::int(period.days().start()),
                    value::int(period.days().end()),
                ]
            };
            for row in self.session.rows("find targets", &sql, part.iter().flat_map(key).collect()).await? {
                targets.push(target(&row)?);
            }
        }
        Ok(targets)
    }

    pub(super) async fn current_targets(&mut self) -> Result<Vec<Target>> {
        self.session.rows("read targets", SELECT, Vec::new()).await?.iter().map(target).collect()
    }

    pub(super) async fn insert_target(&mut self, target: &Target) -> Result<()> {
        self.session.check_writes()?;
        self.load_target_codes(std::slice::from_ref(&target.key)).await?;
        let numbers = KeyNumbers::of(&self.codes, &target.key)?;
        let period = target.key.period;
        let params = vec![
            Value::Int(numbers.product),
            value::bytes(numbers.scope),
            Value::Int(numbers.place),
            value::bytes(period.granularity().name()),
            value::int(period.days().start()),
            value::int(period.days().end()),
            value::date(target.from),
            value::int(target.version.0),
            value::int(target.amount.minor()),
            value::micros(target.entered_at),
            value::bytes(target.entered_by.as_str()),
            if target.key.product.is_some() { Value::Int(numbers.product) } else { Value::NULL },
            numbers.place_of("branch"),
            numbers.place_of("team"),
            numbers.place_of("agent"),
        ];
        let sql = "INSERT INTO ledger_targets (product, scope, place, granularity, period_start, period_end, from_date,
                version, amount, entered_at, entered_by, product_id, branch_id, team_id, agent_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let outcome = self.session.execute("add a target", sql, params).await;
        version_taken(outcome, || {
            Error::new(ErrorKind::VersionConflict, "this version of the target is there already")
                .with("product", target.key.product.as_ref().map_or("all", ProductCode::as_str))
                .with("scope", &target.key.scope)
                .with("from", target.from)
                .with("version", target.version)
        })
    }
}
