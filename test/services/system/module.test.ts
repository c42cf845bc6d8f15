import { test } from 'tap';
import type { CallError } from '../../../runtime/errors.ts';
import type { HostValue, LuaValue } from '../../../runtime/lua/values.ts';
import type { ServiceState, Supervisor } from '../../../runtime/supervision.ts';
import type { Processes } from '../../../services/process/port.ts';
import { systemModule } from '../../../services/system/module.ts';
import { callHost } from '../../harness/fake-thread.ts';

const STATES: readonly ServiceState[] = [
  {
    id: 'app:web',
    status: 'running',
    desired: 'running',
    retryCount: 2,
    lastUpdate: 1_700_000_000_123.25,
    startedAt: 1_700_000_000_000,
    details: 'lost',
  },
];
const PROCESSES: Pick<Processes, 'hosts' | 'processes'> = {
  hosts: () => [{ id: 'app:host', workers: 4, processes: 2, executed: 7, queueDepth: 3 }],
  processes: (host) =>
    host === 'app:host'
      ? [
          {
            pid: '{app:host|0x00001}',
            host,
            source: 'app:actor',
            state: 'waiting',
            steps: 5,
            startedAt: 1_700_000_000_000,
            actorId: 'user-1',
          },
        ]
      : [],
};

interface Bench {
  /** `system.<path>(...)`: its results. */
  call(path: string, ...args: LuaValue[]): Promise<readonly HostValue[]>;
  /** What was asked of the policies. */
  readonly asked: string[];
  readonly exits: number[];
}

const system = (options: { denies?: string; processes?: typeof PROCESSES } = {}): Bench => {
  const asked: string[] = [];
  const exits: number[] = [];
  const supervisor: Supervisor = {
    state: (id) => STATES.find((one) => one.id === id),
    states: () => STATES,
    exit: (code) => void exits.push(code),
  };
  const module = systemModule({
    allows: (_context, action, resource) => {
      asked.push(`${action} ${resource}`);
      return `${action} on ${resource}` !== options.denies;
    },
    node: 'here',
    moduleNames: () => ['time', 'custom'],
    supervisor: () => supervisor,
    processes: () => options.processes as Processes | undefined,
  });
  return {
    asked,
    exits,
    call(path, ...args) {
      const [first = '', second] = path.split('.');
      return callHost(
        second === undefined ? module.functions?.[first] : module.tables?.[first]?.functions?.[second],
        args,
      );
    },
  };
};

/** Every function with arguments that are fine, and what policies are asked: the list of lua/system.md. */
const FUNCTIONS: readonly (readonly [path: string, args: readonly LuaValue[], asked: string])[] = [
  ['memory.stats', [], 'system.read memory'],
  ['memory.allocated', [], 'system.read memory'],
  ['memory.heap_objects', [], 'system.read memory'],
  ['memory.set_limit', [1000], 'system.control memory_limit'],
  ['memory.get_limit', [], 'system.read memory_limit'],
  ['gc.collect', [], 'system.gc gc'],
  ['gc.set_percent', [50], 'system.gc gc_percent'],
  ['gc.get_percent', [], 'system.read gc_percent'],
  ['runtime.goroutines', [], 'system.read goroutines'],
  ['runtime.max_procs', [], 'system.read gomaxprocs'],
  ['runtime.max_procs', [2], 'system.control gomaxprocs'],
  ['runtime.cpu_count', [], 'system.read cpu'],
  ['process.pid', [], 'system.read pid'],
  ['process.hostname', [], 'system.read hostname'],
  ['process.cwd', [], 'system.read cwd'],
  ['node.id', [], 'system.read node'],
  ['node.addr', [], 'system.read node'],
  ['node.role', [], 'system.read node'],
  ['cluster.members', [], 'system.read cluster'],
  ['cluster.leader', [], 'system.read cluster'],
  ['cluster.size', [], 'system.read cluster'],
  ['raft.state', [], 'system.read raft'],
  ['raft.leader', [], 'system.read raft'],
  ['raft.members', [], 'system.read raft'],
  ['raft.stats', [], 'system.read raft'],
  ['lock.acquire', ['jobs'], 'system.lock jobs'],
  ['lock.release', ['jobs'], 'system.lock jobs'],
  ['supervisor.state', ['app:web'], 'system.read supervisor'],
  ['supervisor.states', [], 'system.read supervisor'],
  ['hosts.list', [], 'system.read hosts'],
  ['hosts.processes', ['app:host'], 'system.read hosts'],
  ['modules', [], 'system.read modules'],
  ['exit', [3], 'system.exit exit'],
];

