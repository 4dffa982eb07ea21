//! A transaction on a connection.
//!
//! Statements go out with the types of their parameters, in one round trip and without a name, so that nothing has to be
//! prepared and poolers between here and the server do no harm. All settings are local to the transaction for the same
//! reason.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use deadpool_postgres::Object;
use futures_util::future::{try_join, try_join_all};
use futures_util::{SinkExt as _, TryStreamExt as _};
use moon_core::{Error, ErrorKind, Result};
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, Transaction};

use crate::connections::{Access, Connections};
use crate::failure::Place;

/// A parameter and its type.
pub(crate) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// A row of an answer.
#[derive(Debug)]
pub(crate) struct Row(tokio_postgres::Row);

impl Row {
    /// A value by its place, from 0 on. Not the driver's own way, which panics where the database holds what nobody expects.
    pub(crate) fn get<'r, T: FromSql<'r>>(&'r self, column: usize) -> Result<T> {
        self.0.try_get(column).map_err(|cause| {
            Error::new(ErrorKind::Corrupt, "stored value cannot be read").with("column", column).caused_by(cause)
        })
    }
}

/// How much longer than the server's own limit the answer of a statement is waited for.
const GRACE: Duration = Duration::from_secs(5);

/// The most bytes of one message of COPY.
const COPY_BYTES: usize = 1 << 20;

/// A pooled connection that goes back to its pool only when its transaction has ended; else it is closed.
struct Lease {
    object: Option<Box<Object>>,
    open: bool,
}

impl Lease {
    fn client(&self) -> Option<&Client> {
        self.object.as_ref().map(|object| &****object)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.object.take().filter(|_| self.open) {
            drop(Object::take(*object));
        }
    }
}

enum Link<'c> {
    /// A connection of the pool, whose transaction is ours.
    Own(Lease),
    /// A connection whose transaction is the embedder's.
    Lent(&'c Client),
}

/// A transaction. Dropped, it is rolled back: by the server's own means when a statement is still on its way, else by a
/// ROLLBACK in the background, which saves the connection.
///
/// After a failure told by the server the session can only be rolled back: PostgreSQL refuses everything else.
pub(crate) struct Session<'c> {
    link: Link<'c>,
    place: Place,
    answer: Duration,
    writes: bool,
    failed: bool,
    /// A statement was sent and its answer not awaited.
    busy: bool,
}

impl Session<'static> {
    /// Begins a transaction on a connection of the pool.
    pub(crate) async fn begin(object: Object, access: Access, connections: &Connections) -> Result<Self> {
        let mut session = Self {
            link: Link::Own(Lease { object: Some(Box::new(object)), open: true }),
            place: connections.place().clone(),
            answer: connections.options().statement_timeout.saturating_add(GRACE),
            writes: access == Access::Write,
            failed: false,
            busy: false,
        };
        for statement in connections.begin_statements(access) {
            session.batch("begin a unit of work", &statement).await?;
        }
        Ok(session)
    }
}

impl<'c> Session<'c> {
    /// Works within a transaction that the caller began.
    pub(crate) fn within(transaction: &'c Transaction<'_>) -> Self {
        Self {
            link: Link::Lent(transaction.client()),
            place: Place::new("lent transaction"),
            answer: Duration::from_secs(24 * 3_600),
            writes: true,
            failed: false,
            busy: false,
        }
    }

