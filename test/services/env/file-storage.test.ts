import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { fileStorage } from '../../../services/env/file-storage.ts';

const options = { autoCreate: false, fileMode: 0o644, dirMode: 0o755 };
const CONTENT = '# first\n\n A = one # trailing\nB=two=2\nC=a#b\nnot a line\nD=\r\nA=last\n=x\n';

test('KEY=VALUE lines, comments also trailing, trimmed; the last line of a key counts', async (t) => {
  const path = join(t.testdir({ '.env': CONTENT }), '.env');
  t.strictSame(fileStorage({ ...options, path }).all(), { A: 'last', B: 'two=2', C: 'a#b', D: '' });
});

test('a write keeps all other lines, and leaves no other file behind', async (t) => {
  const dir = t.testdir({ '.env': CONTENT });
  const path = join(dir, '.env');
  const storage = fileStorage({ ...options, path });
  storage.set('A', 'new');
  storage.set('D', 'd');
  storage.set('E', 'e f');
  t.equal(readFileSync(path, 'utf8'), `${CONTENT.replace('A=last', 'A=new').replace('D=\r', 'D=d\r')}E=e f\n`);
  t.match(storage.all(), { A: 'new', D: 'd', E: 'e f' });
  t.strictSame(readdirSync(dir), ['.env']);
});

test('a file without a line break at its end', async (t) => {
  const path = join(t.testdir({ '.env': 'A=1' }), '.env');
  fileStorage({ ...options, path }).set('B', '2');
  t.equal(readFileSync(path, 'utf8'), 'A=1\nB=2\n');
});

test('what the format cannot hold is refused, and the file stays as it was', async (t) => {
  const path = join(t.testdir({ '.env': 'A=1\n' }), '.env');
  const storage = fileStorage({ ...options, path });
  for (const value of ['a\nB=2', 'a #b', ' a', '#a']) {
    t.throws(() => storage.set('A', value), {
      kind: 'Invalid',
      message: 'value of A cannot be written as a KEY=VALUE line',
    });
  }
  t.equal(readFileSync(path, 'utf8'), 'A=1\n');
  storage.set('A', 'a#b c');
  t.equal(storage.get('A'), 'a#b c');
});

test('a missing file holds nothing; it is made at the first write only with auto_create', async (t) => {
  const dir = t.testdir({});
  const path = join(dir, 'deep', '.env');
  const strict = fileStorage({ ...options, path });
  t.equal(strict.get('A'), undefined);
  t.strictSame(strict.all(), {});
  t.throws(() => strict.set('A', '1'), { kind: 'NotFound', message: /does not exist/ });
  t.notOk(existsSync(path));
  const creating = fileStorage({ autoCreate: true, fileMode: 0o600, dirMode: 0o700, path });
  creating.set('A', '1');
  t.equal(strict.get('A'), '1');
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(join(dir, 'deep')).mode & 0o777, 0o700);
});

test('mode and links of a file that exists are kept', async (t) => {
  const dir = t.testdir({ real: 'A=1\n' });
  chmodSync(join(dir, 'real'), 0o640);
  symlinkSync('real', join(dir, 'link'));
  fileStorage({ ...options, path: join(dir, 'link') }).set('A', '2');
  t.equal(readFileSync(join(dir, 'real'), 'utf8'), 'A=2\n');
  t.equal(statSync(join(dir, 'real')).mode & 0o777, 0o640);
});

test('bad input: a file that cannot be read or written is an Internal error with its path', async (t) => {
  const path = t.testdir({});
  const storage = fileStorage({ ...options, path });
  t.throws(() => storage.get('A'), { kind: 'Internal', message: new RegExp(`cannot read ${path}`) });
  const below = fileStorage({ ...options, autoCreate: true, path: '/dev/null/x/.env' });
  t.throws(() => below.set('A', '1'), { kind: 'Internal', message: /cannot (read|write) \/dev\/null/ });
});
