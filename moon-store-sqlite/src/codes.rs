//! The small numbers under which codes are kept.

use std::collections::HashMap;

use moon_core::{AgentCode, BranchCode, Error, ErrorKind, ProductCode, Result, Source, TeamCode};

use crate::session::Session;
use crate::value::{json_texts, to_json};

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

    /// The numbers of a JSON array of codes.
    fn lookup(self) -> &'static str {
        match self {
            Self::Agent => "SELECT c.code, c.id FROM json_each(?) k CROSS JOIN ledger_agents c ON c.code = k.value",
            Self::Team => "SELECT c.code, c.id FROM json_each(?) k CROSS JOIN ledger_teams c ON c.code = k.value",
            Self::Branch => "SELECT c.code, c.id FROM json_each(?) k CROSS JOIN ledger_branches c ON c.code = k.value",
            Self::Product => "SELECT c.code, c.id FROM json_each(?) k CROSS JOIN ledger_products c ON c.code = k.value",
            Self::Source => "SELECT c.name, c.id FROM json_each(?) k CROSS JOIN ledger_sources c ON c.name = k.value",
        }
    }
}

/// The numbers that a unit of work has looked up. They cannot change while it lasts, and are forgotten with it, since a
/// rollback may give a number to another code.
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

    /// Looks up those of these codes that are not known yet, in one query.
    pub(crate) async fn load<'a>(
        &mut self,
        session: &mut Session,
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
        let found: sqlx::Result<Vec<(String, i64)>> =
            sqlx::query_as(coded.lookup()).bind(json_texts(missing)?).fetch_all(session.reading()?).await;
        let found = session.done("look up codes", found)?;
        self.known_mut(coded).extend(found);
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

    /// The numbers of sources, which come into being when they are first named.
    pub(crate) async fn load_or_create_sources(&mut self, session: &mut Session, sources: &[&Source]) -> Result<()> {
        self.load(session, Coded::Source, sources.iter().map(|source| source.as_str())).await?;
        for source in sources {
            if self.get(Coded::Source, source.as_str()).is_some() {
                continue;
            }
            let created = sqlx::query_scalar("INSERT INTO ledger_sources (name) VALUES (?) RETURNING id")
                .bind(source.as_str())
                .fetch_one(session.writing()?)
                .await;
            let id = session.done("add a source", created)?;
            self.learn(Coded::Source, source.as_str(), id);
        }
        Ok(())
    }
}

impl Coded {
    /// The codes of a JSON array of numbers.
    fn reverse_lookup(self) -> &'static str {
        match self {
            Self::Agent => "SELECT c.id, c.code FROM json_each(?) k CROSS JOIN ledger_agents c ON c.id = k.value",
            Self::Team => "SELECT c.id, c.code FROM json_each(?) k CROSS JOIN ledger_teams c ON c.id = k.value",
            Self::Branch => "SELECT c.id, c.code FROM json_each(?) k CROSS JOIN ledger_branches c ON c.id = k.value",
            Self::Product => "SELECT c.id, c.code FROM json_each(?) k CROSS JOIN ledger_products c ON c.id = k.value",
            Self::Source => "SELECT c.id, c.name FROM json_each(?) k CROSS JOIN ledger_sources c ON c.id = k.value",
        }
    }
}

/// The codes of these numbers. A number without a code is simply absent.
pub(crate) async fn codes_of(session: &mut Session, coded: Coded, ids: &[u32]) -> Result<HashMap<u32, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found: sqlx::Result<Vec<(u32, String)>> =
        sqlx::query_as(coded.reverse_lookup()).bind(to_json(ids)?).fetch_all(session.reading()?).await;
    Ok(session.done("look up codes", found)?.into_iter().collect())
}
