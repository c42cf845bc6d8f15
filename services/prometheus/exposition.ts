import type { Clock } from '../../runtime/clock.ts';
import { sampleNames } from '../../runtime/metrics/names.ts';
import { BUCKETS, cellOf, START, VALUE, VERSION } from '../../runtime/metrics/series-rows.ts';
import type { Capture, CapturedBlock, FamilyHead, Series } from '../../runtime/metrics/snapshot.ts';
import { type FamilyText, flat, type Reading, readingOf, type TextFormat } from './family-text.ts';
import type { EscapingScheme } from './name-escaping.ts';
import type { ForeignFamily, TextFamily } from './port.ts';
import { growingBytes, type RowBytes, rowBytes } from './row-bytes.ts';

/** How long rendering may hold the event loop before others have their turn; collections of garbage come on top. */
const SLICE_MS = 2;
/** Series between two looks at the clock: a histogram of many buckets takes 10 us. */
const SERIES_PER_LOOK = 32;
/** Room for what a rendering is longer than the one before. */
const SPARE_BYTES = 1 << 12;

/** The words of UCUM units that a name of ours may end in. */
const UNIT_WORDS: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes', '1': 'ratio', Cel: 'celsius' };

/** What was made of a block's rows. */
interface KeptBlock {
  readonly leads: string[];
  readonly lines: RowBytes;
}
interface KeptFamily {
  readonly family: TextFamily;
  readonly isShortFree: boolean;
  readonly text: FamilyText;
  readonly blocks: WeakMap<object, KeptBlock>;
  readonly observedLeads: WeakMap<readonly string[], string>;
}

/** Renders captures in one format; keeps the text of every series until its numbers change. */
export interface Exposition {
  /**
   * The numbers are all of the capture's moment, however long this takes: it gives way every few milliseconds.
   * `end` comes last: OpenMetrics' end mark.
   */
  render(capture: Capture, foreign: readonly ForeignFamily[], end: string): Promise<Buffer>;
}

/** What OpenMetrics calls a counter or an info, when it can; undefined for what keeps its name. */
const shortName = ({ name, kind }: Pick<TextFamily, 'name' | 'kind'>): string | undefined => {
  const suffix = kind === 'counter' ? '_total' : '_info';
  return (kind === 'counter' || kind === 'info') && name.endsWith(suffix) ? name.slice(0, -suffix.length) : undefined;
};

/** Whether a family may have its short name: neither a sample (`x_count` of a histogram) nor another family may have it. */
const shortNames = (families: readonly Pick<TextFamily, 'name' | 'kind'>[]) => {
  const taken = new Set<string>();
  const owners = new Map<string, string>();
  for (const family of families) {
    const { name, kind } = family;
    for (const one of sampleNames(kind === 'info' ? 'gauge' : kind, name)) taken.add(one);
    const short = shortName(family);
    if (short !== undefined) owners.set(short, name); // of `target_total` and `target_info`: the later one, the info
  }
  return (family: Pick<TextFamily, 'name' | 'kind'>): boolean => {
    const short = shortName(family);
    return short === undefined || (!taken.has(short) && owners.get(short) === family.name);
  };
};

