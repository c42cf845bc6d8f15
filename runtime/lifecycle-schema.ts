import { z } from 'zod';
import type { Component } from './lifecycle.ts';
import { duration, nonNegativeInt } from './schema-fields.ts';

/** Delays before a failed service is started again (processes-declarations.md, section 5). Milliseconds. */
const restartSchema = z.object({
  initial_delay: duration().default(1_000),
  max_delay: duration().default(90_000),
  backoff_factor: z.number().default(2),
  jitter: z.number().default(0.1),
  max_attempts: nonNegativeInt().default(0),
});

/** `lifecycle` of every supervised entry (declarations.md, section 4). Durations come out in milliseconds. */
export const lifecycleSchema = z
  .object({
    auto_start: z.boolean().default(false),
    start_timeout: duration().default(10_000),
    stop_timeout: duration().default(10_000),
    stable_threshold: duration().default(5_000),
    startup: z.enum(['required', 'optional']).default('required'),
    requires: z.array(z.string()).default([]),
    /** The older name of `requires`; both are merged. */
    depends_on: z.array(z.string()).default([]),
    restart: restartSchema.prefault({}),
    security: z
      .object({
        actor: z.object({ id: z.string(), meta: z.record(z.string(), z.unknown()).default({}) }).optional(),
        /** Neither given: no scope; an empty list: a scope that allows nothing. */
        groups: z.array(z.string()).optional(),
        policies: z.array(z.string()).optional(),
      })
      .optional(),
  })
  .prefault({});
export type Lifecycle = z.output<typeof lifecycleSchema>;

/** What `lifecycle` says of the component of an entry. `needs` holds what must run first, each id once. */
export const componentOptions = (
  lifecycle: Lifecycle,
): Required<Pick<Component, 'needs' | 'startup' | 'startTimeoutMs' | 'stopTimeoutMs' | 'autoStart' | 'restart'>> => ({
  needs: [...new Set([...lifecycle.requires, ...lifecycle.depends_on])],
  startup: lifecycle.startup,
  startTimeoutMs: lifecycle.start_timeout,
  stopTimeoutMs: lifecycle.stop_timeout,
  autoStart: lifecycle.auto_start,
  restart: {
    ...lifecycle.restart,
    maxAttempts: lifecycle.restart.max_attempts,
    stableThresholdMs: lifecycle.stable_threshold,
  },
});
