//! Agents.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use moon_core::{
    Agent, AgentCode, AgentRepository, AgentStatus, Assignment, Consent, Consents, Contact, Error, ErrorKind, Lock,
    Page, PageRequest, Result, Text, Version,
};
use mysql_async::Row;

use super::{after, fetch_limit, written};
use crate::codes::Coded;
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};

const COLUMNS: &str = "id, code, name, email, phone, time_zone, status, analytics_granted, analytics_at, analytics_how,
    notifications_granted, notifications_at, notifications_how, version";

fn agent(row: &Row) -> Result<Agent> {
    let corrupt = |fault: &str, value: &str| Error::new(ErrorKind::Corrupt, fault).with("value", value);
    let optional =
        |field, place| row.optional_text(place)?.map(|stored| value::text(field, stored)).transpose() as Result<_>;
    let status = row.text(6)?;
    let status = [AgentStatus::Active, AgentStatus::Suspended, AgentStatus::Left]
        .into_iter()
        .find(|known| known.name() == status)
        .ok_or_else(|| corrupt("stored agent has an unknown status", status))?;
    let time_zone = row
        .optional_text(5)?
        .map(|name| name.parse::<chrono_tz::Tz>().map_err(|_| corrupt("stored agent has an unknown time zone", name)))
        .transpose()?;
    Ok(Agent {
        code: value::code(row.text(1)?)?,
        name: value::text("name", row.text(2)?)?,
        contact: Contact { email: optional("email", 3)?, phone: optional("phone", 4)? },
        time_zone,
        status,
        consents: Consents { performance_analytics: consent(row, 7)?, notifications: consent(row, 10)? },
        version: value::version(row.int(13)?)?,
    })
}

/// The consent in the three columns from a place on.
fn consent(row: &Row, place: usize) -> Result<Option<Consent>> {
    let at: Option<DateTime<Utc>> = row.optional_int(place + 1)?.map(value::instant).transpose()?;
    match (row.optional_int(place)?, at, row.optional_text(place + 2)?) {
        (Some(granted), Some(at), Some(how)) => {
            Ok(Some(Consent { granted: granted != 0, at, how: value::text("how", how)? }))
        }
        _ => Ok(None),
    }
}

#[async_trait]
impl AgentRepository for MysqlUnit<'_> {
    async fn find(&mut self, codes: &[AgentCode], lock: Lock) -> Result<Vec<Option<Agent>>> {
        let codes: Vec<&str> = codes.iter().map(AgentCode::as_str).collect();
        // Nobody can lock in a snapshot, and need not. The key is named, as rows are locked in the order of the index.
        let lock = match lock {
            Lock::None => "",
            _ if !self.session.writes() => "",
            Lock::Share => " LOCK IN SHARE MODE",
            Lock::Exclusive => " FOR UPDATE",
        };
        let query = format!(
            "SELECT {COLUMNS} FROM ledger_agents FORCE INDEX (ledger_agents_code)
             WHERE code IN ({{places}}) ORDER BY code{lock}"
        );
        self.find_by_code("find agents", Coded::Agent, &codes, &query, agent).await
    }

    async fn put(&mut self, agent: &Agent, expected: Option<Version>) -> Result<()> {
        let analytics = agent.consents.performance_analytics.as_ref();
        let notifications = agent.consents.notifications.as_ref();
        let mut params = vec![
            value::bytes(agent.name.as_str()),
            value::optional(agent.contact.email.as_ref().map(Text::as_str)),
            value::optional(agent.contact.phone.as_ref().map(Text::as_str)),
            value::optional(agent.time_zone.map(chrono_tz::Tz::name)),
            value::bytes(agent.status.name()),
            value::optional_int(analytics.map(|consent| i64::from(consent.granted))),
            value::optional_int(analytics.map(|consent| consent.at.timestamp_micros())),
            value::optional(analytics.map(|consent| consent.how.as_str())),
            value::optional_int(notifications.map(|consent| i64::from(consent.granted))),
            value::optional_int(notifications.map(|consent| consent.at.timestamp_micros())),
            value::optional(notifications.map(|consent| consent.how.as_str())),
            value::int(agent.version.0),
            value::bytes(agent.code.as_str()),
        ];
        let sql = match expected {
            None => {
                "INSERT INTO ledger_agents (name, email, phone, time_zone, status, analytics_granted, analytics_at,
                     analytics_how, notifications_granted, notifications_at, notifications_how, version, code)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            }
            Some(version) => {
                params.push(value::int(version.0));
                "UPDATE ledger_agents SET name = ?, email = ?, phone = ?, time_zone = ?, status = ?,
                     analytics_granted = ?, analytics_at = ?, analytics_how = ?, notifications_granted = ?,
                     notifications_at = ?, notifications_how = ?, version = ?
                 WHERE code = ? AND version = ?"
            }
        };
        let outcome = self.session.execute("write an agent", sql, params).await;
        written(outcome, "agent", &agent.code, expected)
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Agent>> {
        let sql = format!("SELECT {COLUMNS} FROM ledger_agents WHERE code > ? ORDER BY code LIMIT ?");
        let rows = self.session.rows("list agents", &sql, vec![after(page)?, fetch_limit(page)]).await?;
        let items = rows.iter().map(agent).collect::<Result<_>>()?;
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
