import { z } from 'zod';
import type { Declared } from '../../runtime/entry.ts';
import type { Env } from '../../runtime/env.ts';
import { invalid } from '../../runtime/errors.ts';
import { type DriverOptions, isSslMode, type PostgresAddress, SSL_MODES } from '../../runtime/postgres/options.ts';
import { ENV } from '../env/port.ts';

const variable = z.string().min(1).optional();
const option = z.union([z.string(), z.number(), z.boolean()]);

/** The connection keys of what lives in PostgreSQL (declarations.md, section 8): the value itself, or a variable's name under `<key>_env`. */
export const postgresFields = {
  host: z.string().default(''),
  host_env: variable,
  port: z.number().int().max(65_535).default(0),
  port_env: variable,
  database: z.string().default(''),
  database_env: variable,
  username: z.string().default(''),
  username_env: variable,
  password: z.string().default(''),
  password_env: variable,
  options: z.record(z.string(), option).default({}),
};

type Key = 'host' | 'port' | 'database' | 'username' | 'password';
export type PostgresKeys = Readonly<Record<Exclude<Key, 'port'>, string>> & {
  readonly port: number;
} & Readonly<Partial<Record<`${Key}_env`, string | undefined>>>;

/** For `superRefine` of a kind that has these fields. */
export const checkPostgresFields = (
  config: PostgresKeys & { readonly options: DriverOptions },
  ctx: z.RefinementCtx,
): void => {
  for (const key of ['host', 'database', 'username', 'password'] as const) {
    if (config[key] === '' && config[`${key}_env`] === undefined) {
      ctx.addIssue({ code: 'custom', path: [key], message: `${key} is required` });
    }
  }
  const { sslmode } = config.options;
  if (sslmode !== undefined && !isSslMode(sslmode)) {
    const message = `unknown mode '${sslmode}'. Use one of ${SSL_MODES.join(', ')}.`;
    ctx.addIssue({ code: 'custom', path: ['options', 'sslmode'], message });
  }
  if (config.port <= 0 && config.port_env === undefined) {
    ctx.addIssue({ code: 'custom', path: ['port'], message: 'port must be greater than 0' });
  }
};

/** A variable wins over the value beside it, which is its default. @throws CallError Invalid naming the key and the variable. */
export const postgresAddress = (
  id: string,
  keys: PostgresKeys,
  resolve: (variable: string) => string | undefined,
): PostgresAddress => {
  const from = (key: Key, given: string): string => {
    const name = keys[`${key}_env`];
    const value = (name === undefined ? undefined : resolve(name)) ?? given;
    if (value !== '') return value;
    throw invalid(`${id}: ${key} is required, and the variable ${name} of ${key}_env has no value. Set it.`);
  };
  const portText = from('port', keys.port > 0 ? String(keys.port) : '');
  const port = Number(portText);
  if (!Number.isInteger(port) || port <= 0 || port > 65_535) {
    throw invalid(`${id}: port must be greater than 0, got '${portText}' from the variable ${keys.port_env}`);
  }
  return {
    host: from('host', keys.host),
    port,
    database: from('database', keys.database),
    username: from('username', keys.username),
    password: from('password', keys.password),
  };
};

/** The same in a running program, as it is now: variables may be set between two starts. */
export const postgresAddressIn = (env: Env, { id, entry, config }: Declared<PostgresKeys>): PostgresAddress =>
  postgresAddress(id, config, (name) => env.find(ENV)?.resolve(name, entry.namespace));
