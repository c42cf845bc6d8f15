import { Client } from 'pg';

/** Where the changes are made. */
export interface BenchDatabase {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

/** Of one round: transactions that insert so many rows, change all of them and delete them. */
export const TRANSACTIONS = 200;
export const ROWS = 20;
/** And one more transaction, which tells that it was the last: a row comes, is changed and goes. */
export const CHANGES = 3 * (TRANSACTIONS * ROWS + 1);

/** All of a round is made by one call, so that whoever makes it has nothing to do with it. */
export const CHANGES_SCHEMA = `
  CREATE TABLE orders (
    id bigint PRIMARY KEY, customer text NOT NULL, status text NOT NULL, quantity int NOT NULL, price numeric NOT NULL,
    paid boolean NOT NULL, note text
  );
  CREATE PROCEDURE make_changes(transactions int, rows int) LANGUAGE plpgsql AS $$
  BEGIN
    FOR t IN 1 .. transactions + 1 LOOP
      INSERT INTO orders SELECT i, 'customer ' || i, 'new', i % 7 + 1, 9.95, false, CASE WHEN i % 2 = 0 THEN 'a note of some length, as customers write them' END
        FROM generate_series(1, CASE WHEN t > transactions THEN 1 ELSE rows END) i;
      UPDATE orders SET status = CASE WHEN t > transactions THEN 'last' ELSE 'paid' END, paid = true;
      DELETE FROM orders;
      COMMIT;
    END LOOP;
  END $$;
  CREATE PUBLICATION by_hand FOR TABLE orders`;

/** Makes the changes of one round. */
export const changeMaker = async (at: BenchDatabase): Promise<() => Promise<unknown>> => {
  const { host, port, database, username: user, password } = at;
  const client = new Client({ host, port, database, user, password });
  await client.connect();
  return () => client.query('CALL make_changes($1, $2)', [TRANSACTIONS, ROWS]);
};
