import type { Env } from '../../../runtime/env.ts';
import { invalid } from '../../../runtime/errors.ts';
import { ENV } from '../../env/port.ts';
import type { PostgresConfig } from '../kinds.ts';

/** Where a database is and how to get in. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly ssl: false | { readonly rejectUnauthorized: boolean };
  readonly connectionTimeoutMillis: number;
  readonly application_name: string;
}

const DEFAULT_CONNECT_MS = 10_000;
/** So that the end of a connection that says nothing for long is noticed. */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

/**
 * The address as it is now: `<key>_env` names a registered variable or one of the program's environment.
 * @throws CallError Invalid naming the key.
 */
export const addressOf = (env: Env, config: PostgresConfig, namespace: string): Address => {
  const setting = (key: 'host' | 'port' | 'database' | 'username' | 'password'): string => {
    const own = config[key];
    if (own !== undefined) return String(own);
    const variable = config[`${key}_env`] ?? '';
    const found = env.find(ENV)?.resolve(variable, namespace) ?? env.settings.osVariables[variable];
    if (found === undefined || found === '') throw invalid(`${key}_env: no variable ${variable} is registered or set`);
    return found;
  };
  const port = Number(setting('port'));
  if (!Number.isInteger(port) || port <= 0) throw invalid('port must be greater than 0');
  const { connect_timeout: seconds, application_name: name } = config.options;
  return {
    host: setting('host'),
    port,
    database: setting('database'),
    user: setting('username'),
    password: setting('password'),
    ssl: sslOf(config.options.sslmode),
    connectionTimeoutMillis: Number(seconds) > 0 ? Number(seconds) * 1000 : DEFAULT_CONNECT_MS,
    application_name: typeof name === 'string' ? name : 'perilune cdc',
  };
};

/** As libpq understands `sslmode`, but that nothing is tried twice: `prefer` and `allow` are `disable`. */
const sslOf = (mode: unknown): Address['ssl'] => {
  switch (mode) {
    case 'require':
      return { rejectUnauthorized: false };
    case 'verify-ca':
    case 'verify-full':
      return { rejectUnauthorized: true };
    default:
      return false;
  }
};
