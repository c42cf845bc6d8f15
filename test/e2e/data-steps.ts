/** What the scripts send to test/e2e/app/data, and the traces that each request makes. */
import { BROKEN } from './backends.ts';
import type { Step } from './scenario.ts';
import { type Node, node, times, treeText } from './trees.ts';

export const STORES = ['memory', 'redis', 'sqlite', 'postgres'] as const;
export type StoreName = (typeof STORES)[number];
export const DATABASES = ['sqlite', 'postgres'] as const;
export type DatabaseName = (typeof DATABASES)[number];
export const VARIANTS = ['direct', 'prepared', 'transaction', 'failures'] as const;
export const DRIVERS = ['memory', 'redis'] as const;
export const TASKS = ['ok', 'twice', 'again', 'dead', 'invalid', 'backlog'] as const;

/** Texts in keys, values, rows, parameters and statements: none of them may be seen in any signal. */
export const DATA_SECRET = /s3cret|secret-key/;
/** Paths are shown, keys in them too: this one is no secret. */
const KEY = 'stored';

type Name = StoreName | DatabaseName;
const kindOf = (backend: Name): string => (backend === 'memory' || backend === 'sqlite' ? 'internal' : 'client');
const isSql = (store: StoreName): store is DatabaseName => store === 'sqlite' || store === 'postgres';

/** `spans`: what the operations show where spans of theirs are switched on. */
const step = (
  request: Pick<Step, 'method' | 'path' | 'status' | 'body'>,
  endpoint: string,
  func: string,
  spans: readonly Node[] = [],
): Step => {
  const mark = request.status >= 500 ? ' [error]' : '';
  const tree = (below: readonly Node[]): string =>
    treeText(node(`server ${request.method} e2e:${endpoint}${mark}`, node(`internal e2e:${func}${mark}`, ...below)));
  return { ...request, tree: tree([]), spanned: tree(spans) };
};

// ---- stores ----------------------------------------------------------------------------------------------------------

const VERBS: Readonly<Record<string, string>> = { get: 'SELECT', has: 'SELECT', list: 'SELECT', delete: 'DELETE' };
/** One operation of a store; that of a `store.sql` has its statement below it. */
const operation =
  (store: StoreName) =>
  (name: string, mark = '', isRefused = false): Node => {
    const statement = node(`${kindOf(store)} ${VERBS[name] ?? 'INSERT'} entries`);
    return node(`${kindOf(store)} ${name} e2e:kv.${store}${mark}`, ...(isSql(store) && !isRefused ? [statement] : []));
  };

const storeSteps = (store: StoreName): readonly Step[] => {
  const at = operation(store);
  const path = `/kv/${store}`;
  const put = { method: 'PUT', path: `${path}/${KEY}`, body: 's3cret-value', status: 204 };
  const take = { method: 'GET', path: `${path}/${KEY}` };
  const broken = { method: 'GET', path: `${path}/${BROKEN}`, status: store === 'memory' ? 404 : 500 };
  const outcomes = [
    ...['put', 'get', 'has', 'has', 'list', 'delete', 'delete'].map((name) => at(name)),
    ...(isSql(store) ? [] : times(3, `${kindOf(store)} put e2e:kv.${store}`)),
    ...['set', 'put'].map((name) => at(name, ' [error]', true)),
  ];
  return [
    step(put, 'kv_put.e', 'put', [at('set')]),
    step({ ...take, status: 200 }, 'kv_take.e', 'take', [at('get'), at('delete')]),
    step({ ...take, status: 404 }, 'kv_take.e', 'take', [at('get')]),
    step(broken, 'kv_take.e', 'take', [at('get', store === 'memory' ? '' : ' [error]')]),
    step({ method: 'POST', path, status: 200 }, 'kv_all.e', 'outcomes', outcomes),
  ];
};

// ---- databases -------------------------------------------------------------------------------------------------------

