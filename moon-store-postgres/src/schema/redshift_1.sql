-- The warehouse on Amazon Redshift, version 1.
--
-- Redshift does not enforce keys, which are hints to its planner, and counts VARCHAR in bytes: a character has up to four.
-- Statements end at a semicolon at the end of a line, and are sent one by one.

CREATE TABLE warehouse_currency (
    code VARCHAR(8) NOT NULL,
    digits INTEGER NOT NULL
);

-- Whoever publishes locks it.
CREATE TABLE warehouse_fence (
    one INTEGER NOT NULL
);

CREATE TABLE team_sales_daily (
    day DATE NOT NULL,
    team VARCHAR(256) NOT NULL,
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
    branch VARCHAR(256) NOT NULL,
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
    product VARCHAR(256) NOT NULL,
    net_sales NUMERIC(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales NUMERIC(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales NUMERIC(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (day, product)
);

CREATE TABLE teams (
    code VARCHAR(256) NOT NULL PRIMARY KEY,
    name VARCHAR(800) NOT NULL
);

CREATE TABLE branches (
    code VARCHAR(256) NOT NULL PRIMARY KEY,
    name VARCHAR(800) NOT NULL,
    region VARCHAR(800)
);

CREATE TABLE products (
    code VARCHAR(256) NOT NULL PRIMARY KEY,
    name VARCHAR(800) NOT NULL,
    line VARCHAR(800)
);

CREATE TABLE warehouse_targets (
    product VARCHAR(256),
    scope VARCHAR(300) NOT NULL,
    granularity VARCHAR(32) NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    target_amount NUMERIC(38, 4) NOT NULL
);

CREATE TABLE warehouse_product_metrics (
    month DATE,
    product VARCHAR(256) NOT NULL,
    product_name VARCHAR(800) NOT NULL,
    target_amount NUMERIC(38, 4),
    total_sales NUMERIC(38, 4) NOT NULL,
    sale_count BIGINT NOT NULL,
    variance NUMERIC(38, 4),
    attainment NUMERIC(38, 6),
    status VARCHAR(32) NOT NULL,
    complete BOOLEAN NOT NULL,
    coverage VARCHAR(32) NOT NULL
);

CREATE TABLE warehouse_runs (
    run_id VARCHAR(36) NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL,
    number BIGINT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    days VARCHAR(64) NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ NOT NULL,
    rows_read BIGINT NOT NULL,
    net_sales NUMERIC(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales NUMERIC(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales NUMERIC(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    last_arrivals VARCHAR(65535) NOT NULL,
    outcome VARCHAR(32) NOT NULL,
    error VARCHAR(65535),
    record VARCHAR(65535) NOT NULL
);

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
