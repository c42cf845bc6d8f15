const LETTERS: readonly string[] = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

/** Longer texts are faster with the decoder of Node.js: a call of it costs as much as twelve letters here. */
const MAX_LENGTH = 12;
const NOT_ASCII = 0x80;

/** A text of few bytes, all of them ASCII; undefined for every other, which takes a decoder. Numbers, flags and keys are such texts. */
export const shortText = (bytes: Uint8Array, from: number, length: number): string | undefined => {
  if (length > MAX_LENGTH) return undefined;
  const end = from + length;
  let text = '';
  let at = from;
  for (; at + 4 <= end; at += 4) {
    const a = bytes[at] as number;
    const b = bytes[at + 1] as number;
    const c = bytes[at + 2] as number;
    const d = bytes[at + 3] as number;
    if ((a | b | c | d) >= NOT_ASCII) return undefined;
    text += String.fromCharCode(a, b, c, d);
  }
  for (; at < end; at += 1) {
    const letter = bytes[at] as number;
    if (letter >= NOT_ASCII) return undefined;
    text += LETTERS[letter];
  }
  return text;
};
