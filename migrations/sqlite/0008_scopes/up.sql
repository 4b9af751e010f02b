-- The parts of a product that a key can be bound to, in the operator's order; prefixes are one a line.
CREATE TABLE product_scopes (
    product_row     INTEGER NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    slug            TEXT NOT NULL,
    place           INTEGER NOT NULL,
    name            TEXT NOT NULL,
    prefixes        TEXT NOT NULL CHECK (prefixes <> ''),
    PRIMARY KEY (product_row, slug)
) STRICT, WITHOUT ROWID;

-- The slugs of the scopes that the key has of the product, a space between; none is the whole product.
ALTER TABLE key_products ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
