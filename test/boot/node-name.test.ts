import { hostname } from 'node:os';
import { test } from 'tap';
import { loadConfig } from '../../boot/config/load.ts';
import { derivedNodeName } from '../../boot/node-name.ts';
import { settingsOf } from '../../boot/settings.ts';
import { formatPid, parsePid } from '../../services/process/pid.ts';

const nodeNameOf = (dir: string, root: string, sets: readonly string[] = []) =>
  settingsOf(loadConfig({ dir, env: {}, sets }).config, root, {}).nodeName;

test('an empty relay.node_name is derived: stable per machine and project', async (t) => {
  const dir = t.testdir({});
  const name = nodeNameOf(dir, '/srv/shop');
  t.equal(name, derivedNodeName('/srv/shop', hostname()));
  t.equal(nodeNameOf(dir, '/srv/shop'), name);
  t.not(nodeNameOf(dir, '/srv/other'), name);
  t.not(derivedNodeName('/srv/shop', 'another'), derivedNodeName('/srv/shop', 'one'));
  t.equal(nodeNameOf(dir, '/srv/shop', ['relay.node_name=blue']), 'blue', 'a given one wins');
});

test('whatever the machine is called, the name can stand in a pid', async (t) => {
  for (const machine of ['web-1.example.org', 'büro|{1}@x y', '', '@@@']) {
    const node = derivedNodeName('/srv/shop', machine);
    t.match(node, /^[\w.][\w.-]*-[0-9a-f]{8}$/, machine);
    t.same(parsePid(formatPid(node, 'app:host', 1)), { node, host: 'app:host', unique: '0x00001' });
  }
});

test('a given node name that a pid cannot hold is refused with its place', async (t) => {
  const dir = t.testdir({ 'perilune.yaml': 'relay:\n  node_name: a@b\n' });
  const { problems } = loadConfig({ dir, env: {} });
  t.match(problems, [
    { line: 2, path: 'relay.node_name', severity: 'error', message: /must hold no white space and none of \| \{ \} @/ },
  ]);
});
