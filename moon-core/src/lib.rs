//! The domain of Moon: values, entities, the ports that backends implement, the ledger that holds the rules, and the
//! engine that computes key figures. No I/O, no runtime, no driver.

mod entity;
mod error;
pub mod kpi;
mod ledger;
mod port;
mod value;

pub use entity::*;
pub use error::{Error, ErrorKind, Result};
pub use kpi::*;
pub use ledger::*;
pub use port::*;
pub use value::*;
