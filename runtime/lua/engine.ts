import type { CallContext } from '../context.ts';
import type { CallError, LuaFrame } from '../errors.ts';
import type { HostObject, HostValue, LuaValue } from './values.ts';

/** What a host function returns: its results in order. Nothing returned means no results. */
export type HostResults = readonly HostValue[] | void;

/**
 * A function that Lua calls. `thread` is the calling coroutine. A thrown LuaRaise becomes a Lua error text with the
 * caller's position, a thrown CallError an error value, anything else a text with its message.
 * A promise suspends the calling coroutine only; other coroutines and calls go on.
 */
export type HostFunction = (
  thread: LuaThread,
  args: readonly LuaValue[],
) => HostResults | Suspension | Promise<HostResults>;

/** The same with `self`, the host object it is called on. */
export type HostMethod<T> = (
  self: T,
  thread: LuaThread,
  args: readonly LuaValue[],
) => HostResults | Suspension | Promise<HostResults>;

/** A wait without a promise: `arm` is called once with what resumes the coroutine; the second call of either is ignored. */
export class Suspension {
  readonly arm: (resume: (results: readonly HostValue[]) => void, raise: (error: unknown) => void) => void;
  constructor(arm: Suspension['arm']) {
    this.arm = arm;
  }
}

/** Throw it from a host function to raise a Lua error text, with the position of the calling line before it. */
export class LuaRaise extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LuaRaise';
  }
}

/** One coroutine. Host functions get the one that called them. */
export interface LuaThread {
  readonly run: LuaRun;
  /** The trace and everything else of this coroutine; coroutines made on it inherit it. */
  context: CallContext;
  /** The Lua line that called this host function. */
  where(): LuaFrame | undefined;
  /** Program id of the code that called this host function (`app:lib` inside a library). */
  programId(): string;
  traceback(): readonly LuaFrame[];
}

/** One call of a handler, or one life of a process: its coroutines, channels and resources. */
export interface LuaRun {
  readonly pid: string;
  readonly entryId: string;
  /** The context that the call began with. */
  readonly context: CallContext;
  /**
   * Runs `release` when the call ends, in reverse order of acquisition, and tells it how; the returned function takes it
   * back. After the end it runs at once.
   */
  defer(release: (outcome: LuaOutcome) => void | Promise<void>): () => void;
  /** Ends the call with this error; `pcall` cannot catch it. */
  kill(error: unknown): void;
}

/** How a call has ended: with a result, or with an error. */
export interface LuaOutcome {
  readonly value?: LuaValue;
  readonly error?: CallError;
}

export interface LuaModule {
  readonly name: string;
  /** Bound in every environment, declared or not (`errors`, `payload`, `process` ...). Default false. */
  readonly isGlobal?: boolean;
  readonly functions?: Readonly<Record<string, HostFunction>>;
  /** Functions that the specification marks "yields": they give way after 1 ms without a yield. */
  readonly yields?: readonly string[];
  /** Functions whose arguments arrive as LuaReference instead of as copies. */
  readonly byReference?: readonly string[];
  /** Functions whose arguments count against the caller's `result_bytes` (what it sends or publishes). */
  readonly measured?: readonly string[];
  /** Functions whose arguments arrive as the texts that `tostring` makes of them. */
  readonly asText?: readonly string[];
  /** Constants and nested constant tables; all immutable. A HostObject instance is allowed (`time.utc`). */
  readonly constants?: Readonly<Record<string, HostValue>>;
  /** The module's value is this object (`logger`) instead of a table. */
  readonly object?: HostValue;
  /** Tables in the module's table (`process.registry`). */
  readonly tables?: Readonly<Record<string, Pick<LuaModule, 'functions' | 'yields' | 'constants'>>>;
  /** Functions that every environment has under their own names (`subscribe`). */
  readonly globals?: Pick<LuaModule, 'functions' | 'yields'>;
}

/** The methods of a host object. Methods are readable as fields; unknown fields are nil; assignment raises. */
export interface LuaClass<T extends object> {
  /** Names the type in `bad argument` texts: `store.Store`. */
  readonly name: string;
  readonly constructor: new (...args: never[]) => T;
  readonly methods: Readonly<Record<string, HostMethod<T>>>;
  readonly yields?: readonly string[];
  readonly byReference?: readonly string[];
  readonly tostring?: (self: T) => string;
  /** `a .. b` with this object on either side uses its `tostring`. Default false. */
  readonly concatenates?: boolean;
}

