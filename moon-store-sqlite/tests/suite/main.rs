//! What is special about SQLite. The behaviour that all stores share is tested by the suite of moon-testkit.

// `cfg(test)` tells clippy that these are tests, helpers included.
#[cfg(test)]
mod closing;
#[cfg(test)]
mod common;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod postings;
#[cfg(test)]
mod repositories;
#[cfg(test)]
mod several;
#[cfg(test)]
mod warehouse;
