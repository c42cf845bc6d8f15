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
    ['SELECT * FROM orders WHERE EXTRACT(epoch FROM placed) < (SELECT max(a) FROM limits)', 'SELECT orders limits'],
    ['SELECT * FROM orders WHERE a IS NOT DISTINCT FROM secret', 'SELECT orders'],
    ['INSERT INTO orders (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET secret = excluded.secret', 'INSERT orders'],
    ['INSERT OR ROLLBACK INTO orders (a) VALUES (1)', 'INSERT orders'],
    ['UPDATE OR IGNORE orders SET a = 1', 'UPDATE orders'],
    ['SELECT * FROM orders FOR UPDATE SKIP LOCKED', 'SELECT orders'],
    ['SELECT * FROM orders FOR NO KEY UPDATE', 'SELECT orders'],
    ['CREATE TABLE orders (a int REFERENCES users ON UPDATE CASCADE)', 'CREATE orders'],
    ['CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON orders EXECUTE FUNCTION f()', 'CREATE'],
    ['WITH q AS (SELECT 1 FROM a) UPDATE orders SET b = 1 FROM q', 'WITH a orders q'],
    ['TRUNCATE orders', 'TRUNCATE orders'],
    ['TRUNCATE TABLE ONLY orders', 'TRUNCATE orders'],
    ['DELETE FROM orders USING users WHERE TRIM(BOTH FROM name) = $1', 'DELETE orders'],
    ['secret words', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) t.equal(querySummary(text), expected, text);
  t.ok((querySummary(`SELECT * FROM ${'x'.repeat(1000)}`) ?? '').length <= 255, 'bounded');
});
