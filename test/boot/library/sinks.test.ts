import { pino } from 'pino';
import { test } from 'tap';
import { createCollector, createRuntime, type Logger, systemClock } from '../../../boot/library.ts';
import { parsePrometheusText, total } from '../../harness/prometheus-text.ts';
import { APP, hostTracing, startRuntime } from './start-runtime.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('lines go to a pino of the host, with subsystem, fields and trace ids, and are counted', async (t) => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: 'info', base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const { tracerProvider, spans } = hostTracing();
  const runtime = await startRuntime(t, { logger, tracerProvider });
  await runtime.call('app:say', [], { headers: { traceparent: TRACEPARENT } });
  const [said] = lines.filter((line) => line.msg === 'said');
  t.match(said, { level: 30, subsystem: 'lua', word: 'hello', trace_id: '0af7651916cd43dd8448eb211c80319c' });
  t.equal(said?.span_id, spans()[0]?.spanContext().spanId);
  const counted = async () => total(parsePrometheusText(await runtime.metricsText()), 'runtime_log_emissions_total');
  t.equal(await counted(), lines.length);

  logger.level = 'error';
  await runtime.call('app:say');
  t.equal(lines.filter((line) => line.msg === 'said').length, 1, 'its level is the one that counts');
  t.equal(await counted(), lines.length);
});

test('a logger of our own interface gets subsystem, child fields and context; one that throws harms nobody', async (t) => {
  const seen: string[] = [];
  const make = (path: string): Logger => {
    const write =
      (level: string): Logger['info'] =>
      (message, fields, context) => {
        seen.push(
          `${path} ${level} ${message} ${JSON.stringify(fields?.word)} ${context === undefined ? '' : 'in a call'}`,
        );
        if (path.includes('lua')) throw new Error('the disk is full');
      };
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      enabled: (level) => level !== 'debug',
      child: (fields) => make(`${path}{${Object.keys(fields).join()}}`),
      subsystem: (name) => make(name),
    };
  };
  const runtime = await startRuntime(t, { logger: make('root') });
  t.equal(await runtime.call('app:say'), null);
  t.match(
    seen.find((line) => line.includes('said')),
    /^lua.* info said "hello" in a call$/,
  );
  t.notMatch(seen.join('\n'), / debug /);
  const metrics = parsePrometheusText(await runtime.metricsText());
  t.equal(total(metrics, 'wippy_component_errors_total', { component: 'logs', kind: 'write' }), 1);
});

test('series go to a collector of the host, beside its own, and what is read there is given back', async (t) => {
  const collector = createCollector({ namespace: 'shop', clock: systemClock() });
  const spec = { name: 'carts_total', help: 'Carts.', unit: '{cart}', labels: ['kind'] as const };
  collector.counter(spec).bind({ kind: 'big' }).add(2);
  const first = await startRuntime(t, { collector });
  t.equal(first.collector.namespace, 'shop');
  await first.call('app:echo');
  const text = await first.metricsText();
  t.match(text, /^shop_carts_total\{kind="big"\} 2$/m);
  t.match(text, /^shop_function_calls\{function_id="app:echo",status="success"\} 1$/m);
  t.match(text, /^nodejs_eventloop_lag_seconds /m);

  t.throws(() => createRuntime({ dir: APP, collector }), {
    message: /exists already.* Give each runtime a collector of its own/,
  });
  await first.stop();
  const families = (): string[] => collector.snapshot().families.map(({ name }) => name);
  t.notOk(families().includes('nodejs_eventloop_lag_seconds'), 'nothing is read of a runtime that has stopped');
  t.notOk(families().includes('shop_component_degraded_seconds_total'));

  const second = await startRuntime(t, { collector });
  await second.call('app:echo');
  t.match(await second.metricsText(), /^shop_function_calls\{function_id="app:echo",status="success"\} 2$/m);
});

test('the names of what an app declares are ours from the start: Lua cannot take one before its first use', async (t) => {
  const runtime = await startRuntime(t);
  const lazy = [
    'http_requests_total',
    'http_request_duration_seconds',
    'http_requests_in_flight',
    'http_client_requests_total',
    'http_client_request_duration_seconds',
    'function_killed_total',
    'telemetry_init_errors_total',
  ];
  for (const name of lazy) {
    const taken = runtime.collector.dynamic.gaugeSet(`wippy_${name}`, 1, {});
    t.match(taken, { ok: false, problem: /taken by the runtime/ }, name);
  }
});
