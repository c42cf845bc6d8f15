import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { decodeJson, encodeJson } from '../../runtime/codec/json.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import { asCallError, messageOf } from '../../runtime/errors.ts';
import { renderFrames } from '../../runtime/lua/traceback.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';
import { noTracer, TRACE, type Tracer } from '../../runtime/trace.ts';
import { FUNCTIONS } from '../../services/function/port.ts';
import { type CommandLine, UsageError } from '../arguments.ts';
import { createProgram } from '../program.ts';
import { packageVersion } from '../version.ts';
import { exitOf } from './exit.ts';
import { loadCheckedApp } from './load.ts';
import type { Terminal } from './terminal.ts';

/** `invoke <dir> <id> [json...]`: calls one function of an app that is started but takes no work from outside. */
export const invokeCommand = async (line: CommandLine, terminal: Terminal): Promise<number> => {
  const [dir, id, ...texts] = line.positionals;
  if (dir === undefined || id === undefined) {
    throw new UsageError('invoke takes a folder and a function: perilune invoke <dir> <id> [json...].');
  }
  const args = texts.map(jsonArgument);
  const app = loadCheckedApp(line, resolve(dir), terminal);
  const seen = firstTrace();
  const program = createProgram({
    app,
    build: { version: packageVersion(), revision: terminal.variables.PERILUNE_REVISION ?? '', command: 'invoke' },
    variables: terminal.variables,
    logTo: [terminal.logs],
    isTerminal: terminal.isTerminal,
    // One command's own lines, unless more are asked for.
    log: line.log,
    isOpen: false,
    hasOperationsPort: false,
    wrapTracer: seen.wrap,
  });
  const exit = exitOf(program, app.loaded.config.shutdown.timeout);
  try {
    await program.start();
    const functions = program.use(FUNCTIONS);
    if (!functions.has(id)) throw new UsageError(`${id}: no such function in ${dir}.`);
    const code = await call(terminal, seen, async (context) => {
      const { value } = await functions.call(id, args, context.withSignal(exit.signal));
      return value;
    });
    return exit.code ?? code;
  } finally {
    exit.close();
    await program.stop();
  }
};

const call = async (
  terminal: Terminal,
  seen: ReturnType<typeof firstTrace>,
  body: (context: CallContext) => Promise<LuaValue>,
): Promise<number> => {
  const traceLine = (): void => void terminal.err.write(`trace ${seen.id()}\n`);
  try {
    const text = encodeJson(await body(seen.context()));
    traceLine();
    terminal.out.write(`${text}\n`);
    return 0;
  } catch (thrown) {
    const error = asCallError(thrown);
    traceLine();
    terminal.err.write(`${error.kind || 'Internal'}: ${error.message}\n`);
    if (error.frames.length > 0) terminal.err.write(`stack traceback:\n${renderFrames(error.frames)}\n`);
    return 1;
  }
};

const jsonArgument = (text: string, index: number): LuaValue => {
  try {
    return decodeJson(text);
  } catch (error) {
    throw new UsageError(`argument ${index + 1} is not JSON: ${messageOf(error)}. Quote texts: '"text"'.`);
  }
};

/** The trace that the call belongs to: that of its first span, or one for the logs alone where tracing is off. */
const firstTrace = () => {
  let first: string | undefined;
  let isTracing = false;
  const own = randomBytes(16).toString('hex');
  return {
    id: (): string => first ?? own,
    context: (): CallContext => {
      if (isTracing) return rootContext;
      const spanId = randomBytes(8).toString('hex');
      return rootContext.with(TRACE, { traceId: own, spanId, flags: 0, isRemote: true });
    },
    wrap(tracer: Tracer): Tracer {
      if (tracer === noTracer) return tracer;
      isTracing = true;
      return {
        site(recipe) {
          const site = tracer.site(recipe);
          return {
            start(context, detail) {
              const started = site.start(context, detail);
              first ??= started.trace?.traceId;
              return started;
            },
          };
        },
      };
    },
  };
};
