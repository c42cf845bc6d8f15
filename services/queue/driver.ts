import type { TraceContext } from '../../runtime/trace.ts';
import type { HeaderValue } from './port.ts';

export type Headers = Readonly<Record<string, HeaderValue>>;

/** What goes into a queue. */
export interface OutgoingMessage {
  /** UUID text. */
  readonly id: string;
  /** As the queue's codec wrote it. */
  readonly body: string | Uint8Array;
  /** The publisher's and the platform's, verbatim; without `x_attempt`, which belongs to a delivery. */
  readonly headers: Headers;
  /** `traceparent`, `tracestate`, `baggage`: carried beside the headers, so that handlers do not see them. */
  readonly transport: Readonly<Record<string, string>>;
  /** What `transport` says, where it says nothing else: a message that never left this program need not be read again. */
  readonly position?: TraceContext | undefined;
  /** Milliseconds since the epoch. */
  readonly publishedAt: number;
}

export interface PublishOptions {
  /** Milliseconds; delivered not before. */
  readonly delayMs?: number;
  /** A second publish of the same key within the queue's window succeeds and stores nothing. */
  readonly idempotencyKey?: string;
  /** Of what another part of the program could not handle: becomes the headers of a dead letter. Drivers do not see it. */
  readonly deadLetter?: DeadLetterOrigin;
}
/** Where a dead letter came from and what ended its last attempt; `kind` is the error's. */
export interface DeadLetterOrigin {
  readonly queue: string;
  readonly reason: string;
  readonly kind: string;
  readonly attempts: number;
}

/** One attempt to have a message handled. Exactly one of the three ends it. */
export interface Delivery extends OutgoingMessage {
  /** 1 for the first. */
  readonly attempt: number;
  /** Why no attempt can read it, where the driver knows. */
  readonly fault?: string | undefined;
  ack(): void | Promise<void>;
  /** Back to the tail, to be delivered again after `delayMs`. @throws CallError Internal `queue is full`; it is unsettled then. */
  nack(delayMs: number): void | Promise<void>;
  /** Back to the queue though it may be full: what a consumer could not settle is not lost. */
  giveBack(delayMs: number): void | Promise<void>;
  /**
   * Stores `message` in another queue and acknowledges this one, in one step. Undefined or absent: that queue is none
   * of this driver's, and it takes two. @throws CallError Internal `queue is full`; it is unsettled then.
   */
  moveTo?(to: DriverQueue, message: OutgoingMessage): Promise<void> | undefined;
}

/** A consumer's hold on a queue. */
export interface Intake {
  /** The next message, in order of arrival; undefined once the intake is closed. Never fails: a lost connection is waited out. */
  next(): Delivery | undefined | Promise<Delivery | undefined>;
  /** No more deliveries; what was taken ahead and not handed out returns to the queue. */
  close(): void | Promise<void>;
}

export interface IntakeOptions {
  /** Messages that may be taken from the broker ahead of processing. */
  readonly prefetch: number;
  /** A delivery counts as acknowledged when it is made. */
  readonly autoAck: boolean;
}

export interface QueueOptions {
  /** Broker-side name. */
  readonly name: string;
  /** Messages that may wait; undefined: the driver's default; 0: its meaning is the driver's. */
  readonly maxLength: number | undefined;
  readonly idempotencyWindowMs: number;
}

/** `message_count` and `ready`, and what else a driver knows. */
export type QueueInfo = Readonly<Record<string, number>>;

/** One queue of a driver. The numbers are read while metrics are collected: no waiting, no I/O. */
export interface DriverQueue {
  /**
   * Waits for space when the queue is full; the promise settles when the message is stored.
   * @throws CallError Internal when the driver is not running, Unavailable when its server cannot be reached, or the reason of `signal`.
   */
  publish(message: OutgoingMessage, options: PublishOptions, signal: AbortSignal): void | Promise<void>;
  /** The same without waiting, for dead letters. @throws CallError Internal `queue is full`. */
  store(message: OutgoingMessage): void | Promise<void>;
  consume(options: IntakeOptions): Intake;
  /** Messages that wait, delayed ones included. */
  depth(): number;
  /** Undefined: unbounded. */
  capacity(): number | undefined;
  /** Seconds since the publish of the message that has waited longest; 0 when none waits. */
  oldestAgeSeconds(): number;
  /** What `queue.info` shows. */
  info(): QueueInfo | Promise<QueueInfo>;
}

/** Where messages are kept. It knows no telemetry, no Lua and no codec. */
export interface QueueDriver {
  /** `messaging.system` of spans. */
  readonly system: string;
  /** The last part of its kind, and its name in `driver_options`. */
  readonly kind: 'memory' | 'redis';
  queue(options: QueueOptions): DriverQueue;
  start(): Promise<void>;
  /** Idempotent, and harmless without a start. */
  stop(): Promise<void>;
}
