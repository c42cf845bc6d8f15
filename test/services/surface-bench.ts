import { entryRegistry } from '../../boot/declarations/registry.ts';
import { logging } from '../../interceptors/logging.ts';
import { metrics } from '../../interceptors/metrics.ts';
import { retry } from '../../interceptors/retry.ts';
import { timeout } from '../../interceptors/timeout.ts';
import { tracing } from '../../interceptors/tracing.ts';
import { compose } from '../../runtime/call.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import type { Declared, Entry } from '../../runtime/entry.ts';
import type { Env, PortKey, Settings } from '../../runtime/env.ts';
import { CallError, type ErrorKind } from '../../runtime/errors.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import type { LogFields, Logger } from '../../runtime/logger.ts';
import { Suspension } from '../../runtime/lua/engine.ts';
import { fengariEngine } from '../../runtime/lua/fengari/engine.ts';
import type { HostValue, LuaValue } from '../../runtime/lua/values.ts';
import { createCollector } from '../../runtime/metrics/core.ts';
import type { Surface } from '../../runtime/surface.ts';
import { noThirdPartyScope } from '../../runtime/trace.ts';
import { codeSurface } from '../../services/code/surface.ts';
import { eventsSurface } from '../../services/events/surface.ts';
import { FUNCTIONS, OPTIONS } from '../../services/function/port.ts';
import { functionSurface } from '../../services/function/surface.ts';
import { kvSurface } from '../../services/kv/surface.ts';
import { propagator } from '../../services/otel/propagator.ts';
import { processSurface } from '../../services/process/surface.ts';
import { queueSurface } from '../../services/queue/surface.ts';
import { scheduleSurface } from '../../services/schedule/surface.ts';
import { securitySurface } from '../../services/security/surface.ts';
import { sqlSurface } from '../../services/sql/surface.ts';
import { valuesSurface } from '../../services/values/surface.ts';
import { spanRecorder } from '../harness/span-recorder.ts';

/** One entry as a test writes it; ids of references in full. */
export interface EntryText {
  readonly id: string;
  readonly kind: string;
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}
export interface LoggedLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}
export interface BenchOptions {
  readonly clock?: Clock;
  readonly settings?: Partial<Settings>;
  readonly spans?: Partial<Settings['spans']>;
}
interface Teardown {
  teardown(body: () => Promise<void> | void): void;
}

const SURFACES: readonly Surface[] = [
  valuesSurface,
  codeSurface,
  functionSurface,
  queueSurface,
  sqlSurface,
  kvSurface,
  processSurface,
  eventsSurface,
  scheduleSurface,
  securitySurface,
];

/** A function whose handler is this Lua body; its arguments are `...`. */
export const lua = (id: string, body: string, more: Readonly<Record<string, unknown>> = {}): EntryText => ({
  id,
  kind: 'function.lua',
  method: 'main',
  modules: ['funcs', 'ctx', 'queue', 'store', 'events', 'security'],
  source: `return function(...) ${body} end`,
  ...more,
});

const entryOf = ({ id, kind, meta = {}, ...data }: EntryText): Entry => {
  const [namespace = '', name = ''] = id.split(':');
  const file = '_index.yaml';
  return {
    id,
    namespace,
    name,
    kind,
    meta,
    data,
    file,
    position: () => ({ line: 1, column: 1 }),
    fileOf: () => undefined,
  };
};

/** What a kind's schema makes of an entry, or its messages. */
export const decode = (entry: EntryText): { config?: Record<string, unknown>; messages: readonly string[] } => {
  const kind = SURFACES.map((surface) => surface.kinds[entry.kind]).find((found) => found !== undefined);
  const { meta = {}, data } = entryOf(entry);
  const result = kind?.schema.safeParse({ meta, ...data });
  return result?.success === true
    ? { config: result.data as Record<string, unknown>, messages: [] }
    : { messages: result?.error.issues.map((issue) => issue.message) ?? ['unknown kind'] };
};

export const registryOf = (entries: readonly EntryText[]) => {
  const declared: Declared[] = entries.flatMap((text) => {
    const { config, messages } = decode(text);
    if (messages.length > 0) throw new Error(`${text.id}: ${messages.join('; ')}`);
    return [{ id: text.id, entry: entryOf(text), config }];
  });
  return entryRegistry(
    declared.map(({ entry }) => entry),
    declared,
  );
};

const recordingLogger = (lines: LoggedLine[], bound: LogFields = {}): Logger => {
  const write = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push({ level, message, fields: { ...bound, ...fields } });
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    enabled: () => true,
    child: (fields) => recordingLogger(lines, { ...bound, ...fields }),
    subsystem: (subsystem) => recordingLogger(lines, { ...bound, subsystem }),
  };
};

