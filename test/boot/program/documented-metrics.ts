/** The rows of telemetry.md, section 1, that the surfaces built so far must show, with their type in text 0.0.4. */
export const DOCUMENTED: Readonly<Record<string, 'counter' | 'gauge' | 'histogram'>> = {
  wippy_http_requests_total: 'counter',
  wippy_http_request_duration_seconds: 'histogram',
  wippy_http_requests_in_flight: 'gauge',
  wippy_http_streams_active: 'gauge',
  wippy_http_client_requests_total: 'counter',
  wippy_http_client_request_duration_seconds: 'histogram',
  wippy_function_calls: 'counter',
  wippy_function_duration: 'histogram',
  wippy_function_in_flight: 'gauge',
  wippy_function_killed_total: 'counter',
  wippy_function_waiting: 'gauge',
  wippy_queue_messages_total: 'counter',
  wippy_queue_process_duration_seconds: 'histogram',
  wippy_queue_in_flight: 'gauge',
  wippy_queue_published_total: 'counter',
  wippy_queue_depth: 'gauge',
  wippy_queue_capacity: 'gauge',
  wippy_queue_oldest_age_seconds: 'gauge',
  wippy_queue_redelivered_total: 'counter',
  wippy_queue_wait_seconds: 'histogram',
  wippy_schedule_runs_total: 'counter',
  wippy_kv_ops_total: 'counter',
  wippy_kv_op_duration_seconds: 'histogram',
  eventbus_subscribers_active: 'gauge',
  eventbus_subscribers_rejected_total: 'counter',
  eventbus_events_total: 'counter',
  runtime_log_emissions_total: 'counter',
  wippy_build_info: 'gauge',
  wippy_exporter_calls_total: 'counter',
  wippy_exporter_failure_rate: 'gauge',
  wippy_spans_total: 'counter',
  wippy_component_errors_total: 'counter',
  wippy_component_degraded_seconds_total: 'counter',
  wippy_component_last_activity_unix_seconds: 'gauge',
  wippy_component_restarts_total: 'counter',
  wippy_telemetry_init_errors_total: 'counter',
  wippy_telemetry_server_errors_total: 'counter',
  wippy_telemetry_callback_errors_total: 'counter',
  wippy_telemetry_invalid_observations_total: 'counter',
  wippy_telemetry_series_overflow_total: 'counter',
  process_cpu_seconds_total: 'counter',
  process_resident_memory_bytes: 'gauge',
  process_start_time_seconds: 'gauge',
  process_open_fds: 'gauge',
  nodejs_eventloop_lag_seconds: 'gauge',
  nodejs_eventloop_lag_p99_seconds: 'gauge',
  nodejs_heap_size_total_bytes: 'gauge',
  nodejs_heap_size_used_bytes: 'gauge',
  nodejs_active_handles_total: 'gauge',
  nodejs_version_info: 'gauge',
};

/** The same of change capture, which needs a database: test/services/cdc/recovery.test.ts asks a live run for them. */
export const DOCUMENTED_OF_CDC: typeof DOCUMENTED = {
  wippy_cdc_changes_total: 'counter',
  wippy_cdc_retained_wal_bytes: 'gauge',
  wippy_cdc_errors_total: 'counter',
  wippy_cdc_process_duration_seconds: 'histogram',
  wippy_cdc_lag_seconds: 'gauge',
};

/**
 * Those that a healthy run does not make: `component_errors` and `init_errors` come in start-failures.test.ts,
 * `component_restarts` in supervision.test.ts, the other two (a handler or a gauge of ours that throws) in
 * test/services/operations and test/runtime/metrics. Schedules never leave
 * a program idle: schedule.test.ts has them.
 */
export const NOT_FROM_OUTSIDE: ReadonlySet<string> = new Set([
  'wippy_component_errors_total',
  'wippy_schedule_runs_total',
  'wippy_component_restarts_total',
  'wippy_telemetry_init_errors_total',
  'wippy_telemetry_server_errors_total',
  'wippy_telemetry_callback_errors_total',
]);
