/** What answers a scrape of the operations port. */
export interface MetricsText {
  render(request: { accept?: string | undefined; acceptEncoding?: string | undefined }): Promise<{
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
