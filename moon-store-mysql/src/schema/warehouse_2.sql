-- The warehouse, version 2: figures of agents, closed periods, manifests.

-- `month` is the first day of a month; the agent is a pseudonym.
CREATE TABLE warehouse_agents (
    month DATE NOT NULL,
    agent VARCHAR(200) NOT NULL,
    net_sales DECIMAL(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales DECIMAL(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales DECIMAL(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (month, agent)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- `period_end` is the period's last day; a closing without `reopened_by` stands.
CREATE TABLE closings (
    granularity VARCHAR(16) NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    closed_by VARCHAR(36) NOT NULL,
    number BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    closed_at DATETIME(6) NOT NULL,
    reopened_by VARCHAR(36),
    reopened_number BIGINT,
    reopened_epoch BIGINT,
    reopened_at DATETIME(6),
    PRIMARY KEY (closed_by, granularity, period_start)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Daily cells as they were reported; `dimension` is `team`, `branch` or `product`.
CREATE TABLE closed_figures (
    closed_by VARCHAR(36) NOT NULL,
    granularity VARCHAR(16) NOT NULL,
    period_start DATE NOT NULL,
    dimension VARCHAR(16) NOT NULL,
    day DATE NOT NULL,
    code VARCHAR(64) NOT NULL,
    net_sales DECIMAL(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales DECIMAL(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales DECIMAL(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (closed_by, granularity, period_start, dimension, day, code)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE restatements (
    run_id VARCHAR(36) NOT NULL,
    number BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    dimension VARCHAR(16) NOT NULL,
    day DATE NOT NULL,
    code VARCHAR(64) NOT NULL,
    before_net_sales DECIMAL(38, 4) NOT NULL,
    before_net_count BIGINT NOT NULL,
    before_gross_sales DECIMAL(38, 4) NOT NULL,
    before_gross_count BIGINT NOT NULL,
    before_activity_sales DECIMAL(38, 4) NOT NULL,
    before_activity_count BIGINT NOT NULL,
    after_net_sales DECIMAL(38, 4) NOT NULL,
    after_net_count BIGINT NOT NULL,
    after_gross_sales DECIMAL(38, 4) NOT NULL,
    after_gross_count BIGINT NOT NULL,
    after_activity_sales DECIMAL(38, 4) NOT NULL,
    after_activity_count BIGINT NOT NULL,
    PRIMARY KEY (run_id, dimension, day, code),
    KEY restatements_day (day)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- NULL: the run was made before there were manifests.
ALTER TABLE warehouse_runs ADD COLUMN manifest MEDIUMTEXT;

CREATE TABLE warehouse_stage_agents (
    run_id VARCHAR(36) NOT NULL,
    month DATE NOT NULL,
    agent VARCHAR(200) NOT NULL,
    net_sales DECIMAL(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales DECIMAL(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales DECIMAL(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (run_id, month, agent),
    CONSTRAINT warehouse_stage_agents_run FOREIGN KEY (run_id) REFERENCES warehouse_stages (run_id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE warehouse_stage_restatements (
    run_id VARCHAR(36) NOT NULL,
    dimension TINYINT NOT NULL,
    day DATE NOT NULL,
    code VARCHAR(64) NOT NULL,
    before_net_sales DECIMAL(38, 4) NOT NULL,
    before_net_count BIGINT NOT NULL,
    before_gross_sales DECIMAL(38, 4) NOT NULL,
    before_gross_count BIGINT NOT NULL,
    before_activity_sales DECIMAL(38, 4) NOT NULL,
    before_activity_count BIGINT NOT NULL,
    after_net_sales DECIMAL(38, 4) NOT NULL,
    after_net_count BIGINT NOT NULL,
    after_gross_sales DECIMAL(38, 4) NOT NULL,
    after_gross_count BIGINT NOT NULL,
    after_activity_sales DECIMAL(38, 4) NOT NULL,
    after_activity_count BIGINT NOT NULL,
    PRIMARY KEY (run_id, dimension, day, code),
    CONSTRAINT warehouse_stage_restatements_run FOREIGN KEY (run_id) REFERENCES warehouse_stages (run_id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE SQL SECURITY DEFINER VIEW agent_sales_monthly AS
SELECT DATE_FORMAT(month, '%Y-%m') AS month, agent, net_sales, net_count, gross_sales, gross_count, activity_sales,
    activity_count
FROM warehouse_agents;

CREATE OR REPLACE SQL SECURITY DEFINER VIEW kpi_runs AS
SELECT run_id, number, epoch, started_at, finished_at, kind, days, rows_read, net_sales, net_count, gross_sales,
    gross_count, activity_sales, activity_count, last_arrivals, outcome, error, manifest
FROM warehouse_runs;
