import { test } from 'tap';
import {
  type CallSite,
  createRuntime,
  type HostObject,
  hostObject,
  type Interceptor,
  isPromise,
  type LuaClass,
  type LuaModule,
  LuaRaise,
  type Next,
  Suspension,
} from '../../../boot/library.ts';
import { APP, hostTracing, startRuntime } from './start-runtime.ts';

/** Tells what it sees, before and after. */
const watcher = (name: string, order: number, seen: string[]): Interceptor => ({
  name,
  order,
  wrap<In, Out>(next: Next<In, Out>, site: CallSite<In, Out>): Next<In, Out> {
    if (site.surface !== 'function') return next;
    return (call) => {
      seen.push(`${name} > ${site.target} ${call.trace === undefined ? 'before' : 'inside'} its span`);
      const done = (out: Out): Out => {
        seen.push(`${name} < ${call.trace === undefined ? 'no' : 'a'} span was made further in`);
        return out;
      };
      const out = next(call);
      return isPromise(out) ? out.then(done) : done(out);
    };
  },
});

test('rule 47: interceptors of a host wrap every site in their order, among Perilune’s own', async (t) => {
  const seen: string[] = [];
  const { tracerProvider } = hostTracing();
  const runtime = await startRuntime(t, {
    tracerProvider,
    interceptors: [watcher('inner', 110, seen), watcher('outer', 5, seen), watcher('middle', 60, seen)],
  });
  await runtime.call('app:echo');
  t.same(seen, [
    'outer > app:echo before its span',
    'middle > app:echo before its span',
    'inner > app:echo inside its span',
    'inner < a span was made further in',
    'middle < a span was made further in',
    'outer < a span was made further in',
  ]);
  const swapped: string[] = [];
  const other = await startRuntime(t, {
    tracerProvider,
    set: { 'otel.interceptor.order': 55 },
    interceptors: [watcher('middle', 60, swapped)],
  });
  await other.call('app:echo');
  t.equal(swapped[0], 'middle > app:echo inside its span', 'orders of the boot file count');
});

test('an interceptor may answer, change and fail a call; metrics further out see it', async (t) => {
  const answering: Interceptor = {
    name: 'answering',
    order: 70,
    wrap: (next, site) => {
      if (site.target !== 'app:echo') return next;
      return (call) => {
        const [first] = call.input as readonly unknown[];
        if (first === 'refuse') throw new Error('refused by the host');
        return first === 'answer' ? ({ value: 'from the host', count: 1 } as never) : next(call);
      };
    },
  };
  const runtime = await startRuntime(t, { interceptors: [answering] });
  t.equal(await runtime.call('app:echo', ['answer']), 'from the host');
  t.same(await runtime.call('app:echo', ['pass']), ['pass']);
  await t.rejects(runtime.call('app:echo', ['refuse']), { message: /refused by the host/ });
  const text = await runtime.metricsText();
  t.match(text, /^wippy_function_calls\{function_id="app:echo",status="success"\} 2$/m);
  t.match(text, /^wippy_function_calls\{function_id="app:echo",status="error"\} 1$/m);
});

test('a tie of orders is an error that names both, and nothing stays behind', async (t) => {
  const { tracerProvider } = hostTracing();
  const make = (interceptors: readonly Interceptor[]) => () =>
    createRuntime({ dir: APP, tracerProvider, interceptors });
  t.throws(make([watcher('mine', 100, [])]), { message: /'tracing' and 'mine' both have order 100/ });
  t.throws(make([watcher('one', 7, []), watcher('two', 7, [])]), { message: /'one' and 'two' both have order 7/ });
  t.doesNotThrow(make([watcher('mine', 101, [])]));
});

// ---- Lua modules -------------------------------------------------------------------------------------------------

class Basket implements HostObject {
  readonly [hostObject] = true as const;
  readonly items: string[] = [];
}
const basketClass: LuaClass<Basket> = {
  name: 'shop.Basket',
  constructor: Basket,
  methods: {
    add(self, _thread, [item]) {
      if (typeof item !== 'string') throw new LuaRaise('an item is a text');
      self.items.push(item);
      return [self];
    },
    count: (self) => [self.items.length],
  },
  tostring: (self) => `a basket of ${self.items.length}`,
};

const shopModule = (delays: { after(ms: number, body: () => void): void }): LuaModule => ({
  name: 'shop',
  yields: ['price', 'later'],
  constants: { CURRENCY: 'EUR', LIMITS: { items: 3 } },
  functions: {
    upper: (_thread, [text]) => [String(text).toUpperCase()],
    price: async (_thread, [sku]) => {
      await Promise.resolve();
      return sku === 'lamp' ? [{ cents: 1995 }, null] : [null, `no price for ${String(sku)}`];
    },
    later: (_thread, [ms]) =>
      new Suspension((resume, raise) => {
        if (typeof ms !== 'number') return raise(new LuaRaise('milliseconds expected'));
        delays.after(ms, () => resume(['now']));
      }),
    basket: () => [new Basket()],
  },
});

const SHOP = {
  '_index.yaml': `version: "1.0"
namespace: app
entries:
  - { name: main, kind: function.lua, source: file://main.lua, method: main, modules: [shop] }
  - { name: wrong, kind: function.lua, source: file://main.lua, method: wrong, modules: [shop] }
`,
  'main.lua': `local shop = require("shop")
local function main(sku)
  local price, err = shop.price(sku)
  if err then return { err = err } end
  local basket = shop.basket():add("lamp"):add("desk")
  return {
    upper = shop.upper(sku), cents = price.cents, later = shop.later(1), count = basket:count(),
    text = tostring(basket), currency = shop.CURRENCY, limit = shop.LIMITS.items,
  }
end
local function wrong()
  return shop.basket():add(5)
end
return { main = main, wrong = wrong }
`,
};
const timers = { after: (ms: number, body: () => void): void => void setTimeout(body, ms) };

test('a module of the host: functions that return, that promise and that suspend, constants and a class', async (t) => {
  const runtime = await startRuntime(t, {
    dir: t.testdir(SHOP),
    modules: [shopModule(timers)],
    classes: [basketClass],
  });
  t.same(await runtime.call('app:main', ['lamp']), {
    upper: 'LAMP',
    cents: 1995,
    later: 'now',
    count: 2,
    text: 'a basket of 2',
    currency: 'EUR',
    limit: 3,
  });
  t.same(await runtime.call('app:main', ['unicorn']), { err: 'no price for unicorn' });
  await t.rejects(runtime.call('app:wrong'), { message: /main\.lua:12: an item is a text/ });
});

test('an app that lists a module nobody brings is refused, and so is a name that is taken', async (t) => {
  const dir = t.testdir(SHOP);
  t.throws(() => createRuntime({ dir }), { message: /_index\.yaml:4:.*unknown module 'shop'/ });
  t.throws(() => createRuntime({ dir: APP, modules: [{ name: 'json', functions: {} }] }), { message: /json/ });
});
