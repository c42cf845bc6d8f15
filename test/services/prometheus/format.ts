import { systemClock } from '../../../runtime/clock.ts';
import type { Collector } from '../../../runtime/metrics/collector.ts';
import { exposition } from '../../../services/prometheus/exposition.ts';
import type { TextFormat } from '../../../services/prometheus/family-text.ts';
import type { EscapingScheme } from '../../../services/prometheus/name-escaping.ts';
import { openMetrics } from '../../../services/prometheus/openmetrics.ts';
import type { ForeignFamily } from '../../../services/prometheus/port.ts';
import { promText } from '../../../services/prometheus/text-format.ts';

/** One exposition with its caches; each call renders the collector as it is then. */
const formatter =
  (format: TextFormat) =>
  (scheme: EscapingScheme = 'underscores') => {
    const rendering = exposition(format, scheme, systemClock());
    return async (collector: Pick<Collector, 'capture'>, foreign: readonly ForeignFamily[] = []): Promise<string> =>
      (await rendering.render(collector.capture(), foreign, '')).toString();
  };
export const textFormatter = formatter(promText);
/** Without `# EOF`. */
export const openMetricsFormatter = formatter(openMetrics);
