import { isPromise, type Next } from '../../runtime/call.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import type { Declared } from '../../runtime/entry.ts';
import type { Env } from '../../runtime/env.ts';
import { asCallError, type CallError, internal, notFound } from '../../runtime/errors.ts';
import type { LuaInstance, LuaLimits } from '../../runtime/lua/engine.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';
import { TRACE } from '../../runtime/trace.ts';
import { PROGRAMS } from '../code/port.ts';
import { ACTOR } from '../security/port.ts';
import { Actor } from './actor.ts';
import type { ActorTable } from './actor-table.ts';
import type { Host } from './host.ts';
import { processTurn } from './instruments.ts';
import type { ProcessConfig } from './kinds.ts';
import { type Life, lifeEnd } from './life.ts';
import type { Message } from './message.ts';
import type { SpawnRequest } from './port.ts';
import { type LifecycleSpans, lifecycleSpans, lifeSite } from './sites.ts';

/** A spawn as the Lua side asks for it. */
export interface Spawn extends SpawnRequest {
  readonly parent?: Actor;
  readonly isMonitored?: boolean;
  readonly isLinked?: boolean;
  readonly name?: string;
  /** In the mailbox before anybody else's. */
  readonly messages?: readonly Message[];
}

/** The message that the spawner has received last is no business of the child's: matters where no long span takes its place. */
const withoutReceived = (context: CallContext): CallContext => {
  const trace = context.get(TRACE);
  if (trace?.received === undefined) return context;
  const { traceId, spanId, flags, state, isRemote } = trace;
  return context.with(TRACE, { traceId, spanId, flags, state, isRemote });
};

interface Factory {
  readonly limits: LuaLimits;
  readonly spans: LifecycleSpans;
  readonly life: Next<Life, LuaValue>;
}

/** Makes processes of the declared `process.lua` entries. @throws CallError as lua/process.md, section 3 says. */
export type SpawnProcess = (spawn: Spawn) => Actor;

export const spawning = (
  env: Env,
  table: ActorTable,
  hosts: ReadonlyMap<string, Host>,
): { readonly spawn: SpawnProcess } => {
  const factories = new Map<string, Factory>();
  const turns = env.collector.histogram(processTurn);
  let turn: ReturnType<typeof turns.bind> | undefined;

  const factoryOf = ({ id, config }: Declared<ProcessConfig>): Factory => {
    const spans = lifecycleSpans(env, id);
    return {
      limits: {
        instructions: config.limits.instructions ?? env.settings.luaLimits.instructions,
        cpuMs: config.limits.cpu_ms ?? env.settings.luaLimits.cpuMs,
        resultBytes: config.limits.result_bytes ?? env.settings.luaLimits.resultBytes,
      },
      spans,
      life: env.site(lifeSite(env, id), ({ input: life, context }) => {
        const end = lifeEnd(life);
        life.actor.onExit.unshift(({ error }) => spans.terminated(life.actor, error, context));
        hostOf(life.actor.host ?? '').begin(life, context);
        return end;
      }),
    };
  };
  for (const declared of env.registry.declared<ProcessConfig>('process.lua')) {
    factories.set(declared.id, factoryOf(declared));
  }

  const hostOf = (id: string): Host => {
    const host = hosts.get(id);
    if (host !== undefined) return host;
    if (env.registry.get(id) === undefined) throw notFound(`host not found: ${id}`);
    throw internal(`${id} is no process host: it cannot run processes`);
  };

  const instanceOf = ({ id, context }: SpawnRequest): LuaInstance => {
    try {
      return env.use(PROGRAMS).get(id).instantiate(context);
    } catch (thrown) {
      const error = asCallError(thrown);
      if (error.message.startsWith('method "')) throw error;
      throw internal(`failed to create process: ${error.message}`, { cause: error, frames: error.frames });
    }
  };

  /** The name is free, or the process that holds it is told instead of a new one. */
  const holderOf = (spawn: Spawn): Actor | undefined => {
    const holder = spawn.name === undefined ? undefined : table.lookup(spawn.name);
    if (holder === undefined) return undefined;
    const messages = spawn.messages ?? [];
    if (messages.length > 0) hosts.get(holder.host ?? '')?.admitMessage(holder);
    bind(spawn, holder);
    for (const message of messages) holder.mailbox.deliver(message);
    return holder;
  };
  const bind = ({ parent, isLinked, isMonitored }: Spawn, target: Actor): void => {
    if (parent === undefined) return;
    if (isMonitored === true && parent.monitored?.has(target) !== true) table.monitor(parent, target);
    if (isLinked === true) table.link(parent, target);
  };

  /** An interceptor may refuse a life: then it has never begun. How one ends is told to its watchers, not here. */
  const begin = ({ life: site }: Factory, life: Life, context: CallContext): void => {
    const refused = (thrown: unknown): CallError => {
      const error = asCallError(thrown);
      table.kill(life.actor, error);
      return error;
    };
    try {
      const end = site({ input: life, context });
      if (isPromise(end)) end.catch(refused);
    } catch (thrown) {
      throw refused(thrown);
    }
  };

  return {
    spawn(spawn) {
      const host = hostOf(spawn.host);
      const factory = factories.get(spawn.id);
      if (factory === undefined) throw notFound(`factory not found: ${spawn.id} is no process entry`);
      const holder = holderOf(spawn);
      if (holder !== undefined) return holder;
      host.admit();
      // What a child inherits does not end with its parent.
      const inherited = spawn.context.inherited().withSignal(rootContext.signal);
      const context = spawn.own?.(inherited) ?? inherited;
      const instance = instanceOf({ ...spawn, context });
      const actor = new Actor(
        {
          pid: table.nextPid(host.id),
          entryId: spawn.id,
          host: host.id,
          startedAt: env.clock.wall(),
          parent: spawn.parent?.pid,
          actorId: context.get(ACTOR)?.id,
        },
        env.engine,
      );
      actor.isProtected = host.options.isProtected;
      table.add(actor);
      host.add(actor);
      const { onEnding } = spawn;
      if (onEnding !== undefined) actor.onExit.push((exit) => onEnding(exit, actor.span));
      if (spawn.onExit !== undefined) actor.onExit.push(spawn.onExit);
      if (spawn.name !== undefined) table.register(spawn.name, actor);
      bind(spawn, actor);
      for (const message of spawn.messages ?? []) actor.mailbox.deliver(message);

      turn ??= turns.bind({});
      const observed = turn;
      const onTurn = (ms: number): void => {
        actor.steps += 1;
        observed.observe(ms / 1000);
      };
      factory.spans.started(actor, context);
      const life = { actor, instance, args: spawn.args, limits: factory.limits, onTurn };
      begin(factory, life, withoutReceived(context));
      return actor;
    },
  };
};
