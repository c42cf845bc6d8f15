import { type Child, startChild } from './child.ts';

/** A collector process, as the sender of spans sees it. */
export interface CollectorProcess {
  /** The endpoint for a sender; what it sends is counted under its name. */
  endpoint(sender: string): string;
  /** @throws Error when nothing arrived from a sender: what was measured was not "everything on". */
  checkReceived(...senders: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

export const startCollector = async (): Promise<CollectorProcess> => {
  const child: Child = await startChild('collector');
  const port = await child.ask<number>('port');
  return {
    endpoint: (sender) => `http://127.0.0.1:${port}/${sender}`,
    async checkReceived(...senders) {
      const received = await child.ask<Record<string, number>>('received');
      for (const sender of senders) if (!received[sender]) throw new Error(`${sender} sent no spans`);
    },
    stop: () => child.stop(),
  };
};
