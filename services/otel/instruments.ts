import type { CounterSpec, GaugeSpec } from '../../runtime/metrics/instruments.ts';

/** The pipeline's own numbers (telemetry.md, section 1). */
export const exporterCalls: CounterSpec<'exporter' | 'result' | 'kind'> = {
  name: 'exporter_calls_total',
  help: 'Exports attempted, by exporter, result and kind of failure (none on success). Retries inside one export count once.',
  unit: '{call}',
  labels: ['exporter', 'result', 'kind'],
};
export const exporterFailureRate: GaugeSpec<'exporter'> = {
  name: 'exporter_failure_rate',
  help: 'Share of failed exports over the last 60 s. 0 until an export was attempted within that window.',
  unit: '1',
  labels: ['exporter'],
};
export const spansTotal: CounterSpec<'result'> = {
  name: 'spans_total',
  help: 'Sampled spans that ended: exported to the collector, dropped because the queue was full, or failed to export.',
  unit: '{span}',
  labels: ['result'],
};
export const initErrors: CounterSpec<'component' | 'reason'> = {
  name: 'telemetry_init_errors_total',
  help: 'Parts of telemetry that could not be set up and are off, by component and reason. The program runs without them.',
  unit: '{error}',
  labels: ['component', 'reason'],
};
