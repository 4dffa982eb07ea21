//! Assignments: every version is kept.

use moon_core::{AgentCode, Assignment, Error, ErrorKind, Result};

use crate::codes::Coded;
use crate::unit::SqliteUnit;
use crate::value;

#[derive(sqlx::FromRow)]
struct AssignmentRow {
    agent: String,
    from_day: i64,
    to_day: Option<i64>,
    team: String,
    branch: String,
    version: i64,
    entered_at: i64,
    entered_by: String,
}

impl AssignmentRow {
    fn read(&self) -> Result<Assignment> {
        Ok(Assignment {
            agent: value::code(&self.agent)?,
            from: value::day(self.from_day)?,
            to: self.to_day.map(value::day).transpose()?,
            team: value::code(&self.team)?,
            branch: value::code(&self.branch)?,
            version: value::version(self.version)?,
            entered_at: value::instant(self.entered_at)?,
            entered_by: value::text("entered_by", &self.entered_by)?,
        })
    }
}

impl SqliteUnit {
    /// The highest version of each (agent, from).
    pub(super) async fn current_assignments(&mut self, agents: &[AgentCode]) -> Result<Vec<Assignment>> {
        if agents.is_empty() {
            return Ok(Vec::new());
        }
        // DISTINCT: an agent that is asked for twice is answered once.
        let rows: sqlx::Result<Vec<AssignmentRow>> = sqlx::query_as(
            "SELECT a.code AS agent, s.from_day, s.to_day, t.code AS team, b.code AS branch, s.version,
                 s.entered_at, s.entered_by
             FROM (SELECT DISTINCT value FROM json_each(?)) k
             CROSS JOIN ledger_agents a ON a.code = k.value
             CROSS JOIN ledger_assignments s ON s.agent_id = a.id
             JOIN ledger_teams t ON t.id = s.team_id
             JOIN ledger_branches b ON b.id = s.branch_id
             WHERE NOT EXISTS (SELECT 1 FROM ledger_assignments later
                 WHERE later.agent_id = s.agent_id AND later.from_day = s.from_day AND later.version > s.version)
             ORDER BY a.code, s.from_day",
        )
        .bind(value::json_texts(agents.iter().map(AgentCode::as_str))?)
        .fetch_all(self.session.reading()?)
        .await;
        let rows = self.session.done("read assignments", rows)?;
        rows.iter().map(AssignmentRow::read).collect()
    }

    pub(super) async fn every_assignment(&mut self, agent: &AgentCode) -> Result<Vec<Assignment>> {
        let rows: sqlx::Result<Vec<AssignmentRow>> = sqlx::query_as(
            "SELECT a.code AS agent, s.from_day, s.to_day, t.code AS team, b.code AS branch, s.version,
                 s.entered_at, s.entered_by
             FROM ledger_agents a
             JOIN ledger_assignments s ON s.agent_id = a.id
             JOIN ledger_teams t ON t.id = s.team_id
             JOIN ledger_branches b ON b.id = s.branch_id
             WHERE a.code = ? ORDER BY s.from_day, s.version",
        )
        .bind(agent.as_str())
        .fetch_all(self.session.reading()?)
        .await;
        let rows = self.session.done("read the history of assignments", rows)?;
        rows.iter().map(AssignmentRow::read).collect()
    }

    pub(super) async fn insert_assignment(&mut self, assignment: &Assignment) -> Result<()> {
        let Self { session, codes } = self;
        codes.load(session, Coded::Agent, std::iter::once(assignment.agent.as_str())).await?;
        codes.load(session, Coded::Team, std::iter::once(assignment.team.as_str())).await?;
        codes.load(session, Coded::Branch, std::iter::once(assignment.branch.as_str())).await?;
        let outcome = sqlx::query(
            "INSERT INTO ledger_assignments
                 (agent_id, from_day, version, to_day, team_id, branch_id, entered_at, entered_by)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (agent_id, from_day, version) DO NOTHING",
        )
        .bind(codes.agent(Some(&assignment.agent))?)
        .bind(assignment.from.epoch_day())
        .bind(assignment.version.0)
        .bind(assignment.to.map(moon_core::BusinessDate::epoch_day))
        .bind(codes.team(Some(&assignment.team))?)
        .bind(codes.branch(Some(&assignment.branch))?)
        .bind(value::micros(assignment.entered_at))
        .bind(assignment.entered_by.as_str())
        .execute(session.writing()?)
        .await;
        if session.done("add an assignment", outcome)?.rows_affected() == 1 {
            return Ok(());
        }
        Err(Error::new(ErrorKind::VersionConflict, "this version of the assignment is there already")
            .with("agent", &assignment.agent)
            .with("from", assignment.from)
            .with("version", assignment.version))
    }
}
