-- Which secrets are in their grace is asked with every list of keys: without this it is looked for among all secrets there are.
CREATE INDEX secrets_to_end ON secrets (retires_at) WHERE retires_at IS NOT NULL;
