import { IMPORTS } from '../../runtime/lua/code-schema.ts';
import { entryKind, type Surface } from '../../runtime/surface.ts';
import { operationGuard, SECURITY, type Security } from '../security/port.ts';
import { ctxModule } from './ctx-module.ts';
import { executorClass, funcsModule } from './funcs-module.ts';
import { functionPools } from './functions.ts';
import { futureClass } from './future.ts';
import { functionLua } from './kinds.ts';
import { payloadClass, payloadModule } from './payload-module.ts';
import { FUNCTIONS } from './port.ts';

/** `function.lua` (declarations.md, section 3), and the modules `funcs`, `ctx` and `payload`. */
export const functionSurface: Surface = {
  name: 'function',
  kinds: {
    'function.lua': entryKind({ schema: functionLua, references: [IMPORTS] }),
  },
  modules: ['funcs', 'ctx', 'payload'],
  sites: ({ kind }, { settings }) =>
    kind === 'function.lua' ? { hasOptions: true, isMeasured: true, hasSpan: settings.spans.function } : undefined,
  build(env) {
    const functions = functionPools(env);
    env.provide(FUNCTIONS, functions);
    env.engine.defineClass(payloadClass);
    env.engine.defineClass(futureClass);
    const allows = operationGuard(env.settings);
    let security: Security | undefined;
    const useSecurity = (): Security => {
      security ??= env.use(SECURITY);
      return security;
    };
    env.engine.defineClass(executorClass(functions, env.engine, { allows, security: useSecurity }));
    env.engine.define(payloadModule);
    env.engine.define(ctxModule);
    env.engine.define(funcsModule(functions, env.engine, allows));
    return [
      {
        name: 'functions',
        needs: ['code'],
        start: async () => functions.start(),
        stop: async () => functions.stop(),
      },
    ];
  },
};
