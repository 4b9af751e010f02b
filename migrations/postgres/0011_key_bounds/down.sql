DROP TABLE key_bounds;
