//! Every statement that Redshift is sent, checked against what it lacks.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use moon_core::{DayRange, Dimension};
use sqlparser::ast::{
    AlterTableOperation, Expr, FunctionArguments, Insert, OnInsert, Query, SetExpr, Statement, TableFactor, Visit,
    Visitor,
};
use sqlparser::dialect::RedshiftSqlDialect;
use sqlparser::parser::Parser;

use super::statements;
use crate::connections::{Access, PostgresOptions};
use crate::warehouse::rows::Stage;
use crate::warehouse::{cells, closing, publish, read, runs};

/// Everything that is ever sent, except the settings of a transaction, which are checked by their text.
fn statements_sent() -> Vec<String> {
    let mut all: Vec<String> = vec![
        statements::CREATE_VERSIONS.into(),
        statements::VERSION.into(),
        statements::ADD_VERSION.into(),
        statements::ADD_CURRENCY.into(),
        "SELECT code FROM warehouse_currency".into(),
        runs::PUBLISHED.into(),
        runs::LAST_PUBLISHED.into(),
        runs::REMOVE.into(),
        runs::KEEP.into(),
        runs::last_runs(10),
        read::TEAMS.into(),
        read::BRANCHES.into(),
        read::PRODUCTS.into(),
        read::TARGETS.into(),
        publish::INSERT_METRICS.into(),
        publish::EMPTY_ALL_TIME.into(),
        publish::INSERT_AGENTS.into(),
        publish::empty_days("warehouse_agents", "month", DayRange::ALL),
        publish::empty_days("warehouse_agents", "month", DayRange::new(0, 1)),
        cells::agents(),
        cells::all_time_metrics(),
        cells::monthly_metrics(),
        closing::REOPEN.into(),
        closing::STANDING.into(),
        closing::CLOSE.into(),
        closing::CLOSINGS.into(),
    ];
    all.extend(statements::SCRIPTS.iter().flat_map(|script| statements::split(script)));
    all.extend(statements::create_stage());
    all.extend(publish::REPLACE_WHOLE.map(str::to_owned));
    for dimension in Dimension::DAILY {
        let table = format!("{}_sales_daily", dimension.name());
        all.push(read::group_sums(dimension));
        all.push(publish::insert_cells(dimension));
        all.push(publish::staged_sums(dimension));
        all.push(cells::cells_of(dimension));
        all.push(closing::insert_restatements(dimension));
        all.push(closing::freeze(dimension));
        all.push(closing::closed_cells_of(dimension));
        all.push(closing::restatements_of(dimension));
        all.push(publish::empty_days(&table, "day", DayRange::ALL));
        all.push(publish::empty_days(&table, "day", DayRange::new(0, 1)));
    }
    for stage in Stage::EVERY {
        all.push(statements::insert(stage, 1));
        all.push(statements::insert(stage, statements::ROWS_MAX));
        all.push(statements::count(stage));
        all.push(statements::drop_stage(stage));
    }
    all
}

/// The functions that are used, all of which Redshift has.
const FUNCTIONS: &[&str] = &["SUM", "COUNT", "MAX", "COALESCE", "TO_CHAR"];
/// The types that are used, all of which Redshift has, by the beginning of their names.
const TYPES: &[&str] =
    &["VARCHAR", "BIGINT", "SMALLINT", "INTEGER", "DATE", "NUMERIC", "TIMESTAMPTZ", "TIMESTAMP", "BOOLEAN"];

/// Collects what Redshift lacks.
#[derive(Default)]
struct Faults(BTreeSet<String>);

impl Faults {
    fn add(&mut self, fault: impl Into<String>) {
        self.0.insert(fault.into());
    }

    fn check_type(&mut self, kind: &str) {
        let upper = kind.to_uppercase();
        if !TYPES.iter().any(|known| upper.starts_with(known)) || upper.contains("[]") {
            self.add(format!("type {kind}"));
        }
        let bytes = upper.strip_prefix("VARCHAR(").and_then(|rest| rest.strip_suffix(')'));
        if bytes.and_then(|bytes| bytes.parse::<u32>().ok()).is_some_and(|bytes| bytes > 65_535) {
            self.add(format!("too long {kind}"));
        }
    }
}

