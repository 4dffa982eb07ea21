//! The stage of a run: rows that no reader sees yet.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use moon_core::{
    BusinessDate, Cell, ControlTotals, Dimension, Error, ErrorKind, Receipt, Result, RunKey, RunRecord, StagedRows,
    StagedRun,
};
use tokio_postgres::types::Type;

use super::publish::{self, Run};
use super::rows::{Stage, TextRow, dimension_number};
use super::runs;
use crate::connections::{Access, Connections};
use crate::copy::CopyRows;
use crate::session::{Param, Session};
use crate::value::Day;

pub(super) struct PostgresStage {
    connections: Connections,
    run: Run,
    /// The last cell that was staged.
    last: Option<CellKey>,
    /// Whether all that were staged ascend.
    ascends: bool,
}

/// What tells cells apart.
type CellKey = (Dimension, BusinessDate, Arc<str>);

const DOING: &str = "stage figures";

/// Makes whoever publishes or opens wait for one another.
pub(super) async fn lock_fence(session: &mut Session<'_>) -> Result<()> {
    let row = session.row("wait for another publisher", "SELECT one FROM warehouse_fence FOR UPDATE", &[]).await?;
    if row.is_some() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Corrupt, "the warehouse has lost its fence; restore the row of warehouse_fence"))
}

/// Removes the stage of one run, or all.
pub(super) async fn clear(session: &mut Session<'_>, run: Option<&RunKey>) -> Result<()> {
    let id = run.map(|run| run.id.to_string());
    // Other rows go with their stage. It comes first: nobody adds rows while it is locked.
    for table in ["warehouse_stages", Stage::Cells.table(), Stage::Agents.table()] {
        let sql = format!("DELETE FROM {table} WHERE run_id = $1 OR $1 IS NULL");
        session.execute("remove a stage", &sql, &[(&id, Type::TEXT)]).await?;
    }
    Ok(())
}

/// Makes the stage of a run.
pub(super) async fn create(session: &mut Session<'_>, run: &RunKey) -> Result<()> {
    let sql = "INSERT INTO warehouse_stages (run_id) VALUES ($1)";
    session.execute("make a stage", sql, &[(&run.id.to_string(), Type::TEXT)]).await.map(drop)
}

/// Refuses a stage that a later run has removed.
async fn check_present(session: &mut Session<'_>, run: &RunKey) -> Result<()> {
    let sql = "SELECT 1 FROM warehouse_stages WHERE run_id = $1 FOR KEY SHARE";
    if session.row("look for the stage", sql, &[(&run.id.to_string(), Type::TEXT)]).await?.is_some() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "another run was opened in the meantime and removed this stage; start again")
        .with("run", run.id))
}

/// The statement that stages rows: it takes the run and an array of text for each column.
fn insert(stage: Stage) -> String {
    let (mut names, mut casts, mut arrays) = (String::new(), String::new(), String::new());
    for (index, (name, kind)) in stage.columns().iter().enumerate() {
        names.push_str(&format!(", {name}"));
        // What is text is so by itself: a cast to VARCHAR(n) would cut it.
        let cast = if kind.starts_with("VARCHAR") { format!("x.{name}") } else { format!("CAST(x.{name} AS {kind})") };
        casts.push_str(&format!(", {cast}"));
        arrays.push_str(&format!("{}${}::text[]", if index == 0 { "" } else { ", " }, index + 2));
    }
    let columns = names.trim_start_matches(", ");
    format!("INSERT INTO {} (run_id{names}) SELECT $1{casts} FROM unnest({arrays}) AS x ({columns})", stage.table())
}

/// Finds a cell that is staged twice.
const TWICE: &str = "SELECT code FROM warehouse_stage_cells WHERE run_id = $1
    GROUP BY dimension, day, code HAVING COUNT(*) > 1 LIMIT 1";

/// What is about to be staged.
enum Staged {
    /// Cells as COPY takes them, and whether one of them may be there already.
    Cells { rows: Bytes, may_repeat: bool },
    /// Rows of another kind.
    Rows(Stage, Vec<TextRow>),
}

/// Bytes of a cell with a short code.
const CELL_BYTES: usize = 200;

/// Cells, of which there are many, as COPY takes them: the run, and the columns of their stage.
fn copy_rows(run: &Run, cells: &[Cell]) -> Result<Bytes> {
    let id = run.key.id.to_string();
    let mut rows = CopyRows::with_capacity(cells.len() * CELL_BYTES);
    for Cell { dimension, day, code, figures } in cells {
        rows.row(10);
        rows.bytes(id.as_bytes())?;
        match dimension_number(*dimension) {
            Some(number) => rows.int2(number),
            None => rows.null(),
        }
        rows.int4(Day::from(*day).stored());
        rows.bytes(code.as_bytes())?;
        for sum in [figures.net, figures.gross, figures.activity] {
            rows.numeric(sum.minor, run.currency)?;
            rows.int8(sum.count);
        }
    }
    Ok(rows.finish())
}

