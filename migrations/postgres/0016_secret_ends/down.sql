DROP INDEX secrets_to_end;
