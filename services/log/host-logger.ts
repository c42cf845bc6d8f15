import type { CallContext } from '../../runtime/context.ts';
import { LOG_LEVELS, type LogFields, type Logger, type LogLevel, type LogWrite } from '../../runtime/logger.ts';
import { TRACE } from '../../runtime/trace.ts';
import { preparedFields } from './fields.ts';
import type { ProgramLogger } from './logger.ts';

/** A logger as pino, bunyan and others have it: fields first, then the message. */
export interface StructuredLogger {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
  /** Absent: every level is on. */
  isLevelEnabled?(level: string): boolean;
}

export interface HostLoggerHooks {
  /** Told once a line: `runtime_log_emissions_total`. */
  readonly onLine: (level: LogLevel) => void;
  /** Told for every line that the host's logger threw at. */
  readonly onLost: (kind: 'write') => void;
}

/** One line, and whether a line of this level would be written. */
interface Sink {
  write(level: LogLevel, message: string, fields: LogFields | undefined, context: CallContext | undefined): void;
  isOn(level: LogLevel): boolean;
}

/** Lines of a structured logger carry `subsystem` and the trace's ids like those of our own (telemetry.md, section 6). */
const structuredSink = (theirs: StructuredLogger, bound: LogFields): Sink => ({
  write(level, message, fields, context) {
    const line: Record<string, unknown> = { ...bound, ...(fields === undefined ? {} : preparedFields(fields)) };
    const trace = context?.get(TRACE);
    if (trace !== undefined) {
      line.trace_id = trace.traceId;
      line.span_id = trace.spanId;
    }
    theirs[level](line, message);
  },
  isOn: (level) => theirs.isLevelEnabled?.(level) ?? true,
});

const ownSink = (theirs: Logger): Sink => ({
  write: (level, message, fields, context) => theirs[level](message, fields, context),
  isOn: (level) => theirs.enabled(level),
});

const isOwn = (given: Logger | StructuredLogger): given is Logger => 'subsystem' in given && 'child' in given;

/**
 * A host program's logger behind our interface. Levels, format, destinations and redaction are the host's; lines are
 * counted, and what its logger throws is counted and never reaches the code that only wanted to log.
 */
export const hostLogger = (given: Logger | StructuredLogger, hooks: HostLoggerHooks): ProgramLogger => {
  const loggerOver = (sink: Sink, child: Logger['child'], subsystem: Logger['subsystem']): Logger => {
    const writer =
      (level: LogLevel): LogWrite =>
      (message, fields, context) => {
        try {
          if (!sink.isOn(level)) return;
          hooks.onLine(level);
          sink.write(level, message, fields, context);
        } catch {
          hooks.onLost('write'); // counted: a line about it would be lost as well
        }
      };
    const [debug, info, warn, error] = LOG_LEVELS.map(writer) as [LogWrite, LogWrite, LogWrite, LogWrite];
    return { debug, info, warn, error, enabled: (level) => sink.isOn(level), child, subsystem };
  };
  const own = (theirs: Logger): Logger =>
    loggerOver(
      ownSink(theirs),
      (fields) => own(theirs.child(fields)),
      (name) => own(theirs.subsystem(name)),
    );
  const structured = (theirs: StructuredLogger, bound: LogFields): Logger =>
    loggerOver(
      structuredSink(theirs, bound),
      (fields) => structured(theirs, { ...bound, ...preparedFields(fields) }),
      (name) => structured(theirs, { ...bound, subsystem: name }),
    );
  const root = isOwn(given) ? own(given) : structured(given, { subsystem: 'boot' });
  return { ...root, flush: async () => {} }; // when its lines go out is the host's affair
};
