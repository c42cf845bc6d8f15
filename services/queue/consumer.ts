import { type Call, isPromise } from '../../runtime/call.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import type { Declared } from '../../runtime/entry.ts';
import type { Env } from '../../runtime/env.ts';
import { asCallError, canceled, internal, invalid, messageOf, telemetryMessageOf } from '../../runtime/errors.ts';
import type { Component, ComponentLife } from '../../runtime/lifecycle.ts';
import { componentOptions } from '../../runtime/lifecycle-schema.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';
import { type Attributes, TRACE } from '../../runtime/trace.ts';
import { CAUSE, type Cause, FUNCTIONS, type Functions } from '../function/port.ts';
import { hostsOfCalled } from '../process/port.ts';
import { serviceContextOf } from '../security/port.ts';
import { type Processed, processSite } from './consumer-site.ts';
import { type DeathCause, type DeclaredQueue, moveToDeadLetter } from './declared-queue.ts';
import type { Delivery, Intake } from './driver.ts';
import { queueRedelivered, queueWait } from './instruments.ts';
import type { ConsumerConfig } from './kinds.ts';
import { DELIVERY, OpenDelivery } from './settlement.ts';

/** A handler that never waits would keep timers and sockets from their turn: after so many messages they get it. */
const MESSAGES_PER_TURN = 16;
/** A message that could not be settled as it should comes back after this, so that a full queue is no busy loop. */
const GIVE_BACK_MS = 1000;

