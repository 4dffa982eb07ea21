//! The small numbers under which codes are kept.

use std::collections::HashMap;

use moon_core::{AgentCode, BranchCode, Error, ErrorKind, ProductCode, Result, Source, TeamCode};
use tokio_postgres::types::Type;

use crate::session::Session;
use crate::value;

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

    /// The numbers of codes.
    fn lookup(self) -> &'static str {
        match self {
            Self::Agent => "SELECT code, id FROM ledger_agents WHERE code = ANY($1)",
            Self::Team => "SELECT code, id FROM ledger_teams WHERE code = ANY($1)",
            Self::Branch => "SELECT code, id FROM ledger_branches WHERE code = ANY($1)",
            Self::Product => "SELECT code, id FROM ledger_products WHERE code = ANY($1)",
            Self::Source => "SELECT name, id FROM ledger_sources WHERE name = ANY($1)",
        }
    }

    /// The codes of numbers.
    fn reverse_lookup(self) -> &'static str {
        match self {
            Self::Agent => "SELECT id, code FROM ledger_agents WHERE id = ANY($1)",
            Self::Team => "SELECT id, code FROM ledger_teams WHERE id = ANY($1)",
            Self::Branch => "SELECT id, code FROM ledger_branches WHERE id = ANY($1)",
            Self::Product => "SELECT id, code FROM ledger_products WHERE id = ANY($1)",
            Self::Source => "SELECT id, name FROM ledger_sources WHERE id = ANY($1)",
        }
    }
}

/// The numbers that a unit of work has looked up. They cannot change while it lasts, and are forgotten with it, since what
/// it created itself may be rolled back.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    agents: HashMap<String, i32>,
    teams: HashMap<String, i32>,
    branches: HashMap<String, i32>,
    products: HashMap<String, i32>,
    sources: HashMap<String, i32>,
}

impl Codes {
    fn known(&self, coded: Coded) -> &HashMap<String, i32> {
        match coded {
            Coded::Agent => &self.agents,
            Coded::Team => &self.teams,
            Coded::Branch => &self.branches,
            Coded::Product => &self.products,
            Coded::Source => &self.sources,
        }
    }

    fn known_mut(&mut self, coded: Coded) -> &mut HashMap<String, i32> {
        match coded {
            Coded::Agent => &mut self.agents,
            Coded::Team => &mut self.teams,
            Coded::Branch => &mut self.branches,
            Coded::Product => &mut self.products,
            Coded::Source => &mut self.sources,
        }
    }

    /// Remembers a number that was read beside its code.
    pub(crate) fn learn(&mut self, coded: Coded, code: &str, id: i32) {
        let known = self.known_mut(coded);
        if !known.contains_key(code) {
            known.insert(code.to_owned(), id);
        }
    }

    /// Looks up those of these codes that are not known yet, in one query.
    pub(crate) async fn load<'a>(
        &mut self,
        session: &mut Session<'_>,
        coded: Coded,
        codes: impl Iterator<Item = &'a str>,
    ) -> Result<()> {
        let known = self.known(coded);
        let mut missing: Vec<&str> = codes.filter(|code| !known.contains_key(*code)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort_unstable();
        missing.dedup();
        let rows = session.rows("look up codes", coded.lookup(), &[(&missing, Type::TEXT_ARRAY)]).await?;
        for row in rows {
            self.learn(coded, row.get(0)?, row.get(1)?);
        }
        Ok(())
    }

    /// The number of a code that was loaded; `None` when there is no such thing.
    pub(crate) fn get(&self, coded: Coded, code: &str) -> Option<i32> {
        self.known(coded).get(code).copied()
    }

    /// The number of a code that was loaded.
    pub(crate) fn id(&self, coded: Coded, code: &str) -> Result<i32> {
        self.get(coded, code).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("there is no such {}", coded.noun())).with(coded.noun(), code)
        })
    }

    pub(crate) fn agent(&self, code: Option<&AgentCode>) -> Result<Option<i32>> {
        code.map(|code| self.id(Coded::Agent, code.as_str())).transpose()
    }

    pub(crate) fn team(&self, code: Option<&TeamCode>) -> Result<Option<i32>> {
        code.map(|code| self.id(Coded::Team, code.as_str())).transpose()
    }

    pub(crate) fn branch(&self, code: Option<&BranchCode>) -> Result<Option<i32>> {
        code.map(|code| self.id(Coded::Branch, code.as_str())).transpose()
    }

    pub(crate) fn product(&self, code: &ProductCode) -> Result<i32> {
        self.id(Coded::Product, code.as_str())
    }

    pub(crate) fn source(&self, source: &Source) -> Result<i32> {
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
        if names.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO ledger_sources (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING";
        session.execute("add a source", sql, &[(&names, Type::TEXT_ARRAY)]).await?;
        // Also those that another unit has added in between.
        self.load(session, Coded::Source, names.iter().copied()).await
    }
}

/// The codes of these numbers. A number without a code is simply absent.
pub(crate) async fn codes_of(session: &mut Session<'_>, coded: Coded, ids: &[u32]) -> Result<HashMap<u32, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<i32> = ids.iter().filter_map(|id| i32::try_from(*id).ok()).collect();
    let rows = session.rows("look up codes", coded.reverse_lookup(), &[(&ids, Type::INT4_ARRAY)]).await?;
    rows.iter().map(|row| Ok((value::narrow(row.get::<i32>(0)?.into())?, row.get(1)?))).collect()
}
