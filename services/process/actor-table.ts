import type { Clock } from '../../runtime/clock.ts';
import { alreadyExists, CallError, internal, notFound } from '../../runtime/errors.ts';
import type { LuaEngine, LuaThread } from '../../runtime/lua/engine.ts';
import type { HostValue } from '../../runtime/lua/values.ts';
import { Actor } from './actor.ts';
import { formatPid, parsePid } from './pid.ts';
import type { ProcessExit } from './port.ts';

/** How many ended pids are remembered: for who cancels or ends what has just ended. */
const MAX_ENDED = 1024;

export const EVENT = { CANCEL: 'pid.cancel', EXIT: 'pid.exit', LINK_DOWN: 'pid.link.down' } as const;

/** All that live: who has which pid and which name, who watches whom, and what an end means for the others. */
export interface ActorTable {
  /** The pid of something new on this host. */
  nextPid(host: string): string;
  add(actor: Actor): void;
  /** The actor of the caller. That of a function call is made when it is first asked for, and ends with the call. */
  of(thread: LuaThread): Actor;
  /** The living actor of a pid, in any of its forms. */
  find(pid: string): Actor | undefined;
  /** What ran under a pid that has ended lately; undefined once it is forgotten. */
  entryOf(pid: string): string | undefined;
  /** A pid, or a registered name. @throws CallError NotFound for neither, or where nobody lives under the pid. */
  resolve(destination: string): Actor;
  /** The same; Internal `not registered` where nobody lives under the pid (lua/process.md, section 5). */
  resolveLinked(destination: string): Actor;
  register(name: string, actor: Actor): void;
  lookup(name: string): Actor | undefined;
  unregister(name: string): boolean;
  monitor(watcher: Actor, target: Actor): void;
  unmonitor(watcher: Actor, target: Actor): void;
  link(one: Actor, other: Actor): void;
  unlink(one: Actor, other: Actor): void;
  /** Appends a CANCEL event. */
  cancel(target: Actor, from: string, reason: string): void;
  /** Ends it from outside, at once. */
  kill(target: Actor, error: CallError): void;
  /** It has ended: names are free and the pid is dead before anybody is told. */
  end(actor: Actor, exit: ProcessExit): void;
}

export const terminated = (): CallError => new CallError('process terminated', { kind: 'Internal' });
const linkFailed = (peer: Actor): CallError =>
  new CallError(`linked process failed: ${peer.pid}`, { kind: 'Internal' });
const gone = (destination: string): CallError => notFound(`process not found: ${destination}`);

