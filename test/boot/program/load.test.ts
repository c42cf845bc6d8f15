import { test } from 'tap';
import { startLab, sum } from './lab.ts';

const HANDLERS = 500;
/** The issue asks for one second to be ready and two for all of them; sixteen times that is a failure (rule 138). */
const READY_MS = 16_000;
const ALL_MS = 32_000;

test('500 slow handlers wait at once and all answer; ready soon after the start', { timeout: 60_000 }, async (t) => {
  const lab = await startLab(t, { env: { LOG_LEVEL: 'error' } });
  t.comment(`ready after ${Math.round(lab.readyMs)} ms`);
  t.ok(lab.readyMs < READY_MS);
  const began = performance.now();
  const answers = Array.from({ length: HANDLERS }, () => lab.send('/slow?for=1s'));
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  const ms = performance.now() - began;
  t.comment(`${HANDLERS} handlers of one second each answered in ${Math.round(ms)} ms`);
  t.same([...new Set(statuses)], [200]);
  t.equal(statuses.length, HANDLERS);
  t.ok(ms >= 1000 && ms < ALL_MS, `${ms} ms`);
  const metrics = await lab.scrape();
  t.equal(sum(metrics, 'wippy_http_requests_total', { status: '200' }), HANDLERS);
  t.equal(sum(metrics, 'wippy_function_in_flight'), 0);
  t.equal((await lab.stop()).code, 0);
});
