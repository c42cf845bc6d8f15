import { test } from 'tap';
import { refuseErrors } from '../../../boot/declarations/validate.ts';
import { DeclarationError } from '../../../runtime/errors.ts';
import { read, shop } from './read.ts';

const service = '{ name: web, kind: http.service, addr: ":0" }';
const fn = (name: string, more = '') => `{ name: ${name}, kind: function.lua, source: return${more} }`;

test('a valid app: decoded, defaults filled in, references absolute, nothing said', async (t) => {
  const { registry, problems, order, needs } = read(
    t,
    shop(
      '{ name: hello, kind: http.endpoint, meta: { server: web, comment: free }, method: GET, func: { ns: shop, name: say } }',
      service,
      fn('say'),
    ),
  );
  t.strictSame(problems, []);
  t.strictSame(
    registry.declared('http.endpoint').map(({ id, config }) => [id, config]),
    [['shop:hello', { meta: { server: 'shop:web' }, method: 'GET', func: 'shop:say' }]],
  );
  t.match(registry.declared('http.service')[0]?.config, { workers: 1, lifecycle: { stop_timeout: 10_000 } });
  t.strictSame(registry.get('shop:hello')?.meta, { server: 'web', comment: 'free' }, 'the registry keeps the raw text');
  t.strictSame(order, ['shop:say', 'shop:web', 'shop:hello']);
  t.strictSame(needs.get('shop:hello'), ['shop:web', 'shop:say']);
});

test('bad input: schema errors have the exact place and keep their message', async (t) => {
  const { errors, registry } = read(
    t,
    shop(
      '{ name: web, kind: http.service, workers: -1 }',
      '{ name: hello, kind: http.endpoint, method: get, func: "" }',
      'name: f\n    kind: function.lua\n    source: x\n    pool:\n      size: ten',
    ),
  );
  t.strictSame(errors, [
    'shop/_index.yaml:3:5: entries[0].addr: address is required',
    'shop/_index.yaml:3:47: entries[0].workers: workers must be non-negative',
    'shop/_index.yaml:4:5: entries[1].meta.server: server metadata is required',
    'shop/_index.yaml:4:49: entries[1].method: invalid HTTP method: get',
    'shop/_index.yaml:4:60: entries[1].func: function name is required',
    'shop/_index.yaml:9:13: entries[2].pool.size: expected a number, got "ten"',
  ]);
  t.strictSame(registry.declared('http.service'), []);
  t.ok(registry.get('shop:web'), 'it is an entry all the same');
  t.throws(() => refuseErrors(read(t, shop('{ name: w, kind: http.service }')).problems), DeclarationError);
});

test('unknown keys warn once each with place and nearest key; meta is free', async (t) => {
  const { errors, warnings } = read(
    t,
    shop(
      '{ name: web, kind: http.service, adr: x, addr: ":0", meta: { anything: 1 }, lifecycle: { auto_strt: true, restart: { jiter: 1 } } }',
      fn('f', ', pool: { size: 1, typ: lazy }'),
      '{ name: r, kind: registry.entry, whatever: 1 }',
    ),
  );
  t.strictSame(errors, []);
  t.strictSame(warnings, [
    "shop/_index.yaml:3:38: entries[0].adr: unknown key, ignored. Did you mean 'addr'?",
    "shop/_index.yaml:3:94: entries[0].lifecycle.auto_strt: unknown key, ignored. Did you mean 'auto_start'?",
    "shop/_index.yaml:3:122: entries[0].lifecycle.restart.jiter: unknown key, ignored. Did you mean 'jitter'?",
    "shop/_index.yaml:4:69: entries[1].pool.typ: unknown key, ignored. Did you mean 'type'?",
  ]);
});

test('an unknown kind is inert and warns; one of a surface that is switched off is an error', async (t) => {
  const file = shop('{ name: a, kind: function.lau }', '{ name: b, kind: db.cdc.sqlite }', fn('c', ', modules: [cdc]'));
  const on = read(t, file);
  t.strictSame(on.errors, []);
  t.strictSame(on.warnings, [
    "shop/_index.yaml:3:22: entries[0].kind: shop:a: unknown kind 'function.lau', kept as inert data. Did you mean 'function.lua'?",
  ]);
  t.ok(on.registry.get('shop:a'));
  t.strictSame(read(t, file, { switches: { cdc: false } }).errors, [
    "shop/_index.yaml:4:22: entries[1].kind: shop:b: kind 'db.cdc.sqlite' is switched off by surfaces.cdc: false in the boot file",
    "shop/_index.yaml:5:62: entries[2].modules[0]: module 'cdc' is switched off by surfaces.cdc: false",
  ]);
});

