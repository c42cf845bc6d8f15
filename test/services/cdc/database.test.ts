import { t as root, type Test, test } from 'tap';
import { type Clock, systemClock } from '../../../runtime/clock.ts';
import { connectDatabase } from '../../../services/cdc/postgres/database.ts';
import { POSTGRES_MISSING, type Postgres, startPostgres } from '../../harness/postgres.ts';
import { startProxy } from '../../harness/tcp-proxy.ts';

const server = await startPostgres(root);
const SKIP = { skip: server === undefined && POSTGRES_MISSING };

const connect = async (t: Test, port: number, clock: Clock = systemClock()) => {
  const { database, username: user, password } = server as Postgres;
  const made = await connectDatabase([{ host: '127.0.0.1', port, database, user, password }], clock);
  t.teardown(() => made.close().catch(() => {}));
  return made;
};

test('what is asked at the same time is asked one after the other', SKIP, async (t) => {
  const { port } = server as Postgres;
  const warnings: string[] = [];
  const onWarning = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const database = await connect(t, port);
  const asked = [database.version(), database.slot('no "slot'), database.walLevel(), database.retained('none')];
  t.match(await Promise.all(asked), [{ major: /\d+/ }, undefined, 'logical', undefined]);
  await t.rejects(Promise.all([database.dropSlot('none'), database.walLevel()]), /"none" does not exist/);
  t.equal(await database.walLevel(), 'logical', 'a failure is not that of the next one');
  await new Promise((resolve) => setImmediate(resolve));
  t.same(warnings, [], 'the driver has seen no two of them at once');
});

test('a server that is silent is waited for once', SKIP, async (t) => {
  const proxy = await startProxy(t, (server as Postgres).port);
  const clock = systemClock();
  let waits = 0;
  const database = await connect(t, proxy.port, {
    ...clock,
    after(ms, body, options) {
      if (ms !== 20_000) return clock.after(ms, body, options);
      waits += 1;
      return clock.after(100, body, options);
    },
  });
  proxy.cut();
  const late = /^the server has not answered within 20000 ms$/;
  const asked = [database.version(), database.walLevel(), database.offset('any')];
  for (const result of await Promise.allSettled(asked)) {
    t.match(result.status === 'rejected' && result.reason.message, late);
  }
  t.equal(waits, 1);
  await t.rejects(database.ended, late, 'and with it the connection has ended');
});
