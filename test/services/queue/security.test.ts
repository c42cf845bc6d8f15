import { test } from 'tap';
import { SECURITY } from '../../../services/security/port.ts';
import { poll } from '../../harness/poll.ts';
import { guardedContext } from '../security/guarded-context.ts';
import { type EntryText, lua, surfaceBench } from '../surface-bench.ts';

const WHO = `local actor, scope = security.actor(), security.scope()
  host.note((actor and actor:id() or 'none') .. '/' .. (scope and #scope:policies() or 'none'))`;
const app = (consumer: object = {}): EntryText[] => [
  { id: 'app:driver', kind: 'queue.driver.memory' },
  { id: 'app:jobs', kind: 'queue.queue', driver: 'app:driver' },
  { id: 'app:consumer', kind: 'queue.consumer', queue: 'app:jobs', func: 'app:work', ...consumer },
  lua('app:work', `${WHO}; funcs.call('app:nested')`),
  lua('app:nested', WHO),
  lua('app:publish', `return assert(queue.publish('app:jobs', ...))`),
  policy('app:calls', 'funcs.*'),
  policy('app:publishes', 'queue.publish*'),
];
const policy = (id: string, actions: string): EntryText => ({
  id,
  kind: 'security.policy',
  policy: { actions, resources: '*', effect: 'allow' },
});
type Bench = Awaited<ReturnType<typeof surfaceBench>>;
const delivered = async (bench: Bench) => {
  const security = bench.env.use(SECURITY).serviceContext({
    actor: { id: 'publisher', meta: {} },
    policies: ['app:publishes'],
  });
  await bench.call('app:publish', [1], security);
  await poll('the message is settled', () => bench.lines.some(({ message }) => message === 'message processed'));
  return bench.notes;
};

test("a delivery has its consumer's actor and scope, and so has what it calls", async (t) => {
  const security = { actor: { id: 'svc' }, policies: ['app:calls'] };
  const bench = await surfaceBench(t, app({ lifecycle: { security } }));
  t.same(await delivered(bench), ['svc/1', 'svc/1']);
});

test('a delivery to a consumer without has none, whoever published', async (t) => {
  const bench = await surfaceBench(t, app());
  t.same(await delivered(bench), ['none/none', 'none/none']);
});

test('the checks of publish come in their order, each with its own words', async (t) => {
  const bench = await surfaceBench(t, app());
  const none = guardedContext(() => false);
  const message = 'queue publishing not allowed';
  await t.rejects(bench.call('app:publish', [1], none.context), { kind: 'Invalid', message });
  t.same(none.checks, ['queue.publish ']);
  const other = guardedContext((action) => action === 'queue.publish');
  const denied = { kind: 'Invalid', message: 'not allowed to publish to queue: app:jobs' };
  await t.rejects(bench.call('app:publish', [1], other.context), denied);
  t.same(other.checks, ['queue.publish ', 'queue.publish.queue app:jobs']);
  await bench.call('app:publish', [1], guardedContext(() => true).context);
});
