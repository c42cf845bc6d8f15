import type { Env } from '../../../runtime/env.ts';
import { sampledTraceparent } from '../../../runtime/sampled-traceparent.ts';
import { CDC, TRACE_MESSAGE } from '../../cdc/port.ts';
import type { TransactionMark } from '../port.ts';

/**
 * Transactions that Lua makes within a sampled trace carry its context while a source of this program reads the database
 * (`identity`), or `always`, for a source elsewhere (extensions.md, section 8). Where neither holds they pay nothing.
 */
export const traceMarks = (
  env: Env,
  always: boolean,
  identity: () => string | undefined,
): (() => TransactionMark | undefined) => {
  const mark = traceMark(env);
  const isRead = (): boolean => {
    const database = identity();
    return database !== undefined && env.find(CDC)?.reads(database) === true;
  };
  return () => (always || isRead() ? mark : undefined);
};

const traceMark =
  ({ propagator }: Env): TransactionMark =>
  (run, context) => {
    const traceparent = sampledTraceparent(propagator, context);
    if (traceparent === undefined) return undefined;
    const text = 'SELECT pg_logical_emit_message(true, $1, $2)';
    return run({ text, params: [TRACE_MESSAGE, traceparent] }).then(() => {});
  };
