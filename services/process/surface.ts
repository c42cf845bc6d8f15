import type { Surface } from '../../runtime/surface.ts';
import { processModule } from './module.ts';

/** The name `process` is known in every Lua environment; it has no entry kinds yet. */
export const processSurface: Surface = {
  kinds: {},
  modules: ['process'],
  build(env) {
    env.engine.define(processModule);
    return [];
  },
};
