import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { runChild } from '../harness/child.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

test('rule 135: the embedding example prints what its README says, and ends by itself', async (t) => {
  const readme = readFileSync(`${project}examples/embed/README.md`, 'utf8');
  const [command, output] = [...readme.matchAll(/^```(?:sh)?\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
  t.equal(command, 'node examples/embed/main.ts\n');
  const run = await runChild(t, process.execPath, ['examples/embed/main.ts'], { cwd: project });
  t.equal(run.code, 0, run.stderr.join('\n'));
  t.equal(`${run.stdout.join('\n')}\n`, output);
  t.same(run.stderr, []);
});
