import { parseDocument } from 'yaml';
import { joinPath, splitPath } from '../../runtime/dotted-path.ts';
import type { Problem } from '../../runtime/errors.ts';
import { schemaAt, typeOf } from '../schema-shape.ts';
import type { Layer } from './layers.ts';
import { bootSchema } from './schema.ts';

/** The layer of one `--set a.b=value`; the value is YAML. */
export const setLayer = (option: string): { layer?: Layer; problems: readonly Problem[] } => {
  const problem = (path: string, message: string) => ({
    problems: [{ file: '--set', path, message, severity: 'error' } as const],
  });
  const equals = option.indexOf('=');
  const steps = splitPath(option.slice(0, Math.max(equals, 0))).map(String);
  if (steps.length === 0) return problem('', `expected a.b=value, got ${JSON.stringify(option)}`);
  const path = joinPath(steps);
  const text = option.slice(equals + 1);
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent' });
  const [error] = document.errors;
  if (error !== undefined) return problem(path, `not valid YAML: ${error.message}.`);
  const parsed: unknown = document.toJS();
  // `service_version=1.0` means a text, though YAML alone would call it a number.
  const schema = schemaAt(bootSchema, steps);
  const wantsText = schema !== undefined && typeOf(schema) === 'string';
  const value = wantsText && typeof parsed !== 'string' && typeof parsed !== 'object' ? text.trim() : (parsed ?? '');
  const layer: Layer = {
    from: 'set',
    value: steps.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>,
    isLenient: false,
    locate: (at) => ({ file: '--set', path: joinPath(at) }),
    where: () => '--set',
  };
  return { layer, problems: [] };
};
