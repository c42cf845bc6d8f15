import { test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { type Logger, silentLogger } from '../../../runtime/logger.ts';
import { createCollector } from '../../../runtime/metrics/core.ts';
import { eventBus } from '../../../services/events/bus.ts';
import { eventMeters } from '../../../services/events/instruments.ts';
import type { BusEvent } from '../../../services/events/port.ts';

const bench = (maxSubscribers = 100) => {
  const collector = createCollector({ namespace: 'wippy', clock: systemClock() });
  const lines: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (message) => void lines.push(`warn ${message}`),
    error: (message, fields) => void lines.push(`error ${message}: ${fields?.error}`),
  };
  const bus = eventBus({ maxSubscribers, meters: eventMeters(collector), logger });
  const rows = (name: string): string[] =>
    (collector.snapshot().families.find((family) => family.name === name)?.series ?? []).map(
      (one) => `${one.labelNames.map((label, i) => `${label}=${one.labelValues[i]}`).join(',')} ${one.value}`,
    );
  return { bus, lines, rows };
};
const sent = (system: string, kind = 'k', data?: unknown) => ({ system, kind, path: `${system}/${kind}`, data });

test('patterns of system and kind: everything, a prefix, the exact text', (t) => {
  const { bus } = bench();
  const heard = new Map<string, string[]>();
  for (const [system, kind] of [
    ['', ''],
    ['*', '*'],
    ['a', ''],
    ['a.*', ''],
    ['a*', 'x'],
    ['a', 'x.*'],
    ['**', ''],
  ] as const) {
    const paths: string[] = [];
    heard.set(`${system} ${kind}`, paths);
    bus.subscribe(system, kind, ({ path }) => paths.push(path));
  }
  for (const [system, kind] of [
    ['a', 'x'],
    ['a', 'x.y'],
    ['a.b', 'x'],
    ['ab', 'y'],
    ['b', 'x'],
    ['*', 'x'],
  ] as const)
    bus.send(sent(system, kind));
  const all = ['a/x', 'a/x.y', 'a.b/x', 'ab/y', 'b/x', '*/x'];
  t.same(Object.fromEntries(heard), {
    ' ': all,
    '* *': all,
    'a ': ['a/x', 'a/x.y'],
    'a.* ': ['a.b/x'],
    'a* x': ['a/x', 'a.b/x'],
    'a x.*': ['a/x.y'],
    '** ': ['*/x'],
  });
  t.end();
});

test('a subscription ends with its function, once; those of the same pattern stay', (t) => {
  const { bus, rows } = bench();
  const heard: string[] = [];
  const ends = ['a', 'a', 'a*'].map((system, i) => bus.subscribe(system, '', () => heard.push(`${i}`)));
  t.same(rows('eventbus_subscribers_active'), [' 3']);
  ends[0]?.();
  ends[0]?.();
  bus.send(sent('a'));
  t.same(heard, ['1', '2']);
  t.same(rows('eventbus_subscribers_active'), [' 2']);
  for (const end of ends) end();
  bus.send(sent('a'));
  t.same(heard, ['1', '2']);
  t.same(rows('eventbus_subscribers_active'), [' 0']);
  t.end();
});

test('who subscribes while an event is handed out does not get it, and who leaves gets it no more', (t) => {
  const { bus } = bench();
  const heard: string[] = [];
  const endSecond = { call: (): void => {} };
  bus.subscribe('a', '', ({ kind }) => {
    heard.push(`first ${kind}`);
    if (kind !== '1') return;
    bus.subscribe('a', '', (event) => heard.push(`late ${event.kind}`));
    endSecond.call();
  });
  endSecond.call = bus.subscribe('a', '', ({ kind }) => heard.push(`second ${kind}`));
  bus.send(sent('a', '1'));
  bus.send(sent('a', '2'));
  t.same(heard, ['first 1', 'first 2', 'late 2']);
  t.end();
});

test('beyond max_subscribers: Unavailable, counted each time, told once an episode', (t) => {
  const { bus, lines, rows } = bench(2);
  bus.subscribe('a', '', () => {});
  const end = bus.subscribe('b*', '', () => {});
  t.same(rows('eventbus_subscribers_rejected_total'), [], 'no series before its first use');
  const refused = { kind: 'Unavailable', retryable: true, message: /events\.max_subscribers/ };
  t.throws(() => bus.subscribe('c', '', () => {}), refused);
  t.throws(() => bus.subscribe('c', '', () => {}), refused);
  t.same(rows('eventbus_subscribers_rejected_total'), ['reason=cap 2']);
  t.equal(lines.length, 1);
  end();
  bus.subscribe('c', '', () => {});
  t.throws(() => bus.subscribe('d', '', () => {}), refused);
  t.equal(lines.length, 2, 're-armed by the one that found a place');
  t.same(rows('eventbus_subscribers_active'), [' 2']);
  t.end();
});

test('a receiver that fails fails neither the sender nor the others, and is told once an episode', (t) => {
  const { bus, lines } = bench();
  const heard: string[] = [];
  bus.subscribe('a', '', ({ kind }) => {
    if (kind === 'bad') throw new Error('broken');
  });
  bus.subscribe('a', '', ({ kind }) => heard.push(kind));
  for (const kind of ['bad', 'bad', 'good', 'bad']) bus.send(sent('a', kind));
  t.same(heard, ['bad', 'bad', 'good', 'bad']);
  t.same(lines, Array(2).fill('error a receiver of events has failed: broken'));
  t.end();
});

test('data is copied once for all receivers, and not at all where there is none', (t) => {
  const { bus, rows } = bench();
  let reads = 0;
  const data = {
    get n() {
      reads += 1;
      return 1;
    },
  };
  bus.send(sent('a', 'k', data));
  t.equal(reads, 0);
  t.same(rows('eventbus_events_total'), []);
  const heard: BusEvent[] = [];
  for (const _ of [1, 2]) bus.subscribe('a', '', (event) => heard.push(event));
  bus.send(sent('a', 'k', data));
  t.equal(reads, 1);
  t.same(heard, Array(2).fill({ system: 'a', kind: 'k', path: 'a/k', data: { n: 1 } }));
  bus.send(sent('a'));
  t.notOk('data' in (heard.at(-1) ?? {}), 'absent when none was sent');
  t.same(rows('eventbus_events_total'), ['reason=none,result=delivered 4']);
  t.end();
});

test('who publishes in a final form can ask whether anybody hears it, and it is handed on as it is', (t) => {
  const { bus } = bench();
  t.notOk(bus.isHeard('a', 'x'));
  const heard: BusEvent[] = [];
  const ends = [
    bus.subscribe('a', 'x', (event) => heard.push(event)),
    bus.subscribe('b*', '', (event) => heard.push(event)),
  ];
  for (const [system, kind, isHeard] of [
    ['a', 'x', true],
    ['a', 'y', false],
    ['b.c', 'y', true],
    ['c', 'x', false],
  ] as const) {
    t.equal(bus.isHeard(system, kind), isHeard, `${system} ${kind}`);
    const before = heard.length;
    bus.publish({ system, kind, path: 'p' });
    t.equal(heard.length > before, isHeard, 'as it then is');
  }
  const data = { row: { n: 1 } };
  bus.publish({ system: 'a', kind: 'x', path: 'p', data });
  t.equal(heard.at(-1)?.data, data, 'not a copy');
  for (const end of ends) end();
  t.notOk(bus.isHeard('a', 'x'));
  t.notOk(bus.isHeard('b.c', 'y'));
  t.end();
});
