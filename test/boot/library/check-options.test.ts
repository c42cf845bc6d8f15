import { test } from 'tap';
import { createRuntime, type RuntimeOptions } from '../../../boot/library.ts';
import { poll } from '../../harness/poll.ts';
import { APP } from './start-runtime.ts';

/** As plain JavaScript would, without types that say what is wrong. */
const make = (options: unknown) => () => createRuntime(options as RuntimeOptions);
const withApp = (options: object) => make({ dir: APP, ...options });

test('options that types would refuse are refused by their name', async (t) => {
  const refused: readonly (readonly [() => unknown, RegExp])[] = [
    [make(undefined), /createRuntime expects options/],
    [make({}), /^dir: undefined is no folder\. Name the folder/],
    [make({ dir: new URL('http://localhost/app') }), /^dir: http:\/\/localhost\/app is no folder/],
    [withApp({ tracerProvider: {} }), /^tracerProvider: it has no getTracer\(\)/],
    [withApp({ tracerProvider: 5 }), /^tracerProvider: it has no getTracer\(\)/],
    [withApp({ propagator: { fields: [] } }), /^propagator: it has no inject\(\), extract\(\)/],
    [withApp({ logger: { info() {} } }), /^logger: it has no debug\(\), warn\(\), error\(\)/],
    [withApp({ collector: {} }), /^collector: it has no counter\(\), snapshot\(\)/],
    [withApp({ interceptors: {} }), /^interceptors: expected a list/],
    [withApp({ interceptors: [null] }), /^interceptors\[0\]: expected an object, got null/],
    [withApp({ interceptors: [{ name: '', order: 1 }] }), /^interceptors\[0\]: an interceptor needs a name/],
    [withApp({ interceptors: [{ name: 'a', order: Number.NaN }] }), /^interceptors\[0\]: 'a' needs an order/],
    [withApp({ interceptors: [{ name: 'a', order: 1 }] }), /^interceptors\[0\]: 'a' needs a function wrap/],
    [
      withApp({ interceptors: [{ name: 'a', order: 1, wrap() {} }] }),
      /^interceptor 'a': wrap gave undefined for app:\w+\. Return a function, or `next`/,
    ],
    [withApp({ modules: [{}] }), /^modules\[0\]: a Lua module needs a name/],
    [withApp({ modules: [{ name: 'm', functions: { f: 5 } }] }), /^modules\[0\]\.functions\.f: expected a function/],
    [
      withApp({ modules: [{ name: 'm', functions: { f() {} }, yields: ['g'] }] }),
      /^modules\[0\]\.functions: yields names 'g', which is not among them/,
    ],
    [withApp({ classes: [{ name: 'C', methods: {} }] }), /^classes\[0\]: 'C' needs a constructor/],
    [withApp({ classes: [{ name: 'C', constructor: class {} }] }), /^classes\[0\]: 'C' needs methods/],
  ];
  const held = (): string => process.getActiveResourcesInfo().sort().join();
  const before = held();
  for (const [made, message] of refused) t.throws(made, { message });
  await poll('nothing stays behind', () => held() === before);
});

test('what is left out or undefined is no fault', async (t) => {
  const names = ['tracerProvider', 'propagator', 'logger', 'collector', 'interceptors', 'modules', 'classes'];
  const runtime = createRuntime({ dir: APP, ...Object.fromEntries(names.map((name) => [name, undefined])) });
  t.equal(await runtime.stop(), true);
});
