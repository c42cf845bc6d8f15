/**
 * The numbers of the series of one set of label names: a row of cells each. Cells of a row, in this order: version, value
 * (histograms: sum), start time in milliseconds since the epoch, and one count per bucket (histograms).
 */
export interface SeriesRows {
  /** Cells a row has. */
  readonly width: number;
  /** A row of zeros at the end. */
  add(): void;
  /** Where the cells of a row are: this array never moves, so a handle keeps it. */
  chunkOf(row: number): Float64Array;
  /** All rows as they are now: a few block copies, whatever the number of series. */
  copy(): RowCopy;
}

/** Rows at one moment. */
export interface RowCopy {
  chunkOf(row: number): Float64Array;
}

/** Goes up by one with every change; 0 is "never used". */
export const VERSION = 0;
export const VALUE = 1;
export const START = 2;
/** The first bucket's count. */
export const BUCKETS = 3;

// Most metrics have few series: the first chunk is small. Later ones are large enough that their own cost does not show.
const FIRST_ROWS = 4;
const CHUNK_BITS = 8;
const CHUNK_ROWS = 1 << CHUNK_BITS;

/** Where the cells of a row begin in its chunk. */
export const cellOf = (row: number, width: number): number =>
  (row < FIRST_ROWS ? row : (row - FIRST_ROWS) & (CHUNK_ROWS - 1)) * width;

const chunkIn = (chunks: readonly Float64Array[], row: number): Float64Array =>
  chunks[row < FIRST_ROWS ? 0 : 1 + ((row - FIRST_ROWS) >> CHUNK_BITS)] as Float64Array;

export const seriesRows = (buckets: number): SeriesRows => {
  const width = BUCKETS + buckets;
  const chunks: Float64Array[] = [];
  let size = 0;
  return {
    width,
    add() {
      if (size === 0) chunks.push(new Float64Array(FIRST_ROWS * width));
      else if (size >= FIRST_ROWS && cellOf(size, width) === 0) chunks.push(new Float64Array(CHUNK_ROWS * width));
      size += 1;
    },
    chunkOf: (row) => chunkIn(chunks, row),
    copy() {
      const copies = chunks.map((chunk) => chunk.slice());
      return { chunkOf: (row) => chunkIn(copies, row) };
    },
  };
};
