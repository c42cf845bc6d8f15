import type { CallContext } from '../../runtime/context.ts';
import { asCallError, CallError, internal, invalid } from '../../runtime/errors.ts';
import { badArgument, tableArgument, textArgument } from '../../runtime/lua/arguments.ts';
import { crossing } from '../../runtime/lua/crossing.ts';
import {
  type HostMethod,
  type HostResults,
  type LuaClass,
  LuaRaise,
  type LuaThread,
} from '../../runtime/lua/engine.ts';
import { resultsOf } from '../../runtime/lua/results.ts';
import { hostObject, isLuaString, type LuaTable, type LuaValue, textOf } from '../../runtime/lua/values.ts';
import { TRACE } from '../../runtime/trace.ts';
import { VALUES } from '../function/port.ts';
import { ACTOR, SCOPE, type Scope, type Security, type Actor as SecurityActor } from '../security/port.ts';
import { atLeast, crossingFrom, messageValues, topicArgument } from './arguments.ts';
import { Message } from './message.ts';
import type { Permit } from './permission.ts';
import type { ProcessControl } from './processes.ts';

interface SpawnerParts {
  readonly values: ReadonlyMap<string, LuaValue>;
  readonly actor?: SecurityActor;
  readonly scope?: Scope;
  readonly name?: string;
  readonly messages: readonly { readonly topic: string; readonly values: readonly LuaValue[] }[];
  readonly options: LuaTable | undefined;
}

/** `process.with_context(...)`: immutable; every `with_*` gives a new one (lua/process.md, section 3). */
export class Spawner {
  readonly [hostObject] = true as const;
  readonly parts: SpawnerParts;
  constructor(parts: SpawnerParts) {
    this.parts = parts;
  }
  with(parts: Partial<SpawnerParts>): Spawner {
    return new Spawner({ ...this.parts, ...parts });
  }
}
export const plainSpawner = new Spawner({ values: new Map(), messages: [], options: undefined });

/** Which ties there are between parent and child, by the name of the function. */
const TIES = {
  spawn: {},
  spawn_monitored: { isMonitored: true },
  spawn_linked: { isLinked: true },
  spawn_linked_monitored: { isMonitored: true, isLinked: true },
} as const;
type SpawnName = keyof typeof TIES;
const SPAWN_NAMES = Object.keys(TIES) as readonly SpawnName[];

export type SpawnerCall = (
  spawner: Spawner,
  thread: LuaThread,
  args: readonly LuaValue[],
) => HostResults | Promise<HostResults>;

/** What spawns: the calls of the module and of a Spawner are the same ones. */
export interface SpawnerCalls {
  readonly spawns: Readonly<Record<SpawnName, SpawnerCall>>;
  readonly exec: SpawnerCall;
}

const contextOf = (thread: LuaThread, { values, actor, scope }: SpawnerParts): CallContext => {
  let context = thread.context;
  if (values.size > 0) context = context.with(VALUES, new Map([...context.get(VALUES), ...values]));
  if (actor !== undefined) context = context.with(ACTOR, actor);
  return scope === undefined ? context : context.with(SCOPE, scope);
};

/** Ids of the entry and of the host. @throws CallError Invalid */
const targetOf = (args: readonly LuaValue[], name: string): { id: string; host: string } => {
  atLeast(args, 2, `process.${name}(id, host, ...)`);
  return { id: textArgument(args, 1, name), host: textArgument(args, 2, name) };
};

const checkExecTarget = ({ id, host }: { id: string; host: string }): void => {
  const at = id.indexOf(':');
  if (id === '') throw invalid('process id is required');
  if (at <= 0) throw invalid(`namespace required in process id: ${id}`);
  if (at === id.length - 1) throw invalid(`name required in process id: ${id}`);
  if (host === '') throw invalid('host id is required');
};

