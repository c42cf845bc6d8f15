import type { Next } from '../../runtime/call.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import type { Env } from '../../runtime/env.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';
import type { Actor } from './actor.ts';
import { type ActorTable, terminated } from './actor-table.ts';
import type { Host } from './host.ts';
import type { Processes, ProcessState, SpawnRequest } from './port.ts';
import { type Cancellation, cancelSite } from './sites.ts';
import type { Spawn, SpawnProcess } from './spawning.ts';

/** The port, and what the Lua side needs beyond it. */
export interface ProcessControl extends Processes {
  readonly table: ActorTable;
  spawnActor(spawn: Spawn): Actor;
  /** CANCEL through its site. False: it is gone. */
  cancelFrom(destination: string, from: string, reason: string, context: CallContext): boolean;
  /** Termination through its site. False: it is gone. */
  terminateFrom(destination: string, context: CallContext): boolean;
  /** @throws CallError Unavailable where the target's mailbox is full. */
  admitMessage(target: Actor): void;
}

const CALLER_GONE = 'caller context canceled';

export const processControl = (
  env: Env,
  table: ActorTable,
  hosts: ReadonlyMap<string, Host>,
  spawn: SpawnProcess,
): ProcessControl => {
  /** One site for each entry, made when it is first needed; what is long gone has no entry any more. */
  const sites = new Map<string, Next<Cancellation, boolean>>();
  const cancellationOf = (target: Actor | undefined, pid: string): Next<Cancellation, boolean> => {
    const id = target?.entryId ?? table.entryOf(pid) ?? 'process';
    let site = sites.get(id);
    if (site === undefined) {
      site = cancelSite(env, id);
      sites.set(id, site);
    }
    return site;
  };
  const act = (
    pid: string,
    target: Actor | undefined,
    reason: string,
    context: CallContext,
    body: Cancellation['act'],
  ): boolean => cancellationOf(target, pid)({ input: { pid, target, reason, act: body }, context }) as boolean; // nothing in it waits

  const find = (destination: string): Actor | undefined => table.find(destination) ?? table.lookup(destination);
  const cancelFrom: ProcessControl['cancelFrom'] = (destination, from, reason, context) => {
    const target = find(destination);
    return act(target?.pid ?? destination, target, reason, context, (one) => table.cancel(one, from, reason));
  };
  const endAtOnce = (pid: string, target: Actor | undefined, context: CallContext): boolean => {
    const error = terminated();
    return act(pid, target, error.message, context, (one) => {
      one.isTerminated = true;
      table.kill(one, error);
    });
  };
  const terminateFrom: ProcessControl['terminateFrom'] = (destination, context) => {
    const target = find(destination);
    return target?.isProtected === true || endAtOnce(target?.pid ?? destination, target, context);
  };
  const hostPid = (pid: string): string => hosts.get(table.find(pid)?.host ?? '')?.pid ?? '';

  const stateOf = (actor: Actor): ProcessState => ({
    pid: actor.pid,
    host: actor.host ?? '',
    source: actor.entryId,
    state: actor.steps === 0 ? 'running' : 'waiting', // all others wait while somebody asks
    steps: actor.steps,
    startedAt: actor.startedAt,
    parent: actor.parent,
    actorId: actor.actorId,
  });

  return {
    table,
    spawnActor: spawn,
    cancelFrom,
    terminateFrom,
    admitMessage: (target) => hosts.get(target.host ?? '')?.admitMessage(target),
    spawn: (request) => spawn(request).pid,
    exec: (request: SpawnRequest) =>
      new Promise<LuaValue>((resolve, reject) => {
        const { signal } = request.context;
        if (signal.aborted) throw signal.reason;
        let onAbort = (): void => {};
        const { pid } = spawn({
          ...request,
          onExit: (exit) => {
            signal.removeEventListener('abort', onAbort);
            request.onExit?.(exit);
            if (exit.error === undefined) resolve(exit.value);
            else reject(exit.error);
          },
        });
        onAbort = () => {
          cancelFrom(pid, hostPid(pid), CALLER_GONE, request.context);
          reject(signal.reason);
        };
        signal.addEventListener('abort', onAbort, { once: true });
      }),
    cancel: (pid, reason) => cancelFrom(pid, hostPid(pid), reason, rootContext),
    hasEvents: (pid) => table.find(pid)?.mailbox.hasEvents === true,
    terminate: (pid) => endAtOnce(pid, table.find(pid), rootContext),
    addEvent: (pid, name, attributes) => table.find(pid)?.span?.addEvent(name, attributes),
    hosts: () =>
      [...hosts.values()].map(({ id, options, actors, executed }) => ({
        id,
        workers: options.workers,
        processes: actors.size,
        executed,
        queueDepth: [...actors].reduce((sum, { mailbox }) => sum + mailbox.depth, 0),
      })),
    processes: (host) => [...(hosts.get(host)?.actors ?? [])].map(stateOf),
  };
};