/**
 * The surfaces of these tests on the real engine, collector, tracer, propagator and interceptors. Lua has a global
 * `host`: `sleep(ms)`, `now()`, `note(v)`, `fail()`, `raise(kind, text)`, `options()`.
 */
export const surfaceBench = async (t: Teardown, entries: readonly EntryText[], options: BenchOptions = {}) => {
  const clock = options.clock ?? systemClock();
  const collector = createCollector({ namespace: 'wippy', clock });
  const recorder = spanRecorder();
  const lines: LoggedLine[] = [];
  const logger = recordingLogger(lines);
  const notes: LuaValue[] = [];
  const seenOptions: [string, unknown][] = [];
  const noLimits = { instructions: 0, cpuMs: 0, resultBytes: 0 };
  const engine = fengariEngine({ clock, limits: noLimits, print: () => {}, onReleaseError: () => {} });
  engine.defineClass({
    name: 'error',
    constructor: CallError,
    concatenates: true,
    tostring: (self: CallError) => self.message,
    methods: { kind: (self) => [self.kind], message: (self) => [self.message], retryable: (self) => [self.retryable] },
  });
  engine.define({
    name: 'host',
    isGlobal: true,
    yields: ['sleep'],
    functions: {
      sleep: (thread, [ms]) =>
        new Suspension((resume) => thread.run.defer(clock.after(ms as number, () => resume([])))),
      fail: () => {
        throw new Error('from the host');
      },
      raise: (_thread, [kind, text]) => {
        throw new CallError(String(text), { kind: kind as ErrorKind });
      },
      now: () => [performance.now()],
      note: (_thread, [value]) => void notes.push(value),
      options: ({ context, run }) => void seenOptions.push([run.entryId, context.get(OPTIONS)]),
    },
  });
  const ports = new Map<unknown, unknown>();
  const registry = registryOf(entries);
  const env: Env = {
    clock,
    collector,
    engine,
    logger,
    registry,
    propagator: propagator(['tracecontext', 'baggage']),
    thirdParty: noThirdPartyScope,
    settings: {
      luaLimits: noLimits,
      blockPrivateIps: false,
      nodeName: 'node1',
      strictSecurity: false,
      root: '/',
      osVariables: {},
      http: { extractHeaders: true, injectHeaders: true },
      httpTraceExclude: [],
      httpMetricsExclude: [],
      events: { maxBacklog: 10_000, maxSubscribers: 10_000 },
      spans: {
        function: true,
        http: true,
        queue: true,
        process: true,
        processLifecycle: true,
        kv: false,
        sql: false,
        cdc: false,
        ...options.spans,
      },
      ...options.settings,
    },
    build: { version: '0.0.0', revision: '', command: 'test' },
    site: compose([
      retry(clock, 20, () => 0.5),
      timeout(clock),
      metrics(collector, clock, 50),
      tracing(recorder.tracer, 100),
      logging(logger, clock, 120),
    ]),
    provide: (key, port) => void ports.set(key, port),
    use: <T>(key: PortKey<T>): T => {
      if (!ports.has(key)) throw new Error(`no port ${key.name}`);
      return ports.get(key) as T;
    },
    find: <T>(key: PortKey<T>) => ports.get(key) as T | undefined,
    health: () => ({ degraded() {}, error() {}, activity() {}, restarted() {} }),
  };
  const components: Component[] = SURFACES.flatMap((surface) => [...surface.build(env)]);
  for (const one of components) await one.start?.();
  for (const one of components) await one.open?.();
  t.teardown(async () => {
    for (const one of components.toReversed()) await one.stop?.();
    engine.close();
  });

  /** Rows of a family as `label=value,... value`, sorted; histograms show their count. */
  const rows = (name: string): string[] =>
    (collector.snapshot().families.find(({ name: found }) => found === `wippy_${name}` || found === name)?.series ?? [])
      .map((one) => {
        const labels = one.labelNames.map((label, i) => `${label}=${one.labelValues[i]}`).join(',');
        return `${labels} ${one.bucketCounts.length > 0 ? one.count : one.value}`;
      })
      .sort();
  return {
    env,
    engine,
    registry,
    collector,
    recorder,
    lines,
    notes,
    /** What `host.options()` found: the entry, and its call's options. */
    options: seenOptions,
    rows,
    component: (name: string): Component => {
      const found = components.find((one) => one.name === name);
      if (found === undefined) throw new Error(`no component ${name}`);
      return found;
    },
    async call(id: string, args: readonly HostValue[] = [], context: CallContext = rootContext): Promise<LuaValue> {
      return (await env.use(FUNCTIONS).call(id, args, context)).value;
    },
  };
};
