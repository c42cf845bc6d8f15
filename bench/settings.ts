/**
 * The queue of ended spans, the same on both sides: so long that nothing is dropped while a benchmark runs flat out
 * (who drops spans is fast), sent in the batches that are everybody's default.
 */
export const BATCH = { maxQueueSize: 262_144, maxExportBatchSize: 512, scheduleDelayMs: 200 } as const;

export const MODES = ['off', 'sampled', 'unsampled'] as const;
export type Mode = (typeof MODES)[number];

/** The environment that gives our side BATCH. */
export const BATCH_VARIABLES: Readonly<Record<string, string>> = {
  OTEL_BSP_MAX_QUEUE_SIZE: String(BATCH.maxQueueSize),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: String(BATCH.maxExportBatchSize),
  OTEL_BSP_SCHEDULE_DELAY: String(BATCH.scheduleDelayMs),
};

/** `--set` of a mode: everything off; everything on; everything on at ratio 0, without the line. */
export const settingsOf = (mode: Mode, endpoint: string): readonly string[] =>
  mode === 'off'
    ? [
        'telemetry.enabled=false',
        'otel.enabled=false',
        'metrics.interceptor.enabled=false',
        'interceptors.logging.enabled=false',
      ]
    : [
        'telemetry.enabled=true',
        'telemetry.listen=127.0.0.1:0',
        'otel.enabled=true',
        `otel.endpoint=${endpoint}`,
        `otel.sample_rate=${mode === 'sampled' ? 1 : 0}`,
        `interceptors.logging.enabled=${mode === 'sampled'}`,
      ];
