import type { Surface } from '../../runtime/surface.ts';
import { errorClass, errorsModule } from './errors.ts';
import { jsonModule } from './json.ts';
import { jsonSchemas } from './json-schema.ts';
import { loggerClass, loggerModule } from './logger.ts';
import { metricsModule } from './metrics.ts';
import { defineTime } from './time/module.ts';

/** Lua modules without a service behind them. They have no entry kinds and nothing to start. */
export const stdlibSurface: Surface = {
  kinds: {},
  modules: ['errors', 'json', 'logger', 'metrics', 'time'],
  build({ engine, clock, collector, logger }) {
    engine.defineClass(errorClass);
    engine.defineClass(loggerClass);
    for (const module of [errorsModule, jsonModule(jsonSchemas()), loggerModule(logger), metricsModule(collector)])
      engine.define(module);
    defineTime(engine, clock);
    return [];
  },
};
