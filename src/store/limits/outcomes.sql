-- What became of the account's requests since an hour, by product. Keys that were not let through since are left out.
SELECT a.product_row AS product_row, a.outcome AS outcome, CAST(SUM(a.count) AS BIGINT) AS count
FROM keys k
JOIN activity a ON a.account_id = k.account_id AND a.key_row = k.id AND a.hour >= $1
WHERE k.account_id = $2 AND k.last_used_at >= $3
GROUP BY a.product_row, a.outcome
