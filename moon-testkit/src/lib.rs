//! The behaviour suite that every Moon store and warehouse passes, a model test and a fault-injecting store.
