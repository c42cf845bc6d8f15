import { isDeepStrictEqual } from 'node:util';
import type { ReadAttributes, ReadSpan } from '../harness/otlp-spans.ts';
import type { Backends } from './backends.ts';
import type { Checks } from './checks.ts';
import { DATABASES, STORES } from './data-steps.ts';

const idOf = ({ traceId, spanId }: { readonly traceId: string; readonly spanId: string }): string =>
  `${traceId}/${spanId}`;
const withKeys = (attributes: ReadAttributes, keys: readonly string[]): unknown[] =>
  keys.map((key) => attributes[key] ?? null);
const inOrder = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

/** What the handlers of one transaction of /changes have: function, table, operation, attempt, error. */
const HANDLED: readonly (readonly [func: string, ...rest: (string | number | null)[]])[] = [
  ['e2e:on_item', 'items', 'insert', 1, null],
  ['e2e:on_item', 'items', 'insert', 1, 'Unavailable'],
  ['e2e:on_item', 'items', 'insert', 2, null],
  ['e2e:on_item', 'items', 'insert', 1, 'Unavailable'],
  ['e2e:on_item', 'items', 'insert', 2, 'Unavailable'],
  ['e2e:on_item', 'items', 'edit', 1, null],
  ['e2e:on_item', 'items', 'delete', 1, null],
  ['e2e:on_fragile', 'fragile', 'insert', null, 'Internal'],
];
const DOCUMENT = ['faas.document.name', 'faas.document.operation', 'wippy.attempt', 'error.type'];
const isLinkedTo = (span: ReadSpan, writer: ReadSpan): boolean =>
  span.links.some((link) => idOf(link) === idOf(writer));

/** Of each source: what its spans call the database and a table, and what the statement outside of transactions changes. */
const sourcesOf = ({ postgres }: Backends) => [
  { database: postgres.database, prefix: 'public.', unlinked: ['delete'] },
  // No TRUNCATE: the two rows that are left are deleted one by one.
  { database: 'e2e:db.sqlite', prefix: '', unlinked: ['delete', 'delete'] },
];

/** A row becomes a change, whose handler's trace links to the request. */
export const checkChanges = (checks: Checks, spans: readonly ReadSpan[], backends: Backends): void => {
  const writers = spans.filter(({ name }) => name === 'e2e:changes');
  for (const { database, prefix, unlinked } of sourcesOf(backends)) {
    const handlers = spans.filter(({ attributes }) => attributes['faas.document.collection'] === database);
    const own = writers.filter((writer) => handlers.some((span) => isLinkedTo(span, writer)));
    checks.equal(own.length, writers.length / 2, `${database}: each request has caused changes`);
    for (const writer of own) {
      const caused = handlers.filter((span) => isLinkedTo(span, writer));
      checks.equal(
        inOrder(caused.map(({ name, attributes }) => [name, ...withKeys(attributes, DOCUMENT)])),
        inOrder(HANDLED.map(([func, table, ...rest]) => [func, prefix + String(table), ...rest])),
        `${database}: every change of a request has a handler span with a link to the request's function`,
      );
      checks.ok(
        caused.every(({ links, traceId }) => links.length === 1 && traceId !== writer.traceId),
        'one link each, from a trace of its own',
      );
    }
    const unmarked = handlers.filter(({ links }) => links.length === 0);
    checks.equal(
      inOrder(unmarked.map(({ attributes }) => attributes['faas.document.operation'])),
      inOrder(['insert', ...own.flatMap(() => unlinked)]),
      `${database}: a row of the snapshot and a statement outside a transaction have no link`,
    );
    checks.ok(
      handlers.every(
        ({ kind, attributes }) =>
          kind === 'consumer' &&
          attributes['faas.trigger'] === 'datasource' &&
          !Number.isNaN(Date.parse(String(attributes['faas.document.time']))),
      ),
      `${database}: each is a Consumer span that says what caused it, and when`,
    );
  }
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
export const checkDataAttributes = (
  checks: Checks,
  spans: readonly ReadSpan[],
  { postgres, redis }: Backends,
): void => {
  const server = { 'db.namespace': postgres.database, 'server.address': postgres.host, 'server.port': postgres.port };
  const systems = { memory: 'memory', redis: 'redis', sqlite: 'sqlite', postgres: 'postgresql' };
  const { host, port, db } = redis.options;
  const entries = { 'db.collection.name': 'entries' };
  const places = {
    memory: { 'db.namespace': 'e2e:kv.memory' },
    redis: {
      'db.collection.name': 'e2e:kv.redis',
      'db.namespace': String(db),
      'server.address': host,
      ...(port !== 6379 && { 'server.port': port }),
    },
    sqlite: { ...entries, 'db.namespace': 'e2e:db.sqlite' },
    postgres: { ...entries, ...server },
  };
  for (const store of STORES) {
    const at = spans.filter(({ name }) => name.endsWith(` e2e:kv.${store}`));
    const wrong = at.filter(({ name, status, attributes }) => {
      const [operation] = name.split(' ');
      const expected = {
        ...places[store],
        'db.operation.name': operation,
        'db.system.name': systems[store],
        ...(status === 'error' && { 'error.type': attributes['error.type'] ?? 'absent' }),
      };
      return !isDeepStrictEqual({ ...attributes }, expected) || name !== `${operation} e2e:kv.${store}`;
    });
    checks.ok(at.length > 0, `kv ${store}: operations have spans`);
    checks.equal(wrong, [], `kv ${store}: they say system, operation and place, and nothing else`);
  }
  for (const db of DATABASES) {
    const base = { 'db.system.name': systems[db], ...(db === 'sqlite' ? { 'db.namespace': 'e2e:db.sqlite' } : server) };
    const at = spans
      .filter(
        ({ attributes: { 'db.system.name': system, 'db.namespace': namespace } }) =>
          system === base['db.system.name'] && namespace === base['db.namespace'],
      )
      .filter(({ kind, name }) => kind !== 'consumer' && !name.includes(' e2e:kv.'));
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
    ['commit', null],
    ['exec', '1555'],
    ['rollback', null],
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
export const checkChangeSpans = (checks: Checks, spans: readonly ReadSpan[], backends: Backends): void => {
  const writers = spans.filter(({ name }) => name === 'e2e:changes');
  for (const [system, namespace, prefix, count, linked] of [
    ['postgresql', backends.postgres.database, 'public.', 11, 9],
    ['sqlite', 'e2e:db.sqlite', '', 12, 9],
  ] as const) {
    const changes = spans.filter(
      ({ name, attributes }) => name.startsWith('process ') && attributes['db.system.name'] === system,
    );
    const toWriters = changes.filter((span) => span.links.length === 1 && writers.some((one) => isLinkedTo(span, one)));
    checks.equal(
      [changes.length, toWriters.length],
      [count, linked],
      `${system}: change spans link to the request too`,
    );
    const wrong = changes.filter(({ name, kind, status, attributes }) => {
      const { 'db.operation.name': operation, 'error.type': error, ...rest } = attributes;
      const table = name.replace(`process ${prefix}`, '');
      const expected = { 'db.collection.name': table, 'db.namespace': namespace, 'db.system.name': system };
      return (
        kind !== 'consumer' ||
        !['insert', 'update', 'delete', 'truncate', 'snapshot'].includes(String(operation)) ||
        (status === 'error') !== (error !== undefined) ||
        JSON.stringify(Object.entries(rest).sort()) !== JSON.stringify(Object.entries(expected).sort())
      );
    });
    checks.equal(wrong, [], `${system}: they say database, table and operation, and nothing else`);
  }
};
