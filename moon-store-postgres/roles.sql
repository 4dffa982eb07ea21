-- Database roles with the least that each needs. They hold privileges and do not log in themselves: grant them to the users
-- of your services, such as
--     CREATE ROLE integration_service LOGIN PASSWORD '...' IN ROLE moon_write;
--
-- 1. Before the first migration, by an administrator. Migrations run as a user of moon_migrate, which owns the tables:
--    ALTER ROLE migration_user SET ROLE moon_migrate;
CREATE ROLE moon_migrate;
CREATE ROLE moon_write;
CREATE ROLE moon_read;
CREATE ROLE moon_publish;
CREATE ROLE moon_dashboard;
GRANT CREATE, USAGE ON SCHEMA public TO moon_migrate;
GRANT USAGE ON SCHEMA public TO moon_write, moon_read, moon_publish, moon_dashboard;
-- 2. After each migration, by moon_migrate.
GRANT SELECT ON moon_schema TO moon_write, moon_read, moon_publish, moon_dashboard;

-- Services that record and change. Nothing of the history can be changed or removed by them.
GRANT SELECT, INSERT, UPDATE ON ledger_teams, ledger_branches, ledger_products, ledger_agents, ledger_sales,
    ledger_currency TO moon_write;
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger_marks, ledger_records TO moon_write;
GRANT SELECT, INSERT, DELETE ON ledger_adjustments TO moon_write;
GRANT SELECT, INSERT ON ledger_sources, ledger_assignments, ledger_targets, ledger_sale_messages, ledger_audit
    TO moon_write;

-- Services that only read the ledger. They see contact data of agents.
GRANT SELECT ON ledger_teams, ledger_branches, ledger_products, ledger_agents, ledger_sources, ledger_assignments,
    ledger_targets, ledger_sales, ledger_adjustments, ledger_sale_messages, ledger_marks, ledger_audit, ledger_records,
    ledger_currency, ledger_sales_readable, ledger_adjustments_readable, ledger_targets_readable TO moon_read;

-- Whoever publishes figures. The aggregator also claims marks and keeps records in the ledger, as a user of moon_write.
GRANT SELECT, INSERT, DELETE ON team_sales_daily, branch_sales_daily, product_sales_daily, teams, branches, products,
    warehouse_targets, warehouse_product_metrics, warehouse_runs, warehouse_stage_cells, warehouse_stage_entries,
    warehouse_stage_targets, warehouse_stage_metrics, warehouse_stage_agents, warehouse_stage_restatements,
    warehouse_agents TO moon_publish;
-- What was reported stays: neither frozen figures nor restatements can be changed or removed.
GRANT SELECT, INSERT ON closed_figures, restatements TO moon_publish;
GRANT SELECT, INSERT, UPDATE ON closings TO moon_publish;
GRANT SELECT, INSERT, UPDATE, DELETE ON warehouse_stages TO moon_publish;
GRANT SELECT, UPDATE ON warehouse_fence TO moon_publish;
GRANT SELECT, INSERT ON warehouse_currency TO moon_publish;

-- Dashboards and BI tools: figures, no contact data, no agents. Those who may see figures by pseudonym need
-- agent_sales_monthly beside these: pseudonyms remain personal data.
GRANT SELECT ON team_sales_daily, branch_sales_daily, product_sales_daily, teams, branches, products, product_targets,
    team_sales_metrics, team_sales_metrics_monthly, branch_sales_metrics, branch_sales_metrics_monthly,
    product_target_metrics, product_target_metrics_monthly, closings, closed_figures, restatements, kpi_runs,
    warehouse_targets, warehouse_product_metrics,
    warehouse_runs, warehouse_currency TO moon_dashboard;
