/** The label values of the series of one set of label names, and the way from values to a series' row. */
export interface LabelTable {
  /** How many rows there are; rows are numbered from 0, and none is ever taken away. */
  readonly size: number;
  /** The row of these values, in the order of the names; -1 where there is none. Joins no text and allocates nothing. */
  find(values: readonly string[]): number;
  /** The values that a column has had, each once; not a copy. */
  texts(column: number): readonly string[];
  /** A new row: values that `find` does not know. */
  add(values: readonly string[]): number;
  /** A new array of the row's values. */
  values(row: number): readonly string[];
}

/** Texts of one label by number: a series holds numbers, so that a text which 1,000 series share is held once. */
interface Column {
  readonly numbers: Map<string, number>;
  readonly texts: string[];
  /** What was asked for last, and its number: of one call to the next, most labels keep their values. */
  last: string;
  lastNumber: number;
}

const NONE = -1;
const INITIAL_PLACES = 8;
/** A third of the places stays free: chains of probes stay short. */
const mostIn = (places: number): number => (places * 2) / 3;

export const labelTable = (width: number): LabelTable => {
  const columns: readonly Column[] = Array.from({ length: width }, () => ({
    numbers: new Map(),
    texts: [],
    last: '',
    lastNumber: NONE,
  }));
  /** `width` numbers a row. */
  let rows = new Int32Array(4 * width);
  /** Open addressing: a row + 1, or 0 for a free place. */
  let places = new Int32Array(INITIAL_PLACES);
  let size = 0;
  const wanted = new Int32Array(width);

  const hashOf = (numbers: Int32Array, from: number): number => {
    let hash = 0;
    for (let i = 0; i < width; i += 1) hash = Math.imul(hash ^ (numbers[from + i] as number), 0x9e3779b1);
    return hash ^ (hash >>> 15);
  };
  const isWanted = (row: number): boolean => {
    const from = row * width;
    for (let i = 0; i < width; i += 1) if (rows[from + i] !== wanted[i]) return false;
    return true;
  };
  const place = (row: number): void => {
    const last = places.length - 1;
    let at = hashOf(rows, row * width) & last;
    while (places[at] !== 0) at = (at + 1) & last;
    places[at] = row + 1;
  };
  const grow = (): void => {
    const grown = new Int32Array(Math.ceil((size + 1) * 1.5) * width);
    grown.set(rows.subarray(0, size * width));
    rows = grown;
  };

  const rowOfWanted = (): number => {
    const last = places.length - 1;
    for (let at = hashOf(wanted, 0) & last; ; at = (at + 1) & last) {
      const taken = places[at] as number;
      if (taken === 0) return -1;
      if (isWanted(taken - 1)) return taken - 1;
    }
  };

  return {
    get size() {
      return size;
    },
    find(values) {
      for (let i = 0; i < width; i += 1) {
        const column = columns[i] as Column;
        const text = values[i] as string;
        if (column.last !== text || column.lastNumber === NONE) {
          const number = column.numbers.get(text);
          if (number === undefined) return -1;
          column.last = text;
          column.lastNumber = number;
        }
        wanted[i] = column.lastNumber;
      }
      return rowOfWanted();
    },
    texts: (column) => (columns[column] as Column).texts,
    add(values) {
      const row = size;
      if ((row + 1) * width > rows.length) grow();
      for (let i = 0; i < width; i += 1) {
        const { numbers, texts } = columns[i] as Column;
        const text = values[i] as string;
        let number = numbers.get(text);
        if (number === undefined) {
          number = texts.push(text) - 1;
          numbers.set(text, number);
        }
        rows[row * width + i] = number;
      }
      size += 1;
      if (size > mostIn(places.length)) {
        places = new Int32Array(places.length * 2);
        for (let i = 0; i < size; i += 1) place(i);
      } else place(row);
      return row;
    },
    values: (row) => columns.map(({ texts }, i) => texts[rows[row * width + i] as number] as string),
  };
};
