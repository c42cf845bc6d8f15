import { test } from 'tap';
import { internal, unavailable } from '../../../runtime/errors.ts';
import { end, POLICY, supervisorBench } from './bench.ts';

const failing = (message: string) => async (): Promise<void> => {
  throw new Error(message);
};

test('what an entry needs is started for it, and stopped after it', async (t) => {
  const bench = supervisorBench();
  bench.actor('web', { needs: ['db'] });
  bench.actor('db', { needs: ['disk'], autoStart: false });
  bench.actor('disk', { autoStart: false });
  bench.actor('idle', { autoStart: false });
  const supervisor = bench.supervise();
  await supervisor.start();
  await supervisor.stop(1000);
  t.same(bench.steps, ['start disk 0', 'start db 0', 'start web 0', 'stop web 0', 'stop db 0', 'stop disk 0']);
});

test('dependents go on while what they need is started again', async (t) => {
  const bench = supervisorBench();
  const db = bench.actor('db');
  bench.actor('web', { needs: ['db'] });
  const supervisor = bench.supervise();
  await supervisor.start();
  await supervisor.open();
  await end(db, unavailable('lost'));
  t.match(supervisor.state('web'), { status: 'running' });
  await bench.pass(100);
  t.same(bench.steps.slice(4), ['stop db 100', 'start db 100', 'open db 100']);
  await end(db, internal('for good'));
  t.match(supervisor.states(), [
    { id: 'db', status: 'failed' },
    { id: 'web', status: 'running' },
  ]);
});

test('a required one that cannot start fails the boot, and is not tried again', async (t) => {
  const bench = supervisorBench();
  const db = bench.actor('db');
  db.next.start = failing('refused');
  const supervisor = bench.supervise();
  await t.rejects(supervisor.start(), { name: 'StartError', message: 'db could not start: refused' });
  await bench.pass(10_000);
  t.same(bench.steps, ['start db 0']);
  t.match(supervisor.state('db'), { status: 'failed', details: 'refused' });
  t.same(bench.told, ['db error init', 'db degraded']);
});

test('a required one that cannot open fails the boot', async (t) => {
  const bench = supervisorBench();
  const web = bench.actor('web');
  web.next.open = failing('in use');
  const supervisor = bench.supervise();
  await supervisor.start();
  await t.rejects(supervisor.open(), { name: 'StartError', message: 'web could not open: in use' });
});

test('an optional one that cannot start is logged once, and tried again until it runs', async (t) => {
  const bench = supervisorBench();
  const cache = bench.actor('cache', { startup: 'optional' });
  bench.actor('web');
  cache.always.start = failing('refused');
  const supervisor = bench.supervise();
  await supervisor.start();
  await supervisor.open();
  t.same(bench.steps, ['start cache 0', 'start web 0', 'open web 0']);
  t.match(supervisor.state('cache'), { status: 'starting', retryCount: 1, details: 'refused' });
  await bench.pass(100);
  await bench.pass(200);
  t.same(bench.at('error'), ['cache could not start: refused']);
  delete cache.always.start;
  await bench.pass(400);
  t.match(supervisor.state('cache'), { status: 'running' });
  t.same(bench.steps.slice(-3), ['stop cache 700', 'start cache 700', 'open cache 700']);
  t.same(bench.told.slice(-2), ['cache restarted', 'cache well']);
});

test('an optional one that cannot open is tried again from its start', async (t) => {
  const bench = supervisorBench();
  const web = bench.actor('web', { startup: 'optional' });
  web.next.open = failing('in use');
  const supervisor = bench.supervise();
  await supervisor.start();
  await supervisor.open();
  t.same(bench.at('error'), ['web could not open: in use']);
  await bench.pass(100);
  t.same(bench.steps, ['start web 0', 'open web 0', 'stop web 100', 'start web 100', 'open web 100']);
  t.match(supervisor.state('web'), { status: 'running' });
});

test('what needs an optional one that could not start is started once that runs', async (t) => {
  const bench = supervisorBench();
  const db = bench.actor('db', { startup: 'optional' });
  bench.actor('cache', { startup: 'optional', needs: ['db'] });
  bench.actor('warm', { startup: 'optional', needs: ['cache'] });
  db.next.start = failing('refused');
  const supervisor = bench.supervise();
  await supervisor.start();
  await supervisor.open();
  t.same(bench.at('error'), [
    'db could not start: refused',
    'cache could not start: it needs db, which could not start',
    'warm could not start: it needs cache, which could not start',
  ]);
  t.match(supervisor.state('warm'), { status: 'starting', desired: 'running', retryCount: 0 });
  await bench.pass(100);
  t.same(bench.steps.slice(1), [
    'stop db 100',
    'start db 100',
    'open db 100',
    'start cache 100',
    'open cache 100',
    'start warm 100',
    'open warm 100',
  ]);
  t.same(
    bench.told.filter((one) => one.endsWith('restarted')),
    ['db restarted'],
    'a first start is no restart',
  );
  await supervisor.stop(1000);
  t.same(bench.steps.slice(-3), ['stop warm 100', 'stop cache 100', 'stop db 100']);
});

test('what waits for one that fails for good has failed as well', async (t) => {
  const bench = supervisorBench();
  const db = bench.actor('db', { startup: 'optional', restart: { ...POLICY, maxAttempts: 1 } });
  bench.actor('cache', { startup: 'optional', needs: ['db'] });
  bench.actor('warm', { startup: 'optional', needs: ['cache'] });
  db.always.start = failing('refused');
  const supervisor = bench.supervise();
  await supervisor.start();
  t.match(supervisor.state('warm'), { status: 'starting' });
  await bench.pass(100);
  t.same(
    supervisor.states().map(({ status }) => status),
    ['failed', 'failed', 'failed'],
  );
  t.same(await supervisor.stop(1000), []);
  t.same(bench.steps, ['start db 0', 'stop db 100', 'start db 100', 'stop db 100'], 'the others never began');
});

test('a required one that needs what could not start fails the boot', async (t) => {
  const bench = supervisorBench();
  const db = bench.actor('db', { startup: 'optional' });
  bench.actor('web', { needs: ['db'] });
  db.next.start = failing('refused');
  await t.rejects(bench.supervise().start(), { message: 'web could not start: it needs db, which could not start' });
});

test('a stop ends the waiting of what was never started', async (t) => {
  const bench = supervisorBench();
  const db = bench.actor('db', { startup: 'optional' });
  bench.actor('cache', { startup: 'optional', needs: ['db'] });
  db.always.start = failing('refused');
  const supervisor = bench.supervise();
  await supervisor.start();
  await supervisor.drain(1000);
  await supervisor.stop(1000);
  await bench.pass(10_000);
  t.same(bench.steps, ['start db 0', 'stop db 0']);
  t.match(supervisor.state('cache'), { status: 'stopped', desired: 'stopped' });
});
