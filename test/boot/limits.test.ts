import { test } from 'tap';
import type { CallError } from '../../runtime/errors.ts';
import { functionsFile, programIn } from '../harness/in-process.ts';
import { type Exposition, total } from '../harness/prometheus-text.ts';

const SPIN = 'while true do pcall(function() while true do end end) end';
const INNER =
  'local co = coroutine.wrap(function() pcall(function() while true do end end) end); while true do pcall(co) end';
const WORK = 'local n = 0; for i = 1, 50000 do n = n + 1 end; return n';
const text = (bytes: number): string => `return {text = string.rep('x', ${bytes})}`;

const killed = (metrics: Exposition, name: string, reason: string): number | undefined =>
  total(metrics, 'wippy_function_killed_total', { function_id: `app:${name}`, reason });

test('limits of function.lua: over each the call is Internal, counted, and its span has ended', async (t) => {
  const functions = {
    cpu: { body: SPIN, more: { limits: { cpu_ms: 30 } } },
    instructions: { body: INNER, more: { limits: { instructions: 20_000 } } },
    result: { body: text(2000), more: { limits: { result_bytes: 1000 } } },
  };
  const program = await programIn(t, t.testdir({ '_index.yaml': functionsFile(functions) }));
  const messages = {
    cpu: 'limit exceeded: cpu_ms 30 in app:cpu',
    instructions: 'limit exceeded: instructions 20000 in app:instructions',
    result: 'limit exceeded: result_bytes 1000 in app:result',
  };
  for (const [name, message] of Object.entries(messages)) {
    await t.rejects(program.call(`app:${name}`), { kind: 'Internal', retryable: false, message });
    const span = program.recorder.span({ name: `app:${name}` });
    t.match(span, { status: 'error', attributes: { 'error.type': 'Internal' } });
    t.equal(span.events[0]?.attributes['exception.message'], message);
  }
  const metrics = await program.scrape();
  for (const name of Object.keys(messages)) {
    t.equal(killed(metrics, name, name), 1, name);
    t.equal(total(metrics, 'wippy_function_in_flight', { function_id: `app:${name}` }), 0);
    t.equal(total(metrics, 'wippy_function_calls', { function_id: `app:${name}`, status: 'error' }), 1);
  }
  t.equal(total(metrics, 'wippy_function_killed_total'), 3, 'and under no other reason');
});

test('a limit counts between two host yields', async (t) => {
  const body = `for i = 1, 20 do for j = 1, 1000 do end; time.sleep('1ms') end; return 'done'`;
  const program = await programIn(
    t,
    t.testdir({ '_index.yaml': functionsFile({ f: { body, more: { limits: { instructions: 5000 } } } }) }),
  );
  t.equal(await program.call('app:f'), 'done');
});

test('a killed call is one failure to its caller, who goes on', async (t) => {
  const functions = {
    outer: {
      body: `local v, e = funcs.call('app:spin'); return e:kind() .. ' ' .. tostring(e:retryable()) .. ' ' .. e:message()`,
    },
    spin: { body: SPIN, more: { limits: { instructions: 20_000 } } },
  };
  const program = await programIn(t, t.testdir({ '_index.yaml': functionsFile(functions) }));
  t.equal(await program.call('app:outer'), 'Internal false limit exceeded: instructions 20000 in app:spin');
  const metrics = await program.scrape();
  t.equal(killed(metrics, 'spin', 'instructions'), 1);
  t.equal(killed(metrics, 'outer', 'instructions'), undefined);
});

test('rule 51: lua.budget of the boot file is for functions without limits of their own, key by key', async (t) => {
  const functions = {
    spin: { body: SPIN },
    result: { body: text(2000) },
    // Its own limits win, and 0 lifts one.
    own: { body: WORK, more: { limits: { instructions: 0 } } },
    half: { body: text(2000), more: { limits: { instructions: 0 } } },
    large: { body: text(2000), more: { limits: { result_bytes: 5000 } } },
  };
  const set = { 'lua.budget.instructions': 20_000, 'lua.budget.result_bytes': 1000 };
  const dir = t.testdir({ '_index.yaml': functionsFile(functions) });
  const program = await programIn(t, dir, { set });
  const failure = (name: string): Promise<string> =>
    program.call(`app:${name}`).then(
      () => 'none',
      (error: CallError) => error.message,
    );
  t.equal(await failure('spin'), 'limit exceeded: instructions 20000 in app:spin');
  t.equal(await failure('result'), 'limit exceeded: result_bytes 1000 in app:result');
  t.equal(await failure('own'), 'none');
  t.equal(await failure('half'), 'limit exceeded: result_bytes 1000 in app:half');
  t.equal(await failure('large'), 'none');
  const metrics = await program.scrape();
  t.equal(killed(metrics, 'spin', 'instructions'), 1);
  t.equal(killed(metrics, 'result', 'result'), 1);

  const roomy = await programIn(t, dir);
  t.match(await roomy.call('app:result'), { map: Object }, 'by default 64 MiB');
  const quick = await programIn(t, dir, { set: { 'lua.budget.cpu_ms': 40 } });
  await t.rejects(quick.call('app:spin'), { message: 'limit exceeded: cpu_ms 40 in app:spin' });
  t.equal(killed(await quick.scrape(), 'spin', 'cpu'), 1);
});

test('result_bytes: 16 for every value that is no text, and the bytes of what is', async (t) => {
  const functions = {
    numbers: {
      body: `local a = {}; for i = 1, ... do a[i] = i end; return a`,
      more: { limits: { result_bytes: 3200 } },
    },
    bytes: { body: `return string.rep('é', ...)`, more: { limits: { result_bytes: 100 } } },
  };
  const program = await programIn(t, t.testdir({ '_index.yaml': functionsFile(functions) }));
  await program.call('app:numbers', [90]); // 90 keys and 90 values, and the table
  await t.rejects(program.call('app:numbers', [110]), { message: /^limit exceeded: result_bytes 3200/ });
  t.equal(await program.call('app:bytes', [50]), 'é'.repeat(50));
  await t.rejects(program.call('app:bytes', [51]), { message: /^limit exceeded: result_bytes 100/ });
});

test('what is published counts against result_bytes too', async (t) => {
  const file = JSON.parse(
    functionsFile({
      publish: {
        body: `return queue.publish('app:jobs', {text = string.rep('x', ...)})`,
        more: { modules: ['queue'], limits: { result_bytes: 1000 } },
      },
    }),
  );
  file.entries.push(
    { name: 'driver', kind: 'queue.driver.memory', lifecycle: { auto_start: true } },
    { name: 'jobs', kind: 'queue.queue', driver: 'app:driver' },
  );
  const program = await programIn(t, t.testdir({ '_index.yaml': JSON.stringify(file) }));
  t.equal(await program.call('app:publish', [500]), true);
  await t.rejects(program.call('app:publish', [1500]), { message: 'limit exceeded: result_bytes 1000 in app:publish' });
  const metrics = await program.scrape();
  t.equal(killed(metrics, 'publish', 'result'), 1);
  t.equal(total(metrics, 'wippy_queue_depth', { queue: 'app:jobs' }), 1, 'and is not published');
});
