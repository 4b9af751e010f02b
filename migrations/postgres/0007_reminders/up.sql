-- Of which end a key's people were told, and how many days before it.
CREATE TABLE key_reminders (
    key_row         BIGINT PRIMARY KEY NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    ends_at         BIGINT NOT NULL,
    days            SMALLINT NOT NULL
);
CREATE INDEX keys_expiring ON keys (expires_at) WHERE expires_at IS NOT NULL AND deleted_at IS NULL;
