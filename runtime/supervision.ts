import { type PortKey, portKey } from './env.ts';

/** What a supervised entry is doing (processes-declarations.md, section 5). */
export const SERVICE_STATUSES = ['unknown', 'starting', 'running', 'stopping', 'stopped', 'exited', 'failed'] as const;
export type ServiceStatus = (typeof SERVICE_STATUSES)[number];

/**
 * One supervised entry, as `system.supervisor` shows it. `starting` lasts until it runs, also while a restart is waited
 * for; `failed` is for good; `exited` ended by itself without an error.
 * Times in milliseconds since the epoch; 0 before the first.
 */
export interface ServiceState {
  readonly id: string;
  readonly status: ServiceStatus;
  readonly desired: 'running' | 'stopped';
  /** Restarts since it last ran for `stable_threshold`, the one that is waited for included. */
  readonly retryCount: number;
  readonly lastUpdate: number;
  readonly startedAt: number;
  /** The last error's text; empty when there was none. */
  readonly details: string;
}

/** What starts, watches, restarts and stops the components of the program. */
export interface Supervisor {
  state(id: string): ServiceState | undefined;
  /** Ordered by id. */
  states(): readonly ServiceState[];
  /** Begins the graceful stop; the program ends with this code. The first call wins. */
  exit(code: number): void;
}
export const SUPERVISOR: PortKey<Supervisor> = portKey('supervisor');
