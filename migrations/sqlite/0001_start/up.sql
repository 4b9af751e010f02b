-- Instants are milliseconds UTC, ids are INTEGER, digests BLOB. The tables are those of migrations/postgres, column by column.

CREATE TABLE installation (
    id              INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    log_epoch       INTEGER NOT NULL,
    log_pruned      INTEGER NOT NULL DEFAULT 0
) STRICT;
-- Another epoch tells every node to load everything anew.
INSERT INTO installation (id, log_epoch) VALUES (1, abs(random() % 4611686018427387904));

CREATE TABLE plans (
    id              INTEGER PRIMARY KEY NOT NULL,
    slug            TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    per_second      INTEGER,
    per_minute      INTEGER,
    burst           INTEGER,
    per_day         INTEGER,
    keys            INTEGER,
    is_free         INTEGER NOT NULL CHECK (is_free IN (0, 1)),
    enterprise_only INTEGER NOT NULL CHECK (enterprise_only IN (0, 1)),
    position        INTEGER NOT NULL,
    generation      INTEGER NOT NULL DEFAULT 1
) STRICT;
INSERT INTO plans (id, slug, name, per_minute, burst, per_day, is_free, enterprise_only, position) VALUES
    (1, 'free',         'Free',           10,   20,   1000, 1, 0, 1),
    (2, 'starter',      'Starter',        60,  100,  10000, 0, 0, 2),
    (3, 'professional', 'Professional',  300,  500, 100000, 0, 0, 3),
    (4, 'enterprise',   'Enterprise',   1000, 2000,   NULL, 0, 1, 4);

CREATE TABLE products (
    id              INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    slug            TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    name_key        TEXT NOT NULL,
    kind            TEXT NOT NULL,
    docs_url        TEXT,
    sample_method   TEXT NOT NULL,
    sample_url      TEXT NOT NULL,
    sample_expect   TEXT NOT NULL,
    key_in_query    TEXT NOT NULL CHECK (key_in_query IN ('never', 'browser', 'any')),
    needs_token     INTEGER NOT NULL DEFAULT 0 CHECK (needs_token IN (0, 1)),
    recoverable     INTEGER NOT NULL DEFAULT 0 CHECK (recoverable IN (0, 1)),
    per_second      INTEGER,
    created_at      INTEGER NOT NULL,
    generation      INTEGER NOT NULL
) STRICT;

CREATE TABLE product_routes (
    id              INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    product_row     INTEGER NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    host            TEXT NOT NULL,
    path            TEXT NOT NULL,
    environments    TEXT NOT NULL,
    UNIQUE (host, path)
) STRICT;
CREATE INDEX product_routes_of_product ON product_routes (product_row);

CREATE TABLE product_admin_prefixes (
    product_row     INTEGER NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    prefix          TEXT NOT NULL,
    PRIMARY KEY (product_row, prefix)
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    id               INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    slug             TEXT NOT NULL UNIQUE,
    name             TEXT NOT NULL,
    name_key         TEXT NOT NULL,
    tier             TEXT NOT NULL CHECK (tier IN ('self_serve', 'enterprise')),
    plan_row         INTEGER NOT NULL REFERENCES plans (id),
    created_at       INTEGER NOT NULL,
    suspended_at     INTEGER,
    suspended_by     TEXT,
    suspended_reason TEXT,
    generation       INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id              INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    email           TEXT NOT NULL,
    email_key       TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    password_hash   TEXT,
    staff_role      TEXT CHECK (staff_role IN ('support', 'admin')),
    theme           TEXT,
    zone            TEXT,
    created_at      INTEGER NOT NULL,
    disabled_at     INTEGER
) STRICT;

