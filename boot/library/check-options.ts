import type { Interceptor } from '../../runtime/call.ts';
import { LOG_LEVELS } from '../../runtime/logger.ts';
import type { LuaClass, LuaModule } from '../../runtime/lua/engine.ts';
import type { RuntimeOptions } from './options.ts';

type Methods = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Methods =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/** @throws Error naming the option and what it lacks. */
const needsMethods = (at: string, value: unknown, methods: readonly string[], remedy: string): void => {
  if (value === undefined) return;
  const missing = methods.filter((name) => !isObject(value) || typeof value[name] !== 'function');
  if (missing.length > 0)
    throw new Error(`${at}: it has no ${missing.map((name) => `${name}()`).join(', ')}. ${remedy}`);
};

const listOf = <T>(at: string, value: readonly T[] | undefined): readonly (readonly [string, T])[] => {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Error(`${at}: expected a list.`);
  return value.map((one: T, i) => {
    if (!isObject(one)) throw new Error(`${at}[${i}]: expected an object, got ${String(one)}.`);
    return [`${at}[${i}]`, one] as const;
  });
};

const needsName = (at: string, name: unknown, what: string): void => {
  if (typeof name !== 'string' || name === '') throw new Error(`${at}: ${what} needs a name.`);
};

const checkInterceptor = (at: string, { name, order, wrap }: Interceptor): void => {
  needsName(at, name, 'an interceptor');
  if (!Number.isFinite(order)) throw new Error(`${at}: '${name}' needs an order, a number; lower is further out.`);
  if (typeof wrap !== 'function') throw new Error(`${at}: '${name}' needs a function wrap(next, site).`);
};

/** Functions are functions, and what `yields` lists is among them: a misspelt name would never give way. */
const checkFunctions = (at: string, functions: Methods, yields: readonly string[] = []): void => {
  for (const [name, body] of Object.entries(functions)) {
    if (typeof body !== 'function') throw new Error(`${at}.${name}: expected a function, got ${typeof body}.`);
  }
  const unknown = yields.find((name) => !Object.hasOwn(functions, name));
  if (unknown !== undefined) throw new Error(`${at}: yields names '${unknown}', which is not among them.`);
};

const checkModule = (at: string, { name, functions = {}, yields }: LuaModule): void => {
  needsName(at, name, 'a Lua module');
  checkFunctions(`${at}.functions`, functions, yields);
};

const checkClass = (at: string, type: LuaClass<object>): void => {
  const { name, methods, yields } = type;
  needsName(at, name, 'a class');
  if (!isObject(methods)) throw new Error(`${at}: '${name}' needs methods.`);
  // Every object has inherited a `constructor`.
  if (!Object.hasOwn(type, 'constructor') || typeof type.constructor !== 'function') {
    throw new Error(`${at}: '${name}' needs a constructor, the class whose instances it describes.`);
  }
  checkFunctions(`${at}.methods`, methods, yields);
};

/**
 * What types would have said, for plain JavaScript.
 * @throws Error naming the option.
 */
export const checkOptions = (options: RuntimeOptions): void => {
  if (!isObject(options)) throw new Error('createRuntime expects options: { dir: ... }.');
  for (const [at, one] of listOf('interceptors', options.interceptors)) checkInterceptor(at, one);
  for (const [at, one] of listOf('modules', options.modules)) checkModule(at, one);
  for (const [at, one] of listOf('classes', options.classes)) checkClass(at, one);
  needsMethods('tracerProvider', options.tracerProvider, ['getTracer'], 'Give a TracerProvider of OpenTelemetry.');
  needsMethods('propagator', options.propagator, ['inject', 'extract'], 'Give a TextMapPropagator of OpenTelemetry.');
  needsMethods('logger', options.logger, LOG_LEVELS, 'Give a pino, or any with these methods.');
  needsMethods('collector', options.collector, ['counter', 'snapshot'], 'Make one with createCollector.');
};
