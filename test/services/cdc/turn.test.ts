import { test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { connectDatabase } from '../../../services/cdc/postgres/database.ts';
import { takeTurn } from '../../../services/cdc/postgres/turn.ts';
import { POSTGRES_MISSING, startPostgres } from '../../harness/postgres.ts';

test('the turn at a slot', async (t) => {
  const server = await startPostgres(t);
  if (server === undefined) {
    t.plan(0, POSTGRES_MISSING);
    return;
  }
  const { host, port, database, username: user, password } = server;
  const clock = systemClock();
  const connect = async () => {
    const made = await connectDatabase([{ host, port, database, user, password }], clock);
    t.teardown(() => made.close().catch(() => {}));
    return made;
  };
  const stop = new AbortController();
  const take = (from: Awaited<ReturnType<typeof connect>>, slot: string, former?: number, signal = stop.signal) => {
    const stood = Promise.withResolvers<string>();
    const standBy = (): void => stood.resolve('stands by');
    const taken = takeTurn(from, {
      slot,
      clock,
      former: new Set(former === undefined ? [] : [former]),
      standBy,
      signal,
    }).then(() => 'taken');
    taken.catch(() => {}); // it is looked at by whoever cares
    return { first: Promise.race([taken, stood.promise]), taken };
  };

  const [one, two, three] = [await connect(), await connect(), await connect()];
  t.equal(await take(one, 'a').first, 'taken');
  const waiting = take(two, 'a');
  t.equal(await waiting.first, 'stands by');
  t.equal(await take(two, 'b').first, 'taken', 'another slot is another turn');
  const gone = new AbortController();
  const third = take(three, 'a', two.processId, gone.signal);
  t.equal(await third.first, 'stands by', 'a process that does not hold it is left alone');
  gone.abort(new Error('gone'));
  await t.rejects(third.taken, { message: 'gone' });
  await one.close();
  t.equal(await waiting.taken, 'taken', 'it ends with the connection');

  const back = await connect();
  const own = take(back, 'a', two.processId);
  t.equal(await own.taken, 'taken', 'the turn of our own former connection is ended');
  await t.rejects(two.ended);
  stop.abort(new Error('stopped'));
  const late = take(await connect(), 'a');
  await t.rejects(late.taken, { message: 'stopped' });
});
