import { measure as mitata } from 'mitata';
import type { Readings } from './row.ts';

/** Takes one reading of a side. */
export type Reading = () => Promise<number>;

/** @throws Error when there is nothing to take the middle of. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lower = sorted[Math.ceil(middle) - 1];
  if (upper === undefined || lower === undefined) throw new Error('no values to take the median of');
  return (lower + upper) / 2;
};

/**
 * Reads every side once a round and gives the medians. Each round begins with another side, so that none is always
 * the one that runs after the collector of garbage, or on the warmer processor. The first `warmUps` rounds don't count.
 */
export const byTurns = async (
  sides: Readonly<Record<string, Reading>>,
  { rounds, warmUps = 1 }: { readonly rounds: number; readonly warmUps?: number },
): Promise<Readings> => {
  const names = Object.keys(sides);
  const readings = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = -warmUps; round < rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(turn + Math.abs(round)) % names.length] as string;
      const value = await (sides[name] as Reading)();
      if (round >= 0) readings.get(name)?.push(value);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(readings.get(name) as number[])]));
};

/**
 * Nanoseconds of one call of something short: mitata's median over unrolled batches. They are small, so that on a busy
 * machine a batch of the slower side is not interrupted more often than one of the faster.
 */
export const nanoseconds =
  (body: () => unknown, cpuMs = 120): Reading =>
  async () =>
    (await mitata(body, { min_cpu_time: cpuMs * 1e6, batch_samples: 256 })).p50;

/** Milliseconds of processor time that this process has used, all its threads: other programs don't count. */
export const processorTime = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Milliseconds of processor time of something long, `prepare` not counted: the median of `times`. */
export const milliseconds =
  (prepare: () => unknown, body: () => unknown, times = 5): Reading =>
  async () => {
    const taken: number[] = [];
    for (let i = 0; i < times; i += 1) {
      await prepare();
      const start = processorTime();
      await body();
      taken.push(processorTime() - start);
    }
    return median(taken);
  };
