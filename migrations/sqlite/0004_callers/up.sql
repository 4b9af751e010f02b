-- Who calls with each secret, by the hour: the page's origin or the address's network, and the family of the user agent.
CREATE TABLE callers (
    account_id      INTEGER NOT NULL,
    key_row         INTEGER NOT NULL,
    hour            INTEGER NOT NULL,
    secret_number   INTEGER NOT NULL,
    product_row     INTEGER NOT NULL,
    place           TEXT NOT NULL,
    agent           TEXT NOT NULL,
    allowed         INTEGER NOT NULL,
    refused         INTEGER NOT NULL,
    last_at         INTEGER NOT NULL,
    PRIMARY KEY (account_id, key_row, hour, secret_number, product_row, place, agent)
) STRICT, WITHOUT ROWID;
CREATE INDEX callers_by_hour ON callers (hour);
