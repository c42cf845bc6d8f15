import type { CustomTypesConfig } from 'pg';
import type { Cell } from '../driver.ts';
import { rfc3339 } from '../timestamp.ts';

/** Object ids of the built-in types (pg_type.dat); they never change. */
const OID = {
  BOOL: 16,
  BYTEA: 17,
  INT8: 20,
  INT2: 21,
  INT4: 23,
  OID: 26,
  FLOAT4: 700,
  FLOAT8: 701,
  DATE: 1082,
  TIMESTAMP: 1114,
  TIMESTAMPTZ: 1184,
} as const;

/** Whole numbers that a double does not hold stay decimal text, value by value. */
const integer = (text: string): Cell => {
  const n = Number(text);
  return Number.isSafeInteger(n) ? n : text;
};
const moment = (text: string): Cell => rfc3339(text) ?? text;
/** `\x` and two digits a byte: the server is told to write them so. */
const bytes = (text: string): Cell => Buffer.from(text.slice(2), 'hex');

/** Everything else, numerics and arrays included, is the server's own text: nothing is lost on the way. */
const PARSERS: ReadonlyMap<number, (text: string) => Cell> = new Map<number, (text: string) => Cell>([
  [OID.BOOL, (text) => text === 't'],
  [OID.BYTEA, bytes],
  [OID.INT2, Number],
  [OID.INT4, Number],
  [OID.OID, Number],
  [OID.INT8, integer],
  [OID.FLOAT4, Number],
  [OID.FLOAT8, Number],
  [OID.DATE, moment],
  [OID.TIMESTAMP, moment],
  [OID.TIMESTAMPTZ, moment],
]);
const asIs = (text: string): Cell => text;

export const typeParserOf = (oid: number): ((text: string) => Cell) => PARSERS.get(oid) ?? asIs;
export const resultTypes = { getTypeParser: typeParserOf } as CustomTypesConfig;
