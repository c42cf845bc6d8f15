import { textArgument } from '../../runtime/lua/arguments.ts';
import type { LuaClass, LuaModule } from '../../runtime/lua/engine.ts';
import { dataOf, FORMAT, Payload, payloadOf, transcode } from '../../runtime/lua/payload.ts';
import { resultsOf } from '../../runtime/lua/results.ts';

export const payloadClass: LuaClass<Payload> = {
  name: 'payload',
  constructor: Payload,
  methods: {
    get_format: (self) => [self.format],
    data: (self) =>
      resultsOf(
        () => dataOf(self),
        (value) => [value, undefined],
      ),
    unmarshal: (self) =>
      resultsOf(
        () => dataOf(self),
        (value) => [value, undefined],
      ),
    transcode: (self, _thread, args) => {
      const format = textArgument(args, 1, 'transcode');
      return resultsOf(
        () => transcode(self, format),
        (out) => [out, undefined],
      );
    },
  },
  tostring: (self) => `payload{format=${self.format}}`,
};

/** The global `payload` (lua/payload.md). */
export const payloadModule: LuaModule = {
  name: 'payload',
  isGlobal: true,
  functions: { new: (_thread, [value]) => [payloadOf(value)] },
  byReference: ['new'],
  constants: { format: FORMAT },
};
