import { type OtlpCollector, startOtlpCollector } from '../../harness/otlp-collector.ts';
import { poll } from '../../harness/poll.ts';
import { type Program, startProgram } from '../../harness/program.ts';
import { type Exposition, total } from '../../harness/prometheus-text.ts';
import type { Scope } from '../../harness/teardown.ts';

export const LAB = 'test/boot/apps/lab';

/** One line of the program's log. */
export type Line = Readonly<Record<string, unknown>>;

/** The program on test/boot/apps/lab. */
export interface Lab extends Program {
  /** A request to its HTTP service; the body is read. */
  send(path: string, init?: RequestInit): Promise<{ status: number; headers: Headers; text: string }>;
  /** Everything it logged. @throws SyntaxError for a line that is no JSON. */
  lines(): readonly Line[];
  /** Polls the scrape until it holds. */
  until(what: string, holds: (metrics: Exposition) => boolean): Promise<Exposition>;
}

export interface LabOptions {
  readonly set?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
}

export const startLab = async (scope: Scope, { set, env }: LabOptions = {}): Promise<Lab> => {
  const program = await startProgram(scope, LAB, { ports: ['LAB_PORT'], set, env });
  return {
    ...program,
    async send(path, init) {
      const response = await fetch(program.url('LAB_PORT', path), init);
      return { status: response.status, headers: response.headers, text: await response.text() };
    },
    lines: () => program.stderr.map((line) => JSON.parse(line) as Line),
    async until(what, holds) {
      let metrics = await program.scrape();
      await poll(what, async () => {
        metrics = await program.scrape();
        return holds(metrics);
      });
      return metrics;
    },
  };
};

/** A collector that ends with the scope. */
export const startCollector = async (scope: Scope): Promise<OtlpCollector> => {
  const collector = await startOtlpCollector();
  scope.teardown(() => collector.close());
  return collector;
};

/** Traces to a collector soon after they end. */
export const tracesTo = (collector: OtlpCollector) => ({
  'otel.enabled': true,
  'otel.endpoint': collector.url,
  'otel.batch.schedule_delay': '50ms',
});

/** The sum of a family, 0 where it has no series. */
export const sum = (metrics: Exposition, name: string, labels: Readonly<Record<string, string>> = {}): number =>
  total(metrics, name, labels) ?? 0;

export const IN_FLIGHT = [
  'wippy_http_requests_in_flight',
  'wippy_http_streams_active',
  'wippy_function_in_flight',
  'wippy_function_waiting',
  'wippy_queue_in_flight',
  'wippy_process_active',
  'eventbus_subscribers_active',
] as const;

/** Nothing runs: every in-flight series is 0 and no message waits. */
export const isIdle = (metrics: Exposition): boolean =>
  [...IN_FLIGHT, 'wippy_queue_depth'].every((name) =>
    metrics.samples.every((one) => one.name !== name || one.value === 0),
  );
