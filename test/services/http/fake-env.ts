import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { guard } from '../../../interceptors/guard.ts';
import { logging } from '../../../interceptors/logging.ts';
import { metrics } from '../../../interceptors/metrics.ts';
import { tracing } from '../../../interceptors/tracing.ts';
import { compose } from '../../../runtime/call.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { CallContext } from '../../../runtime/context.ts';
import type { Declared, EntryRegistry } from '../../../runtime/entry.ts';
import type { Env, PortKey, Settings } from '../../../runtime/env.ts';
import { notFound } from '../../../runtime/errors.ts';
import type { LogFields, Logger } from '../../../runtime/logger.ts';
import type { LuaCallResult, LuaClass, LuaEngine, LuaModule, LuaThread } from '../../../runtime/lua/engine.ts';
import { type HostValue, LuaTable, type LuaValue } from '../../../runtime/lua/values.ts';
import { createCollector } from '../../../runtime/metrics/core.ts';
import type { Surface } from '../../../runtime/surface.ts';
import { noThirdPartyScope, type ThirdPartyScope } from '../../../runtime/trace.ts';
import { FUNCTIONS } from '../../../services/function/port.ts';
import { traceIds } from '../../../services/otel/ids.ts';
import { propagator } from '../../../services/otel/propagator.ts';
import { tracer } from '../../../services/otel/tracer.ts';
import { SECURITY, type Security } from '../../../services/security/port.ts';

/** One entry as a test writes it. */
export interface EntryText {
  readonly id: string;
  readonly kind: string;
  readonly meta?: Record<string, unknown>;
  readonly [key: string]: unknown;
}
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** Calls into host modules as Lua would, without a VM: arguments in, results out. */
export interface FakeLua {
  call(module: string, name: string, ...args: LuaValue[]): Promise<readonly HostValue[]>;
  method(self: unknown, name: string, ...args: LuaValue[]): Promise<readonly HostValue[]>;
  text(self: unknown): string | undefined;
}
export type Handler = (lua: FakeLua, context: CallContext) => Promise<LuaCallResult> | LuaCallResult;

const NOTHING: LuaCallResult = { value: undefined, count: 0 };
/** A handler that returns nothing: it answered by itself. */
export const handler =
  (body: (lua: FakeLua, context: CallContext) => Promise<unknown> | unknown): Handler =>
  async (lua, context) => {
    await body(lua, context);
    return NOTHING;
  };

/** A Lua table of named fields. */
export const table = (fields: Readonly<Record<string, LuaValue>>): LuaTable =>
  new LuaTable(new Map(Object.entries(fields)));

const fakeEngine = () => {
  const modules = new Map<string, LuaModule>();
  const classes: LuaClass<object>[] = [];
  const engine = {
    version: 'none',
    define: (module: LuaModule) => void modules.set(module.name, module),
    defineClass: (type: LuaClass<object>) => void classes.push(type),
  } as unknown as LuaEngine;
  const classOf = (self: unknown): LuaClass<object> => {
    const found = classes.find((type) => self instanceof type.constructor);
    if (found === undefined) throw new Error(`no class for ${String(self)}`);
    return found;
  };
  const lua = (context: CallContext): FakeLua => {
    const thread = { context } as LuaThread;
    return {
      async call(module, name, ...args) {
        const found = modules.get(module)?.functions?.[name];
        if (found === undefined) throw new Error(`no function ${module}.${name}`);
        return ((await found(thread, args)) ?? []) as readonly HostValue[];
      },
      async method(self, name, ...args) {
        const found = classOf(self).methods[name];
        if (found === undefined) throw new Error(`no method ${name}`);
        return ((await found(self as object, thread, args)) ?? []) as readonly HostValue[];
      },
      text: (self) => classOf(self).tostring?.(self as object),
    };
  };
  return { engine, lua, modules };
};

