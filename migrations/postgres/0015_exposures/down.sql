DROP TABLE key_exposures;
