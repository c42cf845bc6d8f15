import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Scope } from '../harness/teardown.ts';
import type { Random } from './random.ts';

export const HANDLED = ['job', 'dead', 'change'] as const;
export type Handled = (typeof HANDLED)[number];

/** What a handler had written down. Times are performance.now(). */
export interface Entry {
  readonly what: Handled;
  /** Of the message or the row. */
  readonly n: number;
  /** Of the publish, and the id of its message. Empty for changes. */
  readonly key: string;
  readonly messageId: string;
  /** Of a change: where its commit stands in the log. 0 for messages. */
  readonly position: bigint;
  /** The trace that the handler's request carried. */
  readonly traceId: string;
  /** Which process of the program it was: the index of its life. */
  readonly life: number;
  readonly at: number;
}

/** Where handlers write down what they have handled: it outlives every fault, because it is the harness. */
export interface Ledger {
  /** `/<life>` goes behind it. */
  readonly url: string;
  readonly entries: readonly Entry[];
  /** Requests that are not answered yet. */
  readonly inHand: number;
}

/** Messages that no attempt can handle: they must end among the dead letters. */
export const isPoison = (n: number): boolean => n % 100 === 7;
/** Things that fail at first and have to be tried again. */
const failsAtFirst = (what: Handled, n: number): boolean => (what === 'change' ? n % 40 === 5 : n % 25 === 3);
const LONGEST_WORK_MS = 8;

/** `0/1A2B` as a number: higher is later. */
export const positionOf = (lsn: string): bigint => {
  const [high = '', low = ''] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
};

export const startLedger = async (scope: Scope, random: Random): Promise<Ledger> => {
  const entries: Entry[] = [];
  const failedOnce = new Set<string>();
  let inHand = 0;

  /** 503 is what makes a handler fail. */
  const take = (entry: Omit<Entry, 'at'>): number => {
    const { what, n, messageId } = entry;
    if (what === 'job' && isPoison(n)) return 503;
    const id = `${what} ${n} ${messageId}`;
    if (failsAtFirst(what, n) && !failedOnce.has(id)) {
      failedOnce.add(id);
      return 503;
    }
    entries.push({ ...entry, at: performance.now() });
    return 200;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [, life = '', what = '', n = ''] = (request.url ?? '').split('/');
    const { traceparent = '' } = request.headers;
    const body = Buffer.concat(chunks).toString();
    const [key = '', messageId = ''] = what === 'change' ? [] : body.split(' ');
    // The work: between the beginning of a handler and its end there is time to be killed in, before it is done and after.
    await wait(random.between(0, LONGEST_WORK_MS));
    if (response.destroyed) return; // killed in the middle of it: it is not done
    const status = take({
      what: what as Handled,
      n: Number(n),
      key,
      messageId,
      position: what === 'change' ? positionOf(body) : 0n,
      traceId: String(traceparent).split('-')[1] ?? '',
      life: Number(life),
    });
    await wait(random.between(0, LONGEST_WORK_MS));
    response.writeHead(status).end();
  };
  const server = createServer((request, response) => {
    inHand += 1;
    answer(request, response)
      .catch(() => response.destroy()) // the program was killed while it wrote
      .finally(() => {
        inHand -= 1;
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    entries,
    get inHand() {
      return inHand;
    },
  };
};
