import type { LogFields, LogLevel } from '../../runtime/logger.ts';
import type { TraceContext } from '../../runtime/trace.ts';
import { isSpecialName } from './fields.ts';
import { IN_EVERY_SIGN, mayHoldSecret } from './redaction.ts';

/** More names than an app has; one that makes names up as it goes must not make this grow. */
const KNOWN_NAMES = 1000;
/** Up to this length looking at every character is cheaper than asking the engine. */
const SHORT_TEXT = 64;

/**
 * Members of a JSON line that are written without pino: texts, numbers and truth values, which is what the lines of
 * requests and messages hold. It is the JSON that pino makes. Names and texts that look like a secret's are not among
 * them, so that no pattern of redaction can match what comes out.
 */
export interface PlainMembers {
  /** `,"a":1,"b":"x"`; undefined when there is anything else. `bound` holds what the logger's lines have anyway. */
  of(fields: LogFields, bound: object): string | undefined;
}

/** A name, and the value that it had last: states, methods and counts of attempts mostly repeat theirs. */
interface KnownName {
  /** `,"name":` */
  readonly start: string;
  last: unknown;
  /** The whole member for `last`. */
  member: string;
}

export const plainMembers = (): PlainMembers => {
  /** Undefined for those that are not written here. */
  const names = new Map<string, KnownName | undefined>();
  const knownName = (name: string): KnownName | undefined => {
    const known = names.get(name);
    if (known !== undefined || names.has(name)) return known;
    const start = isSpecialName(name) || mayHoldSecret(name) ? undefined : `,${JSON.stringify(name)}:`;
    const made = start === undefined ? undefined : { start, last: undefined, member: '' };
    if (names.size < KNOWN_NAMES) names.set(name, made);
    return made;
  };
  return {
    of(fields, bound) {
      let out = '';
      for (const name of Object.keys(fields)) {
        const value = fields[name];
        if (value === undefined) continue;
        const known = knownName(name);
        if (known === undefined || name in bound) return undefined;
        if (value === known.last) {
          out += known.member;
          continue;
        }
        const text = plainValue(value);
        if (text === undefined) return undefined;
        const member = known.start + text;
        out += member;
        if (text.length > SHORT_TEXT) continue; // would stay in memory
        known.last = value;
        known.member = member;
      }
      return out;
    },
  };
};

/** The JSON of a value; undefined when it is none of those that are written here. */
const plainValue = (value: unknown): string | undefined => {
  if (typeof value === 'string') return plainText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  return typeof value === 'boolean' ? String(value) : undefined;
};

/** Characters that stand in JSON as they are; 2: those of which every sign of a secret holds one. */
const CHARACTERS = new Uint8Array(128).map((_, code) => {
  const character = String.fromCharCode(code);
  if (code < 32 || code === 127 || character === '"' || character === '\\') return 0;
  return IN_EVERY_SIGN.test(character) ? 2 : 1;
});

const plainText = (text: string): string | undefined => {
  let isClear = true;
  if (text.length <= SHORT_TEXT) {
    let i = 0;
    for (; i < text.length; i += 1) {
      const is = CHARACTERS[text.charCodeAt(i)];
      if (is === 2) isClear = false;
      else if (is !== 1) break;
    }
    if (i === text.length) return isClear || !mayHoldSecret(text) ? `"${text}"` : undefined;
  }
  return mayHoldSecret(text) ? undefined : JSON.stringify(text);
};

/** A line between its fields and its end. Messages are mostly the same text again: what it took is kept. */
export interface LineFrame {
  /** `members`: of the line. @returns the line with its newline, undefined when the message may hold a secret */
  line(time: string, members: string, trace: TraceContext | undefined, message: string): string | undefined;
}

/** @param bound The members of the logger itself, as JSON: `,"subsystem":"http"`. */
export const lineFrame = (level: LogLevel, bound: string): LineFrame => {
  const start = `{"level":"${level}","time":"`;
  const isBoundPlain = !mayHoldSecret(bound);
  let last: string | undefined;
  let end: string | undefined;
  let lastTime: string | undefined;
  let head = '';
  return {
    line(time, members, trace, message) {
      if (message !== last) {
        last = message;
        end = isBoundPlain && !mayHoldSecret(message) ? `,"msg":${JSON.stringify(message)}}\n` : undefined;
      }
      if (end === undefined) return undefined;
      if (time !== lastTime) {
        lastTime = time;
        // All its pieces in one place: every line of this millisecond is made of it.
        head = Buffer.from(`${start}${time}"${bound}`).toString();
      }
      if (trace === undefined) return head + members + end;
      return `${head}${members},"trace_id":"${trace.traceId}","span_id":"${trace.spanId}"${end}`;
    },
  };
};

/** `2026-01-31T12:00:00.000Z` of milliseconds since the epoch: what the next line has of it too is kept. */
export const isoTime = (): ((ms: number) => string) => {
  let second = Number.NaN;
  let head = '';
  let rest = Number.NaN;
  let text = '';
  return (ms) => {
    const whole = Math.floor(ms / 1000);
    const left = Math.floor(ms - whole * 1000);
    if (whole === second && left === rest) return text;
    if (whole !== second) {
      head = new Date(whole * 1000).toISOString().slice(0, -4); // up to the dot
      second = whole;
    }
    rest = left;
    text = `${head}${String(left).padStart(3, '0')}Z`;
    return text;
  };
};
