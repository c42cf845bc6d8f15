import { isFlexible, type PoolConfig } from './kinds.ts';

/** How many Lua instances a function may have, and how long idle ones stay. */
export interface PoolShape {
  /** Calls that run at once; Infinity: no bound. Further calls wait. */
  readonly limit: number;
  /** Idle instances that are never removed. */
  readonly keep: number;
  /** Instances made when the function is activated. */
  readonly warm: number;
}

const DEFAULT_WORKERS = 8;
const DEFAULT_MAX_SIZE = 16;
const AUTO_MAX_SIZE = 100;

/**
 * The shape of a `pool` block (declarations.md, section 3.1). Without one there is no bound, so that nested and
 * recursive calls cannot deadlock. `buffer` only names the length of a static pool's queue: its calls wait whether
 * the queue is full or not ("limits bound concurrency only").
 */
export const poolShape = (config: PoolConfig | undefined): PoolShape => {
  if (config === undefined) return { limit: Number.POSITIVE_INFINITY, keep: 0, warm: 0 };
  const { size, workers, max_size: maxSize } = config;
  const auto = isFlexible(config) ? 'lazy' : workers > 0 ? 'static' : 'inline';
  const warm = (count: number): number => (config.warm_start ? count : 0);
  switch (config.type ?? auto) {
    case 'inline': // one instance per concurrent call
      return { limit: Number.POSITIVE_INFINITY, keep: size, warm: warm(Math.max(size, 1)) };
    case 'static': {
      const fixed = workers || size || DEFAULT_WORKERS;
      return { limit: fixed, keep: fixed, warm: warm(fixed) };
    }
    case 'lazy': {
      const limit = maxSize || (config.type === undefined ? AUTO_MAX_SIZE : DEFAULT_MAX_SIZE);
      return { limit, keep: 0, warm: warm(Math.min(Math.max(size, 1), limit)) };
    }
    case 'adaptive': {
      const limit = maxSize || Math.max(DEFAULT_MAX_SIZE, size);
      const least = Math.min(Math.max(size, 1), limit);
      return { limit, keep: least, warm: warm(least) };
    }
  }
};
