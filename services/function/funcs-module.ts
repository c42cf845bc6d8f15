import { hostDataOf } from '../../runtime/codec/host-data.ts';
import type { CallContext } from '../../runtime/context.ts';
import { invalid, permissionDenied } from '../../runtime/errors.ts';
import { badArgument, tableArgument, textArgument } from '../../runtime/lua/arguments.ts';
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
import { ACTOR, type Actor, type Allows, SCOPE, type Scope, type Security } from '../security/port.ts';
import { Future, startFuture } from './future.ts';
import { type Functions, OPTIONS, VALUES } from './port.ts';

/** `funcs.new()`: immutable; every `with_*` gives a new one (lua/funcs.md, section 2). */
export class Executor {
  readonly [hostObject] = true as const;
  readonly added: Added;
  constructor(added: Added) {
    this.added = added;
  }
}
/** What an executor's calls have over what they inherit. */
interface Added {
  readonly values: ReadonlyMap<string, LuaValue>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly actor?: Actor;
  readonly scope?: Scope;
}
const NOTHING: Added = { values: new Map(), options: {} };

/** The context of a call that this thread makes: what is inherited, under what the executor adds. */
const contextFor = (thread: LuaThread, { values, options, actor, scope }: Added): CallContext => {
  let context = thread.context.inherited();
  if (values.size > 0) context = context.with(VALUES, new Map([...context.get(VALUES), ...values]));
  if (Object.keys(options).length > 0) context = context.with(OPTIONS, options);
  if (actor !== undefined) context = context.with(ACTOR, actor);
  if (scope !== undefined) context = context.with(SCOPE, scope);
  return context;
};

/** @throws CallError Invalid for an id without one of its parts, PermissionDenied; a LuaRaise for another type. */
const targetOf = (args: readonly LuaValue[], name: string, { context }: LuaThread, allows: Allows): string => {
  const target = textArgument(args, 1, name);
  if (target === '') throw invalid('function ID required');
  const at = target.indexOf(':');
  if (at <= 0) throw invalid('namespace required in function ID');
  if (at === target.length - 1) throw invalid('name required in function ID');
  demand(allows(context, 'funcs.call', target), target);
  return target;
};

const demand = (isAllowed: boolean, what: string): void => {
  if (!isAllowed) throw permissionDenied(`not allowed: ${what}`);
};

type CallWith = (added: Added, thread: LuaThread, args: readonly LuaValue[]) => HostResults | Promise<HostResults>;

const callWith =
  (functions: Functions, allows: Allows): CallWith =>
  (added, thread, args) =>
    resultsOf(
      () => functions.call(targetOf(args, 'call', thread, allows), args.slice(1), contextFor(thread, added)),
      ({ value }) => [value, undefined],
    );

const asyncWith =
  (functions: Functions, engine: LuaEngine, allows: Allows): CallWith =>
  (added, thread, args) => {
    try {
      const target = targetOf(args, 'async', thread, allows);
      const future = new Future(engine.channel(1));
      startFuture(functions, target, args.slice(1), contextFor(thread, added), future);
      return [future, undefined];
    } catch (error) {
      return failed(error);
    }
  };

const SCALARS: ReadonlySet<string> = new Set(['string', 'number', 'boolean']);

/** `executor, nil`: the same with `more`, or what `more` throws as `nil, err`. */
const extended = (self: Executor, more: () => Partial<Added>): HostResults | Promise<HostResults> =>
  resultsOf(more, (added) => [new Executor({ ...self.added, ...added }), undefined]);

const withContext =
  (allows: Allows): HostMethod<Executor> =>
  (self, { context }, args) => {
    const table = tableArgument(args, 1, 'with_context');
    return extended(self, () => {
      demand(allows(context, 'funcs.context', 'context'), 'context');
      const values = new Map(self.added.values);
      for (const [key, value] of table.map) {
        if (!isLuaString(key)) continue;
        const isKept = SCALARS.has(typeof value) || value instanceof LuaTable || value instanceof Uint8Array;
        if (isKept) values.set(textOf(key), crossing(value));
        else values.delete(textOf(key)); // values of other types read as nil
      }
      return { values };
    });
  };

const withOptions =
  (allows: Allows): HostMethod<Executor> =>
  (self, { context }, args) => {
    const table = tableArgument(args, 1, 'with_options');
    return extended(self, () => {
      const network = table.get('network');
      if (typeof network === 'string') demand(allows(context, 'network.select', network), network);
      return { options: hostDataOf(table) as Added['options'] };
    });
  };

/** What the executor needs of security; the port is asked for when it is used first, as every surface is built by then. */
export interface ExecutorSecurity {
  readonly allows: Allows;
  readonly security: () => Pick<Security, 'isActor' | 'isScope'>;
}

const withActor =
  ({ allows, security }: ExecutorSecurity): HostMethod<Executor> =>
  (self, { context }, [actor]) => {
    if (!security().isActor(actor)) throw badArgument(1, 'with_actor', 'security.Actor', actor);
    return extended(self, () => {
      demand(allows(context, 'funcs.security', 'security'), 'security');
      return { actor };
    });
  };

const withScope =
  ({ allows, security }: ExecutorSecurity): HostMethod<Executor> =>
  (self, { context }, [scope]) => {
    if (!security().isScope(scope)) throw badArgument(1, 'with_scope', 'security.Scope', scope);
    return extended(self, () => {
      demand(allows(context, 'funcs.security', 'security'), 'security');
      return { scope };
    });
  };

export const executorClass = (
  functions: Functions,
  engine: LuaEngine,
  security: ExecutorSecurity,
): LuaClass<Executor> => {
  const { allows } = security;
  const call = callWith(functions, allows);
  const async = asyncWith(functions, engine, allows);
  return {
    name: 'funcs.Executor',
    constructor: Executor,
    methods: {
      call: (self, thread, args) => call(self.added, thread, args),
      async: (self, thread, args) => async(self.added, thread, args),
      with_context: withContext(allows),
      with_options: withOptions(allows),
      with_actor: withActor(security),
      with_scope: withScope(security),
    },
    yields: ['call'],
  };
};

/** `async` never waits, and so is not among `yields`: a future must not complete before its caller has seen it. */
export const funcsModule = (functions: Functions, engine: LuaEngine, allows: Allows): LuaModule => {
  const call = callWith(functions, allows);
  const async = asyncWith(functions, engine, allows);
  const onPlain =
    (body: CallWith): HostFunction =>
    (thread, args) =>
      body(NOTHING, thread, args);
  return {
    name: 'funcs',
    functions: { call: onPlain(call), async: onPlain(async), new: () => [new Executor(NOTHING)] },
    yields: ['call'],
  };
};
