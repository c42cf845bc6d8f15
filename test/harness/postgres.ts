import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Client } from 'pg';
import { runChild, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { poll } from './poll.ts';
import type { Scope } from './teardown.ts';

/** A PostgreSQL that a test may do anything with. */
export interface Postgres {
  /** Which of the ways it came by. */
  readonly source: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  /** Runs statements on a connection of its own: what a test does beside the program. */
  run<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /** A new empty database on the same server; the name begins with `prefix`. Dropped at the end where the server goes on. */
  createDatabase(prefix: string): Promise<Postgres>;
  /** Ends the server at once (SIGQUIT: every connection breaks) and starts it again. Undefined for a server that is not ours. */
  readonly restart?: () => Promise<void>;
  /** The same in two steps, for what happens while it is away. */
  readonly stop?: () => Promise<void>;
  readonly start?: () => Promise<void>;
  /** Its processes, the postmaster first. */
  readonly processes?: () => readonly number[];
  /** SIGKILL of all of them; resolves when they are gone. `start` recovers. */
  readonly kill?: () => Promise<void>;
}

interface Address {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

/** What to tell a user whose machine has none of the ways. */
export const POSTGRES_MISSING = `PostgreSQL is not to be had here. One of these gives it:
  PERILUNE_TEST_POSTGRES_URL=postgres://user:password@host:5432/database   a running server (wal_level = logical, a role that may create databases)
  apt-get install postgresql   its programs (/usr/lib/postgresql/*/bin): the tests start a server of their own in a temporary folder
  \`setpriv\` (util-linux) is needed too and, as root, the user \`postgres\`: the server refuses to run as root.`;

/** The newest of Debian's installations. */
const binaries = (): string | undefined => {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return undefined;
  const versions = readdirSync(root).filter((version) => existsSync(`${root}/${version}/bin/initdb`));
  const newest = versions.sort((a, b) => Number(a) - Number(b)).at(-1);
  return newest === undefined ? undefined : `${root}/${newest}/bin`;
};

const withClient = async <T>(at: Address, use: (client: Client) => Promise<T>): Promise<T> => {
  const { host, port, database, username: user, password } = at;
  const client = new Client({ host, port, database, user, password });
  client.on('error', () => {}); // the server may end while a test looks on; the query says so
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
};

const postgresAt = (
  scope: Scope,
  source: string,
  at: Address,
  server: Pick<Postgres, 'restart' | 'stop' | 'start' | 'processes' | 'kill'>,
): Postgres => {
  const run: Postgres['run'] = <Row>(sql: string, params: readonly unknown[] = []) =>
    withClient(at, async (client) => {
      const result = params.length === 0 ? await client.query(sql) : await client.query(sql, [...params]);
      return (Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows) as Row[];
    });
  return {
    source,
    ...at,
    ...server,
    run,
    async createDatabase(prefix) {
      const database = `${prefix}_${process.pid}_${Math.trunc(performance.now() * 1000)}`;
      await run(`CREATE DATABASE ${database}`);
      // A server of ours goes with its folder.
      if (server.stop === undefined) scope.teardown(() => run(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`));
      return postgresAt(scope, source, { ...at, database }, server);
    },
  };
};

const given = (scope: Scope, url: string): Postgres => {
  const { hostname, port, pathname, username, password } = new URL(url);
  return postgresAt(
    scope,
    'PERILUNE_TEST_POSTGRES_URL',
    {
      host: hostname,
      port: port === '' ? 5432 : Number(port),
      database: decodeURIComponent(pathname.slice(1)) || 'postgres',
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
    },
    {},
  );
};

/** The uid and gid of the user `postgres`; undefined where there is none. */
const postgresUser = async (scope: Scope): Promise<{ uid: number; gid: number } | undefined> => {
  const { code, stdout } = await runChild(scope, 'getent', ['passwd', 'postgres']);
  const [, , uid, gid] = stdout[0]?.split(':') ?? [];
  return code === 0 && uid !== undefined && gid !== undefined ? { uid: Number(uid), gid: Number(gid) } : undefined;
};

/** One that has ended in between is none to signal. */
export const signalled = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};
/** A zombie holds nothing any more. */
const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

const PASSWORD = 'perilune-test';

const startServer = async (scope: Scope, bin: string): Promise<Postgres | undefined> => {
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? await postgresUser(scope) : undefined;
  if (isRoot && user === undefined) return undefined;
  // A test that is killed tears nothing down: the server is told by the system, and ends at once.
  const as = ['setpriv', '--pdeathsig=QUIT'];
  if (user !== undefined) as.push(`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups');
  as.push('--');
  const command = (program: string, args: readonly string[]): [string, string[]] => {
    const [first, ...rest] = [...as, `${bin}/${program}`, ...args];
    return [first as string, rest];
  };

  const folder = mkdtempSync(`${tmpdir()}/perilune-postgres-`);
  scope.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const passwordFile = `${folder}/password`;
  writeFileSync(passwordFile, PASSWORD);
  if (user !== undefined) for (const path of [folder, passwordFile]) chownSync(path, user.uid, user.gid);
  const data = `${folder}/data`;
  const auth = ['--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--username=postgres'];
  const [initdb, initdbArgs] = command('initdb', [...auth, '--encoding=UTF8', '--no-locale', '--no-sync', data]);
  const made = await runChild(scope, initdb, initdbArgs, { cwd: folder });
  if (made.code !== 0) throw new Error(`initdb failed:\n${[...made.stdout, ...made.stderr].join('\n')}`);

  const at: Address = {
    host: '127.0.0.1',
    port: await freePort(),
    database: 'postgres',
    username: 'postgres',
    password: PASSWORD,
  };
  // fsync off: nothing here outlives the machine. Commits are synchronous all the same, or the stop below would lose the last ones.
  // Slots and senders are many, because tests of change capture leave none free.
  const settings = [
    `port=${at.port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'wal_level=logical',
    'max_replication_slots=20',
    'max_wal_senders=20',
    'max_connections=100',
    'fsync=off',
    'full_page_writes=off',
    'log_min_messages=warning',
  ].flatMap((setting) => ['-c', setting]);
  const [postgres, postgresArgs] = command('postgres', ['-D', data, ...settings]);

  // What one life of the server leaves to the scope is killed by it: SIGKILL after the stop below has nothing to do.
  let server: ReturnType<typeof startChild> | undefined;
  const start = async (): Promise<void> => {
    const child = startChild(scope, postgres, postgresArgs, { cwd: folder });
    server = child;
    await poll('PostgreSQL answers', async () => {
      const exit = child.exit();
      if (exit === undefined) return withClient(at, async () => true);
      return true;
    });
    if (child.exit() !== undefined) throw new Error(`PostgreSQL did not start:\n${child.output()}`);
  };
  const stop = async (): Promise<void> => {
    // SIGQUIT, the immediate shutdown: the next start recovers, as after a crash.
    const all = processes();
    server?.signal('SIGQUIT');
    for (const pid of all) signalled(pid, 'SIGCONT'); // those that a test has paused hear nothing
    await server?.exited;
    server = undefined;
  };
  const processes = (): readonly number[] => {
    if (server === undefined) return [];
    const { pid } = server;
    const file = `/proc/${pid}/task/${pid}/children`;
    const children = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''; // it may have ended by itself
    return [pid, ...children.split(' ').filter(Boolean).map(Number)];
  };
  const kill = async (): Promise<void> => {
    const all = processes();
    const child = server;
    server = undefined;
    for (const pid of all) signalled(pid, 'SIGKILL');
    await child?.exited;
    // Those that were not the postmaster are not ours to wait for; the next start needs their memory to be free.
    await poll('every process of PostgreSQL is gone', () => !all.some((pid) => isAlive(pid)));
  };
  await start();
  scope.teardown(stop);
  const restart = async (): Promise<void> => {
    await stop();
    await start();
  };
  return postgresAt(scope, bin, at, { start, stop, restart, processes, kill });
};

/**
 * The first of: PERILUNE_TEST_POSTGRES_URL, Debian's programs. Undefined when there is none (POSTGRES_MISSING says what
 * to do). Our own server has `wal_level = logical`, lives in a temporary folder and ends with the scope.
 */
export const startPostgres = async (scope: Scope): Promise<Postgres | undefined> => {
  const { PERILUNE_TEST_POSTGRES_URL: url } = process.env;
  if (url !== undefined && url !== '') return given(scope, url);
  const bin = binaries();
  return bin === undefined ? undefined : startServer(scope, bin);
};
