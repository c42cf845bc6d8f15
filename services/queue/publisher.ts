import type { Call, CallSite, Next } from '../../runtime/call.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import type { Env } from '../../runtime/env.ts';
import { internal } from '../../runtime/errors.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';
import { type Propagator, TRACE, type TraceContext } from '../../runtime/trace.ts';
import type { DeclaredQueue } from './declared-queue.ts';
import type { OutgoingMessage, PublishOptions } from './driver.ts';
import { deadLetterHeaders, outgoingHeaders } from './headers.ts';
import { queuePublished } from './instruments.ts';
import { messageIds } from './message-ids.ts';
import type { HeaderValue, Queues } from './port.ts';

interface Publish {
  readonly id: string;
  readonly body: LuaValue;
  readonly headers: Readonly<Record<string, HeaderValue | undefined>>;
  readonly options: PublishOptions;
}

const publishSite = ({ id, system, driverId }: DeclaredQueue, hasSpan: boolean): CallSite<Publish, void> => ({
  surface: 'queue.publish',
  operation: 'publish',
  target: id,
  component: driverId,
  ...(hasSpan && {
    span: {
      name: `${id}.publish`,
      kind: 'producer',
      attributes: {
        'messaging.system': system,
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
        'messaging.destination.name': id,
      },
      detail: ({ input }) => ({ attributes: { 'messaging.message.id': input.id } }),
    },
  }),
  metrics: {
    labels: { queue: id },
    calls: queuePublished,
    outcome: { label: 'result', of: () => 'ok', ofError: () => 'error' },
  },
});

/** A message that is published. Its trace context is written down for drivers that ask for it: what stays here keeps it as it is. */
class NewMessage implements OutgoingMessage {
  readonly id: string;
  readonly body: OutgoingMessage['body'];
  readonly headers: OutgoingMessage['headers'];
  readonly publishedAt: number;
  readonly position: TraceContext | undefined;
  readonly #propagator: Propagator;
  #transport: OutgoingMessage['transport'] | undefined;

  constructor(
    id: string,
    body: OutgoingMessage['body'],
    headers: OutgoingMessage['headers'],
    publishedAt: number,
    propagator: Propagator,
    context: CallContext,
  ) {
    this.id = id;
    this.body = body;
    this.headers = headers;
    this.publishedAt = publishedAt;
    this.position = propagator.handOver?.(context);
    this.#propagator = propagator;
    this.#transport = this.position === undefined ? injected(propagator, context) : undefined;
  }

  get transport(): OutgoingMessage['transport'] {
    this.#transport ??= injected(this.#propagator, rootContext.with(TRACE, this.position));
    return this.#transport;
  }
}

const injected = (propagator: Propagator, context: CallContext): OutgoingMessage['transport'] => {
  const transport: Record<string, string> = {};
  propagator.inject(context, (name, value) => {
    transport[name] = value;
  });
  return transport;
};

/** Encodes, takes the producer span's context along beside the headers, and hands the message to the driver. */
const publishCore =
  ({ clock, propagator }: Env, { queue, codec }: DeclaredQueue): Next<Publish, void> =>
  ({ input, context }: Call<Publish>) => {
    const publishedAt = clock.wall();
    const { deadLetter, ...options } = input.options;
    const own = outgoingHeaders(input.headers, publishedAt);
    const headers = deadLetter === undefined ? own : deadLetterHeaders(own, deadLetter);
    const message = new NewMessage(input.id, codec.encode(input.body), headers, publishedAt, propagator, context);
    return queue.publish(message, options, context.signal);
  };

/** The QUEUES port over every declared queue. */
export const queuePublishers = (env: Env, queues: ReadonlyMap<string, DeclaredQueue>): Queues => {
  const sites = new Map<string, Next<Publish, void>>();
  for (const [id, queue] of queues) {
    sites.set(id, env.site(publishSite(queue, env.settings.spans.queue), publishCore(env, queue)));
  }
  const nextId = messageIds();
  const known = <T>(found: T | undefined, id: string): T => {
    if (found === undefined) throw internal(`queue not found: ${id}`);
    return found;
  };
  return {
    has: (id) => sites.has(id),
    publish: (id, body, headers, context, options = {}) =>
      known(sites.get(id), id)({ input: { id: nextId(), body, headers, options }, context }),
    info: (id) => known(queues.get(id), id).queue.info(),
  };
};
