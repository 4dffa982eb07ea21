-- The warehouse on Amazon Redshift, version 2: figures of agents, closed periods, manifests.

-- `month` is the first day of a month; the agent is a pseudonym.
CREATE TABLE warehouse_agents (
    month DATE NOT NULL,
    agent VARCHAR(800) NOT NULL,
    net_sales NUMERIC(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales NUMERIC(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales NUMERIC(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (month, agent)
);

-- `period_end` is the period's last day; a closing without `reopened_by` stands.
CREATE TABLE closings (
    granularity VARCHAR(32) NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    closed_by VARCHAR(36) NOT NULL,
    number BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    closed_at TIMESTAMPTZ NOT NULL,
    reopened_by VARCHAR(36),
    reopened_number BIGINT,
    reopened_epoch BIGINT,
    reopened_at TIMESTAMPTZ,
    PRIMARY KEY (closed_by, granularity, period_start)
);

-- Daily cells as they were reported; `dimension` is `team`, `branch` or `product`.
CREATE TABLE closed_figures (
    closed_by VARCHAR(36) NOT NULL,
    granularity VARCHAR(32) NOT NULL,
    period_start DATE NOT NULL,
    dimension VARCHAR(32) NOT NULL,
    day DATE NOT NULL,
    code VARCHAR(256) NOT NULL,
    net_sales NUMERIC(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales NUMERIC(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales NUMERIC(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (closed_by, granularity, period_start, dimension, day, code)
);

CREATE TABLE restatements (
    run_id VARCHAR(36) NOT NULL,
    number BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    dimension VARCHAR(32) NOT NULL,
    day DATE NOT NULL,
    code VARCHAR(256) NOT NULL,
    before_net_sales NUMERIC(38, 4) NOT NULL,
    before_net_count BIGINT NOT NULL,
    before_gross_sales NUMERIC(38, 4) NOT NULL,
    before_gross_count BIGINT NOT NULL,
    before_activity_sales NUMERIC(38, 4) NOT NULL,
    before_activity_count BIGINT NOT NULL,
    after_net_sales NUMERIC(38, 4) NOT NULL,
    after_net_count BIGINT NOT NULL,
    after_gross_sales NUMERIC(38, 4) NOT NULL,
    after_gross_count BIGINT NOT NULL,
    after_activity_sales NUMERIC(38, 4) NOT NULL,
    after_activity_count BIGINT NOT NULL,
    PRIMARY KEY (run_id, dimension, day, code)
);

-- NULL: the run was made before there were manifests.
ALTER TABLE warehouse_runs ADD COLUMN manifest VARCHAR(65535);

CREATE VIEW agent_sales_monthly AS
SELECT TO_CHAR(month, 'YYYY-MM') AS month, agent, net_sales, net_count, gross_sales, gross_count, activity_sales,
    activity_count
FROM warehouse_agents;

-- Redshift adds no column to a view that is there, and to make `kpi_runs` anew would lose its grants.
CREATE VIEW kpi_run_manifests AS
SELECT run_id, manifest FROM warehouse_runs;
