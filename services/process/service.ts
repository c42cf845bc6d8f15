import { luaValueOf } from '../../runtime/codec/host-data.ts';
import type { Declared } from '../../runtime/entry.ts';
import type { Env } from '../../runtime/env.ts';
import type { Component, ComponentLife } from '../../runtime/lifecycle.ts';
import { componentOptions } from '../../runtime/lifecycle-schema.ts';
import type { HostValue } from '../../runtime/lua/values.ts';
import { serviceContextOf } from '../security/port.ts';
import { processRestarts } from './instruments.ts';
import type { ServiceConfig } from './kinds.ts';
import type { ProcessExit, Processes } from './port.ts';

/** What a process that was ended gets to be gone by. */
const STOP_GRACE_MS = 500;

/**
 * `process.service`: one process that is watched and started again as its lifecycle says
 * (processes-declarations.md, section 4). Each start is a fresh process.
 */
export const processService = (env: Env, { id, config }: Declared<ServiceConfig>, processes: Processes): Component => {
  const options = componentOptions(config.lifecycle);
  const restarts = env.collector.counter(processRestarts);
  const args = config.input.map((value) => luaValueOf(value as HostValue));
  let running: { readonly pid: string; readonly attempt: number; readonly ended: Promise<ProcessExit> } | undefined;
  let isStopping = false;

  const spawn = (life: ComponentLife | undefined): void => {
    const attempt = life?.attempt ?? 1;
    const ended = Promise.withResolvers<ProcessExit>();
    const pid = processes.spawn({
      id: config.process,
      host: config.host,
      args,
      // An empty bag; actor and scope are those of the declaration (lua/ctx.md).
      context: serviceContextOf(env, config.lifecycle),
      onEnding: (exit, span) => span?.addEvent(exit.error === undefined ? 'exited' : 'failed', { attempt }),
      onExit: (exit) => {
        running = undefined;
        ended.resolve(exit);
        if (!isStopping) life?.ended(exit.error);
      },
    });
    running = { pid, attempt, ended: ended.promise };
    processes.addEvent(pid, 'starting', { attempt });
    processes.addEvent(pid, 'running', { attempt });
  };

  return {
    name: id,
    ...options,
    needs: [...new Set([config.host, ...options.needs])],
    stopTimeoutMs: options.stopTimeoutMs + STOP_GRACE_MS,
    async start(life) {
      isStopping = false;
      if ((life?.attempt ?? 1) > 1) restarts.bind({ service: id }).add(1);
      spawn(life);
    },
    async stop() {
      isStopping = true;
      const stopped = running;
      if (stopped === undefined) return;
      processes.addEvent(stopped.pid, 'stopping', { attempt: stopped.attempt });
      processes.cancel(stopped.pid, 'service stopping');
      const late = Promise.withResolvers<void>();
      const cancel = env.clock.after(options.stopTimeoutMs, late.resolve);
      await Promise.race([stopped.ended, late.promise]);
      cancel();
      if (running === stopped) processes.terminate(stopped.pid);
    },
  };
};
