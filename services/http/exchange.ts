import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../runtime/clock.ts';
import { contextKey, LateSignal } from '../../runtime/context.ts';
import { type CallError, canceled } from '../../runtime/errors.ts';
import type { TraceContext } from '../../runtime/trace.ts';
import { RequestBody } from './request-body.ts';
import { type ResponseParts, ResponseWriter } from './response.ts';

/** What an exchange ended with, for the interceptors of its site. */
export interface HttpOutcome {
  /** The first status that was sent; undefined when the client left before one was. */
  readonly status: number | undefined;
  /** What the function failed with, also after it had answered. */
  readonly error?: CallError;
}

/** An answer that needs no function: 404, 405, redirects, automatic OPTIONS. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ExchangeParts extends ResponseParts {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** As in the request line: path with encodings, and the query without `?`. */
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly params: ReadonlyMap<string, string>;
  readonly reply?: Reply;
  /** The caller's position in its trace, where the request starts a trace of its own. */
  readonly link?: TraceContext;
}

/** One request and its response. Only the function that an endpoint calls directly sees it. */
export class Exchange {
  readonly req: IncomingMessage;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly params: ReadonlyMap<string, string>;
  readonly reply: Reply | undefined;
  readonly link: TraceContext | undefined;
  readonly response: ResponseWriter;
  /** Among those that run; -1 before and after. */
  place = -1;
  readonly #res: ServerResponse;
  readonly #clock: Clock;
  #body: RequestBody | undefined;
  /** Aborts when the client leaves, or when the server gives up waiting at its end. */
  readonly signal = new LateSignal();

  constructor(parts: ExchangeParts) {
    const { req, res } = parts;
    this.#clock = parts.clock;
    this.req = req;
    this.rawPath = parts.rawPath;
    this.rawQuery = parts.rawQuery;
    this.params = parts.params;
    this.reply = parts.reply;
    this.link = parts.link;
    this.#res = res;
    this.response = new ResponseWriter(res, parts);
    res.on('close', () => {
      if (!res.writableFinished) this.cancel(canceled('client closed the request'));
      this.response.close();
    });
  }

  get body(): RequestBody {
    this.#body ??= new RequestBody(this.req, this.#clock, () => this.closeConnection());
    return this.#body;
  }

  /** The path without encodings; as it came where they are broken. */
  get path(): string {
    try {
      return decodeURIComponent(this.rawPath);
    } catch {
      // Broken encodings are answered with 400 before any function; the log and the span still name the path.
      return this.rawPath;
    }
  }

  cancel(reason: CallError): void {
    this.signal.abort(reason);
  }

  /** No further request on this connection. */
  closeConnection(): void {
    if (!this.#res.headersSent) this.#res.setHeader('Connection', 'close');
  }
}

/** `ip:port` parts of the peer; IPv4 is shown as such on sockets that take both families. */
export const peerOf = ({ socket }: IncomingMessage): { address: string; port: number } => {
  const { remoteAddress = '', remotePort = 0 } = socket;
  const address = remoteAddress.startsWith('::') ? remoteAddress.replace(/^::ffff:(?=\d+\.)/, '') : remoteAddress;
  return { address, port: remotePort };
};

/** Set by the endpoint on the context that it calls its function with; private to that one call. */
export const EXCHANGE = contextKey<Exchange | undefined>('http exchange', undefined, { isPrivate: true });
