import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { Env, PortKey } from '../../../runtime/env.ts';
import { DIRECTORIES } from '../../../services/registry/port.ts';
import { registrySurface } from '../../../services/registry/surface.ts';
import { read, shop } from '../../boot/declarations/read.ts';

test('registry.entry keeps anything; fs.directory is made at the start when it says so', async (t) => {
  const { registry, root, problems } = read(t, {
    plain: 'a file',
    'a.yaml': shop(
      '{ name: made, kind: fs.directory, directory: ./deep/made, auto_init: true }',
      '{ name: gone, kind: fs.directory, directory: gone }',
      '{ name: file, kind: fs.directory, directory: plain }',
      '{ name: note, kind: registry.entry, any: { thing: [1] } }',
    ),
  });
  t.strictSame(problems, []);
  t.strictSame(registry.get('shop:note')?.data, { any: { thing: [1] } });

  const ports = new Map<unknown, unknown>();
  const env = {
    registry,
    settings: { root },
    provide: <T>(key: PortKey<T>, port: T) => void ports.set(key, port),
  } as unknown as Env;
  const components = new Map(registrySurface.build(env).map((one) => [one.name, one]));
  const directories = ports.get(DIRECTORIES) as NonNullable<typeof DIRECTORIES.type>;
  const made = join(root, 'deep/made');
  t.equal(directories.path('shop:made'), made);
  t.equal(directories.path('shop:note'), undefined);

  t.notOk(existsSync(made), 'building does no I/O');
  await components.get('shop:made')?.start?.();
  await components.get('shop:made')?.start?.();
  t.ok(existsSync(made));
  await t.rejects(components.get('shop:gone')?.start?.() ?? Promise.resolve(), {
    name: 'StartError',
    message: `shop:gone: directory ${join(root, 'gone')} does not exist. Create it, or set auto_init: true.`,
  });
  await t.rejects(components.get('shop:file')?.start?.() ?? Promise.resolve(), { message: /is no directory/ });
});

test('bad input: a directory is required', async (t) => {
  t.strictSame(read(t, shop('{ name: a, kind: fs.directory }')).errors, [
    'shop/_index.yaml:3:5: entries[0].directory: directory is required',
  ]);
});
