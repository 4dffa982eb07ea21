//! The sales force: everything that is known before the first sale.

use chrono::NaiveTime;
use moon_core::{
    Agent, AgentCode, AgentStatus, Branch, BranchCode, Calendar, Consent, Consents, Contact, Currency, Name,
    NewAssignment, NewTarget, Product, ProductCode, Result, Team, TeamCode, Text, Version,
};

use crate::career::{Careers, Entry, Names, Offices, Placement, entries};
use crate::catalog::{PLACES, TARIFFS, Tariff};
use crate::chance::{Chance, Stream, Weighted};
use crate::season::Season;
use crate::{Plan, targets};

/// A sales force by a plan: master data, first assignments and targets, and from it the history.
///
/// Takes memory for agents, teams, branches, products, their targets and transfers and the days of the plan; none for
/// the sales.
///
/// ```
/// use moon_core::Calendar;
/// use moon_datagen::{Event, Plan, SalesForce};
///
/// let force = SalesForce::new(&Plan { sales: 500, ..Plan::demo() }, "LKR".parse()?, Calendar::default())?;
/// assert_eq!(force.agents()[0].code.as_str(), "AGT00001");
/// for event in force.history() {
///     if let Event::Sales { arrived, messages } = event? {
///         assert!(!messages.is_empty(), "{arrived}");
///     }
/// }
/// # Ok::<(), moon_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SalesForce {
    pub(crate) plan: Plan,
    pub(crate) currency: Currency,
    pub(crate) season: Season,
    pub(crate) careers: Careers,
    pub(crate) assortment: Assortment,
    pub(crate) agent_codes: Vec<AgentCode>,
    pub(crate) team_codes: Vec<TeamCode>,
    pub(crate) branch_codes: Vec<BranchCode>,
    pub(crate) entries: Vec<Entry>,
    agents: Vec<Agent>,
    teams: Vec<Team>,
    branches: Vec<Branch>,
    products: Vec<Product>,
    targets: Vec<NewTarget>,
}

impl SalesForce {
    /// Makes the sales force of a plan for a ledger of this currency and calendar. Premiums are the same numbers in every
    /// currency; the calendar cuts the targets.
    ///
    /// # Errors
    /// `InvalidInput` when the plan cannot be carried out.
    pub fn new(plan: &Plan, currency: Currency, calendar: Calendar) -> Result<Self> {
        plan.check()?;
        let teams = (1..=plan.teams).map(team).collect::<Result<Vec<_>>>()?;
        let branches = (1..=plan.branches).map(branch).collect::<Result<Vec<_>>>()?;
        let careers = Careers::new(plan, Offices { teams: teams.len(), branches: branches.len() })?;
        let mut chance = Chance::new(plan.seed, Stream::Force);
        let last_day = plan.last_day()?.epoch_day();
        let agents = (1..=plan.agents)
            .zip(&careers.all)
            .map(|(number, career)| agent(plan, number, career.leaves.is_some_and(|day| day <= last_day), &mut chance))
            .collect::<Result<Vec<_>>>()?;
        let products = (1..=plan.products).map(product).collect::<Result<Vec<_>>>()?;
        let mut force = Self {
            plan: plan.clone(),
            currency,
            season: Season::new(plan)?,
            assortment: Assortment::new(&products),
            agent_codes: agents.iter().map(|agent| agent.code.clone()).collect(),
            team_codes: teams.iter().map(|team| team.code.clone()).collect(),
            branch_codes: branches.iter().map(|branch| branch.code.clone()).collect(),
            entries: entries(&careers.all),
            careers,
            agents,
            teams,
            branches,
            products,
            targets: Vec::new(),
        };
        force.targets = targets::targets(&force, calendar)?;
        Ok(force)
    }

    /// The plan that it was made by.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Teams, ascending by code.
    #[must_use]
    pub fn teams(&self) -> &[Team] {
        &self.teams
    }

    /// Branches, in regions, ascending by code.
    #[must_use]
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// Products, in lines.
    #[must_use]
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// Agents, ascending by code, those who join later among them.
    #[must_use]
    pub fn agents(&self) -> &[Agent] {
        &self.agents
    }

    /// Targets: of most products by month, quarter or year and for all time, of some branches by month, and of one product
    /// by branch. In proportion to what is going to be sold, so that some are achieved and some are not.
    #[must_use]
    pub fn targets(&self) -> &[NewTarget] {
        &self.targets
    }

