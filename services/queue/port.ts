import type { CallContext } from '../../runtime/context.ts';
import { portKey } from '../../runtime/env.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';
import type { PublishOptions, QueueInfo } from './driver.ts';

export type HeaderValue = string | number | boolean;

/** Publishes to declared queues, through the queue's publish site. */
export interface Queues {
  has(id: string): boolean;
  /** @throws CallError Internal for an unknown queue, an encode or a driver failure; waits for space in a full queue. */
  publish(
    id: string,
    body: LuaValue,
    headers: Readonly<Record<string, HeaderValue | undefined>>,
    context: CallContext,
    options?: PublishOptions,
  ): void | Promise<void>;
  /** @throws CallError Internal for an unknown queue, or one whose driver cannot tell. */
  info(id: string): QueueInfo | Promise<QueueInfo>;
}
export const QUEUES = portKey<Queues>('queues');
