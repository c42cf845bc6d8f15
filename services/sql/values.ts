import { invalid } from '../../runtime/errors.ts';
import { luaTypeOf, numberText } from '../../runtime/lua/arguments.ts';
import type { HostFunction, LuaClass } from '../../runtime/lua/engine.ts';
import { bytesOf, type HostValue, hostObject, isLuaString, LuaTable, type LuaValue } from '../../runtime/lua/values.ts';
import type { Cell, Rows, SqlParam } from './driver.ts';

/** `sql.NULL`, and what `sql.as.*` give: a value with the type that it is bound as. */
export class TypedValue {
  readonly [hostObject] = true as const;
  readonly param: SqlParam;
  constructor(param: SqlParam) {
    this.param = param;
  }
}
export const NULL = new TypedValue(null);
export const typedValueClass: LuaClass<TypedValue> = {
  name: 'sql.Value',
  constructor: TypedValue,
  methods: {},
  tostring: ({ param }) => (param === null ? 'NULL' : 'sql.Value{}'),
};

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** Whole numbers are integers to the database, as long as 64 bits hold them. */
const numberParam = (n: number): SqlParam => {
  if (!Number.isInteger(n)) return n;
  const whole = BigInt(n);
  return whole >= INT64_MIN && whole <= INT64_MAX ? whole : n;
};

/** What a Lua value is bound as; types without a meaning in SQL are NULL. */
export const sqlParam = (value: LuaValue): SqlParam => {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value;
    case 'number':
      return numberParam(value);
    default:
      if (value instanceof Uint8Array) return value;
      return (value as unknown) instanceof TypedValue ? (value as unknown as TypedValue).param : null;
  }
};

/** The protocol of PostgreSQL counts parameters with 16 bits. */
const MAX_PARAMS = 65_535;

/** Elements 1 to the highest integer key; holes are NULL. @throws CallError Invalid. */
export const sqlParams = (value: LuaValue): readonly SqlParam[] => {
  if (value === undefined) return [];
  if (!(value instanceof LuaTable)) throw invalid(`parameters must be a table, got ${luaTypeOf(value)}`);
  let highest = 0;
  for (const key of value.map.keys()) {
    if (typeof key === 'number' && Number.isInteger(key) && key > highest) highest = key;
  }
  if (highest > MAX_PARAMS) throw invalid(`too many parameters: ${highest}. A statement takes ${MAX_PARAMS}.`);
  const params: SqlParam[] = [];
  for (let i = 1; i <= highest; i += 1) params.push(sqlParam(value.get(i)));
  return params;
};

/** Rows as Lua gets them: NULL columns are absent, and of two columns with one name the last counts. */
export const luaRows = ({ columns, rows }: Rows): HostValue =>
  rows.map((cells) => {
    const row = new Map<string, Cell>();
    for (let i = 0; i < columns.length; i += 1) {
      const cell = cells[i];
      const name = columns[i] as string;
      // The driver gives null for NULL; it is nil here, and no key.
      if (cell === undefined || cell === null) row.delete(name);
      else row.set(name, cell);
    }
    return new LuaTable(row);
  });

const int = (value: LuaValue): SqlParam => {
  if (typeof value !== 'number' || !Number.isFinite(value)) return 0n;
  return numberParam(Math.trunc(value));
};
const text = (value: LuaValue): SqlParam => {
  if (typeof value === 'number') return numberText(value);
  return isLuaString(value) ? value : '';
};
const binary = (value: LuaValue): SqlParam => {
  if (typeof value === 'number') return bytesOf(numberText(value));
  return isLuaString(value) ? bytesOf(value) : new Uint8Array();
};
const typed =
  (param: (value: LuaValue) => SqlParam): HostFunction =>
  (_thread, [value]) => [new TypedValue(param(value))];

/** `sql.as`. */
export const asFunctions: Readonly<Record<string, HostFunction>> = {
  int: typed(int),
  float: typed((value) => (typeof value === 'number' ? value : 0)),
  text: typed(text),
  binary: typed(binary),
  null: () => [NULL],
};
