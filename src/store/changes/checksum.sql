-- The same integers as Tally::add in src/store/replica.rs, on both databases: every product stays below 2^63.
SELECT COUNT(*) AS count, CAST(COALESCE(SUM(((x * x) % 2147483647) * x % 2147483647), 0) AS BIGINT) AS sum
FROM (
    SELECT ((id % 2147483647) * 1103515245 + (generation % 2147483647) * 1013904223 + kind * 69069) % 2147483647 AS x
    FROM (
        SELECT 1 AS kind, id, generation FROM keys WHERE deleted_at IS NULL
        UNION ALL SELECT 2, id, generation FROM accounts
        UNION ALL SELECT 3, id, generation FROM products
        UNION ALL SELECT 4, id, generation FROM plans
    ) AS replicated
) AS mixed
