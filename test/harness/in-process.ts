import { loadApp } from '../../boot/app.ts';
import { createProgram } from '../../boot/program.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import type { HostValue, LuaValue } from '../../runtime/lua/values.ts';
import { FUNCTIONS } from '../../services/function/port.ts';
import { HTTP_SERVERS } from '../../services/http/port.ts';
import { type Exposition, parsePrometheusText } from './prometheus-text.ts';
import { type SpanRecorder, spanRecorder } from './span-recorder.ts';
import type { Scope } from './teardown.ts';

/** The whole program inside the test's own process: read from files, with its boot file's settings and its real port. */
export interface InProcess {
  readonly recorder: SpanRecorder;
  /** Log lines, decoded. */
  lines(): readonly Readonly<Record<string, unknown>>[];
  call(id: string, args?: readonly HostValue[], context?: CallContext): Promise<LuaValue>;
  scrape(): Promise<Exposition>;
  /** `http://127.0.0.1:<port>` of an HTTP service, as its line says. */
  url(service: string): string;
}

export interface InProcessOptions {
  /** `--set` of the command line. */
  readonly set?: Readonly<Record<string, string | number | boolean>>;
  readonly variables?: Readonly<Record<string, string>>;
  /** Default: that of the system. */
  readonly clock?: Clock;
}

/** @throws Error with every problem, when the app is not valid; StartError. */
export const programIn = async (
  scope: Scope,
  dir: string,
  { set = {}, variables = {}, clock }: InProcessOptions = {},
): Promise<InProcess> => {
  const settings = { 'telemetry.enabled': true, 'telemetry.listen': '127.0.0.1:0', ...set };
  const sets = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  const app = loadApp({ dir, configFiles: [], sets, overrides: [], variables });
  const errors = app.problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  const recorder = spanRecorder();
  const written: string[] = [];
  const program = createProgram({
    app,
    build: { version: '0.0.0', revision: '', command: 'embed' },
    variables,
    logTo: [{ write: (line) => written.push(line) }],
    isTerminal: false,
    wrapTracer: () => recorder.tracer,
    ...(clock && { clock }),
  });
  scope.teardown(() => program.stop());
  await program.start();
  return {
    recorder,
    lines: () => written.map((line) => JSON.parse(line)),
    call: async (id, args = [], context = rootContext) => (await program.use(FUNCTIONS).call(id, args, context)).value,
    url(service) {
      const found = program
        .use(HTTP_SERVERS)
        .addresses()
        .find(({ id }) => id === service);
      if (found === undefined) throw new Error(`no HTTP service ${service}`);
      return `http://${found.address}`;
    },
    async scrape() {
      const response = await fetch(`http://${program.operationsAddress()}/metrics`);
      return parsePrometheusText(await response.text());
    },
  };
};

/** `_index.yaml` of functions of the namespace `app`, whose handlers are these Lua bodies (arguments are `...`). */
export const functionsFile = (functions: Readonly<Record<string, { body: string; more?: object }>>): string =>
  JSON.stringify({
    version: '1.0',
    namespace: 'app',
    entries: Object.entries(functions).map(([name, { body, more }]) => ({
      name,
      kind: 'function.lua',
      method: 'main',
      source: `return function(...) ${body} end`,
      modules: ['funcs', 'time', 'logger'],
      ...more,
    })),
  });
