import type { Clock } from '../../runtime/clock.ts';
import { parseDurationMs } from '../../runtime/duration.ts';
import { invalid } from '../../runtime/errors.ts';
import { isLuaString, LuaTable, type LuaValue, textOf } from '../../runtime/lua/values.ts';
import type { PublishOptions } from './driver.ts';
import type { HeaderValue } from './port.ts';

/** A duration text, or nanoseconds (lua/common.md, section 8); undefined for nil. @throws CallError Invalid naming it. */
export const durationMsOf = (value: LuaValue, name: string): number | undefined => {
  if (value === undefined) return undefined;
  let ms: number | undefined;
  if (typeof value === 'number') ms = value / 1e6;
  else if (isLuaString(value)) ms = parseDurationMs(textOf(value));
  if (ms === undefined || !(ms >= 0 && ms < Number.POSITIVE_INFINITY))
    throw invalid(`${name} must be a duration such as "5s"`);
  return ms;
};

/** The fourth argument of `queue.publish` (extensions.md, section 3). @throws CallError Invalid naming the option. */
export const publishOptions = (value: LuaValue, clock: Clock): PublishOptions => {
  if (!(value instanceof LuaTable)) return {};
  const key = value.get('idempotency_key');
  if (key !== undefined && !isLuaString(key)) throw invalid('idempotency_key must be a string');
  // Whatever lacks a part of its key would count as one message.
  if (key?.length === 0) throw invalid('idempotency_key must not be empty');
  const deliverAt = value.get('deliver_at');
  if (deliverAt !== undefined && !(typeof deliverAt === 'number' && Number.isFinite(deliverAt)))
    throw invalid('deliver_at must be Unix seconds');
  const delayMs =
    deliverAt === undefined ? durationMsOf(value.get('delay'), 'delay') : Math.max(0, deliverAt * 1000 - clock.wall());
  return { delayMs, idempotencyKey: key === undefined ? undefined : textOf(key) };
};

/** The third argument: anything but a table is ignored; so are keys that are no text and values of other types. */
export const headersOf = (value: LuaValue): Readonly<Record<string, HeaderValue>> => {
  if (!(value instanceof LuaTable)) return {};
  const headers: [string, HeaderValue][] = [];
  for (const [name, member] of value.map) {
    if (typeof name !== 'string') continue;
    if (isLuaString(member)) headers.push([name, textOf(member)]);
    else if (typeof member === 'number' || typeof member === 'boolean') headers.push([name, member]);
  }
  return Object.fromEntries(headers);
};
