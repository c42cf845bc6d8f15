import { test } from 'tap';
import { read, shop } from './read.ts';

const entry = (name: string) => `{ name: ${name}, kind: registry.entry, note: hello }`;

test('yaml, yml and json files are found below the root, node_modules is skipped', async (t) => {
  const { registry, entries, fileCount, problems } = read(t, {
    'a.yaml': shop(entry('a')),
    'b.yml': shop(entry('b')),
    deep: { er: { 'c.json': '{\n\t"namespace": "shop",\n\t"entries": [{"name": "c", "kind": "registry.entry"}]\n}' } },
    node_modules: { 'd.yaml': shop(entry('d')) },
    'e.txt': shop(entry('e')),
    'values.yaml': 'replicas: 3\n',
    'empty.yaml': '',
    'list.yaml': '- 1\n',
    'perilune.yaml': 'logger: { level: debug }\n',
    'nothing.yaml': 'namespace: shop\n',
    'none-yet.yaml': 'namespace: shop\nentries:\n',
  });
  t.strictSame(problems, []);
  t.strictSame(
    registry.all().map(({ id, file }) => `${id} ${file}`),
    ['shop:a a.yaml', 'shop:b b.yml', 'shop:c deep/er/c.json'],
  );
  t.strictSame([entries.length, fileCount], [3, 3]);
});

test('directories.src of wippy.lock is the source root', async (t) => {
  const { registry, root, dir } = read(t, {
    'wippy.lock': 'directories:\n  modules: .wippy\n  src: ./src\n',
    src: { 'a.yaml': shop(entry('a')) },
    'b.yaml': shop(entry('b')),
  });
  t.equal(root, `${dir}/src`);
  t.strictSame(
    registry.all().map(({ id, file }) => [id, file]),
    [['shop:a', 'a.yaml']],
  );
});

test('one entry inline, and configuration under data', async (t) => {
  const { registry, problems } = read(t, {
    'one.yaml': 'version: "1.0"\nnamespace: shop\nname: one\nkind: registry.entry\nmeta: { type: x }\nnote: hi\n',
    'two.yaml': shop('{ name: two, kind: registry.entry, meta: { type: y }, data: { note: ho } }'),
  });
  t.strictSame(problems, []);
  t.match(registry.get('shop:one'), { namespace: 'shop', name: 'one', meta: { type: 'x' }, data: { note: 'hi' } });
  t.strictSame(registry.get('shop:two')?.data, { note: 'ho' });
  t.strictSame(registry.get('shop:two')?.position('note'), { line: 3, column: 73 });
});

test('file-level meta lies under the meta of each entry', async (t) => {
  const { registry } = read(t, {
    'a.yaml':
      'namespace: shop\nmeta: { team: a, type: t }\nentries:\n  - { name: x, kind: registry.entry, meta: { type: u } }\n',
  });
  t.strictSame(registry.get('shop:x')?.meta, { team: 'a', type: 'u' });
});

test('bad input: what an entry lacks is told with its place, all at once', async (t) => {
  const { errors, warnings } = read(
    t,
    `namespaces: x\n${shop('kind: registry.entry', 'name: ""\n    kind: 5', 'just text', 'name: a b\n    kind: registry.entry', 'name: m\n    kind: registry.entry\n    meta: [1]')}`,
  );
  t.strictSame(errors, [
    'shop/_index.yaml:4:5: entries[0].name: name is required and must be a non-empty string',
    'shop/_index.yaml:5:11: entries[1].name: name is required and must be a non-empty string',
    'shop/_index.yaml:6:11: entries[1].kind: kind is required and must be a non-empty string',
    'shop/_index.yaml:7:5: entries[2]: an entry must be a map with name and kind, got "just text"',
    `shop/_index.yaml:8:11: entries[3].name: name must be letters, digits, '_', '-' and '.', got "a b"`,
    'shop/_index.yaml:12:11: entries[4].meta: meta must be a map, got [1]',
  ]);
  t.strictSame(warnings, ["shop/_index.yaml:1:1: namespaces: unknown key, ignored. Did you mean 'namespace'?"]);
});

