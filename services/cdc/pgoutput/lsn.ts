/** A position in the server's log, as a number. 0 is none. */
export type Lsn = bigint;

/** `16/B374D848`, the form of PostgreSQL. */
export const lsnText = (lsn: Lsn): string =>
  `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`;

const hex = (n: number): string => n.toString(16).toUpperCase();
const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => hex(byte).padStart(2, '0'));

/** The same of a position as eight bytes of a message: every change has one, so that this is written for speed. */
export const lsnTextAt = (bytes: Buffer, at: number): string => {
  const low = bytes.readUInt32BE(at + 4);
  const end =
    low < 0x100_0000
      ? hex(low)
      : hex(low >>> 24) + PAIRS[(low >>> 16) & 0xff] + PAIRS[(low >>> 8) & 0xff] + PAIRS[low & 0xff];
  return `${hex(bytes.readUInt32BE(at))}/${end}`;
};

/** @throws Error for a text of another form. */
export const parseLsn = (text: string): Lsn => {
  const found = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (found === null) throw new Error(`not a log position: ${JSON.stringify(text)}`);
  return (BigInt(`0x${found[1]}`) << 32n) | BigInt(`0x${found[2]}`);
};

const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);
/** Microseconds since 2000-01-01 as milliseconds since 1970-01-01. */
export const epochMs = (micros: bigint): number => Number(micros) / 1000 + POSTGRES_EPOCH_MS;
export const postgresMicros = (ms: number): bigint => BigInt(Math.round((ms - POSTGRES_EPOCH_MS) * 1000));