export interface LuaChunk {
  /** Entry id, shown in log locations and `process.id`. */
  readonly id: string;
  readonly source: string;
  /** The file, as messages show it; lines count from its first. */
  readonly path: string;
  /** Added to every line where the source stands inside another file (inline YAML). Default 0. */
  readonly lineOffset?: number;
  /** Field of the table that the chunk returns. */
  readonly method?: string;
  readonly modules: readonly string[];
  /** Alias to library. */
  readonly imports: Readonly<Record<string, LuaProgram>>;
}

/** A compiled chunk. Compiling happens once; instances share it. */
export interface LuaProgram {
  readonly id: string;
  readonly path: string;
  /**
   * A fresh environment with its own globals and upvalues, its top level run.
   * @throws CallError when the top level fails, or NotFound when the method is missing.
   */
  instantiate(context: CallContext): LuaInstance;
}

export interface LuaLimits {
  /** 0 = none. Lua instructions between two host yields. */
  readonly instructions: number;
  /** 0 = none. Milliseconds on the event loop between two host yields. */
  readonly cpuMs: number;
  /** 0 = none. See extensions.md, section 2. */
  readonly resultBytes: number;
}
/** Why a call was ended: the label of `<ns>_function_killed_total`. */
export type KillReason = 'cpu' | 'instructions' | 'result' | 'timeout' | 'memory';

export interface LuaCallRequest {
  readonly args: readonly HostValue[];
  readonly context: CallContext;
  readonly pid: string;
  readonly entryId: string;
  readonly limits: LuaLimits;
  /** Told before the call fails when a limit ended it. */
  readonly onKilled?: (reason: KillReason) => void;
  /** Told before the handler runs. */
  readonly onStart?: (run: LuaRun) => void;
  /** Told after each uninterrupted run of the call's coroutines how many milliseconds it took. */
  readonly onTurn?: (ms: number) => void;
}

/** One environment. Runs one call at a time: a second `call` before the first has settled throws an Error. */
export interface LuaInstance {
  readonly program: LuaProgram;
  /** `false` after an error that leaves the instance in doubt: drop it. */
  readonly reusable: boolean;
  /** Lines of the callable: `code.function.name` and `code.line.number` of spans. */
  readonly definedAt: LuaFrame | undefined;
  /**
   * Calls the handler. The first result, or a CallError thrown (or rejected) as lua/common.md, section 4 says;
   * aborting the context's signal ends the call with the signal's reason.
   */
  call(request: LuaCallRequest): LuaCallResult | Promise<LuaCallResult>;
}
export interface LuaCallResult {
  readonly value: LuaValue;
  /** How many values the handler returned: an endpoint tells "nothing" from an explicit nil. */
  readonly count: number;
}

export interface LuaEngine {
  /** `fengari 0.1.5 (5.3)`. */
  readonly version: string;
  /** @throws Error when the name is taken. */
  define(module: LuaModule): void;
  // biome-ignore lint/suspicious/noExplicitAny: classes of all types are collected here.
  defineClass(type: LuaClass<any>): void;
  /** Known module names, for `modules:` checks. */
  readonly moduleNames: ReadonlySet<string>;
  /** @throws LuaSyntaxError with file and line. */
  load(chunk: LuaChunk): LuaProgram;
  /** A channel that host code feeds (timers, futures, inboxes). */
  channel(capacity: number, feed?: ChannelFeed): LuaChannel;
  /** Cancels timers; running calls fail with Canceled. */
  close(): void;
}

/** A feed that has no value now. */
export const NOTHING: unique symbol = Symbol('nothing');
/** Where a channel takes its values from when a coroutine wants one (a mailbox): what nobody takes stays there. */
export interface ChannelFeed {
  /** The next value for the coroutine that receives it. */
  take(thread: LuaThread): HostValue | typeof NOTHING;
}

/** lua/channel.md. To Lua it is a channel like any other. */
export interface LuaChannel extends HostObject {
  /** From the host: queued without limit, never waits. False when closed. */
  push(value: HostValue): boolean;
  /** The feed has values again: hands them to the coroutines that wait. */
  serve(): void;
  close(): void;
  readonly closed: boolean;
  /** Values that wait to be received. */
  readonly size: number;
}
export class LuaSyntaxError extends Error {
  readonly path: string;
  readonly line: number;
  readonly column: number | undefined;
  constructor(message: string, at: { path: string; line: number; column?: number }) {
    super(message);
    this.name = 'LuaSyntaxError';
    this.path = at.path;
    this.line = at.line;
    this.column = at.column;
  }
}
