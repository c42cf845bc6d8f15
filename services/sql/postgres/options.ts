import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { PoolConfig } from 'pg';
import { invalid } from '../../../runtime/errors.ts';

/** Values of `options`, as a declaration has them. */
export type DriverOptions = Readonly<Record<string, string | number | boolean>>;
export type Tls = Exclude<PoolConfig['ssl'], undefined>;

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

/** Session settings as the server's command line has them: white space and backslashes are escaped. */
const sessionSettings = (options: DriverOptions): string =>
  Object.entries({
    // Values are read in these forms, whatever the server's own defaults are.
    DateStyle: 'ISO',
    bytea_output: 'hex',
    ...Object.fromEntries(Object.entries(options).filter(([name]) => !CONNECTION_OPTIONS.has(name))),
  })
    .map(([name, value]) => `-c ${name}=${String(value).replace(/[\\\s]/g, '\\$&')}`)
    .join(' ');

export interface ConnectionOptions {
  readonly tls: readonly Tls[];
  readonly settings: string;
  readonly applicationName: string;
  /** Milliseconds; undefined: none given. */
  readonly connectTimeoutMs: number | undefined;
}

/** `options` of a declaration, in libpq's names. Paths are relative to `root`. @throws CallError Invalid naming the option. */
export const connectionOptions = (options: DriverOptions, root: string): ConnectionOptions => {
  const mode = options.sslmode ?? 'prefer';
  if (!isSslMode(mode)) {
    throw invalid(`options.sslmode: unknown mode '${mode}'. Use one of ${SSL_MODES.join(', ')}.`);
  }
  const file = (name: string): string | undefined => {
    const path = options[name];
    return path === undefined ? undefined : readFileSync(resolve(root, String(path)), 'utf8');
  };
  const seconds = Number(options.connect_timeout ?? 0);
  return {
    tls: modesOf(mode, { ca: file('sslrootcert'), cert: file('sslcert'), key: file('sslkey') }),
    settings: sessionSettings(options),
    applicationName: String(options.application_name ?? 'perilune'),
    connectTimeoutMs: seconds > 0 ? seconds * 1000 : undefined,
  };
};
