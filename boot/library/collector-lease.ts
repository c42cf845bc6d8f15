import { messageOf } from '../../runtime/errors.ts';
import type { Collector, Unregister } from '../../runtime/metrics/collector.ts';

/** A collector that outlives its user. */
export interface CollectorLease {
  readonly collector: Collector;
  /** Takes out what is read at collection: its readers must not keep a runtime alive, nor show it as it was. */
  release(): void;
}

export const leaseCollector = (owned: Collector): CollectorLease => {
  const taken = new Set<Unregister>();
  return {
    collector: {
      ...owned,
      observe(kind, spec, labels, read) {
        let unregister: Unregister;
        try {
          unregister = owned.observe(kind, spec, labels, read);
        } catch (error) {
          const remedy = 'Give each runtime a collector of its own, or stop the first before the second is made';
          throw new Error(`collector: ${messageOf(error)} ${remedy}.`, { cause: error });
        }
        taken.add(unregister);
        return () => {
          taken.delete(unregister);
          unregister();
        };
      },
    },
    release() {
      for (const unregister of taken) unregister();
      taken.clear();
    },
  };
};
