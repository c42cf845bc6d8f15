import { charCodeAt } from '../../runtime/char-code.ts';
import { trimBlanks } from './traceparent.ts';

/** W3C Trace Context, "tracestate": a list of more members is not to be used at all. */
const MAX_MEMBERS = 32;
/** At least so many characters are propagated; beyond them whole members go, those over 128 characters first. */
const MAX_LENGTH = 512;
const LONG_MEMBER = 128;
const MAX_KEY = 256;
const MAX_TENANT = 241;
const MAX_SYSTEM = 14;
const MAX_VALUE = 256;

const isLowerAlpha = (code: number): boolean => code >= 97 && code <= 122;
const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isKeyChar = (code: number): boolean =>
  isLowerAlpha(code) || isDigit(code) || code === 95 || code === 45 || code === 42 || code === 47; // _ - * /

const isKeyPart = (text: string, maxLength: number): boolean => {
  if (text.length === 0 || text.length > maxLength) return false;
  const first = charCodeAt(text, 0);
  if (!isLowerAlpha(first) && !isDigit(first)) return false;
  for (let i = 1; i < text.length; i++) if (!isKeyChar(charCodeAt(text, i))) return false;
  return true;
};

/** `key` or `tenant@system`. */
const isKey = (text: string): boolean => {
  const at = text.indexOf('@');
  if (at === -1) return isKeyPart(text, MAX_KEY);
  return isKeyPart(text.slice(0, at), MAX_TENANT) && isKeyPart(text.slice(at + 1), MAX_SYSTEM);
};

/** Printable ASCII without `,` and `=`; the last character is not a space (trimmed before). */
const isValue = (text: string): boolean => {
  if (text.length === 0 || text.length > MAX_VALUE) return false;
  for (let i = 0; i < text.length; i++) {
    const code = charCodeAt(text, i);
    if (code < 32 || code > 126 || code === 44 || code === 61) return false;
  }
  return true;
};

/** Drops whole members until the text is short enough. */
const shorten = (members: string[]): string => {
  let length = members.reduce((sum, member) => sum + member.length, members.length - 1);
  const kept = members.filter((member) => {
    if (length <= MAX_LENGTH || member.length <= LONG_MEMBER) return true;
    length -= member.length + 1;
    return false;
  });
  while (length > MAX_LENGTH) length -= (kept.pop()?.length ?? 0) + 1;
  return kept.join(',');
};

/**
 * The text to hand on of all `tracestate` headers, combined in order. Undefined when there is none or when it is malformed: it
 * is then dropped whole, and the `traceparent` beside it still counts.
 */
export const parseTracestate = (headers: readonly string[]): string | undefined => {
  if (headers.length === 0) return undefined;
  const members: string[] = [];
  const keys = new Set<string>();
  for (const part of headers.join(',').split(',')) {
    const member = trimBlanks(part);
    if (member === '') continue; // empty members are allowed
    const equals = member.indexOf('=');
    if (equals === -1) return undefined;
    const key = member.slice(0, equals);
    if (!isKey(key) || !isValue(member.slice(equals + 1))) return undefined;
    if (keys.has(key)) continue; // the leftmost is the newest
    keys.add(key);
    members.push(member);
    if (members.length > MAX_MEMBERS) return undefined;
  }
  const text = shorten(members);
  return text === '' ? undefined : text;
};
