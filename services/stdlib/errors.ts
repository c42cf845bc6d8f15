import { hostDataOf } from '../../runtime/codec/host-data.ts';
import { CallError, type ErrorKind, type LuaFrame, messageOf } from '../../runtime/errors.ts';
import { badArgument, stringArgument } from '../../runtime/lua/arguments.ts';
import { type LuaClass, type LuaModule, LuaRaise, type LuaThread } from '../../runtime/lua/engine.ts';
import { renderFrames } from '../../runtime/lua/traceback.ts';
import { type HostValue, isLuaString, LuaTable, type LuaValue, textOf } from '../../runtime/lua/values.ts';

const CONSTANTS: Readonly<Record<string, ErrorKind>> = {
  NOT_FOUND: 'NotFound',
  ALREADY_EXISTS: 'AlreadyExists',
  INVALID: 'Invalid',
  PERMISSION_DENIED: 'PermissionDenied',
  UNAVAILABLE: 'Unavailable',
  INTERNAL: 'Internal',
  CANCELED: 'Canceled',
  CONFLICT: 'Conflict',
  TIMEOUT: 'Timeout',
  RATE_LIMITED: 'RateLimited',
  UNKNOWN: '',
};

/** The global `errors` (lua/errors.md, sections 1 and 3). */
export const errorsModule: LuaModule = {
  name: 'errors',
  isGlobal: true,
  constants: CONSTANTS,
  functions: {
    new: (thread, args) => [newError(thread, args[0])],
    wrap: (thread, args) => [wrapped(thread, args)],
    is: (_thread, args) => {
      const kind = textOf(stringArgument(args, 2, 'is'));
      return [args[0] instanceof CallError && args[0].kind === kind];
    },
    call_stack: (_thread, args) => [args[0] instanceof CallError ? callStack(args[0]) : undefined],
  },
};

/** The Lua frames at creation, without the host function that the program made the error with. */
const madeAt = (thread: LuaThread): readonly LuaFrame[] => {
  const frames = thread.traceback();
  return frames[0]?.type === 'host' ? frames.slice(1) : frames;
};

const newError = (thread: LuaThread, given: LuaValue): CallError => {
  const frames = madeAt(thread);
  if (isLuaString(given)) return new CallError(textOf(given), { frames });
  if (!(given instanceof LuaTable)) throw new LuaRaise('expected string or table');
  const message = given.get('message');
  if (message === undefined) throw new LuaRaise('message field is required');
  if (!isLuaString(message)) throw new LuaRaise('message must be a string');
  const kind = given.get('kind');
  const retryable = given.get('retryable');
  return new CallError(textOf(message), {
    // A program may use kinds of its own; they cross calls like the known ones.
    kind: isLuaString(kind) ? (textOf(kind) as ErrorKind) : '',
    retryable: typeof retryable === 'boolean' ? retryable : undefined,
    details: detailsOf(given.get('details')),
    frames,
  });
};

/** String keys only; a deep copy. */
const detailsOf = (given: LuaValue): Record<string, unknown> | undefined => {
  if (!(given instanceof LuaTable)) return undefined;
  const named = [...given.map].filter(([key]) => typeof key === 'string') as [string, LuaValue][];
  return Object.fromEntries(named.map(([key, value]) => [key, hostDataOf(value)]));
};

const wrapped = (thread: LuaThread, args: readonly LuaValue[]): CallError => {
  const [inner, context] = args;
  const text = context instanceof CallError ? context.message : textOf(stringArgument(args, 2, 'wrap'));
  if (inner instanceof CallError) {
    const frames = inner.frames.length > 0 ? inner.frames : madeAt(thread);
    return inner.with({ contexts: [text, ...inner.contexts], frames });
  }
  if (!isLuaString(inner)) throw badArgument(1, 'wrap', 'error or string', inner);
  return new CallError(textOf(inner), { contexts: [text], frames: madeAt(thread) });
};

const callStack = (error: CallError): HostValue => ({
  thread: 'main',
  frames: error.frames.map((frame, i) => ({ level: i + 1, ...frame })),
});

/** Error values (lua/errors.md, section 2). */
export const errorClass: LuaClass<CallError> = {
  name: 'error',
  constructor: CallError,
  concatenates: true,
  tostring: (self) => textOfError(self),
  methods: {
    kind: (self) => [self.kind],
    message: (self) => [self.message],
    retryable: (self) => [self.retryable],
    details: (self) => [self.details as HostValue],
    stack: (self) => [stackOf(self)],
  },
};

/** The message, and the cause where the host gave one that says more. */
const textOfError = (error: CallError): string => {
  if (error.cause === undefined) return error.message;
  const cause = messageOf(error.cause);
  return error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
};

const stackOf = ({ message, contexts, frames }: CallError): string => {
  const head = [message, ...contexts.map((text) => `\tcontext: ${text}`)];
  return (frames.length === 0 ? head : [...head, 'stack traceback:', renderFrames(frames)]).join('\n');
};
