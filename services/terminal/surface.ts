import type { Surface } from '../../runtime/surface.ts';
import { ioModule } from './module.ts';

/** The Lua module `io`. It belongs to processes, and says so to everything else; `terminal.host` is a process host. */
export const terminalSurface: Surface = {
  kinds: {},
  modules: ['io'],
  build({ engine }) {
    engine.define(ioModule());
    return [];
  },
};
