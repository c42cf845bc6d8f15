import { invalid } from '../../runtime/errors.ts';
import { stringFromBytes } from '../../runtime/lua/values.ts';

const UNRESERVED = /[A-Za-z0-9\-_.~]/;

/** Query-escaped text: a space becomes `+`, every other byte but letters, digits and `-_.~` is `%XX`. */
export const encodeUri = (bytes: Uint8Array): string => {
  let out = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    if (byte === 0x20) out += '+';
    else if (UNRESERVED.test(char)) out += char;
    else out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
};

/** @throws CallError Invalid for a `%` without two hex digits. */
export const decodeUri = (text: string): string | Uint8Array => {
  const broken = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(text);
  if (broken !== null) throw invalid(`invalid URL escape "${broken[0]}"`);
  const out: number[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (char === '%') {
      out.push(Number.parseInt(text.slice(i + 1, i + 3), 16));
      i += 2;
    } else if (char === '+') out.push(0x20);
    else out.push(text.charCodeAt(i));
  }
  return stringFromBytes(Uint8Array.from(out));
};
