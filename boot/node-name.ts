import { createHash } from 'node:crypto';
import { hostname } from 'node:os';

/** Enough to tell the projects of one machine apart. */
const HASH_LENGTH = 8;

/**
 * The node part of pids where `relay.node_name` is empty: the same for every start of one project on one machine.
 * Only letters, digits, `.`, `_` and `-`: a pid is written with `{ | @ }` around it.
 */
export const derivedNodeName = (root: string, machine: string = hostname()): string => {
  const name = machine.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'node';
  return `${name}-${createHash('sha256').update(root).digest('hex').slice(0, HASH_LENGTH)}`;
};
