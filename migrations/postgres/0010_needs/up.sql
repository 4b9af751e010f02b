-- The slugs of the products that a key with this one needs too, a space between.
ALTER TABLE products ADD COLUMN needs TEXT NOT NULL DEFAULT '';
