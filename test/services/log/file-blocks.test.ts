import { test } from 'tap';
import { fileBlocks } from '../../../services/log/file-blocks.ts';
import { createLogger, type ProgramLogger } from '../../../services/log/logger.ts';
import { fakeClock } from '../../harness/fake-thread.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A file that keeps the writes it got; `fails` says how many bytes it still takes, -1 for all. */
const file = () => {
  const writes: string[] = [];
  const state = { room: -1 };
  const write = (bytes: Uint8Array): number => {
    if (state.room === 0) throw new Error('ENOSPC');
    const taken = state.room < 0 ? bytes : bytes.subarray(0, state.room);
    if (state.room > 0) state.room -= taken.length;
    writes.push(Buffer.from(taken).toString());
    return taken.length;
  };
  return { writes, state, blocks: fileBlocks(write), text: () => writes.join('') };
};
const loggerTo = (destination: ReturnType<typeof fileBlocks>, lost: string[] = []): ProgramLogger =>
  createLogger({
    level: 'debug',
    encoding: 'json',
    clock: fakeClock(),
    destinations: [destination],
    onLost: (kind) => lost.push(kind),
  });
const messages = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).msg);

test('the lines of one turn are one write, in their order', async (t) => {
  const { blocks, writes, text } = file();
  const logger = loggerTo(blocks);
  const names = Array.from({ length: 20 }, (_, i) => `line ${i}`);
  for (const name of names) logger.info(name);
  t.same(writes, [], 'nothing is written within the turn');
  await turn();
  t.equal(writes.length, 1);
  t.same(messages(text()), names);
  logger.warn('next');
  await turn();
  t.equal(writes.length, 2, 'the next turn writes again');
});

test('a full block does not wait for the end of the turn', async (t) => {
  const { blocks, writes, text } = file();
  const logger = loggerTo(blocks);
  for (let i = 0; i < 140; i += 1) logger.info('x'.repeat(1000));
  t.ok(writes.length >= 2, `${writes.length} writes`);
  await turn();
  t.equal(messages(text()).length, 140);
});

test('an error is written at once, behind the lines before it', async (t) => {
  const { blocks, text } = file();
  const logger = loggerTo(blocks);
  logger.info('before');
  t.equal(text(), '');
  logger.error('now');
  t.same(messages(text()), ['before', 'now']);
});

test('flush writes what is kept', async (t) => {
  const { blocks, text } = file();
  const logger = loggerTo(blocks);
  logger.info('kept');
  await logger.flush();
  t.same(messages(text()), ['kept']);
});

test('every line that a full disk refuses is counted, and the next block begins a line of its own', async (t) => {
  const { blocks, state, text } = file();
  const lost: string[] = [];
  const logger = loggerTo(blocks, lost);
  logger.info('arrives');
  logger.info('is cut');
  logger.info('is lost');
  state.room = 150; // the first, and a part of the second
  blocks.writeOut();
  t.same(lost, ['write', 'write']);
  state.room = -1;
  logger.info('again');
  await turn();
  const lines = text().trim().split('\n');
  t.equal(JSON.parse(lines[0] ?? '').msg, 'arrives');
  t.throws(() => JSON.parse(lines[1] ?? ''), 'what was cut');
  t.equal(JSON.parse(lines.at(-1) ?? '').msg, 'again');
  t.equal(lost.length, 2);
});

test('a write that takes a part only is gone on with', async (t) => {
  const writes: string[] = [];
  const blocks = fileBlocks((bytes) => {
    writes.push(Buffer.from(bytes.subarray(0, 7)).toString());
    return Math.min(7, bytes.length);
  });
  loggerTo(blocks).info('in pieces');
  blocks.writeOut();
  t.ok(writes.length > 5);
  t.same(messages(writes.join('')), ['in pieces']);
});
