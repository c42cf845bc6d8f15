import { isPromise } from '../../runtime/call.ts';
import { internal, messageOf, unavailable } from '../../runtime/errors.ts';
import { badArgument, numberArgument } from '../../runtime/lua/arguments.ts';
import type { HostFunction, HostResults, LuaModule, LuaThread } from '../../runtime/lua/engine.ts';
import { failed } from '../../runtime/lua/results.ts';
import { bytesOf, isLuaString, type LuaValue, stringFromBytes } from '../../runtime/lua/values.ts';
import { TERMINAL, type TerminalSession } from './port.ts';

const DEFAULT_READ = 1024;

/** The Lua module `io`: the terminal of the process that a command runs (lua/io.md). */
export const ioModule = (): LuaModule => ({
  name: 'io',
  functions: {
    write: onTerminal((session, _thread, args) => written(session, 'out', joined(args, '', ''))),
    print: onTerminal((session, _thread, args) => written(session, 'out', joined(args, '\t', '\n'))),
    eprint: onTerminal((session, _thread, args) => written(session, 'err', joined(args, '\t', '\n'))),
    flush: onTerminal(() => [true]),
    read: onTerminal(({ input }, _thread, args) => taken(() => input.read(limitOf(args)))),
    readline: onTerminal(({ input }) => taken(() => input.readLine())),
    raw: onTerminal(({ input }, _thread, [isRaw = true]) => {
      if (typeof isRaw !== 'boolean') throw badArgument(1, 'raw', 'boolean', isRaw);
      if (!input.isTerminal) return failed(unavailable('standard input is no terminal', { retryable: false }));
      try {
        input.setRaw(isRaw);
        return [true, undefined];
      } catch (error) {
        return failed(error);
      }
    }),
    args: ({ context }) => [context.get(TERMINAL)?.args ?? []],
  },
  yields: ['read', 'readline', 'raw'],
  asText: ['write', 'print', 'eprint'],
});

type OnTerminal = (
  session: TerminalSession,
  thread: LuaThread,
  args: readonly LuaValue[],
) => HostResults | Promise<HostResults>;

const onTerminal =
  (body: OnTerminal): HostFunction =>
  (thread, args) => {
    const session = thread.context.get(TERMINAL);
    if (session === undefined) return failed(unavailable('no terminal context', { retryable: false }));
    return body(session, thread, args);
  };

/** The bytes of one call, so that nothing comes between its parts. */
const joined = (args: readonly LuaValue[], between: string, after: string): Buffer => {
  const parts: Uint8Array[] = [];
  for (const [index, arg] of args.entries()) {
    if (index > 0) parts.push(bytesOf(between));
    if (isLuaString(arg)) parts.push(bytesOf(arg));
  }
  return Buffer.concat([...parts, bytesOf(after)]);
};

/** Pipes, files and terminals are written at once: what goes wrong is known when the call returns. */
const written = (session: TerminalSession, name: 'out' | 'err', bytes: Buffer): HostResults => {
  const stream = session[name];
  try {
    stream.write(bytes);
    if (stream.errored !== null) throw stream.errored;
    if (stream.destroyed) throw new Error('it is closed');
    return [true];
  } catch (error) {
    if (error instanceof Error) session.told.add(error);
    const what = name === 'out' ? 'standard output' : 'standard error';
    return failed(internal(`${what} cannot be written: ${messageOf(error)}`, { cause: error }));
  }
};

/** n <= 0, and no number at all, mean the default. */
const limitOf = (args: readonly LuaValue[]): number => {
  if (args[0] === undefined) return DEFAULT_READ;
  const n = Math.trunc(numberArgument(args, 1, 'read'));
  return n > 0 ? n : DEFAULT_READ;
};

const taken = (
  take: () => Promise<Uint8Array | undefined> | Uint8Array | undefined,
): HostResults | Promise<HostResults> => {
  const results = (bytes: Uint8Array | undefined): HostResults =>
    bytes === undefined
      ? failed(unavailable('end of input (EOF)', { retryable: false }))
      : [stringFromBytes(bytes), undefined];
  const out = take();
  return isPromise(out) ? out.then(results, failed) : results(out);
};
