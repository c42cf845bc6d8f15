import type { Family, Series } from '../../runtime/metrics/snapshot.ts';

/** The constant beginnings of a series' lines, up to the value; empty where the series has no such line. */
export interface SeriesStarts {
  /** Histograms: of `_sum`. */
  readonly value: string;
  readonly count: string;
  readonly buckets: readonly string[];
  readonly created: string;
}

/** What a text format says about families and series; everything else is shared. */
export interface TextRules {
  head(family: Family): string;
  starts(family: Family, series: Series): SeriesStarts;
  lines(family: Family, series: Series, starts: SeriesStarts): string;
}

/** Renders families one after the other, without an end mark. */
export type TextFormat = (families: readonly Family[]) => string;

/**
 * A renderer with its caches. The collector keeps a Family and a Series the same object while nothing in it has changed,
 * and the label values the same array for ever: so an idle family costs a look-up, and a busy series formats its numbers only.
 * `rulesFor` gets the names of all families; when they change, everything that was kept is made again.
 */
export const textFormat = (rulesFor: (names: ReadonlySet<string>) => TextRules): TextFormat => {
  const fresh = (names: ReadonlySet<string>) => ({
    names,
    rules: rulesFor(names),
    families: new WeakMap<Family, string>(),
    series: new WeakMap<Series, string>(),
    starts: new WeakMap<readonly string[], SeriesStarts>(),
  });
  let kept = fresh(new Set());

  const seriesText = (family: Family, series: Series): string => {
    const known = kept.series.get(series);
    if (known !== undefined) return known;
    let starts = kept.starts.get(series.labelValues);
    if (starts === undefined) {
      starts = kept.rules.starts(family, series);
      kept.starts.set(series.labelValues, starts);
    }
    const text = kept.rules.lines(family, series, starts);
    kept.series.set(series, text);
    return text;
  };

  return (families) => {
    if (families.length !== kept.names.size || families.some(({ name }) => !kept.names.has(name))) {
      kept = fresh(new Set(families.map(({ name }) => name)));
    }
    let out = '';
    for (const family of families) {
      let text = kept.families.get(family);
      if (text === undefined) {
        text = kept.rules.head(family);
        for (const series of family.series) text += seriesText(family, series);
        kept.families.set(family, text);
      }
      out += text;
    }
    return out;
  };
};
