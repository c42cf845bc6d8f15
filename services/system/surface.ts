import { hostname } from 'node:os';
import { SUPERVISOR } from '../../runtime/supervision.ts';
import type { Surface } from '../../runtime/surface.ts';
import { PROCESSES } from '../process/port.ts';
import { SECURITY } from '../security/port.ts';
import { systemModule } from './module.ts';

/** What a program may know of itself, and end: the module `system` (lua/system.md). No entry kinds. Always on. */
export const systemSurface: Surface = {
  kinds: {},
  modules: ['system'],
  build(env) {
    const { engine, settings } = env;
    engine.define(
      systemModule({
        // Asked for at each call: all surfaces are built by then.
        allows: (context, action, resource) =>
          env.find(SECURITY)?.allows(context, action, resource) ?? !settings.strictSecurity,
        node: settings.nodeName === '' ? hostname() : settings.nodeName,
        moduleNames: () => engine.moduleNames,
        supervisor: () => env.use(SUPERVISOR),
        processes: () => env.find(PROCESSES),
      }),
    );
    return [];
  },
};