CREATE TABLE members (
    account_id      INTEGER NOT NULL REFERENCES accounts (id),
    user_id         INTEGER NOT NULL REFERENCES users (id),
    role            TEXT NOT NULL CHECK (role IN ('viewer', 'developer', 'owner')),
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (account_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_of_user ON members (user_id);

CREATE TABLE keys (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    key_id              BLOB NOT NULL UNIQUE CHECK (length(key_id) = 10),
    account_id          INTEGER NOT NULL REFERENCES accounts (id),
    name                TEXT NOT NULL,
    name_key            TEXT NOT NULL,
    kind                TEXT NOT NULL CHECK (kind IN ('server', 'browser')),
    environment         TEXT NOT NULL CHECK (environment IN ('live', 'staging', 'test')),
    access              TEXT NOT NULL CHECK (access IN ('read', 'write', 'admin')),
    billing_type        TEXT NOT NULL,
    responsible_user_id INTEGER REFERENCES users (id),
    note                TEXT NOT NULL DEFAULT '',
    labels              TEXT NOT NULL DEFAULT '',
    domains             TEXT NOT NULL DEFAULT '',
    ips                 TEXT NOT NULL DEFAULT '',
    any_site            INTEGER NOT NULL DEFAULT 0 CHECK (any_site IN (0, 1)),
    expires_at          INTEGER,
    created_at          INTEGER NOT NULL,
    created_by          TEXT NOT NULL,
    last_rotated_at     INTEGER,
    last_used_at        INTEGER,
    paused_at           INTEGER,
    paused_until        INTEGER,
    disabled_at         INTEGER,
    disabled_by         TEXT,
    disabled_reason     TEXT,
    disabled_kind       TEXT CHECK (disabled_kind IN ('staff', 'policy')),
    deleted_at          INTEGER,
    purge_at            INTEGER,
    generation          INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX keys_name ON keys (account_id, name_key) WHERE deleted_at IS NULL;
CREATE INDEX keys_newest ON keys (account_id, created_at, id);
CREATE INDEX keys_to_purge ON keys (purge_at) WHERE purge_at IS NOT NULL;

CREATE TABLE key_products (
    key_row         INTEGER NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    product_row     INTEGER NOT NULL REFERENCES products (id),
    PRIMARY KEY (key_row, product_row)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_products_of_product ON key_products (product_row);

CREATE TABLE secrets (
    key_row         INTEGER NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    number          INTEGER NOT NULL CHECK (number > 0),
    digest          BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    hash_kind       TEXT NOT NULL,
    prefix          TEXT NOT NULL,
    last4           TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    retires_at      INTEGER,
    leaked_at       INTEGER,
    ciphertext      BLOB,
    PRIMARY KEY (key_row, number)
) STRICT, WITHOUT ROWID;

-- The change log. Ids are never used again: a node's cursor must not meet one twice.
CREATE TABLE changes (
    id              INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    kind            INTEGER NOT NULL,
    ref_row         INTEGER NOT NULL,
    generation      INTEGER NOT NULL,
    at              INTEGER NOT NULL
) STRICT;

CREATE TABLE audit_events (
    id              INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at              INTEGER NOT NULL,
    actor_kind      TEXT NOT NULL CHECK (actor_kind IN ('member', 'staff', 'operator', 'system')),
    actor           TEXT NOT NULL,
    actor_user_id   INTEGER,
    ip              TEXT,
    request_id      TEXT,
    account_id      INTEGER,
    action          TEXT NOT NULL,
    target          TEXT NOT NULL,
    before          TEXT,
    after           TEXT,
    chain           INTEGER NOT NULL DEFAULT 0,
    position        INTEGER,
    mac             BLOB
) STRICT;
CREATE INDEX audit_events_of_target ON audit_events (target, id);
CREATE INDEX audit_events_of_account ON audit_events (account_id, id);
CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_events_remain BEFORE DELETE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TABLE sessions (
    digest          BLOB PRIMARY KEY NOT NULL CHECK (length(digest) = 32),
    user_id         INTEGER REFERENCES users (id),
    state           TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    last_seen_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_age ON sessions (last_seen_at);

CREATE TABLE one_time_links (
    digest          BLOB PRIMARY KEY NOT NULL CHECK (length(digest) = 32),
    purpose         TEXT NOT NULL,
    user_id         INTEGER NOT NULL REFERENCES users (id),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    used_at         INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_links_by_end ON one_time_links (expires_at);

CREATE TABLE form_ids (
    account_id      INTEGER NOT NULL REFERENCES accounts (id),
    form_id         TEXT NOT NULL,
    made            TEXT NOT NULL,
    made_at         INTEGER NOT NULL,
    PRIMARY KEY (account_id, form_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX form_ids_by_age ON form_ids (made_at);

-- Counted verdicts. No foreign key: a count must never be refused because its key went.
CREATE TABLE activity (
    account_id      INTEGER NOT NULL,
    key_row         INTEGER NOT NULL,
    hour            INTEGER NOT NULL,
    secret_number   INTEGER NOT NULL,
    product_row     INTEGER NOT NULL,
    outcome         INTEGER NOT NULL,
    count           INTEGER NOT NULL,
    PRIMARY KEY (account_id, key_row, hour, secret_number, product_row, outcome)
) STRICT, WITHOUT ROWID;

CREATE TABLE meter_batches (
    node            TEXT NOT NULL,
    epoch           INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    PRIMARY KEY (node, epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX meter_batches_by_age ON meter_batches (at);

CREATE TABLE account_days (
    account_id      INTEGER NOT NULL,
    day             INTEGER NOT NULL,
    count           INTEGER NOT NULL,
    PRIMARY KEY (account_id, day)
) STRICT, WITHOUT ROWID;
