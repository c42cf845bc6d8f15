import { test } from 'tap';
import { querySummary } from '../../../services/sql/summary.ts';

test('a summary has the verb and the tables, and nothing else', async (t) => {
  const cases: [string, string | undefined][] = [
    ['SELECT * FROM orders', 'SELECT orders'],
    ['select a from shop.orders o join users u on o.u = u.id where a = 5', 'SELECT shop.orders users'],
    ["INSERT INTO orders (a) VALUES ('x')", 'INSERT orders'],
    ['UPDATE orders SET a = 1 WHERE b = 2', 'UPDATE orders'],
    ['DELETE FROM ONLY orders', 'DELETE orders'],
    ['CREATE TABLE IF NOT EXISTS orders (a int)', 'CREATE orders'],
    ['WITH q AS (SELECT 1 FROM a) SELECT * FROM q', 'WITH a q'],
    ['SELECT * FROM orders, orders', 'SELECT orders'],
    ["-- FROM secret\n/* FROM secret */ SELECT 'FROM secret' FROM orders", 'SELECT orders'],
    ['SELECT $$FROM secret$$, $x$ INTO secret $x$ FROM orders', 'SELECT orders'],
    ["SELECT * FROM 'secret'", 'SELECT'],
    ['SELECT * FROM "secret"', 'SELECT'],
    ['SELECT 1', 'SELECT'],
    ['secret words', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) t.equal(querySummary(text), expected, text);
  t.ok((querySummary(`SELECT * FROM ${'x'.repeat(1000)}`) ?? '').length <= 255, 'bounded');
});
