import { charCodeAt } from '../char-code.ts';
import type { LabelTable } from './label-table.ts';
import { LENGTH_ONLY, type PrintPlaces, printPlaces } from './text-print.ts';

/** One order in which label names are passed: from labels as an object to their series' row. */
export interface LabelWay {
  /** The names, in this order. */
  readonly names: readonly string[];
  /**
   * The row of these labels; -1 where their names are others, or in another order, or where there is no such series.
   * Joins no text.
   */
  find(labels: Readonly<Record<string, string>>): number;
}

const FIRST_PLACES = 16;
/** Places that are looked at for one set of labels, one after the other. */
const TRIES = 4;
/** Series beyond it share places, and those used least take the longer way: 256 KiB are enough for one order of names. */
const MOST_PLACES = 1 << 16;

/**
 * Looks up labels by a print of them, which reads a few characters of each text: less than half of what a look-up by text
 * per label takes. The print only says where to look, what is found is compared in full. Series that prints do not tell
 * apart are found by the table; where that happens often, other characters are chosen.
 * `columns`: which column of the table each name has.
 */
export const labelWay = (table: LabelTable, names: readonly string[], columns: readonly number[]): LabelWay => {
  const width = names.length;
  /** A row + 1, or 0 for a free place. */
  let places = new Int32Array(FIRST_PLACES);
  /** `LOOKS` numbers a label. */
  let looks = flat(names.map(() => LENGTH_ONLY));
  /** How many series the table has found, and how many it may find until places and prints are chosen anew. */
  let found = 0;
  let patience = FIRST_PLACES / 2;
  /** Of the rows that have a place: their texts in the order of the names, `width` a row. */
  const texts: string[] = [];
  const given: string[] = new Array(width).fill('');
  /** The same in the table's order. */
  const wanted: string[] = new Array(width).fill('');

  const chooseAnew = (): void => {
    patience = found * 2;
    looks = flat(columns.map((column) => printPlaces(table.texts(column))));
    let most = FIRST_PLACES;
    while (most < table.size * 4 && most < MOST_PLACES) most *= 2;
    places = new Int32Array(most); // series that are in use come back by themselves
  };

  /** `first`: where the print of what is given leads. */
  const findInTable = (first: number): number => {
    for (let i = 0; i < width; i += 1) wanted[columns[i] as number] = given[i] as string;
    const row = table.find(wanted);
    if (row === -1) return -1;
    found += 1;
    if (found > patience) {
      chooseAnew();
      return row;
    }
    const last = places.length - 1;
    let step = 0;
    while (step < TRIES - 1 && places[(first + step) & last] !== 0) step += 1;
    places[(first + step) & last] = row + 1;
    while (texts.length < (row + 1) * width) texts.push(''); // an array without holes
    for (let i = 0; i < width; i += 1) texts[row * width + i] = given[i] as string;
    return row;
  };

  return {
    names,
    // Written out, the characters that `printOf` reads too: on every emit, so that it does not hang on what the engine inlines.
    find(labels) {
      let count = 0;
      let print = 0;
      for (const label in labels) {
        if (names[count] !== label) return -1;
        const text = labels[label];
        if (typeof text !== 'string') return -1; // a host program without types
        given[count] = text;
        const at = count * LOOKS;
        const first = looks[at] as number;
        const second = looks[at + 1] as number;
        const third = looks[at + 2] as number;
        const { length } = text;
        print ^= length << 20;
        if (first < length) print ^= charCodeAt(text, first);
        if (second < length) print ^= charCodeAt(text, second) << 7;
        if (third < length) print ^= charCodeAt(text, third) << 14;
        print = Math.imul(print, 0x9e3779b1);
        count += 1;
      }
      if (count !== width) return -1;
      print ^= print >>> 16; // the upper half of a product is the one that every bit has a part in
      const last = places.length - 1;
      for (let i = 0; i < TRIES; i += 1) {
        const row = (places[(print + i) & last] as number) - 1;
        if (row === -1) break;
        const from = row * width;
        let same = 0;
        while (same < width && texts[from + same] === given[same]) same += 1;
        if (same === width) return row;
      }
      return findInTable(print);
    },
  };
};

/** Places that are looked at in the text of one label. */
const LOOKS = 3;
const flat = (prints: readonly PrintPlaces[]): Int32Array =>
  Int32Array.from(prints.flatMap(({ first, second, third }) => [first, second, third]));
