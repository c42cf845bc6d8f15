import type { Writable } from 'node:stream';
import type { LogDestination } from '../../services/log/sinks.ts';

/** Lets log lines through, or not (`hide_logs`). */
export interface LogGate extends LogDestination {
  isOpen: boolean;
}

export const logGate = (stream: Writable): LogGate => ({
  isOpen: true,
  write(text, done) {
    if (this.isOpen) return stream.write(text, done);
    done?.();
    return true;
  },
  on: (event, listener) => stream.on(event, listener),
  get writableLength() {
    return stream.writableLength;
  },
  get errored() {
    return stream.errored;
  },
});
