-- The warehouse, version 1.
--
-- The tables and views have the names that BI tools read. Amounts are exact decimals; a run replaces rows, never tables, so
-- that identity and grants survive.

CREATE TABLE warehouse_currency (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    code TEXT COLLATE "C" NOT NULL,
    digits INTEGER NOT NULL CHECK (digits BETWEEN 0 AND 4)
);

-- Whoever publishes locks its one row.
CREATE TABLE warehouse_fence (
    one INTEGER PRIMARY KEY CHECK (one = 1)
);

INSERT INTO warehouse_fence (one) VALUES (1);

CREATE TABLE team_sales_daily (
    day DATE NOT NULL,
    team TEXT COLLATE "C" NOT NULL,
    net_sales NUMERIC(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales NUMERIC(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales NUMERIC(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (day, team)
);

CREATE TABLE branch_sales_daily (
    day DATE NOT NULL,
    branch TEXT COLLATE "C" NOT NULL,
    net_sales NUMERIC(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales NUMERIC(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales NUMERIC(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (day, branch)
);

CREATE TABLE product_sales_daily (
    day DATE NOT NULL,
    product TEXT COLLATE "C" NOT NULL,
    net_sales NUMERIC(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales NUMERIC(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales NUMERIC(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (day, product)
);

CREATE TABLE teams (
    code TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL
);

CREATE TABLE branches (
    code TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    region TEXT COLLATE "C"
);

CREATE TABLE products (
    code TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    line TEXT COLLATE "C"
);

-- No product: all together. `period_end` is the period's last day.
CREATE TABLE warehouse_targets (
    product TEXT COLLATE "C",
    scope TEXT COLLATE "C" NOT NULL,
    granularity TEXT COLLATE "C" NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    target_amount NUMERIC(38, 4) NOT NULL
);

-- `month` is the first day of a month; NULL: all time.
CREATE TABLE warehouse_product_metrics (
    month DATE,
    product TEXT COLLATE "C" NOT NULL,
    product_name TEXT COLLATE "C" NOT NULL,
    target_amount NUMERIC(38, 4),
    total_sales NUMERIC(38, 4) NOT NULL,
    sale_count BIGINT NOT NULL,
    variance NUMERIC(38, 4),
    attainment NUMERIC(38, 6),
    status TEXT COLLATE "C" NOT NULL,
    complete BOOLEAN NOT NULL,
    coverage TEXT COLLATE "C" NOT NULL
);

CREATE UNIQUE INDEX warehouse_product_metrics_key
    ON warehouse_product_metrics (coalesce(month, '0001-01-01'), product);

-- `record` is the whole record, exactly; the other columns show it.
CREATE TABLE warehouse_runs (
    run_id TEXT COLLATE "C" PRIMARY KEY,
    epoch BIGINT NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    days TEXT COLLATE "C" NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ NOT NULL,
    rows_read BIGINT NOT NULL,
    net_sales NUMERIC(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales NUMERIC(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales NUMERIC(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    last_arrivals TEXT NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    error TEXT,
    record TEXT NOT NULL
);

CREATE INDEX warehouse_runs_order ON warehouse_runs (epoch, number);

-- Stages: one row for each run that has one, and its rows. They need not survive a crash: whoever staged starts again.
CREATE UNLOGGED TABLE warehouse_stages (
    run_id TEXT COLLATE "C" PRIMARY KEY
);

CREATE UNLOGGED TABLE warehouse_stage_cells (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES warehouse_stages ON DELETE CASCADE,
    dimension SMALLINT NOT NULL,
    day DATE NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    net_sales NUMERIC(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales NUMERIC(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales NUMERIC(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (run_id, dimension, day, code)
);

CREATE UNLOGGED TABLE warehouse_stage_entries (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES warehouse_stages ON DELETE CASCADE,
    dimension SMALLINT NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C",
    PRIMARY KEY (run_id, dimension, code)
);

CREATE UNLOGGED TABLE warehouse_stage_targets (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES warehouse_stages ON DELETE CASCADE,
    product TEXT COLLATE "C",
    scope TEXT COLLATE "C" NOT NULL,
    granularity TEXT COLLATE "C" NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    target_amount NUMERIC(38, 4) NOT NULL
);

CREATE UNLOGGED TABLE warehouse_stage_metrics (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES warehouse_stages ON DELETE CASCADE,
    month DATE,
    product TEXT COLLATE "C" NOT NULL,
    product_name TEXT COLLATE "C" NOT NULL,
    target_amount NUMERIC(38, 4),
    total_sales NUMERIC(38, 4) NOT NULL,
    sale_count BIGINT NOT NULL,
    variance NUMERIC(38, 4),
    attainment NUMERIC(38, 6),
    status TEXT COLLATE "C" NOT NULL,
    complete BOOLEAN NOT NULL,
    coverage TEXT COLLATE "C" NOT NULL
);

CREATE INDEX warehouse_stage_targets_run ON warehouse_stage_targets (run_id);
CREATE UNIQUE INDEX warehouse_stage_metrics_key
    ON warehouse_stage_metrics (run_id, coalesce(month, '0001-01-01'), product);

-- Total sales are net, as sold. What has no known team or branch is a row of its own.
CREATE VIEW team_sales_metrics AS
SELECT x.team, COALESCE(d.name, x.team) AS team_name, x.total_sales, x.sale_count
FROM (
    SELECT team, CAST(SUM(net_sales) AS NUMERIC(38, 4)) AS total_sales, CAST(SUM(net_count) AS BIGINT) AS sale_count
    FROM team_sales_daily GROUP BY team
) x
LEFT JOIN teams d ON d.code = x.team;

CREATE VIEW team_sales_metrics_monthly AS
SELECT x.month, x.team, COALESCE(d.name, x.team) AS team_name, x.total_sales, x.sale_count
FROM (
    SELECT TO_CHAR(day, 'YYYY-MM') AS month, team, CAST(SUM(net_sales) AS NUMERIC(38, 4)) AS total_sales,
        CAST(SUM(net_count) AS BIGINT) AS sale_count
    FROM team_sales_daily GROUP BY TO_CHAR(day, 'YYYY-MM'), team
) x
LEFT JOIN teams d ON d.code = x.team;

CREATE VIEW branch_sales_metrics AS
SELECT x.branch, COALESCE(d.name, x.branch) AS branch_name, d.region, x.total_sales, x.sale_count
FROM (
    SELECT branch, CAST(SUM(net_sales) AS NUMERIC(38, 4)) AS total_sales, CAST(SUM(net_count) AS BIGINT) AS sale_count
    FROM branch_sales_daily GROUP BY branch
) x
LEFT JOIN branches d ON d.code = x.branch;

CREATE VIEW branch_sales_metrics_monthly AS
SELECT x.month, x.branch, COALESCE(d.name, x.branch) AS branch_name, d.region, x.total_sales, x.sale_count
FROM (
    SELECT TO_CHAR(day, 'YYYY-MM') AS month, branch, CAST(SUM(net_sales) AS NUMERIC(38, 4)) AS total_sales,
        CAST(SUM(net_count) AS BIGINT) AS sale_count
    FROM branch_sales_daily GROUP BY TO_CHAR(day, 'YYYY-MM'), branch
) x
LEFT JOIN branches d ON d.code = x.branch;

CREATE VIEW product_target_metrics AS
SELECT product, product_name, target_amount, total_sales, sale_count, variance, attainment, status, complete, coverage
FROM warehouse_product_metrics WHERE month IS NULL;

CREATE VIEW product_target_metrics_monthly AS
SELECT TO_CHAR(month, 'YYYY-MM') AS month, product, product_name, target_amount, total_sales, sale_count, variance,
    attainment, status, complete, coverage
FROM warehouse_product_metrics WHERE month IS NOT NULL;

CREATE VIEW product_targets AS
SELECT product, scope, period_start, period_end, target_amount FROM warehouse_targets;

CREATE VIEW kpi_runs AS
SELECT run_id, number, epoch, started_at, finished_at, kind, days, rows_read, net_sales, net_count, gross_sales,
    gross_count, activity_sales, activity_count, last_arrivals, outcome, error
FROM warehouse_runs;
