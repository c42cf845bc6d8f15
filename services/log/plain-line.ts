import type { LogFields, LogLevel } from '../../runtime/logger.ts';
import type { TraceContext } from '../../runtime/trace.ts';
import { isSpecialName } from './fields.ts';
import { mayHoldSecret } from './redaction.ts';

/** More names than an app has; one that makes names up as it goes must not make this grow. */
const KNOWN_NAMES = 1000;

/**
 * Members of a JSON line that are written without pino: texts, numbers and truth values, which is what the lines of
 * requests and messages hold. It is the JSON that pino makes. Names and texts that look like a secret's are not among
 * them, so that no pattern of redaction can match what comes out.
 */
export interface PlainMembers {
  /** `,"a":1,"b":"x"`; undefined when there is anything else. `bound` holds what the logger's lines have anyway. */
  of(fields: LogFields, bound: object): string | undefined;
}

export const plainMembers = (): PlainMembers => {
  /** Name to `,"name":`; undefined for those that are not written here. */
  const starts = new Map<string, string | undefined>();
  const startOf = (name: string): string | undefined => {
    const known = starts.get(name);
    if (known !== undefined || starts.has(name)) return known;
    const start = isSpecialName(name) || mayHoldSecret(name) ? undefined : `,${JSON.stringify(name)}:`;
    if (starts.size < KNOWN_NAMES) starts.set(name, start);
    return start;
  };
  return {
    of(fields, bound) {
      let out = '';
      for (const name of Object.keys(fields)) {
        const value = fields[name];
        if (value === undefined) continue;
        const start = startOf(name);
        if (start === undefined || name in bound) return undefined;
        if (typeof value === 'number') out += start + (Number.isFinite(value) ? value : 'null');
        else if (typeof value === 'boolean') out += start + value;
        else if (typeof value === 'string' && !mayHoldSecret(value)) out += start + JSON.stringify(value);
        else return undefined;
      }
      return out;
    },
  };
};

/** A line between its fields and its end. Messages are mostly the same text again: what it took is kept. */
export interface LineFrame {
  /** `members`: of the line. @returns the line without its newline, undefined when the message may hold a secret */
  line(time: string, members: string, trace: TraceContext | undefined, message: string): string | undefined;
}

/** @param bound The members of the logger itself, as JSON: `,"subsystem":"http"`. */
export const lineFrame = (level: LogLevel, bound: string): LineFrame => {
  const start = `{"level":"${level}","time":"`;
  const isBoundPlain = !mayHoldSecret(bound);
  let last: string | undefined;
  let end: string | undefined;
  return {
    line(time, members, trace, message) {
      if (message !== last) {
        last = message;
        end = isBoundPlain && !mayHoldSecret(message) ? `,"msg":${JSON.stringify(message)}}` : undefined;
      }
      if (end === undefined) return undefined;
      const ids = trace === undefined ? '' : `,"trace_id":"${trace.traceId}","span_id":"${trace.spanId}"`;
      return `${start}${time}"${bound}${members}${ids}${end}`;
    },
  };
};

/** `2026-01-31T12:00:00.000Z` of milliseconds since the epoch: the text up to the second is kept for the next line. */
export const isoTime = (): ((ms: number) => string) => {
  let second = Number.NaN;
  let head = '';
  return (ms) => {
    const whole = Math.floor(ms / 1000);
    if (whole !== second) {
      head = new Date(whole * 1000).toISOString().slice(0, -4); // up to the dot
      second = whole;
    }
    const rest = Math.floor(ms - whole * 1000);
    if (rest >= 100) return `${head}${rest}Z`;
    return rest >= 10 ? `${head}0${rest}Z` : `${head}00${rest}Z`;
  };
};