test('a reference that leads nowhere, or to the wrong kind, names both ends', async (t) => {
  const endpoint = (name: string, server: string, func: string) =>
    `{ name: ${name}, kind: http.endpoint, method: GET, meta: { server: "${server}" }, func: "${func}" }`;
  const { errors } = read(
    t,
    shop(
      endpoint('a', 'wbe', 'crate'),
      endpoint('b', 'create', 'app:create'),
      endpoint('c', 'web', 'zzzzzz'),
      service,
      fn('create'),
    ),
  );
  t.strictSame(errors, [
    "shop/_index.yaml:3:66: entries[0].meta.server: shop:a refers to shop:wbe, which does not exist. Did you mean 'shop:web'?",
    "shop/_index.yaml:3:81: entries[0].func: shop:a refers to shop:crate, which does not exist. Did you mean 'shop:create'?",
    'shop/_index.yaml:4:66: entries[1].meta.server: shop:b refers to shop:create, which is of kind function.lua; expected http.service',
    "shop/_index.yaml:4:84: entries[1].func: shop:b refers to app:create, which does not exist. Did you mean 'shop:create'?",
    'shop/_index.yaml:5:81: entries[2].func: shop:c refers to shop:zzzzzz, which does not exist.',
  ]);
});

test('lifecycle.requires and meta.depends_on are references of every kind', async (t) => {
  const { errors, order } = read(
    t,
    shop(
      '{ name: a, kind: http.service, addr: ":0", lifecycle: { requires: [z], depends_on: [gone] } }',
      '{ name: b, kind: registry.entry, meta: { depends_on: ["shop:a"] } }',
      '{ name: z, kind: http.service, addr: ":0" }',
    ),
  );
  t.strictSame(errors, [
    'shop/_index.yaml:3:89: entries[0].lifecycle.depends_on[0]: shop:a refers to shop:gone, which does not exist.',
  ]);
  t.strictSame(order, ['shop:z', 'shop:a', 'shop:b']);
});

test('cycles between services and between imports name their members', async (t) => {
  const lib = (name: string, target: string) =>
    `{ name: ${name}, kind: library.lua, source: x, imports: { i: ${target} } }`;
  const { errors } = read(
    t,
    shop(
      '{ name: a, kind: http.service, addr: ":0", lifecycle: { requires: [b] } }',
      '{ name: b, kind: http.service, addr: ":0", lifecycle: { requires: [a] } }',
      lib('x', 'y'),
      lib('y', 'z'),
      lib('z', 'x'),
      lib('self', 'self'),
      lib('fine', 'x'),
    ),
  );
  t.strictSame(errors, [
    'shop/_index.yaml:3:72: entries[0].lifecycle.requires[0]: these entries need each other: shop:a -> shop:b -> shop:a',
    'shop/_index.yaml:5:60: entries[2].imports.i: these entries need each other: shop:x -> shop:y -> shop:z -> shop:x',
    'shop/_index.yaml:8:63: entries[5].imports.i: these entries need each other: shop:self -> shop:self',
  ]);
});

test('modules: unknown names are errors with the nearest, globals may be listed', async (t) => {
  const { errors } = read(t, shop(fn('f', ', modules: [jsn, json, "", "a:b", channel, zzzzzz]')));
  t.strictSame(errors, [
    "shop/_index.yaml:3:62: entries[0].modules[0]: unknown module 'jsn'. Did you mean 'json'?",
    'shop/_index.yaml:3:73: entries[0].modules[2]: module cannot be empty',
    'shop/_index.yaml:3:77: entries[0].modules[3]: module cannot have a namespace',
    "shop/_index.yaml:3:93: entries[0].modules[5]: unknown module 'zzzzzz'.",
  ]);
});

test('what a kind checks itself may stand in another file', async (t) => {
  const { errors } = read(t, {
    'f.lua': 'a\nb\nsyntax error',
    'a.yaml': shop('{ name: f, kind: function.lua, source: file://f.lua }'),
  });
  t.strictSame(errors, ['f.lua:3: shop:f: unexpected symbol']);
});

test('keys with dots in them are found whole', async (t) => {
  const { registry } = read(t, shop('{ name: r, kind: registry.entry, options: { cors.allow.origins: "*" } }'));
  t.strictSame(registry.get('shop:r')?.position('options.cors.allow.origins'), { line: 3, column: 69 });
});

test('rule 96: two variables of one public name are refused before anything is built', async (t) => {
  const variable = (name: string, variable: string) =>
    `{ name: ${name}, kind: env.variable, variable: ${variable}, storage: os }`;
  const { errors } = read(
    t,
    shop('{ name: os, kind: env.storage.os }', variable('a', 'PORT'), variable('b', 'PORT'), variable('c', 'HOST')),
  );
  t.strictSame(errors, [
    'shop/_index.yaml:5:46: entries[2].variable: environment variable PORT of shop:b already exists: shop:a declares it. Give one of them another name.',
  ]);
});
