import { z } from 'zod';
import { lifecycleSchema } from '../../runtime/lifecycle-schema.ts';
import { duration, nonNegativeInt, required } from '../../runtime/schema-fields.ts';
import { checkRedisUrl, redisUrlFields } from '../redis/port.ts';
import { CODEC_NAMES } from './codec.ts';

/** declarations.md, section 6, and extensions.md, section 3. */
export const queueDriverMemory = z.object({ lifecycle: lifecycleSchema });
export type MemoryDriverConfig = z.output<typeof queueDriverMemory>;

export const queueDriverRedis = z
  .object({
    ...redisUrlFields,
    prefix: z.string().default('perilune:'),
    group: z.string().min(1).default('perilune'),
    visibility_timeout: duration()
      .refine((ms) => ms >= 10, {
        error: 'visibility_timeout must be at least 10ms. Write e.g. `visibility_timeout: 30s`.',
      })
      .default(30_000),
    lifecycle: lifecycleSchema,
  })
  .superRefine(checkRedisUrl);
export type RedisDriverConfig = z.output<typeof queueDriverRedis>;

const codec = z
  .enum(CODEC_NAMES, { error: ({ input }) => `unknown codec: ${String(input)}. Use one of ${CODEC_NAMES.join(', ')}.` })
  .default('json/plain');

const retry = z.object({
  initial_delay: duration().default(100),
  max_delay: duration().default(10_000),
  backoff_factor: z.number().min(1).default(2),
  jitter: z.number().min(0).max(1).default(0.1),
});

export const queueQueue = z.object({
  driver: required('driver ID is required'),
  queue_name: z.string().min(1).optional(),
  codec,
  driver_options: z
    .looseObject({
      memory: z.looseObject({ max_length: nonNegativeInt().optional() }).optional(),
      redis: z.looseObject({ max_length: nonNegativeInt().optional() }).optional(),
    })
    .default({}),
  max_length: nonNegativeInt().optional(),
  dead_letter: z
    .object({
      queue: required('dead_letter.queue is required'),
      max_attempts: z.number().int().min(1).default(5),
    })
    .optional(),
  retry: retry.optional(),
  idempotency_window: duration().default(300_000),
});
export type QueueConfig = z.output<typeof queueQueue>;

/** A count from 1 to `max`; 0 and less mean the default. */
const count = (name: string, fallback: number, max: number) =>
  z
    .number()
    .int()
    .default(fallback)
    .refine((n) => n <= max, { error: (issue) => `${name} ${String(issue.input)} exceeds maximum ${max}` })
    .transform((n) => (n <= 0 ? fallback : n));

export const queueConsumer = z.object({
  queue: required('queue ID is required'),
  func: required('function ID is required'),
  concurrency: count('concurrency', 1, 1000),
  prefetch: count('prefetch', 10, 10_000),
  auto_ack: z.boolean().default(false),
  driver_options: z.looseObject({}).default({}),
  lifecycle: lifecycleSchema,
});
export type ConsumerConfig = z.output<typeof queueConsumer>;
