import { type InvalidReason, invalidReason } from './handles.ts';
import type { InstrumentKind, Series } from './snapshot.ts';

/** A series whose value comes about at collection. */
export interface ObservedSeries {
  /** Before anything is collected: reads. */
  refresh(): void;
  /** What sinks see; the same object as long as nothing has changed. Undefined while there is nothing to see. */
  collect(): Series | undefined;
}

export interface ObservedShape {
  readonly kind: InstrumentKind;
  readonly labelNames: readonly string[];
  readonly labelValues: readonly string[];
  readonly startTime: number;
}

/** What is told about a series that could not be read. None of these may throw. */
export interface ObservationReports {
  /** `isFirst`: the read before this one went well, or there was none. */
  readonly failed: (error: unknown, isFirst: boolean) => void;
  readonly reject: (reason: InvalidReason) => void;
}

const NOTHING: readonly never[] = [];

/** A series that is read at collection. What cannot be read is left out: never a stale value, never a 0 (rule 101). */
export const observedSeries = (
  shape: ObservedShape,
  read: () => number | undefined,
  reports: ObservationReports,
): ObservedSeries => {
  let shown: Series | undefined;
  let isPresent = false;
  let isFailing = false;
  let version = 0;

  const readValue = (): number | undefined => {
    try {
      const value = read();
      isFailing = false;
      return value;
    } catch (error) {
      reports.failed(error, !isFailing);
      isFailing = true;
      return undefined;
    }
  };

  return {
    refresh() {
      const value = readValue();
      isPresent = false;
      if (value === undefined) return;
      const reason = invalidReason(shape.kind, value);
      if (reason !== undefined) return reports.reject(reason);
      isPresent = true;
      if (shown?.value === value) return;
      version += 1;
      const { labelNames, labelValues, startTime } = shape;
      shown = {
        labelNames,
        labelValues,
        startTime,
        version,
        value,
        bucketCounts: NOTHING,
        count: 0,
        exemplars: NOTHING,
        isObserved: true,
      };
    },
    collect: () => (isPresent ? shown : undefined),
  };
};
