import { t as root, type Test, test } from 'tap';
import { startOtlpCollector } from '../../harness/otlp-collector.ts';
import { poll } from '../../harness/poll.ts';
import { POSTGRES_MISSING, startPostgres } from '../../harness/postgres.ts';
import { startProgram } from '../../harness/program.ts';

const server = await startPostgres(root);

/** In a parameter and in the text of a statement: the database's message quotes both. */
const SECRET = 'planted_in_a_statement';

const lua = (body: string): string => `
local sql = require("sql")
local funcs = require("funcs")
local queue = require("queue")
local function main()
  local db = assert(sql.get("app:db"))
  ${body}
end
return { main = main }
`;
/** Each lets go of an error of the database in another way. */
const functions = (isPostgres: boolean): Readonly<Record<string, string>> => {
  const fail = isPostgres
    ? `db:query("SELECT $1::integer AS n", { "${SECRET}" })`
    : `db:query("SELECT ${SECRET} AS n", {})`;
  return {
    raises: `return assert(${fail})`,
    returns: `return ${fail}`,
    calls: `return assert(funcs.call("app:raises"))`,
    wraps: `local _, err = ${fail} error(require("errors").wrap(err, "while reading"))`,
    publishes: `assert(queue.publish("app:jobs", "x")) return "ok"`,
  };
};

type Database = Readonly<Record<string, unknown>>;
const app = (t: Test, database: Database, isPostgres: boolean): string => {
  const bodies = functions(isPostgres);
  const lifecycle = { auto_start: true };
  const entries = [
    { name: 'db', lifecycle, ...database },
    { name: 'gateway', kind: 'http.service', addr: '127.0.0.1:${APP_PORT|0}', lifecycle },
    { name: 'api', kind: 'http.router', meta: { server: 'gateway' } },
    { name: 'driver', kind: 'queue.driver.memory', lifecycle },
    { name: 'jobs', kind: 'queue.queue', driver: 'driver', dead_letter: { queue: 'dead', max_attempts: 1 } },
    { name: 'dead', kind: 'queue.queue', driver: 'driver' },
    { name: 'consumer', kind: 'queue.consumer', queue: 'jobs', func: 'raises', lifecycle },
    ...Object.keys(bodies).flatMap((name) => [
      {
        name,
        kind: 'function.lua',
        method: 'main',
        modules: ['sql', 'funcs', 'queue', 'errors'],
        source: `file://${name}.lua`,
      },
      {
        name: `${name}.e`,
        kind: 'http.endpoint',
        meta: { router: 'api' },
        method: 'GET',
        path: `/${name}`,
        func: name,
      },
    ]),
  ];
  return t.testdir({
    '_index.yaml': JSON.stringify({ version: '1.0', namespace: 'app', entries }),
    ...Object.fromEntries(Object.entries(bodies).map(([name, body]) => [`${name}.lua`, lua(body)])),
  });
};

const exportedOf = (name: string, databaseOf: () => Promise<Database>, isPostgres: boolean, skip: false | string) => {
  test(`rule 75: ${name}: what a function lets go quotes no statement in any signal`, { skip }, async (t) => {
    const collector = await startOtlpCollector();
    t.teardown(() => collector.close());
    const program = await startProgram(t, app(t, await databaseOf(), isPostgres), {
      ports: ['APP_PORT'],
      set: {
        'otel.enabled': true,
        'otel.endpoint': collector.url,
        'otel.batch.schedule_delay': '50ms',
        'otel.sql.spans': true,
      },
    });
    for (const path of ['raises', 'returns', 'calls', 'wraps']) {
      const response = await fetch(program.url('APP_PORT', `/${path}`));
      t.equal(response.status, 500, path);
      t.match(await response.text(), SECRET, `${path}: to the app the message is the database's own`);
    }
    t.equal((await fetch(program.url('APP_PORT', '/publishes'))).status, 200);
    await poll('the message is dead', () => program.output().includes('"result":"dead"'));
    await program.stop();
    const said = isPostgres ? 'postgres: SQLSTATE 22P02' : 'sqlite: result code 1';
    const exceptions = collector
      .spans({})
      .flatMap(({ events }) => events.filter((event) => event.name === 'exception'));
    t.equal(exceptions.length, 5, 'one for each failure');
    for (const { attributes } of exceptions) t.match(attributes['exception.message'], said);
    t.match(program.output(), said);
    t.notMatch(program.output(), SECRET);
    t.notMatch(JSON.stringify(collector.spans({})), SECRET, 'spans');
  });
};

exportedOf('sqlite', async () => ({ kind: 'db.sql.sqlite', file: ':memory:' }), false, false);
exportedOf(
  'postgres',
  async () => {
    if (server === undefined) throw new Error(POSTGRES_MISSING);
    const { host, port, database, username, password } = await server.createDatabase('exported');
    return { kind: 'db.sql.postgres', host, port, database, username, password };
  },
  true,
  server === undefined && POSTGRES_MISSING,
);
