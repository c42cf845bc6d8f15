import type { StartedSpan, TraceContext } from '../../runtime/trace.ts';
import type { TraceIds } from './ids.ts';
import { OwnPosition, RANDOM_FLAG } from './span-position.ts';

/**
 * The position of a call that is not sampled, and all that starting it gives: the one object that such a call costs. Its ids
 * are made for who asks: a header that goes out, a line of log. They are the same ever after.
 */
export class UnsampledTrace extends OwnPosition implements StartedSpan {
  readonly flags: number;
  readonly state: string | undefined;
  readonly isRemote = false;
  readonly #ids: TraceIds;
  /** What the decision was made by; undefined where it was made for all roots. */
  readonly #fold: number | undefined;
  readonly #isOwn: boolean;
  #traceId: string | undefined;
  #spanId: string | undefined;

  constructor(ids: TraceIds, parent: TraceContext | undefined, fold: number | undefined) {
    super();
    this.#ids = ids;
    this.#fold = fold;
    if (parent === undefined) {
      this.flags = 0;
      this.#isOwn = true;
      return;
    }
    this.flags = parent.flags & RANDOM_FLAG;
    this.state = parent.state;
    this.#isOwn = parent instanceof OwnPosition;
    this.#traceId = parent.traceId;
  }

  get traceId(): string {
    this.#traceId ??= this.#fold === undefined ? this.#ids.traceId() : this.#ids.traceIdOf(this.#fold);
    return this.#traceId;
  }

  get spanId(): string {
    this.#spanId ??= this.#ids.spanId();
    return this.#spanId;
  }

  get trace(): TraceContext {
    return this;
  }

  get span(): undefined {
    return undefined;
  }

  remote(): TraceContext | undefined {
    return this.#isOwn ? new RemoteTrace(this) : undefined;
  }
}

/** The same, taken over by another call: it makes no ids either until somebody asks. */
class RemoteTrace extends OwnPosition {
  readonly flags: number;
  readonly state: string | undefined;
  readonly isRemote = true;
  readonly #of: UnsampledTrace;

  constructor(of: UnsampledTrace) {
    super();
    this.flags = of.flags;
    this.state = of.state;
    this.#of = of;
  }

  get traceId(): string {
    return this.#of.traceId;
  }

  get spanId(): string {
    return this.#of.spanId;
  }

  remote(): TraceContext {
    return new RemoteTrace(this.#of);
  }
}
