-- The warehouse, version 2: figures of agents, closed periods, manifests.

-- `month` is the first day of a month; the agent is a pseudonym.
CREATE TABLE warehouse_agents (
    month INTEGER NOT NULL,
    agent TEXT NOT NULL,
    net_sales INTEGER NOT NULL,
    net_count INTEGER NOT NULL,
    gross_sales INTEGER NOT NULL,
    gross_count INTEGER NOT NULL,
    activity_sales INTEGER NOT NULL,
    activity_count INTEGER NOT NULL,
    PRIMARY KEY (month, agent)
) STRICT, WITHOUT ROWID;

-- The period is half-open here, and has its last day in the view.
CREATE TABLE warehouse_closings (
    closed_by TEXT NOT NULL,
    granularity TEXT NOT NULL,
    period_start INTEGER NOT NULL,
    period_end INTEGER NOT NULL,
    number INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    closed_at TEXT NOT NULL,
    reopened_by TEXT,
    reopened_number INTEGER,
    reopened_epoch INTEGER,
    reopened_at TEXT,
    PRIMARY KEY (closed_by, granularity, period_start)
) STRICT, WITHOUT ROWID;

-- A period stands closed at most once at a time.
CREATE UNIQUE INDEX warehouse_closings_standing ON warehouse_closings (granularity, period_start) WHERE reopened_by IS NULL;

