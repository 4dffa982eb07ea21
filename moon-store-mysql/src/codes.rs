//! The small numbers under which codes are kept.

use std::collections::HashMap;

use moon_core::{AgentCode, BranchCode, Error, ErrorKind, ProductCode, Result, Source, TeamCode};
use mysql_async::Value;

use crate::lists::{lookups, parts, places};
use crate::session::Session;
use crate::value::{self, Columns as _};

/// What is kept under a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coded {
    Agent,
    Team,
    Branch,
    Product,
    Source,
}

impl Coded {
    fn noun(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Team => "team",
            Self::Branch => "branch",
            Self::Product => "product",
            Self::Source => "source",
        }
    }

    /// The table, and the column of the code in it.
    fn table(self) -> (&'static str, &'static str) {
        match self {
            Self::Agent => ("ledger_agents", "code"),
            Self::Team => ("ledger_teams", "code"),
            Self::Branch => ("ledger_branches", "code"),
            Self::Product => ("ledger_products", "code"),
            Self::Source => ("ledger_sources", "name"),
        }
    }
}

/// The numbers that a unit of work has looked up. They cannot change while it lasts, and are forgotten with it, since what
/// it created itself may be rolled back.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    agents: HashMap<String, i64>,
    teams: HashMap<String, i64>,
    branches: HashMap<String, i64>,
    products: HashMap<String, i64>,
    sources: HashMap<String, i64>,
}

impl Codes {
    fn known(&self, coded: Coded) -> &HashMap<String, i64> {
        match coded {
            Coded::Agent => &self.agents,
            Coded::Team => &self.teams,
            Coded::Branch => &self.branches,
            Coded::Product => &self.products,
            Coded::Source => &self.sources,
        }
    }

    fn known_mut(&mut self, coded: Coded) -> &mut HashMap<String, i64> {
        match coded {
            Coded::Agent => &mut self.agents,
            Coded::Team => &mut self.teams,
            Coded::Branch => &mut self.branches,
            Coded::Product => &mut self.products,
            Coded::Source => &mut self.sources,
        }
    }

    /// Remembers a number that was read beside its code.
    pub(crate) fn learn(&mut self, coded: Coded, code: &str, id: i64) {
        let known = self.known_mut(coded);
        if !known.contains_key(code) {
            known.insert(code.to_owned(), id);
        }
    }

    /// Looks up those of these codes that are not known yet.
    pub(crate) async fn load<'a>(
        &mut self,
        session: &mut Session<'_>,
        coded: Coded,
        codes: impl Iterator<Item = &'a str>,
    ) -> Result<()> {
        let known = self.known(coded);
        let mut missing: Vec<&str> = codes.filter(|code| !known.contains_key(*code)).collect();
        missing.sort_unstable();
        missing.dedup();
        let missing: Vec<Value> = missing.into_iter().map(value::bytes).collect();
        let (table, column) = coded.table();
        for (places, params) in lookups(&missing) {
            let sql = format!("SELECT {column}, id FROM {table} WHERE {column} IN ({places})");
            for row in session.rows("look up codes", &sql, params).await? {
                self.learn(coded, row.text(0)?, row.int(1)?);
            }
        }
        Ok(())
    }

    /// The number of a code that was loaded; `None` when there is no such thing.
    pub(crate) fn get(&self, coded: Coded, code: &str) -> Option<i64> {
        self.known(coded).get(code).copied()
    }

    /// The number of a code that was loaded.
    pub(crate) fn id(&self, coded: Coded, code: &str) -> Result<i64> {
        self.get(coded, code).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("there is no such {}", coded.noun())).with(coded.noun(), code)
        })
    }

    pub(crate) fn agent(&self, code: Option<&AgentCode>) -> Result<Option<i64>> {
        code.map(|code| self.id(Coded::Agent, code.as_str())).transpose()
    }

    pub(crate) fn team(&self, code: Option<&TeamCode>) -> Result<Option<i64>> {
        code.map(|code| self.id(Coded::Team, code.as_str())).transpose()
    }

    pub(crate) fn branch(&self, code: Option<&BranchCode>) -> Result<Option<i64>> {
        code.map(|code| self.id(Coded::Branch, code.as_str())).transpose()
    }

    pub(crate) fn product(&self, code: &ProductCode) -> Result<i64> {
        self.id(Coded::Product, code.as_str())
    }

    pub(crate) fn source(&self, source: &Source) -> Result<i64> {
        self.id(Coded::Source, source.as_str())
    }

    /// The numbers of sources, which come into being when they are first named.
    pub(crate) async fn load_or_create_sources(
        &mut self,
        session: &mut Session<'_>,
        sources: impl Iterator<Item = &Source>,
    ) -> Result<()> {
        let mut names: Vec<&str> = sources.map(Source::as_str).collect();
        // One order for all units, so that two of them never wait for each other in a ring.
        names.sort_unstable();
        names.dedup();
        self.load(session, Coded::Source, names.iter().copied()).await?;
        names.retain(|name| self.get(Coded::Source, name).is_none());
        for part in parts(&names, 64) {
            let rows = places("(?)", part.len());
            let sql = format!("INSERT INTO ledger_sources (name) VALUES {rows} ON DUPLICATE KEY UPDATE id = id");
            session.execute("add a source", &sql, part.iter().map(value::bytes).collect()).await?;
        }
        // Also those that another unit has added in between.
        self.load(session, Coded::Source, names.iter().copied()).await
    }
}

/// The codes of these numbers. A number without a code is simply absent.
pub(crate) async fn codes_of(session: &mut Session<'_>, coded: Coded, ids: &[u32]) -> Result<HashMap<u32, String>> {
    let ids: Vec<Value> = ids.iter().map(|id| value::int(*id)).collect();
    let (table, column) = coded.table();
    let mut codes = HashMap::with_capacity(ids.len());
    for (places, params) in lookups(&ids) {
        let sql = format!("SELECT id, {column} FROM {table} WHERE id IN ({places})");
        for row in session.rows("look up codes", &sql, params).await? {
            codes.insert(value::narrow(row.int(0)?)?, row.text(1)?.to_owned());
        }
    }
    Ok(codes)
}
