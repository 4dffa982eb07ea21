//! A transaction on a connection.
//!
//! Statements with values go out prepared, and each text is prepared once on a connection: so the texts are few, and lists
//! of values have few lengths (see [`lists`](crate::lists)).

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use moon_core::{Error, ErrorKind, Result};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params, Row, Value};

use crate::connections::{Access, Connections};
use crate::failure::Place;

/// How much longer than the server's own limit the answer of a statement is waited for.
const GRACE: Duration = Duration::from_secs(5);
/// How long a rollback in the background may take before the connection is closed instead.
const ROLLBACK_WAIT: Duration = Duration::from_secs(5);

/// What takes the rows of a query as they arrive.
pub(crate) trait Rows: Send {
    /// Takes one, and tells whether what was taken has to be passed on before the next one.
    fn take(&mut self, row: &Row) -> bool;

    /// Passes on what was taken. Meanwhile the server sends on, as far as buffers reach.
    fn pass_on(&mut self) -> BoxFuture<'_, ()>;
}

/// Gives each row to a function, up to the first that it does not understand.
struct EachRow<F> {
    take: F,
    count: usize,
    outcome: Result<()>,
}

impl<F: FnMut(&Row) -> Result<()> + Send> Rows for EachRow<F> {
    fn take(&mut self, row: &Row) -> bool {
        self.count += 1;
        if self.outcome.is_ok() {
            self.outcome = (self.take)(row);
        }
        false
    }

    fn pass_on(&mut self) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }
}

/// What a session needs of a connection, whoever began the transaction on it.
pub(crate) trait Wire: Send {
    fn rows<'a>(&'a mut self, sql: &'a str, params: Vec<Value>) -> BoxFuture<'a, mysql_async::Result<Vec<Row>>>;
    fn each<'a>(
        &'a mut self,
        sql: &'a str,
        params: Vec<Value>,
        rows: &'a mut dyn Rows,
    ) -> BoxFuture<'a, mysql_async::Result<()>>;
    /// How many rows it matched, whether or not it changed them.
    fn execute<'a>(&'a mut self, sql: &'a str, params: Vec<Value>) -> BoxFuture<'a, mysql_async::Result<u64>>;
    /// Runs a statement once for each row.
    fn bulk<'a>(&'a mut self, sql: &'a str, rows: Vec<Vec<Value>>) -> BoxFuture<'a, mysql_async::Result<()>>;
    fn batch<'a>(&'a mut self, sql: &'a str) -> BoxFuture<'a, mysql_async::Result<()>>;
}

fn params(values: Vec<Value>) -> Params {
    if values.is_empty() { Params::Empty } else { Params::Positional(values) }
}

impl<Q: Queryable> Wire for Q {
    fn rows<'a>(&'a mut self, sql: &'a str, values: Vec<Value>) -> BoxFuture<'a, mysql_async::Result<Vec<Row>>> {
        self.exec(sql, params(values))
    }

    fn each<'a>(
        &'a mut self,
        sql: &'a str,
        values: Vec<Value>,
        rows: &'a mut dyn Rows,
    ) -> BoxFuture<'a, mysql_async::Result<()>> {
        async move {
            let mut result = self.exec_iter(sql, params(values)).await?;
            while let Some(row) = result.next().await? {
                if rows.take(&row) {
                    rows.pass_on().await;
                }
            }
            result.drop_result().await
        }
        .boxed()
    }

    fn execute<'a>(&'a mut self, sql: &'a str, values: Vec<Value>) -> BoxFuture<'a, mysql_async::Result<u64>> {
        async move {
            let result = self.exec_iter(sql, params(values)).await?;
            let matched = matched(&result.info()).unwrap_or(result.affected_rows());
            result.drop_result().await?;
            Ok(matched)
        }
        .boxed()
    }

    fn bulk<'a>(&'a mut self, sql: &'a str, rows: Vec<Vec<Value>>) -> BoxFuture<'a, mysql_async::Result<()>> {
        self.exec_batch(sql, rows.into_iter().map(Params::Positional))
    }

    fn batch<'a>(&'a mut self, sql: &'a str) -> BoxFuture<'a, mysql_async::Result<()>> {
        self.query_drop(sql)
    }
}

/// The number in `Rows matched: 1  Changed: 0  Warnings: 0`, which the server says of an UPDATE.
fn matched(info: &str) -> Option<u64> {
    info.strip_prefix("Rows matched: ")?.split_whitespace().next()?.parse().ok()
}

