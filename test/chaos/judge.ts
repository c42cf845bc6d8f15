import type { Fault } from './faults.ts';
import { type Entry, isPoison } from './ledger.ts';
import { type Attempt, isOnce, rowsOf } from './load.ts';
import type { Life } from './stage.ts';

/** All that is known when a run is over. */
export interface Evidence {
  readonly publishes: readonly Attempt[];
  readonly commits: readonly Attempt[];
  readonly entries: readonly Entry[];
  /** Ids in the table: what was committed, whoever heard of it. */
  readonly rows: readonly number[];
  readonly faults: readonly Fault[];
  readonly lives: readonly Life[];
}

/** Something that was acknowledged and is gone, or that nobody has ever asked for. */
export interface Loss {
  readonly what: string;
  /** When it was acknowledged, where it was. */
  readonly at: number;
}
/** A handling that was not the first of its message or change. */
export interface Duplicate {
  readonly what: 'message' | 'change';
  readonly earlier: Handling;
  readonly later: Handling;
}
export type Handling = Pick<Entry, 'n' | 'key' | 'life' | 'at' | 'position'>;
export interface Judgement {
  readonly losses: readonly Loss[];
  readonly duplicates: readonly Duplicate[];
  /** What duplicates are allowed: each end of the program allows some. */
  readonly bounds: readonly Bound[];
  /** Duplicates that no bound allows. */
  readonly excess: readonly Duplicate[];
}
export interface Bound {
  readonly life: number;
  /** Messages: one for each worker. A worker takes its next message when Redis has taken the settlement of the one before. */
  readonly messages: number;
  /** Changes before this position were confirmed: they may not come again. */
  readonly confirmed: bigint;
  /** So many behind it had been handled. */
  readonly changes: number;
}

/**
 * Changes that may be handled and not confirmed when the program ends: those behind one that is still in hand, those whose
 * confirmation has not left, and, where the server has died too, those of the second since the position was written down.
 * A source hands on no more than so many changes before it waits for their handlers.
 */
const MOST_UNCONFIRMED = 1000;

export const judge = (evidence: Evidence, workers: number): Judgement => {
  const duplicates = duplicatesOf(evidence.entries);
  const bounds = boundsOf(evidence, workers);
  return { losses: lossesOf(evidence), duplicates, bounds, excess: excessOf(duplicates, bounds) };
};

const lossesOf = ({ publishes, commits, entries, rows }: Evidence): readonly Loss[] => {
  const handledKeys = new Set<string>();
  const handledMessages = new Map<number, Set<string>>();
  const handledRows = new Set<number>();
  const buried = new Set<number>();
  for (const { what, n, key, messageId } of entries) {
    if (what === 'change') handledRows.add(n);
    else {
      handledKeys.add(key);
      handledMessages.set(n, (handledMessages.get(n) ?? new Set()).add(messageId));
      if (what === 'dead') buried.add(n);
    }
  }
  const losses: Loss[] = [];
  const report = (what: string, at = 0): void => void losses.push({ what, at });

  const asked = new Set(publishes.map(({ key }) => key));
  for (const { n, key, acknowledgedAt } of publishes) {
    if (acknowledgedAt === undefined) continue;
    // With an idempotency key the message is that of whichever attempt came first.
    const isHandled = isOnce(n) ? handledMessages.has(n) : handledKeys.has(key);
    if (!isHandled) report(`message ${key} was acknowledged and never handled`, acknowledgedAt);
  }
  for (const [n, ids] of handledMessages) {
    if (isOnce(n) && ids.size > 1) report(`message ${n} was stored ${ids.size} times in spite of its idempotency key`);
  }
  for (const key of handledKeys) if (!asked.has(key)) report(`message ${key} was handled and never published`);
  for (const n of buried) if (!isPoison(n)) report(`message ${n} went to the dead letters though it can be handled`);

  const stored = new Set(rows);
  for (const { n, acknowledgedAt } of commits) {
    if (acknowledgedAt === undefined) continue;
    const missing = rowsOf(n).filter((row) => !stored.has(row));
    if (missing.length > 0) report(`rows ${missing} were acknowledged and are not in the table`, acknowledgedAt);
  }
  const committedAt = new Map(
    commits.flatMap(({ n, acknowledgedAt = 0 }) => rowsOf(n).map((row) => [row, acknowledgedAt] as const)),
  );
  for (const row of rows) {
    if (!handledRows.has(row)) report(`row ${row} was committed and its change never handled`, committedAt.get(row));
  }
  for (const row of handledRows) if (!stored.has(row)) report(`a change of row ${row} was handled, which is not there`);
  return losses;
};

const duplicatesOf = (entries: readonly Entry[]): readonly Duplicate[] => {
  const last = new Map<string, Handling>();
  const duplicates: Duplicate[] = [];
  for (const { what, n, key, messageId, life, at, position } of entries) {
    const id = what === 'change' ? `row ${n}` : messageId;
    const earlier = last.get(id);
    const later = { n, key, life, at, position };
    if (earlier !== undefined) duplicates.push({ what: what === 'change' ? 'change' : 'message', earlier, later });
    last.set(id, later);
  }
  return duplicates;
};

const boundsOf = ({ entries, lives }: Evidence, workers: number): readonly Bound[] =>
  lives.slice(1).map(({ confirmed }, life) => {
    const isOpen = (one: Entry): boolean => one.what === 'change' && one.life === life && one.position >= confirmed;
    return { life, messages: workers, confirmed, changes: entries.filter(isOpen).length };
  });

/** Each duplicate takes one place of an end between its two handlings; what one process handles twice has none. */
const excessOf = (duplicates: readonly Duplicate[], bounds: readonly Bound[]): readonly Duplicate[] => {
  const left = bounds.map(({ messages }) => messages);
  return duplicates.filter(({ what, earlier, later }) => {
    const place = bounds.findIndex(
      ({ life, confirmed, changes }, i) =>
        earlier.life <= life &&
        life < later.life &&
        (what === 'change' ? earlier.position >= confirmed && changes <= MOST_UNCONFIRMED : (left[i] as number) > 0),
    );
    if (place < 0) return true;
    if (what === 'message') left[place] = (left[place] as number) - 1;
    return false;
  });
};