    /// Whether the unit may write; `Unsupported` otherwise.
    pub(crate) fn check_writes(&self) -> Result<()> {
        if self.writes {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unsupported, "a reading unit of work cannot write"))
    }

    /// Whether the unit may write.
    pub(crate) fn writes(&self) -> bool {
        self.writes
    }

    /// The server and the database, for messages.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    fn client(&self) -> Result<&Client> {
        if self.failed {
            return Err(Error::new(ErrorKind::Backend, "the unit of work failed before and can only be rolled back"));
        }
        match &self.link {
            Link::Own(lease) => lease.client(),
            Link::Lent(client) => Some(*client),
        }
        .ok_or_else(|| Error::new(ErrorKind::Backend, "the unit of work has ended"))
    }

    /// Notes how a statement ended.
    fn done<T>(
        &mut self,
        doing: &str,
        answer: Result<Result<T, tokio_postgres::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T> {
        let outcome = match answer {
            Ok(outcome) => {
                self.busy = false;
                self.place.check(doing, outcome)
            }
            Err(_) => Err(self.place.silent(doing)),
        };
        self.failed |= outcome.is_err();
        outcome
    }

    /// All rows of a query.
    pub(crate) async fn rows(&mut self, doing: &str, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        self.client()?;
        self.busy = true;
        let answer = tokio::time::timeout(self.answer, self.client()?.query_typed(sql, params)).await;
        self.done(doing, answer).map(|rows| rows.into_iter().map(Row).collect())
    }

    /// All rows of a query, which is sent behind a statement of whose rows only the number is wanted, such as one that locks,
    /// without waiting for it.
    pub(crate) async fn rows_behind(
        &mut self,
        doing: &str,
        first: &str,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<(u64, Vec<Row>)> {
        self.client()?;
        self.busy = true;
        let client = self.client()?;
        // Both are polled in this order, and so sent in it.
        let work = try_join(client.execute_typed(first, params), client.query_typed(sql, params));
        let answer = tokio::time::timeout(self.answer, work).await;
        self.done(doing, answer).map(|(first, rows)| (first, rows.into_iter().map(Row).collect()))
    }

    /// All rows of each of some queries without parameters, which are sent one behind the other without waiting.
    pub(crate) async fn rows_of_each<const N: usize>(&mut self, doing: &str, sql: [&str; N]) -> Result<[Vec<Row>; N]> {
        self.client()?;
        self.busy = true;
        let client = self.client()?;
        // All are polled in this order, and so sent in it.
        let work = try_join_all(sql.map(|sql| client.query_typed(sql, &[])));
        let answer = tokio::time::timeout(self.answer, work).await;
        let mut answers = self.done(doing, answer)?.into_iter();
        Ok(sql.map(|_| answers.next().unwrap_or_default().into_iter().map(Row).collect()))
    }

    /// The first row of a query.
    pub(crate) async fn row(&mut self, doing: &str, sql: &str, params: &[Param<'_>]) -> Result<Option<Row>> {
        Ok(self.rows(doing, sql, params).await?.into_iter().next())
    }

    /// Gives each row of a query to `take` as it arrives, and returns how many there were.
    pub(crate) async fn each_row(
        &mut self,
        doing: &str,
        sql: &str,
        params: &[Param<'_>],
        mut take: impl FnMut(&Row) -> Result<()> + Send,
    ) -> Result<usize> {
        self.client()?;
        self.busy = true;
        let (mut count, mut fault) = (0, Ok(()));
        let client = self.client()?;
        let work = async {
            let typed = params.iter().map(|(value, kind)| (*value, kind.clone()));
            let mut rows = pin!(client.query_typed_raw(sql, typed).await?);
            while let Some(row) = rows.try_next().await? {
                count += 1;
                if fault.is_ok() {
                    fault = take(&Row(row));
                }
            }
            Ok(())
        };
        let answer = tokio::time::timeout(self.answer, work).await;
        self.done(doing, answer)?;
        fault.map(|()| count)
    }

    /// Runs a statement that writes, and returns how many rows it touched.
    pub(crate) async fn execute(&mut self, doing: &str, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        self.check_writes()?;
        self.client()?;
        self.busy = true;
        let answer = tokio::time::timeout(self.answer, self.client()?.execute_typed(sql, params)).await;
        self.done(doing, answer)
    }

    /// Runs statements without parameters.
    pub(crate) async fn batch(&mut self, doing: &str, sql: &str) -> Result<()> {
        self.client()?;
        self.busy = true;
        let answer = tokio::time::timeout(self.answer, self.client()?.batch_execute(sql)).await;
        self.done(doing, answer)
    }

    /// Sends rows in the binary form of COPY, and returns how many arrived.
    pub(crate) async fn copy_in(&mut self, doing: &str, sql: &str, mut rows: Bytes) -> Result<u64> {
        self.check_writes()?;
        self.client()?;
        self.busy = true;
        let client = self.client()?;
        let work = async {
            let mut sink = pin!(client.copy_in::<_, Bytes>(sql).await?);
            // In pieces of any size: a message must fit into the server's memory.
            while !rows.is_empty() {
                let piece = rows.split_to(rows.len().min(COPY_BYTES));
                sink.feed(piece).await?;
            }
            sink.finish().await
        };
        let answer = tokio::time::timeout(self.answer, work).await;
        self.done(doing, answer)
    }

    /// Lets the unit do nothing any more but roll back.
    pub(crate) fn spoil(&mut self) {
        self.failed = true;
    }

    /// Takes the session back to a savepoint after a failure that the caller knows how to go on from.
    pub(crate) async fn recover(&mut self, doing: &str, savepoint: &str) -> Result<()> {
        self.failed = false;
        self.batch(doing, savepoint).await
    }

    /// Commits what went well; otherwise rolls back and hands the error on.
    pub(crate) async fn conclude<T>(self, outcome: Result<T>) -> Result<T> {
        match outcome {
            Ok(value) => {
                self.commit().await?;
                Ok(value)
            }
            Err(error) => {
                self.rollback().await?;
                Err(error)
            }
        }
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        if matches!(self.link, Link::Lent(_)) {
            return Err(lent("committed"));
        }
        if self.failed {
            // A COMMIT would be answered as if all were well, and be a rollback.
            let _ = self.finish("ROLLBACK").await;
            return Err(Error::new(
                ErrorKind::Backend,
                "commit: the unit of work failed before; it was rolled back and nothing was changed",
            ));
        }
        self.finish("COMMIT").await
    }

    pub(crate) async fn rollback(mut self) -> Result<()> {
        if matches!(self.link, Link::Lent(_)) {
            return Err(lent("rolled back"));
        }
        let failed = self.failed;
        let outcome = self.finish("ROLLBACK").await;
        // What cannot be rolled back, because the connection is gone, is rolled back by the server.
        if failed { Ok(()) } else { outcome }
    }

    async fn finish(&mut self, statement: &'static str) -> Result<()> {
        self.failed = false;
        let outcome = self.batch(if statement == "COMMIT" { "commit" } else { "roll back" }, statement).await;
        if let (Ok(()), Link::Own(lease)) = (&outcome, &mut self.link) {
            lease.open = false;
        }
        outcome
    }
}

fn lent(what: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("the unit of work is a part of the embedder's own transaction, which is {what} by the embedder"),
    )
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let Link::Own(lease) = &mut self.link else { return };
        if !lease.open || self.busy {
            return;
        }
        let lease = Lease { object: lease.object.take(), open: true };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(roll_back(lease));
        }
    }
}

/// Ends the transaction of a dropped session, so that its connection can be used again.
async fn roll_back(mut lease: Lease) {
    let Some(client) = lease.client() else { return };
    let answer = tokio::time::timeout(GRACE, client.batch_execute("ROLLBACK")).await;
    if matches!(answer, Ok(Ok(()))) {
        lease.open = false;
    }
}
