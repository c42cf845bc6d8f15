import type { CallSite } from '../../runtime/call.ts';
import type { CallContext } from '../../runtime/context.ts';
import type { Env } from '../../runtime/env.ts';
import { asCallError, type CallError, errorType } from '../../runtime/errors.ts';
import type { SqlBackend } from './driver.ts';
import { type SQL_RESULTS, type SqlOperation, sqlDuration, sqlOps } from './instruments.ts';
import { querySummary } from './summary.ts';

interface Work {
  /** Undefined for what has no text of the app's. */
  readonly text: string | undefined;
  readonly run: () => Promise<unknown>;
  readonly hasOwnLine: boolean;
}
/**
 * A failure is an outcome here, not a rejection: the database's message may quote a parameter, and what the interceptors see
 * of an error they write into spans and lines.
 */
type Outcome = { readonly value: unknown } | { readonly error: CallError };

/** Every use of a database goes through the site of its operation. */
export type SqlSites = Readonly<
  Record<
    SqlOperation,
    <T>(text: string | undefined, context: CallContext, run: () => Promise<T>, hasOwnLine?: boolean) => Promise<T>
  >
>;

export const sqlSites = (env: Env, id: string, backend: SqlBackend): SqlSites => {
  const at = (operation: SqlOperation): SqlSites[SqlOperation] => {
    const site = env.site<Work, Outcome>(siteOf(env, id, backend, operation), async ({ input }) => {
      try {
        return { value: await input.run() };
      } catch (error) {
        return { error: asCallError(error) };
      }
    });
    return async <T>(
      text: string | undefined,
      context: CallContext,
      run: () => Promise<T>,
      hasOwnLine = false,
    ): Promise<T> => {
      const outcome = await site({ input: { text, run, hasOwnLine }, context });
      if ('error' in outcome) throw outcome.error;
      return outcome.value as T;
    };
  };
  return { query: at('query'), exec: at('exec'), begin: at('begin'), commit: at('commit'), rollback: at('rollback') };
};

/** The database's own code, which holds no value; never its message. */
const codeOf = (error: CallError): string | undefined => {
  const code = error.details?.code;
  return code === undefined ? undefined : String(code);
};
const resultOf = (out: Outcome): (typeof SQL_RESULTS)[number] => ('error' in out ? 'error' : 'ok');
const statusOf = (out: Outcome) => {
  if (!('error' in out)) return undefined;
  return { 'db.response.status_code': codeOf(out.error) };
};

const WRITES: ReadonlySet<SqlOperation> = new Set(['exec', 'commit']);

const siteOf = (env: Env, id: string, backend: SqlBackend, operation: SqlOperation): CallSite<Work, Outcome> => ({
  surface: 'sql',
  operation,
  target: id,
  component: id,
  metrics: {
    labels: { db: id, op: operation },
    calls: sqlOps,
    duration: sqlDuration,
    outcome: { label: 'result', of: resultOf, ofError: () => 'error' },
  },
  // Name and kind: conventions.md, section 5. Neither the text of a statement nor its parameters are attributes.
  ...(env.settings.spans.sql && {
    span: {
      name: `${operation} ${id}`,
      kind: backend.isEmbedded ? 'internal' : 'client',
      attributes: { 'db.system.name': backend.system, 'db.operation.name': operation },
      detail({ input: { text } }) {
        const summary = text === undefined ? undefined : querySummary(text);
        // The address is known from the start on.
        if (summary === undefined) return { attributes: backend.spanAttributes };
        return { name: summary, attributes: { ...backend.spanAttributes, 'db.query.summary': summary } };
      },
      result: statusOf,
      failure: (out) => ('error' in out ? { type: errorType(out.error) } : undefined),
    },
  }),
  ...(WRITES.has(operation) && {
    log: {
      subsystem: 'sql',
      message: 'database write failed',
      fields: { db: id, op: operation },
      line: (outcome, { input }) => {
        if (input.hasOwnLine || !outcome.ok || !('error' in outcome.value)) return undefined;
        const { error } = outcome.value;
        return { level: 'error', fields: { kind: errorType(error), code: codeOf(error) } };
      },
    },
  }),
});
