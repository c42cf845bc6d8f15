import { invalid } from '../../runtime/errors.ts';
import { textArgument } from '../../runtime/lua/arguments.ts';
import type { HostMethod, HostResults, LuaClass, LuaThread } from '../../runtime/lua/engine.ts';
import { failed, resultsOf } from '../../runtime/lua/results.ts';
import { type HostValue, hostObject, LuaTable } from '../../runtime/lua/values.ts';
import { durationMsOf } from './publish-options.ts';
import { DELIVERY, type OpenDelivery } from './settlement.ts';

/** One view of a delivery; all views share its settlement (lua/queue.md, section 2). */
export class Message {
  readonly [hostObject] = true as const;
  readonly open: OpenDelivery;
  constructor(open: OpenDelivery) {
    this.open = open;
  }
}

/** `queue.message()`. */
export const currentMessage = ({ context }: LuaThread): HostResults => {
  const open = context.get(DELIVERY);
  if (open === undefined || open.isReleased) return failed(invalid('no delivery found in context'));
  return [new Message(open), undefined];
};

const one = (value: HostValue): readonly HostValue[] => [value, undefined];
const whileOpen =
  (method: HostMethod<Message>): HostMethod<Message> =>
  (self, thread, args) =>
    self.open.isReleased ? failed(invalid('queue.Message released')) : method(self, thread, args);
const settled = (): readonly HostValue[] => one(true);

export const messageClass: LuaClass<Message> = {
  name: 'queue.Message',
  constructor: Message,
  methods: {
    id: whileOpen(({ open }) => one(open.delivery.id)),
    attempt: whileOpen(({ open }) => one(open.delivery.attempt)),
    header: whileOpen(({ open }, _thread, args) => {
      const name = textArgument(args, 1, 'header');
      return one(Object.hasOwn(open.headers, name) ? open.headers[name] : undefined);
    }),
    headers: whileOpen(({ open }) => one({ ...open.headers })),
    ack: whileOpen(({ open }) => resultsOf(() => open.ack(), settled)),
    nack: whileOpen(({ open }, _thread, [options]) =>
      resultsOf(() => {
        const delay = options instanceof LuaTable ? durationMsOf(options.get('delay'), 'delay') : undefined;
        return open.nack({ reason: 'rejected by its handler', kind: '' }, delay);
      }, settled),
    ),
  },
  yields: ['ack', 'nack'],
  tostring: ({ open }) => (open.isReleased ? 'queue.Message{released}' : `queue.Message{id=${open.delivery.id}}`),
};
