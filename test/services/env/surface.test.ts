import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { Env, PortKey } from '../../../runtime/env.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import type { LuaModule } from '../../../runtime/lua/engine.ts';
import { ENV } from '../../../services/env/port.ts';
import { envSurface } from '../../../services/env/surface.ts';
import { envVariables } from '../../../services/env/variables.ts';
import { read, shop } from '../../boot/declarations/read.ts';
import { callHost } from '../../harness/fake-thread.ts';
import { envRegistry } from './registry.ts';

const build = (strictSecurity: boolean) => {
  const ports = new Map<unknown, unknown>();
  const modules: LuaModule[] = [];
  const registry = envRegistry({
    'app:os': ['storage.os'],
    'app:home': ['variable', { variable: 'HOME', storage: 'app:os' }],
  });
  const env = {
    registry,
    logger: silentLogger,
    engine: { define: (module: LuaModule) => void modules.push(module) },
    settings: { osVariables: { HOME: '/root' }, root: '/nowhere', strictSecurity },
    provide: <T>(key: PortKey<T>, port: T) => void ports.set(key, port),
  } as unknown as Env;
  const components = envSurface.build(env);
  return { components, modules, variables: ports.get(ENV) as typeof ENV.type };
};

test('the surface provides the variables and the module, and starts nothing', async (t) => {
  const { components, modules, variables } = build(false);
  t.strictSame(components, []);
  t.equal(variables?.get('HOME'), '/root');
  t.strictSame(
    modules.map(({ name }) => name),
    [...envSurface.modules],
  );
  t.strictSame(await callHost(modules[0]?.functions?.get, ['HOME']), ['/root', undefined]);
});

test('strict security denies what has no actor', async (t) => {
  const { modules } = build(true);
  t.match(await callHost(modules[0]?.functions?.get, ['HOME']), [undefined, { kind: 'PermissionDenied' }]);
});

test('bad input: the messages of the entry kinds', async (t) => {
  const { errors } = read(
    t,
    shop(
      '{ name: a, kind: env.storage.file }',
      '{ name: b, kind: env.storage.file, file_path: "", file_mode: 899 }',
      '{ name: c, kind: env.storage.router, storages: [] }',
      '{ name: d, kind: env.variable, variable: a-b }',
      '{ name: e, kind: env.variable, storage: gone }',
      '{ name: f, kind: env.storage.router, storages: [f] }',
      '{ name: g, kind: env.storage.router }',
    ),
  );
  t.strictSame(errors, [
    'shop/_index.yaml:3:5: entries[0].file_path: file path must not be empty',
    'shop/_index.yaml:4:51: entries[1].file_path: file path must not be empty',
    'shop/_index.yaml:4:66: entries[1].file_mode: expected an octal mode such as "0644", got 899',
    'shop/_index.yaml:5:52: entries[2].storages: router storage must have at least one storage',
    'shop/_index.yaml:6:5: entries[3].storage: invalid storage ID format, must have both namespace and name',
    "shop/_index.yaml:6:46: entries[3].variable: variable name may hold letters, digits and '_' only",
    'shop/_index.yaml:7:45: entries[4].storage: shop:e refers to shop:gone, which does not exist.',
    'shop/_index.yaml:8:53: entries[5].storages[0]: these entries need each other: shop:f -> shop:f',
    'shop/_index.yaml:9:5: entries[6].storages: router storage must have at least one storage',
  ]);
});

test('rule 96: what validate accepts works when it is built; modes are read as written', async (t) => {
  const { registry, problems, root } = read(
    t,
    shop(
      '{ name: a, kind: env.storage.file, file_path: new/.env, auto_create: true, file_mode: 0600, dir_mode: "0750" }',
      '{ name: v, kind: env.variable, variable: A, storage: a }',
    ),
  );
  t.strictSame(problems, []);
  const variables = envVariables(registry, { osVariables: {}, root });
  variables.set('A', '1');
  t.equal(variables.get('v', 'shop'), '1');
  t.equal(statSync(join(root, 'new/.env')).mode & 0o777, 0o600);
  t.equal(statSync(join(root, 'new')).mode & 0o777, 0o750);
});
