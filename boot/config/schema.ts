import { z } from 'zod';
import { LOG_LEVELS } from '../../runtime/logger.ts';
import { choice, count, durationText, flag, interceptor, section, text, texts } from './fields.ts';

/**
 * The boot file, `perilune.yaml` (boot.md): key names, types, defaults and help. Validation, the type `BootConfig`,
 * `--explain` and `schema/perilune.schema.json` are made from it. Checks across keys are in `checks.ts`.
 */

const surfaceFlag = () => flag(true, 'Whether the surface exists; false refuses its entry kinds.');

const logger = section('What the program writes.', {
  level: choice(LOG_LEVELS, 'info', 'Lines below it are left out.'),
  levels: z
    .record(z.string(), z.enum(LOG_LEVELS))
    .default({})
    .describe('Levels of single subsystems: { queue: debug }.'),
  encoding: choice(['json', 'console', 'auto'], 'auto', 'auto is console on a terminal and json elsewhere.'),
});

const surfaces = section('Parts of the runtime that can be switched off.', {
  function: surfaceFlag(),
  queue: surfaceFlag(),
  http: surfaceFlag(),
  process: surfaceFlag(),
  schedule: surfaceFlag(),
  kv: surfaceFlag(),
  sql: surfaceFlag(),
  cdc: surfaceFlag(),
  events: surfaceFlag(),
});

const metrics = section('The metrics of all call sites.', {
  namespace: z
    .string()
    .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, { error: "must be letters, digits and '_', not beginning with a digit" })
    .default('wippy')
    .describe('Prefix of the metric names; wippy keeps Wippy dashboards working.'),
  max_series: count(
    2000,
    'Series per metric. The first label sets stay; values of later ones go to one series whose labels are all `other` ' +
      "(a gauge's are dropped), and `<ns>_telemetry_series_overflow_total` counts them.",
    1,
  ),
  http_exclude: texts([], 'Endpoint ids or exact route templates that are not measured.'),
  semconv: flag(false, 'Also emit the OpenTelemetry standard metrics.'),
  exponential_histograms: texts([], 'Instruments, without namespace, that OTLP sends as exponential histograms.'),
  interceptor: interceptor(50, 'The interceptor that measures.'),
});

const telemetry = section('The operations port: metrics and probes.', {
  enabled: flag(false, 'Whether the port is opened.'),
  listen: text('127.0.0.1:9464', 'host:port; port 0 picks a free one and logs it.'),
  paths: section('Where on the port things are. They differ.', {
    metrics: text('/metrics', 'The scrape.'),
    healthz: text('/healthz', 'Whether the program lives.'),
    readyz: text('/readyz', 'Whether it takes work.'),
  }),
});

const prometheus = section('Other names for telemetry.enabled and telemetry.listen.', {
  enabled: z.boolean().optional().describe('Same as telemetry.enabled.'),
  address: z.string().optional().describe('Same as telemetry.listen.'),
});

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

const spans = (byDefault: boolean) => ({ spans: flag(byDefault, 'Whether each operation has a span.') });

