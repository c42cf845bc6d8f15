import type { LogShape } from '../../sql/port.ts';
import { changeFilter } from '../filter.ts';
import type { KeysOfTable } from './rows.ts';

/** Which tables of a database an entry captures, as they were when they were looked at last. */
export interface CapturedTables {
  learn(shapes: readonly LogShape[]): void;
  names(): readonly string[];
  readonly keys: KeysOfTable;
  /** Of those that the entry lists. */
  missing(): readonly string[];
}

const probe = { source: '', source_id: '', op: 'insert', schema: 'main', lsn: '' } as const;

export const capturedTables = (listed: readonly string[] | undefined): CapturedTables => {
  const wants = changeFilter(listed === undefined ? {} : { tables: listed });
  const keys = new Map<string, readonly string[]>();
  return {
    learn(shapes) {
      keys.clear();
      for (const { table, primaryKey } of shapes) {
        if (wants({ ...probe, table, relation: table })) keys.set(table, primaryKey);
      }
    },
    names: () => [...keys.keys()],
    keys: (table) => keys.get(table),
    missing() {
      const found = new Set([...keys.keys()].map((table) => table.toLowerCase()));
      return (listed ?? []).filter((name) => !found.has(name.toLowerCase().replace(/^main\./, '')));
    },
  };
};
