import { unavailable } from '../../runtime/errors.ts';

/** `subscriptions` of a source (declarations.md, section 10). */
export interface AdmissionLimits {
  readonly max_subscriptions: number;
  readonly max_snapshots: number;
  readonly max_bytes: number;
}

/** How many streams a source serves at once, and what their backlogs may come to. */
export class Admission {
  readonly #limits: AdmissionLimits;
  #active = 0;
  #snapshots = 0;
  #reserved = 0;
  #rejected = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** `admission` of SourceInfo. */
  get state(): { active: number; snapshots: number; reserved_bytes: number; rejected: number } {
    return {
      active: this.#active,
      snapshots: this.#snapshots,
      reserved_bytes: this.#reserved,
      rejected: this.#rejected,
    };
  }

  /** Returns what gives the place back. @throws CallError Unavailable naming the limit. */
  claim(maxBytes: number): () => void {
    const { max_subscriptions: places, max_bytes: bytes } = this.#limits;
    if (this.#active >= places) this.#refuse(`subscriptions.max_subscriptions (${places})`);
    if (this.#reserved + maxBytes > bytes) this.#refuse(`subscriptions.max_bytes (${bytes})`);
    this.#active += 1;
    this.#reserved += maxBytes;
    return once(() => {
      this.#active -= 1;
      this.#reserved -= maxBytes;
    });
  }

  /** The same for the time that a snapshot takes. */
  claimSnapshot(): () => void {
    const { max_snapshots: places } = this.#limits;
    if (this.#snapshots >= places) this.#refuse(`subscriptions.max_snapshots (${places})`);
    this.#snapshots += 1;
    return once(() => {
      this.#snapshots -= 1;
    });
  }

  #refuse(limit: string): never {
    this.#rejected += 1;
    throw unavailable(`the cdc source has no room for another stream: ${limit} is reached`);
  }
}

const once = (body: () => void): (() => void) => {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    body();
  };
};
