import { alreadyExists, type CallError, internal, invalid } from '../../runtime/errors.ts';
import { badArgument } from '../../runtime/lua/arguments.ts';
import { Channel } from '../../runtime/lua/channel.ts';
import type { HostFunction, HostMethod, HostResults, LuaModule, LuaThread } from '../../runtime/lua/engine.ts';
import { failed, resultsOf } from '../../runtime/lua/results.ts';
import { isLuaString, LuaTable, type LuaValue, textOf } from '../../runtime/lua/values.ts';
import { TRACE } from '../../runtime/trace.ts';
import type { Actor } from './actor.ts';
import { EVENT } from './actor-table.ts';
import { atLeast, messageValues, topicArgument } from './arguments.ts';
import { Message } from './message.ts';
import { nameFunctions, SCOPES } from './names-module.ts';
import type { Permit } from './permission.ts';
import { parsePid } from './pid.ts';
import type { ProcessControl } from './processes.ts';
import { plainSpawner, type Spawner, type SpawnerCall, type SpawnerCalls } from './spawner.ts';

const SENT = [true, undefined] as const;

/** The global `process` (lua/process.md), in functions and in processes. */
export const processModule = (
  control: ProcessControl,
  permit: Permit,
  spawner: { readonly calls: SpawnerCalls; readonly methods: Readonly<Record<string, HostMethod<Spawner>>> },
): LuaModule => {
  const { table } = control;
  const onPlain =
    (body: SpawnerCall): HostFunction =>
    (thread, args) =>
      body(plainSpawner, thread, args);
  const { with_context, with_options } = spawner.methods;

  /** A pid that nobody lives under gives `process not found` as an error, not as a raise. */
  const destinationOf = (args: readonly LuaValue[], name: string): string => {
    atLeast(args, 1, `process.${name}(destination)`);
    const value = args[0];
    if (!isLuaString(value)) throw badArgument(1, name, 'string', value);
    return textOf(value);
  };

  // The most frequent call of all: written out, it makes no closures.
  const send: HostFunction = (thread, args) => {
    try {
      atLeast(args, 2, 'process.send(destination, topic, ...)');
      const destination = destinationOf(args, 'send');
      if (!isLuaString(args[1])) throw badArgument(2, 'send', 'string', args[1]);
      const topic = topicArgument(args, 2, 'send', 'send to');
      const target = table.resolve(destination);
      permit(thread, 'process.send', target.pid, destination);
      control.admitMessage(target);
      const from = table.of(thread).pid;
      target.mailbox.deliver(new Message(topic, from, messageValues(args, 3), thread.context.get(TRACE)));
      return SENT;
    } catch (error) {
      return failed(error);
    }
  };

  const listen: HostFunction = (thread, args) => {
    const topic = args[0];
    if (!isLuaString(topic)) throw badArgument(1, 'listen', 'string', topic);
    return resultsOf(
      () => {
        if (textOf(topic) === '') throw invalid('topic cannot be empty');
        const asMessage = args[1] instanceof LuaTable && args[1].get('message') === true;
        return table.of(thread).mailbox.listen(topicArgument(args, 1, 'listen', 'listen to'), asMessage);
      },
      (channel) => [channel, undefined],
    );
  };

  const unlisten =
    (name: string): HostFunction =>
    (thread, [channel]) => {
      if (!(channel instanceof Channel)) throw badArgument(1, name, 'channel', channel);
      if (table.of(thread).mailbox.close(channel)) return [true];
      return [false, invalid('the channel is not subscribed to anything of this process')];
    };

  const subscribe: HostFunction = (thread, args) => {
    const topic = args[0];
    if (!isLuaString(topic)) throw badArgument(1, 'subscribe', 'string', topic);
    const channel = args[1];
    if (!(channel instanceof Channel)) throw badArgument(2, 'subscribe', 'channel', channel);
    return resultsOf(
      () => {
        const text = topicArgument(args, 1, 'subscribe', 'listen to');
        if (text === '') throw invalid('topic cannot be empty');
        if (!table.of(thread).mailbox.subscribe(text, channel))
          throw alreadyExists(`topic "${text}" already subscribed`);
        return channel;
      },
      (out) => [out, undefined],
    );
  };

  /** monitor, unmonitor, link, unlink: a tie between the caller and somebody else. */
  const tie =
    (name: string, body: (caller: Actor, target: Actor) => void): HostFunction =>
    (thread, args) =>
      resultsOf(
        () => {
          const destination = destinationOf(args, name);
          const target = table.resolveLinked(destination);
          permit(thread, `process.${name}`, target.pid, destination);
          body(table.of(thread), target);
        },
        () => [true, undefined],
      );
  /** Of somebody who is gone there is nothing left to take back. */
  const untie =
    (name: string, body: (caller: Actor, target: Actor) => void): HostFunction =>
    (thread, args) =>
      resultsOf(
        () => {
          const destination = destinationOf(args, name);
          const isGone = table.find(destination) === undefined && parsePid(destination) !== undefined;
          if (isGone) return;
          const target = table.resolve(destination);
          permit(thread, `process.${name}`, target.pid, destination);
          body(table.of(thread), target);
        },
        () => [true, undefined],
      );

  const ending = (
    thread: LuaThread,
    args: readonly LuaValue[],
    name: string,
    act: (destination: string) => boolean,
  ): HostResults =>
    resultsOf(
      () => {
        const destination = destinationOf(args, name);
        const target = table.find(destination) ?? table.lookup(destination);
        if (target !== undefined) permit(thread, `process.${name}`, target.pid, destination);
        if (!act(destination)) table.resolve(destination); // which says what is wrong
      },
      () => [true, undefined],
    ) as HostResults;

  const cancel: HostFunction = (thread, args) => {
    const reason = args[1];
    if (reason !== undefined && !isLuaString(reason)) throw badArgument(2, 'cancel', 'string', reason);
    const text = reason === undefined ? '' : textOf(reason);
    return ending(thread, args, 'cancel', (destination) =>
      control.cancelFrom(destination, table.of(thread).pid, text, thread.context),
    );
  };
  const terminate: HostFunction = (thread, args) =>
    ending(thread, args, 'terminate', (destination) => control.terminateFrom(destination, thread.context));

  const functions: Record<string, HostFunction> = {
    // From now on others may know it, and write to it.
    pid: (thread) => (thread.run.pid === '' ? failed(noPid()) : [table.of(thread).pid]),
    id: (thread) => [thread.run.entryId],
    send,
    inbox: (thread) => [table.of(thread).mailbox.inbox()],
    events: (thread) => [table.of(thread).mailbox.events()],
    listen,
    unlisten: unlisten('unlisten'),
    ...Object.fromEntries(Object.entries(spawner.calls.spawns).map(([name, body]) => [name, onPlain(body)])),
    exec: onPlain(spawner.calls.exec),
    with_context: (thread, args) => with_context?.(plainSpawner, thread, args),
    with_options: (thread, args) => with_options?.(plainSpawner, thread, args),
    cancel,
    terminate,
    monitor: tie('monitor', table.monitor),
    unmonitor: untie('unmonitor', table.unmonitor),
    link: tie('link', table.link),
    unlink: untie('unlink', table.unlink),
    get_options: (thread) => [{ trap_links: table.of(thread).trapLinks }],
    set_options: (thread, args) => setOptions(table.of(thread), args[0]),
  };
  const SYNCHRONOUS = new Set(['pid', 'id', 'with_context', 'with_options', 'get_options', 'set_options']);

  return {
    name: 'process',
    isGlobal: true,
    functions,
    yields: Object.keys(functions).filter((name) => !SYNCHRONOUS.has(name)),
    measured: ['send', 'exec', ...Object.keys(spawner.calls.spawns)],
    constants: { event: EVENT },
    tables: { registry: { functions: nameFunctions(table, permit), constants: SCOPES } },
    globals: { functions: { subscribe, unsubscribe: unlisten('unsubscribe') }, yields: ['subscribe', 'unsubscribe'] },
  };
};

const noPid = (): CallError => internal('there is no process here');

/** Known keys are applied even where others are refused (lua/process.md, "Options"). */
const setOptions = (actor: Actor, options: LuaValue): HostResults => {
  if (!(options instanceof LuaTable)) return [false, invalid('options parameter must be a table')];
  const trap = options.get('trap_links');
  if (trap !== undefined) {
    if (typeof trap !== 'boolean') return [false, invalid('trap_links must be a boolean')];
    actor.trapLinks = trap;
  }
  for (const key of options.map.keys()) {
    if (key !== 'trap_links') return [false, invalid(`option ${String(key)} is not supported`)];
  }
  return [true, undefined];
};
