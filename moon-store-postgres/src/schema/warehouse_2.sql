-- The warehouse, version 2: figures of agents, closed periods, manifests.

-- `month` is the first day of a month; the agent is a pseudonym.
CREATE TABLE warehouse_agents (
    month DATE NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
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
    granularity TEXT COLLATE "C" NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    closed_by TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    closed_at TIMESTAMPTZ NOT NULL,
    reopened_by TEXT COLLATE "C",
    reopened_number BIGINT,
    reopened_epoch BIGINT,
    reopened_at TIMESTAMPTZ,
    PRIMARY KEY (closed_by, granularity, period_start)
);

-- A period stands closed at most once at a time.
CREATE UNIQUE INDEX closings_standing ON closings (granularity, period_start) WHERE reopened_by IS NULL;

-- Daily cells as they were reported; `dimension` is `team`, `branch` or `product`.
CREATE TABLE closed_figures (
    closed_by TEXT COLLATE "C" NOT NULL,
    granularity TEXT COLLATE "C" NOT NULL,
    period_start DATE NOT NULL,
    dimension TEXT COLLATE "C" NOT NULL,
    day DATE NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    net_sales NUMERIC(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales NUMERIC(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales NUMERIC(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (closed_by, granularity, period_start, dimension, day, code)
);

CREATE TABLE restatements (
    run_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    dimension TEXT COLLATE "C" NOT NULL,
    day DATE NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
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

CREATE INDEX restatements_day ON restatements (day);

-- NULL: the run was made before there were manifests.
ALTER TABLE warehouse_runs ADD COLUMN manifest TEXT;

CREATE UNLOGGED TABLE warehouse_stage_agents (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES warehouse_stages ON DELETE CASCADE,
    month DATE NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    net_sales NUMERIC(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales NUMERIC(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales NUMERIC(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL,
    PRIMARY KEY (run_id, month, agent)
);

CREATE UNLOGGED TABLE warehouse_stage_restatements (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES warehouse_stages ON DELETE CASCADE,
    dimension SMALLINT NOT NULL,
    day DATE NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
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

CREATE VIEW agent_sales_monthly AS
SELECT TO_CHAR(month, 'YYYY-MM') AS month, agent, net_sales, net_count, gross_sales, gross_count, activity_sales,
    activity_count
FROM warehouse_agents;

-- Replaced, not made anew, so that its grants stay.
CREATE OR REPLACE VIEW kpi_runs AS
SELECT run_id, number, epoch, started_at, finished_at, kind, days, rows_read, net_sales, net_count, gross_sales,
    gross_count, activity_sales, activity_count, last_arrivals, outcome, error, manifest
FROM warehouse_runs;
