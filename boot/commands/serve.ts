import type { Entry } from '../../runtime/entry.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { LogFields } from '../../runtime/logger.ts';
import { HTTP_SERVERS } from '../../services/http/port.ts';
import type { App } from '../app.ts';
import type { CommandLine } from '../arguments.ts';
import { createProgram, type Program } from '../program.ts';
import { packageVersion } from '../version.ts';
import { holdOpen } from './hold-open.ts';
import type { Terminal } from './terminal.ts';

/** Serves the app until SIGTERM or SIGINT, or until it asks for the end itself. The second signal ends it at once with 1. */
export const serve = async (app: App, line: CommandLine, terminal: Terminal): Promise<number> => {
  const program = createProgram({
    app,
    build: { version: packageVersion(), revision: terminal.variables.PERILUNE_REVISION ?? '', command: 'run' },
    variables: terminal.variables,
    logTo: [terminal.logs],
    isTerminal: terminal.isTerminal,
    log: line.log,
  });
  const ending = Promise.withResolvers<void>();
  /** Set once something has asked for the end: the first code stays, but for a crash. */
  let code: number | undefined;
  const end = (asked: number, why: LogFields): void => {
    if (code === undefined) program.logger.info('stopping', why);
    code ??= asked;
    ending.resolve();
  };
  let signals = 0;
  const offSignal = terminal.onSignal((name) => {
    signals += 1;
    if (signals > 1) terminal.exit(1);
    end(0, { signal: name });
  });
  void program.exitRequested.then((asked) => end(asked, { exit_code: asked }));
  const offUncaught = terminal.onUncaught((error) => {
    program.logger.error('an error that nobody caught: the program stops', {
      error: messageOf(error),
      stack: (error as Error)?.stack,
    });
    code = 1;
    ending.resolve();
  });
  const letGo = holdOpen(program.clock);
  try {
    const started = program.start();
    // An end that is asked for during the start stops what has started by then.
    await Promise.race([started, ending.promise]);
    if (code === undefined) announce(program, app, terminal);
    await ending.promise;
    await program.stop();
    return code ?? 0;
  } catch (error) {
    await program.stop();
    throw error;
  } finally {
    letGo();
    offSignal();
    offUncaught();
  }
};

/** What listens where, and what to try next. */
const announce = (program: Program, app: App, terminal: Terminal): void => {
  const write = (text: string): void => void terminal.out.write(`${text}\n`);
  const servers = app.loaded.config.surfaces.http ? program.use(HTTP_SERVERS).addresses() : [];
  for (const { id, address } of servers) write(`${id} listens on http://${reachable(address)}`);
  // The first that the author wrote, not the first by id.
  const line = (entry: Entry): number => entry.position('')?.line ?? 0;
  const endpoints = app.registry
    .all()
    .filter((entry) => entry.kind === 'http.endpoint' && entry.data.method === 'GET')
    .sort((a, b) => line(a) - line(b));
  const first = servers[0];
  const example = endpoints.find((entry) => typeof entry.data.path === 'string' && !/[{:]/.test(entry.data.path));
  if (first !== undefined && example !== undefined) {
    const router = app.registry.get(
      String(example.meta.router).includes(':')
        ? String(example.meta.router)
        : `${example.namespace}:${example.meta.router}`,
    );
    const prefix = typeof router?.data.prefix === 'string' ? router.data.prefix.replace(/\/$/, '') : '';
    const server = servers.find((one) => one.id === serverOf(router)) ?? first;
    write(`  try: curl http://${reachable(server.address)}${prefix}${String(example.data.path)}`);
  }
  const operations = program.operationsAddress();
  if (operations !== undefined) {
    const { metrics, readyz } = app.loaded.config.telemetry.paths;
    write(`metrics: http://${reachable(operations)}${metrics}  readiness: http://${reachable(operations)}${readyz}`);
  } else write('metrics: off (telemetry.enabled: true in perilune.yaml, or --set telemetry.enabled=true)');
  const { traceExporters, traces } = app.otel.settings;
  if (traceExporters.includes('otlp')) write(`traces go to ${traces.endpoint}`);
  else write('traces: off (otel.enabled: true, or OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318)');
};

const serverOf = (router: ReturnType<App['registry']['get']>): string | undefined => {
  const server = router?.meta.server;
  if (typeof server !== 'string') return undefined;
  return server.includes(':') ? server : `${router?.namespace}:${server}`;
};

/** An address that a browser can open: `0.0.0.0` and `[::]` are everywhere, localhost is one of them. */
const reachable = (address: string): string => address.replace(/^(0\.0\.0\.0|\[::\]):/, 'localhost:');
