/** One change to the text of one of fengari's files. */
export interface Patch {
  /** File name within fengari's `src`. */
  readonly file: string;
  readonly pattern: string;
  readonly replacement: string;
  /** How often the pattern must occur. Default 1. */
  readonly times?: number;
}