export const exposition = (format: TextFormat, scheme: EscapingScheme, clock: Clock): Exposition => {
  const kept = new WeakMap<FamilyHead, KeptFamily>();
  /** The next rendering will be about as long as the last. */
  let lastBytes = 0;

  const keptFor = (head: FamilyHead, isShortFree: boolean): KeptFamily => {
    const known = kept.get(head);
    if (known?.isShortFree === isShortFree) return known;
    const family = { ...head, unit: UNIT_WORDS[head.unit] ?? '' };
    const text = format(family, scheme, isShortFree);
    const fresh = { family, isShortFree, text, blocks: new WeakMap(), observedLeads: new WeakMap() };
    kept.set(head, fresh);
    return fresh;
  };

  return {
    async render(capture, foreign, end) {
      const out = growingBytes(lastBytes + (lastBytes >> 4) + SPARE_BYTES);
      let since = clock.now();
      const isDue = (): boolean => clock.now() - since >= SLICE_MS;
      const giveWay = async (): Promise<void> => {
        await new Promise((resolve) => setImmediate(resolve));
        since = clock.now();
      };

      const isShortFree = shortNames([
        ...capture.families.map(({ head }) => head),
        ...foreign.map(({ family }) => family),
      ]);

      const addForeign = async (families: readonly ForeignFamily[]): Promise<void> => {
        for (const { family, series } of families) {
          const text = format(family, scheme, isShortFree(family));
          if (series.length > 0) out.addText(text.head);
          for (const [i, one] of series.entries()) {
            out.addText(text.lines(text.lead(one.labelNames, one.labelValues), readingOf(one)));
            if (i % SERIES_PER_LOOK === 0 && isDue()) await giveWay();
          }
        }
      };

      // The target comes first (OpenMetrics, "MetricSet").
      await addForeign(foreign.filter(({ family }) => family.kind === 'info'));
      for (const { head, blocks, observed } of capture.families) {
        const family = keptFor(head, isShortFree(head));
        const { text } = family;
        let isHeadDue = true;
        for (const block of blocks) {
          const kept = keptBlock(family, block);
          for (let first = 0; first < block.size; first += SERIES_PER_LOOK) {
            const last = Math.min(first + SERIES_PER_LOOK, block.size);
            if (renderRows(text, block, kept, first, last) && isHeadDue) {
              out.addText(text.head);
              isHeadDue = false;
            }
            kept.lines.copyTo(out, first, last);
            if (isDue()) await giveWay();
          }
        }
        for (const one of observed) {
          out.addText((isHeadDue ? text.head : '') + observedText(family, one));
          isHeadDue = false;
        }
      }
      await addForeign(foreign.filter(({ family }) => family.kind !== 'info'));
      out.addText(end);
      const parts = out.parts();
      lastBytes = parts.reduce((sum, { length }) => sum + length, 0);
      if (parts.length === 1) return parts[0] as Buffer;
      const all = Buffer.allocUnsafe(lastBytes);
      let at = 0;
      for (const part of parts) {
        at += part.copy(all, at);
        if (isDue()) await giveWay();
      }
      return all;
    },
  };
};

const keptBlock = ({ blocks }: KeptFamily, { source }: CapturedBlock): KeptBlock => {
  let kept = blocks.get(source);
  if (kept === undefined) {
    kept = { leads: [], lines: rowBytes() };
    blocks.set(source, kept);
  }
  return kept;
};

/** Brings the lines of rows up to date; tells whether any of them is shown. */
const renderRows = (
  text: FamilyText,
  block: CapturedBlock,
  { leads, lines }: KeptBlock,
  first: number,
  last: number,
): boolean => {
  let isAnyShown = false;
  for (let row = first; row < last; row += 1) {
    const cells = block.chunkOf(row);
    const at = cellOf(row, block.width);
    const version = cells[at + VERSION] as number;
    if (version === 0 && !block.isShownUnused) continue;
    isAnyShown = true;
    if (lines.has(row, version)) continue;
    let lead = leads[row];
    if (lead === undefined) {
      lead = flat(text.lead(block.labelNames, block.labelValues(row)));
      leads[row] = lead;
    }
    const reading: Reading = {
      value: cells[at + VALUE] as number,
      startTime: cells[at + START] as number,
      counts: cells,
      countsAt: at + BUCKETS,
      exemplar: (place) => block.exemplar(row, place),
    };
    lines.put(row, version, text.lines(lead, reading));
  }
  return isAnyShown;
};

const observedText = ({ text, observedLeads }: KeptFamily, series: Series): string => {
  let lead = observedLeads.get(series.labelValues);
  if (lead === undefined) {
    lead = text.lead(series.labelNames, series.labelValues);
    observedLeads.set(series.labelValues, lead);
  }
  return text.lines(lead, readingOf(series));
};