enum Link<'c> {
    /// A connection of the pool, whose transaction is ours. `None` when the session has ended.
    Own(Option<Conn>),
    /// A connection whose transaction is the embedder's.
    Lent(&'c mut (dyn Wire + 'c)),
}

/// A transaction. Dropped, it is rolled back in the background, which saves the connection; where a statement is still on
/// its way, or failed with the connection, the connection is closed, and the server rolls back.
///
/// After a failure of the database itself the session can only be rolled back: the server may have undone the transaction
/// already, and what followed would be committed statement by statement.
pub(crate) struct Session<'c> {
    link: Link<'c>,
    place: Place,
    answer: Duration,
    writes: bool,
    /// The server takes many rows for one statement.
    takes_bulk: bool,
    failed: bool,
    /// A statement was sent and its answer not awaited, or the connection failed.
    busy: bool,
}

impl Session<'static> {
    /// Begins a transaction on a connection of the pool.
    pub(crate) async fn begin(conn: Conn, access: Access, connections: &Connections) -> Result<Self> {
        let mut session = Self {
            link: Link::Own(Some(conn)),
            place: connections.place().clone(),
            answer: connections.options().statement_timeout.saturating_add(GRACE),
            writes: access == Access::Write,
            takes_bulk: connections.take_bulk(),
            failed: false,
            busy: false,
        };
        let begin = match access {
            Access::Snapshot => {
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                 START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
            }
            Access::Write => "START TRANSACTION READ WRITE",
        };
        session.batch("begin a unit of work", begin).await?;
        Ok(session)
    }
}

