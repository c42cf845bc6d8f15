import type { RetryConfig } from './kinds.ts';

/**
 * Milliseconds before attempt `next` (2 for the first redelivery): initial * factor^(next-2), at most `max_delay`,
 * plus or minus the jitter's share (extensions.md, section 1). Without `retry` there is no wait.
 */
export const retryDelayMs = (retry: RetryConfig | undefined, next: number, random: () => number): number => {
  if (retry === undefined) return 0;
  const delay = Math.min(retry.initial_delay * retry.backoff_factor ** (next - 2), retry.max_delay);
  return delay * (1 + retry.jitter * (random() * 2 - 1));
};
