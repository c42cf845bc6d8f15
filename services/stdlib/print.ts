import type { Logger } from '../../runtime/logger.ts';
import type { LuaThread } from '../../runtime/lua/engine.ts';
import { sourceFields } from './source-line.ts';

/** Where `print` goes: one record at info, subsystem `lua`, never standard output itself (lua/conventions.md, section 1). */
export const printLine = (logger: Logger): ((thread: LuaThread, text: string) => void) => {
  const lines = logger.subsystem('lua');
  return (thread, text) => {
    if (lines.enabled('info')) lines.info(text, sourceFields(thread), thread.context);
  };
};
