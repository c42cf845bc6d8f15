import type { Surface } from '../../runtime/surface.ts';
import { ctxModule } from './ctx.ts';
import { payloadClass, payloadModule } from './payload.ts';

/** What travels with calls and messages: the modules `payload` and `ctx`. Functions and processes use both, so it is always on. */
export const valuesSurface: Surface = {
  kinds: {},
  modules: ['ctx', 'payload'],
  build({ engine }) {
    engine.defineClass(payloadClass);
    engine.define(payloadModule);
    engine.define(ctxModule);
    return [];
  },
};
