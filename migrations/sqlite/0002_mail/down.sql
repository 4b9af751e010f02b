ALTER TABLE users DROP COLUMN key_mails;
DROP TABLE confirmations;
DROP TABLE outbox;
