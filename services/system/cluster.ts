import { internal, unavailable } from '../../runtime/errors.ts';
import type { LuaModule } from '../../runtime/lua/engine.ts';
import { nameOf, type Permit, permitted, returning } from './guard.ts';

type Table = NonNullable<LuaModule['tables']>[string];

/** There are no other nodes: this one is all of them. */
const ROLE = 'standalone';
const NO_ADDRESS = '';

/** `system.node`, `system.cluster`, `system.raft` and `system.lock` of a program that is no part of a cluster. */
export const clusterTables = (permit: Permit, node: string): Readonly<Record<string, Table>> => {
  const noRaft = permitted(permit, 'system.read', 'raft', () => {
    throw unavailable('raft is not available: this node is no part of a cluster', { retryable: false });
  });
  const noLock = (name: string) =>
    returning((args, thread) => {
      permit(thread, 'system.lock', nameOf(args, name, 'lock name'));
      throw internal('locks need a clustered store, and this node is no part of a cluster');
    });
  return {
    node: {
      functions: {
        id: permitted(permit, 'system.read', 'node', () => node),
        addr: permitted(permit, 'system.read', 'node', () => NO_ADDRESS),
        role: permitted(permit, 'system.read', 'node', () => ROLE),
      },
    },
    cluster: {
      functions: {
        members: permitted(permit, 'system.read', 'cluster', () => [{ id: node, addr: NO_ADDRESS, role: ROLE }]),
        leader: permitted(permit, 'system.read', 'cluster', () => node),
        size: permitted(permit, 'system.read', 'cluster', () => 1),
      },
    },
    raft: { functions: { state: noRaft, leader: noRaft, members: noRaft, stats: noRaft } },
    lock: { functions: { acquire: noLock('acquire'), release: noLock('release') } },
  };
};
