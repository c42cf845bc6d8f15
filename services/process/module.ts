import type { LuaModule } from '../../runtime/lua/engine.ts';

/** Who is running (lua/process.md, section 1). Always present, in functions and in processes. */
export const processModule: LuaModule = {
  name: 'process',
  isGlobal: true,
  functions: {
    pid: (thread) => [thread.run.pid],
    id: (thread) => [thread.run.entryId],
  },
};