CREATE TABLE warehouse_closed_cells (
    closed_by TEXT NOT NULL,
    granularity TEXT NOT NULL,
    period_start INTEGER NOT NULL,
    dimension INTEGER NOT NULL CHECK (dimension BETWEEN 1 AND 3),
    day INTEGER NOT NULL,
    code TEXT NOT NULL,
    net_sales INTEGER NOT NULL,
    net_count INTEGER NOT NULL,
    gross_sales INTEGER NOT NULL,
    gross_count INTEGER NOT NULL,
    activity_sales INTEGER NOT NULL,
    activity_count INTEGER NOT NULL,
    PRIMARY KEY (closed_by, granularity, period_start, dimension, day, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE warehouse_restatements (
    run_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    dimension INTEGER NOT NULL CHECK (dimension BETWEEN 1 AND 3),
    day INTEGER NOT NULL,
    code TEXT NOT NULL,
    before_net_sales INTEGER NOT NULL,
    before_net_count INTEGER NOT NULL,
    before_gross_sales INTEGER NOT NULL,
    before_gross_count INTEGER NOT NULL,
    before_activity_sales INTEGER NOT NULL,
    before_activity_count INTEGER NOT NULL,
    after_net_sales INTEGER NOT NULL,
    after_net_count INTEGER NOT NULL,
    after_gross_sales INTEGER NOT NULL,
    after_gross_count INTEGER NOT NULL,
    after_activity_sales INTEGER NOT NULL,
    after_activity_count INTEGER NOT NULL,
    PRIMARY KEY (run_id, dimension, day, code)
) STRICT, WITHOUT ROWID;

CREATE INDEX warehouse_restatements_day ON warehouse_restatements (day);

-- NULL: the run was made before there were manifests.
ALTER TABLE warehouse_runs ADD COLUMN manifest TEXT;

CREATE TABLE warehouse_stage_agents (
    run_id TEXT NOT NULL REFERENCES warehouse_stages ON DELETE CASCADE,
    month INTEGER NOT NULL,
    agent TEXT NOT NULL,
    net_sales INTEGER NOT NULL,
    net_count INTEGER NOT NULL,
    gross_sales INTEGER NOT NULL,
    gross_count INTEGER NOT NULL,
    activity_sales INTEGER NOT NULL,
    activity_count INTEGER NOT NULL,
    PRIMARY KEY (run_id, month, agent)
) STRICT, WITHOUT ROWID;

CREATE TABLE warehouse_stage_restatements (
    run_id TEXT NOT NULL REFERENCES warehouse_stages ON DELETE CASCADE,
    dimension INTEGER NOT NULL,
    day INTEGER NOT NULL,
    code TEXT NOT NULL,
    before_net_sales INTEGER NOT NULL,
    before_net_count INTEGER NOT NULL,
    before_gross_sales INTEGER NOT NULL,
    before_gross_count INTEGER NOT NULL,
    before_activity_sales INTEGER NOT NULL,
    before_activity_count INTEGER NOT NULL,
    after_net_sales INTEGER NOT NULL,
    after_net_count INTEGER NOT NULL,
    after_gross_sales INTEGER NOT NULL,
    after_gross_count INTEGER NOT NULL,
    after_activity_sales INTEGER NOT NULL,
    after_activity_count INTEGER NOT NULL,
    PRIMARY KEY (run_id, dimension, day, code)
) STRICT, WITHOUT ROWID;

CREATE VIEW agent_sales_monthly AS
SELECT
    strftime('%Y-%m', x.month * 86400, 'unixepoch') AS month,
    x.agent,
    CASE WHEN x.net_sales < 0 THEN '-' ELSE '' END || (abs(x.net_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.net_sales) % c.minor_per_unit) END AS net_sales,
    x.net_count,
    CASE WHEN x.gross_sales < 0 THEN '-' ELSE '' END || (abs(x.gross_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.gross_sales) % c.minor_per_unit) END AS gross_sales,
    x.gross_count,
    CASE WHEN x.activity_sales < 0 THEN '-' ELSE '' END || (abs(x.activity_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.activity_sales) % c.minor_per_unit) END AS activity_sales,
    x.activity_count
FROM warehouse_currency c CROSS JOIN warehouse_agents x;

CREATE VIEW closings AS
SELECT
    x.granularity,
    date(x.period_start * 86400, 'unixepoch') AS period_start,
    date((x.period_end - 1) * 86400, 'unixepoch') AS period_end,
    x.closed_by,
    x.number,
    x.epoch,
    x.closed_at,
    x.reopened_by,
    x.reopened_number,
    x.reopened_epoch,
    x.reopened_at
FROM warehouse_closings x;

CREATE VIEW closed_figures AS
SELECT
    x.closed_by,
    x.granularity,
    date(x.period_start * 86400, 'unixepoch') AS period_start,
    CASE x.dimension WHEN 1 THEN 'team' WHEN 2 THEN 'branch' ELSE 'product' END AS dimension,
    date(x.day * 86400, 'unixepoch') AS day,
    x.code,
    CASE WHEN x.net_sales < 0 THEN '-' ELSE '' END || (abs(x.net_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.net_sales) % c.minor_per_unit) END AS net_sales,
    x.net_count,
    CASE WHEN x.gross_sales < 0 THEN '-' ELSE '' END || (abs(x.gross_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.gross_sales) % c.minor_per_unit) END AS gross_sales,
    x.gross_count,
    CASE WHEN x.activity_sales < 0 THEN '-' ELSE '' END || (abs(x.activity_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.activity_sales) % c.minor_per_unit) END AS activity_sales,
    x.activity_count
FROM warehouse_currency c CROSS JOIN warehouse_closed_cells x;

CREATE VIEW restatements AS
SELECT
    x.run_id,
    x.number,
    x.epoch,
    CASE x.dimension WHEN 1 THEN 'team' WHEN 2 THEN 'branch' ELSE 'product' END AS dimension,
    date(x.day * 86400, 'unixepoch') AS day,
    x.code,
    CASE WHEN x.before_net_sales < 0 THEN '-' ELSE '' END || (abs(x.before_net_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.before_net_sales) % c.minor_per_unit) END AS before_net_sales,
    x.before_net_count,
    CASE WHEN x.before_gross_sales < 0 THEN '-' ELSE '' END || (abs(x.before_gross_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.before_gross_sales) % c.minor_per_unit) END AS before_gross_sales,
    x.before_gross_count,
    CASE WHEN x.before_activity_sales < 0 THEN '-' ELSE '' END || (abs(x.before_activity_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.before_activity_sales) % c.minor_per_unit) END AS before_activity_sales,
    x.before_activity_count,
    CASE WHEN x.after_net_sales < 0 THEN '-' ELSE '' END || (abs(x.after_net_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.after_net_sales) % c.minor_per_unit) END AS after_net_sales,
    x.after_net_count,
    CASE WHEN x.after_gross_sales < 0 THEN '-' ELSE '' END || (abs(x.after_gross_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.after_gross_sales) % c.minor_per_unit) END AS after_gross_sales,
    x.after_gross_count,
    CASE WHEN x.after_activity_sales < 0 THEN '-' ELSE '' END || (abs(x.after_activity_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.after_activity_sales) % c.minor_per_unit) END AS after_activity_sales,
    x.after_activity_count
FROM warehouse_currency c CROSS JOIN warehouse_restatements x;

DROP VIEW kpi_runs;

CREATE VIEW kpi_runs AS
SELECT run_id, number, epoch, started_at, finished_at, kind, days, rows_read, net_sales, net_count, gross_sales,
    gross_count, activity_sales, activity_count, last_arrivals, outcome, error, manifest
FROM warehouse_runs;
