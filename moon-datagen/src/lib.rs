//! A seeded, realistic sales force and its history, of any size, streamed.
//!
//! A [`Plan`] says how large, how long and how eventful. [`SalesForce`] makes of it what is known before the first sale,
//! and its [`history`](SalesForce::history) yields what arrives afterwards, day by day: sales with a weekly and yearly
//! pattern, by agents of whom few sell much and many sell little; corrections, cancellations in full and in part,
//! reinstatements, reversals, voids; agents who join, move and leave, and transfers that are entered weeks too late.
//! [`populate`] puts it all through a ledger, [`write_sales_csv`] writes the sales to a file, and
//! [`postings`](SalesForce::postings) hands them to the engine as columns.
//!
//! The same plan yields the same history on every machine, since chance is a fixed cipher and everything is computed in
//! whole numbers. No persons are invented: agents are called by their codes.

mod career;
mod catalog;
mod chance;
mod csv;
mod force;
mod history;
mod plan;
mod populate;
mod postings;
mod sale;
mod season;
mod story;
mod targets;

pub use csv::{SALES_CSV_HEADER, write_sales_csv};
pub use force::SalesForce;
pub use history::{Arrived, Event, History, MESSAGES_MAX};
pub use plan::{Plan, Rates};
pub use populate::{Progress, Summary, populate};
pub use postings::Postings;
pub use sale::SOURCE;
