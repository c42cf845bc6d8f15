/** How waits grow from attempt to attempt (extensions.md, section 1). Milliseconds. */
export interface RetryDelay {
  readonly initial_delay: number;
  readonly max_delay: number;
  readonly backoff_factor: number;
  readonly jitter: number;
}

/**
 * Milliseconds before attempt `next` (2 for the first one that is tried again): initial * factor^(next-2), at most
 * `max_delay`, plus or minus the jitter's share (extensions.md, section 1). Without `retry` there is no wait.
 */
export const retryDelayMs = (retry: RetryDelay | undefined, next: number, random: () => number): number => {
  if (retry === undefined || retry.initial_delay === 0) return 0; // 0 times a factor that has become infinite is NaN
  const delay = Math.min(retry.initial_delay * retry.backoff_factor ** (next - 2), retry.max_delay);
  return delay * (1 + retry.jitter * (random() * 2 - 1));
};
