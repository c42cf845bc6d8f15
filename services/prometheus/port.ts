import type { InstrumentKind, Series } from '../../runtime/metrics/snapshot.ts';

/** What the text formats say about a family, whoever it is from. */
export interface TextFamily {
  /** As samples have it: a counter's with `_total`, an info's with `_info`. Any Unicode; escaping comes later. */
  readonly name: string;
  readonly kind: InstrumentKind | 'info';
  readonly help: string;
  /** The word that the name ends in (`seconds`), for OpenMetrics' `# UNIT`; empty where there is none. */
  readonly unit: string;
  /** Histograms: upper bounds without +Inf. */
  readonly boundaries: readonly number[];
}

/**
 * A family of somebody else, rendered after ours (an info before them): named and labelled as Prometheus wants it, each name
 * once, none of ours.
 */
export interface ForeignFamily {
  readonly family: TextFamily;
  readonly series: readonly Series[];
}
