//! Moon on SQLite: the embedded default, as a store and as a warehouse.
