import root, { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import type { LuaValue } from '../../../runtime/lua/values.ts';
import { PROCESSES } from '../../../services/process/port.ts';
import { poll } from '../../harness/poll.ts';
import { type EntryText, surfaceBench } from '../surface-bench.ts';

/** How long processes are spawned, linked, killed and crashed at random. */
const DURATION_MS = 60_000;
const TIMEOUT_MS = 400_000;
root.setTimeout(2 * TIMEOUT_MS);
/** Beyond this many the schedule only ends processes. */
const MAX_ALIVE = 400;

/** mulberry32: the same numbers in every run. */
const randomFrom = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const NODE = `
return { main = function(trap)
  process.set_options({ trap_links = trap })
  local inbox, events = process.inbox(), process.events()
  while true do
    local r = channel.select({ inbox:case_receive(), events:case_receive() })
    if r.channel == inbox then
      local what, other = r.value:topic(), r.value:payload() and r.value:payload():data()
      if what == "end" then return other end
      if what == "fail" then return nil, "asked to" end
      if what == "crash" then error("crashed") end
      if what == "suicide" then process.terminate(process.pid()) end
      if what == "link" then process.link(other) end
      if what == "unlink" then process.unlink(other) end
      if what == "monitor" then process.monitor(other) end
      if what == "spawn" then process.spawn("app:node", "app:host", false) end
      if what == "spawn_linked" then process.spawn_linked("app:node", "app:host", false) end
      if what == "spawn_monitored" then process.spawn_monitored("app:node", "app:host", true) end
      if what == "background" then coroutine.spawn(function() error("in the background") end) end
    end
  end
end }`;

const ENTRIES: readonly EntryText[] = [
  { id: 'app:host', kind: 'process.host', lifecycle: { auto_start: true } },
  { id: 'app:node', kind: 'process.lua', method: 'main', source: NODE },
  {
    id: 'app:tell',
    kind: 'function.lua',
    method: 'main',
    source: 'return function(pid, topic, other) return (process.send(pid, topic, other)) end',
  },
];

test('rule 69: started = terminated + active at any quiet point, whatever ends what', {
  timeout: TIMEOUT_MS,
}, async (t) => {
  const bench = await surfaceBench(t, ENTRIES);
  const processes = bench.env.use(PROCESSES);
  const random = randomFrom(20_261_121);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const spawn = (): void => {
    processes.spawn({ id: 'app:node', host: 'app:host', args: [random() < 0.5], context: rootContext });
  };
  const pids = (): readonly string[] => processes.processes('app:host').map(({ pid }) => pid);
  const told: Record<string, number> = {};
  const tell = (topic: string, alive: readonly string[]): Promise<LuaValue> => {
    told[topic] = (told[topic] ?? 0) + 1;
    return bench.call('app:tell', [pick(alive), topic, pick(alive)]);
  };
  const GROWING = ['spawn', 'spawn_linked', 'spawn_monitored', 'link', 'monitor', 'unlink'];
  const ENDING = ['end', 'fail', 'crash', 'suicide', 'background'];

  const value = (name: string): number =>
    bench.rows(name).reduce((sum, row) => sum + Number(row.slice(row.lastIndexOf(' ') + 1)), 0);
  const check = async (): Promise<void> => {
    await poll('active is what the host has', () => value('process_active') === processes.processes('app:host').length);
    t.equal(value('process_started_total'), value('process_terminated_total') + value('process_active'));
    t.equal(value('process_lifetime_seconds'), value('process_terminated_total'));
  };

  const end = performance.now() + DURATION_MS;
  let steps = 0;
  while (performance.now() < end) {
    for (let i = 0; i < 200; i += 1) {
      steps += 1;
      const alive = pids();
      const dice = random();
      if (alive.length < 3 || (dice < 0.15 && alive.length < MAX_ALIVE)) spawn();
      else if (dice < 0.2) processes.terminate(pick(alive));
      else if (dice < 0.25) processes.cancel(pick(alive), 'at random');
      else await tell(pick(alive.length < MAX_ALIVE && dice < 0.7 ? GROWING : ENDING), alive);
    }
    await new Promise((resolve) => setImmediate(resolve));
    await check();
  }
  t.ok(steps > 1000, `${steps} steps`);
  for (const topic of [...GROWING, ...ENDING]) t.ok((told[topic] ?? 0) > 0, `${topic}: ${told[topic]} times`);
  for (const result of ['completed', 'error']) {
    t.match(bench.rows('process_terminated_total').join(' '), `result=${result}`);
  }
  for (const pid of pids()) processes.terminate(pid);
  await check();
  t.equal(value('process_active'), 0, 'and none is left');
});
