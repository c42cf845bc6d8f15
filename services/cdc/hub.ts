import type { Env } from '../../runtime/env.ts';
import type { CallError } from '../../runtime/errors.ts';
import type { HostValue } from '../../runtime/lua/values.ts';
import type { BoundCounter, Counter } from '../../runtime/metrics/collector.ts';
import { EVENTS } from '../events/port.ts';
import type { Captured, Change, Op } from './change.ts';
import { cdcChanges } from './instruments.ts';

/** A consumer: the source waits for it, and the position is confirmed only when it is done. */
export interface Lane {
  readonly wants: (change: Change) => boolean;
  /** `done` once it is handled. */
  readonly push: (captured: Captured, done: () => void) => void;
}
/** A stream of Lua: the source does not wait for it. */
export interface Listener {
  readonly push: (captured: Captured) => void;
  /** With an error: nothing more comes because the source has failed or was replaced. */
  readonly end: (error?: CallError) => void;
}
/** Of Progress, or of a snapshot, which counts in its own way. */
export interface DeliveryCounter {
  delivery(): () => void;
  seen(): void;
}

/** Deliveries that consumers have not ended before the source stops reading, and how far they must fall to go on. */
const MAX_DELIVERIES = 1000;
const MAX_BYTES = 16 * 1024 * 1024;
const RESUME_AT = 0.5;

export interface HubOptions {
  readonly slot: string;
  readonly eventSystem?: string;
}

/** Hands the changes of one source on: to the bus, to the streams of Lua, and to its consumers. */
export class ChangeHub {
  readonly #env: Env;
  readonly #options: HubOptions;
  readonly #lanes: Lane[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #changes: Counter<'slot' | 'op'>;
  readonly #counters: Partial<Record<Op, BoundCounter>> = {};
  readonly #waitingForRoom: (() => void)[] = [];
  #deliveries = 0;
  #bytes = 0;
  #isFull = false;

  constructor(env: Env, options: HubOptions) {
    this.#env = env;
    this.#options = options;
    this.#changes = env.collector.counter(cdcChanges); // before Lua can take the name
  }

  addLane(lane: Lane): void {
    this.#lanes.push(lane);
  }

  addListener(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Ends every stream. */
  endListeners(error?: CallError): void {
    for (const one of this.#listeners) one.end(error);
    this.#listeners.clear();
  }

  /** Consumers have more than they should: read no further. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Resolves when there is room again. */
  room(): Promise<void> {
    return this.#isFull ? new Promise((resolve) => this.#waitingForRoom.push(resolve)) : Promise.resolve();
  }

  dispatch(captured: Captured, counter: DeliveryCounter): void {
    const { change } = captured;
    counter.seen();
    this.#count(change.op);
    this.#send(change);
    for (const listener of this.#listeners) listener.push(captured);
    for (const lane of this.#lanes) if (lane.wants(change)) this.#deliver(lane, captured, counter.delivery());
  }

  #deliver(lane: Lane, captured: Captured, done: () => void): void {
    this.#deliveries += 1;
    this.#bytes += captured.bytes;
    if (this.#deliveries >= MAX_DELIVERIES || this.#bytes >= MAX_BYTES) this.#isFull = true;
    lane.push(captured, () => {
      this.#deliveries -= 1;
      this.#bytes -= captured.bytes;
      done();
      if (!this.#isFull || this.#deliveries > MAX_DELIVERIES * RESUME_AT || this.#bytes > MAX_BYTES * RESUME_AT) return;
      this.#isFull = false;
      for (const resume of this.#waitingForRoom.splice(0)) resume();
    });
  }

  #count(op: Op): void {
    let counter = this.#counters[op];
    if (counter === undefined) {
      counter = this.#changes.bind({ slot: this.#options.slot, op });
      this.#counters[op] = counter;
    }
    counter.add(1);
  }

  /** lua/cdc.md, section 4. Costs a look-up where nobody listens. */
  #send(change: Change): void {
    const { eventSystem } = this.#options;
    if (eventSystem === undefined) return;
    const bus = this.#env.find(EVENTS);
    if (bus?.isHeard(eventSystem, 'change') !== true) return;
    bus.publish({
      system: eventSystem,
      kind: 'change',
      path: `${change.schema}.${change.table}`,
      data: dataOf(change),
    });
  }
}

/** What an event tells of a change (lua/cdc.md, section 4). Its rows are the change's own, which nobody changes. */
const dataOf = ({ op, schema, table, lsn, commit_lsn, xid, before, after }: Change): HostValue => {
  const data: Record<string, HostValue> = { op, schema, table, lsn };
  if (commit_lsn !== undefined) data.commit_lsn = commit_lsn;
  if (xid !== undefined) data.xid = xid;
  if (before !== undefined) data.before = before;
  if (after !== undefined) data.after = after;
  return data;
};
