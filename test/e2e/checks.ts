import { constants } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { scriptScope } from '../harness/teardown.ts';

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** The checks of one end-to-end script: a line each, and `N passed, N failed` at the end. */
export interface Checks {
  readonly scope: ReturnType<typeof scriptScope>;
  say(text: string): void;
  /** `detail` is shown when it fails. */
  ok(holds: boolean, title: string, detail?: unknown): void;
  equal(actual: unknown, expected: unknown, title: string): void;
}

/** The script cannot run on this machine at all: the process ends with `code` and no counts. */
export class CannotRun extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const detailLines = (detail: unknown): string =>
  (typeof detail === 'string' ? detail : (JSON.stringify(detail, null, 2) ?? 'undefined')).replaceAll(/^/gm, '    ');

/** What the end of all that was started may take, of a script that is told to end. */
const END_MS = 10_000;
/** The process ends after `end`, and at a second signal without it. */
const endOnSignal = (end: () => Promise<void>): void => {
  let isEnding = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const exit = (): never => process.exit(128 + constants.signals[signal]);
      if (isEnding) exit();
      isEnding = true;
      void Promise.race([end(), wait(END_MS)]).finally(exit);
    });
  }
};

/** Runs `body`, ends what it started, prints the counts and sets the exit code: 0, 1 for a failure, or that of CannotRun; 128 and more after a signal. */
export const runChecks = async (body: (checks: Checks) => Promise<void>): Promise<void> => {
  const scope = scriptScope();
  let isToldToEnd = false;
  let passed = 0;
  let failed = 0;
  const ok = (holds: boolean, title: string, detail?: unknown): void => {
    if (holds) passed++;
    else failed++;
    say(`${holds ? 'ok' : 'not ok'} - ${title}`);
    if (!holds && detail !== undefined) say(detailLines(detail));
  };
  endOnSignal(async () => {
    isToldToEnd = true; // what fails from now on says nothing
    say('ending what was started');
    await scope.end().catch((error: unknown) => say(String(error)));
  });
  try {
    await body({
      scope,
      say,
      ok,
      equal(actual, expected, title) {
        const holds = isDeepStrictEqual(actual, expected);
        ok(holds, title, holds ? undefined : `expected\n${detailLines(expected)}\ngot\n${detailLines(actual)}`);
      },
    });
  } catch (error) {
    if (isToldToEnd) return;
    if (error instanceof CannotRun) {
      say(error.message);
      process.exitCode = error.code;
      return;
    }
    ok(false, 'runs to its end', error instanceof Error ? (error.stack ?? error.message) : error);
  } finally {
    await scope.end().catch((error: unknown) => ok(false, 'ends what it started', String(error)));
  }
  if (isToldToEnd) return;
  say(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
};