impl<'c> Session<'c> {
    /// Works within a transaction that the caller began.
    pub(crate) fn within(wire: &'c mut (dyn Wire + 'c)) -> Self {
        Self {
            link: Link::Lent(wire),
            place: Place::new("lent transaction"),
            answer: Duration::from_secs(24 * 3_600),
            writes: true,
            takes_bulk: false,
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

    fn wire(&mut self) -> Result<&mut (dyn Wire + 'c)> {
        if self.failed {
            return Err(Error::new(ErrorKind::Backend, "the unit of work failed before and can only be rolled back"));
        }
        self.busy = true;
        match &mut self.link {
            Link::Own(Some(conn)) => Ok(conn),
            Link::Lent(wire) => Ok(&mut **wire),
            Link::Own(None) => Err(Error::new(ErrorKind::Backend, "the unit of work has ended")),
        }
    }

    /// Notes how a statement ended.
    fn done<T>(
        &mut self,
        doing: &str,
        answer: Result<mysql_async::Result<T>, tokio::time::error::Elapsed>,
    ) -> Result<T> {
        let outcome = match answer {
            Ok(outcome) => {
                // After any other failure than one that the server tells of, the connection is of no use.
                self.busy = matches!(&outcome, Err(error) if error.is_fatal());
                self.place.check(doing, outcome)
            }
            Err(_) => Err(self.place.silent(doing)),
        };
        if let Err(error) = &outcome {
            let kind = error.kind();
            self.failed |= self.busy
                || matches!(
                    kind,
                    ErrorKind::Contention | ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Backend
                );
        }
        outcome
    }

    /// All rows of a query.
    pub(crate) async fn rows(&mut self, doing: &str, sql: &str, params: Vec<Value>) -> Result<Vec<Row>> {
        let answer = self.answer;
        let answer = tokio::time::timeout(answer, self.wire()?.rows(sql, params)).await;
        self.done(doing, answer)
    }

    /// The first row of a query.
    pub(crate) async fn row(&mut self, doing: &str, sql: &str, params: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.rows(doing, sql, params).await?.into_iter().next())
    }

    /// Gives each row of a query to `take` as it arrives, and returns how many there were.
    pub(crate) async fn each_row(
        &mut self,
        doing: &str,
        sql: &str,
        params: Vec<Value>,
        take: impl FnMut(&Row) -> Result<()> + Send,
    ) -> Result<usize> {
        let mut rows = EachRow { take, count: 0, outcome: Ok(()) };
        self.pass_rows(doing, sql, params, &mut rows).await?;
        rows.outcome.map(|()| rows.count)
    }

    /// Lets `rows` take the rows of a query as they arrive. The limits of the statement count the time of passing on too.
    pub(crate) async fn pass_rows(
        &mut self,
        doing: &str,
        sql: &str,
        params: Vec<Value>,
        rows: &mut dyn Rows,
    ) -> Result<()> {
        let answer = self.answer;
        let answer = tokio::time::timeout(answer, self.wire()?.each(sql, params, rows)).await;
        self.done(doing, answer)
    }

    /// Runs a statement that writes, and returns how many rows it inserted, deleted or matched.
    pub(crate) async fn execute(&mut self, doing: &str, sql: &str, params: Vec<Value>) -> Result<u64> {
        self.check_writes()?;
        let answer = self.answer;
        let answer = tokio::time::timeout(answer, self.wire()?.execute(sql, params)).await;
        self.done(doing, answer)
    }

    /// How long a statement may take.
    pub(crate) fn limit(&self) -> Duration {
        self.answer
    }

    /// Whether the server takes many rows for one statement, see [`bulk`](Self::bulk). MySQL would run it row by row.
    pub(crate) fn takes_bulk(&self) -> bool {
        self.takes_bulk
    }

    /// Runs a statement that inserts for many rows. When it fails, some of them may be there.
    pub(crate) async fn bulk(&mut self, doing: &str, sql: &str, rows: Vec<Vec<Value>>) -> Result<()> {
        self.check_writes()?;
        let answer = self.answer;
        let answer = tokio::time::timeout(answer, self.wire()?.bulk(sql, rows)).await;
        self.done(doing, answer)
    }

    /// Runs statements without values.
    pub(crate) async fn batch(&mut self, doing: &str, sql: &str) -> Result<()> {
        let answer = self.answer;
        let answer = tokio::time::timeout(answer, self.wire()?.batch(sql)).await;
        self.done(doing, answer)
    }

    /// Lets the unit do nothing any more but roll back.
    pub(crate) fn spoil(&mut self) {
        self.failed = true;
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

    pub(crate) async fn commit(self) -> Result<()> {
        if self.failed {
            return Err(Error::new(
                ErrorKind::Backend,
                "commit: the unit of work failed before; it is rolled back and nothing is changed",
            ));
        }
        self.end("commit", "COMMIT").await
    }

    pub(crate) async fn rollback(mut self) -> Result<()> {
        if self.failed && self.busy {
            // The connection is gone; closing it is the rollback that was asked for.
            return self.owned();
        }
        self.failed = false;
        self.end("roll back", "ROLLBACK").await
    }

    /// Ends the transaction and gives the connection back to its pool.
    async fn end(mut self, doing: &str, sql: &str) -> Result<()> {
        self.owned()?;
        self.batch(doing, sql).await?;
        if let Link::Own(conn) = &mut self.link {
            drop(conn.take());
        }
        Ok(())
    }

    fn owned(&self) -> Result<()> {
        match self.link {
            Link::Own(_) => Ok(()),
            Link::Lent(_) => Err(Error::new(
                ErrorKind::Unsupported,
                "the transaction is the embedder's own, who commits it or rolls it back",
            )),
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let Link::Own(conn) = &mut self.link else { return };
        let Some(conn) = conn.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !self.busy => drop(runtime.spawn(roll_back(conn))),
            _ => close(conn),
        }
    }
}

/// Rolls back, so that the connection can go on; closes it where that fails.
async fn roll_back(conn: Conn) {
    // Also when the runtime ends before the server has answered, the connection must not go back as it is.
    let mut conn = Closing(Some(conn));
    if let Some(open) = conn.0.as_mut()
        && let Ok(Ok(())) = tokio::time::timeout(ROLLBACK_WAIT, open.query_drop("ROLLBACK")).await
    {
        drop(conn.0.take());
    }
}

/// A connection that is closed, not given back, unless it is taken out.
struct Closing(Option<Conn>);

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            close(conn);
        }
    }
}

/// Closes a connection without waiting. The driver takes it for closed from the first step on, and its pool forgets it.
pub(crate) fn close(conn: Conn) {
    let _ = conn.disconnect().now_or_never();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_tell_how_many_rows_matched() {
        assert_eq!(matched("Rows matched: 12  Changed: 3  Warnings: 0"), Some(12));
        assert_eq!(matched("Records: 2  Duplicates: 0  Warnings: 0"), None);
        assert_eq!(matched(""), None);
    }
}
