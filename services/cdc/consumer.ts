import { isPromise } from '../../runtime/call.ts';
import type { CallOptions } from '../../runtime/call-options.ts';
import { luaValueOf } from '../../runtime/codec/host-data.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import type { Declared } from '../../runtime/entry.ts';
import type { Env } from '../../runtime/env.ts';
import { asCallError, canceled } from '../../runtime/errors.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import { componentOptions } from '../../runtime/lifecycle-schema.ts';
import { passed } from '../../runtime/passed.ts';
import { retryDelayMs } from '../../runtime/retry-delay.ts';
import { type Attributes, type SpanLink, TRACE } from '../../runtime/trace.ts';
import { CAUSE, type Cause, FUNCTIONS } from '../function/port.ts';
import { QUEUES } from '../queue/port.ts';
import { serviceContextOf } from '../security/port.ts';
import type { Captured } from './change.ts';
import { consumerSite, type Delivery, handlerAttributes } from './consumer-site.ts';
import type { Fault } from './fault.ts';
import { changeFilter } from './filter.ts';
import type { ConsumerConfig } from './kinds.ts';
import { OrderedWork } from './ordered-work.ts';
import type { CdcSource } from './source.ts';

/** While the dead letter queue does not take the change. */
const REQUEUE = { initial_delay: 100, max_delay: 10_000, backoff_factor: 2, jitter: 0.1 };

