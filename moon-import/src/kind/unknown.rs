//! Codes that the ledger does not know: created where the map allows it.

use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;

use moon_core::{
    Actor, Agent, AgentCode, AgentStatus, Branch, BranchCode, Consents, Contact, Ledger, Lock, Name, Product,
    ProductCode, PutRule, Result, Team, TeamCode, Text, UnitOfWork, Version,
};

use crate::map::{UnknownRule, UnknownRules};

/// How many codes of a kind are remembered at most; beyond, all are forgotten and asked for again.
const CODES_MAX: usize = 65_536;

/// Codes that exist for certain, so that the store is asked once for each.
#[derive(Debug, Default)]
pub(crate) struct Known {
    agents: HashSet<AgentCode>,
    teams: HashSet<TeamCode>,
    branches: HashSet<BranchCode>,
    products: HashSet<ProductCode>,
}

impl Known {
    /// Takes over what another one knows.
    pub(crate) fn extend(&mut self, other: Self) {
        extend(&mut self.agents, other.agents);
        extend(&mut self.teams, other.teams);
        extend(&mut self.branches, other.branches);
        extend(&mut self.products, other.products);
    }

    pub(crate) fn has_team(&self, code: &TeamCode) -> bool {
        self.teams.contains(code)
    }

    pub(crate) fn has_branch(&self, code: &BranchCode) -> bool {
        self.branches.contains(code)
    }
}

fn extend<C: Eq + Hash>(set: &mut HashSet<C>, others: HashSet<C>) {
    if set.len() + others.len() > CODES_MAX {
        set.clear();
    }
    set.extend(others);
}

/// The codes that a row names, with what is to be told about those that are created.
#[derive(Debug, Clone, Default)]
pub(crate) struct Named {
    pub(crate) agent: Option<AgentCode>,
    pub(crate) agent_name: Option<Name>,
    pub(crate) team: Option<TeamCode>,
    pub(crate) branch: Option<BranchCode>,
    pub(crate) product: Option<ProductCode>,
    pub(crate) product_name: Option<Name>,
    pub(crate) product_line: Option<Text>,
}

/// Creates what rows name and the ledger does not know, as far as the map allows. A row that names something that may
/// not be created brings nothing into being: the ledger will reject it. Returns what exists now.
pub(crate) async fn ensure(
    ledger: &Ledger,
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
    rules: UnknownRules,
    known: &Known,
    rows: &[Named],
) -> Result<Known> {
    let agents = wanted(rows.iter().filter_map(|row| row.agent.as_ref()), &known.agents);
    let teams = wanted(rows.iter().filter_map(|row| row.team.as_ref()), &known.teams);
    let branches = wanted(rows.iter().filter_map(|row| row.branch.as_ref()), &known.branches);
    let products = wanted(rows.iter().filter_map(|row| row.product.as_ref()), &known.products);
    let mut found = Known {
        agents: existing(&agents, unit.agents().find(&agents, Lock::None).await?),
        teams: existing(&teams, unit.organisation().find_teams(&teams).await?),
        branches: existing(&branches, unit.organisation().find_branches(&branches).await?),
        products: existing(&products, unit.products().find(&products).await?),
    };
    let is_taken = |row: &&Named| {
        let allowed = |rule: UnknownRule, there: bool| there || rule == UnknownRule::Create;
        let there = |code: Option<bool>| code.unwrap_or(true);
        allowed(rules.agents, there(row.agent.as_ref().map(|code| has(code, &known.agents, &found.agents))))
            && allowed(rules.teams, there(row.team.as_ref().map(|code| has(code, &known.teams, &found.teams))))
            && allowed(
                rules.branches,
                there(row.branch.as_ref().map(|code| has(code, &known.branches, &found.branches))),
            )
            && allowed(
                rules.products,
                there(row.product.as_ref().map(|code| has(code, &known.products, &found.products))),
            )
    };
    let mut new = New::default();
    for row in rows.iter().filter(is_taken) {
        new.add(row, known, &found)?;
    }
    new.create(ledger, unit, actor, &mut found).await?;
    Ok(found)
}

/// What is to be created, each once, in the order of the codes.
#[derive(Default)]
struct New {
    agents: BTreeMap<AgentCode, Agent>,
    teams: BTreeMap<TeamCode, Team>,
    branches: BTreeMap<BranchCode, Branch>,
    products: BTreeMap<ProductCode, Product>,
}

