import { test } from 'tap';
import { type CallSite, compose, type Interceptor, isPromise } from '../../runtime/call.ts';
import { rootContext } from '../../runtime/context.ts';

const SITE: CallSite<string, string> = { surface: 'function', operation: 'call', target: 'app:f' };
const marking = (name: string, order: number): Interceptor => ({
  name,
  order,
  wrap: (next) => (call) => {
    const out = next({ ...call, input: `${call.input}${name}(` as typeof call.input });
    return (isPromise(out) ? out.then((text) => `${text})`) : `${out})`) as typeof out;
  },
});

test('rule 47: the interceptor of the lowest order is the outermost, whatever their order in the list', async (t) => {
  const chain = compose([marking('tracing', 100), marking('guard', 10), marking('metrics', 50)]);
  const run = chain(SITE, ({ input }) => `${input}core`);
  t.equal(run({ input: '', context: rootContext }), 'guard(metrics(tracing(core)))');
  const swapped = compose([marking('tracing', 50), marking('guard', 10), marking('metrics', 100)]);
  const other = swapped(SITE, ({ input }) => `${input}core`);
  t.equal(other({ input: '', context: rootContext }), 'guard(tracing(metrics(core)))');
});

test('rule 47: two interceptors of one order are an error that names both', async (t) => {
  t.throws(() => compose([marking('metrics', 50), marking('guard', 10), marking('tracing', 50)]), {
    message: "interceptors 'metrics' and 'tracing' both have order 50. Give each its own order.",
  });
});

test('a site is wrapped once, however often it is called; one that has nothing to do costs nothing', async (t) => {
  const wrapped: string[] = [];
  const counting: Interceptor = {
    name: 'counting',
    order: 1,
    wrap(next, site) {
      wrapped.push(site.target);
      return next;
    },
  };
  const core = ({ input }: { input: string }) => input;
  const run = compose([counting])(SITE, core);
  t.equal(run, core, 'next itself is what is called');
  for (let i = 0; i < 3; i += 1) run({ input: 'x', context: rootContext });
  t.same(wrapped, ['app:f']);
  t.equal(compose([])(SITE, core), core);
});

test('a synchronous call stays synchronous, an asynchronous one gives a promise', async (t) => {
  const chain = compose([marking('a', 1)]);
  t.equal(chain(SITE, () => 'now')({ input: '', context: rootContext }), 'now)');
  const later = chain(SITE, async () => 'later')({ input: '', context: rootContext });
  t.ok(isPromise(later));
  t.equal(await later, 'later)');
});

test('promises are told from other values', async (t) => {
  for (const value of [undefined, null, 'then', []]) t.notOk(isPromise(value as unknown), String(value));
  t.ok(isPromise(Promise.resolve()));
});
