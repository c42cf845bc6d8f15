import { setTimeout as wait } from 'node:timers/promises';
import type { Scope } from '../harness/teardown.ts';
import { causeFaults, type Fault } from './faults.ts';
import { type Evidence, type Judgement, judge } from './judge.ts';
import { leftovers, markEnd } from './leftovers.ts';
import { startLoad } from './load.ts';
import { type FaultKind, faultPlan } from './plan.ts';
import { seededRandom } from './random.ts';
import { type Defects, SPAN_DELAY_MS, type Stage, startStage, WORKERS } from './stage.ts';
import { type Joined, joinedTraces } from './traces.ts';

export interface ChaosOptions {
  /** The same seed: the same faults in the same order, at the same points of the work. */
  readonly seed: number;
  readonly messages: number;
  readonly rows: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly defects?: Defects;
  readonly tell?: (text: string) => void;
}
export interface ChaosResult {
  readonly evidence: Evidence;
  readonly judgement: Judgement;
  readonly joined: Joined;
  /** What had not come back to 0 in the end. */
  readonly leftovers: readonly string[];
  /** Of the first request. */
  readonly startedAt: number;
  readonly seconds: number;
}

/** Nothing has been handled for so long: what is missing then does not come. Takeovers and retries need less. */
const SILENCE_MS = 10_000;
const SETTLED_WITHIN_MS = 30_000;
/** Spans wait for their batch, and the batch for its answer, on a machine that has other things to do. */
const UNSENT_MS = SPAN_DELAY_MS + 2000;

const countHandled = ({ ledger }: Stage): number => ledger.entries.length;

/** Until nothing is missing, or nothing comes any more. */
const untilHandled = async (stage: Stage, evidence: () => Promise<Evidence>): Promise<void> => {
  let since = performance.now();
  for (let count = -1; performance.now() - since < SILENCE_MS; await wait(100)) {
    if (countHandled(stage) !== count) {
      count = countHandled(stage);
      since = performance.now();
    } else if (performance.now() - since > 500 && judge(await evidence(), 0).losses.length === 0) return;
  }
};
const untilSettled = async (stage: Stage): Promise<readonly string[]> => {
  const due = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const left = await leftovers(stage);
    if (left.length === 0 || performance.now() > due) return left;
    await wait(200);
  }
};

/** One run: the load, the faults, and what is there when everything has come to rest. */
export const runChaos = async (scope: Scope, options: ChaosOptions): Promise<ChaosResult> => {
  const { seed, messages, rows, tell = () => {} } = options;
  const plan = faultPlan(seededRandom(seed), options.faults, messages + rows);
  const stage = await startStage(scope, seed, options.defects);
  const startedAt = performance.now();
  const url = (): string | undefined => stage.program?.url('CHAOS_PORT');
  const pace = { acknowledged: plan[0]?.after ?? Number.POSITIVE_INFINITY };
  const load = startLoad(url, seededRandom(seed + 2), { messages, rows }, pace);
  scope.teardown(() => load.stop());
  const told = ({ kind, at, repairedAt, recoveredAt }: Fault): void => {
    const [s, repaired, back] = [at - startedAt, repairedAt - at, recoveredAt - at].map((ms) => (ms / 1000).toFixed(1));
    tell(`${s} s, ${load.acknowledged} acknowledged: ${kind}, mended after ${repaired} s, works after ${back} s`);
  };
  const faults = await causeFaults(stage, load, plan, pace, told);
  await load.done;
  await markEnd(stage);
  const evidence = async (): Promise<Evidence> => ({
    publishes: load.publishes,
    commits: load.commits,
    entries: [...stage.ledger.entries],
    rows: (await stage.postgres.run<{ id: number }>('SELECT id FROM items ORDER BY id')).map(({ id }) => id),
    faults,
    lives: stage.lives,
  });
  await untilHandled(stage, evidence);
  const left = await untilSettled(stage);
  const seconds = (performance.now() - startedAt) / 1000;
  await stage.program?.stop(); // its last spans arrive
  const found = await evidence();
  const judgement = judge(found, WORKERS.job + WORKERS.dead);
  const joined = joinedTraces(found, stage.collector.spans(), UNSENT_MS);
  return { evidence: found, judgement, joined, leftovers: left, startedAt, seconds };
};
