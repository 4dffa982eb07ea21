//! Throw-away database servers from the machine's own programs: PostgreSQL and MariaDB, for tests and measurements. They
//! listen on 127.0.0.1 and in their folder only, and vanish with the process that started them, however it ends.
//!
//! [`Servers`] are those that a whole run of tests shares. A [`Server`] belongs to one test, which may kill it and start it
//! again on what it left. The standard library is enough for both, so that `cargo xtask` starts at once on a machine that
//! has built nothing yet.

pub mod apt;
mod find;
mod guard;
mod kind;
mod launch;
mod mariadb;
mod postgres;
mod purpose;
mod server;
mod shared;

pub use kind::Kind;
pub use purpose::Purpose;
pub use server::Server;
pub use shared::{Provided, Servers, provide};