/** `cdc.consumer`: hands the changes of a source to a function or a queue (extensions.md, section 5). */
export const changeConsumer = (env: Env, { id, config }: Declared<ConsumerConfig>, source: CdcSource): Component => {
  const lifecycle = componentOptions(config.lifecycle);
  const health = env.health(id);
  const target = config.func ?? config.queue ?? '';
  // Without retries the attempts have no number (telemetry.md, section 2).
  const options: CallOptions | undefined =
    config.retry.max_attempts === 1
      ? undefined
      : { retry: { ...config.retry, max_attempts: config.retry.max_attempts || Number.POSITIVE_INFINITY } };
  let origin = rootContext;
  let stopping = new AbortController();
  /** Of every delivery. */
  let context = origin.withSignal(stopping.signal);

  const linksOf = ({ traceparent }: Captured): readonly SpanLink[] => {
    if (traceparent === undefined) return [];
    const carried = env.propagator.extract(rootContext, (name) => (name === 'traceparent' ? [traceparent] : []));
    const trace = carried.get(TRACE);
    return trace === undefined ? [] : [{ trace }];
  };

  const site = env.site<Delivery, void>(
    consumerSite(source, { id, target }, env.settings.spans.cdc ? linksOf : undefined),
    ({ input, context, attempt }) => {
      const { captured } = input;
      input.attempts += 1;
      if (config.queue !== undefined) {
        return env.use(QUEUES).publish(config.queue, luaValueOf(captured.change), {}, context);
      }
      const cause = new ChangeCause(source, captured, attempt, linksOf);
      const out = env.use(FUNCTIONS).call(target, [captured.change], context.with(CAUSE, cause));
      return isPromise(out) ? out.then(() => {}) : undefined;
    },
  );

  /** After the last attempt. Returns when the change is off our hands. @throws what stops the consumer. */
  const giveUp = async (delivery: Delivery, error: unknown, context: CallContext): Promise<void> => {
    const { relation, op, lsn } = delivery.captured.change;
    const fields = { consumer: id, relation, op, lsn };
    const report = (message: string, more: Pick<Fault, 'lasting' | 'level'>): void =>
      source.faults.report({ message, error, kind: 'downstream', fields, ...more });
    if (config.on_failure === 'skip') {
      report('a change is skipped: its consumer has failed', { level: 'debug' });
    } else if (config.on_failure === 'dead_letter') {
      report('a change goes to the dead letter queue: its consumer has failed', { level: 'debug' });
      await bury(delivery, error, context);
    } else {
      report(
        'change capture waits: a consumer has failed. Nothing is lost, but the server keeps its log until the handler works and the program is started again',
        { lasting: id },
      );
      throw error;
    }
  };

  /** A queue that is full or away for a while must not cost the change. */
  const bury = async ({ captured, attempts }: Delivery, error: unknown, context: CallContext): Promise<void> => {
    const { message, kind } = asCallError(error);
    const deadLetter = { queue: source.id, reason: message, kind, attempts };
    for (let attempt = 1; ; attempt += 1) {
      try {
        const queue = config.dead_letter?.queue ?? '';
        await env.use(QUEUES).publish(queue, luaValueOf(captured.change), {}, context, { deadLetter });
        return;
      } catch (failure) {
        if (context.signal.aborted) throw failure;
        const message = 'the dead letter queue does not take a change, which is tried again';
        source.faults.report({
          message,
          error: failure,
          kind: 'downstream',
          fields: { consumer: id },
        });
        await passed(env.clock, retryDelayMs(REQUEUE, attempt + 1, Math.random), context.signal);
      }
    }
  };

  const failed = async (item: Delivery, error: unknown): Promise<void> => {
    // The stop ended it, not a fault of its own: it comes again.
    if (stopping.signal.aborted) throw error;
    await giveUp(item, error, context);
    item.done();
  };

  const work = new OrderedWork<Delivery>({
    concurrency: config.concurrency,
    run(item) {
      health.activity();
      try {
        const out = site({ input: item, context, options });
        return isPromise(out) ? out.then(item.done, (error: unknown) => failed(item, error)) : item.done();
      } catch (error) {
        return failed(item, error);
      }
    },
    onFailure() {
      if (!stopping.signal.aborted) health.degraded(true);
    },
  });

  const wants = changeFilter(config);
  /** One at a time they come in order in any case. */
  const keysOf = config.concurrency === 1 ? () => undefined : ({ keys }: Captured) => keys;
  let isAttached = false;
  const attach = (): void => {
    if (isAttached) return;
    isAttached = true;
    source.hub.addLane({
      wants,
      push: (captured, done) => work.push({ captured, done, attempts: 0 }, captured.change.relation, keysOf(captured)),
    });
  };
  // From the first change on, however late its own start is: what it has not had, is not confirmed.
  if (config.lifecycle.auto_start) attach();
  const cancel = (): void => stopping.abort(canceled(`consumer stopped: ${id}`));

  return {
    name: id,
    ...lifecycle,
    needs: [...new Set([source.id, ...lifecycle.needs])],
    async start() {
      origin = serviceContextOf(env, config.lifecycle);
      attach();
    },
    async open() {
      if (stopping.signal.aborted) stopping = new AbortController();
      context = origin.withSignal(stopping.signal);
      work.open();
    },
    /** Begins nothing more, lets the running handlers end; those that outlast the deadline are cancelled. */
    async drain(deadline) {
      if (deadline.aborted) cancel();
      deadline.addEventListener('abort', cancel, { once: true });
      await work.close();
      deadline.removeEventListener('abort', cancel);
    },
    async stop() {
      cancel();
      await work.close();
    },
  };
};

/** The function's span is the change's: kind Consumer, linked to the transaction that made it. */
class ChangeCause implements Cause {
  readonly kind = 'consumer';
  readonly #source: CdcSource;
  readonly #captured: Captured;
  readonly #attempt: number | undefined;
  readonly #linksOf: (captured: Captured) => readonly SpanLink[];

  constructor(
    source: CdcSource,
    captured: Captured,
    attempt: number | undefined,
    linksOf: (captured: Captured) => readonly SpanLink[],
  ) {
    this.#source = source;
    this.#captured = captured;
    this.#attempt = attempt;
    this.#linksOf = linksOf;
  }

  get attributes(): Attributes {
    const attributes = handlerAttributes(this.#source, this.#captured);
    return this.#attempt === undefined ? attributes : { ...attributes, 'wippy.attempt': this.#attempt };
  }

  get links(): readonly SpanLink[] {
    return this.#linksOf(this.#captured);
  }
}
