/** The longest Lua string: concatenation, `string.rep`, `table.concat` and all other building ends there. */
export const MAX_STRING_BYTES = 256 * 1024 * 1024;

/**
 * How many steps one `find`, `match`, `gsub` or step of `gmatch` may take. Patterns like fifteen `a*` on thirty `a`
 * have no end otherwise. Linear patterns need a few steps per byte, so that long subjects get more.
 */
export const patternSteps = (subjectBytes: number): number => 10_000_000 + 16 * subjectBytes;

/** Steps of a match between two of its looks at what is left: see `moreSteps`. */
export const PATTERN_SLICE = 10_000;
