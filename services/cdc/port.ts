import { type PortKey, portKey } from '../../runtime/env.ts';

/** What the writers of a database need to know of change capture. */
export interface ChangeCapture {
  /**
   * Whether a source of this program reads this database, or stands by to read it: its transactions are worth marking with their
   * trace context (extensions.md, section 8). By the text of `databaseIdentity`.
   */
  reads(identity: string): boolean;
}
/** Nobody provides it where `surfaces.cdc` is off: ask with `find`. */
export const CDC: PortKey<ChangeCapture> = portKey('cdc');

/** The prefix of the logical message that carries a transaction's `traceparent`. */
export const TRACE_MESSAGE = 'perilune.trace';
