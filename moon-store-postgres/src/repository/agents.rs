//! Agents, and the locks on them that keep assigning and recording apart.

use std::collections::HashMap;

use async_trait::async_trait;
use moon_core::{
    Agent, AgentCode, AgentRepository, AgentStatus, Assignment, Consent, Consents, Contact, Error, ErrorKind, Lock,
    Page, PageRequest, Result, Text, Version,
};
use tokio_postgres::types::Type;

use super::{after, fetch_limit, in_place, written};
use crate::codes::Coded;
use crate::session::{Param, Row};
use crate::unit::PostgresUnit;
use crate::value::{self, Instant};

/// What [`agent`] reads.
const COLUMNS: &str = "id, code, name, email, phone, time_zone, status, analytics_granted, analytics_at, analytics_how, \
    notifications_granted, notifications_at, notifications_how, version";

fn agent(row: &Row) -> Result<Agent> {
    let corrupt = |fault: &str, value: &str| Error::new(ErrorKind::Corrupt, fault).with("value", value);
    let status: &str = row.get(6)?;
    let status = [AgentStatus::Active, AgentStatus::Suspended, AgentStatus::Left]
        .into_iter()
        .find(|known| known.name() == status)
        .ok_or_else(|| corrupt("stored agent has an unknown status", status))?;
    let time_zone: Option<&str> = row.get(5)?;
    let time_zone = time_zone
        .map(|name| name.parse::<chrono_tz::Tz>().map_err(|_| corrupt("stored agent has an unknown time zone", name)))
        .transpose()?;
    Ok(Agent {
        code: value::code(row.get(1)?)?,
        name: value::text("name", row.get(2)?)?,
        contact: Contact { email: optional("email", row.get(3)?)?, phone: optional("phone", row.get(4)?)? },
        time_zone,
        status,
        consents: Consents {
            performance_analytics: consent(row.get(7)?, row.get(8)?, row.get(9)?)?,
            notifications: consent(row.get(10)?, row.get(11)?, row.get(12)?)?,
        },
        version: value::version(row.get(13)?)?,
    })
}

fn optional(field: &'static str, stored: Option<&str>) -> Result<Option<Text>> {
    stored.map(|stored| value::text(field, stored)).transpose()
}

fn consent(granted: Option<bool>, at: Option<Instant>, how: Option<&str>) -> Result<Option<Consent>> {
    match (granted, at, how) {
        (Some(granted), Some(at), Some(how)) => Ok(Some(Consent { granted, at: at.0, how: value::text("how", how)? })),
        _ => Ok(None),
    }
}

#[async_trait]
impl AgentRepository for PostgresUnit<'_> {
    async fn find(&mut self, codes: &[AgentCode], lock: Lock) -> Result<Vec<Option<Agent>>> {
        let texts: Vec<&str> = codes.iter().map(AgentCode::as_str).collect();
        // Rows are locked in the order in which they leave the sort. Nobody can lock in a snapshot, and need not.
        let lock = match lock {
            Lock::None => "",
            _ if !self.session.writes() => "",
            Lock::Share => " FOR SHARE",
            Lock::Exclusive => " FOR UPDATE",
        };
        let sql = format!("SELECT {COLUMNS} FROM ledger_agents WHERE code = ANY($1) ORDER BY code{lock}");
        let mut found = HashMap::with_capacity(texts.len());
        for row in self.session.rows("find agents", &sql, &[(&texts, Type::TEXT_ARRAY)]).await? {
            self.codes.learn(Coded::Agent, row.get(1)?, row.get(0)?);
            found.insert(row.get::<String>(1)?, agent(&row)?);
        }
        Ok(in_place(texts.into_iter(), &found))
    }

    async fn put(&mut self, agent: &Agent, expected: Option<Version>) -> Result<()> {
        let sql = match expected {
            None => {
                "INSERT INTO ledger_agents (code, name, email, phone, time_zone, status,
                     analytics_granted, analytics_at, analytics_how,
                     notifications_granted, notifications_at, notifications_how, version)
                 SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 WHERE $14::int8 IS NULL
                 ON CONFLICT (code) DO NOTHING"
            }
            Some(_) => {
                "UPDATE ledger_agents SET name = $2, email = $3, phone = $4, time_zone = $5, status = $6,
                     analytics_granted = $7, analytics_at = $8, analytics_how = $9,
                     notifications_granted = $10, notifications_at = $11, notifications_how = $12, version = $13
                 WHERE code = $1 AND version = $14"
            }
        };
        let analytics = agent.consents.performance_analytics.as_ref();
        let notifications = agent.consents.notifications.as_ref();
        let params: [Param<'_>; 14] = [
            (&agent.code.as_str(), Type::TEXT),
            (&agent.name.as_str(), Type::TEXT),
            (&agent.contact.email.as_ref().map(Text::as_str), Type::TEXT),
            (&agent.contact.phone.as_ref().map(Text::as_str), Type::TEXT),
            (&agent.time_zone.map(chrono_tz::Tz::name), Type::TEXT),
            (&agent.status.name(), Type::TEXT),
            (&analytics.map(|consent| consent.granted), Type::BOOL),
            (&analytics.map(|consent| Instant(consent.at)), Type::TIMESTAMPTZ),
            (&analytics.map(|consent| consent.how.as_str()), Type::TEXT),
            (&notifications.map(|consent| consent.granted), Type::BOOL),
            (&notifications.map(|consent| Instant(consent.at)), Type::TIMESTAMPTZ),
            (&notifications.map(|consent| consent.how.as_str()), Type::TEXT),
            (&i64::from(agent.version.0), Type::INT8),
            (&expected.map(|version| i64::from(version.0)), Type::INT8),
        ];
        let touched = self.session.execute("write an agent", sql, &params).await?;
        written(touched, "agent", &agent.code, expected)
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Agent>> {
        let sql = format!("SELECT {COLUMNS} FROM ledger_agents WHERE code > $1 ORDER BY code LIMIT $2");
        let params: [Param<'_>; 2] = [(&after(page)?, Type::TEXT), (&fetch_limit(page), Type::INT8)];
        let rows = self.session.rows("list agents", &sql, &params).await?;
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
