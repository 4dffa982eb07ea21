-- The ledger, version 1.
--
-- Codes are kept once, under small numbers that nobody outside sees, so that a sale is one short row and a code is
-- changed in one place. Text is compared byte by byte (COLLATE "C"), whatever the database's own collation. Amounts are
-- minor units of the ledger's one currency.

CREATE TABLE ledger_teams (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE ledger_branches (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    region TEXT COLLATE "C",
    version BIGINT NOT NULL
);

CREATE TABLE ledger_products (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    line TEXT COLLATE "C",
    free_look_days INTEGER CHECK (free_look_days BETWEEN 0 AND 65535),
    version BIGINT NOT NULL
);

CREATE TABLE ledger_agents (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C",
    phone TEXT COLLATE "C",
    time_zone TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'suspended', 'left')),
    analytics_granted BOOLEAN,
    analytics_at TIMESTAMPTZ,
    analytics_how TEXT COLLATE "C",
    notifications_granted BOOLEAN,
    notifications_at TIMESTAMPTZ,
    notifications_how TEXT COLLATE "C",
    version BIGINT NOT NULL
);

-- Every version ever entered; the highest version of an (agent, from_date) is the current one.
CREATE TABLE ledger_assignments (
    agent_id INTEGER NOT NULL REFERENCES ledger_agents,
    from_date DATE NOT NULL,
    version BIGINT NOT NULL,
    to_date DATE CHECK (to_date > from_date),
    team_id INTEGER NOT NULL REFERENCES ledger_teams,
    branch_id INTEGER NOT NULL REFERENCES ledger_branches,
    entered_at TIMESTAMPTZ NOT NULL,
    entered_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (agent_id, from_date, version)
);

-- Every version ever entered. No product: all together. No branch, team or agent: the whole ledger. A period is
-- half-open: its end is the day behind its last one.
CREATE TABLE ledger_targets (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id INTEGER REFERENCES ledger_products,
    branch_id INTEGER REFERENCES ledger_branches,
    team_id INTEGER REFERENCES ledger_teams,
    agent_id INTEGER REFERENCES ledger_agents,
    granularity TEXT COLLATE "C" NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    from_date DATE NOT NULL,
    version BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount BETWEEN 0 AND 999999999999999999),
    entered_at TIMESTAMPTZ NOT NULL,
    entered_by TEXT COLLATE "C" NOT NULL,
    CHECK (num_nonnulls(branch_id, team_id, agent_id) <= 1)
);

CREATE UNIQUE INDEX ledger_targets_key ON ledger_targets (
    coalesce(product_id, 0), coalesce(branch_id, 0), coalesce(team_id, 0), coalesce(agent_id, 0),
    granularity, period_start, period_end, from_date, version
);

CREATE TABLE ledger_sources (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE
);

-- Sales as they stand. Team and branch are as sold; `given` has bit 1 when the source gave the team and bit 2 when it
-- gave the branch.
--
-- `state` is 0 for a sale in force and 1 for a voided one. 2 is a key that is awaited: messages about the sale came
-- before the sale itself. Such a row holds nothing but the key, so that the unique index makes a sale and an early
-- message that arrive at once wait for each other, and so that a key can be locked before its sale is known. The wide
-- columns stand first: a row then has no holes.
CREATE TABLE ledger_sales (
    id UUID NOT NULL,
    amount BIGINT NOT NULL CHECK (amount BETWEEN -999999999999999999 AND 999999999999999999),
    recorded_at TIMESTAMPTZ NOT NULL,
    content_at TIMESTAMPTZ NOT NULL,
    revision BIGINT NOT NULL,
    last_revision BIGINT NOT NULL,
    sale_date DATE NOT NULL CHECK (sale_date BETWEEN '1000-01-01' AND '9999-12-31'),
    source_id INTEGER NOT NULL REFERENCES ledger_sources,
    product_id INTEGER REFERENCES ledger_products,
    agent_id INTEGER REFERENCES ledger_agents,
    team_id INTEGER REFERENCES ledger_teams,
    branch_id INTEGER REFERENCES ledger_branches,
    kind SMALLINT NOT NULL CHECK (kind BETWEEN 0 AND 4),
    given SMALLINT NOT NULL CHECK (given BETWEEN 0 AND 3),
    state SMALLINT NOT NULL CHECK (state BETWEEN 0 AND 2),
    reference TEXT COLLATE "C" NOT NULL,
    policy_number TEXT COLLATE "C",
    CONSTRAINT ledger_sales_pkey PRIMARY KEY (id),
    CONSTRAINT ledger_sales_key UNIQUE (source_id, reference),
    CONSTRAINT ledger_sales_has_product CHECK (state = 2 OR product_id IS NOT NULL)
);

CREATE INDEX ledger_sales_date ON ledger_sales (sale_date, id);
CREATE INDEX ledger_sales_agent ON ledger_sales (agent_id, sale_date);

