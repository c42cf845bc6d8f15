import type { CallContext } from '../../../runtime/context.ts';
import type { Env } from '../../../runtime/env.ts';
import { isSampled, TRACE } from '../../../runtime/trace.ts';
import { ENV } from '../../env/port.ts';
import { DATABASES, type TransactionMark } from '../../sql/port.ts';
import { TRACE_MESSAGE } from '../port.ts';
import type { Address } from './address.ts';

interface DatabaseKeys {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly host_env?: string;
  readonly port_env?: string;
  readonly database_env?: string;
}

/**
 * While a source reads a database, transactions that Lua makes there within a sampled trace carry its context
 * (extensions.md, section 8). `on` for a source that reads, off again when it no longer does.
 */
export const markWriters = (env: Env, { host, port, database }: Address, on: boolean): void => {
  const resolved = (namespace: string, own: string, variable: string | undefined): string =>
    (variable === undefined ? undefined : env.find(ENV)?.resolve(variable, namespace)) ?? own;
  for (const { id, entry, config } of env.registry.declared<DatabaseKeys>('db.sql.postgres')) {
    const { namespace } = entry;
    const isSame =
      resolved(namespace, config.host, config.host_env) === host &&
      resolved(namespace, String(config.port), config.port_env) === String(port) &&
      resolved(namespace, config.database, config.database_env) === database;
    if (isSame)
      env
        .find(DATABASES)
        ?.get(id)
        ?.markTransactions(on ? traceMark(env) : undefined);
  }
};

const traceMark =
  ({ propagator }: Env): TransactionMark =>
  (run, context) => {
    const traceparent = sampledTraceparent(propagator, context);
    if (traceparent === undefined) return undefined;
    const text = 'SELECT pg_logical_emit_message(true, $1, $2)';
    return run({ text, params: [TRACE_MESSAGE, traceparent] }).then(() => {});
  };

const sampledTraceparent = (propagator: Env['propagator'], context: CallContext): string | undefined => {
  const trace = context.get(TRACE);
  if (trace === undefined || !isSampled(trace)) return undefined;
  let traceparent: string | undefined;
  propagator.inject(context, (name, value) => {
    if (name === 'traceparent') traceparent = value;
  });
  return traceparent;
};
