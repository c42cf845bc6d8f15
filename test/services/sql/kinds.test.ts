import { test } from 'tap';
import { postgresAddress } from '../../../services/postgres/port.ts';
import { postgres, sqlite } from '../../../services/sql/kinds.ts';

const FULL = { host: 'h', port: 5432, database: 'd', username: 'u', password: 'p' };
const messages = (schema: typeof sqlite | typeof postgres, value: unknown): readonly string[] => {
  const result = schema.safeParse(value);
  return result.success ? [] : result.error.issues.map(({ message }) => message);
};

test('db.sql.sqlite', async (t) => {
  t.same(messages(sqlite, {}), ['file path is required']);
  t.same(messages(sqlite, { file: '' }), ['file path is required']);
  t.same(messages(sqlite, { file: 'x', pool: { max_lifetime: '0s' } }), ['max lifetime must be greater than 0']);
  t.same(messages(sqlite, { file: 'x', pool: { max_lifetime: '-1s' } }), ['max lifetime must be greater than 0']);
  t.match(sqlite.parse({ file: ':memory:' }), {
    pool: { max_lifetime: 3_600_000, acquire_timeout: 30_000, busy_timeout: 5_000 },
  });
});

test('db.sql.postgres', async (t) => {
  t.same(messages(postgres, {}), [
    'host is required',
    'database is required',
    'username is required',
    'password is required',
    'port must be greater than 0',
  ]);
  for (const key of ['host', 'database', 'username', 'password'] as const) {
    const { [key]: _, ...others } = FULL;
    t.same(messages(postgres, others), [`${key} is required`]);
    t.same(messages(postgres, { ...others, [`${key}_env`]: 'X' }), []);
  }
  t.same(messages(postgres, { ...FULL, port: 0 }), ['port must be greater than 0']);
  t.same(messages(postgres, { ...FULL, port: 0, port_env: 'X' }), []);
  t.same(messages(postgres, { ...FULL, pool: { max_open: -1, max_idle: -1 } }), [
    'max open connections must be non-negative',
    'max idle connections must be non-negative',
  ]);
  t.same(messages(postgres, { ...FULL, pool: { max_lifetime: '0s' } }), ['max lifetime must be greater than 0']);
  for (const sslmode of ['banana', true, '']) {
    t.match(messages(postgres, { ...FULL, options: { sslmode } }), [/^unknown mode '.*'\. Use one of disable, allow,/]);
  }
  t.same(messages(postgres, { ...FULL, options: { sslmode: 'verify-full' } }), []);
  t.match(postgres.parse(FULL), { options: {}, pool: { max_open: 0, max_idle: 0, max_lifetime: 3_600_000 } });
});

test('addresses from variables', async (t) => {
  const variables: Record<string, string> = { H: 'from-h', P: '6543', BAD: 'x' };
  const resolve = (name: string) => variables[name];
  const from = (more: object) => postgresAddress('app:db', { ...FULL, ...more }, resolve);
  t.same(from({}), FULL);
  t.same(from({ host: '', host_env: 'H', port: 0, port_env: 'P' }), { ...FULL, host: 'from-h', port: 6543 });
  t.equal(from({ host_env: 'NONE' }).host, 'h', 'the value itself is the default');
  t.throws(() => from({ password: '', password_env: 'NONE' }), {
    message: 'app:db: password is required, and the variable NONE of password_env has no value. Set it.',
  });
  t.throws(() => from({ port_env: 'BAD' }), { message: /port must be greater than 0, got 'x' from the variable BAD/ });
});
