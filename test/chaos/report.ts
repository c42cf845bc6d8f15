import type { Duplicate, Loss } from './judge.ts';
import type { ChaosResult } from './run.ts';

const COLUMNS = ['#', 'fault', 'at', 'under way', 'mended', 'works', 'lost', 'twice'] as const;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const padded = (rows: readonly (readonly string[])[]): string[] => {
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`);
};

/**
 * The faults and what each of them cost. A loss belongs to the first fault after its acknowledgement, a duplicate to the
 * last one before its second handling.
 */
export const faultTable = ({ evidence: { faults }, judgement, startedAt }: ChaosResult): string => {
  const lossOf = ({ at }: Loss): number => faults.findIndex((fault) => fault.recoveredAt >= at);
  const duplicateOf = ({ later }: Duplicate): number => faults.findLastIndex((fault) => fault.at <= later.at);
  const count = <T>(all: readonly T[], of: (one: T) => number, i: number): string =>
    String(all.filter((one) => of(one) === i).length);
  const rows = faults.map(({ kind, at, repairedAt, recoveredAt, underWay }, i) => [
    String(i + 1),
    kind,
    seconds(at - startedAt),
    `${underWay.publishes} publishes, ${underWay.commits} commits, ${underWay.handlers} handlers, ${underWay.backlog} waiting`,
    seconds(repairedAt - at),
    seconds(recoveredAt - at),
    count(judgement.losses, lossOf, i),
    count(judgement.duplicates, duplicateOf, i),
  ]);
  return padded([COLUMNS, COLUMNS.map((name) => '-'.repeat(name.length)), ...rows]).join('\n');
};

/** What came of it, a line each. */
export const summaryOf = (result: ChaosResult): string => {
  const { evidence, judgement, joined } = result;
  const acknowledged = (attempts: readonly { acknowledgedAt: number | undefined }[]): number =>
    attempts.filter(({ acknowledgedAt }) => acknowledgedAt !== undefined).length;
  const twice = (what: Duplicate['what']): number => judgement.duplicates.filter((one) => one.what === what).length;
  const bound = judgement.bounds.reduce((sum, { messages }) => sum + messages, 0);
  const changeBound = judgement.bounds.reduce((sum, { changes }) => sum + changes, 0);
  const kills = judgement.bounds.length;
  return [
    `${acknowledged(evidence.publishes)} messages acknowledged in ${evidence.publishes.length} attempts, ${evidence.rows.length} rows committed in ${evidence.commits.length} attempts, ${result.seconds.toFixed(0)} s`,
    `${judgement.losses.length} lost`,
    `${twice('message')} messages handled twice (at most ${bound}: ${kills} ends of the program), ${twice('change')} changes (at most ${changeBound}: handled and not confirmed at those)`,
    `${joined.messages} message traces and ${joined.changes} change traces joined, ${joined.broken.length} broken, ${joined.unsent} spans lost with their process`,
    `${result.leftovers.length} gauges or counts not back at 0`,
  ].join('\n');
};
