import { cpus } from 'node:os';
import type { Env } from '../../runtime/env.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import { componentOptions } from '../../runtime/lifecycle-schema.ts';
import { IMPORTS } from '../../runtime/lua/code-schema.ts';
import { entryKind, type Surface } from '../../runtime/surface.ts';
import { FUNCTIONS } from '../function/port.ts';
import { SECURITY, type Security } from '../security/port.ts';
import { actorTable } from './actor-table.ts';
import { callableProcesses } from './callable.ts';
import { takenCommandNames } from './commands.ts';
import { Host, type HostOptions } from './host.ts';
import { processActive, processStarted } from './instruments.ts';
import {
  type HostConfig,
  processHost,
  processLua,
  type ServiceConfig,
  processService as serviceSchema,
  type TerminalHostConfig,
  terminalHost,
} from './kinds.ts';
import { messageClass } from './message.ts';
import { processModule } from './module.ts';
import { permissions } from './permission.ts';
import { PROCESSES } from './port.ts';
import { processControl } from './processes.ts';
import { processService } from './service.ts';
import { spawnerCalls, spawnerClass, spawnerMethods } from './spawner.ts';
import { spawning } from './spawning.ts';

/** What a stopping host needs beyond its own timeout to end what is left. */
const STOP_GRACE_MS = 500;

const build = (env: Env): readonly Component[] => {
  let own = 0;
  const table = actorTable(env.engine, env.clock, env.settings.nodeName, () => {
    const functions = env.find(FUNCTIONS);
    if (functions !== undefined) return functions.nextUnique();
    own += 1; // `surfaces.function: false`: nothing but processes has pids
    return own;
  });
  const hosts = new Map<string, Host>();
  const components: Component[] = [];

  const addHost = (options: HostOptions, lifecycle: HostConfig['lifecycle']): void => {
    const host = new Host(env, table, options);
    hosts.set(host.id, host);
    const component = componentOptions(lifecycle);
    components.push({
      name: host.id,
      ...component,
      stopTimeoutMs: component.stopTimeoutMs + STOP_GRACE_MS,
      start: async () => host.start(),
      stop: () => host.stop(),
    });
  };
  for (const { id, config } of env.registry.declared<HostConfig>('process.host')) {
    const { workers = cpus().length, max_mailbox: maxMailbox, max_processes: maxProcesses } = config.host;
    const stopTimeoutMs = config.lifecycle.stop_timeout;
    addHost({ id, workers, maxMailbox, maxProcesses, stopTimeoutMs, isProtected: false }, config.lifecycle);
  }
  for (const { id, config } of env.registry.declared<TerminalHostConfig>('terminal.host')) {
    const stopTimeoutMs = config.lifecycle.stop_timeout;
    addHost({ id, workers: 1, maxMailbox: 0, maxProcesses: 1, stopTimeoutMs, isProtected: true }, config.lifecycle);
  }
  if (hosts.size > 0) {
    // Rows of what runs exist from the start on, at 0.
    env.collector.counter(processStarted).bind({});
    env.collector.upDownCounter(processActive).bind({});
  }

  let security: Security | undefined;
  const permit = permissions(env.settings);
  const control = processControl(env, table, hosts, spawning(env, table, hosts).spawn);
  for (const declared of env.registry.declared<ServiceConfig>('process.service')) {
    components.push(processService(env, declared, control));
  }
  env.provide(PROCESSES, control);

  const calls = spawnerCalls(control, permit);
  const methods = spawnerMethods(permit, () => security);
  env.engine.defineClass(messageClass);
  env.engine.defineClass(spawnerClass(calls, methods));
  env.engine.define(processModule(control, permit, { calls, methods }));

  return [
    {
      name: 'processes',
      needs: [],
      async start() {
        security = env.find(SECURITY);
        env.find(FUNCTIONS)?.addTargets(callableProcesses(env.registry, control));
      },
    },
    ...components,
  ];
};

/** Processes, their hosts and services (lua/process.md; processes-declarations.md), and the global `process`. */
export const processSurface: Surface = {
  name: 'process',
  kinds: {
    'process.lua': entryKind({ schema: processLua, references: [IMPORTS] }),
    'process.host': entryKind({ schema: processHost }),
    'terminal.host': entryKind({ schema: terminalHost }),
    'process.service': entryKind({
      schema: serviceSchema,
      references: [
        { path: 'process', kinds: ['process.lua'] },
        { path: 'host', kinds: ['process.host'] },
      ],
    }),
  },
  modules: ['process'],
  check: takenCommandNames,
  sites: ({ kind }, { settings }) =>
    kind === 'process.lua' ? { isMeasured: true, hasSpan: settings.spans.process, hasLine: true } : undefined,
  build,
};
