import { openSync } from 'node:fs';
import { devNull } from 'node:os';
import { POSTGRES_MISSING, startPostgres } from '../../test/harness/postgres.ts';
import { scriptScope } from '../../test/harness/teardown.ts';
import { byTurns } from '../measure.ts';
import { CHANGES_SCHEMA } from '../processes/changes-database.ts';
import { startChild } from '../processes/child.ts';
import { startCollector } from '../processes/collector-client.ts';
import type { Row } from '../row.ts';

/** Changes per second of processor time of who reads them; a real PostgreSQL with a database for each side. */
const row = (what: 'decode' | 'lua', peer: string, atLeast: number): Row => ({
  name: `cdc.${what}`,
  unit: 'change/s',
  better: 'higher',
  atLeast: { [peer]: atLeast },
  async measure() {
    const scope = scriptScope();
    try {
      const server = await startPostgres(scope);
      if (server === undefined) throw new Error(POSTGRES_MISSING);
      const collector = await startCollector();
      scope.teardown(() => collector.stop());
      const stderr = openSync(devNull, 'w'); // the program's own lines, about its start
      const start = async (side: 'ours' | 'peer') => {
        const at = await server.createDatabase(`bench_${side}`);
        await at.run(CHANGES_SCHEMA);
        if (side === 'peer') await at.run(`SELECT pg_create_logical_replication_slot('by_hand', 'pgoutput')`);
        const { host, port, database, username, password } = at;
        const connection = JSON.stringify({ host, port, database, username, password });
        const child = await startChild('changes', [what, side, connection, collector.endpoint('ours')], { stderr });
        scope.teardown(() => child.stop());
        return () => child.ask<number>('round');
      };
      const sides = { ours: await start('ours'), [peer]: await start('peer') };
      return await byTurns(sides, { rounds: 7, warmUps: 5 });
    } finally {
      await scope.end();
    }
  },
});

/** From the wire to a subscriber of the bus, metered; beside pg-logical-replication, which measures nothing. */
export const cdcDecode = row('decode', 'pg-logical-replication', 0.8);

/** To a Lua handler, acknowledged when it has succeeded, metered; by hand: pg-logical-replication and the same Lua on plain fengari. */
export const cdcLua = row('lua', 'by-hand', 0.8);
