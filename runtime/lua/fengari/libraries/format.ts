import { numberText } from '../../arguments.ts';
import { exponentialText, exponentText, fixedText, generalText } from '../../decimal.ts';
import type { Fengari, LuaState, NativeFunction } from '../types.ts';

/** One item of a format: `%-08.3f`. */
interface Item {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly conversion: string;
}

const PERCENT = 37;
const ITEM = /^([-+ #0]*)(\d*)(?:(\.)(\d*))?/;

/** `string.format` of Lua 5.3, with C's rounding, for doubles that are integral up to 2^53. */
export const formatFunction = (fengari: Fengari): NativeFunction => {
  const { lua, lauxlib, to_luastring } = fengari;

  const integer = (L: LuaState, arg: number): number => lauxlib.luaL_checkinteger(L, arg);

  const literal = (L: LuaState, arg: number): string | Uint8Array => {
    switch (lua.lua_type(L, arg)) {
      case lua.LUA_TSTRING:
        return quotedBytes(lua.lua_tostring(L, arg));
      case lua.LUA_TNUMBER:
        return numberLiteral(lua.lua_tonumber(L, arg));
      case lua.LUA_TNIL:
      case lua.LUA_TBOOLEAN:
        return lua.lua_isnil(L, arg) ? 'nil' : String(lua.lua_toboolean(L, arg));
      default:
        return lauxlib.luaL_argerror(L, arg, to_luastring('value has no literal form'));
    }
  };

  const stringItem = (L: LuaState, arg: number, item: Item): Uint8Array => {
    const whole: Uint8Array = lauxlib.luaL_tolstring(L, arg);
    lua.lua_pop(L, 1);
    const bytes = item.precision === undefined ? whole : whole.subarray(0, item.precision);
    if (bytes.length >= item.width) return bytes;
    const out = new Uint8Array(item.width).fill(32);
    out.set(bytes, item.flags.includes('-') ? 0 : item.width - bytes.length);
    return out;
  };

  const itemText = (L: LuaState, arg: number, item: Item): string | Uint8Array => {
    switch (item.conversion) {
      case 'd':
      case 'i':
        return integerItem(integer(L, arg), item);
      case 'u':
      case 'o':
      case 'x':
      case 'X':
        return unsignedItem(integer(L, arg), item);
      case 'c':
        return padded('', String.fromCharCode(integer(L, arg) & 255), {
          ...item,
          flags: item.flags.replaceAll('0', ''),
        });
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
      case 'a':
      case 'A':
        return floatItem(lauxlib.luaL_checknumber(L, arg), item);
      case 'q':
        return literal(L, arg);
      case 's':
        return stringItem(L, arg, item);
      default:
        return lauxlib.luaL_error(L, to_luastring(`invalid option '%%${item.conversion}' to 'format'`));
    }
  };

  return (L) => {
    const format: Uint8Array = lauxlib.luaL_checkstring(L, 1);
    const top: number = lua.lua_gettop(L);
    const buffer = new lauxlib.luaL_Buffer();
    lauxlib.luaL_buffinit(L, buffer);
    let arg = 1;
    let at = 0;
    while (at < format.length) {
      const next = format.indexOf(PERCENT, at);
      const end = next < 0 ? format.length : next;
      lauxlib.luaL_addlstring(buffer, format.subarray(at, end), end - at);
      at = end + 1;
      if (next < 0) break;
      if (format[at] === PERCENT) {
        lauxlib.luaL_addchar(buffer, PERCENT);
        at += 1;
        continue;
      }
      arg += 1;
      if (arg > top) return lauxlib.luaL_argerror(L, arg, to_luastring('no value'));
      // Items are short: what `ITEM` may match within 32 characters is all that can be valid.
      const head = Buffer.from(format.subarray(at, at + 32)).toString('latin1');
      const [matched, flags = '', width = '', dot, precision = ''] = ITEM.exec(head) as RegExpExecArray;
      if (flags.length > 5) return lauxlib.luaL_error(L, to_luastring('invalid format (repeated flags)'));
      if (width.length > 2 || precision.length > 2) {
        return lauxlib.luaL_error(L, to_luastring('invalid format (width or precision too long)'));
      }
      at += matched.length + 1;
      const text = itemText(L, arg, {
        flags,
        width: Number(width),
        precision: dot === undefined ? undefined : Number(precision),
        conversion: head[matched.length] ?? '',
      });
      const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
      lauxlib.luaL_addlstring(buffer, bytes, bytes.length);
    }
    lauxlib.luaL_pushresult(buffer);
    return 1;
  };
};

/** Sign, digits and blanks or zeros up to the width. */
const padded = (sign: string, digits: string, { flags, width }: Item): string => {
  const missing = width - sign.length - digits.length;
  if (missing <= 0) return sign + digits;
  if (flags.includes('-')) return sign + digits + ' '.repeat(missing);
  return flags.includes('0') ? sign + '0'.repeat(missing) + digits : ' '.repeat(missing) + sign + digits;
};

const signOf = (isNegative: boolean, flags: string): string =>
  isNegative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';

/** A precision is the least number of digits, and zeros are then no padding (C11, 7.21.6.1). */
const digitsOf = (digits: string, item: Item): [string, Item] =>
  item.precision === undefined
    ? [digits, item]
    : [
        item.precision === 0 && digits === '0' ? '' : digits.padStart(item.precision, '0'),
        { ...item, flags: item.flags.replaceAll('0', '') },
      ];

const integerItem = (n: number, item: Item): string => {
  const [digits, rest] = digitsOf(String(Math.abs(n)), item);
  return padded(signOf(n < 0, item.flags), digits, rest);
};

const RADIX: Record<string, number> = { u: 10, o: 8, x: 16, X: 16 };
/** Negative numbers as 64-bit two's complement, as Lua 5.3 prints them. */
const unsignedItem = (n: number, item: Item): string => {
  const value = n < 0 ? BigInt.asUintN(64, BigInt(n)) : n;
  const [digits, rest] = digitsOf(value.toString(RADIX[item.conversion]), item);
  const isHash = item.flags.includes('#') && n !== 0;
  const text = padded(
    isHash && item.conversion.toLowerCase() === 'x' ? '0x' : '',
    isHash && item.conversion === 'o' && !digits.startsWith('0') ? `0${digits}` : digits,
    rest,
  );
  return item.conversion === 'X' ? text.toUpperCase() : text;
};

const floatItem = (n: number, item: Item): string => {
  const conversion = item.conversion.toLowerCase();
  const sign = signOf(n < 0 || Object.is(n, -0), item.flags);
  const magnitude = Math.abs(n);
  let text: string;
  if (!Number.isFinite(magnitude)) {
    text = padded(Number.isNaN(n) ? signOf(false, item.flags) : sign, Number.isNaN(n) ? 'nan' : 'inf', {
      ...item,
      flags: item.flags.replaceAll('0', ''),
    });
  } else if (conversion === 'a') {
    const hex = hexFloat(magnitude, item.precision);
    text = padded(`${sign}0x`, hex, item);
  } else text = padded(sign, decimalDigits(magnitude, conversion, item), item);
  return item.conversion === conversion ? text : text.toUpperCase();
};

const decimalDigits = (n: number, conversion: string, { flags, precision = 6 }: Item): string => {
  const keepPoint = flags.includes('#');
  if (conversion === 'f') return fixedText(n, precision) + (keepPoint && precision === 0 ? '.' : '');
  if (conversion === 'g') return generalText(n, precision, keepPoint);
  const [mantissa = '', power = '0'] = exponentialText(n, precision).split('e');
  return mantissa + (keepPoint && precision === 0 ? '.' : '') + exponentText(Number(power));
};

/** `1.8p+1` of a number that is not negative: 52 bits behind the point, as many hexadecimal digits as are needed or asked. */
const hexFloat = (n: number, precision: number | undefined): string => {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, n);
  const raw = bits.getBigUint64(0);
  const biased = Number(raw >> 52n);
  let mantissa = (raw & ((1n << 52n) - 1n)) | (biased === 0 ? 0n : 1n << 52n);
  const exponent = n === 0 ? 0 : biased === 0 ? -1022 : biased - 1023;
  let digits = 13;
  if (precision !== undefined && precision < 13) {
    const dropped = BigInt(4 * (13 - precision));
    const half = 1n << (dropped - 1n);
    const tail = mantissa & ((1n << dropped) - 1n);
    mantissa >>= dropped;
    if (tail > half || (tail === half && (mantissa & 1n) === 1n)) mantissa += 1n;
    digits = precision;
  }
  const whole = mantissa >> BigInt(4 * digits);
  let fraction = digits === 0 ? '' : (mantissa & ((1n << BigInt(4 * digits)) - 1n)).toString(16).padStart(digits, '0');
  fraction = precision === undefined ? fraction.replace(/0+$/, '') : fraction.padEnd(precision, '0');
  return `${whole.toString(16)}${fraction === '' ? '' : `.${fraction}`}p${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`;
};

/** What Lua reads back as the same number. */
const numberLiteral = (n: number): string => {
  if (n === Number.POSITIVE_INFINITY) return '1e9999';
  if (n === Number.NEGATIVE_INFINITY) return '-1e9999';
  if (Number.isNaN(n)) return '(0/0)';
  if (Number.isSafeInteger(n)) return numberText(n);
  return `${n < 0 ? '-' : ''}0x${hexFloat(Math.abs(n), undefined)}`;
};

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 48 && byte <= 57;

/** A string between quotes, as Lua's lexer reads it back. */
const quotedBytes = (bytes: Uint8Array): Uint8Array => {
  const out: number[] = [34];
  for (const [i, byte] of bytes.entries()) {
    if (byte === 34 || byte === 92 || byte === 10) out.push(92, byte);
    else if (byte < 32 || byte === 127) {
      const code = isDigit(bytes[i + 1]) ? String(byte).padStart(3, '0') : String(byte);
      out.push(92, ...Buffer.from(code));
    } else out.push(byte);
  }
  out.push(34);
  return Uint8Array.from(out);
};
