import type { CallContext } from './context.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Who writes a line (telemetry.md, section 6). Each has a level of its own. */
export const SUBSYSTEMS = [
  'boot',
  'telemetry',
  'lua',
  'function',
  'http',
  'http_client',
  'queue',
  'process',
  'schedule',
  'kv',
  'sql',
  'cdc',
  'events',
  'temporal',
] as const;
export type Subsystem = (typeof SUBSYSTEMS)[number];

export type LogFields = Readonly<Record<string, unknown>>;
/** `context` adds `trace_id` and `span_id`. Never throws. */
export type LogWrite = (message: string, fields?: LogFields, context?: CallContext) => void;

export interface Logger {
  readonly debug: LogWrite;
  readonly info: LogWrite;
  readonly warn: LogWrite;
  readonly error: LogWrite;
  /** Whether a line of this level would be written: for callers that would have to build costly fields. */
  enabled(level: LogLevel): boolean;
  /** A logger whose lines carry these fields as well; they are serialised once. */
  child(fields: LogFields): Logger;
  /** The logger of a subsystem, at that subsystem's level. */
  subsystem(name: Subsystem): Logger;
}

const nothing: LogWrite = () => {};
/** Writes nothing: for tests and for hosts that give no logger. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  enabled: () => false,
  child: () => silentLogger,
  subsystem: () => silentLogger,
};
