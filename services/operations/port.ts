/** What answers a scrape of the operations port. It may reject with ScrapeTimeout. */
export interface MetricsText {
  render(request: {
    accept?: string | undefined;
    acceptEncoding?: string | undefined;
    /** How long the scraper waits. */
    timeoutMs?: number | undefined;
  }): Promise<{
    readonly contentType: string;
    readonly contentEncoding: 'gzip' | undefined;
    readonly body: Buffer;
  }>;
}

/** Where the program is in its life, as boot knows it. */
export interface ProgramState {
  /** Every component has started. */
  readonly ready: boolean;
  /** A stop was asked for. */
  readonly stopping: boolean;
  /** The operations port is the next to close. */
  readonly closing: boolean;
}

export interface OperationsPaths {
  readonly metrics: string;
  readonly healthz: string;
  readonly readyz: string;
}

/** The scraper does not wait any longer. */
export class ScrapeTimeout extends Error {
  constructor(ms: number) {
    super(`the metrics could not be rendered within the ${ms} ms that the scraper waits`);
  }
}
