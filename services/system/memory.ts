import { getHeapStatistics } from 'node:v8';
import { invalid } from '../../runtime/errors.ts';
import type { LuaModule } from '../../runtime/lua/engine.ts';
import { numberOf, type Permit, permitted } from './guard.ts';

type Table = NonNullable<LuaModule['tables']>[string];

/** V8 does not count its objects: bytes in use over what one takes on average. */
const BYTES_PER_OBJECT = 64;
const NO_LIMIT = -1;

const heapObjects = (usedBytes: number): number => Math.ceil(usedBytes / BYTES_PER_OBJECT);

/** V8's numbers under the names that programs know. 0: V8 has no such counter. */
const memoryStats = () => {
  const heap = getHeapStatistics();
  const used = heap.used_heap_size;
  return {
    alloc: used,
    total_alloc: 0,
    sys: process.memoryUsage.rss(),
    heap_alloc: used,
    heap_sys: heap.total_heap_size,
    heap_idle: Math.max(0, heap.total_heap_size - used),
    heap_in_use: used,
    heap_released: Math.max(0, heap.total_heap_size - heap.total_physical_size),
    heap_objects: heapObjects(used),
    stack_in_use: 0,
    stack_sys: 0,
    mspan_in_use: 0,
    mspan_sys: 0,
    num_gc: 0,
    next_gc: heap.heap_size_limit,
  };
};

/** `system.memory`. A limit is kept and shown, and nothing else: V8's own is set when Node.js starts. */
export const memoryTable = (permit: Permit): Table => {
  let limit = NO_LIMIT;
  return {
    functions: {
      stats: permitted(permit, 'system.read', 'memory', () => memoryStats()),
      allocated: permitted(permit, 'system.read', 'memory', () => getHeapStatistics().used_heap_size),
      heap_objects: permitted(permit, 'system.read', 'memory', () => heapObjects(getHeapStatistics().used_heap_size)),
      set_limit: permitted(permit, 'system.control', 'memory_limit', ([bytes]) => {
        if (typeof bytes !== 'number' || Number.isNaN(bytes)) throw invalid('limit must be a number');
        if (bytes < NO_LIMIT) throw invalid('limit must be non-negative or -1');
        const previous = limit;
        limit = bytes;
        return previous;
      }),
      get_limit: permitted(permit, 'system.read', 'memory_limit', () => limit),
    },
  };
};

/** `system.gc`. V8 collects when it likes; `collect` asks for it where Node.js was started with `--expose-gc`. */
export const gcTable = (permit: Permit): Table => {
  let percent = 100;
  return {
    functions: {
      collect: permitted(permit, 'system.gc', 'gc', () => {
        globalThis.gc?.();
        return true;
      }),
      set_percent: permitted(permit, 'system.gc', 'gc_percent', (args) => {
        const wanted = numberOf(args, 'set_percent', 'percent');
        const previous = percent;
        percent = wanted;
        return previous;
      }),
      get_percent: permitted(permit, 'system.read', 'gc_percent', () => percent),
    },
  };
};
