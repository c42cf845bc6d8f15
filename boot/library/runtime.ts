import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from '@opentelemetry/api';
import { type HostData, hostDataOf, luaValueOf } from '../../runtime/codec/host-data.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import { silentLogger } from '../../runtime/logger.ts';
import type { HostValue } from '../../runtime/lua/values.ts';
import type { Collector } from '../../runtime/metrics/collector.ts';
import type { Propagator } from '../../runtime/trace.ts';
import { FUNCTIONS, OPTIONS, VALUES } from '../../services/function/port.ts';
import { HTTP_SERVERS } from '../../services/http/port.ts';
import { callContextOf } from '../../services/otel/host-propagator.ts';
import type { Rendering, ScrapeRequest } from '../../services/prometheus/renderer.ts';
import { loadApp } from '../app.ts';
import { refuseErrors } from '../declarations/validate.ts';
import { createProgram, type Program } from '../program.ts';
import { packageVersion } from '../version.ts';
import { checkOptions } from './check-options.ts';
import { leaseCollector } from './collector-lease.ts';
import { hostCalls } from './host-calls.ts';
import { hostSurface } from './host-surface.ts';
import type { CallOptions, RuntimeOptions } from './options.ts';

/** An app inside a host program. It has one life: made, started, stopped. */
export interface Runtime {
  /**
   * Starts what the app declares: pools, stores, queues, HTTP services, the operations port where the boot file opens it.
   * @throws StartError naming what could not start; call `stop` all the same. A second start is an Error, and so is one
   * that a stop has cut short.
   */
  start(): Promise<void>;
  /**
   * Lets no more in, waits for what runs, gives everything back, within `shutdown.timeout`. Idempotent; without a start
   * it returns at once. Never rejects for what the app does. True: nothing was lost. `system.exit` in Lua does the same;
   * the code is not looked at, and the process goes on.
   */
  stop(): Promise<boolean>;
  /**
   * Calls a function of the app through its chain of interceptors; `args` and the result are plain data (nil is null).
   * @throws CallError what the handler failed with; NotFound; Unavailable, retryable, before the start and from the stop on.
   */
  call(id: string, args?: readonly HostValue[], options?: CallOptions): Promise<HostData>;
  /** Everything measured, as Prometheus text 0.0.4. */
  metricsText(): Promise<string>;
  /** The same in the format and encoding that a scrape asks for: for a `/metrics` of the host's own. */
  renderMetrics(request?: ScrapeRequest): Promise<Rendering>;
  /** Where the series are; the host may register instruments of its own. */
  readonly collector: Collector;
  /** What reads and writes the trace in headers. */
  readonly propagator: Propagator;
  /** The HTTP services that listen now, with the ports that were picked. */
  addresses(): readonly { readonly id: string; readonly address: string }[];
  /** `host:port` of the operations port; undefined where the boot file opens none. */
  operationsAddress(): string | undefined;
}

/**
 * Reads and checks an app and builds it; nothing is started yet. It reads no environment and sets none of
 * OpenTelemetry's globals, takes no signals and never ends the process: that is all the host's.
 * @throws DeclarationError with everything that is wrong with the app; Error for options that do not fit (two
 * interceptors of one order, a Lua module whose name is taken). Nothing stays behind.
 */
export const createRuntime = (options: RuntimeOptions): Runtime => {
  checkOptions(options);
  const { collector, build = {}, logger = silentLogger } = options;
  const calls = hostCalls();
  const variables = options.variables ?? {};
  const app = loadApp({
    dir: folderOf(options.dir),
    configFiles: typeof options.config === 'string' ? [options.config] : (options.config ?? []),
    sets: assignments(options.set),
    overrides: assignments(options.override),
    variables,
    surfaces: [hostSurface(options, [calls.component])],
  });
  refuseErrors(app.problems);

  const lease = collector === undefined ? undefined : leaseCollector(collector);
  let program: Program;
  try {
    program = createProgram({
      app,
      build: { version: build.version ?? packageVersion(), revision: build.revision ?? '', command: 'embed' },
      variables,
      logTo: [],
      isTerminal: false,
      host: {
        logger,
        collector: lease?.collector,
        tracerProvider: options.tracerProvider,
        propagator: options.propagator,
        interceptors: options.interceptors,
      },
    });
  } catch (error) {
    lease?.release();
    throw error;
  }

  let isStopped = false;
  const contextOf = ({ parent, headers, options: own, values }: CallOptions): CallContext => {
    let context = parent === undefined ? rootContext : isCallContext(parent) ? parent : callContextOf(parent);
    context = context.inherited();
    if (headers !== undefined) context = program.propagator.extract(context, headerValues(headers));
    if (own !== undefined) context = context.with(OPTIONS, own);
    if (values !== undefined) {
      const given = Object.entries(values).map(([key, value]) => [key, luaValueOf(value)] as const);
      context = context.with(VALUES, new Map([...context.get(VALUES), ...given]));
    }
    return context;
  };

  const stop = async (): Promise<boolean> => {
    isStopped = true;
    calls.close();
    const isWhole = await program.stop();
    lease?.release();
    return isWhole;
  };
  // `system.exit` ends what the app is: the runtime. The process is the host's.
  void program.exitRequested.then(stop);

  return {
    collector: program.collector,
    propagator: program.propagator,
    async start() {
      if (isStopped) throw new Error('the runtime was stopped; make a new one with createRuntime');
      await program.start();
      // What had not started by then never will: who waits for the start must not take it for running.
      if (isStopped) throw new Error('the runtime was stopped while it started; make a new one with createRuntime');
    },
    stop,
    async call(id, args = [], callOptions = {}) {
      const context = contextOf(callOptions);
      const { signal, parent } = callOptions;
      const signals = signal === undefined ? [context.signal] : [context.signal, signal];
      const isNested = parent !== undefined && isCallContext(parent);
      return calls.run(signals, isNested, async (bound) => {
        const { value } = await program.use(FUNCTIONS).call(id, args, context.withSignal(bound));
        return hostDataOf(value);
      });
    },
    metricsText: async () => (await program.metrics.render({})).body.toString('utf8'),
    renderMetrics: (request = {}) => program.metrics.render(request),
    addresses: () => (app.loaded.config.surfaces.http ? program.use(HTTP_SERVERS).addresses() : []),
    operationsAddress: () => program.operationsAddress(),
  };
};

const isCallContext = (context: Context | CallContext): context is CallContext => 'inherited' in context;

const headerValues = (headers: NonNullable<CallOptions['headers']>): ((name: string) => readonly string[]) => {
  const byName = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) byName.set(name.toLowerCase(), typeof value === 'string' ? [value] : value);
  }
  return (name) => byName.get(name.toLowerCase()) ?? [];
};

/** `{ 'a.b': 1 }` as the command line says it: `a.b=1`. JSON is YAML. */
const assignments = (values: Readonly<Record<string, unknown>> = {}): readonly string[] =>
  Object.entries(values).flatMap(([path, value]) => (value === undefined ? [] : [`${path}=${JSON.stringify(value)}`]));

/** @throws Error where there is no such folder: the app would be an empty one. */
const folderOf = (dir: string | URL): string => {
  const isFile = dir instanceof URL && dir.protocol === 'file:';
  const path = typeof dir === 'string' ? resolve(dir) : isFile ? fileURLToPath(dir) : undefined;
  if (path !== undefined && existsSync(path) && statSync(path).isDirectory()) return path;
  throw new Error(`dir: ${path ?? String(dir)} is no folder. Name the folder that holds the app.`);
};
