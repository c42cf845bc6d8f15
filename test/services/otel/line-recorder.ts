import type { LogFields, Logger, LogLevel } from '../../../runtime/logger.ts';

export interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that keeps its lines. */
export const lineRecorder = (): { logger: Logger; lines: Line[]; at(level: LogLevel): readonly Line[] } => {
  const lines: Line[] = [];
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields });
    };
  const logger: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    enabled: () => true,
    child: () => logger,
    subsystem: () => logger,
  };
  return { logger, lines, at: (level) => lines.filter((line) => line.level === level) };
};
