import { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import { CallError } from '../../../runtime/errors.ts';
import { TRACE } from '../../../runtime/trace.ts';
import { createLogger, type LogOptions } from '../../../services/log/logger.ts';
import { fakeClock } from '../../harness/fake-thread.ts';

const bench = (options: Partial<LogOptions> = {}) => {
  const texts: string[] = [];
  const logger = createLogger({
    level: 'info',
    encoding: 'json',
    clock: fakeClock(),
    destinations: [{ write: (line) => texts.push(line) }],
    ...options,
  });
  return { logger, texts, lines: () => texts.map((text) => JSON.parse(text)) };
};

test('a line: level, ISO time, subsystem, fields, message, in one object', async (t) => {
  const { logger, texts } = bench();
  logger.subsystem('queue').info('delivered', { queue: 'app:jobs', attempt: 2 });
  t.same(texts, [
    '{"level":"info","time":"2026-01-31T12:00:00.000Z","subsystem":"queue","queue":"app:jobs","attempt":2,"msg":"delivered"}\n',
  ]);
});

test('every line has a subsystem, and the trace ids of its context', async (t) => {
  const { logger, lines } = bench();
  const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, isRemote: false };
  logger.info('start');
  logger.warn('in a call', {}, rootContext.with(TRACE, trace));
  logger.error('outside', undefined, rootContext);
  t.same(
    lines().map(({ subsystem, trace_id, span_id }) => [subsystem, trace_id, span_id]),
    [
      ['boot', undefined, undefined],
      ['boot', trace.traceId, trace.spanId],
      ['boot', undefined, undefined],
    ],
  );
});

test('levels: of the logger, and of single subsystems', async (t) => {
  const { logger, lines } = bench({ level: 'warn', levels: { queue: 'debug', http: 'error' } });
  for (const subsystem of ['boot', 'queue', 'http'] as const) {
    const one = logger.subsystem(subsystem);
    for (const level of ['debug', 'info', 'warn', 'error'] as const) one[level](`${subsystem} ${level}`);
  }
  t.same(
    lines().map(({ msg }) => msg),
    ['boot warn', 'boot error', 'queue debug', 'queue info', 'queue warn', 'queue error', 'http error'],
  );
  t.equal(logger.debug, logger.info, 'levels that are off share one function that does nothing');
  t.not(logger.warn, logger.error);
  t.equal(logger.subsystem('queue').enabled('debug'), true);
  t.equal(logger.subsystem('http').enabled('warn'), false);
});

test('children carry their fields; a field of the line wins and no key stands twice', async (t) => {
  const { logger, texts, lines } = bench();
  const child = logger.child({ a: 1, b: 1 }).child({ b: 2 });
  child.info('x');
  child.subsystem('kv').info('y', { a: 9 });
  logger.info('parent');
  t.match(lines(), [{ a: 1, b: 2 }, { a: 9, b: 2, subsystem: 'kv' }, {}]);
  t.notOk('a' in lines()[2]);
  for (const text of texts) t.equal(text.match(/"[ab]":/g)?.length ?? 0, new Set(text.match(/"[ab]":/g)).size, text);
});

test('fields cannot pass for what a line has of its own', async (t) => {
  const { logger, texts, lines } = bench();
  logger.info('real', {
    level: 'fatal',
    time: 'never',
    subsystem: 'x',
    msg: 'forged',
    trace_id: 'f',
    method: 'GET',
    headers: {},
    socket: 's',
  });
  t.match(lines()[0], {
    level: 'info',
    subsystem: 'boot',
    msg: 'real',
    level_: 'fatal',
    msg_: 'forged',
    trace_id_: 'f',
  });
  t.match(lines()[0], { method: 'GET', headers: {}, socket_: 's' });
  t.equal(texts[0]?.match(/"msg":/g)?.length, 1);
});

test('errors are told with kind, message and Lua frames', async (t) => {
  const { logger, lines } = bench();
  const error = new CallError('no such order', {
    kind: 'NotFound',
    retryable: false,
    frames: [{ source: 'app/orders.lua', line: 12, name: 'find', type: 'Lua' }],
    cause: new Error('miss'),
  });
  logger.error('failed', { error });
  logger.error('failed', { error: new TypeError('x is not a function') });
  t.match(lines()[0].error, {
    kind: 'NotFound',
    message: 'no such order',
    retryable: false,
    traceback: [/app\/orders\.lua:12.*find/],
    cause: 'miss',
  });
  t.match(lines()[1].error, { type: 'TypeError', message: 'x is not a function', stack: /logger\.test/ });
});

