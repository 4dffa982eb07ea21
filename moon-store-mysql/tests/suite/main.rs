//! The suites of moon-testkit on MySQL or MariaDB, and what is special about them.

// `cfg(test)` tells clippy that these are tests, helpers included.
#[cfg(test)]
mod closing;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod lent;
#[cfg(test)]
mod locks;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod postings;
#[cfg(test)]
mod publishing;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod warehouses;
