import { Pool } from 'pg';
import { rootContext } from '../../runtime/context.ts';
import { FUNCTIONS } from '../../services/function/port.ts';
import { POSTGRES_MISSING, startPostgres } from '../../test/harness/postgres.ts';
import { scriptScope } from '../../test/harness/teardown.ts';
import { byTurns } from '../measure.ts';
import { startProgram } from '../processes/program.ts';
import type { Row } from '../row.ts';

const CALLERS = 8;
const QUERIES = 500;
const TEXT = 'SELECT id, body, n, at FROM notes WHERE id = $1';

/** Queries per second of all callers together. */
const rate = async (caller: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return (CALLERS * QUERIES * 1000) / (performance.now() - start);
};

/** Reads of one row by Lua functions, metered, against the same reads by the driver alone; a real PostgreSQL behind both. */
export const sqlQuery: Row = {
  name: 'sql.query',
  unit: 'query/s',
  better: 'higher',
  atLeast: { pg: 0.7 },
  async measure() {
    const scope = scriptScope();
    try {
      const server = await startPostgres(scope);
      if (server === undefined) throw new Error(POSTGRES_MISSING);
      await server.run(`CREATE TABLE notes (id int PRIMARY KEY, body text, n bigint, at timestamptz);
        INSERT INTO notes SELECT i, 'note ' || i, i * 10, now() FROM generate_series(1, 100) i`);
      const { host, port, database, username, password } = server;
      const program = await startProgram('sql', 'unsampled', 'http://127.0.0.1:1', {
        BENCH_HOST: host,
        BENCH_PORT: String(port),
        BENCH_DATABASE: database,
        BENCH_USERNAME: username,
        BENCH_PASSWORD: password,
      });
      scope.teardown(() => program.stop());
      const pool = new Pool({ host, port, database, user: username, password, max: CALLERS });
      scope.teardown(() => pool.end());
      const functions = program.use(FUNCTIONS);
      const sides = {
        ours: () => rate(async () => functions.call('bench:read', [QUERIES], rootContext)),
        pg: () =>
          rate(async () => {
            let sum = 0;
            for (let i = 1; i <= QUERIES; i += 1) {
              const { rows } = await pool.query<{ n: string }>(TEXT, [(i % 100) + 1]);
              sum += Number(rows[0]?.n);
            }
            return sum;
          }),
      };
      return await byTurns(sides, { rounds: 7, warmUps: 3 });
    } finally {
      await scope.end();
    }
  },
};
