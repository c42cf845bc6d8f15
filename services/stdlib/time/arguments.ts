import { badArgument } from '../../../runtime/lua/arguments.ts';
import { LuaRaise } from '../../../runtime/lua/engine.ts';
import type { LuaValue } from '../../../runtime/lua/values.ts';
import { Duration, durationOf } from './duration.ts';
import { Location } from './location.ts';
import { Time } from './time.ts';

/** Moments beyond this many seconds from 1970 have no exact arithmetic (about 285 million years). */
const LAST_SECOND = Number.MAX_SAFE_INTEGER;

/** A Time that can be computed with. @throws LuaRaise `time out of range`. */
export const checkedTime = (time: Time): Time => {
  if (Math.abs(time.unix) <= LAST_SECOND) return time; // NaN is not
  throw new LuaRaise('time out of range');
};

export const timeArgument = (args: readonly LuaValue[], position: number, name: string): Time => {
  const value = args[position - 1];
  if (value instanceof Time) return value;
  throw badArgument(position, name, 'Time', value);
};

/** The zone given, or `fallback` where none is. */
export const locationArgument = (
  args: readonly LuaValue[],
  position: number,
  name: string,
  fallback: Location,
): Location => {
  const value = args[position - 1];
  if (value === undefined) return fallback;
  if (value instanceof Location) return value;
  throw badArgument(position, name, 'Location', value);
};

/** A Duration object: no number and no text (lua/time.md, `round`, `truncate`). */
export const durationObject = (args: readonly LuaValue[], position: number, name: string): Duration => {
  const value = args[position - 1];
  if (value instanceof Duration) return value;
  throw badArgument(position, name, 'Duration', value);
};

/** Whatever stands for a duration; anything else raises. */
export const durationArgument = (args: readonly LuaValue[], position: number, name: string): bigint => {
  const ns = durationOf(args[position - 1]);
  if (ns !== undefined) return ns;
  throw badArgument(position, name, 'duration', args[position - 1]);
};

/** A whole number; a fraction is cut off. */
export const integerArgument = (args: readonly LuaValue[], position: number, name: string): number => {
  const value = args[position - 1];
  if (typeof value === 'number' && Number.isFinite(value)) return Math.trunc(value);
  throw badArgument(position, name, 'number', position > args.length ? 'no value' : value);
};
