/** Where the cells of a series begin. Branded, so that no other number fits. */
export type Slot = number & { readonly [slot]: true };
declare const slot: unique symbol;

/**
 * The numbers of all series, in one array that only ever grows. Cells of a series, in this order:
 * version, value (histograms: sum), one count per bucket (histograms), and a pair of value and time for every place
 * that can hold an exemplar.
 */
export interface Slots {
  /** Replaced when it grows: read it anew on each use, never keep it. */
  cells: Float64Array;
  /** A run of cells that are 0. */
  allocate(size: number): Slot;
}

/** Goes up by one with every change; 0 is "never used". */
export const VERSION = 0;
export const VALUE = 1;
/** The first bucket's count. */
export const BUCKETS = 2;

const INITIAL_CELLS = 4096;

export const createSlots = (initialCells = INITIAL_CELLS): Slots => {
  let used = 0;
  const slots: Slots = {
    cells: new Float64Array(initialCells),
    allocate(size) {
      const at = used;
      used += size;
      if (used > slots.cells.length) {
        const grown = new Float64Array(Math.max(used, slots.cells.length * 2));
        grown.set(slots.cells);
        slots.cells = grown;
      }
      return at as Slot;
    },
  };
  return slots;
};
