import { type Logger as PinoLogger, pino } from 'pino';
import type { Clock } from '../../runtime/clock.ts';
import type { CallContext } from '../../runtime/context.ts';
import { messageOf } from '../../runtime/errors.ts';
import {
  LOG_LEVELS,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogWrite,
  type Subsystem,
} from '../../runtime/logger.ts';
import { TRACE } from '../../runtime/trace.ts';
import { consoleLine } from './console-format.ts';
import { preparedFields } from './fields.ts';
import { isoTime, lineFrame, plainMembers } from './plain-line.ts';
import { redactor } from './redaction.ts';
import { type LogDestination, type SinkFailure, sinks } from './sinks.ts';

export interface LogOptions {
  readonly level: LogLevel;
  /** Levels of single subsystems (`logger.levels`). */
  readonly levels?: Readonly<Partial<Record<Subsystem, LogLevel>>>;
  readonly encoding: 'json' | 'console';
  readonly destinations: readonly LogDestination[];
  readonly clock: Clock;
  /** Texts that no line may hold. Headers with credentials and user names in URLs are hidden in any case. */
  readonly redact?: readonly string[];
  /** Told once a line: `runtime_log_emissions_total`. */
  readonly onLine?: (level: LogLevel) => void;
  /** Told for every line that a destination has lost, or (`encode`) whose fields could not be written. */
  readonly onLost?: (kind: SinkFailure | 'encode') => void;
}

export interface ProgramLogger extends Logger {
  /** Resolves when every destination has taken or refused what was written. Give it a deadline: one may be stuck. */
  flush(): Promise<void>;
}

/**
 * Lines of JSON (or of text, `console`) on every destination: `level`, `time` (ISO, UTC), `subsystem` (`boot` until
 * `subsystem` names another), the fields, `trace_id` and `span_id` where there is a context, and `msg`.
 * Nothing here throws into the caller, and nothing is shared between two loggers.
 */
export const createLogger = (options: LogOptions): ProgramLogger => {
  const redact = redactor(options.redact ?? [], options.encoding);
  const render = options.encoding === 'json' ? redact : (json: string) => redact(consoleLine(json));
  const lost = options.onLost ?? (() => {});
  const fanOut = sinks(options.destinations, {
    lost,
    broken: (index, error) => {
      const text = 'a log destination failed; its lines are lost until it takes one again';
      root.subsystem('telemetry').warn(text, { destination: index, error });
    },
  });
  const iso = isoTime();
  const time = (): string => iso(options.clock.wall());
  const base = pino(
    {
      level: LOG_LEVELS[0], // levels are ours: what is off never gets here
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${time()}"`,
    },
    { write: (line: string) => fanOut.write(`${render(line.trimEnd())}\n`) },
  );
  const plain = options.encoding === 'json' ? plainMembers() : undefined;
  // No pattern can match a plain line; a text of `redact` could stand anywhere.
  const renderPlain =
    (options.redact ?? []).length === 0
      ? (line: string): string => line
      : (line: string): string => `${render(line.trimEnd())}\n`;

  const levelOf = (subsystem: Subsystem): number => LOG_LEVELS.indexOf(options.levels?.[subsystem] ?? options.level);

  const loggerOf = (subsystem: Subsystem, bound: Readonly<Record<string, unknown>>): Logger => {
    const lines = base.child({ subsystem, ...bound });
    const threshold = levelOf(subsystem);
    const isOn = (level: LogLevel): boolean => LOG_LEVELS.indexOf(level) >= threshold;
    const writer = (level: LogLevel): LogWrite => {
      if (!isOn(level)) return nothing; // costs no check per line (pino does the same)
      const frame = lineFrame(level, (lines as unknown as Record<symbol, string>)[pino.symbols.chindingsSym] ?? '');
      const plainLine = (message: string, fields?: LogFields, context?: CallContext): string | undefined => {
        const members = fields === undefined ? '' : plain?.of(fields, bound);
        if (plain === undefined || members === undefined) return undefined;
        return frame.line(time(), members, context?.get(TRACE), message);
      };
      return (message, fields, context) => {
        options.onLine?.(level);
        try {
          const line = plainLine(message, fields, context);
          if (line === undefined) writeLine(lines, level, message, fields, context);
          else fanOut.write(renderPlain(line));
        } catch (error) {
          // A field that cannot be read (a throwing getter) must not cost the line, nor reach who only wanted to log.
          lost('encode');
          writeLine(lines, level, message, { fields_error: messageOf(error) }, context);
        }
        if (level === 'error') fanOut.writeOut(); // whatever comes next, this one has been told
      };
    };
    /** Two keys of one name are no good JSON: the field of the line wins over that of the logger. */
    const writeLine = (
      to: PinoLogger,
      level: LogLevel,
      message: string,
      fields: LogFields | undefined,
      context: CallContext | undefined,
    ): void => {
      const own: Record<string, unknown> = fields === undefined ? {} : preparedFields(fields);
      const trace = context?.get(TRACE);
      if (trace !== undefined) {
        own.trace_id = trace.traceId;
        own.span_id = trace.spanId;
      }
      const clashing = Object.keys(bound).some((key) => key in own);
      if (clashing) base.child({ subsystem })[level]({ ...bound, ...own }, message);
      else to[level](own, message);
    };
    return {
      debug: writer('debug'),
      info: writer('info'),
      warn: writer('warn'),
      error: writer('error'),
      enabled: isOn,
      child: (fields) => loggerOf(subsystem, { ...bound, ...preparedFields(fields) }),
      subsystem: (name) => loggerOf(name, bound),
    };
  };
  const root = loggerOf('boot', {});
  return { ...root, flush: () => fanOut.flush() };
};

const nothing: LogWrite = () => {};
