import type { Call, CallSite, LogRecipe } from '../../runtime/call.ts';
import { hostDataOf } from '../../runtime/codec/host-data.ts';
import type { CallContext } from '../../runtime/context.ts';
import type { Env } from '../../runtime/env.ts';
import { telemetryMessageOf } from '../../runtime/errors.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';
import type { Awaitable, PutOptions, PutOutcome, StoreBackend } from './backend.ts';
import { type KvOperation, type KvResult, kvDuration, kvOps } from './instruments.ts';
import type { Store } from './port.ts';

interface Write {
  readonly key: string;
  readonly value: LuaValue;
  readonly options: PutOptions;
}

/** A key without `:` is reported, sorted and stored with one before it (lua/store.md, section 3). */
export const reportedKey = (key: string): string => (key.includes(':') ? key : `:${key}`);

/** Above this a time to live is none: a hundred years are in the range of every backend's clock. */
const LONGEST_TTL = 100 * 365 * 86_400;
const lasting = (ttl: number | undefined): number | undefined =>
  ttl !== undefined && ttl > 0 && ttl <= LONGEST_TTL ? ttl : undefined;

const WRITES: ReadonlySet<KvOperation> = new Set(['set', 'put', 'delete']);
const found = (out: unknown): KvResult => (out === undefined || out === false ? 'not_found' : 'ok');
const ok = (): KvResult => 'ok';
const ofPut = ({ result }: PutOutcome): KvResult => (result === 'exists' ? 'conflict' : result);

/** Every use of a store is one of these sites; the backends know no telemetry. */
export const storeSites = (env: Env, id: string, backend: StoreBackend): Store => {
  const at = <In, Out>(
    operation: KvOperation,
    run: (input: In, context: CallContext) => Awaitable<Out>,
    result: (out: Out) => KvResult,
  ): ((input: In, context: CallContext) => Awaitable<Out>) => {
    const site = env.site(siteOf(env, id, backend, operation, result), (call: Call<In>) =>
      run(call.input, call.context),
    );
    return (input, context) => site({ input, context });
  };
  const get = at('get', backend.get, found);
  const has = at('has', backend.has, found);
  const remove = at('delete', backend.delete, found);
  const list = at('list', backend.list, ok);
  // Values are converted inside the site: one that does not fit counts as a failed write.
  const set = at('set', (w: Write, context) => backend.set(w.key, hostDataOf(w.value), w.options.ttl, context), ok);
  const put = at('put', (w: Write, context) => backend.put(w.key, hostDataOf(w.value), w.options, context), ofPut);
  return {
    id,
    info: backend.info,
    get: (key, context) => get(reportedKey(key), context),
    has: (key, context) => has(reportedKey(key), context),
    delete: (key, context) => remove(reportedKey(key), context),
    set: (key, value, ttl, context) => set({ key: reportedKey(key), value, options: { ttl: lasting(ttl) } }, context),
    put: (key, value, options, context) =>
      put({ key: reportedKey(key), value, options: { ...options, ttl: lasting(options.ttl) } }, context),
    list,
  };
};

const siteOf = <In, Out>(
  env: Env,
  id: string,
  backend: StoreBackend,
  operation: KvOperation,
  result: (out: Out) => KvResult,
): CallSite<In, Out> => ({
  surface: 'kv',
  operation,
  target: id,
  component: id,
  metrics: {
    labels: { namespace: id, op: operation },
    calls: kvOps,
    duration: kvDuration,
    outcome: { label: 'result', of: result, ofError: () => 'error' },
  },
  // Name and kind: conventions.md, section 5. Keys are never attributes.
  ...(env.settings.spans.kv && {
    span: {
      name: `${operation} ${id}`,
      kind: backend.isEmbedded ? 'internal' : 'client',
      attributes: {
        'db.system.name': backend.system,
        'db.operation.name': operation,
        ...(backend.spanAttributes === undefined && { 'db.namespace': id }),
      },
      // Known from the start on.
      detail: () => ({ attributes: backend.spanAttributes?.() }),
    },
  }),
  ...(WRITES.has(operation) && { log: failedWrite<In, Out>(id, operation) }),
});

/** A failed write is an error line of its own (telemetry.md, section 6); a condition that does not hold is not one. */
const failedWrite = <In, Out>(id: string, operation: KvOperation): LogRecipe<In, Out> => ({
  subsystem: 'kv',
  message: 'store write failed',
  fields: { store: id, op: operation },
  line: (outcome) =>
    outcome.ok ? undefined : { level: 'error', fields: { error: telemetryMessageOf(outcome.error) } },
});
