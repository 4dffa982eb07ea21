//! What Amazon Redshift is asked. It knows no `ON CONFLICT`, no advisory locks, no arrays, no `SELECT ... FOR UPDATE`, no
//! `SERIAL` and no `SET LOCAL`; its keys are not enforced, its `VARCHAR` counts bytes, and its binary `NUMERIC` is not
//! PostgreSQL's. So every parameter and every result is text, and casts are made on the server.

use crate::connections::{Access, PostgresOptions, quoted};
use crate::warehouse::rows::Stage;

/// The scripts that lead from each version of the schema to the next.
pub(super) const SCRIPTS: [&str; 2] =
    [include_str!("../schema/redshift_1.sql"), include_str!("../schema/redshift_2.sql")];
const STAGE: &str = include_str!("../schema/redshift_stage.sql");

pub(super) const CREATE_VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS moon_schema (component VARCHAR(64) NOT NULL, version BIGINT NOT NULL)";
pub(super) const LOCK_VERSIONS: &str = "LOCK moon_schema";
pub(super) const VERSION: &str =
    "SELECT CAST(MAX(version) AS VARCHAR) FROM moon_schema WHERE component = 'redshift_warehouse'";
pub(super) const ADD_VERSION: &str =
    "INSERT INTO moon_schema (component, version) VALUES ('redshift_warehouse', CAST($1 AS BIGINT))";
pub(super) const LOCK_FENCE: &str = "LOCK warehouse_fence";
pub(super) const ADD_CURRENCY: &str = "INSERT INTO warehouse_currency (code, digits) VALUES ($1, CAST($2 AS INTEGER))";

/// Rows of one INSERT: the protocol allows 32,767 parameters.
pub(super) const ROWS_MAX: usize = 500;

/// The statements that begin a transaction.
pub(crate) fn begin(access: Access, options: &PostgresOptions) -> Vec<String> {
    let mode = match access {
        Access::Snapshot => "READ ONLY",
        Access::Write => "READ WRITE",
    };
    let mut statements = vec![
        format!("BEGIN ISOLATION LEVEL SERIALIZABLE {mode}"),
        format!("SET statement_timeout TO {}", options.statement_timeout.as_millis()),
    ];
    if let Some(schema) = &options.schema {
        statements.push(format!("SET search_path TO {}", quoted(schema)));
    }
    statements
}

/// The statements of a script, without its comments.
pub(super) fn split(script: &str) -> Vec<String> {
    let lines: Vec<&str> = script.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let statements = lines.join("\n");
    statements
        .split(";\n")
        .map(|statement| statement.trim().trim_end_matches(';').to_owned())
        .filter(|s| !s.is_empty())
        .collect()
}

/// The statements that make a stage.
pub(super) fn create_stage() -> Vec<String> {
    split(STAGE)
}

/// An INSERT of so many rows into a stage: each takes the run and its columns.
pub(super) fn insert(stage: Stage, rows: usize) -> String {
    let columns = stage.columns();
    let names: String = columns.iter().map(|(name, _)| format!(", {name}")).collect();
    let width = columns.len() + 1;
    let row = |row: usize| -> String {
        let first = row * width;
        let values: String = columns
            .iter()
            .enumerate()
            .map(|(index, (_, kind))| match (*kind, first + index + 2) {
                // Redshift casts no text to a truth value.
                ("BOOLEAN", place) => format!(", CAST(${place} AS VARCHAR(5)) = 'true'"),
                (kind, place) => format!(", CAST(${place} AS {kind})"),
            })
            .collect();
        format!("(${}{values})", first + 1)
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("INSERT INTO {} (run_id{names}) VALUES {}", stage.table(), rows.join(", "))
}

/// How many rows a stage has.
pub(super) fn count(stage: Stage) -> String {
    format!("SELECT CAST(COUNT(*) AS VARCHAR) FROM {}", stage.table())
}

/// Removes a stage.
pub(super) fn drop_stage(stage: Stage) -> String {
    format!("DROP TABLE {}", stage.table())
}
