-- The warehouse, version 1.
--
-- The tables and views have the names that BI tools read. Amounts are exact decimals; a run replaces rows, never tables, so
-- that identity and grants survive. Codes are text here, not bytes: they neither begin nor end with blanks, so that utf8mb4_bin
-- compares them byte by byte. A view reads with the rights of whoever migrated, so that readers need no others than on the
-- names that they read.

CREATE TABLE warehouse_currency (
    one TINYINT NOT NULL PRIMARY KEY,
    code VARCHAR(8) NOT NULL,
    digits TINYINT NOT NULL,
    CONSTRAINT warehouse_currency_numbers CHECK (one = 1 AND digits BETWEEN 0 AND 4)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Whoever publishes locks its one row.
CREATE TABLE warehouse_fence (
    one TINYINT NOT NULL PRIMARY KEY,
    CONSTRAINT warehouse_fence_one CHECK (one = 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO warehouse_fence (one) VALUES (1) ON DUPLICATE KEY UPDATE one = 1;

CREATE TABLE team_sales_daily (
    day DATE NOT NULL,
    team VARCHAR(64) NOT NULL,
    net_sales DECIMAL(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales DECIMAL(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales DECIMAL(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (day, team)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE branch_sales_daily (
    day DATE NOT NULL,
    branch VARCHAR(64) NOT NULL,
    net_sales DECIMAL(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales DECIMAL(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales DECIMAL(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (day, branch)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE product_sales_daily (
    day DATE NOT NULL,
    product VARCHAR(64) NOT NULL,
    net_sales DECIMAL(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales DECIMAL(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales DECIMAL(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (day, product)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE teams (
    code VARCHAR(64) NOT NULL PRIMARY KEY,
    name VARCHAR(200) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE branches (
    code VARCHAR(64) NOT NULL PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    region VARCHAR(200)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE products (
    code VARCHAR(64) NOT NULL PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    line VARCHAR(200)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- No product: all together. `period_end` is the period's last day.
CREATE TABLE warehouse_targets (
    product VARCHAR(64),
    scope VARCHAR(80) NOT NULL,
    granularity VARCHAR(16) NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    target_amount DECIMAL(38, 4) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- `month` is the first day of a month; where `all_time` is 1, it means nothing. (A key cannot hold NULL.)
CREATE TABLE warehouse_product_metrics (
    all_time TINYINT NOT NULL,
    month DATE NOT NULL,
    product VARCHAR(64) NOT NULL,
    product_name VARCHAR(200) NOT NULL,
    target_amount DECIMAL(38, 4),
    total_sales DECIMAL(38, 4) NOT NULL,
    sale_count BIGINT NOT NULL,
    variance DECIMAL(38, 4),
    attainment DECIMAL(38, 6),
    status VARCHAR(16) NOT NULL,
    complete TINYINT NOT NULL,
    coverage VARCHAR(16) NOT NULL,
    PRIMARY KEY (all_time, month, product)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- `record` is the whole record, exactly; the other columns show it. Instants are UTC.
CREATE TABLE warehouse_runs (
    run_id VARCHAR(36) NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL,
    number BIGINT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    days VARCHAR(32) NOT NULL,
    started_at DATETIME(6) NOT NULL,
    finished_at DATETIME(6) NOT NULL,
    rows_read BIGINT NOT NULL,
    net_sales DECIMAL(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales DECIMAL(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales DECIMAL(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    last_arrivals MEDIUMTEXT NOT NULL,
    outcome VARCHAR(16) NOT NULL,
    error MEDIUMTEXT,
    record MEDIUMTEXT NOT NULL,
    KEY warehouse_runs_order (epoch, number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Stages: one row for each run that has one, and its rows, which go with it.
CREATE TABLE warehouse_stages (
    run_id VARCHAR(36) NOT NULL PRIMARY KEY
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE warehouse_stage_cells (
    run_id VARCHAR(36) NOT NULL,
    dimension TINYINT NOT NULL,
    day DATE NOT NULL,
    code VARCHAR(64) NOT NULL,
    net_sales DECIMAL(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales DECIMAL(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales DECIMAL(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (run_id, dimension, day, code),
    CONSTRAINT warehouse_stage_cells_run FOREIGN KEY (run_id) REFERENCES warehouse_stages (run_id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Teams, branches and products: `detail` is the region or the line.
CREATE TABLE warehouse_stage_entries (
    run_id VARCHAR(36) NOT NULL,
    dimension TINYINT NOT NULL,
    code VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    detail VARCHAR(200),
    PRIMARY KEY (run_id, dimension, code),
    CONSTRAINT warehouse_stage_entries_run FOREIGN KEY (run_id) REFERENCES warehouse_stages (run_id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE warehouse_stage_targets (
    run_id VARCHAR(36) NOT NULL,
    product VARCHAR(64),
    scope VARCHAR(80) NOT NULL,
    granularity VARCHAR(16) NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    target_amount DECIMAL(38, 4) NOT NULL,
    KEY warehouse_stage_targets_run (run_id),
    CONSTRAINT warehouse_stage_targets_run FOREIGN KEY (run_id) REFERENCES warehouse_stages (run_id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE warehouse_stage_metrics (
    run_id VARCHAR(36) NOT NULL,
    all_time TINYINT NOT NULL,
    month DATE NOT NULL,
    product VARCHAR(64) NOT NULL,
    product_name VARCHAR(200) NOT NULL,
    target_amount DECIMAL(38, 4),
    total_sales DECIMAL(38, 4) NOT NULL,
    sale_count BIGINT NOT NULL,
    variance DECIMAL(38, 4),
    attainment DECIMAL(38, 6),
    status VARCHAR(16) NOT NULL,
    complete TINYINT NOT NULL,
    coverage VARCHAR(16) NOT NULL,
    PRIMARY KEY (run_id, all_time, month, product),
    CONSTRAINT warehouse_stage_metrics_run FOREIGN KEY (run_id) REFERENCES warehouse_stages (run_id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Total sales are net, as sold. What has no known team or branch is a row of its own.
CREATE SQL SECURITY DEFINER VIEW team_sales_metrics AS
SELECT x.team, COALESCE(d.name, x.team) AS team_name, x.total_sales, x.sale_count
FROM (
    SELECT team, CAST(SUM(net_sales) AS DECIMAL(38, 4)) AS total_sales, CAST(SUM(net_count) AS SIGNED) AS sale_count
    FROM team_sales_daily GROUP BY team
) x
LEFT JOIN teams d ON d.code = x.team;

CREATE SQL SECURITY DEFINER VIEW team_sales_metrics_monthly AS
SELECT x.month, x.team, COALESCE(d.name, x.team) AS team_name, x.total_sales, x.sale_count
FROM (
    SELECT DATE_FORMAT(day, '%Y-%m') AS month, team, CAST(SUM(net_sales) AS DECIMAL(38, 4)) AS total_sales,
        CAST(SUM(net_count) AS SIGNED) AS sale_count
    FROM team_sales_daily GROUP BY DATE_FORMAT(day, '%Y-%m'), team
) x
LEFT JOIN teams d ON d.code = x.team;

CREATE SQL SECURITY DEFINER VIEW branch_sales_metrics AS
SELECT x.branch, COALESCE(d.name, x.branch) AS branch_name, d.region, x.total_sales, x.sale_count
FROM (
    SELECT branch, CAST(SUM(net_sales) AS DECIMAL(38, 4)) AS total_sales, CAST(SUM(net_count) AS SIGNED) AS sale_count
    FROM branch_sales_daily GROUP BY branch
) x
LEFT JOIN branches d ON d.code = x.branch;

CREATE SQL SECURITY DEFINER VIEW branch_sales_metrics_monthly AS
SELECT x.month, x.branch, COALESCE(d.name, x.branch) AS branch_name, d.region, x.total_sales, x.sale_count
FROM (
    SELECT DATE_FORMAT(day, '%Y-%m') AS month, branch, CAST(SUM(net_sales) AS DECIMAL(38, 4)) AS total_sales,
        CAST(SUM(net_count) AS SIGNED) AS sale_count
    FROM branch_sales_daily GROUP BY DATE_FORMAT(day, '%Y-%m'), branch
) x
LEFT JOIN branches d ON d.code = x.branch;

CREATE SQL SECURITY DEFINER VIEW product_target_metrics AS
SELECT product, product_name, target_amount, total_sales, sale_count, variance, attainment, status, complete, coverage
FROM warehouse_product_metrics WHERE all_time = 1;

CREATE SQL SECURITY DEFINER VIEW product_target_metrics_monthly AS
SELECT DATE_FORMAT(month, '%Y-%m') AS month, product, product_name, target_amount, total_sales, sale_count, variance,
    attainment, status, complete, coverage
FROM warehouse_product_metrics WHERE all_time = 0;

CREATE SQL SECURITY DEFINER VIEW product_targets AS
SELECT product, scope, period_start, period_end, target_amount FROM warehouse_targets;

CREATE SQL SECURITY DEFINER VIEW kpi_runs AS
SELECT run_id, number, epoch, started_at, finished_at, kind, days, rows_read, net_sales, net_count, gross_sales,
    gross_count, activity_sales, activity_count, last_arrivals, outcome, error
FROM warehouse_runs;
