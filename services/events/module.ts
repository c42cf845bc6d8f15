import { hostDataOf } from '../../runtime/codec/host-data.ts';
import type { CallContext } from '../../runtime/context.ts';
import { internal, invalid } from '../../runtime/errors.ts';
import { badArgument, stringArgument } from '../../runtime/lua/arguments.ts';
import type { HostFunction, LuaModule } from '../../runtime/lua/engine.ts';
import { resultsOf } from '../../runtime/lua/results.ts';
import { isLuaString, type LuaValue } from '../../runtime/lua/values.ts';
import { Subscription, type SubscriptionSource } from './subscription.ts';

/** What the module is built on beside what subscriptions are made from. */
export interface EventsModuleOptions extends SubscriptionSource {
  /** Whether policy lets the context do `action` on a system. */
  readonly allows: (context: CallContext, action: string, system: string) => boolean;
}

/** Events are told apart by these texts: two of other bytes would meet in one of U+FFFD. */
const utf8 = (value: string | Uint8Array, what: string): string => {
  if (typeof value !== 'string') throw invalid(`${what} must be valid UTF-8`);
  return value;
};
const required = (value: string | Uint8Array, what: string): string => {
  if (value === '') throw invalid(`${what} is required`);
  return utf8(value, what);
};
/** `nil` is everything; unlike the system a number is refused (lua/events.md, section 1). */
const kindPattern = (value: LuaValue): string | Uint8Array => {
  if (value === undefined) return '';
  if (!isLuaString(value)) throw badArgument(2, 'subscribe', 'string', value);
  return value;
};

/** Wrong types raise before anything is looked at; the other checks come in the order of lua/events.md, section 1. */
const subscribe =
  (options: EventsModuleOptions): HostFunction =>
  ({ context, run }, args) => {
    const system = stringArgument(args, 1, 'subscribe');
    const kind = kindPattern(args[1]);
    return resultsOf(
      () => {
        const pattern = required(system, 'system pattern');
        if (!options.allows(context, 'events.subscribe', pattern)) {
          throw invalid(`not allowed to subscribe to events of system: ${pattern}`);
        }
        if (run.pid === '') throw internal('no process identity');
        return new Subscription(options, run, pattern, utf8(kind, 'kind pattern'));
      },
      (subscription) => [subscription, undefined],
    );
  };

const send =
  ({ bus, allows }: EventsModuleOptions): HostFunction =>
  ({ context }, args) => {
    const system = stringArgument(args, 1, 'send');
    const kind = stringArgument(args, 2, 'send');
    const path = stringArgument(args, 3, 'send');
    const data = args[3];
    return resultsOf(
      () => {
        const event = {
          system: required(system, 'system'),
          kind: required(kind, 'kind'),
          path: required(path, 'path'),
        };
        if (!allows(context, 'events.send', event.system)) {
          throw invalid(`not allowed to send events of system: ${event.system}`);
        }
        // Converted whoever listens: data that cannot be sent is a mistake also where nobody does.
        bus.publish(data === undefined ? event : { ...event, data: hostDataOf(data) });
      },
      () => [true, undefined],
    );
  };

export const eventsModule = (options: EventsModuleOptions): LuaModule => ({
  name: 'events',
  functions: { subscribe: subscribe(options), send: send(options) },
  yields: ['subscribe', 'send'],
  measured: ['send'],
});
