-- The ledger, version 1.
--
-- Codes are kept once, under small numbers that nobody outside sees, so that a sale is one short row and a code is
-- changed in one place. Text is compared byte by byte (BINARY, the default). Days count from 1970-01-01, instants are
-- microseconds since 1970-01-01T00:00:00Z, amounts are minor units of the ledger's one currency.

CREATE TABLE ledger_teams (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE ledger_branches (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    region TEXT,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE ledger_products (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    line TEXT,
    free_look_days INTEGER,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE ledger_agents (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    time_zone TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'left')),
    analytics_granted INTEGER CHECK (analytics_granted IN (0, 1)),
    analytics_at INTEGER,
    analytics_how TEXT,
    notifications_granted INTEGER CHECK (notifications_granted IN (0, 1)),
    notifications_at INTEGER,
    notifications_how TEXT,
    version INTEGER NOT NULL
) STRICT;

-- Every version ever entered; the highest version of an (agent, from_day) is the current one.
CREATE TABLE ledger_assignments (
    agent_id INTEGER NOT NULL REFERENCES ledger_agents,
    from_day INTEGER NOT NULL,
    version INTEGER NOT NULL,
    to_day INTEGER,
    team_id INTEGER NOT NULL REFERENCES ledger_teams,
    branch_id INTEGER NOT NULL REFERENCES ledger_branches,
    entered_at INTEGER NOT NULL,
    entered_by TEXT NOT NULL,
    PRIMARY KEY (agent_id, from_day, version)
) STRICT, WITHOUT ROWID;

-- Every version ever entered. No product: all together. No branch, team or agent: the whole ledger.
CREATE TABLE ledger_targets (
    id INTEGER PRIMARY KEY,
    product_id INTEGER REFERENCES ledger_products,
    branch_id INTEGER REFERENCES ledger_branches,
    team_id INTEGER REFERENCES ledger_teams,
    agent_id INTEGER REFERENCES ledger_agents,
    granularity TEXT NOT NULL,
    period_start INTEGER NOT NULL,
    period_end INTEGER NOT NULL,
    from_day INTEGER NOT NULL,
    version INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 999999999999999999),
    entered_at INTEGER NOT NULL,
    entered_by TEXT NOT NULL,
    CHECK ((branch_id IS NOT NULL) + (team_id IS NOT NULL) + (agent_id IS NOT NULL) <= 1)
) STRICT;

CREATE UNIQUE INDEX ledger_targets_key ON ledger_targets (
    ifnull(product_id, 0), ifnull(branch_id, 0), ifnull(team_id, 0), ifnull(agent_id, 0),
    granularity, period_start, period_end, from_day, version
);

