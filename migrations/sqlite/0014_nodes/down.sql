DROP INDEX changes_of_row;
DROP TABLE node_acks;
DROP TABLE nodes;
