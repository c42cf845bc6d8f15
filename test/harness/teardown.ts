/** What ends things that a test started: tap's `t`, or the list of a script. */
export interface Scope {
  teardown(end: () => void | Promise<unknown>): void;
}

/** A scope for scripts: `end` runs the teardowns, last registered first, and joins what they throw. */
export const scriptScope = (): Scope & { end(): Promise<void> } => {
  const ends: (() => void | Promise<unknown>)[] = [];
  return {
    teardown: (end) => {
      ends.push(end);
    },
    async end() {
      const errors: unknown[] = [];
      for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
        try {
          await end();
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw new AggregateError(errors, 'teardown failed');
    },
  };
};
