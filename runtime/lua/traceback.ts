import type { LuaFrame } from '../errors.ts';

/** `path:line: in function 'name'`, one a line, innermost first: what `exception.stacktrace` and `stack()` show. */
export const renderFrames = (frames: readonly LuaFrame[]): string =>
  frames
    .map((frame) => {
      const place = frame.line === undefined ? frame.source : `${frame.source}:${frame.line}`;
      if (frame.type === 'main') return `\t${place}: in main chunk`;
      return frame.name === undefined ? `\t${place}: in a function` : `\t${place}: in function '${frame.name}'`;
    })
    .join('\n');
