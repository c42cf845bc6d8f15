import { invalid } from '../../../runtime/errors.ts';
import type { PostgresAddress } from './backend.ts';

/** The connection keys of an entry: the value itself, or the name of a variable under `<key>_env`. */
export type ConnectionKeys = Readonly<Record<'host' | 'database' | 'username' | 'password', string>> & {
  readonly port: number;
} & Readonly<Partial<Record<`${'host' | 'port' | 'database' | 'username' | 'password'}_env`, string | undefined>>>;

/** @throws CallError Invalid naming the key and the variable. */
export const addressOf = (
  id: string,
  keys: ConnectionKeys,
  resolve: (variable: string) => string | undefined,
): PostgresAddress => {
  const from = (key: 'host' | 'port' | 'database' | 'username' | 'password', given: string): string => {
    const variable = keys[`${key}_env`];
    const value = (variable === undefined ? undefined : resolve(variable)) ?? given;
    if (value !== '') return value;
    throw invalid(`${id}: ${key} is required, and the variable ${variable} of ${key}_env has no value. Set it.`);
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
