import { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import type { LogLevel } from '../../../runtime/logger.ts';
import { TRACE } from '../../../runtime/trace.ts';
import { hostLogger } from '../../../services/log/host-logger.ts';

const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: 1, isRemote: false };

const record = (isLevelEnabled?: (level: string) => boolean) => {
  const lines: unknown[] = [];
  const counted: LogLevel[] = [];
  let lost = 0;
  const write = (level: LogLevel) => (fields: Record<string, unknown>, message: string) => {
    if (message === 'full') throw new Error('the disk is full');
    lines.push([level, message, fields]);
  };
  const theirs = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const logger = hostLogger(
    { ...theirs, isLevelEnabled },
    {
      onLine: (level) => counted.push(level),
      onLost: () => {
        lost += 1;
      },
    },
  );
  return { logger, lines, counted, lost: () => lost };
};

test('each line has its subsystem, the fields of its loggers, its own, and the trace of its context', async (t) => {
  const { logger, lines, counted } = record();
  logger.info('begins');
  const child = logger.child({ run: 1 }).subsystem('queue').child({ queue: 'app:jobs', level: 'x' });
  child.warn('again', { error: new TypeError('no'), run: 2 }, rootContext.with(TRACE, trace));
  t.match(lines, [
    ['info', 'begins', { subsystem: 'boot' }],
    [
      'warn',
      'again',
      {
        run: 2,
        subsystem: 'queue',
        queue: 'app:jobs',
        level_: 'x',
        error: { type: 'TypeError', message: 'no' },
        trace_id: trace.traceId,
        span_id: trace.spanId,
      },
    ],
  ]);
  t.same(counted, ['info', 'warn']);
});

test('a level that is off costs no line and is not counted', async (t) => {
  const { logger, lines, counted } = record((level) => level !== 'debug');
  logger.debug('fact');
  t.same([lines, counted, logger.enabled('debug')], [[], [], false]);
  logger.error('failure');
  t.same([lines.length, counted, logger.enabled('error')], [1, ['error'], true]);
});

test('what the host’s logger throws is counted and goes no further', async (t) => {
  const { logger, lines, lost } = record();
  t.doesNotThrow(() => logger.warn('full'));
  t.same([lines.length, lost()], [0, 1]);
  await logger.flush();
});
