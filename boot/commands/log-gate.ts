import type { LogDestination } from '../../services/log/sinks.ts';

/** Lets log lines through, or not (`hide_logs`). */
export interface LogGate extends LogDestination {
  isOpen: boolean;
}

export const logGate = (destination: LogDestination): LogGate => ({
  isOpen: true,
  write(text, done) {
    if (this.isOpen) return destination.write(text, done);
    done?.();
    return true;
  },
  on: destination.on === undefined ? undefined : (event, listener) => destination.on?.(event, listener),
  flush: () => destination.flush?.(),
  get writableLength() {
    return destination.writableLength;
  },
  get errored() {
    return destination.errored;
  },
});
