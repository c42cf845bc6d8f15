import type { CapturedExemplar, Series } from '../../runtime/metrics/snapshot.ts';
import type { EscapingScheme } from './name-escaping.ts';
import type { TextFamily } from './port.ts';

/** The numbers of one series. One object is used for all of them, one after the other: nothing may keep it. */
export interface Reading {
  value: number;
  /** Milliseconds since the epoch. */
  startTime: number;
  /** Histograms: plain counts per bucket, the first of them at `countsAt`. */
  counts: ArrayLike<number>;
  countsAt: number;
  exemplar: (place: number) => CapturedExemplar | undefined;
}

/** What a format says about one family. */
export interface FamilyText {
  /** HELP, TYPE and what else comes before the samples. */
  readonly head: string;
  /** What never changes of a series; to be kept for `lines`. */
  lead(labelNames: readonly string[], labelValues: readonly string[]): string;
  lines(lead: string, reading: Reading): string;
}

/** `isShortFree`: nothing else has the counter's name without `_total`. */
export type TextFormat = (family: TextFamily, scheme: EscapingScheme, isShortFree: boolean) => FamilyText;

/**
 * V8 keeps a text that was put together as a tree, which is walked on every use; looking at a character copies it into one
 * piece, once. The comparison is there so that the look is not optimised away: no text begins with NUL.
 */
export const flat = (text: string): string => (text.charCodeAt(0) === 0 ? '' : text);

export const readingOf = (series: Series): Reading => ({
  value: series.value,
  startTime: series.startTime,
  counts: series.bucketCounts,
  countsAt: 0,
  exemplar(place) {
    const kept = series.exemplars[place];
    return kept && { ids: kept, value: kept.value, time: kept.time };
  },
});
