//! Assignments: every version is kept.

use moon_core::{AgentCode, Assignment, Error, ErrorKind, Result};
use tokio_postgres::types::Type;

use crate::codes::Coded;
use crate::session::{Param, Row};
use crate::unit::PostgresUnit;
use crate::value::{self, Day, Instant};

fn assignment(row: &Row) -> Result<Assignment> {
    let to: Option<Day> = row.get(2)?;
    Ok(Assignment {
        agent: value::code(row.get(0)?)?,
        from: row.get::<Day>(1)?.date()?,
        to: to.map(Day::date).transpose()?,
        team: value::code(row.get(3)?)?,
        branch: value::code(row.get(4)?)?,
        version: value::version(row.get(5)?)?,
        entered_at: row.get::<Instant>(6)?.0,
        entered_by: value::text("entered_by", row.get(7)?)?,
    })
}

/// The highest version of each (agent, from).
const CURRENT: &str =
    "SELECT DISTINCT ON (a.code, s.from_date) a.code, s.from_date, s.to_date, t.code, b.code, s.version,
        s.entered_at, s.entered_by
    FROM ledger_agents a
    JOIN ledger_assignments s ON s.agent_id = a.id
    JOIN ledger_teams t ON t.id = s.team_id
    JOIN ledger_branches b ON b.id = s.branch_id
    WHERE a.code = ANY($1) ORDER BY a.code, s.from_date, s.version DESC";
const EVERY: &str = "SELECT a.code, s.from_date, s.to_date, t.code, b.code, s.version, s.entered_at, s.entered_by
    FROM ledger_agents a
    JOIN ledger_assignments s ON s.agent_id = a.id
    JOIN ledger_teams t ON t.id = s.team_id
    JOIN ledger_branches b ON b.id = s.branch_id
    WHERE a.code = ANY($1) ORDER BY s.from_date, s.version";

impl PostgresUnit<'_> {
    pub(super) async fn current_assignments(&mut self, agents: &[AgentCode]) -> Result<Vec<Assignment>> {
        let codes: Vec<&str> = agents.iter().map(AgentCode::as_str).collect();
        let rows = self.session.rows("read assignments", CURRENT, &[(&codes, Type::TEXT_ARRAY)]).await?;
        rows.iter().map(assignment).collect()
    }

    pub(super) async fn every_assignment(&mut self, agent: &AgentCode) -> Result<Vec<Assignment>> {
        let codes = [agent.as_str()].to_vec();
        let rows = self.session.rows("read the history of assignments", EVERY, &[(&codes, Type::TEXT_ARRAY)]).await?;
        rows.iter().map(assignment).collect()
    }

    pub(super) async fn insert_assignment(&mut self, assignment: &Assignment) -> Result<()> {
        let Self { session, codes, .. } = self;
        session.check_writes()?;
        codes.load(session, Coded::Agent, std::iter::once(assignment.agent.as_str())).await?;
        codes.load(session, Coded::Team, std::iter::once(assignment.team.as_str())).await?;
        codes.load(session, Coded::Branch, std::iter::once(assignment.branch.as_str())).await?;
        let params: [Param<'_>; 8] = [
            (&codes.agent(Some(&assignment.agent))?, Type::INT4),
            (&Day::from(assignment.from), Type::DATE),
            (&i64::from(assignment.version.0), Type::INT8),
            (&assignment.to.map(Day::from), Type::DATE),
            (&codes.team(Some(&assignment.team))?, Type::INT4),
            (&codes.branch(Some(&assignment.branch))?, Type::INT4),
            (&Instant(assignment.entered_at), Type::TIMESTAMPTZ),
            (&assignment.entered_by.as_str(), Type::TEXT),
        ];
        let sql = "INSERT INTO ledger_assignments
                (agent_id, from_date, version, to_date, team_id, branch_id, entered_at, entered_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
        if session.execute("add an assignment", sql, &params).await? == 1 {
            return Ok(());
        }
        Err(Error::new(ErrorKind::VersionConflict, "this version of the assignment is there already")
            .with("agent", &assignment.agent)
            .with("from", assignment.from)
            .with("version", assignment.version))
    }
}
