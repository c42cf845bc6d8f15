import { MetricReader } from '@opentelemetry/sdk-metrics';

/** A reader that nobody reads: without one, the SDK's instruments record nothing and cost nothing. */
class HeldReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

export const heldReader = (): MetricReader => new HeldReader();
