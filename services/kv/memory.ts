import type { Cancel, Clock } from '../../runtime/clock.ts';
import type { HostData } from '../../runtime/codec/host-data.ts';
import { unavailable } from '../../runtime/errors.ts';
import type { BackendInfo, ListQuery, Page, PutOptions, StoreBackend, StoredEntry } from './backend.ts';

export interface MemoryOptions {
  readonly maxSize: number;
  /** Milliseconds between sweeps of expired entries; 0 = no sweeper. */
  readonly cleanupIntervalMs: number;
}

interface Slot extends StoredEntry {
  /** clock.now() at which it expires; Infinity: never. */
  readonly expiresAt: number;
}

const INFO: BackendInfo = {
  backend: 'memory',
  consistency: 'local',
  durable: false,
  list: true,
  versioned: true,
  conditional_put: true,
  ttl: true,
};

/** `store.memory`: a map of this program; its data are lost at the stop. Synchronous, so that writes are atomic. */
export const memoryBackend = (clock: Clock, { maxSize, cleanupIntervalMs }: MemoryOptions): StoreBackend => {
  const slots = new Map<string, Slot>();
  let sortedKeys: string[] | undefined;
  let lastVersion = 0;
  /** No entry expires before this: most stores never pay for a sweep. */
  let nextExpiry = Number.POSITIVE_INFINITY;
  let running = false;
  let stopSweeper: Cancel | undefined;

  const remove = (key: string): void => {
    slots.delete(key);
    sortedKeys = undefined;
  };
  const live = (key: string): Slot | undefined => {
    if (!running) throw unavailable('store is stopped');
    const slot = slots.get(key);
    if (slot === undefined || slot.expiresAt > clock.now()) return slot;
    remove(key);
    return undefined;
  };
  const sweep = (): void => {
    const now = clock.now();
    if (now < nextExpiry) return;
    nextExpiry = Number.POSITIVE_INFINITY;
    for (const [key, { expiresAt }] of slots) {
      if (expiresAt <= now) remove(key);
      else if (expiresAt < nextExpiry) nextExpiry = expiresAt;
    }
  };
  const write = (key: string, value: HostData, ttl: number | undefined, existing: Slot | undefined): Slot => {
    if (existing === undefined) {
      if (slots.size >= maxSize) sweep();
      if (slots.size >= maxSize) throw unavailable('store is full');
      sortedKeys = undefined;
    }
    const expiresAt = ttl === undefined || ttl <= 0 ? Number.POSITIVE_INFINITY : clock.now() + ttl * 1000;
    if (expiresAt < nextExpiry) nextExpiry = expiresAt;
    lastVersion += 1;
    const slot = { key, value, version: String(lastVersion), expiresAt };
    slots.set(key, slot);
    return slot;
  };
  const list = ({ prefix, after, limit }: ListQuery): Page => {
    if (!running) throw unavailable('store is stopped');
    sweep();
    sortedKeys ??= [...slots.keys()].sort();
    const items: StoredEntry[] = [];
    for (let i = firstAbove(sortedKeys, prefix, after); i < sortedKeys.length; i += 1) {
      const key = sortedKeys[i] as string;
      if (!key.startsWith(prefix)) break;
      if (items.length === limit) return { items, hasMore: true };
      items.push(slots.get(key) as Slot);
    }
    return { items, hasMore: false };
  };
  const put = (key: string, value: HostData, { ttl, onlyIfAbsent, ifVersion }: PutOptions) => {
    const existing = live(key);
    if (onlyIfAbsent === true && existing !== undefined) return { result: 'exists' } as const;
    if (ifVersion !== undefined) {
      if (existing === undefined) return { result: 'not_found' } as const;
      if (existing.version !== ifVersion) return { result: 'conflict' } as const;
    }
    return { result: 'ok', entry: write(key, value, ttl, existing) } as const;
  };

  return {
    info: INFO,
    system: 'memory',
    isEmbedded: true,
    get: live,
    has: (key) => live(key) !== undefined,
    set(key, value, ttl) {
      write(key, value, ttl, live(key));
    },
    delete(key) {
      if (live(key) === undefined) return false;
      remove(key);
      return true;
    },
    list,
    put,
    async start() {
      running = true;
      if (cleanupIntervalMs > 0) stopSweeper ??= clock.every(cleanupIntervalMs, sweep, { unref: true });
    },
    async stop() {
      running = false;
      stopSweeper?.();
      stopSweeper = undefined;
      slots.clear();
      sortedKeys = undefined;
    },
  };
};

/** Index of the first key that may belong to the page, by halving. */
const firstAbove = (keys: readonly string[], prefix: string, after: string): number => {
  const isBefore = (key: string): boolean => key < prefix || (after !== '' && key <= after);
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(keys[middle] as string)) low = middle + 1;
    else high = middle;
  }
  return low;
};
