import { z } from 'zod';
import type { CallContext } from './context.ts';
import { asCallError, type CallError, errorType, invalid } from './errors.ts';
import { duration, nonNegativeInt } from './schema-fields.ts';

/** A Lua table without entries arrives as a map: `skip_kinds = {}` is a list all the same. */
const kinds = (byDefault: readonly string[]) =>
  z.preprocess(
    (value) => (typeof value === 'object' && value !== null && Object.keys(value).length === 0 ? [] : value),
    z.array(z.string()).default([...byDefault]),
  );

const retry = z.looseObject({
  max_attempts: nonNegativeInt().default(1),
  initial_delay: duration().default(100),
  max_delay: duration().default(10_000),
  backoff_factor: z.number().min(1).default(2),
  jitter: z.number().min(0).max(1).default(0.1),
  retry_kinds: kinds(['Unavailable', 'Timeout', 'RateLimited', 'Conflict']),
  skip_kinds: kinds([]),
});
export type RetryOptions = z.output<typeof retry>;

/** Options of a call (extensions.md, section 1). Unknown keys are accepted: other interceptors may know them. */
export const callOptionsSchema = z.looseObject({ timeout: duration().optional(), retry: retry.optional() });

/** What retry and timeout read. Neither is there where it would have no effect. */
export interface CallOptions {
  readonly timeout?: {
    readonly ms: number;
    /** As written: `250ms`. */
    readonly text: string;
  };
  readonly retry?: RetryOptions;
  /** Set where the options are invalid, alone: the call must fail with it, where it is counted like any other failure. */
  readonly problem?: CallError;
}

/** Options as they were written, in `meta.options` or for `with_options`. */
export type WrittenOptions = Readonly<Record<string, unknown>>;

/** Decodes options, each object once however many calls carry it. Undefined: nothing in it that asks for anything. */
export const callOptionsReader = (): ((written: WrittenOptions) => CallOptions | undefined) => {
  const read = new WeakMap<WrittenOptions, { readonly options: CallOptions | undefined }>();
  return (written) => {
    let known = read.get(written);
    if (known === undefined) {
      known = { options: decode(written) };
      read.set(written, known);
    }
    return known.options;
  };
};

const decode = (written: WrittenOptions): CallOptions | undefined => {
  const { data, error } = callOptionsSchema.safeParse(written);
  if (error !== undefined) {
    const found = error.issues.map(({ path, message }) => `option '${path.join('.')}': ${message}`);
    return { problem: invalid(found.join('; ')) };
  }
  const ms = data.timeout ?? 0;
  const isRetried = data.retry !== undefined && data.retry.max_attempts > 1;
  if (ms === 0 && !isRetried) return undefined;
  const text = typeof written.timeout === 'string' ? written.timeout : `${ms}ms`;
  return { ...(ms > 0 && { timeout: { ms, text } }), ...(isRetried && { retry: data.retry }) };
};

/** The call's own options over the entry's, key by key, those of `retry` too. */
export const mergedOptions = (entry: WrittenOptions, own: WrittenOptions): WrittenOptions => {
  const [below, above] = [entry.retry, own.retry];
  return isMap(below) && isMap(above) ? { ...entry, ...own, retry: { ...below, ...above } } : { ...entry, ...own };
};
const isMap = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a failure is tried again. A decision of whoever made the error comes first, then the kinds that never are. */
export const isRetried = (
  options: Pick<RetryOptions, 'retry_kinds' | 'skip_kinds'>,
  failure: unknown,
  { signal }: Pick<CallContext, 'signal'>,
): boolean => {
  const { retryable } = asCallError(failure);
  const kind = errorType(failure);
  if (signal.aborted || kind === 'Canceled' || retryable === false) return false;
  if (options.skip_kinds.includes(kind)) return false;
  return retryable === true || options.retry_kinds.includes(kind);
};
