/** PostgreSQL cuts longer names off. */
const LONGEST = 63;
/** Written into statements as it stands, so that case folds as in the statement that made the table. */
const NAME = /^[\p{L}_][\p{L}\p{N}_$]*$/u;
/** What neither SQLite nor PostgreSQL takes for a name without quotes, and the verbs; `key` and `value` are free in both. */
const RESERVED = new Set(
  `add all alter analyse analyze and any array as asc asymmetric between both by case cast check collate column commit
   constraint create cross current_catalog current_date current_role current_time current_timestamp current_user default
   deferrable delete desc distinct do drop else end escape except exec execute exists false fetch for foreign from full
   grant group having if in index initially inner insert intersect into is isnull join lateral leading left like limit
   localtime localtimestamp natural not nothing notnull null offset on only or order outer placing primary references
   returning revoke right rollback select session_user set similar some symmetric table then to trailing transaction
   trigger true truncate union unique update user using values variadic view when where window with`.split(/\s+/),
);

const isName = (text: string): boolean =>
  text.length <= LONGEST && NAME.test(text) && !RESERVED.has(text.toLowerCase());

export const isColumnName = isName;
/** Also `schema.table`. */
export const isTableName = (text: string): boolean => {
  const parts = text.split('.');
  return parts.length <= 2 && parts.every(isName);
};