const STATEMENTS: Readonly<Record<(typeof VARIANTS)[number], (db: DatabaseName) => readonly string[]>> = {
  direct: () => ['INSERT notes', 'SELECT notes', 'SELECT notes', 'SELECT notes', 'DELETE notes'],
  prepared: () => ['INSERT notes', 'INSERT notes', 'SELECT notes', 'DELETE notes'],
  transaction: (db) => [
    ...['begin', 'begin', 'begin', 'commit', 'rollback', 'rollback'].map((name) => `${name} e2e:db.${db}`),
    ...['INSERT notes', 'SELECT notes', 'DELETE notes', 'DELETE notes'],
  ],
  failures: (db) => [
    ...['begin', 'begin', 'begin [error]', 'commit [error]', 'rollback [error]'].map((name) =>
      name.replace(/^\w+/, (operation) => `${operation} e2e:db.${db}`),
    ),
    ...['SELECT notes [error]', 'INSERT notes', 'INSERT notes [error]', 'INSERT notes [error]', 'DELETE notes'],
    // A text that begins with no known verb has no summary.
    ...(db === 'sqlite' ? ['exec e2e:db.sqlite', 'INSERT notes [error]'] : ['SELECT [error]']),
  ],
};

const databaseSteps = (db: DatabaseName): readonly Step[] =>
  VARIANTS.map((variant) =>
    step(
      { method: 'POST', path: `/sql/${db}/${variant}`, status: 200 },
      'sql.e',
      'sql',
      STATEMENTS[variant](db).map((name) => node(`${kindOf(db)} ${name}`)),
    ),
  );

// ---- queues ----------------------------------------------------------------------------------------------------------

const driverSteps = (driver: (typeof DRIVERS)[number]): readonly Step[] => {
  const publish = `producer e2e:jobs.${driver}.publish`;
  const sent = (what: (typeof TASKS)[number], status: number, published: readonly Node[]): Step => {
    const root = node('server POST e2e:task.e', node('internal e2e:send', ...published));
    const tree = treeText(root);
    return { method: 'POST', path: `/jobs/${driver}/${what}`, status, tree, spanned: tree };
  };
  const done = node('consumer e2e:task');
  const failed = node('consumer e2e:task [error]');
  return [
    sent('ok', 202, [node(publish, done)]),
    sent('twice', 202, [node(publish, done), node(publish)]),
    sent('again', 202, [node(publish, done, done)]),
    sent('dead', 202, [node(publish, failed, failed, node('consumer e2e:bury'))]),
    sent('invalid', 400, [node(`${publish} [error]`)]),
    sent('backlog', 202, [node(`producer e2e:backlog.${driver}.publish`)]),
  ];
};

// ---- change capture --------------------------------------------------------------------------------------------------

const item = node('consumer e2e:on_item');
const refused = node('consumer e2e:on_item [error]');
const buried = node('producer e2e:lost.publish', node('consumer e2e:bury'));
const posted = node('producer e2e:outbox.publish', node('consumer e2e:on_outbox'));
const around = (table: string, handler: Node): Node =>
  node(`consumer process public.${table}${handler.line.endsWith('[error]') ? ' [error]' : ''}`, handler);

/** What the program does before the first request: the row that is there already; the stores look at their tables. */
export const OWN = {
  started: [treeText(item)],
  spannedStarted: [
    treeText(around('items', item)),
    ...[
      'internal EXPLAIN entries',
      'internal SELECT pragma_table_list',
      'client EXPLAIN entries',
      'client SELECT entries',
    ],
  ],
};

const changes: Step = {
  ...step(
    { method: 'POST', path: '/changes', status: 202 },
    'changes.e',
    'changes',
    [
      ...['begin e2e:db.postgres', 'commit e2e:db.postgres', 'UPDATE items', 'DELETE items', 'TRUNCATE items'],
      ...['INSERT items', 'INSERT items', 'INSERT items', 'INSERT fragile', 'INSERT outbox'],
    ].map((name) => node(`client ${name}`)),
  ),
  started: [
    ...[item, item, item, item, item, refused, refused, refused].map(treeText),
    ...[node('consumer e2e:on_fragile [error]'), buried, posted].map(treeText),
  ],
  spannedStarted: [
    ...[item, item, item, item, item, refused, refused, refused].map((one) => treeText(around('items', one))),
    ...[around('fragile', node('consumer e2e:on_fragile [error]')), buried, around('outbox', posted)].map(treeText),
  ],
};

/** Attempts of consumers to handle a change that one round of /changes makes. */
export const CHANGES_PER_ROUND = 10;

export const DATA_STEPS: readonly Step[] = [
  ...STORES.flatMap(storeSteps),
  ...DATABASES.flatMap(databaseSteps),
  ...DRIVERS.flatMap(driverSteps),
  changes,
];
