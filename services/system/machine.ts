import { availableParallelism, hostname } from 'node:os';
import { invalid } from '../../runtime/errors.ts';
import type { LuaModule } from '../../runtime/lua/engine.ts';
import { numberOf, type Permit, permitted, returning } from './guard.ts';

type Table = NonNullable<LuaModule['tables']>[string];

/** `system.runtime`. Lua runs on one thread: the number of processors is kept and shown, and nothing else. */
export const runtimeTable = (permit: Permit): Table => {
  let processors = availableParallelism();
  return {
    functions: {
      // What the event loop waits for, and the call that asks.
      goroutines: permitted(permit, 'system.read', 'goroutines', () => process.getActiveResourcesInfo().length + 1),
      max_procs: returning((args, thread) => {
        const isRead = args[0] === undefined;
        permit(thread, isRead ? 'system.read' : 'system.control', 'gomaxprocs');
        const previous = processors;
        if (isRead) return previous;
        const next = Math.trunc(numberOf(args, 'max_procs', 'GOMAXPROCS value'));
        if (next <= 0) throw invalid('GOMAXPROCS value must be positive');
        processors = next;
        return previous;
      }),
      cpu_count: permitted(permit, 'system.read', 'cpu', () => availableParallelism()),
    },
  };
};

/** `system.process`: the process of the operating system. */
export const processTable = (permit: Permit): Table => ({
  functions: {
    pid: permitted(permit, 'system.read', 'pid', () => process.pid),
    hostname: permitted(permit, 'system.read', 'hostname', () => hostname()),
    cwd: permitted(permit, 'system.read', 'cwd', () => process.cwd()),
  },
});
