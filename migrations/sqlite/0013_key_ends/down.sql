DROP TABLE key_ends;