-- Cancellations and reinstatements that are in force, each on its own date under the places of its sale. The sale's
-- date is repeated here, so that what touches some days is found without the sales.
CREATE TABLE ledger_adjustments (
    sale_id UUID NOT NULL REFERENCES ledger_sales,
    revision BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount BETWEEN -999999999999999999 AND 999999999999999999),
    sale_date DATE NOT NULL,
    own_date DATE NOT NULL CHECK (own_date BETWEEN sale_date AND '9999-12-31'),
    kind SMALLINT NOT NULL CHECK (kind IN (1, 2)),
    count SMALLINT NOT NULL CHECK (count BETWEEN -1 AND 1),
    PRIMARY KEY (sale_id, revision)
);

CREATE INDEX ledger_adjustments_sale_date ON ledger_adjustments (sale_date);
CREATE INDEX ledger_adjustments_own_date ON ledger_adjustments (own_date);

-- Everything that was said about a sale, save its current content, which is in the sale. The body is JSON text as it was
-- written: JSONB would not give it back byte by byte.
CREATE TABLE ledger_sale_messages (
    source_id INTEGER NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    body JSON NOT NULL,
    entry TEXT COLLATE "C",
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (source_id, reference, revision),
    FOREIGN KEY (source_id, reference) REFERENCES ledger_sales (source_id, reference)
);

CREATE UNIQUE INDEX ledger_sale_messages_entry ON ledger_sale_messages (source_id, entry) WHERE entry IS NOT NULL;

-- What the next aggregation run has to look at. Equal marks are kept as often as they are appended: a unit that relied on
-- the mark of another one could see it claimed and settled before its own change is committed.
CREATE TABLE ledger_marks (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mark TEXT COLLATE "C" NOT NULL,
    appended_at TIMESTAMPTZ NOT NULL,
    run UUID
);

CREATE INDEX ledger_marks_run ON ledger_marks (run);

CREATE TABLE ledger_audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    details JSON NOT NULL
);

CREATE TABLE ledger_records (
    namespace TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value JSON NOT NULL,
    expires_at TIMESTAMPTZ,
    version BIGINT NOT NULL,
    PRIMARY KEY (namespace, key)
);

-- How the views show amounts: filled when the ledger's settings are written.
CREATE TABLE ledger_currency (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    code TEXT COLLATE "C" NOT NULL,
    digits INTEGER NOT NULL CHECK (digits BETWEEN 0 AND 4),
    minor_per_unit BIGINT NOT NULL
);

-- For people: codes instead of numbers, exact decimal amounts. Empty until the currency is known.
CREATE VIEW ledger_sales_readable AS
SELECT
    s.id,
    src.name AS source,
    s.reference,
    s.sale_date AS date,
    round(s.amount::numeric / c.minor_per_unit, c.digits) AS amount,
    c.code AS currency,
    p.code AS product,
    a.code AS agent,
    coalesce(t.code, 'unassigned') AS team,
    coalesce(b.code, 'unassigned') AS branch,
    (s.given & 1) = 1 AS team_given,
    (s.given & 2) = 2 AS branch_given,
    CASE s.kind WHEN 0 THEN 'new_business' WHEN 1 THEN 'renewal' WHEN 2 THEN 'endorsement' WHEN 3 THEN 'instalment'
        ELSE 'reversal' END AS kind,
    s.policy_number,
    s.revision,
    s.last_revision,
    s.state = 1 AS voided,
    s.recorded_at,
    s.content_at
FROM ledger_currency c
CROSS JOIN ledger_sales s
JOIN ledger_sources src ON src.id = s.source_id
JOIN ledger_products p ON p.id = s.product_id
LEFT JOIN ledger_agents a ON a.id = s.agent_id
LEFT JOIN ledger_teams t ON t.id = s.team_id
LEFT JOIN ledger_branches b ON b.id = s.branch_id
WHERE s.state < 2;

CREATE VIEW ledger_adjustments_readable AS
SELECT
    j.sale_id AS sale,
    j.revision,
    j.sale_date,
    j.own_date AS date,
    CASE j.kind WHEN 1 THEN 'cancellation' ELSE 'reinstatement' END AS kind,
    round(j.amount::numeric / c.minor_per_unit, c.digits) AS amount,
    c.code AS currency,
    j.count
FROM ledger_currency c
CROSS JOIN ledger_adjustments j;

CREATE VIEW ledger_targets_readable AS
SELECT
    p.code AS product,
    CASE WHEN g.branch_id IS NOT NULL THEN 'branch:' || b.code WHEN g.team_id IS NOT NULL THEN 'team:' || t.code
        WHEN g.agent_id IS NOT NULL THEN 'agent:' || a.code ELSE 'ledger' END AS scope,
    g.granularity,
    g.period_start,
    g.period_end - 1 AS period_end,
    g.from_date AS in_force_from,
    round(g.amount::numeric / c.minor_per_unit, c.digits) AS amount,
    c.code AS currency,
    g.version
FROM ledger_currency c
CROSS JOIN ledger_targets g
LEFT JOIN ledger_products p ON p.id = g.product_id
LEFT JOIN ledger_branches b ON b.id = g.branch_id
LEFT JOIN ledger_teams t ON t.id = g.team_id
LEFT JOIN ledger_agents a ON a.id = g.agent_id;
