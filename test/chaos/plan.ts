import type { Random } from './random.ts';

/** What can go wrong. `kill` is SIGKILL, `pause` SIGSTOP until `downMs` later, `cut` a network that swallows all bytes of open connections. */
export const FAULT_KINDS = [
  'kill program',
  'kill redis',
  'kill postgres',
  'kill postgres backend',
  'kill redis and program',
  'kill postgres and program',
  'pause program',
  'pause redis',
  'pause postgres',
  'cut redis',
  'cut postgres',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface PlannedFault {
  readonly kind: FaultKind;
  /** It happens when so many publishes and rows are acknowledged, both together... */
  readonly after: number;
  /** ... and so many milliseconds later, so that it hits any moment of a call. */
  readonly delayMs: number;
  /** How long a server stays away, or is paused. */
  readonly downMs: number;
}

/** Faults happen between these parts of the work: what comes after the last one shows that all is well again. */
const FIRST_AT = 0.02;
const LAST_AT = 0.9;
/** Longer than the app's visibility timeout: whoever sleeps so long must not lose what it holds to itself. */
const LONG_PAUSE_MS = 4000;

/** The kinds in random order, at random points of `operations` acknowledgements. */
export const faultPlan = (
  random: Random,
  counts: Readonly<Partial<Record<FaultKind, number>>>,
  operations: number,
): readonly PlannedFault[] => {
  const kinds = FAULT_KINDS.flatMap((kind) => Array.from({ length: counts[kind] ?? 0 }, () => kind));
  for (let i = kinds.length - 1; i > 0; i -= 1) {
    const j = random.between(0, i);
    [kinds[i], kinds[j]] = [kinds[j] as FaultKind, kinds[i] as FaultKind];
  }
  const points = kinds.map(() => Math.floor(operations * (FIRST_AT + random.next() * (LAST_AT - FIRST_AT))));
  points.sort((a, b) => a - b);
  return kinds.map((kind, i) => ({
    kind,
    after: points[i] as number,
    delayMs: random.between(0, 50),
    downMs: kind === 'pause program' ? LONG_PAUSE_MS : random.between(100, 1500),
  }));
};
