//! How many round trips a call takes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use moon_core::SaleMessage;
use moon_store_postgres::PostgresUnit;
use moon_testkit::builders::{actor, content, content_message, ledger, opened, rupees};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::{Client, Config, NoTls};

use crate::support::{Database, skipped};

/// A connection that counts the messages by which a client asks for an answer: simple queries and the ends of others.
struct Counting {
    stream: TcpStream,
    asked: Arc<AtomicU64>,
    /// Bytes of a message that is not complete yet. The first one has no type.
    begun: Vec<u8>,
    is_started: bool,
}

impl Counting {
    fn count(&mut self, bytes: &[u8]) {
        self.begun.extend_from_slice(bytes);
        loop {
            let kind = usize::from(self.is_started);
            let Some(length) = self.begun.get(kind..kind + 4) else { return };
            let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
            let end = kind + usize::try_from(length).unwrap();
            if self.begun.len() < end {
                return;
            }
            if self.is_started && matches!(self.begun[0], b'Q' | b'S') {
                self.asked.fetch_add(1, Ordering::SeqCst);
            }
            self.begun.drain(..end);
            self.is_started = true;
        }
    }
}

impl AsyncRead for Counting {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = written {
            self.count(&bytes[..written]);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

async fn counted(database: &Database) -> (Client, Arc<AtomicU64>) {
    let config: Config = database.url().parse().unwrap();
    let [tokio_postgres::config::Host::Tcp(host), ..] = config.get_hosts() else { panic!("a server by TCP") };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let stream = TcpStream::connect((host.as_str(), port)).await.unwrap();
    let asked = Arc::new(AtomicU64::new(0));
    let stream = Counting { stream, asked: Arc::clone(&asked), begun: Vec::new(), is_started: false };
    let (client, connection) = config.connect_raw(stream, NoTls).await.unwrap();
    tokio::spawn(connection);
    (client, asked)
}

/// Sales with keys from `first` on, on many days.
fn sales(first: u32, count: u32, amount: i64) -> Vec<SaleMessage> {
    let sale = |number: u32| {
        let day = format!("2026-{:02}-{:02}", 1 + number % 12, 1 + number % 28);
        content_message(&format!("S{number}"), None, content("AGT001", "LIFE", &day, rupees(amount)))
    };
    (first..first + count).map(sale).collect()
}

/// Recording thousands of sales in one call takes a handful of round trips: hardly more than recording ten of them.
#[tokio::test]
async fn one_call_takes_a_handful_of_round_trips() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    opened(Arc::new(database.store().await)).await;
    let ledger = ledger(Arc::new(database.store().await)).await;
    let (mut client, asked) = counted(&database).await;
    let mut taken = Vec::new();
    for (first, count, amount) in [(0, 10, 1), (100, 5_000, 1), (100, 10, 2), (100, 5_000, 3)] {
        let transaction = client.transaction().await.unwrap();
        let before = asked.load(Ordering::SeqCst);
        let mut unit = PostgresUnit::within(&transaction);
        let messages = sales(first, count, amount);
        let counts = ledger.record_sales_in(&mut unit, &actor(), &messages).await.unwrap().counts();
        assert_eq!(counts.recorded + counts.corrections, u64::from(count), "{counts:?}");
        drop(unit);
        taken.push(asked.load(Ordering::SeqCst) - before);
        transaction.commit().await.unwrap();
    }
    eprintln!("round trips to record 10 and 5,000 sales, and to correct as many: {taken:?}");
    assert!(taken[0] <= FEW && taken[1] <= taken[0] + MORE, "recording: {taken:?}");
    assert!(taken[2] <= FEW && taken[3] <= taken[2] + MORE, "correcting: {taken:?}");
}

/// Round trips that a call takes at most, and those that thousands of sales may take beside them.
const FEW: u64 = 30;
const MORE: u64 = 30;
