import { parse, stringify } from 'yaml';
import { luaValueOf } from '../codec/host-data.ts';
import { decodeJson, encodeJson } from '../codec/json.ts';
import { asCallError, CallError, internal, messageOf } from '../errors.ts';
import { hostObject, isLuaString, type LuaReference, type LuaValue, luaReference, textOf, vmSlot } from './values.ts';

export const FORMAT = {
  JSON: 'json/plain',
  YAML: 'yaml/plain',
  STRING: 'text/plain',
  BYTES: 'application/octet-stream',
  MSGPACK: 'application/msgpack',
  GOLANG: 'golang/any',
  LUA: 'lua/any',
  ERROR: 'golang/error',
} as const;

/** An immutable value with a format tag (lua/payload.md). `content` is text or bytes in all formats but LUA and ERROR. */
export class Payload {
  readonly [hostObject] = true as const;
  [vmSlot]: object | undefined = undefined;
  readonly format: string;
  readonly content: LuaValue;
  constructor(format: string, content: LuaValue) {
    this.format = format;
    this.content = content;
  }
}

export const payloadOf = (value: LuaValue): Payload =>
  new Payload(plain(value) instanceof CallError ? FORMAT.ERROR : FORMAT.LUA, value);

/** A value that was kept by identity, as a copy. */
const plain = (value: LuaValue): LuaValue =>
  typeof value === 'object' && value !== null && luaReference in value ? (value as LuaReference).copy() : value;

const textContent = ({ content, format }: Payload): string | Uint8Array => {
  if (isLuaString(content)) return content;
  throw internal(`payload of format ${format} holds no text`);
};

/** The Lua value of a payload; in LUA format the very same one. @throws CallError Internal when it cannot be decoded. */
export const dataOf = (payload: Payload): LuaValue => {
  switch (payload.format) {
    case FORMAT.JSON:
      return decodeJson(textContent(payload));
    case FORMAT.YAML:
      return decodeYaml(textOf(textContent(payload)));
    default:
      return payload.content;
  }
};

const decodeYaml = (text: string): LuaValue => {
  try {
    return luaValueOf(parse(text));
  } catch (error) {
    throw internal(`not a YAML text: ${messageOf(error)}`, { cause: error });
  }
};

const ENCODERS: Readonly<Record<string, (value: LuaValue) => LuaValue>> = {
  [FORMAT.LUA]: (value) => value,
  [FORMAT.JSON]: encodeJson,
  [FORMAT.YAML]: (value) => stringify(JSON.parse(encodeJson(value))),
  [FORMAT.STRING]: (value) => stringOnly(value, FORMAT.STRING),
  [FORMAT.BYTES]: (value) => stringOnly(value, FORMAT.BYTES),
};
const stringOnly = (value: LuaValue, format: string): LuaValue => {
  if (isLuaString(value)) return value;
  throw internal(`only a string can be transcoded to ${format}`);
};

const { LUA, JSON: JSON_FORMAT, YAML, STRING, BYTES } = FORMAT;
/** Which formats can become which (lua/payload.md, "Required conversions"). */
const CONVERSIONS: Readonly<Record<string, readonly string[]>> = {
  [LUA]: [JSON_FORMAT, YAML, STRING, BYTES],
  [JSON_FORMAT]: [LUA, YAML],
  [YAML]: [LUA, JSON_FORMAT],
  [STRING]: [LUA],
  [BYTES]: [LUA],
};

/** @throws CallError Internal when there is no such conversion, or when the data do not fit. */
export const transcode = (payload: Payload, format: string): Payload => {
  if (payload.format === format) return new Payload(format, payload.content);
  const encode = ENCODERS[format];
  if (encode === undefined || CONVERSIONS[payload.format]?.includes(format) !== true) {
    throw internal(`no conversion from ${payload.format} to ${format}`);
  }
  try {
    return new Payload(format, encode(plain(dataOf(payload))));
  } catch (error) {
    throw asCallError(error);
  }
};
