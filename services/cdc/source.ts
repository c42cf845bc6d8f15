import type { HostValue } from '../../runtime/lua/values.ts';
import type { Admission } from './admission.ts';
import type { Captured } from './change.ts';
import type { Faults } from './fault.ts';
import type { ChangeHub } from './hub.ts';

export const SOURCE_STATES = ['unknown', 'starting', 'running', 'faulted', 'stopped'] as const;
export type SourceState = (typeof SOURCE_STATES)[number];

/** `capabilities` of SourceInfo (lua/cdc.md, section 1). */
export type Capabilities = {
  readonly snapshot: boolean;
  readonly durable: boolean;
  readonly replayable: boolean;
  readonly captures_external_writes: boolean;
  readonly before_images: boolean;
  readonly coalesced: boolean;
};

/** What consumers and streams see of a `db.cdc.*` entry. */
export interface CdcSource {
  readonly id: string;
  readonly kind: string;
  /** Of SourceInfo. */
  readonly name: string;
  /** Empty where there is none. */
  readonly slot: string;
  /** The value of the label. */
  readonly label: string;
  /** `db.system.name` and `db.namespace` of spans. */
  readonly system: string;
  readonly database: string;
  readonly hub: ChangeHub;
  readonly admission: Admission;
  readonly faults: Faults;
  readonly state: SourceState;
  /** Fields of SourceInfo that only this kind has. */
  details(): Readonly<Record<string, HostValue>>;
  readonly capabilities: Capabilities;
  /**
   * Reads the rows that are there now, in the order of tables, and returns the position that they show: later commits are
   * not in them, earlier ones all are.
   */
  snapshot(options: SnapshotOptions): Promise<bigint>;
}

export interface SnapshotOptions {
  /** Whether the rows of a table are wanted. */
  readonly wants: (schema: string, table: string) => boolean;
  /** Waits for room by itself. */
  readonly row: (captured: Captured) => void | Promise<void>;
  readonly signal: AbortSignal;
}

/** SourceInfo (lua/cdc.md, section 1). */
export const sourceInfo = (source: CdcSource): HostValue => ({
  name: source.name,
  id: source.id,
  kind: source.kind,
  slot: source.slot,
  state: source.state,
  faulted: source.state === 'faulted',
  ...(source.faults.current !== undefined && { error: source.faults.current }),
  capabilities: source.capabilities,
  admission: source.admission.state,
  ...source.details(),
});
