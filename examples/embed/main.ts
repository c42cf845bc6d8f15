// A host program that lets Lua decide prices. Run it: node examples/embed/main.ts
// In a project of your own: import { createRuntime, ... } from 'perilune';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import {
  CallError,
  type CallSite,
  createRuntime,
  type HostObject,
  hostObject,
  type Interceptor,
  isPromise,
  type LuaClass,
  type LuaModule,
  type Next,
} from '../../boot/library.ts';

const print = (text: string): void => void process.stdout.write(`${text}\n`);

// ---- what Lua may use of this program: a module, and the class of the objects that it returns -----------------------

const CENTS: Readonly<Record<string, number>> = { lamp: 1995, desk: 24900 };
const RATES: Readonly<Record<string, number>> = { EUR: 1, SEK: 11.2 };

class Basket implements HostObject {
  readonly [hostObject] = true as const;
  count = 0;
  cents = 0;
}

const basketClass: LuaClass<Basket> = {
  name: 'rates.Basket',
  constructor: Basket,
  methods: {
    add(self, _thread, [sku, quantity]) {
      if (typeof quantity !== 'number' || quantity < 1) {
        throw new CallError('a quantity is a number above 0', { kind: 'Invalid', retryable: false });
      }
      self.count += quantity;
      self.cents += quantity * (CENTS[String(sku)] ?? 0);
      return [self];
    },
    count: (self) => [self.count],
    cents: (self) => [self.cents],
  },
  tostring: (self) => `${self.count} items`,
};

const rates: LuaModule = {
  name: 'rates',
  yields: ['of'],
  functions: {
    basket: () => [new Basket()],
    // A promise suspends the Lua coroutine that called, and nothing else.
    async of(_thread, [currency]) {
      await new Promise((resolve) => setTimeout(resolve, 10)); // a database, another service ...
      const rate = RATES[String(currency)];
      if (rate !== undefined) return [rate, null];
      return [null, new CallError(`no rate for ${String(currency)}`, { kind: 'NotFound', retryable: false })];
    },
  },
};

// ---- code of ours around every call of a Lua function ---------------------------------------------------------------

const running = { now: 0, most: 0 };
const busiest: Interceptor = {
  name: 'busiest',
  order: 40, // outside of metrics (50) and tracing (100)
  wrap<In, Out>(next: Next<In, Out>, site: CallSite<In, Out>): Next<In, Out> {
    if (site.surface !== 'function') return next; // decided once per site: elsewhere it costs nothing
    const end = <T>(out: T): T => {
      running.now -= 1;
      return out;
    };
    return (call) => {
      running.now += 1;
      running.most = Math.max(running.most, running.now);
      try {
        const out = next(call);
        return isPromise(out) ? out.finally(() => end(undefined)) : end(out);
      } catch (error) {
        throw end(error);
      }
    };
  },
};

// ---- the runtime ----------------------------------------------------------------------------------------------------

const spans = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });

const runtime = createRuntime({
  dir: new URL('app/', import.meta.url),
  tracerProvider,
  modules: [rates],
  classes: [basketClass],
  interceptors: [busiest],
});

await runtime.start();
try {
  const span = tracerProvider.getTracer('shop').startSpan('checkout');
  const parent = trace.setSpan(ROOT_CONTEXT, span);
  const lamps = { lines: [{ sku: 'lamp', quantity: 10 }] };
  for (const currency of ['EUR', 'SEK', 'XAU']) {
    try {
      const quote = await runtime.call('pricing:quote', [{ ...lamps, currency }], { parent });
      print(`${currency}: ${JSON.stringify(quote)}`);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      print(`${currency}: ${error.kind}: ${error.message}`);
    }
  }
  span.end();

  const traceId = span.spanContext().traceId;
  const ours = spans.getFinishedSpans().filter((one) => one.spanContext().traceId === traceId);
  print(`spans in the trace of the checkout: ${ours.map(({ name }) => name).join(', ')}`);
  print(`most functions at once: ${running.most}`);
  const counts = (await runtime.metricsText()).split('\n').filter((line) => line.startsWith('wippy_function_calls{'));
  print(counts.join('\n'));
} finally {
  await runtime.stop();
}
