ALTER TABLE keys DROP COLUMN replaces_row;
ALTER TABLE keys DROP COLUMN deployed;
ALTER TABLE keys DROP COLUMN responsible_name;
