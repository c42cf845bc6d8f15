import { PassThrough } from 'node:stream';
import { test } from 'tap';
import { inputOf } from '../../../services/terminal/input.ts';
import { poll } from '../../harness/poll.ts';

/** A terminal that keeps what its mode was set to. */
class FakeTerminal extends PassThrough {
  readonly isTTY = true;
  isRaw = false;
  readonly modes: boolean[] = [];
  setRawMode(isRaw: boolean): void {
    this.isRaw = isRaw;
    this.modes.push(isRaw);
  }
}

test('nothing is opened before somebody asks, and nothing is read that nobody waits for', async (t) => {
  const stream = new PassThrough();
  let opened = 0;
  const input = inputOf(() => {
    opened += 1;
    return stream;
  });
  t.equal(opened, 0);
  const first = input.read(10);
  t.equal(opened, 1);
  stream.write('one');
  t.equal(String(await first), 'one');
  stream.write('two');
  t.equal(stream.isPaused(), true);
  await poll('it stays in the stream', () => stream.readableLength === 3);
  t.equal(String(await input.read(10)), 'two');
});

test('those who wait are served in the order in which they came', async (t) => {
  const stream = new PassThrough();
  const input = inputOf(() => stream);
  const waiting = [input.readLine(), input.read(2), input.readLine()];
  stream.write('line\nabcd');
  stream.end('e');
  t.same((await Promise.all(waiting)).map(String), ['line', 'ab', 'cde']);
  t.equal(await input.readLine(), undefined);
  t.equal(await input.read(1), undefined);
});

test('a stream that was at its end, and one that fails', async (t) => {
  const ended = new PassThrough();
  ended.end();
  ended.resume();
  await poll('its end', () => ended.readableEnded);
  t.equal(await inputOf(() => ended).read(1), undefined);

  const failing = new PassThrough();
  const input = inputOf(() => failing);
  const waiting = input.read(1);
  failing.destroy(new Error('no such device'));
  await t.rejects(async () => waiting, { kind: 'Internal', message: 'standard input cannot be read: no such device' });
  await t.rejects(async () => input.readLine(), { kind: 'Internal', message: /cannot be read/ });
});

test('the mode of the terminal is as it was found after close, however often it was changed', async (t) => {
  for (const found of [false, true]) {
    const stream = new FakeTerminal();
    stream.isRaw = found;
    const input = inputOf(() => stream);
    t.equal(input.isTerminal, true);
    input.setRaw(true);
    input.setRaw(false);
    input.setRaw(true);
    input.close();
    input.close();
    t.same(stream.modes, [true, false, true, found]);
  }
  const untouched = new FakeTerminal();
  const input = inputOf(() => untouched);
  void input.read(1);
  input.close();
  t.same(untouched.modes, []);
  t.equal(inputOf(() => new PassThrough()).isTerminal, false);
});