impl Visitor for Faults {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match statement {
            Statement::Insert(Insert { on, returning, .. }) => {
                if matches!(on, Some(OnInsert::OnConflict(_) | OnInsert::DuplicateKeyUpdate(_))) {
                    self.add("ON CONFLICT");
                }
                if returning.is_some() {
                    self.add("RETURNING");
                }
            }
            Statement::Delete(delete) if delete.returning.is_some() => self.add("RETURNING"),
            Statement::CreateTable(table) => {
                for column in &table.columns {
                    self.check_type(&column.data_type.to_string());
                    let text = column.to_string().to_uppercase();
                    for word in [" CHECK", " GENERATED", " COLLATE", " DEFAULT NEXTVAL"] {
                        if text.contains(word) {
                            self.add(format!("column option{word}"));
                        }
                    }
                }
                let text = table.to_string().to_uppercase();
                for word in ["UNLOGGED", "CHECK (", "EXCLUDE"] {
                    if text.contains(word) {
                        self.add(word);
                    }
                }
            }
            // One column at a time, which may be empty, at the end of a table.
            Statement::AlterTable { operations, .. } => match operations.as_slice() {
                [AlterTableOperation::AddColumn { column_def, if_not_exists: false, column_position: None, .. }]
                    if column_def.options.is_empty() =>
                {
                    self.check_type(&column_def.data_type.to_string());
                }
                _ => self.add(format!("statement {statement}")),
            },
            Statement::Update { from: None, returning: None, or: None, limit: None, .. } => {}
            // Redshift adds no column to a view that is there.
            Statement::CreateView { or_replace: true, .. } => self.add("OR REPLACE"),
            Statement::CreateIndex(_) => self.add("CREATE INDEX"),
            Statement::Truncate { .. } => self.add("TRUNCATE commits"),
            Statement::Merge { .. } => self.add("MERGE"),
            Statement::Query(_) | Statement::Delete(_) | Statement::CreateView { .. } | Statement::Drop { .. } => {}
            other => self.add(format!("statement {other}")),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if !query.locks.is_empty() {
            self.add("FOR UPDATE");
        }
        if matches!(&*query.body, SetExpr::Select(select) if select.distinct.is_some()) {
            self.add("DISTINCT ON");
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { args: None, .. } | TableFactor::Derived { lateral: false, .. } => {}
            other => self.add(format!("table {other}")),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Array(_) | Expr::AnyOp { .. } | Expr::AllOp { .. } => self.add("arrays"),
            Expr::Function(function) => {
                let name = function.name.to_string().to_uppercase();
                if !FUNCTIONS.contains(&name.as_str()) {
                    self.add(format!("function {name}"));
                }
                if function.filter.is_some() || matches!(function.args, FunctionArguments::Subquery(_)) {
                    self.add(format!("form of {name}"));
                }
            }
            Expr::Cast { data_type, .. } => self.check_type(&data_type.to_string()),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn faults(sql: &str) -> BTreeSet<String> {
    let parsed = Parser::parse_sql(&RedshiftSqlDialect {}, sql).unwrap_or_else(|error| panic!("{error} in {sql}"));
    assert_eq!(parsed.len(), 1, "one statement at a time: {sql}");
    let mut faults = Faults::default();
    let _ = parsed.visit(&mut faults);
    faults.0
}

#[test]
fn no_statement_has_what_redshift_lacks() {
    for sql in statements_sent() {
        assert_eq!(faults(&sql), BTreeSet::new(), "{sql}");
    }
}

#[test]
fn the_list_finds_what_redshift_lacks() {
    for (sql, fault) in [
        ("INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", "ON CONFLICT"),
        ("INSERT INTO t (a) VALUES (1) RETURNING a", "RETURNING"),
        ("SELECT a FROM t WHERE a = ANY($1)", "arrays"),
        ("SELECT a FROM t FOR UPDATE", "FOR UPDATE"),
        ("SELECT pg_advisory_lock(1)", "function PG_ADVISORY_LOCK"),
        ("CREATE TABLE t (a SERIAL)", "type SERIAL"),
        ("CREATE TABLE t (a TEXT[])", "type TEXT[]"),
        ("CREATE TABLE t (a INTEGER CHECK (a > 0))", "column option CHECK"),
        ("CREATE INDEX i ON t (a)", "CREATE INDEX"),
        ("TRUNCATE t", "TRUNCATE commits"),
        ("CREATE OR REPLACE VIEW v AS SELECT a FROM t", "OR REPLACE"),
        ("ALTER TABLE t ADD COLUMN a TEXT", "type TEXT"),
    ] {
        assert!(faults(sql).contains(fault), "{sql}: {:?}", faults(sql));
    }
    assert!(!faults("ALTER TABLE t ADD COLUMN a DATE NOT NULL").is_empty());
    assert!(!faults("ALTER TABLE t ADD COLUMN a DATE, ADD COLUMN b DATE").is_empty());
    assert!(!faults("UPDATE t SET a = 1 RETURNING a").is_empty());
    assert!(!faults("SELECT x FROM unnest(a) AS x").is_empty());
}

/// The locks and settings that the parser does not know, word by word.
#[test]
fn locks_and_settings_are_those_of_redshift() {
    assert_eq!([statements::LOCK_FENCE, statements::LOCK_VERSIONS], ["LOCK warehouse_fence", "LOCK moon_schema"]);
    let options = PostgresOptions::default().schema("kpi");
    assert_eq!(
        statements::begin(Access::Write, &options),
        [
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE",
            "SET statement_timeout TO 60000",
            "SET search_path TO \"kpi\""
        ]
    );
    let read = statements::begin(Access::Snapshot, &PostgresOptions::default());
    assert_eq!(read, ["BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY", "SET statement_timeout TO 60000"]);
}

/// Every statement stays within the protocol's limit of parameters.
#[test]
fn inserts_keep_to_the_limit_of_parameters() {
    for stage in Stage::EVERY {
        assert!(statements::ROWS_MAX * (stage.columns().len() + 1) <= 32_767);
    }
}
