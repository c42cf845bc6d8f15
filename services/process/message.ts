import type { LuaClass } from '../../runtime/lua/engine.ts';
import { FORMAT, Payload } from '../../runtime/lua/payload.ts';
import { type HostValue, hostObject, type LuaValue, vmSlot } from '../../runtime/lua/values.ts';
import type { TraceContext } from '../../runtime/trace.ts';

/** One message in a mailbox (lua/process.md, section 2). Its values are copies that nobody else has. */
export class Message {
  readonly [hostObject] = true as const;
  [vmSlot]: object | undefined = undefined;
  readonly topic: string;
  /** The sender's pid; empty when there is none. */
  readonly from: string;
  readonly values: readonly LuaValue[];
  /** Where in a trace it was sent. */
  readonly trace: TraceContext | undefined;
  /** Its place in the order of arrival. */
  order = 0;

  constructor(topic: string, from: string, values: readonly LuaValue[], trace: TraceContext | undefined) {
    this.topic = topic;
    this.from = from;
    this.values = values;
    this.trace = trace;
  }
}

/** Nothing sent is nil, one value is itself, several are an array (lua/conventions.md, section 5). */
export const plainValue = ({ values }: Message): HostValue => (values.length > 1 ? values : values[0]);

const payloadOf = (value: LuaValue): Payload => new Payload(FORMAT.LUA, value);

export const messageClass: LuaClass<Message> = {
  name: 'process.Message',
  constructor: Message,
  methods: {
    topic: (self) => [self.topic],
    from: (self) => [self.from],
    payload: ({ values }) => {
      if (values.length === 0) return [undefined];
      return [values.length === 1 ? payloadOf(values[0]) : values.map(payloadOf)];
    },
  },
  tostring: (self) => `process.Message{topic=${self.topic}}`,
};