export const spawnerCalls = (control: ProcessControl, permit: Permit): SpawnerCalls => {
  const spawnAs =
    (name: SpawnName): SpawnerCall =>
    (spawner, thread, args) =>
      resultsOf(
        () => {
          const target = targetOf(args, name);
          const ties = TIES[name];
          permit(thread, 'process.spawn', target.id);
          permit(thread, 'process.host', target.host);
          if ('isMonitored' in ties) permit(thread, 'process.spawn.monitored', target.id);
          if ('isLinked' in ties) permit(thread, 'process.spawn.linked', target.id);
          const { messages, name: registered } = spawner.parts;
          const parent = control.table.of(thread);
          return control.spawnActor({
            ...target,
            ...ties,
            args: crossingFrom(args, 3),
            context: contextOf(thread, spawner.parts),
            parent,
            name: registered,
            messages: messages.map(({ topic, values }) => new Message(topic, '', values, thread.context.get(TRACE))),
          }).pid;
        },
        (pid) => [pid, undefined],
      );

  const exec: SpawnerCall = (spawner, thread, args) =>
    resultsOf(
      () => {
        const target = targetOf(args, 'exec');
        checkExecTarget(target);
        permit(thread, 'process.exec', target.id);
        permit(thread, 'process.host', target.host);
        return new Promise<LuaValue>((resolve, reject) => {
          try {
            control.spawnActor({
              ...target,
              args: crossingFrom(args, 3),
              context: contextOf(thread, spawner.parts),
              parent: control.table.of(thread),
              onExit: ({ value, error }) => (error === undefined ? resolve(value) : reject(error)),
            });
          } catch (thrown) {
            const cause = asCallError(thrown);
            reject(internal(`failed to execute process: ${cause.message}`, { cause }));
          }
        });
      },
      (value) => [value, undefined],
    );

  return {
    spawns: Object.fromEntries(SPAWN_NAMES.map((name) => [name, spawnAs(name)])) as SpawnerCalls['spawns'],
    exec,
  };
};

/** Values of a table that become values of the child's context. A key that is no string raises. */
const contextValues = (args: readonly LuaValue[]): Map<string, LuaValue> => {
  const values = new Map<string, LuaValue>();
  for (const [key, value] of tableArgument(args, 1, 'with_context').map) {
    if (!isLuaString(key)) throw badArgument(1, 'with_context', 'table with string keys', key as LuaValue);
    values.set(textOf(key), value instanceof CallError ? undefined : crossing(value));
  }
  return values;
};

/** The methods of a Spawner; the module's `with_context` and `with_options` are those of the plain one. */
export const spawnerMethods = (
  permit: Permit,
  security: () => Security | undefined,
): Readonly<Record<string, HostMethod<Spawner>>> => ({
  with_context: (self, thread, args) => {
    const values = contextValues(args);
    permit(thread, 'process.context', 'context');
    return [self.with({ values: new Map([...self.parts.values, ...values]) })];
  },
  with_options: (self, thread, args) => {
    const options = tableArgument(args, 1, 'with_options');
    permit(thread, 'process.context', 'context');
    return [self.with({ options })];
  },
  with_actor: (self, thread, args) => {
    const [actor] = args;
    if (security()?.isActor(actor) !== true) throw badArgument(1, 'with_actor', 'Actor', actor);
    permit(thread, 'process.security', 'security');
    return [self.with({ actor: actor as unknown as SecurityActor })];
  },
  with_scope: (self, thread, args) => {
    const [scope] = args;
    if (security()?.isScope(scope) !== true) throw badArgument(1, 'with_scope', 'Scope', scope);
    permit(thread, 'process.security', 'security');
    return [self.with({ scope: scope as unknown as Scope })];
  },
  with_name: (self, _thread, args) => {
    const name = args[0];
    if (!isLuaString(name)) throw badArgument(1, 'with_name', 'string', name);
    if (textOf(name) === '') throw new LuaRaise('with_name: the name is empty');
    return [self.with({ name: textOf(name) })];
  },
  with_message: (self, _thread, args) => {
    const topic = raised(() => topicArgument(args, 1, 'with_message', 'send to'));
    return [self.with({ messages: [...self.parts.messages, { topic, values: messageValues(args, 2) }] })];
  },
});

/** Misuse of a builder raises instead of returning an error. */
const raised = <T>(body: () => T): T => {
  try {
    return body();
  } catch (error) {
    throw error instanceof CallError ? new LuaRaise(error.message) : error;
  }
};

export const spawnerClass = (
  calls: SpawnerCalls,
  methods: Readonly<Record<string, HostMethod<Spawner>>>,
): LuaClass<Spawner> => ({
  name: 'process.Spawner',
  constructor: Spawner,
  methods: { ...methods, ...calls.spawns, exec: calls.exec },
  yields: [...SPAWN_NAMES, 'exec'],
});
