import { type PortKey, portKey } from '../../runtime/env.ts';

/** What the writers of a database need to know of change capture. */
export interface ChangeCapture {
  /**
   * Whether a source that is running reads this database: its transactions are worth marking with their trace context
   * (extensions.md, section 8).
   */
  reads(address: { readonly host: string; readonly port: number; readonly database: string }): boolean;
}
/** Nobody provides it where `surfaces.cdc` is off: ask with `find`. */
export const CDC: PortKey<ChangeCapture> = portKey('cdc');

/** The prefix of the logical message that carries a transaction's `traceparent`. */
export const TRACE_MESSAGE = 'perilune.trace';
