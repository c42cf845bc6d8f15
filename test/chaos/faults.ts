import { setTimeout as wait } from 'node:timers/promises';
import { poll } from '../harness/poll.ts';
import { signalled } from '../harness/postgres.ts';
import { batchOf, type Load, type Pace } from './load.ts';
import type { FaultKind, PlannedFault } from './plan.ts';
import type { Stage } from './stage.ts';

/** A fault that has happened. Times are performance.now(). */
export interface Fault {
  readonly kind: FaultKind;
  readonly at: number;
  /** The processes and the network are as before. */
  readonly repairedAt: number;
  /** Something that was published after it is handled, and something that was committed after it. */
  readonly recoveredAt: number;
  readonly underWay: {
    /** Requests of the harness. */
    readonly publishes: number;
    readonly commits: number;
    /** Handlers at work. */
    readonly handlers: number;
    /** Acknowledged, and not handled yet. */
    readonly backlog: number;
  };
}

type Break = (stage: Stage, downMs: number) => Promise<void>;

const killRedis: Break = async ({ redis, redisProxy }, downMs) => {
  await Promise.all([redis.kill(), redisProxy.close()]);
  await wait(downMs);
  await redis.restart();
  await redisProxy.open();
};
const killPostgres: Break = async ({ postgres, postgresProxy }, downMs) => {
  await Promise.all([postgres.kill?.(), postgresProxy.close()]);
  await wait(downMs);
  await postgres.start?.();
  await postgresProxy.open();
};
const killProgram: Break = async (stage) => {
  await stage.killProgram();
  await stage.startProgram();
};
const signalPostgres = ({ postgres }: Stage, signal: NodeJS.Signals): void => {
  for (const pid of postgres.processes?.() ?? []) signalled(pid, signal);
};

const BREAKS: Readonly<Record<FaultKind, Break>> = {
  'kill program': killProgram,
  'kill redis': killRedis,
  'kill postgres': killPostgres,
  /** The one that sends the changes; the server ends all others by itself and recovers. */
  async 'kill postgres backend'({ postgres }) {
    const sender = await poll('changes are sent', async () => {
      const [row] = await postgres.run<{ pid: number }>('SELECT pid FROM pg_stat_replication');
      return row?.pid;
    });
    signalled(sender, 'SIGKILL');
    await poll('PostgreSQL has recovered', async () => (await postgres.run('SELECT 1')).length === 1);
  },
  async 'kill redis and program'(stage, downMs) {
    const killed = stage.killProgram();
    await killRedis(stage, downMs);
    await killed;
    await stage.startProgram();
  },
  async 'kill postgres and program'(stage, downMs) {
    const killed = stage.killProgram();
    await killPostgres(stage, downMs);
    await killed;
    await stage.startProgram();
  },
  async 'pause program'({ program }, downMs) {
    program?.signal('SIGSTOP');
    await wait(downMs);
    program?.signal('SIGCONT');
  },
  async 'pause redis'({ redis }, downMs) {
    redis.signal('SIGSTOP');
    await wait(downMs);
    redis.signal('SIGCONT');
  },
  async 'pause postgres'(stage, downMs) {
    signalPostgres(stage, 'SIGSTOP');
    await wait(downMs);
    signalPostgres(stage, 'SIGCONT');
  },
  async 'cut redis'({ redisProxy }) {
    redisProxy.cut();
  },
  async 'cut postgres'({ postgresProxy }) {
    postgresProxy.cut();
  },
};

const RECOVERY_MS = 45_000;

/** Whether both ways work for what began after `at`. */
const hasRecovered = ({ ledger }: Stage, load: Load, at: number): boolean => {
  const isAfter = ({ startedAt, acknowledgedAt }: { startedAt: number; acknowledgedAt: number | undefined }): boolean =>
    startedAt > at && acknowledgedAt !== undefined;
  const since = ledger.entries.filter((entry) => entry.at > at);
  const published = new Set(load.publishes.filter(isAfter).map(({ key }) => key));
  const committed = new Set(load.commits.filter(isAfter).map(({ n }) => n));
  return (
    since.some(({ what, key }) => what === 'job' && published.has(key)) &&
    since.some(({ what, n }) => what === 'change' && committed.has(batchOf(n)))
  );
};

/** Breaks it, mends it, waits until it works. @throws Error when it does not. */
const happen = async (stage: Stage, load: Load, { kind, downMs }: PlannedFault): Promise<Fault> => {
  const handled = new Set(stage.ledger.entries.map(({ what, n }) => `${what === 'change'} ${n}`)).size;
  const underWay = {
    publishes: load.publishing,
    commits: load.committing,
    handlers: stage.ledger.inHand,
    backlog: Math.max(0, load.acknowledged - handled),
  };
  const at = performance.now();
  await BREAKS[kind](stage, downMs);
  const repairedAt = performance.now();
  let isOver = false;
  void load.done.then(() => {
    isOver = true;
  });
  await poll(`it works again after: ${kind}`, () => isOver || hasRecovered(stage, load, at), {
    deadlineMs: RECOVERY_MS,
    everyMs: 25,
  });
  return { kind, at, repairedAt, recoveredAt: performance.now(), underWay };
};

/** Work that there has to be for a recovery to be seen, whatever comes next. */
const ROOM = 250;

/** One after the other, each at its point or as soon as all works again. What is left when the work is done does not happen. */
export const causeFaults = async (
  stage: Stage,
  load: Load,
  plan: readonly PlannedFault[],
  pace: Pace,
  tell: (fault: Fault) => void,
): Promise<readonly Fault[]> => {
  const faults: Fault[] = [];
  let isOver = false;
  const over = load.done.then(() => {
    isOver = true;
  });
  for (const [i, planned] of plan.entries()) {
    while (!isOver && load.acknowledged < planned.after) await Promise.race([over, wait(2)]);
    await wait(planned.delayMs);
    if (isOver) break;
    pace.acknowledged = Math.max(load.acknowledged + ROOM, plan[i + 1]?.after ?? Number.POSITIVE_INFINITY);
    const fault = await happen(stage, load, planned);
    faults.push(fault);
    tell(fault);
  }
  pace.acknowledged = Number.POSITIVE_INFINITY;
  return faults;
};
