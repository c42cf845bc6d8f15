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
  const hasTable = ({ schema, relation, table }: Change): boolean => {
    if (wantedTables === undefined) return true;
    let wanted = known.get(relation);
    if (wanted === undefined) {
      // The relation of SQLite is the table alone, which may be asked for with its schema all the same.
      const names = [relation, table, `${schema}.${table}`];
      wanted = names.some((name) => wantedTables.has(name.toLowerCase()));
      known.set(relation, wanted);
    }
    return wanted;
  };
  return (change) => (wantedOps === undefined || wantedOps.has(change.op)) && hasTable(change);
};
