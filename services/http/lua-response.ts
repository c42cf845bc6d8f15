import { encodeJson } from '../../runtime/codec/json.ts';
import { asCallError, invalid, messageOf } from '../../runtime/errors.ts';
import { numberArgument, stringArgument, tableArgument, textArgument } from '../../runtime/lua/arguments.ts';
import { type HostMethod, type HostResults, type LuaClass, LuaRaise } from '../../runtime/lua/engine.ts';
import {
  bytesOf,
  type HostObject,
  hostObject,
  isLuaString,
  type LuaValue,
  textOf,
  vmSlot,
} from '../../runtime/lua/values.ts';
import type { Exchange } from './exchange.ts';
import type { ResponseWriter } from './response.ts';

/** What Lua calls a Response (lua/http.md, section 5). All wrappers of an exchange share its state. */
export class HttpResponse implements HostObject {
  readonly [hostObject] = true;
  [vmSlot]: object | undefined = undefined;
  readonly exchange: Exchange;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }
}

const done = (): HostResults => [undefined];
const failed = (error: unknown): HostResults => [asCallError(error)];

/**
 * A method that returns one value: nil, or the error. `prepare` checks the arguments and may raise; what it returns
 * does the work, and its failures are values.
 */
const setter =
  (
    prepare: (args: readonly LuaValue[]) => (response: ResponseWriter) => void | Promise<void>,
  ): HostMethod<HttpResponse> =>
  ({ exchange }, _thread, args) => {
    const work = prepare(args);
    try {
      const written = work(exchange.response);
      return written === undefined ? done() : written.then(done, failed);
    } catch (error) {
      return failed(error);
    }
  };

const encode = (value: LuaValue): string => {
  try {
    return encodeJson(value);
  } catch (error) {
    throw invalid(messageOf(error));
  }
};

const statusArgument = (args: readonly LuaValue[]): number => {
  const code = numberArgument(args, 1, 'set_status');
  if (!Number.isInteger(code)) throw new LuaRaise(`bad argument #1 to 'set_status' (integer expected, got ${code})`);
  return code;
};

export const responseClass: LuaClass<HttpResponse> = {
  name: 'http.Response',
  constructor: HttpResponse,
  tostring: () => 'http.Response{}',
  methods: {
    set_status: setter((args) => {
      const code = statusArgument(args);
      return (response) => {
        if (code < 100 || code > 999) throw invalid(`status must be from 100 to 999, got ${code}`);
        response.setStatus(code);
      };
    }),
    set_header: setter((args) => {
      const name = textArgument(args, 1, 'set_header');
      const value = textArgument(args, 2, 'set_header');
      return (response) => response.setHeader(name, value);
    }),
    set_content_type: setter((args) => {
      const type = textArgument(args, 1, 'set_content_type');
      return (response) => response.setContentType(type);
    }),
    set_transfer: setter((args) => {
      const mode = textArgument(args, 1, 'set_transfer');
      if (mode !== 'chunked' && mode !== 'sse') throw new LuaRaise('invalid transfer type');
      return (response) => response.setTransfer(mode);
    }),
    write: setter((args) => {
      const bytes = bytesOf(stringArgument(args, 1, 'write'));
      return (response) => response.write(bytes);
    }),
    write_json: setter(
      ([value]) =>
        (response) =>
          response.writeJson(encode(value)),
    ),
    write_event: setter((args) => {
      const event = tableArgument(args, 1, 'write_event');
      const name = event.get('name');
      const data = event.get('data');
      if (!isLuaString(name) || name.length === 0) throw new LuaRaise('missing event name');
      if (data === undefined) throw new LuaRaise('missing event data');
      return (response) => response.writeEvent(textOf(name), encode(data));
    }),
    flush: setter(() => (response) => response.flush()),
  },
};
