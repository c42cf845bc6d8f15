import { parseDocument } from 'yaml';
import { splitPath } from '../../runtime/dotted-path.ts';
import type { Problem } from '../../runtime/errors.ts';

/** One `-o ns:entry:field.path=value`. */
export interface Override {
  readonly id: string;
  readonly path: string;
  readonly value: unknown;
}

/** Reads the `-o` options; values are YAML (processes-declarations.md, section 1). */
export const parseOverrides = (
  options: readonly string[],
): { overrides: readonly Override[]; problems: readonly Problem[] } => {
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  const report = (path: string, message: string) => problems.push({ file: '-o', path, message, severity: 'error' });
  for (const option of options) {
    const match = /^([^:=]+:[^:=]+):([^=]+)=([\s\S]*)$/.exec(option);
    const [, id = '', path = '', text = ''] = match ?? [];
    if (match === null || splitPath(path).length === 0) {
      report('', `expected ns:entry:field.path=value, got ${JSON.stringify(option)}`);
      continue;
    }
    const key = `${id}:${path}`;
    if (path === 'name' || path === 'kind') {
      report(key, `an entry's ${path} cannot be replaced`);
      continue;
    }
    const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent' });
    const [error] = document.errors;
    if (error === undefined) overrides.push({ id, path, value: document.toJS() as unknown });
    else report(key, `not valid YAML: ${error.message}.`);
  }
  return { overrides, problems };
};
