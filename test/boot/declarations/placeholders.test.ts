import { test } from 'tap';
import { resolvePlaceholders, scalarOf } from '../../../boot/declarations/placeholders.ts';
import { read, shop } from './read.ts';

const resolve = (text: string) => {
  const values: Record<string, string> = { PORT: '80', 'shop:secret': 's' };
  const { value, unresolved } = resolvePlaceholders(
    { at: [text] },
    (name) => values[name],
    () => false,
  );
  return unresolved[0]?.message ?? (value as { at: string[] }).at[0];
};

test('the forms of a placeholder', async (t) => {
  t.equal(resolve('${env:PORT}'), '80');
  t.equal(resolve('a ${env:PORT}:${env:shop:secret} b'), 'a 80:s b');
  t.equal(resolve('${env:NONE|x y}'), 'x y');
  t.equal(resolve('${NONE|}'), '');
  t.equal(resolve('${PORT|1}'), '80');
  t.equal(resolve('$${env:PORT} ${env:PORT}'), '${env:PORT} 80');
  t.equal(resolve('${PORT} ${lower|x} $PORT'), '${PORT} ${lower|x} $PORT', 'these are none');
  t.equal(
    resolve('${env:NONE}'),
    '${env:NONE}: no variable NONE is registered or set. Set it, or give a default: ${env:NONE|default}',
  );
});

test('what reads as a scalar', async (t) => {
  t.strictSame(['true', 'false', '5', '-1.5', '1e3', '', '0x1', 'yes', '5s'].map(scalarOf), [
    true,
    false,
    5,
    -1.5,
    1000,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

const storage = '{ name: st, kind: env.storage.static, values: { SIZE: "3", EMPTY: "" } }';

test('registered variables come first, then the environment, then the default', async (t) => {
  const file = shop(
    storage,
    '{ name: v, kind: env.variable, variable: SIZE, storage: st }',
    '{ name: e, kind: env.variable, variable: EMPTY, storage: st, default: "4" }',
    'name: f\n    kind: function.lua\n    source: x\n    method: "${env:METHOD|main} ${env:v}"\n    pool: { size: "${env:SIZE}", warm: "${env:WARM|true}" }\n    password: ${env:EMPTY}',
  );
  const { registry, problems } = read(t, file, { osVariables: { SIZE: '9', METHOD: 'go', EMPTY: '9' } });
  t.strictSame(problems, []);
  t.match(registry.declared('function.lua')[0]?.config, {
    method: 'go 3',
    pool: { size: 3, warm: true },
    password: '4',
  });
  t.match(registry.get('shop:f')?.data, { pool: { size: '${env:SIZE}' } }, 'the registry keeps the raw text');
});

test('bad input: a placeholder without a value fails its entry', async (t) => {
  const { errors, registry } = read(
    t,
    shop(
      '{ name: f, kind: function.lua, source: "${env:NONE}" }',
      '{ name: g, kind: function.lua, source: x, pool: { size: "${env:N|many}" } }',
    ),
  );
  t.strictSame(errors, [
    'shop/_index.yaml:3:44: entries[0].source: ${env:NONE}: no variable NONE is registered or set. Set it, or give a default: ${env:NONE|default}',
    'shop/_index.yaml:4:61: entries[1].pool.size: expected a number, got "many"',
  ]);
  t.strictSame(registry.declared('function.lua'), []);
});

test('bad input: a storage that cannot be read fails the entries that need it, not the others', async (t) => {
  const file = shop(
    '{ name: st, kind: env.storage.file, file_path: "." }',
    '{ name: v, kind: env.variable, variable: X, storage: st }',
    '{ name: f, kind: function.lua, source: "${env:X}" }',
    '{ name: g, kind: function.lua, source: y }',
  );
  const { errors, registry } = read(t, file);
  t.match(errors, [/^shop\/_index.yaml:5:44: entries\[2\].source: \$\{env:X\}: cannot read .*EISDIR/]);
  t.strictSame(
    registry.declared('function.lua').map(({ id }) => id),
    ['shop:g'],
  );
});
