import { hostDataOf } from '../../runtime/codec/host-data.ts';
import type { CallContext } from '../../runtime/context.ts';
import { invalid } from '../../runtime/errors.ts';
import { tableArgument, textArgument } from '../../runtime/lua/arguments.ts';
import { crossing } from '../../runtime/lua/crossing.ts';
import type {
  HostFunction,
  HostMethod,
  HostResults,
  LuaClass,
  LuaEngine,
  LuaModule,
  LuaThread,
} from '../../runtime/lua/engine.ts';
import { failed, resultsOf } from '../../runtime/lua/results.ts';
import { hostObject, isLuaString, LuaTable, type LuaValue, textOf } from '../../runtime/lua/values.ts';
import { Future, startFuture } from './future.ts';
import { type Functions, OPTIONS, VALUES } from './port.ts';

/** `funcs.new()`: immutable; every `with_*` gives a new one (lua/funcs.md, section 2). */
export class Executor {
  readonly [hostObject] = true as const;
  readonly values: ReadonlyMap<string, LuaValue>;
  readonly options: Readonly<Record<string, unknown>>;
  constructor(values: Executor['values'], options: Executor['options']) {
    this.values = values;
    this.options = options;
  }
}

/** The context of a call that this thread makes: what is inherited, under what the executor adds. */
const contextFor = (thread: LuaThread, { values, options }: Executor): CallContext => {
  let context = thread.context.inherited();
  if (values.size > 0) context = context.with(VALUES, new Map([...context.get(VALUES), ...values]));
  if (Object.keys(options).length > 0) context = context.with(OPTIONS, options);
  return context;
};

/** @throws CallError Invalid for an id without one of its parts; a LuaRaise for another type. */
const targetOf = (args: readonly LuaValue[], name: string): string => {
  const target = textArgument(args, 1, name);
  if (target === '') throw invalid('function ID required');
  const at = target.indexOf(':');
  if (at <= 0) throw invalid('namespace required in function ID');
  if (at === target.length - 1) throw invalid('name required in function ID');
  return target;
};

type CallWith = (
  executor: Executor,
  thread: LuaThread,
  args: readonly LuaValue[],
) => HostResults | Promise<HostResults>;

const callWith =
  (functions: Functions): CallWith =>
  (executor, thread, args) =>
    resultsOf(
      () => functions.call(targetOf(args, 'call'), args.slice(1), contextFor(thread, executor)),
      ({ value }) => [value, undefined],
    );

const asyncWith =
  (functions: Functions, engine: LuaEngine): CallWith =>
  (executor, thread, args) => {
    try {
      const target = targetOf(args, 'async');
      const future = new Future(engine.channel(1));
      startFuture(functions, target, args.slice(1), contextFor(thread, executor), future);
      return [future, undefined];
    } catch (error) {
      return failed(error);
    }
  };

const SCALARS: ReadonlySet<string> = new Set(['string', 'number', 'boolean']);

const withContext: HostMethod<Executor> = (self, _thread, args) => {
  const added = new Map(self.values);
  for (const [key, value] of tableArgument(args, 1, 'with_context').map) {
    if (!isLuaString(key)) continue;
    const isKept = SCALARS.has(typeof value) || value instanceof LuaTable || value instanceof Uint8Array;
    if (isKept) added.set(textOf(key), crossing(value));
    else added.delete(textOf(key)); // values of other types read as nil
  }
  return [new Executor(added, self.options), undefined];
};

const withOptions: HostMethod<Executor> = (self, _thread, args) => {
  const table = tableArgument(args, 1, 'with_options');
  return resultsOf(
    () => new Executor(self.values, hostDataOf(table) as Executor['options']),
    (out) => [out, undefined],
  );
};

export const executorClass = (functions: Functions, engine: LuaEngine): LuaClass<Executor> => {
  const call = callWith(functions);
  const async = asyncWith(functions, engine);
  return {
    name: 'funcs.Executor',
    constructor: Executor,
    methods: { call, async, with_context: withContext, with_options: withOptions },
    yields: ['call'],
  };
};

/** `async` never waits, and so is not among `yields`: a future must not complete before its caller has seen it. */
export const funcsModule = (functions: Functions, engine: LuaEngine): LuaModule => {
  const plain = new Executor(new Map(), {});
  const call = callWith(functions);
  const async = asyncWith(functions, engine);
  const onPlain =
    (body: CallWith): HostFunction =>
    (thread, args) =>
      body(plain, thread, args);
  return {
    name: 'funcs',
    functions: { call: onPlain(call), async: onPlain(async), new: () => [new Executor(new Map(), {})] },
    yields: ['call'],
  };
};
