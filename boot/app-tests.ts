import type { Writable } from 'node:stream';
import type { Clock } from '../runtime/clock.ts';
import { rootContext } from '../runtime/context.ts';
import { parseDurationMs } from '../runtime/duration.ts';
import type { Entry } from '../runtime/entry.ts';
import { asCallError, CallError, invalid } from '../runtime/errors.ts';
import { renderFrames } from '../runtime/lua/traceback.ts';
import type { Functions } from '../services/function/port.ts';

/** One function whose `meta.type` is `test` (extensions.md, section 10). */
interface AppTest {
  readonly id: string;
  readonly suite: string;
  readonly order: number;
  /** Undefined: `meta.timeout` is no duration. */
  readonly timeoutMs: number | undefined;
}
interface TestResult {
  readonly test: AppTest;
  readonly error: CallError | undefined;
  readonly ms: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;

export interface AppTestOptions {
  readonly entries: readonly Entry[];
  readonly functions: Functions;
  readonly clock: Clock;
  readonly out: Writable;
  readonly filter: string | undefined;
  readonly reporter: 'pretty' | 'tap' | 'json';
  /** The app has asked for the end: no further test begins. Default: never. */
  readonly isEnding?: () => boolean;
}

/** Runs the app's tests one after the other; the number that failed. */
export const runAppTests = async (options: AppTestOptions): Promise<number> => {
  const tests = findTests(options.entries).filter(
    ({ id, suite }) => options.filter === undefined || id.includes(options.filter) || suite.includes(options.filter),
  );
  const report = reporters[options.reporter](options.out, tests.length);
  let failed = 0;
  let passed = 0;
  for (const test of tests) {
    if (options.isEnding?.() === true) break;
    const result = await runTest(test, options);
    if (result.error === undefined) passed += 1;
    else failed += 1;
    report.result(result);
  }
  report.end(passed, failed);
  return failed;
};

/** By suite, then order, then id. */
const findTests = (entries: readonly Entry[]): readonly AppTest[] =>
  entries
    .filter((entry) => entry.kind === 'function.lua' && entry.meta.type === 'test')
    .map(({ id, meta }) => ({
      id,
      suite: typeof meta.suite === 'string' ? meta.suite : '',
      order: typeof meta.order === 'number' ? meta.order : 0,
      timeoutMs: timeoutOf(meta.timeout),
    }))
    .sort((a, b) => compare(a.suite, b.suite) || a.order - b.order || compare(a.id, b.id));

/** A text with a unit, or nanoseconds, as in every entry. */
const timeoutOf = (timeout: unknown): number | undefined => {
  if (timeout === undefined) return DEFAULT_TIMEOUT_MS;
  const ms = typeof timeout === 'string' ? parseDurationMs(timeout) : typeof timeout === 'number' ? timeout / 1e6 : 0;
  return ms !== undefined && ms > 0 ? ms : undefined;
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const runTest = async (test: AppTest, { functions, clock }: AppTestOptions): Promise<TestResult> => {
  const begin = clock.now();
  const { timeoutMs } = test;
  if (timeoutMs === undefined) {
    const error = invalid('meta.timeout is no duration above 0. Write e.g. 5s.');
    return { test, error, ms: 0 };
  }
  const abort = new AbortController();
  const cancel = clock.after(timeoutMs, () =>
    abort.abort(new CallError(`test timed out after ${timeoutMs}ms: ${test.id}`, { kind: 'Timeout' })),
  );
  let error: CallError | undefined;
  try {
    const { value } = await functions.call(test.id, [], rootContext.withSignal(abort.signal));
    if (value === false) error = new CallError('the test returned false', { kind: 'Invalid' });
    else if (value instanceof CallError) error = value;
  } catch (thrown) {
    error = asCallError(thrown);
  } finally {
    cancel();
  }
  return { test, error, ms: Math.round((clock.now() - begin) * 10) / 10 };
};

interface Reporter {
  result(result: TestResult): void;
  end(passed: number, failed: number): void;
}

const reporters: Record<AppTestOptions['reporter'], (out: Writable, count: number) => Reporter> = {
  json: (out) => ({
    result: ({ test, error, ms }) =>
      void out.write(
        `${JSON.stringify({ id: test.id, suite: test.suite, ok: error === undefined, error: error === undefined ? null : error.message, ms })}\n`,
      ),
    end: () => {},
  }),
  tap(out, count) {
    let n = 0;
    out.write(`TAP version 14\n1..${count}\n`);
    return {
      result({ test, error, ms }) {
        n += 1;
        out.write(`${error === undefined ? 'ok' : 'not ok'} ${n} - ${test.id} # time=${ms}ms\n`);
        if (error !== undefined)
          out.write(`  ---\n  message: ${JSON.stringify(error.message)}\n  kind: ${error.kind}\n  ...\n`);
      },
      end: () => {},
    };
  },
  pretty(out) {
    let suite: string | undefined;
    return {
      result({ test, error, ms }) {
        if (test.suite !== suite) {
          suite = test.suite;
          if (suite !== '') out.write(`${suite}\n`);
        }
        out.write(`  ${error === undefined ? 'ok  ' : 'FAIL'} ${test.id} (${ms} ms)\n`);
        if (error === undefined) return;
        out.write(`       ${error.kind}: ${error.message}\n`);
        if (error.frames.length > 0) out.write(`${renderFrames(error.frames)}\n`);
      },
      end: (passed, failed) => void out.write(`${passed} passed, ${failed} failed\n`),
    };
  },
};
