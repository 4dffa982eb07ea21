//! Reads sales, agents, products and targets from CSV and NDJSON files into a Moon ledger, by a map.
