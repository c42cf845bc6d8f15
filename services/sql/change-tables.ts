/** Whether a list names a table, as `table` or `main.table`, whatever its case; no list names all. */
export const changeTables = (tables: readonly string[] | undefined): ((table: string) => boolean) => {
  if (tables === undefined) return () => true;
  const wanted = new Set(tables.map((name) => name.trim().toLowerCase()));
  return (table) => wanted.has(table.toLowerCase()) || wanted.has(`main.${table.toLowerCase()}`);
};
