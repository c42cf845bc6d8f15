import type { Declared, EntryRegistry } from '../../runtime/entry.ts';
import type { Env } from '../../runtime/env.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import { componentOptions, type Lifecycle } from '../../runtime/lifecycle-schema.ts';
import { entryKind, type Surface, type SurfaceProblem } from '../../runtime/surface.ts';
import { GIVE_DEFAULT_HOST, uncallableProblems } from '../process/port.ts';
import { operationGuard } from '../security/port.ts';
import { BODY_CODECS } from './codec.ts';
import { queueConsumer } from './consumer.ts';
import { type DeclaredQueue, observeQueue } from './declared-queue.ts';
import type { QueueDriver } from './driver.ts';
import {
  type ConsumerConfig,
  queueConsumer as consumerSchema,
  type MemoryDriverConfig,
  type QueueConfig,
  queueDriverMemory,
  queueDriverRedis,
  queueQueue,
  type RedisDriverConfig,
} from './kinds.ts';
import { memoryDriver } from './memory.ts';
import { messageClass } from './message.ts';
import { queueModule } from './module.ts';
import { QUEUES } from './port.ts';
import { queuePublishers } from './publisher.ts';
import { declaredRedisDriver } from './redis/declared.ts';

const declareQueue = (
  { id, entry, config }: Declared<QueueConfig>,
  drivers: ReadonlyMap<string, QueueDriver>,
): DeclaredQueue | undefined => {
  const driver = drivers.get(config.driver);
  if (driver === undefined) return undefined; // its declaration was refused: `queue driver not found`
  const queue = driver.queue({
    name: config.queue_name ?? entry.name,
    maxLength: config.max_length ?? config.driver_options[driver.kind]?.max_length,
    idempotencyWindowMs: config.idempotency_window,
  });
  const codec = BODY_CODECS[config.codec];
  return { id, config, system: driver.system, driverId: config.driver, queue, codec };
};

const build = (env: Env): readonly Component[] => {
  const components: Component[] = [];
  const drivers = new Map<string, QueueDriver>();
  const declare = <T extends { lifecycle: Lifecycle }>(
    kind: string,
    driverOf: (declared: Declared<T>) => QueueDriver,
  ) => {
    for (const declared of env.registry.declared<T>(kind)) {
      const driver = driverOf(declared);
      drivers.set(declared.id, driver);
      components.push({
        name: declared.id,
        ...componentOptions(declared.config.lifecycle),
        start: () => driver.start(),
        stop: () => driver.stop(),
      });
    }
  };
  declare<MemoryDriverConfig>('queue.driver.memory', () => memoryDriver(env.clock));
  declare<RedisDriverConfig>('queue.driver.redis', (declared) => declaredRedisDriver(env, declared));
  const queues = new Map<string, DeclaredQueue>();
  for (const declared of env.registry.declared<QueueConfig>('queue.queue')) {
    const queue = declareQueue(declared, drivers);
    if (queue === undefined) continue;
    queues.set(queue.id, queue);
    observeQueue(env, queue);
  }
  for (const declared of env.registry.declared<ConsumerConfig>('queue.consumer')) {
    const queue = queues.get(declared.config.queue);
    if (queue === undefined) continue;
    const deadLetter = queues.get(queue.config.dead_letter?.queue ?? '');
    components.push(queueConsumer(env, declared, queue, deadLetter));
  }
  const publishers = queuePublishers(env, queues);
  env.provide(QUEUES, publishers);
  env.engine.defineClass(messageClass);
  env.engine.define(queueModule(publishers, env.clock, operationGuard(env.settings)));
  return components;
};

/** A dead letter that goes back to where it came from would go round for ever, each time as a first attempt. */
const circularDeadLetters = (registry: EntryRegistry): readonly SurfaceProblem[] =>
  registry
    .declared<QueueConfig>('queue.queue')
    .filter(({ id, config }) => config.dead_letter?.queue === id)
    .map(({ id }) => ({ id, path: 'dead_letter.queue', message: 'dead_letter.queue must be another queue' }));

/** Messages in Redis are text, for programs that are not Perilune (extensions.md, section 3). */
const unfitCodecs = (registry: EntryRegistry): readonly SurfaceProblem[] =>
  registry
    .declared<QueueConfig>('queue.queue')
    .filter(({ config }) => config.codec !== 'json/plain' && registry.get(config.driver)?.kind === 'queue.driver.redis')
    .map(({ id, config }) => ({
      id,
      path: 'codec',
      message: `codec ${config.codec} needs queue.driver.memory. Use json/plain.`,
    }));

/** `queue.driver.memory`, `queue.driver.redis`, `queue.queue`, `queue.consumer` (declarations.md, section 6) and the module `queue`. */
export const queueSurface: Surface = {
  name: 'queue',
  kinds: {
    'queue.driver.memory': entryKind({ schema: queueDriverMemory }),
    'queue.driver.redis': entryKind({ schema: queueDriverRedis }),
    'queue.queue': entryKind({
      schema: queueQueue,
      references: [
        { path: 'driver', kinds: ['queue.driver.memory', 'queue.driver.redis'], missing: 'queue driver not found' },
        { path: 'dead_letter.queue', kinds: ['queue.queue'], startsAfter: false },
      ],
    }),
    'queue.consumer': entryKind({
      schema: consumerSchema,
      references: [
        { path: 'queue', kinds: ['queue.queue'] },
        { path: 'func', kinds: ['function.lua', 'process.lua'] },
      ],
    }),
  },
  modules: ['queue'],
  check: (registry) => [
    ...uncallableProblems(registry, 'queue.consumer', GIVE_DEFAULT_HOST),
    ...circularDeadLetters(registry),
    ...unfitCodecs(registry),
  ],
  sites({ kind }, { settings }) {
    if (kind === 'queue.queue') return { isMeasured: true, hasSpan: settings.spans.queue };
    // The span of a delivery is the function's own.
    return kind === 'queue.consumer' ? { isMeasured: true, hasLine: true } : undefined;
  },
  build,
};
