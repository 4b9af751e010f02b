-- Accounts that used a share of their day which their people were not told of yet.
SELECT d.account_id AS account_id, d.count AS count, p.per_day AS per_day, a.slug AS slug, a.name AS name
FROM account_days d
JOIN accounts a ON a.id = d.account_id
JOIN plans p ON p.id = a.plan_row
WHERE d.day = $1 AND ((d.told < 80 AND d.count * 5 >= p.per_day * 4) OR (d.told < 100 AND d.count >= p.per_day))
ORDER BY d.account_id
LIMIT 100