test('bad input: entries that are no list, a namespace that is none, a folder that is not there', async (t) => {
  t.strictSame(read(t, 'namespace: shop\nentries: 5\n').errors, [
    'shop/_index.yaml:2:10: entries: entries must be a list, got 5',
  ]);
  t.strictSame(read(t, 'namespace: "a:b"\nentries: []\n').errors, [
    `shop/_index.yaml:1:12: namespace: namespace must be letters, digits, '_', '-' and '.', got "a:b"`,
  ]);
  t.strictSame(read(t, {}, { dir: 'gone' }).errors, ['gone: no such folder. Give the folder of an app.']);
});

test('bad input: a broken file counts if it looks like declarations, others are somebody else’s', async (t) => {
  const { errors, registry } = read(t, {
    'a.yaml': 'namespace: shop\nentries:\n  - name: [x\n',
    'b.json': '{"namespace": "shop", "entries": [}',
    'c.yaml': 'metadata:\n  namespace: prod\n  labels: [x\n',
    'd.yaml': 'namespace: shop\nentries: *nobody\n',
    'e.yaml': shop(entry('good')),
  });
  t.match(errors, [
    /^a\.yaml:\d+:\d+: not valid YAML: Flow sequence/,
    /^b\.json:1:\d+: not valid YAML: /,
    /^d\.yaml: not valid YAML: Unresolved alias/,
  ]);
  t.equal(errors.length, 3);
  t.ok(registry.get('shop:good'), 'the other files are read all the same');
});

test('an id that is declared twice names both places', async (t) => {
  const { errors, registry } = read(t, { 'a.yaml': shop(entry('x')), 'b.yaml': shop(entry('y'), entry('x')) });
  t.strictSame(errors, [
    'b.yaml:4:5: entries[1]: duplicate id shop:x: declared at a.yaml:3:5 already. Rename one of them.',
  ]);
  t.equal(registry.get('shop:x')?.file, 'a.yaml');
});

test('file:// is the text of a file: relative to the declaration, or to the root', async (t) => {
  const { registry, problems } = read(t, {
    'top.lua': 'top ${env:NOBODY}',
    shop: {
      'x.lua': 'near',
      '_index.yaml': shop('{ name: x, kind: registry.entry, near: file://x.lua, deep: [{ top: "file:///top.lua" }] }'),
    },
  });
  t.strictSame(problems, [], 'placeholders in the text of a file are left alone');
  const found = registry.get('shop:x');
  t.strictSame(found?.data, { near: 'near', deep: [{ top: 'top ${env:NOBODY}' }] });
  t.equal(found?.fileOf('near'), 'shop/x.lua');
  t.equal(found?.fileOf('deep.0.top'), 'top.lua');
  t.equal(found?.fileOf('kind'), undefined);
});

test('bad input: a file:// that does not exist or leaves the root', async (t) => {
  const { errors, registry } = read(
    t,
    shop(
      '{ name: x, kind: function.lua, source: file://x.lua }',
      '{ name: y, kind: function.lua, source: file://../../y.lua }',
    ),
  );
  t.strictSame(errors, [
    "shop/_index.yaml:3:44: entries[0].source: shop:x: 'file://x.lua' cannot be read: there is no file shop/x.lua",
    "shop/_index.yaml:4:44: entries[1].source: shop:y: 'file://../../y.lua' leaves the source root. Move the file below it.",
  ]);
  t.strictSame(registry.declared('function.lua'), [], 'neither is valid, and nothing else is said of them');
});

test('-o replaces any value; its errors name the option', async (t) => {
  const file = shop('{ name: cart, kind: function.lua, source: a, pool: { size: 1 } }');
  const size = (overrides: string[]) => {
    const { registry, errors } = read(t, file, { overrides });
    return errors.length > 0
      ? errors
      : registry.declared<{ pool: { size: number } }>('function.lua')[0]?.config.pool.size;
  };
  t.equal(size([]), 1);
  t.equal(size(['shop:cart:pool.size=7']), 7);
  t.strictSame(size(['shop:cart:pool.size=ten']), ['-o: shop:cart:pool.size: expected a number, got "ten"']);
  t.strictSame(size(['shop:crat:pool.size=7']), [
    "-o: shop:crat:pool.size: there is no entry shop:crat. Did you mean 'shop:cart'?",
  ]);
  t.strictSame(size(['shop:cart']), ['-o: expected ns:entry:field.path=value, got "shop:cart"']);
  t.strictSame(size(['shop:cart:kind=a']), ["-o: shop:cart:kind: an entry's kind cannot be replaced"]);
});
