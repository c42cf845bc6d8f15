import { EVENTS } from '../../services/events/port.ts';
import { luaChanges } from '../by-hand/changes.ts';
import { processorTime } from '../measure.ts';
import { startReplication } from '../peers/logical-replication.ts';
import { answer } from './answer.ts';
import { type BenchDatabase, CHANGES, changeMaker } from './changes-database.ts';
import { startProgram } from './program.ts';

const [what, side, connection = '', endpoint = ''] = process.argv.slice(2) as [
  'decode' | 'lua',
  string,
  string,
  string,
];
const database = JSON.parse(connection) as BenchDatabase;
const makeChanges = await changeMaker(database);

let seen = 0;
let quantities = 0;
let onHandled = (): void => {};
/** What a subscriber does with each change: counts it and looks into its row. */
const take = (quantity: unknown): void => {
  seen += 1;
  if (quantity !== undefined) quantities += Number(quantity);
  if (seen === CHANGES) onHandled();
};

const ours = async (): Promise<void> => {
  const program = await startProgram(what === 'decode' ? 'changes' : 'changes-lua', 'unsampled', endpoint, {
    BENCH_HOST: database.host,
    BENCH_PORT: String(database.port),
    BENCH_DATABASE: database.database,
    BENCH_USERNAME: database.username,
    BENCH_PASSWORD: database.password,
  });
  const events = program.use(EVENTS);
  if (what === 'lua') events.subscribe('bench', 'handled', () => onHandled());
  else {
    events.subscribe('postgres_cdc', 'change', ({ data }) => {
      const { after } = data as { readonly after?: { readonly quantity: string } };
      take(after?.quantity);
    });
  }
};
const peer = (): Promise<void> => {
  const handle = what === 'lua' ? luaChanges(() => onHandled()) : undefined;
  return startReplication(database, {
    slot: 'by_hand',
    publication: 'by_hand',
    onMessage:
      handle ??
      ((_lsn, message) => {
        if (message.tag === 'insert' || message.tag === 'update') take(message.new.quantity);
        else if (message.tag === 'delete') take(undefined);
      }),
  });
};
await (side === 'ours' ? ours() : peer());

/** Changes per second of this process's processor time, from the first that is made until the last is handled. */
answer(async () => {
  globalThis.gc?.();
  seen = 0;
  quantities = 0;
  const handled = new Promise<void>((resolve) => {
    onHandled = resolve;
  });
  const before = processorTime();
  await Promise.all([makeChanges(), handled]);
  const taken = processorTime() - before;
  if (what === 'decode' && !(quantities > 0)) throw new Error('the changes hold no quantities');
  return (CHANGES * 1000) / taken;
});