test('every function asks the policies, and does nothing when they deny', async (t) => {
  for (const [path, args, question] of FUNCTIONS) {
    const open = system({ processes: PROCESSES });
    await open.call(path, ...args);
    t.same(open.asked, [question], path);

    const denied = system({ denies: question.replace(' ', ' on '), processes: PROCESSES });
    const [value, error] = await denied.call(path, ...args);
    t.equal(value, undefined);
    t.match(error as CallError, {
      kind: 'PermissionDenied',
      retryable: false,
      message: `permission denied: ${question.replace(' ', ' on ')}`,
    });
    t.same(denied.exits, []);
  }
});

test('a denied change changes nothing', async (t) => {
  const { call } = system({ denies: 'system.control on memory_limit' });
  await call('memory.set_limit', 1000);
  t.same(await call('memory.get_limit'), [-1, undefined]);
});

test('supervisor: states in the shape of the specification, times in nanoseconds', async (t) => {
  const { call } = system();
  const state = {
    id: 'app:web',
    status: 'running',
    desired: 'running',
    retry_count: 2,
    last_update: 1_700_000_000_123_250_000,
    started_at: 1_700_000_000_000_000_000,
    details: 'lost',
  };
  t.strictSame(await call('supervisor.state', 'app:web'), [state, undefined]);
  t.strictSame(await call('supervisor.states'), [[state], undefined]);
  t.match(await call('supervisor.state', 'app:gone'), [undefined, { kind: 'NotFound' }]);
  for (const none of [[], ['']]) {
    t.match(await call('supervisor.state', ...none), [
      undefined,
      { kind: 'Invalid', message: 'service id is required' },
    ]);
  }
  t.match(await call('supervisor.state', 7), [undefined, { message: 'service not found: 7' }], 'a number is a text');
});

test('hosts: what the process surface says, and nothing where there is none', async (t) => {
  const { call } = system({ processes: PROCESSES });
  t.strictSame(await call('hosts.list'), [
    [{ id: 'app:host', workers: 4, processes: 2, executed: 7, stolen: 0, queue_depth: 3 }],
    undefined,
  ]);
  t.strictSame(await call('hosts.processes', 'app:host'), [
    [
      {
        pid: '{app:host|0x00001}',
        host: 'app:host',
        source: 'app:actor',
        state: 'waiting',
        steps: 5,
        started_at: 1_700_000_000_000_000_000,
        parent: undefined,
        actor_id: 'user-1',
      },
    ],
    undefined,
  ]);
  t.strictSame(await call('hosts.processes', 'app:other'), [[], undefined]);
  t.match(await call('hosts.processes', ''), [undefined, { kind: 'Invalid' }]);
  const without = system();
  t.strictSame(await without.call('hosts.list'), [[], undefined]);
  t.strictSame(await without.call('hosts.processes', 'app:host'), [[], undefined]);
});

test('exit: the low 8 bits of the whole part; 1 for what is no number of that kind', async (t) => {
  const { call, exits } = system();
  for (const code of [undefined, 0, 3, 3.9, -1, -1.5, 256, 300, 2 ** 60, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.strictSame(await call('exit', code), [true, undefined]);
  }
  t.strictSame(exits, [0, 0, 3, 3, 255, 255, 0, 44, 0, 1, 1]);
  await t.rejects(call('exit', 'now'), /bad argument #1 to 'exit' \(number expected, got string\)/);
  t.equal(exits.length, 11);
});

test('wrong types raise, but for the limit of memory', async (t) => {
  const { call } = system();
  for (const name of ['supervisor.state', 'hosts.processes', 'lock.acquire', 'lock.release']) {
    const [, last] = name.split('.');
    await t.rejects(call(name, true), new RegExp(`bad argument #1 to '${last}' \\(string expected, got boolean\\)`));
  }
  for (const name of ['gc.set_percent', 'runtime.max_procs']) {
    await t.rejects(call(name, true), /bad argument #1 to '\w+' \(number expected, got boolean\)/);
    t.match(await call(name, Number.NaN), [undefined, { kind: 'Invalid' }]);
  }
  t.match(await call('memory.set_limit', true), [undefined, { kind: 'Invalid' }]);
  t.match(await call('memory.set_limit', Number.NaN), [undefined, { kind: 'Invalid' }]);
});

test('modules: by name; what nobody describes is listed all the same', async (t) => {
  const [list] = await system().call('modules');
  t.match(list, [
    { name: 'custom', description: '', class: [] },
    { name: 'time', description: /\w/, class: ['nondeterministic', 'time'] },
  ]);
});
