ALTER TABLE key_products DROP COLUMN scopes;
DROP TABLE product_scopes;
