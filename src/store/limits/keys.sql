-- The account's keys that were let through today, the busiest first. $1 to $3 are outcomes, $4 and $6 the day's start.
SELECT k.key_id AS key_id, k.name AS name,
       CAST(SUM(CASE WHEN a.outcome = $1 THEN a.count ELSE 0 END) AS BIGINT) AS allowed,
       CAST(SUM(CASE WHEN a.outcome IN ($2, $3) THEN a.count ELSE 0 END) AS BIGINT) AS limited
FROM keys k
JOIN activity a ON a.account_id = k.account_id AND a.key_row = k.id AND a.hour >= $4
WHERE k.account_id = $5 AND k.last_used_at >= $6 AND k.deleted_at IS NULL
GROUP BY k.id, k.key_id, k.name
ORDER BY allowed DESC, k.id
LIMIT 20
