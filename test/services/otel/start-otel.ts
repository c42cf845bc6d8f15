import { tracing } from '../../../interceptors/tracing.ts';
import { type Call, compose, type Next } from '../../../runtime/call.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { type CallContext, rootContext } from '../../../runtime/context.ts';
import type { Health } from '../../../runtime/health.ts';
import { createCollector } from '../../../runtime/metrics/core.ts';
import type { Series } from '../../../runtime/metrics/snapshot.ts';
import { type OpenTelemetry, openTelemetry } from '../../../services/otel/open-telemetry.ts';
import { resolveOtelSettings } from '../../../services/otel/settings.ts';
import type { OtelSection } from '../../../services/otel/settings-types.ts';
import type { Variables } from '../../../services/otel/variables.ts';
import { lineRecorder } from './line-recorder.ts';

/** Lets a test end what it began. */
interface Teardown {
  teardown(body: () => Promise<void>): void;
}

/** The whole of services/otel over a real collector of metrics. */
export const startOtel = (t: Teardown, file: OtelSection, variables: Variables = {}, health?: Health) => {
  const clock = systemClock();
  const collector = createCollector({ namespace: 'wippy', clock });
  const recorder = lineRecorder();
  const { settings, warnings } = resolveOtelSettings(file, variables);
  const otel: OpenTelemetry = openTelemetry({
    settings,
    collector,
    clock,
    logger: recorder.logger,
    build: { version: '1.2.3' },
    health,
  });
  t.teardown(() => otel.shutdown(0));

  const series = (name: string, labels: Readonly<Record<string, string>> = {}): Series | undefined =>
    collector
      .snapshot()
      .families.find((family) => family.name === name)
      ?.series.find((one) =>
        Object.entries(labels).every(([key, value]) => one.labelValues[one.labelNames.indexOf(key)] === value),
      );
  /** Calls `body` within a span, as a site would. */
  const call = <T>(
    name: string,
    body: (context: CallContext) => T | Promise<T>,
    context = rootContext,
  ): T | Promise<T> => {
    const core: Next<undefined, T> = (inner: Call<undefined>) => body(inner.context);
    const site = { surface: 'function', operation: 'call', target: name } as const;
    const wrapped = compose([tracing(otel.tracer, 100)])(
      { ...site, span: { name, kind: 'internal' as const, attributes: {} } },
      core,
    );
    return wrapped({ input: undefined, context });
  };
  return {
    otel,
    collector,
    warnings,
    call,
    lines: recorder.lines,
    linesAt: recorder.at,
    series,
    /** A counter's or gauge's value, 0 for a series that is not there. */
    value: (name: string, labels?: Readonly<Record<string, string>>) => series(name, labels)?.value ?? 0,
  };
};
