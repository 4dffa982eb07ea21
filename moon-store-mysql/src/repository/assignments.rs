//! Assignments: every version is kept.

use moon_core::{AgentCode, Assignment, Error, ErrorKind, Result};
use mysql_async::{Row, Value};

use super::version_taken;
use crate::codes::Coded;
use crate::lists::lookups;
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};

fn assignment(row: &Row) -> Result<Assignment> {
    Ok(Assignment {
        agent: value::code(row.text(0)?)?,
        from: row.date(1)?,
        to: row.optional_date(2)?,
        team: value::code(row.text(3)?)?,
        branch: value::code(row.text(4)?)?,
        version: value::version(row.int(5)?)?,
        entered_at: row.instant(6)?,
        entered_by: value::text("entered_by", row.text(7)?)?,
    })
}

/// The joins keep the servers from beginning elsewhere than with the agents.
const SELECT: &str = "SELECT a.code, s.from_date, s.to_date, t.code, b.code, s.version, s.entered_at, s.entered_by
    FROM ledger_agents a FORCE INDEX (ledger_agents_code)
    STRAIGHT_JOIN ledger_assignments s FORCE INDEX (PRIMARY) ON s.agent_id = a.id
    LEFT JOIN ledger_teams t ON t.id = s.team_id
    LEFT JOIN ledger_branches b ON b.id = s.branch_id";

impl MysqlUnit<'_> {
    /// The highest version of each (agent, from).
    pub(super) async fn current_assignments(&mut self, agents: &[AgentCode]) -> Result<Vec<Assignment>> {
        let mut codes: Vec<&str> = agents.iter().map(AgentCode::as_str).collect();
        codes.sort_unstable();
        codes.dedup();
        let codes: Vec<Value> = codes.into_iter().map(value::bytes).collect();
        let mut assignments: Vec<Assignment> = Vec::new();
        for (places, params) in lookups(&codes) {
            let sql = format!("{SELECT} WHERE a.code IN ({places})");
            for row in self.session.rows("read assignments", &sql, params).await? {
                assignments.push(assignment(&row)?);
            }
        }
        assignments.sort_unstable_by(|a, b| (&a.agent, a.from, b.version).cmp(&(&b.agent, b.from, a.version)));
        assignments.dedup_by(|later, first| (&later.agent, later.from) == (&first.agent, first.from));
        Ok(assignments)
    }

    pub(super) async fn every_assignment(&mut self, agent: &AgentCode) -> Result<Vec<Assignment>> {
        let sql = format!("{SELECT} WHERE a.code = ? ORDER BY s.from_date, s.version");
        let params = vec![value::bytes(agent.as_str())];
        self.session.rows("read the history of assignments", &sql, params).await?.iter().map(assignment).collect()
    }

    pub(super) async fn insert_assignment(&mut self, assignment: &Assignment) -> Result<()> {
        let Self { session, codes, .. } = self;
        session.check_writes()?;
        codes.load(session, Coded::Agent, std::iter::once(assignment.agent.as_str())).await?;
        codes.load(session, Coded::Team, std::iter::once(assignment.team.as_str())).await?;
        codes.load(session, Coded::Branch, std::iter::once(assignment.branch.as_str())).await?;
        let params = vec![
            value::optional_int(codes.agent(Some(&assignment.agent))?),
            value::date(assignment.from),
            value::int(assignment.version.0),
            assignment.to.map_or(Value::NULL, value::date),
            value::optional_int(codes.team(Some(&assignment.team))?),
            value::optional_int(codes.branch(Some(&assignment.branch))?),
            value::micros(assignment.entered_at),
            value::bytes(assignment.entered_by.as_str()),
        ];
        let sql = "INSERT INTO ledger_assignments
                (agent_id, from_date, version, to_date, team_id, branch_id, entered_at, entered_by)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let outcome = session.execute("add an assignment", sql, params).await;
        version_taken(outcome, || {
            Error::new(ErrorKind::VersionConflict, "this version of the assignment is there already")
                .with("agent", &assignment.agent)
                .with("from", assignment.from)
                .with("version", assignment.version)
        })
    }
}