const recordingLogger = (lines: LogLine[], bound: LogFields = {}): Logger => {
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

/** The parts of the declarations loader that a surface sees: schemas, checks and absolute ids (written so by the test). */
export const declare = (surface: Surface, entries: readonly EntryText[]) => {
  const problems: string[] = [];
  const declared = new Map<string, Declared[]>();
  for (const { id, kind, meta, ...data } of entries) {
    const type = surface.kinds[kind];
    if (type === undefined) continue;
    const parsed = type.schema.safeParse({ meta: meta ?? {}, ...data });
    const [namespace = '', name = ''] = id.split(':');
    const entry = {
      id,
      namespace,
      name,
      kind,
      meta: meta ?? {},
      data,
      file: '_index.yaml',
      position: () => ({ line: 3, column: 5 }),
      fileOf: () => undefined,
    };
    if (!parsed.success) problems.push(...parsed.error.issues.map((issue) => issue.message));
    else {
      const one = { id, entry, config: parsed.data };
      problems.push(...(type.check?.(one as never) ?? []).map(({ path, message }) => `${path}: ${message}`));
      declared.set(kind, [...(declared.get(kind) ?? []), one]);
    }
  }
  const registry: EntryRegistry = {
    get: () => undefined,
    all: () => [],
    declared: <T>(kind: string) => (declared.get(kind) ?? []) as unknown as Declared<T>[],
  };
  return { registry, problems };
};

export interface FakeEnvOptions {
  readonly registry?: EntryRegistry;
  readonly functions?: Readonly<Record<string, Handler>>;
  readonly settings?: Partial<Settings>;
  readonly thirdParty?: ThirdPartyScope;
  /** Absent: there is none, as where no policy is declared. */
  readonly security?: Security;
}

/** A real chain of interceptors, collector, tracer and propagator around whatever a test declares. */
export const fakeEnv = (options: FakeEnvOptions = {}) => {
  const clock = systemClock();
  const collector = createCollector({ namespace: 'wippy', clock });
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const lines: LogLine[] = [];
  const logger = recordingLogger(lines);
  const drainState = { isDraining: false };
  const spans = tracer({ provider, clock, ids: traceIds(), version: '0' });
  const { engine, lua, modules } = fakeEngine();
  const ports = new Map<unknown, unknown>();
  if (options.security !== undefined) ports.set(SECURITY, options.security);
  const handlers = options.functions ?? {};
  ports.set(FUNCTIONS, {
    has: (id: string) => id in handlers,
    call(id: string, _args: unknown, context: CallContext) {
      const one = handlers[id];
      if (one === undefined) throw notFound('no handler registered for target', { target: id });
      return one(lua(context), context);
    },
  });
  const chain = compose([
    guard(drainState, 10),
    metrics(collector, clock, 50),
    tracing(spans, 100),
    logging(logger, clock, 120),
  ]);
  const on = {
    function: true,
    http: true,
    queue: true,
    process: true,
    processLifecycle: true,
    kv: false,
    sql: false,
    cdc: false,
  };
  const env: Env = {
    clock,
    collector,
    engine,
    logger,
    registry: options.registry ?? { get: () => undefined, all: () => [], declared: () => [] },
    propagator: propagator(['tracecontext', 'baggage']),
    thirdParty: options.thirdParty ?? noThirdPartyScope,
    settings: {
      luaLimits: { instructions: 0, cpuMs: 0, resultBytes: 0 },
      blockPrivateIps: false,
      nodeName: 'test',
      strictSecurity: false,
      events: { maxBacklog: 10_000, maxSubscribers: 10_000 },
      root: '/',
      osVariables: {},
      http: { extractHeaders: true, injectHeaders: true },
      httpTraceExclude: [],
      httpMetricsExclude: [],
      spans: on,
      ...options.settings,
    },
    build: { version: '0.0.0', revision: '', command: 'test' },
    site: chain,
    provide: (key, port) => void ports.set(key, port),
    use: <T>(key: PortKey<T>): T => {
      if (!ports.has(key)) throw new Error(`no port ${key.name}`);
      return ports.get(key) as T;
    },
    find: <T>(key: PortKey<T>) => ports.get(key) as T | undefined,
    health: () => ({ degraded() {}, error() {}, activity() {}, restarted() {} }),
  };

  /** Rows of a family as `label=value,... value`, sorted: histograms show their count. */
  const rows = (name: string): string[] =>
    (collector.snapshot().families.find((family) => family.name === name)?.series ?? [])
      .map((one) => {
        const labels = one.labelNames.map((label, i) => `${label}=${one.labelValues[i]}`).join(',');
        return `${labels} ${one.count > 0 ? one.count : one.value}`;
      })
      .sort();
  return { env, rows, lines, spans: () => exporter.getFinishedSpans(), provider, drainState, lua, modules };
};
