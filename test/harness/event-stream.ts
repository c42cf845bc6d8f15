import { poll } from './poll.ts';
import type { Scope } from './teardown.ts';

export interface StreamEvent {
  readonly name: string;
  /** Decoded from JSON. */
  readonly data: unknown;
}

/** A client of server-sent events, as lua/http.md, section 5.1 writes them. */
export interface EventStream {
  /** All that have arrived, in order. */
  readonly events: readonly StreamEvent[];
  /** Waits until so many have arrived. */
  received(count: number): Promise<readonly StreamEvent[]>;
  /** Leaves, as a browser does whose tab is closed. */
  close(): void;
  /** Resolves when the stream is over, whoever ended it. */
  readonly ended: Promise<void>;
}

const parse = (block: string): StreamEvent => {
  const match = /^event: (.+)\ndata: (.*)$/.exec(block);
  if (match === null) throw new Error(`no event: ${JSON.stringify(block)}`);
  return { name: match[1] ?? '', data: JSON.parse(match[2] ?? '') };
};

/** @throws Error where the answer is no event stream. */
export const openEventStream = async (scope: Scope, url: string): Promise<EventStream> => {
  const controller = new AbortController();
  scope.teardown(() => controller.abort());
  const response = await fetch(url, { signal: controller.signal });
  const type = response.headers.get('content-type') ?? '';
  const { body } = response;
  if (response.status !== 200 || !type.startsWith('text/event-stream') || body === null) {
    throw new Error(`${url} answered ${response.status} ${type}: ${await response.text()}`);
  }
  const events: StreamEvent[] = [];
  const read = async (): Promise<void> => {
    let text = '';
    try {
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        const blocks = (text + chunk).split('\n\n');
        text = blocks.pop() ?? '';
        events.push(...blocks.map(parse));
      }
    } catch (error) {
      // A stream that the server cuts off rejects as well: that it is over is all that is said here.
      if (error instanceof Error && error.message.startsWith('no event:')) throw error;
    }
  };
  return {
    events,
    received: (count) => poll(`${count} events from ${url}`, () => events.length >= count && events),
    close: () => controller.abort(),
    ended: read(),
  };
};
