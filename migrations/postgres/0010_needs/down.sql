ALTER TABLE products DROP COLUMN needs;
