//! Agents. SQLite has one writing unit at a time, so that nothing needs to be locked.

use async_trait::async_trait;
use moon_core::{
    Agent, AgentCode, AgentRepository, AgentStatus, Assignment, Consent, Consents, Contact, Error, ErrorKind, Lock,
    Page, PageRequest, Result, Text, Version,
};

use super::{after, fetch_limit, in_place, written};
use crate::codes::Coded;
use crate::unit::SqliteUnit;
use crate::value;

#[derive(sqlx::FromRow)]
struct AgentRow {
    place: i64,
    id: i64,
    code: String,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    time_zone: Option<String>,
    status: String,
    analytics_granted: Option<bool>,
    analytics_at: Option<i64>,
    analytics_how: Option<String>,
    notifications_granted: Option<bool>,
    notifications_at: Option<i64>,
    notifications_how: Option<String>,
    version: i64,
}

impl AgentRow {
    fn read(&self) -> Result<Agent> {
        let corrupt = |fault: &str, value: &str| Error::new(ErrorKind::Corrupt, fault).with("value", value);
        let status = [AgentStatus::Active, AgentStatus::Suspended, AgentStatus::Left]
            .into_iter()
            .find(|status| status.name() == self.status)
            .ok_or_else(|| corrupt("stored agent has an unknown status", &self.status))?;
        let time_zone = self
            .time_zone
            .as_deref()
            .map(|name| {
                name.parse::<chrono_tz::Tz>().map_err(|_| corrupt("stored agent has an unknown time zone", name))
            })
            .transpose()?;
        Ok(Agent {
            code: value::code(&self.code)?,
            name: value::text("name", &self.name)?,
            contact: Contact { email: optional("email", &self.email)?, phone: optional("phone", &self.phone)? },
            time_zone,
            status,
            consents: Consents {
                performance_analytics: consent(self.analytics_granted, self.analytics_at, &self.analytics_how)?,
                notifications: consent(self.notifications_granted, self.notifications_at, &self.notifications_how)?,
            },
            version: value::version(self.version)?,
        })
    }
}

fn optional(field: &'static str, stored: &Option<String>) -> Result<Option<Text>> {
    stored.as_deref().map(|stored| value::text(field, stored)).transpose()
}

fn consent(granted: Option<bool>, at: Option<i64>, how: &Option<String>) -> Result<Option<Consent>> {
    match (granted, at, how) {
        (Some(granted), Some(at), Some(how)) => {
            Ok(Some(Consent { granted, at: value::instant(at)?, how: value::text("how", how)? }))
        }
        _ => Ok(None),
    }
}

#[async_trait]
impl AgentRepository for SqliteUnit {
    async fn find(&mut self, codes: &[AgentCode], _lock: Lock) -> Result<Vec<Option<Agent>>> {
        if codes.is_empty() {
            return Ok(Vec::new());
        }
        let rows: sqlx::Result<Vec<AgentRow>> = sqlx::query_as(
            "SELECT k.key AS place, a.* FROM json_each(?) k CROSS JOIN ledger_agents a ON a.code = k.value",
        )
        .bind(value::json_texts(codes.iter().map(AgentCode::as_str))?)
        .fetch_all(self.session.reading()?)
        .await;
        let rows = self.session.done("find agents", rows)?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            self.codes.learn(Coded::Agent, &row.code, row.id);
            found.push((row.place, row.read()?));
        }
        Ok(in_place(codes.len(), found))
    }

    async fn put(&mut self, agent: &Agent, expected: Option<Version>) -> Result<()> {
        let query = match expected {
            None => sqlx::query(
                "INSERT INTO ledger_agents (name, email, phone, time_zone, status,
                     analytics_granted, analytics_at, analytics_how,
                     notifications_granted, notifications_at, notifications_how, version, code)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (code) DO NOTHING",
            ),
            Some(_) => sqlx::query(
                "UPDATE ledger_agents SET name = ?, email = ?, phone = ?, time_zone = ?, status = ?,
                     analytics_granted = ?, analytics_at = ?, analytics_how = ?,
                     notifications_granted = ?, notifications_at = ?, notifications_how = ?, version = ?
                 WHERE code = ? AND version = ?",
            ),
        };
        let analytics = agent.consents.performance_analytics.as_ref();
        let notifications = agent.consents.notifications.as_ref();
        let outcome = query
            .bind(agent.name.as_str())
            .bind(agent.contact.email.as_ref().map(Text::as_str))
            .bind(agent.contact.phone.as_ref().map(Text::as_str))
            .bind(agent.time_zone.map(chrono_tz::Tz::name))
            .bind(agent.status.name())
            .bind(analytics.map(|consent| consent.granted))
            .bind(analytics.map(|consent| value::micros(consent.at)))
            .bind(analytics.map(|consent| consent.how.as_str()))
            .bind(notifications.map(|consent| consent.granted))
            .bind(notifications.map(|consent| value::micros(consent.at)))
            .bind(notifications.map(|consent| consent.how.as_str()))
            .bind(agent.version.0)
            .bind(agent.code.as_str())
            .bind(expected.map(|version| version.0))
            .execute(self.session.writing()?)
            .await;
        let outcome = self.session.done("write an agent", outcome)?;
        written(&outcome, "agent", &agent.code, expected)
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Agent>> {
        let rows: sqlx::Result<Vec<AgentRow>> =
            sqlx::query_as("SELECT 0 AS place, a.* FROM ledger_agents a WHERE code > ? ORDER BY code LIMIT ?")
                .bind(after(page)?)
                .bind(fetch_limit(page))
                .fetch_all(self.session.reading()?)
                .await;
        let rows = self.session.done("list agents", rows)?;
        let items = rows.iter().map(AgentRow::read).collect::<Result<_>>()?;
        Ok(Page::from_fetched(items, page.limit, |agent: &Agent| agent.code.to_string()))
    }

    async fn assignments(&mut self, agents: &[AgentCode]) -> Result<Vec<Assignment>> {
        self.current_assignments(agents).await
    }

    async fn add_assignment(&mut self, assignment: &Assignment) -> Result<()> {
        self.insert_assignment(assignment).await
    }

    async fn assignment_history(&mut self, agent: &AgentCode) -> Result<Vec<Assignment>> {
        self.every_assignment(agent).await
    }
}
