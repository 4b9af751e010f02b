-- Who calls with each secret, by the hour: the page's origin or the address's network, and the family of the user agent.
CREATE TABLE callers (
    account_id      BIGINT NOT NULL,
    key_row         BIGINT NOT NULL,
    hour            BIGINT NOT NULL,
    secret_number   SMALLINT NOT NULL,
    product_row     BIGINT NOT NULL,
    place           TEXT COLLATE "C" NOT NULL,
    agent           TEXT COLLATE "C" NOT NULL,
    allowed         BIGINT NOT NULL,
    refused         BIGINT NOT NULL,
    last_at         BIGINT NOT NULL,
    PRIMARY KEY (account_id, key_row, hour, secret_number, product_row, place, agent)
);
CREATE INDEX callers_by_hour ON callers (hour);
