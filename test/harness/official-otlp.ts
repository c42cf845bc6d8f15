import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache-folder.ts';

/** The code generated from opentelemetry-proto, as published for Python: no npm package carries the schema. */
const PACKAGE = 'opentelemetry-proto==1.45.2';
const script = fileURLToPath(new URL('./decode-otlp.py', import.meta.url));

export type OtlpSignal = 'traces' | 'metrics';
/** @throws Error with the decoder's words on a body that the schema does not allow. */
export type OfficialDecoder = (signal: OtlpSignal, body: Uint8Array, encoding?: 'protobuf' | 'json') => OtlpDocument;
/** OTLP/JSON, but with bytes as base64: that is what protobuf's JSON says of them. */
export interface OtlpDocument {
  // biome-ignore lint/suspicious/noExplicitAny: a tree of JSON that tests look into
  readonly [key: string]: any;
}

const run = (command: string, args: readonly string[]): string | undefined => {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : `${command} ${args.slice(0, 3).join(' ')}: ${stderr.trim().split('\n').at(-1)}`;
};

/** The interpreter that has the package: from the cache outside the tree, or fetched into it. Or why there is none. */
const interpreter = (): { readonly python: string } | { readonly missing: string } => {
  const folder = `${cacheFolder()}/${PACKAGE.replace('==', '-')}`;
  const python = `${folder}/bin/python`;
  if (existsSync(python)) return { python };
  mkdirSync(cacheFolder(), { recursive: true });
  // Two at once must not see each other's half: only the rename makes it visible.
  const unfinished = `${folder}.${process.pid}`;
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1', PACKAGE];
  const missing = run('python3', ['-m', 'venv', unfinished]) ?? run(`${unfinished}/bin/python`, pip);
  if (missing === undefined && !existsSync(folder)) renameSync(unfinished, folder);
  rmSync(unfinished, { recursive: true, force: true });
  return missing === undefined ? { python } : { missing };
};

/** The decoder of the official schema, or why there is none: Python and its package index are not everywhere. */
export const officialDecoder = (): { readonly decode: OfficialDecoder } | { readonly missing: string } => {
  const found = interpreter();
  if ('missing' in found) return found;
  return {
    decode(signal, body, encoding = 'protobuf') {
      const { status, stdout, stderr } = spawnSync(found.python, [script, signal, encoding], {
        input: body,
        maxBuffer: 1 << 28,
      });
      if (status !== 0) throw new Error(`not OTLP: ${stderr.toString().trim().split('\n').at(-1)}`);
      return JSON.parse(stdout.toString()) as OtlpDocument;
    },
  };
};
