import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { test } from 'tap';
import { createLogger, type LogOptions, type ProgramLogger } from '../../../services/log/logger.ts';
import type { LogDestination } from '../../../services/log/sinks.ts';
import { fakeClock } from '../../harness/fake-thread.ts';

const keeper = () => {
  const texts: string[] = [];
  return { write: (line: string) => void texts.push(line), messages: () => texts.map((text) => JSON.parse(text).msg) };
};
const loggerTo = (destinations: readonly LogDestination[], options: Partial<LogOptions> = {}): ProgramLogger =>
  createLogger({ level: 'info', encoding: 'json', clock: fakeClock(), destinations, ...options });
const WARNING = 'a log destination failed; its lines are lost until it takes one again';

test('rule 120: a broken destination starves no other, wherever it stands', async (t) => {
  const [first, last] = [keeper(), keeper()];
  const lost: string[] = [];
  const broken = {
    write: () => {
      throw new Error('disk full');
    },
  };
  const logger = loggerTo([first, broken, last], { onLost: (kind) => lost.push(kind) });
  for (const text of ['a', 'b', 'c']) logger.info(text);
  for (const sink of [first, last]) t.same(sink.messages().sort(), ['a', WARNING, 'b', 'c'].sort());
  t.same(lost, ['write', 'write', 'write'], 'every lost line counts');
});

test('rule 119: a failure episode warns once and re-arms on recovery', async (t) => {
  const sink = keeper();
  let isBroken = false;
  const flaky = {
    write: () => {
      if (isBroken) throw new Error('gone');
    },
  };
  const lost: string[] = [];
  const logger = loggerTo([sink, flaky], { onLost: (kind) => lost.push(kind) });
  const warnings = () => sink.messages().filter((text) => text === WARNING).length;
  logger.info('fine');
  t.equal(warnings(), 0);
  isBroken = true;
  for (let i = 0; i < 5; i += 1) logger.info('x');
  t.equal(warnings(), 1);
  isBroken = false;
  logger.info('recovered');
  isBroken = true;
  logger.info('again');
  t.equal(warnings(), 2);
  t.equal(lost.length, 6);
});

test('rule 124: a destination that logs, or fails while the failure is told, never recurses', async (t) => {
  let writes = 0;
  let logger: ProgramLogger;
  const chatty = {
    write: () => {
      writes += 1;
      logger.error('the destination complains');
      throw new Error('and fails');
    },
  };
  logger = loggerTo([chatty, chatty]);
  logger.info('x');
  t.ok(writes > 0 && writes < 20, `${writes} writes`);
});

test('a stream that fails neither ends the program nor is forgotten', async (t) => {
  for (const autoDestroy of [true, false]) {
    const stream = new Writable({ autoDestroy, write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const sink = keeper();
    const lost: string[] = [];
    const logger = loggerTo([sink, stream], { onLost: (kind) => lost.push(kind) });
    logger.info('a');
    await logger.flush();
    await new Promise(setImmediate);
    logger.info('b');
    await logger.flush(); // the stream answers no more: neither may this wait for it
    await new Promise(setImmediate);
    t.same(sink.messages(), ['a', WARNING, 'b']);
    t.ok(lost.length >= 2, 'both lines count');
    t.ok(stream.writableLength < 1000, 'and are not kept');
  }
});

test('a stream that takes lines again is used again', async (t) => {
  const taken: string[] = [];
  let isBroken = true;
  // Like `process.stdout`, which forgets that it failed.
  const stream = {
    on: () => undefined,
    write: (line: string, done?: (error?: Error | null) => void) => {
      if (!isBroken && line !== '') taken.push(JSON.parse(line).msg);
      done?.(isBroken ? new Error('EPIPE') : null);
    },
  };
  const sink = keeper();
  const logger = loggerTo([sink, stream]);
  logger.info('a');
  isBroken = false;
  logger.info('b');
  isBroken = true;
  logger.info('c');
  t.same(taken, ['b']);
  t.equal(sink.messages().filter((text) => text === WARNING).length, 2, 'each episode warns once');
});

test('a stream that does not read is cut off, so that memory is bounded', async (t) => {
  const sink = keeper();
  const stuck = new Writable({ write: () => {} });
  const lost: string[] = [];
  const logger = loggerTo([sink, stuck], { onLost: (kind) => lost.push(kind) });
  const text = 'x'.repeat(1024 * 1024);
  for (let i = 0; i < 40; i += 1) logger.info(text);
  t.ok(stuck.writableLength < 20 * 1024 * 1024, `${stuck.writableLength} bytes wait`);
  t.ok(lost.length > 10 && lost.every((kind) => kind === 'throttled'));
  t.equal(sink.messages().filter((message) => message === text).length, 40, 'the other has all');
});

test('flush waits for a slow destination', async (t) => {
  const taken: string[] = [];
  const slow = new Writable({
    write: (chunk, _encoding, done) => {
      setImmediate(() => {
        taken.push(String(chunk));
        done();
      });
    },
  });
  let flushed = 0;
  const keepsBack = {
    write: () => {},
    flush: async () => {
      flushed += 1;
    },
  };
  const logger = loggerTo([slow, keepsBack]);
  logger.info('a');
  logger.info('b');
  t.ok(taken.length < 2);
  await logger.flush();
  t.equal(taken.filter((text) => text !== '').length, 2);
  t.equal(flushed, 1);
});

test('a broken pipe does not end a real program', { timeout: 60_000 }, async (t) => {
  const source = new URL('../../../services/log/logger.ts', import.meta.url).href;
  const clock = new URL('../../../runtime/clock.ts', import.meta.url).href;
  const script = `
    import { createLogger } from ${JSON.stringify(source)};
    import { systemClock } from ${JSON.stringify(clock)};
    const lost = [];
    const logger = createLogger({ level: 'info', encoding: 'json', clock: systemClock(),
      destinations: [process.stdout, process.stderr], onLost: (kind) => lost.push(kind) });
    logger.info('first');
    process.stdin.once('data', () => {
      let n = 0;
      const timer = setInterval(async () => {
        logger.info('after ' + n);
        n += 1;
        if (n < 5) return;
        clearInterval(timer);
        await logger.flush();
        process.stderr.write(JSON.stringify({ lost: lost.length }) + '\\n', () => process.exit(7));
      }, 5);
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'pipe' });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    told += text;
  });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  await once(child.stdout, 'close');
  child.stdin.write('go\n');
  const [code] = await once(child, 'close');
  t.equal(code, 7, `it lived to its own end: ${told}`);
  const lines = told
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.equal(lines.filter(({ msg }) => /^after/.test(String(msg))).length, 5, 'standard error has every line');
  t.equal(lines.filter(({ msg }) => msg === WARNING).length, 1, 'and one warning');
  t.ok(lines.at(-1).lost >= 4);
});