impl PostgresStage {
    pub(super) fn new(connections: Connections, run: Run) -> Self {
        Self { connections, run, last: None, ascends: true }
    }

    /// Takes note of cells, and says whether they all come behind those before: then none comes twice.
    fn ascend(&mut self, cells: &[Cell]) -> bool {
        let key = |cell: &Cell| (cell.dimension, cell.day, Arc::clone(&cell.code));
        let (Some(first), Some(last)) = (cells.first(), cells.last()) else { return self.ascends };
        let within = |left: &Cell, right: &Cell| {
            (left.dimension, left.day, &left.code) < (right.dimension, right.day, &right.code)
        };
        self.ascends &= cells.is_sorted_by(within) && self.last.as_ref().is_none_or(|last| *last < key(first));
        self.last = Some(key(last));
        self.ascends
    }

    /// Checks what is to be staged, and makes it ready; `None` when no row is to be staged.
    fn take(&mut self, rows: &StagedRows) -> Result<Option<Staged>> {
        if let StagedRows::Cells(cells) = rows {
            rows.check(&self.run.key, &self.run.scope)?;
            let may_repeat = !self.ascend(cells);
            return copy_rows(&self.run, cells).map(|rows| Some(Staged::Cells { rows, may_repeat }));
        }
        Ok(self.run.take(rows)?.map(|(stage, rows)| Staged::Rows(stage, rows)))
    }

    async fn write_in(&self, session: &mut Session<'_>, staged: Staged) -> Result<()> {
        check_present(session, &self.run.key).await?;
        match staged {
            Staged::Rows(stage, rows) => self.insert_in(session, stage, rows).await,
            Staged::Cells { rows, may_repeat } => {
                let columns: Vec<&str> = Stage::Cells.columns().iter().map(|(name, _)| *name).collect();
                let copy = format!(
                    "COPY {} (run_id, {}) FROM STDIN (FORMAT binary)",
                    Stage::Cells.table(),
                    columns.join(", ")
                );
                session.copy_in(DOING, &copy, rows).await?;
                if may_repeat
                    && session.row(DOING, TWICE, &[(&self.run.key.id.to_string(), Type::TEXT)]).await?.is_some()
                {
                    return Err(self.twice());
                }
                Ok(())
            }
        }
    }

    fn twice(&self) -> Error {
        Error::invalid("the same row was staged twice").with("run", self.run.key.id)
    }

    async fn insert_in(&self, session: &mut Session<'_>, stage: Stage, rows: Vec<TextRow>) -> Result<()> {
        let mut columns: Vec<Vec<Option<String>>> = stage.columns().iter().map(|_| Vec::new()).collect();
        for row in rows {
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
        let id = self.run.key.id.to_string();
        let mut params: Vec<Param<'_>> = vec![(&id, Type::TEXT)];
        params.extend(columns.iter().map(|column| -> Param<'_> { (column, Type::TEXT_ARRAY) }));
        session.execute(DOING, &insert(stage), &params).await.map(drop)
    }

    async fn publish_in(
        &self,
        session: &mut Session<'_>,
        control: &ControlTotals,
        record: &RunRecord,
    ) -> Result<Receipt> {
        lock_fence(session).await?;
        if let Some(record) = runs::published(session, &self.run.key).await? {
            return Ok(Receipt { record });
        }
        runs::check_fence(session, &self.run.key).await?;
        check_present(session, &self.run.key).await?;
        let receipt = publish::publish(session, &self.run, control, record).await?;
        clear(session, Some(&self.run.key)).await?;
        Ok(receipt)
    }
}

#[async_trait]
impl StagedRun for PostgresStage {
    async fn write(&mut self, rows: StagedRows) -> Result<()> {
        let Some(staged) = self.take(&rows)? else { return Ok(()) };
        let mut session = self.connections.begin(Access::Write).await?;
        match self.write_in(&mut session, staged).await {
            Ok(()) => session.commit().await,
            Err(error) => {
                session.rollback().await?;
                Err(if error.kind() == ErrorKind::AlreadyExists { self.twice().caused_by(error) } else { error })
            }
        }
    }

    async fn publish(self: Box<Self>, control: &ControlTotals, record: &RunRecord) -> Result<Receipt> {
        let mut session = self.connections.begin(Access::Write).await?;
        let outcome = self.publish_in(&mut session, control, record).await;
        session.conclude(outcome).await
    }

    async fn discard(self: Box<Self>) -> Result<()> {
        let mut session = self.connections.begin(Access::Write).await?;
        clear(&mut session, Some(&self.run.key)).await?;
        session.commit().await
    }
}
