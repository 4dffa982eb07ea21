-- The stage of a run on Amazon Redshift: tables that only the publishing connection sees, and that go with its transaction.

CREATE TEMP TABLE warehouse_stage_cells (
    run_id VARCHAR(36) NOT NULL,
    dimension SMALLINT NOT NULL,
    day DATE NOT NULL,
    code VARCHAR(256) NOT NULL,
    net_sales NUMERIC(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales NUMERIC(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales NUMERIC(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL
);

CREATE TEMP TABLE warehouse_stage_entries (
    run_id VARCHAR(36) NOT NULL,
    dimension SMALLINT NOT NULL,
    code VARCHAR(256) NOT NULL,
    name VARCHAR(800) NOT NULL,
    detail VARCHAR(800)
);

CREATE TEMP TABLE warehouse_stage_targets (
    run_id VARCHAR(36) NOT NULL,
    product VARCHAR(256),
    scope VARCHAR(300) NOT NULL,
    granularity VARCHAR(32) NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    target_amount NUMERIC(38, 4) NOT NULL
);

CREATE TEMP TABLE warehouse_stage_metrics (
    run_id VARCHAR(36) NOT NULL,
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

CREATE TEMP TABLE warehouse_stage_agents (
    run_id VARCHAR(36) NOT NULL,
    month DATE NOT NULL,
    agent VARCHAR(800) NOT NULL,
    net_sales NUMERIC(38, 4) NOT NULL,
    net_count BIGINT NOT NULL,
    gross_sales NUMERIC(38, 4) NOT NULL,
    gross_count BIGINT NOT NULL,
    activity_sales NUMERIC(38, 4) NOT NULL,
    activity_count BIGINT NOT NULL
);

CREATE TEMP TABLE warehouse_stage_restatements (
    run_id VARCHAR(36) NOT NULL,
    dimension SMALLINT NOT NULL,
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
    after_activity_count BIGINT NOT NULL
);
