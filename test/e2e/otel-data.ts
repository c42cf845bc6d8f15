import type { ReadAttributes, ReadSpan } from '../harness/otlp-spans.ts';
import type { Backends } from './backends.ts';
import type { Checks } from './checks.ts';
import { DATABASES, STORES } from './data-steps.ts';

const idOf = ({ traceId, spanId }: { readonly traceId: string; readonly spanId: string }): string =>
  `${traceId}/${spanId}`;
const withKeys = (attributes: ReadAttributes, keys: readonly string[]): unknown[] =>
  keys.map((key) => attributes[key] ?? null);
const inOrder = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

/** What the handlers of one transaction of /changes have: collection, operation, attempt, error. */
const HANDLED: readonly (readonly [func: string, ...rest: (string | number | null)[]])[] = [
  ['e2e:on_item', 'public.items', 'insert', 1, null],
  ['e2e:on_item', 'public.items', 'insert', 1, 'Unavailable'],
  ['e2e:on_item', 'public.items', 'insert', 2, null],
  ['e2e:on_item', 'public.items', 'insert', 1, 'Unavailable'],
  ['e2e:on_item', 'public.items', 'insert', 2, 'Unavailable'],
  ['e2e:on_item', 'public.items', 'edit', 1, null],
  ['e2e:on_item', 'public.items', 'delete', 1, null],
  ['e2e:on_fragile', 'public.fragile', 'insert', null, 'Internal'],
];
const DOCUMENT = ['faas.document.name', 'faas.document.operation', 'wippy.attempt', 'error.type'];

/** A row becomes a change, whose handler's trace links to the request; `at`: which spans are the change's. */
export const checkChanges = (checks: Checks, spans: readonly ReadSpan[], { postgres }: Backends): void => {
  const handlers = spans.filter(({ name }) => name === 'e2e:on_item' || name === 'e2e:on_fragile');
  const writers = spans.filter(({ name }) => name === 'e2e:changes');
  for (const writer of writers) {
    const caused = handlers.filter(({ links }) => links.some((link) => idOf(link) === idOf(writer)));
    checks.equal(
      inOrder(caused.map(({ name, attributes }) => [name, ...withKeys(attributes, DOCUMENT)])),
      inOrder(HANDLED),
      "every change of a request's transaction has a handler span with a link to the request's function",
    );
    checks.ok(
      caused.every(({ links, traceId }) => links.length === 1 && traceId !== writer.traceId),
      'one link each, from a trace of its own',
    );
  }
  const unmarked = handlers.filter(({ links }) => links.length === 0);
  checks.equal(
    inOrder(unmarked.map(({ attributes }) => attributes['faas.document.operation'])),
    inOrder(['insert', ...writers.map(() => 'delete')]),
    'a row of the snapshot and a statement outside a transaction have no link',
  );
  checks.equal(
    handlers.filter(
      ({ kind, attributes }) =>
        kind === 'consumer' &&
        attributes['faas.trigger'] === 'datasource' &&
        attributes['faas.document.collection'] === postgres.database &&
        !Number.isNaN(Date.parse(String(attributes['faas.document.time']))),
    ).length,
    handlers.length,
    'each is a Consumer span that says what caused it: database, table, operation and time',
  );
};

const MESSAGING = ['messaging.system', 'messaging.operation.type', 'messaging.destination.name'];
/** Both drivers show the same spans. */
export const checkDeliveries = (checks: Checks, spans: readonly ReadSpan[]): void => {
  for (const [driver, system] of [
    ['memory', 'perilune'],
    ['redis', 'redis'],
  ] as const) {
    const queue = `e2e:jobs.${driver}`;
    const producers = spans.filter(({ name }) => name === `${queue}.publish`);
    checks.ok(
      producers.length > 0 &&
        producers.every(({ attributes }) => withKeys(attributes, MESSAGING).join() === [system, 'send', queue].join()),
      `${driver}: producer spans have messaging.*`,
      producers[0],
    );
    const errors = producers.filter(({ status }) => status === 'error');
    checks.ok(
      errors.length > 0 && errors.every(({ attributes }) => attributes['error.type'] === 'Internal'),
      `${driver}: a publish that cannot be encoded is an error with its type`,
      errors,
    );
    const byId = new Map(producers.map((span) => [span.attributes['messaging.message.id'], span]));
    const consumers = spans
      .filter(({ attributes }) => attributes['messaging.destination.name'] === queue)
      .filter(({ kind }) => kind === 'consumer');
    checks.ok(
      consumers.length > 0 &&
        consumers.every((span) => {
          const producer = byId.get(span.attributes['messaging.message.id'] as string);
          return (
            producer?.spanId === span.parentId &&
            withKeys(span.attributes, MESSAGING).join() === [system, 'process', queue].join()
          );
        }),
      `${driver}: every consumer span is the child of its message's producer span`,
      consumers[0],
    );
    const attempts = consumers.map(({ attributes }) => attributes['messaging.message.delivery_attempt']);
    checks.equal(
      [attempts.filter((attempt) => attempt === 2).length * 2, attempts.filter((one) => one === undefined).length],
      [consumers.length * (2 / 3), consumers.length * (2 / 3)],
      `${driver}: redeliveries say which attempt they are`,
    );
  }
};

