import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { parse } from 'yaml';
import { lifecycleSchema } from '../../runtime/lifecycle-schema.ts';
import { SERVICE_STATUSES } from '../../runtime/supervision.ts';

const page = readFileSync(new URL('../../docs/supervision.md', import.meta.url), 'utf8');

test('rule 134: the page shows every key of `lifecycle` with its default', async (t) => {
  const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  const { auto_start, requires, ...shown } = parse(yaml).entries[0].lifecycle;
  t.same([auto_start, requires], [true, ['cache']], 'these two stand for something');
  const defaults = lifecycleSchema.parse({});
  t.strictSame(lifecycleSchema.parse(shown), defaults);
  const { auto_start: _own, requires: _first, depends_on: _older, ...others } = defaults;
  t.same(Object.keys(shown).sort(), Object.keys(others).sort());
  t.same(Object.keys(shown.restart).sort(), Object.keys(defaults.restart).sort());
});

test('rule 134: the page names every state', async (t) => {
  const [, states = ''] = /^States are (.*?)\. Lua/ms.exec(page) ?? [];
  t.same(
    [...states.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    SERVICE_STATUSES,
  );
});
