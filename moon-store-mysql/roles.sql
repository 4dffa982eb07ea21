-- Users with no more rights than they need, for a database named `moon`. Whoever may create users runs this. A user may of
-- course have several of these parts at once; give each a password of its own.

-- 1. Before the migration.
CREATE USER 'moon_migrate'@'%' IDENTIFIED BY 'choose one';
CREATE USER 'moon_write'@'%' IDENTIFIED BY 'choose one';
CREATE USER 'moon_read'@'%' IDENTIFIED BY 'choose one';
CREATE USER 'moon_publish'@'%' IDENTIFIED BY 'choose one';
CREATE USER 'moon_dashboard'@'%' IDENTIFIED BY 'choose one';

-- Makes the tables and views, and may fill them. The views read with this user's rights, so that it must stay.
GRANT CREATE, ALTER, DROP, INDEX, REFERENCES, CREATE VIEW, SHOW VIEW, SELECT, INSERT, UPDATE, DELETE ON moon.* TO 'moon_migrate'@'%';

-- Now call `migrate` as moon_migrate; the tables must be there before rights on them can be granted.

-- 2. After the migration: writing to the ledger. Nothing that was said about a sale, nor the audit trail, can be changed.
GRANT SELECT ON moon.moon_schema TO 'moon_write'@'%';
GRANT SELECT, INSERT, UPDATE ON moon.ledger_teams TO 'moon_write'@'%';
GRANT SELECT, INSERT, UPDATE ON moon.ledger_branches TO 'moon_write'@'%';
GRANT SELECT, INSERT, UPDATE ON moon.ledger_products TO 'moon_write'@'%';
GRANT SELECT, INSERT, UPDATE ON moon.ledger_agents TO 'moon_write'@'%';
GRANT SELECT, INSERT ON moon.ledger_assignments TO 'moon_write'@'%';
GRANT SELECT, INSERT ON moon.ledger_targets TO 'moon_write'@'%';
GRANT SELECT, INSERT, UPDATE ON moon.ledger_sources TO 'moon_write'@'%';
GRANT SELECT, INSERT, UPDATE ON moon.ledger_sales TO 'moon_write'@'%';
GRANT SELECT, INSERT, DELETE ON moon.ledger_adjustments TO 'moon_write'@'%';
GRANT SELECT, INSERT ON moon.ledger_sale_messages TO 'moon_write'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON moon.ledger_marks TO 'moon_write'@'%';
GRANT SELECT, INSERT ON moon.ledger_audit TO 'moon_write'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON moon.ledger_records TO 'moon_write'@'%';
GRANT SELECT, INSERT, UPDATE ON moon.ledger_currency TO 'moon_write'@'%';

-- Reading the ledger, contact data included.
GRANT SELECT ON moon.moon_schema TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_teams TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_branches TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_products TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_agents TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_assignments TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_targets TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_sources TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_sales TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_adjustments TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_sale_messages TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_marks TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_audit TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_records TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_currency TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_sales_readable TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_adjustments_readable TO 'moon_read'@'%';
GRANT SELECT ON moon.ledger_targets_readable TO 'moon_read'@'%';

-- Publishing figures.
GRANT SELECT ON moon.moon_schema TO 'moon_publish'@'%';
GRANT SELECT, INSERT, UPDATE ON moon.warehouse_currency TO 'moon_publish'@'%';
GRANT SELECT, UPDATE ON moon.warehouse_fence TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.team_sales_daily TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.branch_sales_daily TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.product_sales_daily TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.teams TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.branches TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.products TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.warehouse_targets TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.warehouse_product_metrics TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.warehouse_runs TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.warehouse_stages TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.warehouse_stage_cells TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.warehouse_stage_entries TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.warehouse_stage_targets TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.warehouse_stage_metrics TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.warehouse_stage_agents TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.warehouse_stage_restatements TO 'moon_publish'@'%';
GRANT SELECT, INSERT, DELETE ON moon.warehouse_agents TO 'moon_publish'@'%';
-- What was reported stays: neither frozen figures nor restatements can be changed or removed.
GRANT SELECT, INSERT ON moon.closed_figures TO 'moon_publish'@'%';
GRANT SELECT, INSERT ON moon.restatements TO 'moon_publish'@'%';
GRANT SELECT, INSERT, UPDATE ON moon.closings TO 'moon_publish'@'%';

-- Dashboards and BI tools. Those who may see figures by pseudonym need agent_sales_monthly beside these: pseudonyms remain
-- personal data. The three tables at the end are what Moon's own programs read beside the others.
GRANT SELECT ON moon.team_sales_daily TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.branch_sales_daily TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.product_sales_daily TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.teams TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.branches TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.products TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.product_targets TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.team_sales_metrics TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.team_sales_metrics_monthly TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.branch_sales_metrics TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.branch_sales_metrics_monthly TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.product_target_metrics TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.product_target_metrics_monthly TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.closings TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.closed_figures TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.restatements TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.kpi_runs TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.warehouse_targets TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.warehouse_runs TO 'moon_dashboard'@'%';
GRANT SELECT ON moon.warehouse_currency TO 'moon_dashboard'@'%';
