import { test } from 'tap';
import { poll } from '../../harness/poll.ts';
import type { LoggedLine } from '../surface-bench.ts';
import { lua } from '../surface-bench.ts';
import { actor, IDLE, processBench } from './process-bench.ts';

const ofProcesses = (lines: readonly LoggedLine[]) =>
  lines
    .filter(({ fields }) => fields.subsystem === 'process')
    .map(({ level, message, fields }) => ({ level, message, pid: fields.pid, error: fields.error }));

test('rule 118: one line per end: debug when it is well, error when it is not, with the pid', async (t) => {
  const bench = await processBench(t, [
    actor('app:good', 'return 1'),
    actor('app:false', 'return false'),
    actor('app:raises', 'error("boom")'),
    actor('app:refuses', 'return nil, "no"'),
  ]);
  const pids = ['app:good', 'app:false', 'app:raises', 'app:refuses'].map((id) => bench.spawn(id));
  await bench.ended(4);
  const lines = ofProcesses(bench.lines);
  t.equal(lines.length, 4);
  t.match(
    pids.map((pid) => lines.find((one) => one.pid === pid)),
    [
      { level: 'debug', error: undefined },
      { level: 'debug', error: undefined },
      { level: 'error', error: /boom/ },
      { level: 'error', error: 'no' },
    ],
  );
  t.match(bench.lines.map(({ fields }) => fields.process).sort(), [
    'app:false',
    'app:good',
    'app:raises',
    'app:refuses',
  ]);
});

test('rule 71: cancel of one that has not run yet, of one that waits, and of one that is gone', async (t) => {
  const bench = await processBench(t, [
    actor('app:idle', `return ({ ${IDLE} })[1].kind`),
    lua('app:cancel', 'local ok, err = process.cancel((...), "why"); return ok or err:kind()', { modules: [] }),
  ]);
  const { processes, recorder } = bench;
  const seen = () => ({
    spans: recorder.spans({ name: 'app:idle.cancel' }).length,
    lines: ofProcesses(bench.lines).filter(({ level }) => level !== 'debug'),
  });
  // Not run yet: the event waits for it.
  const queued = bench.spawn('app:idle');
  t.equal(processes.processes('app:host')[0]?.steps, 0);
  t.equal(processes.cancel(queued, 'why'), true);
  t.same(seen(), { spans: 1, lines: [{ level: 'info', message: 'process cancelled', pid: queued, error: undefined }] });
  await bench.ended(1);
  t.same(bench.rows('process_terminated_total'), ['result=completed 1'], 'it has ended by itself, in its own time');

  const running = bench.spawn('app:idle');
  // More than one where it had to give way, on a machine that was busy.
  await poll('it has run', () => (processes.processes('app:host')[0]?.steps ?? 0) >= 1);
  t.equal(await bench.call('app:cancel', [running]), true);
  t.match(seen(), { spans: 2, lines: [{}, { level: 'info', pid: running }] });
  await bench.ended(2);
  t.same(bench.rows('process_terminated_total'), ['result=completed 2']);

  t.equal(await bench.call('app:cancel', [running]), 'NotFound');
  t.match(seen(), {
    spans: 3,
    lines: [{}, {}, { level: 'warn', pid: running, error: 'process not found' }],
  });
  const [, , last] = recorder.spans({ name: 'app:idle.cancel' });
  t.match(last, { status: 'unset', attributes: { 'lua.process.id': running } });
  t.equal(seen().lines.length, 3, 'one line each');
});

test('rule 71: terminate of one that has not run yet, of one that waits, and of one that is gone', async (t) => {
  const bench = await processBench(t, [actor('app:idle', `host.note("ran"); ${IDLE}`)]);
  const { processes, recorder } = bench;
  const loud = () => ofProcesses(bench.lines).filter(({ level }) => level !== 'debug');

  const queued = bench.spawn('app:idle');
  t.equal(processes.terminate(queued), true);
  await bench.ended(1);
  t.same(bench.notes, [], 'it never ran');
  t.same(processes.processes('app:host'), []);
  t.match(loud(), [{ level: 'info', message: 'process cancelled', pid: queued }]);

  const running = bench.spawn('app:idle');
  await poll('it waits', () => bench.notes.length === 1);
  t.equal(processes.terminate(running), true);
  await bench.ended(2);
  t.match(loud(), [{}, { level: 'info', pid: running }]);
  t.equal(processes.terminate(running), false);
  t.match(loud(), [{}, {}, { level: 'warn', pid: running, error: 'process not found' }]);
  t.equal(loud().length, 3, 'its end itself is a debug line');
  t.equal(ofProcesses(bench.lines).length, 5);

  t.same(bench.rows('process_terminated_total'), ['result=error 2']);
  const cancels = recorder.spans({ name: 'app:idle.cancel' });
  t.equal(cancels.length, 3);
  for (const [i, long] of recorder.spans({ name: 'app:idle' }).entries()) {
    t.match(long, { status: 'error', statusMessage: 'process terminated', links: [{ spanId: cancels[i]?.spanId }] });
  }
});

test('rule 55: what a process does in the background is in the trace of its life, however long it takes', async (t) => {
  const bench = await processBench(t, [
    lua('app:called', 'return 1'),
    actor(
      'app:busy',
      `local done = channel.new()
       for _ = 1, 3 do
         coroutine.spawn(function() host.sleep(5); require("funcs").new():call("app:called"); done:send(true) end)
       end
       for _ = 1, 3 do done:receive() end`,
      { modules: ['funcs'] },
    ),
    lua('app:spawner', 'return assert(process.spawn("app:busy", "app:host"))', { modules: [] }),
  ]);
  await bench.call('app:spawner');
  await bench.ended(1);
  const long = bench.recorder.span({ name: 'app:busy' });
  const calls = bench.recorder.spans({ name: 'app:called' });
  t.equal(calls.length, 3);
  for (const call of calls) t.equal(call.parentSpanId, long.spanId);
  t.equal(long.links[0]?.spanId, bench.recorder.span({ name: 'app:spawner' }).spanId);
});