/** `queue.consumer`: `concurrency` workers, each one message at a time (lua/queue.md, section 4). */
export const queueConsumer = (
  env: Env,
  { id, config }: Declared<ConsumerConfig>,
  queue: DeclaredQueue,
  deadLetter: DeclaredQueue | undefined,
): Component => {
  const lifecycle = componentOptions(config.lifecycle);
  const health = env.health(id);
  let functions: Functions | undefined;
  let origin = rootContext;
  let intake: Intake | undefined;
  let stopping = new AbortController();
  let working: Promise<unknown> = Promise.resolve();
  let life: ComponentLife | undefined;

  const logger = env.logger.subsystem('queue');
  const process = deliveryProcessor(env, id, config, queue, deadLetter, () => functions ?? env.use(FUNCTIONS));
  const unprocessed = (delivery: Delivery, error: unknown): void | Promise<void> => {
    logger.error('message could not be processed', { queue: queue.id, error: telemetryMessageOf(error) });
    return delivery.giveBack(GIVE_BACK_MS);
  };
  const run = (delivery: Delivery): unknown => {
    health.activity();
    try {
      const out = process(delivery, remoteContext(env, origin, delivery).withSignal(stopping.signal));
      return isPromise(out) ? out.catch((error: unknown) => unprocessed(delivery, error)) : out;
    } catch (error) {
      return unprocessed(delivery, error);
    }
  };
  const work = async (from: Intake): Promise<void> => {
    for (let count = 1; ; count += 1) {
      const next = from.next();
      const delivery = isPromise(next) ? await next : next;
      if (delivery === undefined) return;
      const out = run(delivery);
      if (isPromise(out)) await out; // a handler that never waits costs no promise
      if (count % MESSAGES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const cancel = (): void => stopping.abort(canceled(`consumer stopped: ${id}`));
  /** With one worker less it would go on at a part of its concurrency, or stand still: it is started again instead. */
  const workerLost = (error: unknown): void =>
    life?.ended(internal(`a worker was lost: ${messageOf(error)}`, { retryable: true, cause: error }));

  return {
    name: id,
    ...lifecycle,
    needs: [...new Set([queue.driverId, ...lifecycle.needs, ...hostsOfCalled(env.registry, [config.func])])],
    async start(started) {
      life = started;
      functions = env.use(FUNCTIONS);
      origin = serviceContextOf(env, config.lifecycle);
    },
    async open() {
      if (intake !== undefined) return;
      stopping = new AbortController();
      const taken = queue.queue.consume({ prefetch: config.prefetch, autoAck: config.auto_ack });
      intake = taken;
      working = Promise.all(Array.from({ length: config.concurrency }, () => work(taken).catch(workerLost)));
    },
    /** Takes no more, lets the running handlers end; those that outlast the deadline are cancelled. */
    async drain(deadline) {
      await intake?.close();
      if (deadline.aborted) cancel();
      deadline.addEventListener('abort', cancel, { once: true });
      await working;
      deadline.removeEventListener('abort', cancel);
    },
    async stop() {
      await intake?.close();
      cancel();
      await working;
      intake = undefined;
    },
  };
};

/** The site of a consumer's deliveries, as a function of one delivery. Fails only when an interceptor does. */
const deliveryProcessor = (
  env: Env,
  consumerId: string,
  config: ConsumerConfig,
  queue: DeclaredQueue,
  deadLetter: DeclaredQueue | undefined,
  functions: () => Functions,
): ((delivery: Delivery, context: CallContext) => Processed | Promise<Processed>) => {
  const redelivered = env.collector.counter(queueRedelivered).bind({ queue: queue.id });
  const wait = env.collector.histogram(queueWait).bind({ queue: queue.id });

  /** What the delivery comes to when the handler has ended and the driver has taken the settlement. */
  const settle = (
    { input: delivery, context }: Call<Delivery>,
    open: OpenDelivery,
    failure?: unknown,
  ): Processed | Promise<Processed> => {
    open.release();
    if (open.settled !== undefined) return { result: open.settled, failure };
    if (context.signal.aborted) {
      // The stop ended it, not a fault of its own: no dead letter for that.
      return after(delivery.giveBack(0), () => ({ result: 'nack', failure }));
    }
    const refused = (error: unknown): Processed | Promise<Processed> =>
      after(delivery.giveBack(GIVE_BACK_MS), () => ({ result: 'nack', failure: error }));
    const settled = (): Processed => ({ result: open.settled ?? 'nack', failure });
    try {
      const out = failure === undefined ? open.ack() : open.nack(deathCause(failure));
      return isPromise(out) ? out.then(settled).catch(refused) : settled();
    } catch (error) {
      return refused(error);
    }
  };

  const core = (call: Call<Delivery>): Processed | Promise<Processed> => {
    const { input: delivery, context } = call;
    if (delivery.attempt > 1) redelivered.add(1);
    else wait.observe(Math.max(0, env.clock.wall() - delivery.publishedAt) / 1000);
    let body: LuaValue;
    try {
      body = bodyOf(delivery, queue);
    } catch (error) {
      return bury(queue, deadLetter, delivery, error);
    }
    const open = new OpenDelivery(queue, deadLetter, delivery, config.auto_ack);
    const callContext = context.with(DELIVERY, open).with(CAUSE, new DeliveryCause(queue, delivery));
    let out: ReturnType<Functions['call']>;
    try {
      out = functions().call(config.func, [body], callContext);
    } catch (error) {
      return settle(call, open, error);
    }
    if (!isPromise(out)) return settle(call, open);
    return out.then(
      () => settle(call, open),
      (error: unknown) => settle(call, open, error),
    );
  };
  const site = env.site(processSite(queue.id, consumerId, config.func), core);
  return (delivery, context) => site({ input: delivery, context });
};

/** `then` when `work` is done, at once where it is already. */
const after = <T>(work: void | Promise<void>, then: () => T): T | Promise<T> =>
  isPromise(work) ? work.then(then) : then();

const NO_VALUES: readonly string[] = [];
const isEmpty = (object: object): boolean => {
  for (const _name in object) return false;
  return true;
};

/**
 * The consumer's own actor and scope, and the trace context that travelled with the message; only where there is none,
 * what the publisher wrote into headers.
 */
const remoteContext = ({ propagator }: Env, origin: CallContext, delivery: Delivery): CallContext => {
  const { position } = delivery;
  if (position !== undefined) return origin.with(TRACE, position);
  const { transport, headers } = delivery;
  const carrier: Readonly<Record<string, unknown>> = isEmpty(transport) ? headers : transport;
  return propagator.extract(origin, (name) => {
    const value = carrier[name];
    return typeof value === 'string' ? [value] : NO_VALUES;
  });
};

/**
 * The function's span is the delivery's: kind Consumer, with the messaging attributes (telemetry.md, section 2). They are
 * made for who reads them: nobody does for a message that is not sampled.
 */
class DeliveryCause implements Cause {
  readonly kind = 'consumer';
  readonly #queue: DeclaredQueue;
  readonly #delivery: Delivery;
  #attributes: Attributes | undefined;

  constructor(queue: DeclaredQueue, delivery: Delivery) {
    this.#queue = queue;
    this.#delivery = delivery;
  }

  get attributes(): Attributes {
    this.#attributes ??= messageAttributes(this.#queue, this.#delivery);
    return this.#attributes;
  }
}

const messageAttributes = ({ system, id: queue }: DeclaredQueue, { id, attempt }: Delivery): Attributes => {
  const attributes = {
    'messaging.system': system,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': queue,
    'messaging.message.id': id,
  };
  return attempt > 1 ? { ...attributes, 'messaging.message.delivery_attempt': attempt } : attributes;
};

const deathCause = (failure: unknown): DeathCause => {
  const { message, kind } = asCallError(failure);
  return { reason: message, kind };
};

/**
 * @throws what the message goes to the dead letters with: it cannot be read, or it has had all its attempts and was never
 * settled, which is what a message does that ends its program every time.
 */
const bodyOf = ({ body, fault, attempt }: Delivery, { config, codec }: DeclaredQueue): LuaValue => {
  if (fault !== undefined) throw invalid(`message cannot be read: ${fault}`);
  const most = config.dead_letter?.max_attempts;
  if (most !== undefined && attempt > most) throw internal(`not settled by any of ${most} attempts`);
  return codec.decode(body);
};

/** What no attempt can handle goes to the dead letters, or is dropped and counted: never round in circles. */
const bury = async (
  queue: DeclaredQueue,
  deadLetter: DeclaredQueue | undefined,
  delivery: Delivery,
  failure: unknown,
): Promise<Processed> => {
  if (deadLetter === undefined) await delivery.ack();
  else await moveToDeadLetter(queue, deadLetter, delivery, deathCause(failure));
  return { result: 'dead', failure };
};