    /// Assignments in force on the first day. All others are part of the [`history`](Self::history).
    ///
    /// # Errors
    /// None that a plan could cause.
    pub fn first_assignments(&self) -> Result<Vec<NewAssignment>> {
        let first_day = self.plan.first_day.epoch_day();
        let first = self.entries.iter().take_while(|entry| entry.entered <= first_day);
        first.filter_map(|entry| entry.assignment(&self.names()).transpose()).collect()
    }

    /// Where an agent really is on a day.
    pub(crate) fn placement(&self, agent: Option<usize>, day: i32) -> Option<&Placement> {
        self.careers.all.get(agent?)?.on(day)
    }

    pub(crate) fn names(&self) -> Names<'_> {
        Names { agents: &self.agent_codes, teams: &self.team_codes, branches: &self.branch_codes }
    }
}

/// What there is to sell.
#[derive(Debug, Clone)]
pub(crate) struct Assortment {
    pub(crate) codes: Vec<ProductCode>,
    shares: Weighted,
}

impl Assortment {
    fn new(products: &[Product]) -> Self {
        let weights = TARIFFS.iter().cycle().take(products.len()).map(|tariff| u64::from(tariff.weight));
        Self { codes: products.iter().map(|product| product.code.clone()).collect(), shares: Weighted::new(weights) }
    }

    /// The index of a product by a random word, with its tariff; `None` when there is none.
    pub(crate) fn pick(&self, word: u64) -> Option<(usize, &'static Tariff)> {
        let index = self.shares.pick(word)?;
        TARIFFS.get(index % TARIFFS.len()).map(|tariff| (index, tariff))
    }
}

fn team(number: u32) -> Result<Team> {
    Ok(Team {
        code: TeamCode::new(&format!("TEAM{number:03}"))?,
        name: Name::new("name", &format!("Team {number}"))?,
        version: Version::FIRST,
    })
}

/// Of a number from 1 on: the entry of the list, over and over, and whether it is the first time round.
fn entry_of<T>(list: &[T], number: u32) -> Option<(&T, bool)> {
    let index = usize::try_from(number.saturating_sub(1)).unwrap_or(0);
    list.get(index.checked_rem(list.len())?).map(|entry| (entry, index < list.len()))
}

fn branch(number: u32) -> Result<Branch> {
    let place = entry_of(&PLACES, number);
    let name = match place {
        Some(((name, _), true)) => (*name).to_owned(),
        _ => format!("Branch {number}"),
    };
    Ok(Branch {
        code: BranchCode::new(&format!("BR{number:03}"))?,
        name: Name::new("name", &name)?,
        region: place.map(|((_, region), _)| Text::new("region", region)).transpose()?,
        version: Version::FIRST,
    })
}

fn product(number: u32) -> Result<Product> {
    let tariff = entry_of(&TARIFFS, number);
    let (code, name) = match tariff {
        Some((tariff, true)) => (tariff.code.to_owned(), tariff.name.to_owned()),
        _ => (format!("PRODUCT{number:04}"), format!("Product {number}")),
    };
    Ok(Product {
        code: ProductCode::new(&code)?,
        name: Name::new("name", &name)?,
        line: tariff.map(|(tariff, _)| Text::new("line", tariff.line)).transpose()?,
        free_look_days: tariff.and_then(|(tariff, _)| tariff.free_look_days),
        version: Version::FIRST,
    })
}

/// Agents have no contact data: a generated ledger can be shown to anybody.
fn agent(plan: &Plan, number: u32, left: bool, chance: &mut Chance) -> Result<Agent> {
    let how = Text::new("how", "portal")?;
    let at = plan.first_day.to_naive_date().and_time(NaiveTime::MIN).and_utc();
    let mut answer = |asked: u16, agrees: u16| {
        let (asked, granted) = (chance.happens(asked), chance.happens(agrees));
        asked.then(|| Consent { granted, at, how: how.clone() })
    };
    Ok(Agent {
        code: AgentCode::new(&format!("AGT{number:05}"))?,
        name: Name::new("name", &format!("Agent {number:05}"))?,
        contact: Contact::default(),
        time_zone: None,
        status: if left { AgentStatus::Left } else { AgentStatus::Active },
        consents: Consents { performance_analytics: answer(9_000, 8_000), notifications: answer(9_000, 7_000) },
        version: Version::FIRST,
    })
}