/** The attributes that spans of KV, SQL and CDC have where they are switched on: exactly these. */
export const checkDataAttributes = (checks: Checks, spans: readonly ReadSpan[], { postgres }: Backends): void => {
  const server = { 'db.namespace': postgres.database, 'server.address': postgres.host, 'server.port': postgres.port };
  const systems = { memory: 'memory', redis: 'redis', sqlite: 'sqlite', postgres: 'postgresql' };
  for (const store of STORES) {
    const at = spans.filter(({ attributes }) => attributes['db.namespace'] === `e2e:kv.${store}`);
    const wrong = at.filter(({ name, status, attributes }) => {
      const [operation] = name.split(' ');
      const failed = status === 'error' ? ['error.type'] : [];
      const keys = ['db.namespace', 'db.operation.name', 'db.system.name', ...failed];
      return (
        Object.keys(attributes).sort().join() !== keys.join() ||
        name !== `${operation} e2e:kv.${store}` ||
        attributes['db.operation.name'] !== operation ||
        attributes['db.system.name'] !== systems[store]
      );
    });
    checks.ok(at.length > 0, `kv ${store}: operations have spans`);
    checks.equal(wrong, [], `kv ${store}: they say system, operation and store, and nothing else`);
  }
  for (const db of DATABASES) {
    const base = { 'db.system.name': systems[db], ...(db === 'sqlite' ? { 'db.namespace': 'e2e:db.sqlite' } : server) };
    const at = spans
      .filter(
        ({ attributes: { 'db.system.name': system, 'db.namespace': namespace } }) =>
          system === base['db.system.name'] && namespace === base['db.namespace'],
      )
      .filter(({ kind }) => kind !== 'consumer');
    const wrong = at.filter(({ name, status, attributes }) => {
      const { 'db.operation.name': operation, ...rest } = attributes;
      const summary = name === `${operation} e2e:db.${db}` ? {} : { 'db.query.summary': name };
      const expected: Record<string, unknown> = { ...base, ...summary };
      if (status === 'error') {
        expected['error.type'] = rest['error.type'] ?? 'absent';
        if (rest['db.response.status_code'] !== undefined) {
          expected['db.response.status_code'] = rest['db.response.status_code'];
        }
      }
      return JSON.stringify(Object.entries(rest).sort()) !== JSON.stringify(Object.entries(expected).sort());
    });
    checks.ok(at.length > 0, `sql ${db}: operations have spans`);
    checks.equal(wrong, [], `sql ${db}: they say system, namespace, operation and summary, and nothing else`);
    const codes = at.flatMap(({ status, attributes }) =>
      status === 'error' ? [[attributes['db.operation.name'], attributes['db.response.status_code'] ?? null]] : [],
    );
    checks.equal(inOrder(codes), inOrder(CODES[db]), `sql ${db}: failures have the database's own code`);
  }
};
const CODES = {
  sqlite: [
    ['query', '1'],
    ['exec', '1555'],
    ['begin', '1'],
    ['exec', '1555'],
    ['commit', '1'],
    ['exec', '1555'],
    ['rollback', '1'],
  ],
  postgres: [
    ['query', '42703'],
    ['exec', '23505'],
    ['begin', null],
    ['exec', '23505'],
    ['commit', '25P02'],
    ['query', '57P01'],
    ['rollback', null],
  ],
};

/** With `otel.cdc.spans`: the span of a change around that of its handler. */
export const checkChangeSpans = (checks: Checks, spans: readonly ReadSpan[], { postgres }: Backends): void => {
  const [writer] = spans.filter(({ name }) => name === 'e2e:changes');
  const changes = spans.filter(({ name }) => name.startsWith('process public.'));
  const linked = changes.filter(
    ({ links }) => links.length === 1 && links.some((link) => writer !== undefined && idOf(link) === idOf(writer)),
  );
  checks.equal([changes.length, linked.length], [11, 9], 'change spans link to the request too');
  const wrong = changes.filter(({ name, kind, status, attributes }) => {
    const { 'db.operation.name': operation, 'error.type': error, ...rest } = attributes;
    const table = name.replace('process public.', '');
    const expected = { 'db.collection.name': table, 'db.namespace': postgres.database, 'db.system.name': 'postgresql' };
    return (
      kind !== 'consumer' ||
      !['insert', 'update', 'delete', 'truncate', 'snapshot'].includes(String(operation)) ||
      (status === 'error') !== (error !== undefined) ||
      JSON.stringify(Object.entries(rest).sort()) !== JSON.stringify(Object.entries(expected).sort())
    );
  });
  checks.equal(wrong, [], 'they say database, table and operation, and nothing else');
};
