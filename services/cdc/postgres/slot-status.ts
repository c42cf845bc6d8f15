import type { Env } from '../../../runtime/env.ts';
import { EVENTS } from '../../events/port.ts';
import type { Fault, Faults } from '../fault.ts';
import type { PostgresConfig } from '../kinds.ts';
import { type Session, wantedTables } from './session.ts';

/** So long a reading may take before the ticks that find it unanswered count. */
const UNANSWERED_SECONDS = 5;

/** What is asked for every `status_interval`; a tick that fails is counted once (rule 76). */
export interface SlotStatus {
  /** Bytes of log that the server kept when it was asked last: that the number is old, errors and being degraded say. */
  readonly retained: number | undefined;
  /** What the server keeps for us, and whether there is anything to capture. Never rejects. */
  read(at: Session): Promise<void>;
}

export interface SlotStatusOptions {
  readonly config: PostgresConfig;
  readonly faults: Faults;
  /** Whether the source still uses it: the end of one that it does not is told where the session ends. */
  readonly isCurrent: (at: Session) => boolean;
}

export const slotStatus = (env: Env, { config, faults, isCurrent }: SlotStatusOptions): SlotStatus => {
  const { clock } = env;
  const { slot_name: slot, event_system: system } = config;
  let retained: number | undefined;
  let reading: { readonly of: Session; readonly since: number } | undefined;

  const unreadable = (error: unknown, kind: Fault['kind']): void =>
    faults.report({ message: 'the state of the slot could not be read', error, kind, lasting: 'state' });
  const ask = async ({ database, publication }: Session): Promise<void> => {
    retained = await database.retained(slot);
    const data = { slot, retained_wal_bytes: retained ?? 0 };
    env.find(EVENTS)?.send({ system, kind: 'status', path: slot, data });
    const tables = (await database.publishedTables(publication))?.filter(wantedTables(config)) ?? [];
    if (tables.length > 0) {
      faults.recovered('tables');
      return;
    }
    const error = new Error(
      `publication "${publication}" holds none of the tables: nothing is captured. Add them: ALTER PUBLICATION "${publication}" ADD TABLE ...`,
    );
    faults.report({ message: 'change capture has no tables', error, kind: 'init', lasting: 'tables' });
  };

  return {
    get retained() {
      return retained;
    },
    async read(at) {
      if (reading?.of === at) {
        const seconds = (clock.now() - reading.since) / 1000;
        if (seconds < UNANSWERED_SECONDS) return;
        unreadable(new Error(`the server has not answered for ${Math.round(seconds)} s`), 'timeout');
        return;
      }
      const mine = { of: at, since: clock.now() };
      reading = mine;
      try {
        await ask(at);
        faults.recovered('state');
      } catch (error) {
        if (isCurrent(at)) unreadable(error, 'read');
      } finally {
        if (reading === mine) reading = undefined;
      }
    },
  };
};
