import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../runtime/clock.ts';
import { type CallError, internal, invalid } from '../../runtime/errors.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}
export const DEFAULT_BODY_LIMITS: BodyLimits = { maxBytes: 125_829_120, timeoutMs: 300_000 };

/** Bytes of a refused body that are still taken and thrown away, so that the client gets to read the answer. */
const DISCARDED_BYTES = 256 * 1024;

/** The declared length; -1 when it is unknown (chunked), 0 without a body (RFC 9112, section 6.3). */
export const contentLength = (req: IncomingMessage): number => {
  const declared = req.headers['content-length'];
  if (declared !== undefined) return Number(declared);
  return req.headers['transfer-encoding'] === undefined ? 0 : -1;
};

/** The body of a request: read once, within limits. */
export class RequestBody {
  readonly #req: IncomingMessage;
  readonly #clock: Clock;
  readonly #refuse: () => void;
  #isConsumed = false;

  /** `refuse` is told when the rest of the body will not be read, so that the connection is not used again. */
  constructor(req: IncomingMessage, clock: Clock, refuse: () => void) {
    this.#req = req;
    this.#clock = clock;
    this.#refuse = refuse;
  }

  /**
   * The whole body; empty when there is none or it was read before.
   * @throws CallError Invalid `request body too large`, Internal for a failed read and `request timeout after Nms`.
   */
  read(limits: BodyLimits): Uint8Array | Promise<Uint8Array> {
    const length = contentLength(this.#req);
    if (this.#isConsumed || length === 0) return new Uint8Array(0);
    this.#isConsumed = true;
    if (length > limits.maxBytes) throw this.#refused(invalid('request body too large'));
    return this.#collect(limits);
  }

  #collect(limits: BodyLimits): Promise<Uint8Array> {
    const req = this.#req;
    return new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = [];
      let size = 0;
      const settle = (done: () => void) => {
        cancel();
        req.off('data', onData).off('end', onEnd).off('close', onClose);
        done();
      };
      const fail = (error: CallError) => settle(() => reject(this.#refused(error)));
      const onData = (chunk: Uint8Array) => {
        size += chunk.length;
        if (size > limits.maxBytes) fail(invalid('request body too large'));
        else chunks.push(chunk);
      };
      const onEnd = () => settle(() => resolve(Buffer.concat(chunks, size)));
      const onClose = () => fail(internal('reading the request body failed: the client closed the connection'));
      const cancel = this.#clock.after(limits.timeoutMs, () =>
        fail(internal(`request timeout after ${limits.timeoutMs}ms`)),
      );
      req.on('data', onData).once('end', onEnd).once('close', onClose);
      if (req.destroyed && !req.readableEnded) onClose();
    });
  }

  #refused(error: CallError): CallError {
    this.#refuse();
    const req = this.#req;
    let discarded = 0;
    req.on('data', (chunk: Uint8Array) => {
      discarded += chunk.length;
      if (discarded > DISCARDED_BYTES) req.pause();
    });
    return error;
  }
}
