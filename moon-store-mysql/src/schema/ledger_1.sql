-- The ledger, version 1.
--
-- Codes are kept once, under small numbers that nobody outside sees, so that a sale is one short row and a code is changed
-- in one place. Codes and references are VARBINARY: MySQL and MariaDB share no collation that neither folds case nor
-- ignores blanks at the end. Amounts are minor units of the ledger's one currency, instants are microseconds since
-- 1970-01-01T00:00:00Z.

CREATE TABLE ledger_teams (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    code VARBINARY(256) NOT NULL,
    name VARCHAR(200) NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE KEY ledger_teams_code (code)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE ledger_branches (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    code VARBINARY(256) NOT NULL,
    name VARCHAR(200) NOT NULL,
    region VARCHAR(200),
    version BIGINT NOT NULL,
    UNIQUE KEY ledger_branches_code (code)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE ledger_products (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    code VARBINARY(256) NOT NULL,
    name VARCHAR(200) NOT NULL,
    line VARCHAR(200),
    free_look_days INT,
    version BIGINT NOT NULL,
    UNIQUE KEY ledger_products_code (code),
    CONSTRAINT ledger_products_free_look CHECK (free_look_days BETWEEN 0 AND 65535)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE ledger_agents (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    code VARBINARY(256) NOT NULL,
    name VARCHAR(200) NOT NULL,
    email VARCHAR(200),
    phone VARCHAR(200),
    time_zone VARCHAR(64),
    status VARCHAR(16) NOT NULL,
    analytics_granted TINYINT,
    analytics_at BIGINT,
    analytics_how VARCHAR(200),
    notifications_granted TINYINT,
    notifications_at BIGINT,
    notifications_how VARCHAR(200),
    version BIGINT NOT NULL,
    UNIQUE KEY ledger_agents_code (code),
    CONSTRAINT ledger_agents_status CHECK (status IN ('active', 'suspended', 'left'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Every version ever entered; the highest version of an (agent, from_date) is the current one.
CREATE TABLE ledger_assignments (
    agent_id INT NOT NULL,
    from_date DATE NOT NULL,
    version BIGINT NOT NULL,
    to_date DATE,
    team_id INT NOT NULL,
    branch_id INT NOT NULL,
    entered_at BIGINT NOT NULL,
    entered_by VARCHAR(200) NOT NULL,
    PRIMARY KEY (agent_id, from_date, version),
    CONSTRAINT ledger_assignments_agent FOREIGN KEY (agent_id) REFERENCES ledger_agents (id),
    CONSTRAINT ledger_assignments_team FOREIGN KEY (team_id) REFERENCES ledger_teams (id),
    CONSTRAINT ledger_assignments_branch FOREIGN KEY (branch_id) REFERENCES ledger_branches (id),
    CONSTRAINT ledger_assignments_days CHECK (to_date > from_date)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Every version ever entered. `scope` is the kind of group, and `place` its number: 0 for the whole ledger. `product` is 0
-- for all products together; numbers of products begin at 1. A unique key takes NULLs for different, so the key is made of
-- these numbers, and the last four columns, which are NULL where they do not apply, are what refers. A period is half-open
-- and in days since 1970-01-01: its end is the day behind its last one, which may lie behind all that a DATE can hold.
CREATE TABLE ledger_targets (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    product INT NOT NULL,
    scope VARCHAR(8) NOT NULL,
    place INT NOT NULL,
    granularity VARCHAR(16) NOT NULL,
    period_start INT NOT NULL,
    period_end INT NOT NULL,
    from_date DATE NOT NULL,
    version BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    entered_at BIGINT NOT NULL,
    entered_by VARCHAR(200) NOT NULL,
    product_id INT,
    branch_id INT,
    team_id INT,
    agent_id INT,
    UNIQUE KEY ledger_targets_key (product, scope, place, granularity, period_start, period_end, from_date, version),
    CONSTRAINT ledger_targets_product FOREIGN KEY (product_id) REFERENCES ledger_products (id),
    CONSTRAINT ledger_targets_branch FOREIGN KEY (branch_id) REFERENCES ledger_branches (id),
    CONSTRAINT ledger_targets_team FOREIGN KEY (team_id) REFERENCES ledger_teams (id),
    CONSTRAINT ledger_targets_agent FOREIGN KEY (agent_id) REFERENCES ledger_agents (id),
    CONSTRAINT ledger_targets_amount CHECK (amount BETWEEN 0 AND 999999999999999999),
    CONSTRAINT ledger_targets_scope CHECK (
        (scope = 'ledger' AND place = 0) OR (scope IN ('branch', 'team', 'agent') AND place > 0)
    )
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE ledger_sources (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARBINARY(200) NOT NULL,
    UNIQUE KEY ledger_sources_name (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Sales as they stand, on disk in the order of their business dates, which is the order in which figures read them. Team and
-- branch are as sold; `given` has bit 1 when the source gave the team and bit 2 when it gave the branch.
--
-- `state` is 0 for a sale in force and 1 for a voided one. 2 is a key that is awaited: messages about the sale came before
-- the sale itself. Such a row holds nothing but the key, so that the unique key makes a sale and an early message that
-- arrive at once wait for each other, and so that a key can be locked before its sale is known.
--
-- Products, teams and branches are referred to without foreign keys: InnoDB would want an index for each of them, which
-- would double the indexes and make recording half as slow again. They are looked up in the same transaction, and Moon never
-- removes any.
CREATE TABLE ledger_sales (
    sale_date DATE NOT NULL,
    id BINARY(16) NOT NULL,
    source_id INT NOT NULL,
    product_id INT,
    agent_id INT,
    team_id INT,
    branch_id INT,
    given TINYINT NOT NULL,
    kind TINYINT NOT NULL,
    state TINYINT NOT NULL,
    amount BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    last_revision BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    content_at BIGINT NOT NULL,
    reference VARBINARY(200) NOT NULL,
    policy_number VARBINARY(200),
    PRIMARY KEY (sale_date, id),
    UNIQUE KEY ledger_sales_key (source_id, reference),
    UNIQUE KEY ledger_sales_id (id),
    KEY ledger_sales_agent (agent_id, sale_date),
    CONSTRAINT ledger_sales_source FOREIGN KEY (source_id) REFERENCES ledger_sources (id),
    CONSTRAINT ledger_sales_by_agent FOREIGN KEY (agent_id) REFERENCES ledger_agents (id),
    CONSTRAINT ledger_sales_numbers CHECK (
        amount BETWEEN -999999999999999999 AND 999999999999999999 AND kind BETWEEN 0 AND 4 AND given BETWEEN 0 AND 3
        AND state BETWEEN 0 AND 2 AND (state = 2 OR product_id IS NOT NULL) AND sale_date >= '1000-01-01'
    )
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Cancellations and reinstatements that are in force, each on its own date under the places of its sale.
CREATE TABLE ledger_adjustments (
    sale_date DATE NOT NULL,
    sale_id BINARY(16) NOT NULL,
    revision BIGINT NOT NULL,
    own_date DATE NOT NULL,
    kind TINYINT NOT NULL,
    count TINYINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (sale_date, sale_id, revision),
    KEY ledger_adjustments_own_date (own_date),
    CONSTRAINT ledger_adjustments_sale FOREIGN KEY (sale_date, sale_id) REFERENCES ledger_sales (sale_date, id),
    CONSTRAINT ledger_adjustments_numbers CHECK (
        amount BETWEEN -999999999999999999 AND 999999999999999999 AND kind IN (1, 2) AND count BETWEEN -1 AND 1
        AND own_date >= sale_date
    )
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Everything that was said about a sale, save its current content, which is in the sale. The body is JSON text as it was
-- written: the type JSON would not give it back byte by byte.
CREATE TABLE ledger_sale_messages (
    source_id INT NOT NULL,
    reference VARBINARY(200) NOT NULL,
    revision BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    entry VARBINARY(200),
    body MEDIUMTEXT NOT NULL,
    PRIMARY KEY (source_id, reference, revision),
    UNIQUE KEY ledger_sale_messages_entry (source_id, entry),
    CONSTRAINT ledger_sale_messages_sale FOREIGN KEY (source_id, reference)
        REFERENCES ledger_sales (source_id, reference),
    CONSTRAINT ledger_sale_messages_body CHECK (JSON_VALID(body))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What the next aggregation run has to look at. Equal marks are kept as often as they are appended: a unit that relied on
-- the mark of another one could see it claimed and settled before its own change is committed.
CREATE TABLE ledger_marks (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    run BINARY(16),
    appended_at BIGINT NOT NULL,
    mark MEDIUMTEXT NOT NULL,
    KEY ledger_marks_run (run)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE ledger_audit (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor VARCHAR(200) NOT NULL,
    action MEDIUMTEXT NOT NULL,
    subject MEDIUMTEXT NOT NULL,
    details MEDIUMTEXT NOT NULL,
    CONSTRAINT ledger_audit_details CHECK (JSON_VALID(details))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE ledger_records (
    namespace VARBINARY(300) NOT NULL,
    name VARBINARY(1000) NOT NULL,
    value LONGTEXT NOT NULL,
    expires_at BIGINT,
    version BIGINT NOT NULL,
    PRIMARY KEY (namespace, name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How the views show amounts: filled when the ledger's settings are written.
CREATE TABLE ledger_currency (
    one TINYINT NOT NULL PRIMARY KEY,
    code VARCHAR(8) NOT NULL,
    digits TINYINT NOT NULL,
    minor_per_unit BIGINT NOT NULL,
    CONSTRAINT ledger_currency_numbers CHECK (one = 1 AND digits BETWEEN 0 AND 4)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- For people: codes instead of numbers, exact decimal amounts. Empty until the currency is known. A division of decimals
-- keeps four more digits than the amount has, which is as many as any currency has.
CREATE SQL SECURITY DEFINER VIEW ledger_sales_readable AS
SELECT
    LOWER(HEX(s.id)) AS id,
    CONVERT(src.name USING utf8mb4) AS source,
    CONVERT(s.reference USING utf8mb4) AS reference,
    s.sale_date AS date,
    CAST(CAST(s.amount AS DECIMAL(19, 0)) / c.minor_per_unit AS DECIMAL(23, 4)) AS amount,
    c.code AS currency,
    CONVERT(p.code USING utf8mb4) AS product,
    CONVERT(a.code USING utf8mb4) AS agent,
    CONVERT(IFNULL(t.code, 'unassigned') USING utf8mb4) AS team,
    CONVERT(IFNULL(b.code, 'unassigned') USING utf8mb4) AS branch,
    (s.given & 1) <> 0 AS team_given,
    (s.given & 2) <> 0 AS branch_given,
    CASE s.kind WHEN 0 THEN 'new_business' WHEN 1 THEN 'renewal' WHEN 2 THEN 'endorsement' WHEN 3 THEN 'instalment'
        ELSE 'reversal' END AS kind,
    CONVERT(s.policy_number USING utf8mb4) AS policy_number,
    s.revision,
    s.last_revision,
    s.state = 1 AS voided,
    DATE_ADD('1970-01-01 00:00:00', INTERVAL s.recorded_at MICROSECOND) AS recorded_at,
    DATE_ADD('1970-01-01 00:00:00', INTERVAL s.content_at MICROSECOND) AS content_at
FROM ledger_currency c
CROSS JOIN ledger_sales s
JOIN ledger_sources src ON src.id = s.source_id
JOIN ledger_products p ON p.id = s.product_id
LEFT JOIN ledger_agents a ON a.id = s.agent_id
LEFT JOIN ledger_teams t ON t.id = s.team_id
LEFT JOIN ledger_branches b ON b.id = s.branch_id
WHERE s.state < 2;

CREATE SQL SECURITY DEFINER VIEW ledger_adjustments_readable AS
SELECT
    LOWER(HEX(j.sale_id)) AS sale,
    j.revision,
    j.sale_date,
    j.own_date AS date,
    CASE j.kind WHEN 1 THEN 'cancellation' ELSE 'reinstatement' END AS kind,
    CAST(CAST(j.amount AS DECIMAL(19, 0)) / c.minor_per_unit AS DECIMAL(23, 4)) AS amount,
    c.code AS currency,
    j.count
FROM ledger_currency c
CROSS JOIN ledger_adjustments j;

CREATE SQL SECURITY DEFINER VIEW ledger_targets_readable AS
SELECT
    CONVERT(p.code USING utf8mb4) AS product,
    CONVERT(CASE g.scope WHEN 'branch' THEN CONCAT('branch:', b.code) WHEN 'team' THEN CONCAT('team:', t.code)
        WHEN 'agent' THEN CONCAT('agent:', a.code) ELSE 'ledger' END USING utf8mb4) AS scope,
    g.granularity,
    DATE_ADD('1970-01-01', INTERVAL g.period_start DAY) AS period_start,
    DATE_ADD('1970-01-01', INTERVAL g.period_end - 1 DAY) AS period_end,
    g.from_date AS in_force_from,
    CAST(CAST(g.amount AS DECIMAL(19, 0)) / c.minor_per_unit AS DECIMAL(23, 4)) AS amount,
    c.code AS currency,
    g.version
FROM ledger_currency c
CROSS JOIN ledger_targets g
LEFT JOIN ledger_products p ON p.id = g.product_id
LEFT JOIN ledger_branches b ON b.id = g.branch_id
LEFT JOIN ledger_teams t ON t.id = g.team_id
LEFT JOIN ledger_agents a ON a.id = g.agent_id;
