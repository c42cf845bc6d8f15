import type { Clock } from '../../runtime/clock.ts';
import { BUCKETS, cellOf, START, VALUE, VERSION } from '../../runtime/metrics/series-rows.ts';
import type { Capture, CapturedBlock, FamilyHead, Series } from '../../runtime/metrics/snapshot.ts';
import { type FamilyText, flat, type Reading, readingOf, type TextFormat } from './family-text.ts';
import type { EscapingScheme } from './name-escaping.ts';
import type { ForeignFamily, TextFamily } from './port.ts';

/** How long rendering may hold the event loop before others have their turn. */
const SLICE_MS = 4;
/** Series between two looks at the clock. */
const SERIES_PER_LOOK = 64;
/** Text is encoded in pieces of about this size: short enough to stay where the processor is fast. */
const PIECE_CHARACTERS = 1 << 16;
/** UTF-8 needs at most so many bytes for a UTF-16 unit. */
const BYTES_PER_CHARACTER = 3;

/** The words of UCUM units that a name of ours may end in. */
const UNIT_WORDS: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes', '1': 'ratio', Cel: 'celsius' };

/** What was made of a block's rows: a row whose version is the same has the same text. */
interface RowTexts {
  readonly versions: number[];
  readonly leads: string[];
  readonly texts: string[];
}
interface KeptFamily {
  readonly family: TextFamily;
  readonly isShortFree: boolean;
  readonly text: FamilyText;
  readonly blocks: WeakMap<object, RowTexts>;
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

const shortName = (name: string): string => name.replace(/_(?:total|info)$/, '');

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
      const bytes = growingBytes(lastBytes);
      let out = '';
      let since = clock.now();
      let series = 0;
      const flush = (): void => {
        bytes.add(out);
        out = '';
      };
      /** Whether it is time to give way. */
      const isDue = (): boolean => {
        if (out.length > PIECE_CHARACTERS) flush();
        series += 1;
        return series % SERIES_PER_LOOK === 0 && clock.now() - since >= SLICE_MS;
      };
      const giveWay = async (): Promise<void> => {
        flush();
        await new Promise((resolve) => setImmediate(resolve));
        since = clock.now();
      };

      const names = new Set<string>();
      for (const { head } of capture.families) names.add(head.name);
      for (const { family } of foreign) names.add(family.name);
      const isShortFree = (name: string): boolean => shortName(name) === name || !names.has(shortName(name));

      for (const { head, blocks, observed } of capture.families) {
        const family = keptFor(head, isShortFree(head.name));
        const { text } = family;
        let before = text.head;
        for (const block of blocks) {
          const rows = rowTexts(family, block);
          for (let row = 0; row < block.size; row += 1) {
            const one = rowText(text, block, rows, row);
            if (one === '') continue;
            out += before + one;
            before = '';
            if (isDue()) await giveWay();
          }
        }
        for (const one of observed) {
          out += before + observedText(family, one);
          before = '';
          if (isDue()) await giveWay();
        }
      }
      for (const { family, series: theirs } of foreign) {
        const text = format(family, scheme, isShortFree(family.name));
        out += theirs.length > 0 ? text.head : '';
        for (const one of theirs) {
          out += text.lines(text.lead(one.labelNames, one.labelValues), readingOf(one));
          if (isDue()) await giveWay();
        }
      }
      out += end;
      flush();
      const all = bytes.all();
      lastBytes = all.length;
      return all;
    },
  };
};

/** Bytes of texts, one after the other, in one buffer. */
const growingBytes = (expected: number) => {
  let bytes = Buffer.allocUnsafe(expected + BYTES_PER_CHARACTER * PIECE_CHARACTERS);
  let used = 0;
  return {
    add(text: string): void {
      const most = used + text.length * BYTES_PER_CHARACTER;
      if (most > bytes.length) {
        const grown = Buffer.allocUnsafe(Math.max(most, bytes.length * 2));
        bytes.copy(grown, 0, 0, used);
        bytes = grown;
      }
      used += bytes.write(text, used, 'utf8');
    },
    all: (): Buffer => bytes.subarray(0, used),
  };
};

const rowTexts = ({ blocks }: KeptFamily, { source }: CapturedBlock): RowTexts => {
  let rows = blocks.get(source);
  if (rows === undefined) {
    rows = { versions: [], leads: [], texts: [] };
    blocks.set(source, rows);
  }
  return rows;
};

/** The lines of a row; empty when it is not shown. */
const rowText = (text: FamilyText, block: CapturedBlock, kept: RowTexts, row: number): string => {
  const cells = block.chunkOf(row);
  const at = cellOf(row, block.width);
  const version = cells[at + VERSION] as number;
  if (kept.versions[row] === version) return kept.texts[row] as string;
  if (version === 0 && !block.isShownUnused) return '';
  let lead = kept.leads[row];
  if (lead === undefined) {
    lead = flat(text.lead(block.labelNames, block.labelValues(row)));
    kept.leads[row] = lead;
  }
  const reading: Reading = {
    value: cells[at + VALUE] as number,
    startTime: cells[at + START] as number,
    counts: cells,
    countsAt: at + BUCKETS,
    exemplar: (place) => block.exemplar(row, place),
  };
  const lines = text.lines(lead, reading);
  kept.versions[row] = version;
  kept.texts[row] = lines;
  return lines;
};

const observedText = ({ text, observedLeads }: KeptFamily, series: Series): string => {
  let lead = observedLeads.get(series.labelValues);
  if (lead === undefined) {
    lead = text.lead(series.labelNames, series.labelValues);
    observedLeads.set(series.labelValues, lead);
  }
  return text.lines(lead, readingOf(series));
};
