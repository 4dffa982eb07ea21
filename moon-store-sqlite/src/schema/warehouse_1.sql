-- The warehouse, version 1.
--
-- Figures are kept as minor units in tables that begin with `warehouse_`; the views with the names that BI tools read
-- show them as exact decimal text (never a REAL). SUM of integers in SQLite fails on overflow, it never wraps.

CREATE TABLE warehouse_currency (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    code TEXT NOT NULL,
    digits INTEGER NOT NULL CHECK (digits BETWEEN 0 AND 4),
    minor_per_unit INTEGER NOT NULL
) STRICT;

-- The stored truth: a group on a day. Dimension 1 is team, 2 branch, 3 product; days count from 1970-01-01.
CREATE TABLE warehouse_cells (
    dimension INTEGER NOT NULL CHECK (dimension BETWEEN 1 AND 3),
    day INTEGER NOT NULL,
    code TEXT NOT NULL,
    net_sales INTEGER NOT NULL,
    net_count INTEGER NOT NULL,
    gross_sales INTEGER NOT NULL,
    gross_count INTEGER NOT NULL,
    activity_sales INTEGER NOT NULL,
    activity_count INTEGER NOT NULL,
    PRIMARY KEY (dimension, day, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE teams (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE branches (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    region TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE products (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    line TEXT
) STRICT, WITHOUT ROWID;

-- No product: all together. The period is half-open here, and has its last day in the view.
CREATE TABLE warehouse_targets (
    product TEXT,
    scope TEXT NOT NULL,
    granularity TEXT NOT NULL,
    period_start INTEGER NOT NULL,
    period_end INTEGER NOT NULL,
    amount INTEGER NOT NULL
) STRICT;

-- `month` is the first day of a month; NULL: all time.
CREATE TABLE warehouse_product_metrics (
    month INTEGER,
    product TEXT NOT NULL,
    product_name TEXT NOT NULL,
    target_amount INTEGER,
    total_sales INTEGER NOT NULL,
    sale_count INTEGER NOT NULL,
    variance INTEGER,
    attainment TEXT,
    status TEXT NOT NULL,
    complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
    coverage TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX warehouse_product_metrics_key
    ON warehouse_product_metrics (ifnull(month, -1000000), product);

-- `record` is the whole record, exactly; the other columns show it.
CREATE TABLE warehouse_runs (
    run_id TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    days TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT NOT NULL,
    rows_read INTEGER NOT NULL,
    net_sales TEXT NOT NULL,
    net_count INTEGER NOT NULL,
    gross_sales TEXT NOT NULL,
    gross_count INTEGER NOT NULL,
    activity_sales TEXT NOT NULL,
    activity_count INTEGER NOT NULL,
    last_arrivals TEXT NOT NULL,
    outcome TEXT NOT NULL,
    error TEXT,
    record TEXT NOT NULL CHECK (json_valid(record))
) STRICT, WITHOUT ROWID;

CREATE INDEX warehouse_runs_order ON warehouse_runs (epoch, number);

-- Stages: one row for each run that has one, and its rows. Only one run at a time has a stage.
CREATE TABLE warehouse_stages (
    run_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE warehouse_stage_cells (
    run_id TEXT NOT NULL REFERENCES warehouse_stages ON DELETE CASCADE,
    dimension INTEGER NOT NULL,
    day INTEGER NOT NULL,
    code TEXT NOT NULL,
    net_sales INTEGER NOT NULL,
    net_count INTEGER NOT NULL,
    gross_sales INTEGER NOT NULL,
    gross_count INTEGER NOT NULL,
    activity_sales INTEGER NOT NULL,
    activity_count INTEGER NOT NULL,
    PRIMARY KEY (run_id, dimension, day, code)
) STRICT, WITHOUT ROWID;

-- Teams, branches and products: `detail` is the region or the line.
CREATE TABLE warehouse_stage_entries (
    run_id TEXT NOT NULL REFERENCES warehouse_stages ON DELETE CASCADE,
    dimension INTEGER NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    detail TEXT,
    PRIMARY KEY (run_id, dimension, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE warehouse_stage_targets (
    run_id TEXT NOT NULL REFERENCES warehouse_stages ON DELETE CASCADE,
    product TEXT,
    scope TEXT NOT NULL,
    granularity TEXT NOT NULL,
    period_start INTEGER NOT NULL,
    period_end INTEGER NOT NULL,
    amount INTEGER NOT NULL
) STRICT;

CREATE TABLE warehouse_stage_metrics (
    run_id TEXT NOT NULL REFERENCES warehouse_stages ON DELETE CASCADE,
    month INTEGER,
    product TEXT NOT NULL,
    product_name TEXT NOT NULL,
    target_amount INTEGER,
    total_sales INTEGER NOT NULL,
    sale_count INTEGER NOT NULL,
    variance INTEGER,
    attainment TEXT,
    status TEXT NOT NULL,
    complete INTEGER NOT NULL,
    coverage TEXT NOT NULL
) STRICT;

CREATE INDEX warehouse_stage_targets_run ON warehouse_stage_targets (run_id);
CREATE UNIQUE INDEX warehouse_stage_metrics_key
    ON warehouse_stage_metrics (run_id, ifnull(month, -1000000), product);

CREATE VIEW team_sales_daily AS
SELECT
    date(x.day * 86400, 'unixepoch') AS day,
    x.code AS team,
    CASE WHEN x.net_sales < 0 THEN '-' ELSE '' END || (abs(x.net_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.net_sales) % c.minor_per_unit) END AS net_sales,
    x.net_count,
    CASE WHEN x.gross_sales < 0 THEN '-' ELSE '' END || (abs(x.gross_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.gross_sales) % c.minor_per_unit) END AS gross_sales,
    x.gross_count,
    CASE WHEN x.activity_sales < 0 THEN '-' ELSE '' END || (abs(x.activity_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.activity_sales) % c.minor_per_unit) END AS activity_sales,
    x.activity_count
FROM warehouse_currency c CROSS JOIN warehouse_cells x
WHERE x.dimension = 1;

CREATE VIEW branch_sales_daily AS
SELECT
    date(x.day * 86400, 'unixepoch') AS day,
    x.code AS branch,
    CASE WHEN x.net_sales < 0 THEN '-' ELSE '' END || (abs(x.net_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.net_sales) % c.minor_per_unit) END AS net_sales,
    x.net_count,
    CASE WHEN x.gross_sales < 0 THEN '-' ELSE '' END || (abs(x.gross_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.gross_sales) % c.minor_per_unit) END AS gross_sales,
    x.gross_count,
    CASE WHEN x.activity_sales < 0 THEN '-' ELSE '' END || (abs(x.activity_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.activity_sales) % c.minor_per_unit) END AS activity_sales,
    x.activity_count
FROM warehouse_currency c CROSS JOIN warehouse_cells x
WHERE x.dimension = 2;

CREATE VIEW product_sales_daily AS
SELECT
    date(x.day * 86400, 'unixepoch') AS day,
    x.code AS product,
    CASE WHEN x.net_sales < 0 THEN '-' ELSE '' END || (abs(x.net_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.net_sales) % c.minor_per_unit) END AS net_sales,
    x.net_count,
    CASE WHEN x.gross_sales < 0 THEN '-' ELSE '' END || (abs(x.gross_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.gross_sales) % c.minor_per_unit) END AS gross_sales,
    x.gross_count,
    CASE WHEN x.activity_sales < 0 THEN '-' ELSE '' END || (abs(x.activity_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.activity_sales) % c.minor_per_unit) END AS activity_sales,
    x.activity_count
FROM warehouse_currency c CROSS JOIN warehouse_cells x
WHERE x.dimension = 3;

-- Total sales are net, as sold. What has no known team or branch is a row of its own.
CREATE VIEW team_sales_metrics AS
SELECT
    x.code AS team,
    ifnull(d.name, x.code) AS team_name,
    CASE WHEN x.total < 0 THEN '-' ELSE '' END || (abs(x.total) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.total) % c.minor_per_unit) END AS total_sales,
    x.sale_count
FROM warehouse_currency c
CROSS JOIN (
    SELECT code, sum(net_sales) AS total, sum(net_count) AS sale_count
    FROM warehouse_cells WHERE dimension = 1 GROUP BY code
) x
LEFT JOIN teams d ON d.code = x.code;

CREATE VIEW team_sales_metrics_monthly AS
SELECT
    x.month,
    x.code AS team,
    ifnull(d.name, x.code) AS team_name,
    CASE WHEN x.total < 0 THEN '-' ELSE '' END || (abs(x.total) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.total) % c.minor_per_unit) END AS total_sales,
    x.sale_count
FROM warehouse_currency c
CROSS JOIN (
    SELECT strftime('%Y-%m', day * 86400, 'unixepoch') AS month, code, sum(net_sales) AS total, sum(net_count) AS sale_count
    FROM warehouse_cells WHERE dimension = 1 GROUP BY month, code
) x
LEFT JOIN teams d ON d.code = x.code;

CREATE VIEW branch_sales_metrics AS
SELECT
    x.code AS branch,
    ifnull(d.name, x.code) AS branch_name,
    d.region,
    CASE WHEN x.total < 0 THEN '-' ELSE '' END || (abs(x.total) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.total) % c.minor_per_unit) END AS total_sales,
    x.sale_count
FROM warehouse_currency c
CROSS JOIN (
    SELECT code, sum(net_sales) AS total, sum(net_count) AS sale_count
    FROM warehouse_cells WHERE dimension = 2 GROUP BY code
) x
LEFT JOIN branches d ON d.code = x.code;

CREATE VIEW branch_sales_metrics_monthly AS
SELECT
    x.month,
    x.code AS branch,
    ifnull(d.name, x.code) AS branch_name,
    d.region,
    CASE WHEN x.total < 0 THEN '-' ELSE '' END || (abs(x.total) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.total) % c.minor_per_unit) END AS total_sales,
    x.sale_count
FROM warehouse_currency c
CROSS JOIN (
    SELECT strftime('%Y-%m', day * 86400, 'unixepoch') AS month, code, sum(net_sales) AS total, sum(net_count) AS sale_count
    FROM warehouse_cells WHERE dimension = 2 GROUP BY month, code
) x
LEFT JOIN branches d ON d.code = x.code;

CREATE VIEW product_target_metrics AS
SELECT
    x.product,
    x.product_name,
    CASE WHEN x.target_amount < 0 THEN '-' ELSE '' END || (abs(x.target_amount) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.target_amount) % c.minor_per_unit) END AS target_amount,
    CASE WHEN x.total_sales < 0 THEN '-' ELSE '' END || (abs(x.total_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.total_sales) % c.minor_per_unit) END AS total_sales,
    x.sale_count,
    CASE WHEN x.variance < 0 THEN '-' ELSE '' END || (abs(x.variance) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.variance) % c.minor_per_unit) END AS variance,
    x.attainment,
    x.status,
    x.complete,
    x.coverage
FROM warehouse_currency c CROSS JOIN warehouse_product_metrics x
WHERE x.month IS NULL;

CREATE VIEW product_target_metrics_monthly AS
SELECT
    strftime('%Y-%m', x.month * 86400, 'unixepoch') AS month,
    x.product,
    x.product_name,
    CASE WHEN x.target_amount < 0 THEN '-' ELSE '' END || (abs(x.target_amount) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.target_amount) % c.minor_per_unit) END AS target_amount,
    CASE WHEN x.total_sales < 0 THEN '-' ELSE '' END || (abs(x.total_sales) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.total_sales) % c.minor_per_unit) END AS total_sales,
    x.sale_count,
    CASE WHEN x.variance < 0 THEN '-' ELSE '' END || (abs(x.variance) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.variance) % c.minor_per_unit) END AS variance,
    x.attainment,
    x.status,
    x.complete,
    x.coverage
FROM warehouse_currency c CROSS JOIN warehouse_product_metrics x
WHERE x.month IS NOT NULL;

CREATE VIEW product_targets AS
SELECT
    x.product,
    x.scope,
    date(x.period_start * 86400, 'unixepoch') AS period_start,
    date((x.period_end - 1) * 86400, 'unixepoch') AS period_end,
    CASE WHEN x.amount < 0 THEN '-' ELSE '' END || (abs(x.amount) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(x.amount) % c.minor_per_unit) END AS target_amount
FROM warehouse_currency c CROSS JOIN warehouse_targets x;

CREATE VIEW kpi_runs AS
SELECT run_id, number, epoch, started_at, finished_at, kind, days, rows_read, net_sales, net_count, gross_sales,
    gross_count, activity_sales, activity_count, last_arrivals, outcome, error
FROM warehouse_runs;
