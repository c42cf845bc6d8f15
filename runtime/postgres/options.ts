import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ClientConfig } from 'pg';
import { invalid } from '../errors.ts';

/** Where a database is and how to get in. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

/** Values of `options`, as a declaration has them. */
export type DriverOptions = Readonly<Record<string, string | number | boolean>>;
type Tls = Exclude<ClientConfig['ssl'], undefined>;

export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof SSL_MODES)[number];
export const isSslMode = (mode: unknown): mode is SslMode => (SSL_MODES as readonly unknown[]).includes(mode);

/** What the options say about the connection itself; all others are settings of the session. */
const CONNECTION_OPTIONS = new Set([
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'connect_timeout',
  'application_name',
]);
const KEEP_ALIVE_MS = 10_000;

/** Forms of the connection to try, in order: with TLS, without, or one after the other. */
const modesOf = (mode: SslMode, files: Readonly<Record<'ca' | 'cert' | 'key', string | undefined>>): readonly Tls[] => {
  const checked = { ...files, rejectUnauthorized: true };
  const unchecked = { ...files, rejectUnauthorized: false };
  switch (mode) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, unchecked];
    case 'prefer':
      return [unchecked, false];
    case 'require':
      return [files.ca === undefined ? unchecked : { ...checked, checkServerIdentity: () => undefined }];
    case 'verify-ca':
      return [{ ...checked, checkServerIdentity: () => undefined }];
    case 'verify-full':
      return [checked];
  }
};

/** Session settings as the server's command line has them: white space and backslashes are escaped. The last of a name wins. */
const sessionSettings = (options: DriverOptions, required: DriverOptions): string =>
  [...Object.entries(options).filter(([name]) => !CONNECTION_OPTIONS.has(name)), ...Object.entries(required)]
    .map(([name, value]) => `-c ${name}=${String(value).replace(/[\\\s]/g, '\\$&')}`)
    .join(' ');

export interface ClientOptions {
  /** `options` of the declaration, in libpq's names. */
  readonly options: DriverOptions;
  /** What paths in them are relative to. */
  readonly root: string;
  /** Settings of the session that values are read by, whatever the declaration or the server says. */
  readonly settings: DriverOptions;
  /** Where the declaration gives none. */
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
}

/** The forms of a connection, the preferred one first. @throws CallError Invalid naming the option. */
export const clientConfigs = (
  { host, port, database, username, password }: PostgresAddress,
  { options, root, settings, applicationName, connectTimeoutMs }: ClientOptions,
): readonly ClientConfig[] => {
  const mode = options.sslmode ?? 'prefer';
  if (!isSslMode(mode)) {
    throw invalid(`options.sslmode: unknown mode '${mode}'. Use one of ${SSL_MODES.join(', ')}.`);
  }
  const file = (name: string): string | undefined => {
    const path = options[name];
    return path === undefined ? undefined : readFileSync(resolve(root, String(path)), 'utf8');
  };
  const seconds = Number(options.connect_timeout ?? 0);
  const forms = modesOf(mode, { ca: file('sslrootcert'), cert: file('sslcert'), key: file('sslkey') });
  return forms.map((ssl) => ({
    host,
    port,
    database,
    user: username,
    password,
    ssl,
    options: sessionSettings(options, settings),
    application_name: String(options.application_name ?? applicationName),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    connectionTimeoutMillis: seconds > 0 ? seconds * 1000 : connectTimeoutMs,
  }));
};
