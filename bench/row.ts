/** The median of each side of a row, in the row's unit: `ours`, and every peer by its name. */
export type Readings = Readonly<Record<string, number>>;

/** One comparison. Its sides are measured in one run, by turns, so that a busy machine is busy for both. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  /** The peers, each with the ratio that has to hold. */
  readonly atLeast: Readonly<Record<string, number>>;
  /** False: too much at the mercy of the machine for a gate to stand on. */
  readonly isGated?: boolean;
  measure(): Promise<Readings>;
}

/** One line of the output. */
export interface Result {
  readonly name: string;
  readonly peer: string;
  readonly unit: string;
  readonly value: number;
  readonly peerValue: number;
  /** Above 1 we are better, whatever the unit. */
  readonly ratio: number;
}

/** @throws Error when a side of the row was not measured, or measured as nothing. */
export const resultsOf = (row: Pick<Row, 'name' | 'unit' | 'better' | 'atLeast'>, readings: Readings): Result[] => {
  const reading = (side: string): number => {
    const value = readings[side];
    if (value === undefined || !(value > 0)) throw new Error(`${row.name}: '${side}' was measured as ${value}`);
    return value;
  };
  const value = reading('ours');
  return Object.keys(row.atLeast).map((peer) => {
    const peerValue = reading(peer);
    const ratio = row.better === 'lower' ? peerValue / value : value / peerValue;
    return { name: row.name, peer, unit: row.unit, value, peerValue, ratio };
  });
};
