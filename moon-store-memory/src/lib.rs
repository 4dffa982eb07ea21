//! Moon in memory: a store with columns, snapshots and rollback, and a warehouse. For tests and benchmarks.