impl New {
    fn add(&mut self, row: &Named, known: &Known, found: &Known) -> Result<()> {
        if let Some(code) = row.team.as_ref().filter(|code| !has(*code, &known.teams, &found.teams))
            && !self.teams.contains_key(code)
        {
            self.teams.insert(code.clone(), new_team(code)?);
        }
        if let Some(code) = row.branch.as_ref().filter(|code| !has(*code, &known.branches, &found.branches))
            && !self.branches.contains_key(code)
        {
            self.branches.insert(code.clone(), new_branch(code)?);
        }
        if let Some(code) = row.agent.as_ref().filter(|code| !has(*code, &known.agents, &found.agents))
            && !self.agents.contains_key(code)
        {
            let mut agent = new_agent(code)?;
            agent.name = row.agent_name.clone().unwrap_or(agent.name);
            self.agents.insert(code.clone(), agent);
        }
        if let Some(code) = row.product.as_ref().filter(|code| !has(*code, &known.products, &found.products))
            && !self.products.contains_key(code)
        {
            let mut product = new_product(code)?;
            product.name = row.product_name.clone().unwrap_or(product.name);
            product.line = row.product_line.clone();
            self.products.insert(code.clone(), product);
        }
        Ok(())
    }

    async fn create(self, ledger: &Ledger, unit: &mut dyn UnitOfWork, actor: &Actor, found: &mut Known) -> Result<()> {
        let (teams, branches) = (rows(self.teams), rows(self.branches));
        let (agents, products) = (rows(self.agents), rows(self.products));
        if !teams.is_empty() {
            ledger.put_teams_in(unit, actor, &teams, PutRule::Ensure).await?;
            found.teams.extend(teams.into_iter().map(|team| team.code));
        }
        if !branches.is_empty() {
            ledger.put_branches_in(unit, actor, &branches, PutRule::Ensure).await?;
            found.branches.extend(branches.into_iter().map(|branch| branch.code));
        }
        if !agents.is_empty() {
            ledger.put_agents_in(unit, actor, &agents, PutRule::Ensure).await?;
            found.agents.extend(agents.into_iter().map(|agent| agent.code));
        }
        if !products.is_empty() {
            ledger.put_products_in(unit, actor, &products, PutRule::Ensure).await?;
            found.products.extend(products.into_iter().map(|product| product.code));
        }
        Ok(())
    }
}

fn rows<C: Ord, T>(map: BTreeMap<C, T>) -> Vec<T> {
    map.into_values().collect()
}

/// A team of which nothing is known but its code.
pub(crate) fn new_team(code: &TeamCode) -> Result<Team> {
    Ok(Team { code: code.clone(), name: Name::new("name", code.as_str())?, version: Version::FIRST })
}

/// A branch of which nothing is known but its code.
pub(crate) fn new_branch(code: &BranchCode) -> Result<Branch> {
    Ok(Branch { code: code.clone(), name: Name::new("name", code.as_str())?, region: None, version: Version::FIRST })
}

/// A product of which nothing is known but its code.
pub(crate) fn new_product(code: &ProductCode) -> Result<Product> {
    let name = Name::new("name", code.as_str())?;
    Ok(Product { code: code.clone(), name, line: None, free_look_days: None, version: Version::FIRST })
}

/// An agent of whom nothing is known but the code.
pub(crate) fn new_agent(code: &AgentCode) -> Result<Agent> {
    Ok(Agent {
        code: code.clone(),
        name: Name::new("name", code.as_str())?,
        contact: Contact::default(),
        time_zone: None,
        status: AgentStatus::default(),
        consents: Consents::default(),
        version: Version::FIRST,
    })
}

/// Each code once that is not known yet.
fn wanted<'a, C: Clone + Eq + Hash + 'a>(codes: impl Iterator<Item = &'a C>, known: &HashSet<C>) -> Vec<C> {
    let mut met = HashSet::new();
    codes.filter(|code| !known.contains(*code) && met.insert(*code)).cloned().collect()
}

fn existing<C: Clone + Eq + Hash, T>(codes: &[C], found: Vec<Option<T>>) -> HashSet<C> {
    codes.iter().zip(found).filter(|(_, found)| found.is_some()).map(|(code, _)| code.clone()).collect()
}

fn has<C: Eq + Hash>(code: &C, known: &HashSet<C>, found: &HashSet<C>) -> bool {
    known.contains(code) || found.contains(code)
}
