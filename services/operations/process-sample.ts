import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';

/** Statistics of the event loop's delay, in seconds; all 0 until the first window has ended. */
export interface LoopDelay {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** What the process used, read in one go. Seconds and bytes. */
export interface ProcessSample {
  readonly memory: NodeJS.MemoryUsage;
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
  readonly heapSpaces: readonly { name: string; size: number; used: number; available: number }[];
  /** Share of the time since the last sample that the event loop was busy, 0 to 1. */
  readonly utilization: number;
  /** How many of each type keep the program alive. */
  readonly resources: ReadonlyMap<string, number>;
  /** The same as sums: requests under way, and open handles (timers are neither). */
  readonly requests: number;
  readonly handles: number;
  /** All of them, timers too. */
  readonly active: number;
}

const MICROSECONDS = 1e6;
const NANOSECONDS = 1e9;

const isRequest = (type: string): boolean => /Req(?:Wrap|Callback|Promise)?$/.test(type);
const isTimer = (type: string): boolean => type === 'Timeout' || type === 'Immediate';

const countEach = (names: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};

/** Reads memory, CPU, heap and handles. It makes system calls, so a timer calls it, never a scrape (rule 131). */
export const processSampler = (): (() => ProcessSample) => {
  let before = performance.eventLoopUtilization();
  return () => {
    const cpu = process.cpuUsage();
    const types = process.getActiveResourcesInfo();
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return {
      memory: process.memoryUsage(),
      cpuUserSeconds: cpu.user / MICROSECONDS,
      cpuSystemSeconds: cpu.system / MICROSECONDS,
      heapSpaces: getHeapSpaceStatistics().map((space) => ({
        name: space.space_name.replace(/_space$/, ''),
        size: space.space_size,
        used: space.space_used_size,
        available: space.space_available_size,
      })),
      // No time between two samples gives NaN.
      utilization: Number.isFinite(utilization) ? utilization : 0,
      resources: countEach(types),
      active: types.length,
      requests: types.filter(isRequest).length,
      handles: types.filter((type) => !isRequest(type) && !isTimer(type)).length,
    };
  };
};

export const NO_DELAY: LoopDelay = { min: 0, max: 0, mean: 0, stddev: 0, p50: 0, p90: 0, p99: 0 };
/** Milliseconds between two looks at the loop; coarser than the default 10, because there are two monitors. */
const RESOLUTION_MS = 20;

/**
 * Measures how late the event loop is. Node's monitor can only be read and reset, so there are two, reset by turns: the
 * older one always covers between one and two turns, and a peak is seen for a whole turn at least.
 */
export const loopDelayMonitor = (readsPerTurn: number) => {
  let older = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let newer = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let reads = 0;
  return {
    start(): void {
      older.enable();
      newer.enable();
    },
    stop(): void {
      older.disable();
      newer.disable();
    },
    read(): LoopDelay {
      const delay = delayOf(older);
      reads += 1;
      if (reads % readsPerTurn === 0) {
        older.reset();
        [older, newer] = [newer, older];
      }
      return delay;
    },
  };
};

const delayOf = (monitor: ReturnType<typeof monitorEventLoopDelay>): LoopDelay => {
  if (monitor.count === 0) return NO_DELAY; // an empty one gives NaN and 2^63
  // Node records the time between two looks; what is more than the wait that was asked for is the delay.
  const late = (ns: number): number => Math.max(0, ns / NANOSECONDS - RESOLUTION_MS / 1000);
  const stddev = Number.isFinite(monitor.stddev) ? monitor.stddev / NANOSECONDS : 0;
  const [p50, p90, p99] = [50, 90, 99].map((rank) => late(monitor.percentile(rank))) as [number, number, number];
  return { min: late(monitor.min), max: late(monitor.max), mean: late(monitor.mean), stddev, p50, p90, p99 };
};

/** The number of open file descriptors; undefined where the system does not list them (anything but Linux). */
export const countOpenFds = async (): Promise<number | undefined> => {
  if (process.platform !== 'linux') return undefined;
  const entries = await readdir('/proc/self/fd');
  return entries.length - 1; // one of them is the directory that is being read
};
