import { PerformanceObserver, constants as perf } from 'node:perf_hooks';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { BoundGauge, Collector } from '../../runtime/metrics/collector.ts';
import type { GaugeSpec, HistogramSpec } from '../../runtime/metrics/instruments.ts';
import { PROCESS_READINGS, type ProcessState } from './process-readings.ts';
import {
  countOpenFds,
  type LoopDelay,
  loopDelayMonitor,
  NO_DELAY,
  type ProcessSample,
  processSampler,
} from './process-sample.ts';

// Names, labels and buckets are those of prom-client's default metrics, because Node dashboards are made for them.

const gauge = <L extends string>(name: string, unit: string, help: string, labels: readonly L[]): GaugeSpec<L> => ({
  name,
  namespaced: false,
  help,
  unit,
  labels,
});
const HEAP_SPACES = {
  size: gauge('nodejs_heap_space_size_total_bytes', 'By', 'Size of a space of the heap.', ['space']),
  used: gauge('nodejs_heap_space_size_used_bytes', 'By', 'Used part of a space of the heap.', ['space']),
  available: gauge('nodejs_heap_space_size_available_bytes', 'By', 'Available part of a space of the heap.', ['space']),
};
const ACTIVE_RESOURCES = gauge('nodejs_active_resources', '{resource}', 'What keeps the process alive, by type.', [
  'type',
]);
const VERSION_INFO = gauge('nodejs_version_info', '1', 'Version of Node.js; always 1.', [
  'version',
  'major',
  'minor',
  'patch',
]);
const GC_DURATION: HistogramSpec<'kind'> = {
  name: 'nodejs_gc_duration_seconds',
  namespaced: false,
  help: 'Duration of garbage collections, by kind.',
  unit: 's',
  labels: ['kind'],
  boundaries: [0.001, 0.01, 0.1, 1, 2, 5],
};
const GC_KINDS: Readonly<Record<number, string>> = {
  [perf.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [perf.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [perf.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [perf.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
};

/** How often the process is looked at: what a scrape shows is at most this old. */
const SAMPLE_MS = 5000;
/** Event loop statistics cover between one and two of these. */
const READS_PER_TURN = 6;

export interface ProcessMetricsOptions {
  readonly collector: Collector;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sampleMs?: number;
}

/** Event loop, heap, garbage collection, CPU, memory and handles of this process. Sampled by a timer, read from memory. */
export const processMetrics = (options: ProcessMetricsOptions): Component => {
  const { collector, clock, sampleMs = SAMPLE_MS } = options;
  const logger = options.logger.subsystem('telemetry');
  let release: (() => void) | undefined;

  const run = (): (() => void) => {
    const loop = loopDelayMonitor(READS_PER_TURN);
    loop.start();
    // The monotonic clock begins with the process (HR Time, "time origin").
    const startSeconds = (clock.wall() - clock.now()) / 1000;
    const state: ProcessState = { sample: undefined, delay: NO_DELAY, lagSeconds: 0, openFds: undefined, startSeconds };
    const refresh = sampling(state, loop.read, { ...options, logger });
    refresh();
    versionInfo(collector);
    const unregister = PROCESS_READINGS.map(({ kind, name, unit, help, read }) =>
      collector.observe(kind, gauge(name, unit, help, []), {}, () => read(state)),
    );
    const stopGc = observeGc(collector);
    const cancel = clock.every(sampleMs, refresh, { unref: true });
    return () => {
      cancel();
      stopGc();
      loop.stop();
      for (const one of unregister) one();
    };
  };

  return {
    name: 'process-metrics',
    needs: [],
    async start() {
      release ??= run();
    },
    async stop() {
      release?.();
      release = undefined;
    },
  };
};

/** Brings the state up to date. What cannot be read is absent, not old; a warning says so once per episode. */
const sampling = (
  state: ProcessState,
  readDelay: () => LoopDelay,
  { collector, clock, logger }: ProcessMetricsOptions,
): (() => void) => {
  const takeSample = processSampler();
  const setLabelled = labelledGauges(collector);
  let isFailing = false;
  const failed = (error: unknown): void => {
    if (!isFailing) logger.warn('the process cannot be measured', { error: messageOf(error) });
    isFailing = true;
  };
  return () => {
    try {
      state.sample = takeSample();
      setLabelled(state.sample);
    } catch (error) {
      state.sample = undefined;
      failed(error);
    }
    state.delay = readDelay();
    const scheduled = clock.now();
    setImmediate(() => {
      state.lagSeconds = (clock.now() - scheduled) / 1000;
    }).unref();
    countOpenFds().then(
      (count) => {
        state.openFds = count;
        if (state.sample !== undefined) isFailing = false;
      },
      (error: unknown) => {
        state.openFds = undefined;
        failed(error);
      },
    );
  };
};

/** Gauges whose label values come and go with the samples; a type that is gone reads 0. */
const labelledGauges = (collector: Collector): ((sample: ProcessSample) => void) => {
  const size = collector.gauge(HEAP_SPACES.size);
  const used = collector.gauge(HEAP_SPACES.used);
  const available = collector.gauge(HEAP_SPACES.available);
  const resources = collector.gauge(ACTIVE_RESOURCES);
  const byType = new Map<string, BoundGauge>();
  return (sample) => {
    for (const space of sample.heapSpaces) {
      size.bind({ space: space.name }).set(space.size);
      used.bind({ space: space.name }).set(space.used);
      available.bind({ space: space.name }).set(space.available);
    }
    for (const type of sample.resources.keys()) if (!byType.has(type)) byType.set(type, resources.bind({ type }));
    for (const [type, bound] of byType) bound.set(sample.resources.get(type) ?? 0);
  };
};

const versionInfo = (collector: Collector): void => {
  const [major = '', minor = '', patch = ''] = process.versions.node.split('.');
  collector.gauge(VERSION_INFO).bind({ version: process.version, major, minor, patch }).set(1);
};

const observeGc = (collector: Collector): (() => void) => {
  const duration = collector.histogram(GC_DURATION);
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // The types know no detail; for entries of type gc it is this (Node.js documentation, perf_hooks).
      const { kind } = (entry as unknown as { detail: { kind: number } }).detail;
      duration.bind({ kind: GC_KINDS[kind] ?? 'other' }).observe(entry.duration / 1000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
};
