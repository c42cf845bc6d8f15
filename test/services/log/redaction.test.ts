import { test } from 'tap';
import type { LogFields } from '../../../runtime/logger.ts';
import { createLogger } from '../../../services/log/logger.ts';
import { IN_EVERY_SIGN, redactor, SIGNS } from '../../../services/log/redaction.ts';
import { fakeClock } from '../../harness/fake-thread.ts';

const written = (
  encoding: 'json' | 'console',
  redact: readonly string[],
  message: string,
  fields: LogFields = {},
): string => {
  const texts: string[] = [];
  const destinations = [{ write: (line: string) => texts.push(line) }];
  createLogger({ level: 'info', encoding, clock: fakeClock(), redact, destinations })
    .child({ prefix: 'hunter2-child' })
    .info(message, fields);
  return texts.join('');
};

test('rule 123: secrets are taken from the final line, wherever they stand in it', async (t) => {
  for (const encoding of ['json', 'console'] as const) {
    const line = written(encoding, ['hunter2', 'pa"ss\nword'], 'in hunter2 text', {
      field: 'x hunter2',
      deep: { list: ['hunter2'] },
      hunter2: 'a key',
      escaped: 'pa"ss\nword',
      kept: 'ordinary',
    });
    t.notMatch(line, 'hunter2', encoding);
    t.notMatch(line, 'ss\\nword', encoding);
    t.match(line, 'ordinary');
    t.equal(line.match(/\[redacted\]/g)?.length, 6, line);
  }
});

test('rule 121: a JSON line still parses when a secret looks like JSON', async (t) => {
  const secrets = ['1234567', 'true', '":"', '"level"', '2026'];
  const line = written('json', secrets, 'x', { n: 12345678, b: true, s: 'say true and 1234567' });
  t.match(JSON.parse(line), { n: '[redacted]8', b: true, s: 'say [redacted] and [redacted]' });
});

test('well-known secrets are hidden without being listed', async (t) => {
  const line = written('json', [], 'sent Authorization: Basic dXNlcjpwYXNz, and more', {
    header: 'authorization: Bearer abc.def',
    authorization: 'Bearer abc.def',
    password: 'p"q\\r',
    nested: { 'Set-Cookie': 'sid=abc.def' },
    text: 'a Bearer abc.def token',
    url: 'redis://user:abc.def@cache:6379/0',
    quoted: '{"authorization": "abc.def"}',
    odd: { authorization: { scheme: 'none' }, password: 5 },
    plain: 'https://example.com/a?b=c@d author: me',
  });
  const parsed = JSON.parse(line);
  t.notMatch(line, /abc\.def|dXNlcjpwYXNz|p\\"q/);
  t.equal(parsed.msg, 'sent Authorization: [redacted], and more');
  t.match(parsed, { authorization: '[redacted]', password: '[redacted]', nested: { 'Set-Cookie': '[redacted]' } });
  t.match(parsed, { url: 'redis://[redacted]@cache:6379/0', text: 'a Bearer [redacted] token' });
  t.match(parsed, {
    odd: { authorization: { scheme: 'none' }, password: 5 },
    plain: 'https://example.com/a?b=c@d author: me',
  });
  const console = written('console', [], 'x', { authorization: 'Bearer abc.def', password: 'two words' });
  t.notMatch(console, /abc\.def|two words/);
});

test('short texts are left alone, long ones go first', async (t) => {
  t.equal(redactor(['abc'], 'console')('abc'), 'abc');
  t.equal(redactor(['abcd', 'abcdefgh'], 'console')('abcdefgh'), '[redacted]');
});

test('a long line takes linear time', async (t) => {
  const redact = redactor(['hunter2'], 'json');
  for (const piece of ['a', '://', 'bearer ', 'authorization', '"', ' ']) {
    const line = JSON.stringify({ msg: piece.repeat(400_000 / piece.length) });
    t.ok(redact(line).length > 0, piece);
  }
});

test('rule 121: a text that ends like the beginning of a field keeps its line whole', async (t) => {
  const line = written('json', [], 'x', { a: 'password=', list: ['password="q r"'], b: 'kept' });
  t.match(JSON.parse(line), { a: 'password=', b: 'kept' });
  t.match(written('console', [], 'x', { password: 'two words' }), 'password="[redacted]"', 'a field of a console line');
});

test('no sign of a secret lacks the characters that are looked for first', async (t) => {
  const signs = SIGNS.source.replaceAll('[_-]?', '').replaceAll('\\/', '/').split('|');
  t.ok(signs.includes('://') && signs.includes('apikey'));
  for (const sign of signs) {
    t.match(sign, SIGNS);
    t.match(sign, IN_EVERY_SIGN, sign);
    t.match(sign.toUpperCase(), IN_EVERY_SIGN);
  }
});
