import { charCodeAt } from '../../runtime/char-code.ts';
import { trimBlanks } from './traceparent.ts';

/** W3C Baggage, "Limits". Whole members beyond them are dropped, the last first. */
const MAX_MEMBERS = 64;
const MAX_BYTES = 8192;
/** Characters of a token beside letters and digits (RFC 9110, section 5.6.2). */
const TOKEN_PUNCTUATION = "!#$%&'*+-.^_`|~";

export const isToken = (text: string): boolean => {
  if (text.length === 0) return false;
  for (const char of text) {
    const isWord = (char >= '0' && char <= '9') || (char >= 'a' && char <= 'z') || (char >= 'A' && char <= 'Z');
    if (!isWord && !TOKEN_PUNCTUATION.includes(char)) return false;
  }
  return true;
};

/** baggage-octet: printable ASCII without space, `"`, `,`, `;` and `\`. May be empty. */
const isValue = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const code = charCodeAt(text, i);
    if (code <= 32 || code > 126 || code === 34 || code === 44 || code === 59 || code === 92) return false;
  }
  return true;
};

/** `key=value` with blanks around both allowed. */
const isPair = (text: string): boolean => {
  const equals = text.indexOf('=');
  if (equals === -1) return false;
  return isToken(trimBlanks(text.slice(0, equals))) && isValue(trimBlanks(text.slice(equals + 1)));
};

export const isMember = (text: string): boolean => {
  const [pair = '', ...properties] = text.split(';');
  return isPair(pair) && properties.every((property) => isToken(trimBlanks(property)) || isPair(property));
};

/** The members that fit; all of them are ASCII, so characters are bytes. */
const withinLimits = (members: readonly string[]): readonly string[] => {
  const kept: string[] = [];
  let bytes = -1;
  for (const member of members) {
    bytes += member.length + 1;
    if (kept.length === MAX_MEMBERS || bytes > MAX_BYTES) break;
    kept.push(member);
  }
  return kept;
};

/** The valid members of all `baggage` headers, in order, limited. A malformed member is dropped, the others stay. */
export const parseBaggage = (headers: readonly string[]): readonly string[] =>
  withinLimits(
    headers
      .join(',')
      .split(',')
      .map((part) => trimBlanks(part))
      .filter((member) => isMember(member)),
  );

export const renderBaggage = (members: readonly string[]): string => withinLimits(members).join(',');