const otel = section('Traces, metrics and logs over OTLP.', {
  enabled: flag(
    false,
    'Whether anything is exported. OTEL_EXPORTER_OTLP_ENDPOINT switches it on where it is not given.',
  ),
  endpoint: text('http://localhost:4318', 'Base URL of the collector; the scheme decides TLS.'),
  protocol: choice(['http/protobuf', 'http/json', 'grpc'], 'http/protobuf', 'How OTLP is spoken; grpc comes later.'),
  insecure: flag(false, 'Plain text for endpoints without a scheme, off loopback.'),
  headers: z.record(z.string(), z.string()).default({}).describe('Sent with every export. Secret.'),
  service_name: text('perilune', 'service.name of the resource.'),
  service_version: text('', 'service.version of the resource.'),
  sample_rate: z.number().min(0).max(1).default(1).describe('Share of the traces that are kept, parent-based.'),
  sampler: choice(SAMPLERS, 'parentbased_always_on', 'parentbased_traceidratio when sample_rate is below 1.'),
  propagators: z
    .array(z.enum(['tracecontext', 'baggage']))
    .default(['tracecontext', 'baggage'])
    .describe('Headers in which the context travels.'),
  traces_enabled: flag(true, 'Whether spans are exported.'),
  metrics_enabled: flag(false, 'Whether the metrics are pushed over OTLP as well.'),
  logs_enabled: flag(false, 'Whether log lines are exported.'),
  batch: section('The queue of ended spans.', {
    max_queue_size: count(2048, 'Spans above it are dropped and counted.', 1),
    max_export_batch_size: count(512, 'Spans per request.', 1),
    schedule_delay: durationText('2s', 'Longest time until a span is sent.'),
    export_timeout: durationText('10s', 'Longest time that one request may take.'),
  }),
  metric_export_interval: durationText('30s', 'Time between two pushes of the metrics.'),
  metric_export_timeout: durationText('10s', 'Longest time that one push may take.'),
  metrics_temporality: choice(['cumulative', 'delta', 'lowmemory'], 'cumulative', 'What pushed sums count from.'),
  http: section('Spans of HTTP requests.', {
    enabled: flag(true, 'Whether they are made.'),
    extract_headers: flag(true, 'Whether a trace that comes in is continued.'),
    inject_headers: flag(true, 'Whether the trace is sent along with requests.'),
    exclude: texts([], 'Endpoint ids or exact route templates without spans.'),
  }),
  interceptor: interceptor(100, 'The interceptor that makes spans; false: no function spans.'),
  queue: section('Spans of queues.', { enabled: flag(true, 'Whether they are made.') }),
  process: section('Spans of processes.', {
    enabled: flag(true, 'Whether they are made.'),
    trace_lifecycle: flag(true, 'Whether .started and .terminated are made; the long span stays.'),
  }),
  kv: section('Spans of stores.', spans(false)),
  sql: section('Spans of databases.', spans(false)),
  cdc: section('Spans of change capture.', spans(false)),
  temporal: section('Workflows; a later version.', { enabled: flag(false, 'Must be false in this version.') }),
});

export const bootSchema = z
  .strictObject({
    version: z
      .union([z.string(), z.number()])
      .transform(String)
      .prefault('1.0')
      .describe('Version of this file format.'),
    logger,
    surfaces,
    metrics,
    telemetry,
    prometheus,
    otel,
    interceptors: section('The other interceptors.', {
      guard: interceptor(10, 'Refuses calls while the program drains, limits concurrency.'),
      retry: interceptor(20, 'Tries failed calls again, as the entry says.'),
      timeout: interceptor(30, 'Ends calls that take too long, as the entry says.'),
      logging: interceptor(120, 'The one line per request, message or event.'),
    }),
    lua: section('The Lua runtime.', {
      engine: choice(['fengari'], 'fengari', 'Which virtual machine runs the code.'),
      budget: section("Limits of one call; an entry's `limits` override. 0 = none.", {
        instructions: count(0, 'Lua instructions between two host yields.'),
        cpu_ms: count(5000, 'Milliseconds on the event loop between two host yields.'),
        result_bytes: count(67_108_864, 'Bytes that one call returns, sends or publishes.'),
      }),
    }),
    http_client: section('Requests made by Lua.', {
      block_private_ips: flag(false, 'Refuse addresses of private networks.'),
    }),
    events: section('The event bus.', {
      max_backlog: count(10_000, 'Events that wait, per subscription.'),
      max_subscribers: count(10_000, 'Subscriptions in all; beyond it subscribe fails with Unavailable.'),
    }),
    relay: section('Process ids.', {
      node_name: z
        .string()
        .regex(/^[^|{}@\s]*$/, { error: 'must hold no white space and none of | { } @, which a pid is written with' })
        .default('')
        .describe('Node part of process ids; derived when empty.'),
    }),
    registry: section('The entry registry.', {
      enable_history: flag(true, 'Keep registry versions; false: only the current one.'),
    }),
    security: section('Policies.', {
      strict_mode: flag(false, 'Deny where there is no actor or no policy scope.'),
    }),
    shutdown: section('The end of the program.', {
      timeout: durationText('30s', 'The whole graceful stop.'),
      flush_timeout: durationText('5s', 'Of it, for sending what telemetry still holds.'),
    }),
  })
  .meta({ title: 'Perilune boot file', description: 'perilune.yaml' });

/** The decoded boot file: keys as in the file, durations in milliseconds. */
export type BootConfig = Readonly<Omit<z.output<typeof bootSchema>, 'prometheus'>>;

/** Text of `schema/perilune.schema.json`, for editors. */
export const renderJsonSchema = (): string =>
  `${JSON.stringify(z.toJSONSchema(bootSchema, { io: 'input', unrepresentable: 'throw' }), undefined, 2)}\n`;
