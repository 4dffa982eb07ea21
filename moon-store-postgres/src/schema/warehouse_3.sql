-- The warehouse, version 3: staged cells and figures of agents, which are many, refer to their stage without a foreign key,
-- which would take longer than all else about staging them. Whoever stages locks the row of the stage, and whoever removes
-- the stage removes them too.

ALTER TABLE warehouse_stage_cells DROP CONSTRAINT warehouse_stage_cells_run_id_fkey;
ALTER TABLE warehouse_stage_agents DROP CONSTRAINT warehouse_stage_agents_run_id_fkey;
