import type { HrTime } from '@opentelemetry/api';

/** The SDK takes a number below the program's uptime for something else than milliseconds since the epoch. */
export const toHrTime = (epochMs: number): HrTime => {
  const seconds = Math.trunc(epochMs / 1000);
  const nanoseconds = Math.round((epochMs - seconds * 1000) * 1e6);
  return nanoseconds < 1e9 ? [seconds, nanoseconds] : [seconds + 1, 0];
};
