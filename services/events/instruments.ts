import type { BoundCounter, Collector } from '../../runtime/metrics/collector.ts';
import type { CounterSpec, UpDownCounterSpec } from '../../runtime/metrics/instruments.ts';

/** Why an event did not reach a subscriber; `none` is the reason of those that did. */
export type DropReason = 'slow' | 'closed';

const subscribersActive: UpDownCounterSpec<never> = {
  name: 'eventbus_subscribers_active',
  namespaced: false,
  help: 'Subscriptions that are open.',
  unit: '{subscription}',
  labels: [],
};
const subscribersRejected: CounterSpec<'reason'> = {
  name: 'eventbus_subscribers_rejected_total',
  namespaced: false,
  help: 'Subscriptions since the start that were refused because there were events.max_subscribers already.',
  unit: '{subscription}',
  labels: ['reason'],
};
const eventsTotal: CounterSpec<'result' | 'reason'> = {
  name: 'eventbus_events_total',
  namespaced: false,
  help: 'What became of an event at a subscription that matched it, since the start: delivered is received, slow is more waiting than events.max_backlog, closed is still waiting when the subscription closed.',
  unit: '{event}',
  labels: ['result', 'reason'],
};

/** What the bus and its subscriptions report. An event counts once for each subscription that it matched. */
export interface EventMeters {
  /** A subscription has opened (+1) or closed (-1). */
  readonly subscribers: (change: 1 | -1) => void;
  readonly rejected: () => void;
  readonly delivered: () => void;
  readonly dropped: (reason: DropReason, count: number) => void;
}

/** The gauge exists from here on; every other series from its first use (telemetry.md, section 1). */
export const eventMeters = (collector: Collector): EventMeters => {
  const active = collector.upDownCounter(subscribersActive).bind({});
  const refusals = collector.counter(subscribersRejected);
  const events = collector.counter(eventsTotal);
  let delivered: BoundCounter | undefined;
  const drops: Partial<Record<DropReason, BoundCounter>> = {};
  return {
    subscribers: (change) => active.add(change),
    rejected: () => refusals.bind({ reason: 'cap' }).add(1),
    delivered() {
      delivered ??= events.bind({ result: 'delivered', reason: 'none' });
      delivered.add(1);
    },
    dropped(reason, count) {
      drops[reason] ??= events.bind({ result: 'dropped', reason });
      drops[reason].add(count);
    },
  };
};
