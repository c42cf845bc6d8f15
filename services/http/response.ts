import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../runtime/clock.ts';
import { internal, invalid, messageOf } from '../../runtime/errors.ts';
import type { BoundUpDownCounter } from '../../runtime/metrics/collector.ts';

/** Bodies up to this many bytes are kept until the handler ends and then get a Content-Length. */
const KEPT_BYTES = 16 * 1024;

export type TransferMode = 'chunked' | 'sse';
export interface ResponseParts {
  readonly clock: Clock;
  /** Milliseconds that a client may leave bytes unread; 0 = no limit. */
  readonly writeTimeoutMs: number;
  /** Open event streams. */
  readonly streams: BoundUpDownCounter;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all that is one byte in UTF-8.
const ASCII = /^[\u0000-\u007f]*$/;
/** Header values are bytes: text goes out as UTF-8, which Node takes as one character per byte. */
const headerBytes = (text: string): string => (ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1'));

/** One character for each byte, which is what Node sends together with the head. */
const asLatin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/** What `Content-Type` says when the function said nothing: no guess that a browser could run. */
const defaultType = (isJson: boolean, body: Uint8Array | undefined): string | undefined => {
  if (isJson) return 'application/json';
  if (body === undefined || body.length === 0) return undefined;
  const sample = body.subarray(0, 512);
  return sample.some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27))
    ? 'application/octet-stream'
    : 'text/plain; charset=utf-8';
};

const isWritten = ({ destroyed, errored, writableLength }: Socket): boolean =>
  !destroyed && errored === null && writableLength === 0;

/**
 * The response of one exchange: open -> headers sent (lua/http.md, section 5). "Headers sent" is the program's view: the
 * bytes leave later where that lets a small body have its length. Failures are thrown as CallErrors.
 */
export class ResponseWriter {
  /** The function produced a response: its result is ignored. */
  handled = false;
  #isClosed = false;
  /** Everything was taken by the system within `end` itself. */
  #isSent = false;
  readonly #res: ServerResponse;
  readonly #parts: ResponseParts;
  #isCommitted = false;
  #isJson = false;
  #mode: 'kept' | TransferMode = 'kept';
  #status = 200;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** A whole body of ASCII, kept as the text it was made of. Nothing is in `#kept` then. */
  #keptText = '';
  /** The `Content-Type` of such a body, which needs no check and replaces what was set before. */
  #isPlainJson = false;
  #onClosed: (() => void) | undefined;
  /** Headers of ours as pairs, until the head is made or a function sets one itself. */
  #own: string[] | undefined;

  constructor(res: ServerResponse, parts: ResponseParts) {
    this.#res = res;
    this.#parts = parts;
  }

  /** The response has been handed to the system, or the client has gone. */
  get isOver(): boolean {
    return this.#isSent || this.#isClosed;
  }

