import type { LogFields } from '../../runtime/logger.ts';
import type { LuaThread } from '../../runtime/lua/engine.ts';

/** What every record written by Lua carries: the call and the calling line, `ns:name:line` (lua/logger.md). */
export const sourceFields = (thread: LuaThread): LogFields => {
  const line = thread.where()?.line;
  const program = thread.programId();
  return { pid: thread.run.pid, location: line === undefined ? program : `${program}:${line}` };
};
