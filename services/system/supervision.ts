import { notFound } from '../../runtime/errors.ts';
import type { LuaModule } from '../../runtime/lua/engine.ts';
import type { HostValue } from '../../runtime/lua/values.ts';
import type { ServiceState, Supervisor } from '../../runtime/supervision.ts';
import type { Processes } from '../process/port.ts';
import { nameOf, nanoseconds, type Permit, permitted } from './guard.ts';

type Table = NonNullable<LuaModule['tables']>[string];

const stateTable = (state: ServiceState): HostValue => ({
  id: state.id,
  status: state.status,
  desired: state.desired,
  retry_count: state.retryCount,
  last_update: nanoseconds(state.lastUpdate),
  started_at: nanoseconds(state.startedAt),
  details: state.details,
});

/** `system.supervisor`: the entries that are started and watched. */
export const supervisorTable = (permit: Permit, supervisor: () => Supervisor): Table => ({
  functions: {
    state: permitted(permit, 'system.read', 'supervisor', (args) => {
      const id = nameOf(args, 'state', 'service id');
      const state = supervisor().state(id);
      if (state === undefined) throw notFound(`service not found: ${id}`);
      return stateTable(state);
    }),
    states: permitted(permit, 'system.read', 'supervisor', () => supervisor().states().map(stateTable)),
  },
});

/** `system.hosts`: process hosts and what runs on them; empty where there are none. */
export const hostsTable = (permit: Permit, processes: () => Processes | undefined): Table => ({
  functions: {
    list: permitted(permit, 'system.read', 'hosts', () =>
      (processes()?.hosts() ?? []).map((host) => ({
        id: host.id,
        workers: host.workers,
        processes: host.processes,
        executed: host.executed,
        stolen: 0, // one thread has nobody to take work from
        queue_depth: host.queueDepth,
      })),
    ),
    processes: permitted(permit, 'system.read', 'hosts', (args) => {
      const host = nameOf(args, 'processes', 'host');
      return (processes()?.processes(host) ?? []).map((one) => ({
        pid: one.pid,
        host: one.host,
        source: one.source,
        state: one.state,
        steps: one.steps,
        started_at: nanoseconds(one.startedAt),
        parent: one.parent,
        actor_id: one.actorId,
      }));
    }),
  },
});
