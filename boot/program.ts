import type { TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import { guard } from '../interceptors/guard.ts';
import { logging } from '../interceptors/logging.ts';
import { metrics } from '../interceptors/metrics.ts';
import { retry } from '../interceptors/retry.ts';
import { timeout } from '../interceptors/timeout.ts';
import { tracing } from '../interceptors/tracing.ts';
import { compose, type Interceptor } from '../runtime/call.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { waitAtMost } from '../runtime/deadline.ts';
import type { BuildInfo, Env, PortKey } from '../runtime/env.ts';
import { messageOf, renderProblem } from '../runtime/errors.ts';
import type { Component } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { fengariEngine } from '../runtime/lua/fengari/engine.ts';
import type { Collector } from '../runtime/metrics/collector.ts';
import { createHealth } from '../runtime/metrics/component-health.ts';
import { createCollector } from '../runtime/metrics/core.ts';
import { SUPERVISOR } from '../runtime/supervision.ts';
import type { Surface } from '../runtime/surface.ts';
import { noTracer, type Propagator, type Tracer } from '../runtime/trace.ts';
import { emissionCounter } from '../services/log/emissions.ts';
import { hostLogger, type StructuredLogger } from '../services/log/host-logger.ts';
import { createLogger, type LogOptions, type ProgramLogger } from '../services/log/logger.ts';
import type { LogDestination } from '../services/log/sinks.ts';
import { registerBuildInfo } from '../services/operations/build-info.ts';
import { processMetrics } from '../services/operations/process-metrics.ts';
import { operationsServer } from '../services/operations/server.ts';
import { openTelemetry } from '../services/otel/open-telemetry.ts';
import { prometheusRenderer, type Renderer } from '../services/prometheus/renderer.ts';
import { printLine } from '../services/stdlib/print.ts';
import type { App } from './app.ts';
import { exponentialNameProblems } from './exponential-names.ts';
import { settingsOf } from './settings.ts';
import { createComponents } from './supervisor/components.ts';

/** What a host program brings of its own (boot/library.ts). With it, OpenTelemetry's globals are left alone. */
export interface ProgramHost {
  readonly logger: Logger | StructuredLogger;
  readonly collector?: Collector;
  readonly tracerProvider?: TracerProvider;
  readonly propagator?: Propagator | TextMapPropagator;
  readonly interceptors?: readonly Interceptor[];
}

export interface ProgramOptions {
  readonly app: App;
  readonly build: BuildInfo;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly logTo: readonly LogDestination[];
  /** `auto` in the boot file means this. */
  readonly isTerminal: boolean;
  readonly log?: 'default' | 'console' | 'silent' | 'verbose';
  readonly clock?: Clock;
  /** `false` for `invoke`: nothing listens and nothing is taken from queues. Default true. */
  readonly isOpen?: boolean;
  /** `false`: no operations port, whatever the boot file says. Default true. */
  readonly hasOperationsPort?: boolean;
  /** Sees every span site first: `invoke` takes the trace id from here. */
  readonly wrapTracer?: (tracer: Tracer) => Tracer;
  /** Absent for the command line. */
  readonly host?: ProgramHost;
}

/** An app that runs, or is about to. */
export interface Program {
  readonly logger: ProgramLogger;
  readonly clock: Clock;
  readonly collector: Collector;
  readonly propagator: Propagator;
  /** What the operations port serves as `/metrics`, whether there is such a port or not. */
  readonly metrics: Renderer;
  use<T>(key: PortKey<T>): T;
  /** Of the operations port; undefined when there is none. */
  operationsAddress(): string | undefined;
  /** @throws StartError; call `stop` all the same. A second start is an Error. */
  start(): Promise<void>;
  /** Resolves with the code that the app itself has asked to end with (`system.exit`); whoever runs the program then stops it. */
  readonly exitRequested: Promise<number>;
  /** Everything ends, in the order of telemetry.md, section 5. Idempotent; returns at once without a start. True: nothing was lost. */
  stop(): Promise<boolean>;
}

export const createProgram = (options: ProgramOptions): Program => {
  const { app, build, host } = options;
  const { config } = app.loaded;
  const clock = options.clock ?? systemClock();
  const { isOpen = true } = options;

  // ---- telemetry: before anything that is measured ---------------------------------------------------------------
  let countLine: ReturnType<typeof emissionCounter> | undefined;
  const lineHooks: Required<Pick<LogOptions, 'onLine' | 'onLost'>> = {
    onLine: (level) => countLine?.(level),
    onLost: (kind) => health('logs').error(kind),
  };
  const logger =
    host === undefined
      ? createLogger({ ...logOptions(options), clock, redact: secretsOf(app), ...lineHooks })
      : hostLogger(host.logger, lineHooks);
  const collector =
    host?.collector ??
    createCollector({
      namespace: config.metrics.namespace,
      clock,
      maxSeries: config.metrics.max_series,
      exponentialHistograms: config.metrics.exponential_histograms,
      logger,
    });
  const health = createHealth(collector, clock);
  countLine = emissionCounter(collector);
  health('logs');
  if (config.telemetry.enabled) health('telemetry');
  const otel = openTelemetry({
    settings: app.otel.settings,
    collector,
    clock,
    logger,
    build,
    health:
      app.otel.settings.traceExporters.length + app.otel.settings.metricExporters.length > 0
        ? health('otel')
        : undefined,
    httpClientSpans: config.otel.http.enabled,
    tracerProvider: host?.tracerProvider,
    propagator: host?.propagator,
  });
  const tracer = options.wrapTracer?.(otel.tracer) ?? otel.tracer;

  // ---- the engine and the sites ----------------------------------------------------------------------------------
  const engine = fengariEngine({
    clock,
    limits: { instructions: 0, cpuMs: config.lua.budget.cpu_ms, resultBytes: 0 },
    print: printLine(logger),
    onReleaseError: (run, error) =>
      logger.subsystem('lua').error('a resource of a call could not be given back', {
        function_id: run.entryId,
        error: messageOf(error),
      }),
  });
  const state = { isReady: false, isDraining: false, isClosing: false };
  const { guard: guarding, retry: retries, timeout: deadlines, logging: lines } = config.interceptors;
  const interceptors: Interceptor[] = [];
  if (guarding.enabled) interceptors.push(guard(state, guarding.order));
  if (retries.enabled) interceptors.push(retry(clock, retries.order));
  if (deadlines.enabled) interceptors.push(timeout(clock, deadlines.order));
  if (config.metrics.interceptor.enabled) {
    interceptors.push(metrics(collector, clock, config.metrics.interceptor.order));
  }
  // Without spans there is nothing to wrap: contexts pass through as they came.
  if (tracer !== noTracer) {
    interceptors.push(tracing(tracer, config.otel.interceptor.order, logger.subsystem('telemetry')));
  }
  if (lines.enabled) interceptors.push(logging(logger, clock, lines.order));

  interceptors.push(...(host?.interceptors ?? []));

  /** What a host program brings may not fit: nothing that was made by then may stay behind. */
  const orAbandon = <T>(make: () => T): T => {
    try {
      return make();
    } catch (error) {
      engine.close();
      void otel.shutdown(0); // never rejects
      throw error;
    }
  };
  const chain = orAbandon(() => compose(interceptors));
  const ports = new Map<PortKey<unknown>, unknown>();
  const use = <T>(key: PortKey<T>): T => {
    if (!ports.has(key)) throw new Error(`nothing provides the port '${key.name}'`);
    return ports.get(key) as T;
  };
  const find = <T>(key: PortKey<T>): T | undefined => ports.get(key) as T | undefined;
  const env: Env = {
    clock,
    collector,
    engine,
    logger,
    registry: app.registry,
    propagator: otel.propagator,
    thirdParty: otel.thirdParty,
    settings: settingsOf(config, app.root, options.variables),
    build: { version: build.version, revision: build.revision, command: build.command },
    site: (site, core) => {
      const composed = chain(site, core);
      if (site.component === undefined) return composed;
      const { activity } = health(site.component);
      return (call) => {
        activity();
        return composed(call);
      };
    },
    provide(key, port) {
      if (ports.has(key)) throw new Error(`the port '${key.name}' is provided twice`);
      ports.set(key, port);
    },
    use,
    find,
    health,
  };
  const exit = Promise.withResolvers<number>();
  env.provide(SUPERVISOR, {
    state: (id) => components.state(id),
    states: () => components.states(),
    exit: (code) => exit.resolve(code),
  });
  const isOn = ({ name }: Surface): boolean => name === undefined || config.surfaces[name];
  const built = orAbandon(() => app.surfaces.filter(isOn).flatMap((surface) => surface.build(env)));
  const ownMetrics = processMetrics({ collector, clock, logger });
  const components = createComponents({
    components: withEntryNeeds(built, app),
    clock,
    logger,
    isService: (name) => app.registry.get(name) !== undefined,
    health,
    isStopping: () => state.isDraining,
  });
  registerBuildInfo(collector, {
    ...env.build,
    otelSdkVersion: String(otel.resource['telemetry.sdk.version']),
    luaEngine: engine.version,
  });

  const renderer = prometheusRenderer({ collector, clock, logger, foreign: otel.thirdPartyFamilies });
  const operations =
    config.telemetry.enabled && (options.hasOperationsPort ?? true)
      ? operationsServer({
          listen: config.telemetry.listen,
          paths: config.telemetry.paths,
          state: () => ({ ready: state.isReady, stopping: state.isDraining, closing: state.isClosing }),
          metrics: renderer,
          logger,
          collector,
          clock,
        })
      : undefined;

  // ---- life ------------------------------------------------------------------------------------------------------
  let starting: Promise<void> | undefined;
  let ending: Promise<boolean> | undefined;
  const begin = async (): Promise<void> => {
    for (const problem of app.problems) logger.warn(renderProblem(problem)); // errors never get here
    for (const problem of app.otel.warnings) logger.subsystem('telemetry').warn(problem);
    await operations?.start(); // before the others, so that probes are answered while they start
    if (host === undefined) otel.registerGlobals(); // a host program has its own, or wants none
    await ownMetrics.start?.();
    await components.start();
    if (isOpen) await components.open();
    state.isReady = !state.isDraining;
    warnOfExponentialNames();
  };
  const warnOfExponentialNames = (): void => {
    const names = config.metrics.exponential_histograms;
    // A host program's collector was made by the host: the setting does nothing there.
    if (names.length === 0 || host?.collector !== undefined) return;
    const heads = collector.capture().families.map(({ head }) => head);
    for (const problem of exponentialNameProblems(names, config.metrics.namespace, heads, luaSources(app))) {
      logger.subsystem('telemetry').warn(problem);
    }
  };
  const end = async (): Promise<boolean> => {
    const { timeout, flush_timeout: flushMs } = config.shutdown;
    const deadline = clock.now() + timeout;
    // The flush has its own part of the whole: slow work cannot eat it.
    const workMs = Math.max(timeout - flushMs, 0);
    state.isDraining = true;
    state.isReady = false;
    await starting?.catch(() => {}); // whoever started it has been told; what it had started is stopped below
    const errors = [...(await components.drain(workMs))];
    errors.push(...(await components.stop(Math.max(deadline - flushMs - clock.now(), 0))));
    engine.close();
    state.isClosing = true;
    try {
      await operations?.stop();
    } catch (error) {
      errors.push(new Error(`the operations port could not stop: ${messageOf(error)}`, { cause: error }));
    }
    await otel.shutdown(Math.max(Math.min(flushMs, deadline - clock.now()), 0));
    await ownMetrics.stop?.(); // after the last window, which shows the process as well
    if (errors.length > 0) {
      logger.error('the program has stopped with errors', { errors: errors.map((error) => error.message) });
    }
    await waitAtMost(clock, 1000, logger.flush());
    return errors.length === 0;
  };

  return {
    logger,
    clock,
    collector,
    propagator: otel.propagator,
    metrics: renderer,
    use,
    exitRequested: exit.promise,
    operationsAddress: () => operations?.address(),
    start() {
      if (starting !== undefined) throw new Error('the program was started already');
      starting = begin();
      return starting;
    },
    stop() {
      ending ??= starting === undefined ? otel.shutdown(0).then(() => true) : end();
      return ending;
    },
  };
};

const luaSources = ({ registry }: App): readonly string[] =>
  ['function.lua', 'library.lua'].flatMap((kind) =>
    registry.declared<{ readonly source: string }>(kind).map(({ config }) => config.source),
  );

/** A component waits for what its entry refers to, also through entries that have no component (a router, a queue). */
const withEntryNeeds = (components: readonly Component[], app: App): readonly Component[] => {
  const names = new Set(components.map((component) => component.name));
  const reach = (id: string, seen: Set<string>): readonly string[] =>
    (app.needs.get(id) ?? []).flatMap((need) => {
      if (seen.has(need)) return [];
      seen.add(need);
      return names.has(need) ? [need] : reach(need, seen);
    });
  return components.map((component) => ({
    ...component,
    needs: [...new Set([...component.needs, ...reach(component.name, new Set())])],
  }));
};

const logOptions = ({ app, log = 'default', logTo, isTerminal }: ProgramOptions) => {
  const { level, levels, encoding } = app.loaded.config.logger;
  const wanted = encoding === 'auto' ? (isTerminal ? 'console' : 'json') : encoding;
  return {
    level: log === 'verbose' ? ('debug' as const) : level,
    levels,
    encoding: log === 'console' ? ('console' as const) : wanted,
    destinations: log === 'silent' ? [] : logTo,
  };
};

/** What no line may show: the credentials that the collector is sent. */
const secretsOf = (app: App): readonly string[] => {
  const { traces, metrics: pushed } = app.otel.settings;
  return [...Object.values(traces.headers), ...Object.values(pushed.headers)].filter((value) => value.length > 3);
};
