import { charCodeAt } from '../../char-code.ts';
import { stringFromBytes } from '../values.ts';
import { MAX_STRING_BYTES } from './limits.ts';

/** The VM's string object, as far as it is used here (speed-patches.ts). */
interface TString {
  /** Made from the text at the first use. */
  readonly realstring: Uint8Array;
  /** The text, kept on the string itself: constants cross the bridge again and again. Well-formed. */
  peText?: string;
}

/** Bytes of UTF-8 that one unit of a JavaScript string can take. */
const UTF8_MAX = 3;

const encoder = new TextEncoder();
/** Below this length a loop beats the set-up cost of what the platform has. */
const SHORT = 24;

/** Text of a VM string where its bytes are UTF-8, else a copy of the bytes. */
export const textOfString = (ts: TString): string | Uint8Array => {
  const known = ts.peText;
  if (known !== undefined) return known;
  const bytes = ts.realstring;
  const text = bytes.length <= SHORT ? shortText(bytes) : stringFromBytes(bytes);
  if (typeof text === 'string') {
    ts.peText = text;
    return text;
  }
  return text.slice(); // the VM's own bytes must not be changed by the host
};

const shortText = (bytes: Uint8Array): string | Uint8Array => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] as number;
    if (byte >= 0x80) return stringFromBytes(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
};

/** What a VM string is made of: well-formed text as it is, bytes as an array of their own. */
export const contentForVm = (value: string | Uint8Array): string | Uint8Array =>
  typeof value !== 'string' ? new Uint8Array(value) : value.isWellFormed() ? value : value.toWellFormed();

/** The bytes of a text, as the VM wants them: an array of its own. */
export const bytesOfText = (text: string): Uint8Array => {
  if (text.length > SHORT) return encoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) {
    const code = charCodeAt(text, i);
    if (code >= 0x80) return encoder.encode(text);
    bytes[i] = code;
  }
  return bytes;
};

const ASCII = /^[\0-\x7f]*$/;
export const isAscii = (text: string): boolean => {
  if (text.length > SHORT) return ASCII.test(text);
  for (let i = 0; i < text.length; i += 1) if (charCodeAt(text, i) >= 0x80) return false;
  return true;
};

/** The text of a VM string where it is known, or short enough to be found out: undefined for other bytes. */
const knownText = (ts: TString): string | undefined => {
  if (ts.peText !== undefined) return ts.peText;
  if (ts.realstring.length > SHORT) return undefined;
  const text = textOfString(ts);
  return typeof text === 'string' ? text : undefined;
};

/**
 * Two VM strings, one after the other, as text: no byte is copied. Undefined where one of them is kept as bytes, or where
 * there may be too many of them.
 */
export const joinedText = (first: TString, second: TString): string | undefined => {
  const end = knownText(second);
  const start = end === undefined ? undefined : knownText(first);
  if (start === undefined || end === undefined) return undefined;
  return (start.length + end.length) * UTF8_MAX > MAX_STRING_BYTES ? undefined : start + end;
};
