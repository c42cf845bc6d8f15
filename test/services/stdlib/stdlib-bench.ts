import { type Clock, systemClock } from '../../../runtime/clock.ts';
import { type CallContext, rootContext } from '../../../runtime/context.ts';
import type { Env } from '../../../runtime/env.ts';
import { type Logger, silentLogger } from '../../../runtime/logger.ts';
import { fengariEngine } from '../../../runtime/lua/fengari/engine.ts';
import type { LuaValue } from '../../../runtime/lua/values.ts';
import type { Collector } from '../../../runtime/metrics/collector.ts';
import { printLine } from '../../../services/stdlib/print.ts';
import { stdlibSurface } from '../../../services/stdlib/surface.ts';

export interface StdlibBench {
  /** Runs a function body on the real engine and gives its first result. */
  run(body: string, context?: CallContext): Promise<LuaValue>;
}

export interface StdlibOptions {
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly dynamic?: Partial<Collector['dynamic']>;
}

const NO_LIMITS = { instructions: 0, cpuMs: 0, resultBytes: 0 };

/** The real engine with all modules of the surface; every chunk is `app:chunk` in `chunk.lua`, its body on line 1. */
export const stdlibBench = (options: StdlibOptions = {}): StdlibBench => {
  const clock = options.clock ?? systemClock();
  const logger = options.logger ?? silentLogger;
  const engine = fengariEngine({
    clock,
    print: printLine(logger),
    onReleaseError: (_run, error) => {
      throw error;
    },
    limits: NO_LIMITS,
  });
  const collector = { dynamic: options.dynamic ?? {} } as Collector;
  stdlibSurface.build({ engine, clock, logger, collector } as unknown as Env);
  return {
    async run(body, context = rootContext) {
      const source = `return function() ${body}\nend`;
      const chunk = { id: 'app:chunk', source, path: 'chunk.lua', modules: stdlibSurface.modules, imports: {} };
      const instance = engine.load(chunk).instantiate(rootContext);
      const result = await instance.call({
        args: [],
        context,
        pid: '{n@app|1}',
        entryId: 'app:chunk',
        limits: NO_LIMITS,
      });
      return result.value;
    },
  };
};