export const actorTable = (engine: LuaEngine, clock: Clock, node: string, nextUnique: () => number): ActorTable => {
  const actors = new Map<string, Actor>();
  const names = new Map<string, Actor>();
  /** Entry ids by pid, oldest first. */
  const ended = new Map<string, string>();
  /** Ends that are still to be told: a chain of links may be long, so it is no recursion. */
  const ending: { actor: Actor; exit: ProcessExit }[] = [];
  let isTelling = false;

  const event = (kind: string, from: string, more: Readonly<Record<string, HostValue>>): HostValue => ({
    kind,
    from,
    at: Math.floor(clock.wall() / 1000),
    ...more,
  });

  /** `{host|unique}` and `{node@host|ns:name|unique}` name the same process as our own form. */
  const canonical = (text: string): string | undefined => {
    const parts = parsePid(text);
    if (parts === undefined || (parts.node !== '' && parts.node !== node)) return undefined;
    return node === '' ? `{${parts.host}|${parts.unique}}` : `{${node}@${parts.host}|${parts.unique}}`;
  };
  const find = (pid: string): Actor | undefined => actors.get(pid) ?? actors.get(canonical(pid) ?? '');

  const found = (destination: string, absent: (destination: string) => CallError): Actor => {
    const actor = find(destination);
    if (actor !== undefined) return actor;
    if (parsePid(destination) !== undefined) throw absent(destination);
    const named = names.get(destination);
    if (named === undefined) throw notFound(`could not resolve '${destination}' as PID or registered name`);
    return named;
  };

  const forget = (actor: Actor): void => {
    actors.delete(actor.pid);
    ended.set(actor.pid, actor.entryId);
    if (ended.size > MAX_ENDED) ended.delete(ended.keys().next().value as string);
    for (const name of actor.names ?? []) names.delete(name);
    actor.names = undefined;
    for (const target of actor.monitored ?? []) target.monitors?.delete(actor);
    actor.monitored = undefined;
    actor.mailbox.drop();
  };

  const tell = ({ actor, exit }: { actor: Actor; exit: ProcessExit }): void => {
    const result = { value: exit.value, error: exit.error };
    const { monitors, links } = actor;
    actor.monitors = undefined;
    actor.links = undefined;
    for (const watcher of monitors ?? []) {
      watcher.monitored?.delete(actor);
      watcher.mailbox.deliverEvent(event(EVENT.EXIT, actor.pid, { result }));
    }
    for (const peer of links ?? []) {
      peer.links?.delete(actor);
      if (exit.error === undefined) continue;
      if (peer.trapLinks) peer.mailbox.deliverEvent(event(EVENT.LINK_DOWN, actor.pid, { result }));
      else kill(peer, linkFailed(actor));
    }
    for (const told of actor.onExit) told(exit);
  };

  const end = (actor: Actor, exit: ProcessExit): void => {
    if (!actor.isAlive) return;
    actor.isAlive = false;
    forget(actor);
    ending.push({ actor, exit });
    if (isTelling) return;
    isTelling = true;
    try {
      for (let next = ending.shift(); next !== undefined; next = ending.shift()) tell(next);
    } finally {
      isTelling = false;
    }
  };
  const kill = (target: Actor, error: CallError): void => {
    target.run?.kill(error);
    end(target, { error });
  };

  return {
    nextPid: (host) => formatPid(node, host, nextUnique()),
    add: (actor) => void actors.set(actor.pid, actor),
    of({ run }) {
      const known = actors.get(run.pid);
      if (known !== undefined) return known;
      const parts = { pid: run.pid, entryId: run.entryId, host: undefined, startedAt: clock.wall(), parent: undefined };
      const actor = new Actor(parts, engine);
      actor.run = run;
      actors.set(run.pid, actor);
      run.defer((outcome) => end(actor, outcome));
      return actor;
    },
    find,
    entryOf: (pid) => ended.get(pid) ?? ended.get(canonical(pid) ?? ''),
    resolve: (destination) => found(destination, gone),
    resolveLinked: (destination) => found(destination, () => internal(`process not registered: ${destination}`)),
    register(name, actor) {
      const holder = names.get(name);
      if (holder === actor) return;
      if (holder !== undefined) throw alreadyExists('name already registered');
      names.set(name, actor);
      actor.names ??= new Set();
      actor.names.add(name);
    },
    lookup: (name) => names.get(name),
    unregister(name) {
      names.get(name)?.names?.delete(name);
      return names.delete(name);
    },
    monitor(watcher, target) {
      if (watcher.monitored?.has(target) === true) throw internal(`already monitoring ${target.pid}`);
      watcher.monitored ??= new Set();
      watcher.monitored.add(target);
      target.monitors ??= new Set();
      target.monitors.add(watcher);
    },
    unmonitor(watcher, target) {
      watcher.monitored?.delete(target);
      target.monitors?.delete(watcher);
    },
    link(one, other) {
      if (one === other) return;
      one.links ??= new Set();
      one.links.add(other);
      other.links ??= new Set();
      other.links.add(one);
    },
    unlink(one, other) {
      one.links?.delete(other);
      other.links?.delete(one);
    },
    cancel(target, from, reason) {
      target.mailbox.deliverEvent(event(EVENT.CANCEL, from, { reason }));
    },
    kill,
    end,
  };
};
