-- Mails that are to be sent, written with the change that they tell of. A link in them is sealed.
CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    kind            TEXT NOT NULL,
    email           TEXT NOT NULL,
    name            TEXT NOT NULL,
    account         TEXT,
    key_id          TEXT,
    subject         TEXT NOT NULL DEFAULT '',
    actor           TEXT NOT NULL DEFAULT '',
    detail          TEXT NOT NULL DEFAULT '',
    sealed_link     BLOB,
    created_at      INTEGER NOT NULL,
    next_try_at     INTEGER NOT NULL,
    ends_at         INTEGER NOT NULL,
    tries           INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_due ON outbox (next_try_at);

-- Addresses that wait for their people's word: of a sign-up, or the new one of somebody who has an account.
CREATE TABLE confirmations (
    digest          BLOB PRIMARY KEY NOT NULL CHECK (length(digest) = 32),
    email           TEXT NOT NULL,
    user_id         INTEGER REFERENCES users (id),
    name            TEXT,
    company         TEXT,
    password_hash   TEXT,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    CHECK ((user_id IS NULL) = (name IS NOT NULL)),
    CHECK ((user_id IS NULL) = (company IS NOT NULL)),
    CHECK ((user_id IS NULL) = (password_hash IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX confirmations_over ON confirmations (expires_at);

-- Of which keys somebody gets mails.
ALTER TABLE users ADD COLUMN key_mails TEXT NOT NULL DEFAULT 'all' CHECK (key_mails IN ('all', 'own', 'none'));
