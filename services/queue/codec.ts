import { hostDataOf, luaValueOf } from '../../runtime/codec/host-data.ts';
import { decodeJson, encodeJson } from '../../runtime/codec/json.ts';
import { decodeMsgpack, encodeMsgpack } from '../../runtime/codec/msgpack.ts';
import { bytesOf, type LuaValue } from '../../runtime/lua/values.ts';
import type { OutgoingMessage } from './driver.ts';

/** How the bodies of a queue are written (declarations.md, section 6). Both throw CallError Internal. */
export interface BodyCodec {
  encode(value: LuaValue): OutgoingMessage['body'];
  decode(body: OutgoingMessage['body']): LuaValue;
}

export const CODEC_NAMES = ['json/plain', 'application/msgpack'] as const;
export type CodecName = (typeof CODEC_NAMES)[number];

export const BODY_CODECS: Readonly<Record<CodecName, BodyCodec>> = {
  'json/plain': { encode: encodeJson, decode: decodeJson },
  /** Keeps strings that are no UTF-8, and numbers without an end; tables become lists and maps as in stores. */
  'application/msgpack': {
    encode: (value) => encodeMsgpack(hostDataOf(value)),
    decode: (body) => luaValueOf(decodeMsgpack(bytesOf(body))),
  },
};
