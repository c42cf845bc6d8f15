import { stringFromBytes } from '../values.ts';

/** The VM's string object, as far as it is used here. */
interface TString {
  realstring: Uint8Array;
  /** The converted text, kept on the string itself: constants cross the bridge again and again. */
  peText?: string | Uint8Array;
}

const encoder = new TextEncoder();
/** Below this length a loop beats the decoder's set-up cost. */
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

/** The bytes of a host string, as the VM wants them: an array of its own. */
export const bytesForVm = (value: string | Uint8Array): Uint8Array => {
  if (typeof value !== 'string') return new Uint8Array(value);
  if (value.length > SHORT) return encoder.encode(value);
  const bytes = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i += 1) {
    const code = value.charCodeAt(i);
    if (code >= 0x80) return encoder.encode(value);
    bytes[i] = code;
  }
  return bytes;
};
