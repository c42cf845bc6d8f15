import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
const TEXT_BYTES = 36;
/** So many are made at once. */
const IDS = 64;

/**
 * UUIDs of version 4 (RFC 9562, section 5.4), random like those of `crypto.randomUUID`, whose texts are put together of 20
 * pieces each: whoever reads one has to join them first.
 */
export const messageIds = (): (() => string) => {
  const random = Buffer.allocUnsafeSlow(IDS * ID_BYTES);
  const text = Buffer.allocUnsafeSlow(IDS * TEXT_BYTES);
  const digits = Buffer.from('0123456789abcdef');
  let next = IDS;

  const fill = (): void => {
    randomFillSync(random);
    let to = 0;
    for (let from = 0; from < random.length; from += ID_BYTES) {
      random[from + 6] = ((random[from + 6] as number) & 0x0f) | 0x40;
      random[from + 8] = ((random[from + 8] as number) & 0x3f) | 0x80;
      for (let i = 0; i < ID_BYTES; i += 1) {
        const byte = random[from + i] as number;
        if (i === 4 || i === 6 || i === 8 || i === 10) text[to++] = 0x2d;
        text[to++] = digits[byte >>> 4] as number;
        text[to++] = digits[byte & 0x0f] as number;
      }
    }
    next = 0;
  };

  return () => {
    if (next === IDS) fill();
    next += 1;
    return text.toString('latin1', (next - 1) * TEXT_BYTES, next * TEXT_BYTES);
  };
};
