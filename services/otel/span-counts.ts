import type { BoundCounter, Collector } from '../../runtime/metrics/collector.ts';
import { spansTotal } from './instruments.ts';

/** What became of spans. A series exists from the first of its kind. */
export interface SpanCounts {
  exported(spans: number): void;
  failed(spans: number): void;
  dropped(spans: number): void;
}

export const spanCounts = (collector: Collector): SpanCounts => {
  const spans = collector.counter(spansTotal);
  const counting = (result: string) => {
    let bound: BoundCounter | undefined;
    return (count: number): void => {
      if (count === 0) return;
      bound ??= spans.bind({ result });
      bound.add(count);
    };
  };
  return { exported: counting('exported'), failed: counting('failed'), dropped: counting('dropped') };
};