  /** Told once, by the exchange, when the response is closed. */
  close(): void {
    this.#isClosed = true;
    if (this.#mode === 'sse' && this.#res.headersSent) this.#parts.streams.add(-1);
    this.#onClosed?.();
  }

  /** For a response that is not over yet; one at a time. */
  whenOver(body: () => void): void {
    this.#onClosed = body;
  }

  /** The status that went out, the first one; undefined before that. */
  get sentStatus(): number | undefined {
    return this.#res.headersSent ? this.#res.statusCode : undefined;
  }

  /** The client went away before everything was sent. */
  get isAborted(): boolean {
    return this.#res.destroyed && !this.#res.writableFinished;
  }

  /** A header of ours, e.g. `traceparent`; a function may replace it. */
  addHeader(name: string, value: string): void {
    if (this.#res.headersSent) return;
    if (this.#own === undefined) this.#own = [name, value];
    else this.#own.push(name, value);
  }

  setStatus(code: number): void {
    this.#assertOpen('cannot set status after headers are sent');
    this.#status = code;
    this.#isCommitted = true;
    this.handled = true;
  }

  setHeader(name: string, value: string): void {
    this.#assertOpen('cannot set headers after they are sent');
    this.handled = true;
    // Framing is ours: beside a Content-Length this header would let two readers disagree on where the response ends.
    if (name.toLowerCase() === 'transfer-encoding') this.setTransfer('chunked');
    else this.#put(name, value);
  }

  setContentType(type: string): void {
    this.#assertOpen('cannot set content type after headers are sent');
    this.#put('Content-Type', type);
  }

  setTransfer(mode: TransferMode): void {
    this.#assertOpen('cannot set transfer mode after headers are sent');
    this.#mode = mode;
    this.#res.removeHeader('Content-Length');
    this.#put('Cache-Control', 'no-cache');
    if (mode === 'sse') {
      this.#put('Content-Type', 'text/event-stream');
      this.#put('Connection', 'keep-alive');
    }
  }

  /** Suspends (a promise) only while the client's side of the connection is full. */
  write(bytes: Uint8Array): void | Promise<void> {
    this.handled = true;
    this.#isCommitted = true;
    this.#assertWritable();
    if (this.#mode === 'kept' && !this.#res.headersSent && this.#keptBytes + bytes.length <= KEPT_BYTES) {
      this.#keepAsBytes();
      this.#kept.push(bytes);
      this.#keptBytes += bytes.length;
      return;
    }
    this.#keepAsBytes();
    this.#sendHead(bytes);
    return this.#send(this.#takeKept(bytes));
  }

  writeJson(text: string): void | Promise<void> {
    const isFirst = !this.#isCommitted;
    const bytes = Buffer.byteLength(text);
    if (bytes === text.length && bytes <= KEPT_BYTES && this.#keptBytes === 0 && this.#mode === 'kept') {
      this.handled = true;
      this.#isCommitted = true;
      this.#assertWritable();
      if (!this.#res.headersSent) {
        if (isFirst) this.#isPlainJson = true;
        else this.#isJson = true;
        this.#keptText = text;
        this.#keptBytes = bytes;
        return;
      }
    }
    if (isFirst) this.#put('Content-Type', 'application/json');
    // After `set_status` the type is left to us, and this is what the body is.
    else if (this.#keptBytes === 0) this.#isJson = true;
    return this.write(Buffer.from(text, 'utf8'));
  }

  /** One server-sent event, at once (WHATWG HTML, "Server-sent events"). `json` holds no line break. */
  writeEvent(name: string, json: string): void | Promise<void> {
    if (/[\r\n]/.test(name)) throw invalid('event name must not contain line breaks');
    if (this.#mode !== 'sse') {
      this.#assertOpen('cannot switch to SSE mode after headers are sent');
      this.setTransfer('sse');
    }
    return this.write(Buffer.from(`event: ${name}\ndata: ${json}\n\n`, 'utf8'));
  }

  flush(): void | Promise<void> {
    this.handled = true;
    this.#isCommitted = true;
    this.#assertWritable();
    this.#keepAsBytes();
    this.#sendHead(undefined);
    this.#res.flushHeaders();
    return this.#send(this.#takeKept());
  }

  /** Replaces whatever was prepared with a plain answer; for outcomes that the function did not handle itself. */
  reply(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    if (this.#res.headersSent || this.#res.destroyed) return;
    this.#res.removeHeader('Content-Type');
    this.#res.removeHeader('Content-Length');
    this.#mode = 'kept';
    this.#isJson = false;
    this.#isPlainJson = false;
    this.#keptText = '';
    this.#status = status;
    for (const [name, value] of Object.entries(headers)) this.#put(name, value);
    this.#kept = body === '' ? [] : [Buffer.from(body, 'utf8')];
    this.end();
  }

  /** For a failure outside the function: an answer while there can be one, else the connection's end. */
  refuse(status: number, message: string): void {
    this.reply(status, { 'Content-Type': 'text/plain; charset=utf-8' }, message);
    if (!this.#res.writableEnded) this.#res.destroy();
  }

  /** Sends what is left and ends the response. The exchange is over when `closed` settles. */
  end(): void {
    const res = this.#res;
    if (res.destroyed || res.writableEnded) return;
    const bodiless = this.#status === 204 || this.#status === 304 || this.#status < 200;
    const { socket } = res;
    try {
      if (this.#keptText !== '' && !bodiless && !res.hasHeader('Content-Length')) this.#endWithText();
      else this.#endWithBytes(bodiless);
    } catch (error) {
      // The declared length was not met: only closing the connection tells the client.
      res.destroy(error instanceof Error ? error : undefined);
    }
    // Most answers fit into the system's buffers: then there is nothing to wait for, and nothing that could be unread here.
    this.#isSent = socket !== null && isWritten(socket) && !res.destroyed && res.writableLength === 0;
    const { clock, writeTimeoutMs } = this.#parts;
    if (writeTimeoutMs > 0 && !res.destroyed && !this.#isSent) {
      const cancel = clock.after(writeTimeoutMs, () => res.destroy(), { unref: true });
      res.once('close', cancel);
    }
  }

  #endWithBytes(bodiless: boolean): void {
    const res = this.#res;
    this.#keepAsBytes();
    const rest = this.#takeKept();
    if (!res.headersSent && this.#mode === 'kept' && !bodiless && !res.hasHeader('Content-Length')) {
      res.setHeader('Content-Length', rest.length);
    }
    this.#sendHead(rest);
    if (rest.length > 0 && !bodiless) res.end(asLatin1(rest), 'latin1');
    else res.end();
  }

  /** Head and body in one write, which is the dearest part of an answer, and headers that nobody has to merge. */
  #endWithText(): void {
    const res = this.#res;
    const text = this.#keptText;
    const head = this.#own ?? [];
    this.#keptText = '';
    this.#own = undefined;
    if (this.#isPlainJson || (this.#isJson && !res.hasHeader('Content-Type'))) {
      head.push('Content-Type', 'application/json');
    }
    head.push('Content-Length', String(text.length));
    res.writeHead(this.#status, head);
    res.end(text, 'latin1');
  }

  #assertOpen(message: string): void {
    if (this.#isCommitted || this.#res.headersSent) throw invalid(message);
  }

  #assertWritable(): void {
    if (this.#res.destroyed) throw internal('client closed the connection');
    if (this.#res.writableEnded) throw internal('response has ended');
  }

  #put(name: string, value: string): void {
    this.#handOwn();
    try {
      this.#res.setHeader(name, headerBytes(value));
    } catch (error) {
      throw invalid(messageOf(error));
    }
  }

  /** Ours first, so that a function's own replace them. */
  #handOwn(): void {
    const own = this.#own;
    if (own === undefined) return;
    this.#own = undefined;
    for (let i = 0; i < own.length; i += 2) this.#res.setHeader(own[i] as string, own[i + 1] as string);
  }

  #sendHead(first: Uint8Array | undefined): void {
    const res = this.#res;
    if (res.headersSent) return;
    this.#handOwn();
    // A body that differs from its Content-Length would shift every later response of the connection.
    res.strictContentLength = true;
    if (!res.hasHeader('Content-Type')) {
      const type = defaultType(this.#isJson, this.#kept[0] ?? first);
      if (type !== undefined) res.setHeader('Content-Type', type);
    }
    res.writeHead(this.#status);
    if (this.#mode === 'sse') this.#parts.streams.add(1);
  }

  /** Something else comes before, after or around the text: it is bytes like others then. */
  #keepAsBytes(): void {
    if (this.#keptText === '') return;
    if (this.#isPlainJson) this.#res.setHeader('Content-Type', 'application/json');
    this.#isPlainJson = false;
    this.#kept = [Buffer.from(this.#keptText, 'latin1')];
    this.#keptText = '';
  }

  #takeKept(last?: Uint8Array): Uint8Array {
    const parts = last === undefined ? this.#kept : [...this.#kept, last];
    this.#kept = [];
    this.#keptBytes = 0;
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  #send(bytes: Uint8Array): void | Promise<void> {
    if (bytes.length === 0) return;
    let hasRoom: boolean;
    try {
      hasRoom = this.#res.write(bytes);
    } catch (error) {
      throw internal(messageOf(error));
    }
    if (!hasRoom) return this.#room();
  }

  /** Waits until the client has taken what was written. */
  #room(): Promise<void> {
    const res = this.#res;
    const { clock, writeTimeoutMs } = this.#parts;
    return new Promise((resolve, reject) => {
      const cut = () => res.destroy();
      const cancel = writeTimeoutMs > 0 ? clock.after(writeTimeoutMs, cut, { unref: true }) : undefined;
      const settle = (done: () => void) => {
        cancel?.();
        res.off('drain', onDrain);
        res.off('close', onClose);
        done();
      };
      const onDrain = () => settle(resolve);
      const onClose = () => settle(() => reject(internal('client closed the connection')));
      res.once('drain', onDrain);
      res.once('close', onClose);
    });
  }
}