CREATE TABLE ledger_sources (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Sales as they stand, on disk in the order of their business dates, which is the order in which figures read them.
-- Team and branch are as sold; `given` has bit 1 when the source gave the team and bit 2 when it gave the branch.
--
-- A statement of many rows must not need to be able to undo itself: SQLite would copy every page that it touches into a
-- temporary file beforehand, which costs more than all the rest. So references from and to sales are checked when the
-- unit commits, and no CHECK calls a function.
CREATE TABLE ledger_sales (
    sale_day INTEGER NOT NULL CHECK (sale_day BETWEEN -354285 AND 2932896),
    id BLOB NOT NULL,
    source_id INTEGER NOT NULL REFERENCES ledger_sources DEFERRABLE INITIALLY DEFERRED,
    reference TEXT NOT NULL,
    revision INTEGER NOT NULL,
    last_revision INTEGER NOT NULL,
    product_id INTEGER NOT NULL REFERENCES ledger_products DEFERRABLE INITIALLY DEFERRED,
    agent_id INTEGER REFERENCES ledger_agents DEFERRABLE INITIALLY DEFERRED,
    team_id INTEGER REFERENCES ledger_teams DEFERRABLE INITIALLY DEFERRED,
    branch_id INTEGER REFERENCES ledger_branches DEFERRABLE INITIALLY DEFERRED,
    given INTEGER NOT NULL CHECK (given BETWEEN 0 AND 3),
    amount INTEGER NOT NULL CHECK (amount BETWEEN -999999999999999999 AND 999999999999999999),
    kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 4),
    voided INTEGER NOT NULL CHECK (voided IN (0, 1)),
    policy_number TEXT,
    recorded_at INTEGER NOT NULL,
    content_at INTEGER NOT NULL,
    PRIMARY KEY (sale_day, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX ledger_sales_key ON ledger_sales (source_id, reference);
CREATE UNIQUE INDEX ledger_sales_id ON ledger_sales (id);
CREATE INDEX ledger_sales_agent ON ledger_sales (agent_id, sale_day);

-- Cancellations and reinstatements that are in force, each on its own day under the places of its sale.
CREATE TABLE ledger_adjustments (
    sale_day INTEGER NOT NULL,
    sale_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    own_day INTEGER NOT NULL CHECK (own_day BETWEEN sale_day AND 2932896),
    kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
    amount INTEGER NOT NULL CHECK (amount BETWEEN -999999999999999999 AND 999999999999999999),
    count INTEGER NOT NULL CHECK (count BETWEEN -1 AND 1),
    PRIMARY KEY (sale_day, sale_id, revision),
    FOREIGN KEY (sale_day, sale_id) REFERENCES ledger_sales (sale_day, id)
        DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_adjustments_own_day ON ledger_adjustments (own_day);

-- Everything that was said about a sale, save its current content, which is in the sale. `without_sale` is 1 as long as
-- the sale is unknown: nearly never, so that its partial index answers at once whether any such message exists.
CREATE TABLE ledger_sale_messages (
    source_id INTEGER NOT NULL REFERENCES ledger_sources,
    reference TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    entry TEXT,
    received_at INTEGER NOT NULL,
    without_sale INTEGER NOT NULL CHECK (without_sale IN (0, 1)),
    PRIMARY KEY (source_id, reference, revision)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX ledger_sale_messages_entry ON ledger_sale_messages (source_id, entry) WHERE entry IS NOT NULL;
CREATE INDEX ledger_sale_messages_without_sale ON ledger_sale_messages (source_id, reference) WHERE without_sale = 1;

-- What the next aggregation run has to look at. An open mark is kept once; one that is claimed stays until the run has
-- settled it, and an equal one may open beside it.
CREATE TABLE ledger_marks (
    id INTEGER PRIMARY KEY,
    mark TEXT NOT NULL CHECK (json_valid(mark)),
    appended_at INTEGER NOT NULL,
    run BLOB
) STRICT;

CREATE UNIQUE INDEX ledger_marks_open ON ledger_marks (mark) WHERE run IS NULL;
CREATE INDEX ledger_marks_run ON ledger_marks (run) WHERE run IS NOT NULL;

CREATE TABLE ledger_audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL CHECK (json_valid(details))
) STRICT;

CREATE TABLE ledger_records (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL CHECK (json_valid(value)),
    expires_at INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (namespace, key)
) STRICT, WITHOUT ROWID;

-- How the views show amounts: filled when the ledger's settings are written.
CREATE TABLE ledger_currency (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    code TEXT NOT NULL,
    digits INTEGER NOT NULL CHECK (digits BETWEEN 0 AND 4),
    minor_per_unit INTEGER NOT NULL
) STRICT;

-- For people: codes instead of numbers, dates and instants as text, amounts as exact decimal text (never a REAL). Empty
-- until the currency is known.
CREATE VIEW ledger_sales_readable AS
SELECT
    lower(hex(s.id)) AS id,
    src.name AS source,
    s.reference,
    date(s.sale_day * 86400, 'unixepoch') AS date,
    CASE WHEN s.amount < 0 THEN '-' ELSE '' END || (abs(s.amount) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(s.amount) % c.minor_per_unit) END AS amount,
    c.code AS currency,
    p.code AS product,
    a.code AS agent,
    ifnull(t.code, 'unassigned') AS team,
    ifnull(b.code, 'unassigned') AS branch,
    (s.given & 1) = 1 AS team_given,
    (s.given & 2) = 2 AS branch_given,
    CASE s.kind WHEN 0 THEN 'new_business' WHEN 1 THEN 'renewal' WHEN 2 THEN 'endorsement' WHEN 3 THEN 'instalment'
        ELSE 'reversal' END AS kind,
    s.policy_number,
    s.revision,
    s.last_revision,
    s.voided,
    strftime('%Y-%m-%dT%H:%M:%SZ', s.recorded_at / 1000000, 'unixepoch') AS recorded_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', s.content_at / 1000000, 'unixepoch') AS content_at
FROM ledger_currency c
CROSS JOIN ledger_sales s
JOIN ledger_sources src ON src.id = s.source_id
JOIN ledger_products p ON p.id = s.product_id
LEFT JOIN ledger_agents a ON a.id = s.agent_id
LEFT JOIN ledger_teams t ON t.id = s.team_id
LEFT JOIN ledger_branches b ON b.id = s.branch_id;

CREATE VIEW ledger_adjustments_readable AS
SELECT
    lower(hex(j.sale_id)) AS sale,
    j.revision,
    date(j.sale_day * 86400, 'unixepoch') AS sale_date,
    date(j.own_day * 86400, 'unixepoch') AS date,
    CASE j.kind WHEN 1 THEN 'cancellation' ELSE 'reinstatement' END AS kind,
    CASE WHEN j.amount < 0 THEN '-' ELSE '' END || (abs(j.amount) / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, abs(j.amount) % c.minor_per_unit) END AS amount,
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
    date(g.period_start * 86400, 'unixepoch') AS period_start,
    date((g.period_end - 1) * 86400, 'unixepoch') AS period_end,
    date(g.from_day * 86400, 'unixepoch') AS in_force_from,
    (g.amount / c.minor_per_unit)
        || CASE WHEN c.digits = 0 THEN '' ELSE printf('.%0*d', c.digits, g.amount % c.minor_per_unit) END AS amount,
    c.code AS currency,
    g.version
FROM ledger_currency c
CROSS JOIN ledger_targets g
LEFT JOIN ledger_products p ON p.id = g.product_id
LEFT JOIN ledger_branches b ON b.id = g.branch_id
LEFT JOIN ledger_teams t ON t.id = g.team_id
LEFT JOIN ledger_agents a ON a.id = g.agent_id;
