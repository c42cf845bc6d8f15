import type { Change, Op } from './change.ts';

/** Which changes someone wants. Absent lists mean everything. */
export interface Filter {
  /** `schema.table` or `table`, whatever their case. */
  readonly tables?: readonly string[];
  readonly ops?: readonly Op[];
}

/** The filter as a function of one change. */
export const changeFilter = ({ tables, ops }: Filter): ((change: Change) => boolean) => {
  const wantedTables = tables === undefined ? undefined : new Set(tables.map((name) => name.trim().toLowerCase()));
  const wantedOps = ops === undefined ? undefined : new Set<Op>(ops);
  // A table's name is looked up once, not once a change.
  const known = new Map<string, boolean>();
  const hasTable = ({ relation, table }: Change): boolean => {
    if (wantedTables === undefined) return true;
    let wanted = known.get(relation);
    if (wanted === undefined) {
      wanted = wantedTables.has(relation.toLowerCase()) || wantedTables.has(table.toLowerCase());
      known.set(relation, wanted);
    }
    return wanted;
  };
  return (change) => (wantedOps === undefined || wantedOps.has(change.op)) && hasTable(change);
};