test('rule 32, rule 121: every line parses, whatever it is given', async (t) => {
  const { logger, texts, lines } = bench();
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  logger.info('two\nlines \u001b[31m "quoted"', { text: 'a\r\nb', n: Number.NaN, i: Number.POSITIVE_INFINITY });
  logger.info('odd', { cycle, big: 10n, f: () => 1, s: Symbol('s'), bytes: Buffer.from([0x61, 0xff]), u: undefined });
  for (const text of texts) t.equal(text.indexOf('\n'), text.length - 1, 'one line each');
  t.match(lines()[0], { msg: 'two\nlines \u001b[31m "quoted"', text: 'a\r\nb', n: null, i: null });
  t.match(lines()[1], { big: 10, bytes: 'a\ufffd' });
  t.notOk('f' in lines()[1]);
});

test('a field that cannot be read costs the fields, not the line or the caller', async (t) => {
  const lost: string[] = [];
  const { logger, lines } = bench({ onLost: (kind) => lost.push(kind) });
  const fields = {
    get a() {
      throw new Error('gone');
    },
  };
  logger.info('still told', fields);
  t.match(lines(), [{ msg: 'still told', fields_error: 'gone' }]);
  t.same(lost, ['encode']);
});

test('console: one line for people, control characters escaped', async (t) => {
  const { logger, texts } = bench({ encoding: 'console' });
  logger.subsystem('http').info('GET app:hello\n200\u001b[0m', { ms: 1.5, text: 'two words', plain: 'x', list: [1] });
  t.same(texts, [
    '2026-01-31T12:00:00.000Z INFO  http      GET app:hello\\n200\\u001b[0m ms=1.5 text="two words" plain=x list=[1]\n',
  ]);
});

test('onLine is told once a line that is on', async (t) => {
  const levels: string[] = [];
  const { logger } = bench({ onLine: (level) => levels.push(level) });
  logger.debug('off');
  logger.info('a');
  logger.subsystem('sql').error('b');
  t.same(levels, ['info', 'error']);
});

test('two loggers of one process share nothing', async (t) => {
  const [one, other] = [bench({ level: 'error' }), bench({ level: 'debug', redact: ['hunter2'] })];
  one.logger.error('hunter2');
  other.logger.debug('hunter2');
  t.match(one.lines(), [{ msg: 'hunter2' }]);
  t.match(other.lines(), [{ msg: '[redacted]' }]);
});

test('lines of plain fields are the same as those that pino writes', async (t) => {
  const { logger, texts } = bench();
  const fields = { 'k"y': 1, text: 'a "b"\n\u001b é', flag: true, n: 1.5, inf: Number.NaN, gone: undefined, zero: -0 };
  const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, isRemote: false };
  const bound = logger.subsystem('queue').child({ queue: 'app:jobs', list: [1] });
  const context = rootContext.with(TRACE, trace);
  bound.info('done "x"', fields, context);
  bound.info('done "x"', { ...fields, nothing: null }, context); // null is left to pino
  t.equal(texts[1], texts[0]?.replace(',"trace_id"', ',"nothing":null,"trace_id"'));
  logger.info('secret');
  bound.info('a cookie: ', { api_key: 'k1', password: 'k2', url: 'http://u:k3@h', b: 'Bearer k4', n: 1 });
  t.notMatch(texts[3], /k[1-4]/, 'what may be a secret is never plain');
  t.match(JSON.parse(texts[3] ?? ''), { api_key: '[redacted]', url: 'http://[redacted]@h', n: 1 });
});

test('a text is the same whether its characters are looked at or the engine is asked, again and again', async (t) => {
  const { logger, texts } = bench();
  const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
  const values = [...ascii, ascii.join(''), '', 'é', 'a-0f'.repeat(9), 'x'.repeat(64), 'x'.repeat(65), 1, 1, true];
  for (const value of values) {
    for (const extra of [{}, { nothing: null }]) logger.info('m', { value, ...extra });
    const [plain, byPino] = texts.splice(0);
    t.equal(plain, byPino?.replace(',"nothing":null', ''));
  }
  for (const text of ['ack', 'Authorization: x', 'ack', 'ftp://a:b@c', 'BEARER abc', 'ack']) logger.info('m', { text });
  t.same(
    texts.map((line) => JSON.parse(line).text),
    ['ack', 'Authorization: [redacted]', 'ack', 'ftp://[redacted]@c', 'BEARER [redacted]', 'ack'],
  );
});

test('the time of a line is that of its clock, whatever the line before had', async (t) => {
  let now = 0;
  const { logger, lines } = bench({ clock: { ...fakeClock(), wall: () => now } });
  const times = [0, 7.9, 45.5, 999.999, 1000, 61_234, 1_769_860_800_100.7, 999, 1_769_860_799_999.4];
  for (const time of times) {
    now = time;
    logger.info('x');
  }
  t.same(
    lines().map(({ time }) => time),
    times.map((time) => new Date(time).toISOString()),
  );
});
