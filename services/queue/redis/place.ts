import type { Clock } from '../../../runtime/clock.ts';
import type { RedisLink } from '../../../runtime/redis/link.ts';
import type { Backlog } from './backlog.ts';
import type { QueueKeys } from './keys.ts';

/** Where a queue is, for everything that works on it. */
export interface QueuePlace {
  readonly clock: Clock;
  /** For all commands that answer at once. */
  readonly link: RedisLink;
  readonly keys: QueueKeys;
  readonly group: string;
  readonly visibilityMs: number;
  /** Messages that may wait; 0: no limit. */
  readonly maxLength: number;
  readonly backlog: Backlog;
}
