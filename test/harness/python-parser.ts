import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runChild } from './child.ts';
import type { Scope } from './teardown.ts';

export interface PythonSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar: { readonly labels: Readonly<Record<string, string>>; readonly value: number } | null;
}
export interface PythonFamily {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly help: string;
  readonly samples: readonly PythonSample[];
}
/** Python's official client as a reader. @throws Error with what it says about text that it does not take. */
export type PythonParser = (text: string, format: 'openmetrics' | 'text') => Promise<readonly PythonFamily[]>;

const PACKAGE = 'prometheus-client==0.26.0';

const READER = `
import json, sys
if sys.argv[1] == 'openmetrics':
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as read
else:
    from prometheus_client.parser import text_string_to_metric_families as read
def sample(s):
    e = s.exemplar
    return {'name': s.name, 'labels': s.labels, 'value': s.value,
            'exemplar': None if e is None else {'labels': e.labels, 'value': e.value}}
print(json.dumps([{'name': f.name, 'type': f.type, 'unit': f.unit, 'help': f.documentation,
                   'samples': [sample(s) for s in f.samples]} for f in read(sys.stdin.read())]))
`;

/** What pip needs to find its index. */
const pipEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => /^(?:pip_.*|https?_proxy|no_proxy|ssl_cert_file)$/i.test(name)),
  );

/** Fetches the package once, into the user's cache. A text says why that was not possible. */
export const pythonParser = async (scope: Scope): Promise<PythonParser | string> => {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'perilune');
  const folder = join(cache, PACKAGE.replace('==', '-'));
  const python = join(folder, 'bin', 'python');
  if (!existsSync(python)) {
    mkdirSync(cache, { recursive: true });
    // Made beside it and renamed: another run never sees half of it.
    const made = mkdtempSync(`${folder}-`);
    const giveUp = (why: string): string => {
      rmSync(made, { recursive: true, force: true });
      return why;
    };
    const venv = await runChild(scope, 'python3', ['-m', 'venv', made]);
    if (venv.code !== 0) return giveUp(`no virtual environment of Python: ${venv.stdout.join(' ')}`);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', PACKAGE];
    const fetched = await runChild(scope, join(made, 'bin', 'python'), pip, { env: pipEnvironment() });
    if (fetched.code !== 0) return giveUp(`pip could not fetch ${PACKAGE}: ${fetched.stderr.join(' ')}`);
    if (existsSync(python)) giveUp('another run was faster');
    else renameSync(made, folder);
  }
  return async (text, format) => {
    const run = await runChild(scope, python, ['-c', READER, format], { stdin: text });
    if (run.code !== 0) throw new Error(run.stderr.at(-1) ?? `exit code ${run.code}`);
    return JSON.parse(run.stdout.join('\n')) as PythonFamily[];
  };
};
