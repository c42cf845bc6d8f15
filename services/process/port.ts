import type { CallContext } from '../../runtime/context.ts';
import { type Entry, type EntryRegistry, resolveId } from '../../runtime/entry.ts';
import { type PortKey, portKey } from '../../runtime/env.ts';
import type { CallError } from '../../runtime/errors.ts';
import type { HostValue, LuaValue } from '../../runtime/lua/values.ts';
import type { SurfaceProblem } from '../../runtime/surface.ts';
import type { Span } from '../../runtime/trace.ts';

/** How a process has ended: with a value, or with an error. */
export interface ProcessExit {
  readonly value?: LuaValue;
  readonly error?: CallError;
}

export interface SpawnRequest {
  /** Ids of the process entry and of the host. */
  readonly id: string;
  readonly host: string;
  /** The parameters of `main`; copied on the way. */
  readonly args: readonly HostValue[];
  /** Values, actor and scope are inherited from it; its trace is the spawner's. */
  readonly context: CallContext;
  /** What this process alone has in its context: none of its children and calls. */
  readonly own?: (inherited: CallContext) => CallContext;
  /** Told when it has ended, after its names are free. */
  readonly onExit?: (exit: ProcessExit) => void;
  /** Told just before, while its long span (absent where it is not sampled) can still take events. */
  readonly onEnding?: (exit: ProcessExit, span: Span | undefined) => void;
}

export interface HostState {
  readonly id: string;
  readonly workers: number;
  /** Processes that live now. */
  readonly processes: number;
  /** Processes started since the host was. */
  readonly executed: number;
  /** Messages that wait in the mailboxes of its processes. */
  readonly queueDepth: number;
}
export interface ProcessState {
  readonly pid: string;
  readonly host: string;
  /** Id of the entry that it runs. */
  readonly source: string;
  readonly state: 'running' | 'waiting';
  /** Times that it was resumed. */
  readonly steps: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly parent?: string;
  readonly actorId?: string;
}

/** Starts and ends processes for the host side: services, schedules, the terminal. */
export interface Processes {
  /** The pid of a new process. @throws CallError as lua/process.md, section 3 says. */
  spawn(request: SpawnRequest): string;
  /** Spawns and waits for the end; the process gets CANCEL when the context's signal aborts. Rejects with its error. */
  exec(request: SpawnRequest): Promise<LuaValue>;
  /** Appends a CANCEL event, from the process's host. False: it is gone. */
  cancel(pid: string, reason: string): boolean;
  /** Whether it has opened its events, where CANCEL comes. */
  hasEvents(pid: string): boolean;
  /** Ends it at once, also on a terminal host, where programs cannot. False: it is gone. */
  terminate(pid: string): boolean;
  /** What the long span of a process shows of its supervision (telemetry.md, section 2). */
  addEvent(pid: string, name: string, attributes: Readonly<Record<string, string | number>>): void;
  hosts(): readonly HostState[];
  /** Ordered by start; empty for an unknown host. */
  processes(host: string): readonly ProcessState[];
}
export const PROCESSES: PortKey<Processes> = portKey('processes');

/** The host that an entry's calls run on: `meta.default_host`, or `meta.options.default_host`. */
export const defaultHost = ({ meta, namespace }: Entry): string | undefined => {
  const options = meta.options as { default_host?: unknown } | null | undefined;
  const host = meta.default_host ?? options?.default_host;
  return typeof host === 'string' && host !== '' ? resolveId(host, namespace) : undefined;
};

const calledProcess = (registry: EntryRegistry, func: string | undefined): Entry | undefined => {
  const entry = registry.get(func ?? '');
  return entry?.kind === 'process.lua' ? entry : undefined;
};

/** The hosts that must run where these ids are called as functions: those of the processes among them. */
export const hostsOfCalled = (registry: EntryRegistry, funcs: readonly (string | undefined)[]): readonly string[] => {
  const hosts = funcs.flatMap((func) => {
    const called = calledProcess(registry, func);
    return called === undefined ? [] : (defaultHost(called) ?? []);
  });
  return [...new Set(hosts)];
};

/** A process without a default host is no function: each call of it would fail. `kind` names its callee in `func`. */
export const uncallableProblems = (registry: EntryRegistry, kind: string, advice: string): readonly SurfaceProblem[] =>
  registry.declared<{ readonly func?: string }>(kind).flatMap(({ id, config }) => {
    const called = calledProcess(registry, config.func);
    if (called === undefined || defaultHost(called) !== undefined) return [];
    const message = `${id} refers to ${called.id}, a process.lua without meta.default_host. ${advice}`;
    return [{ id, path: 'func', message }];
  });
/** What to do about it where nothing but a function can be named. */
export const GIVE_DEFAULT_HOST = 'Give it one, the id of a process.host, or name a function.';
