import { otlpSettings } from './otlp-settings.ts';
import { PROPAGATOR_NAMES, type PropagatorName } from './propagator.ts';
import { SAMPLER_NAMES, type SamplerName } from './sampler.ts';
import {
  type BatchSettings,
  type OtelSection,
  type OtelSettings,
  type ResolvedOtel,
  type Sources,
  type SpanLimits,
  TEMPORALITIES,
} from './settings-types.ts';
import {
  chooser,
  parseBoolean,
  parseList,
  parseOneOf,
  parsePairs,
  parseRatio,
  parseWhole,
  textOf,
  type Variables,
} from './variables.ts';

const MILLISECONDS = 'a whole number of milliseconds above 0';
const COUNT = 'a whole number above 0';

/** The known members of a list variable, `none` alone for an empty one; undefined when it is unset or holds nothing known. */
const listVariable = <T extends string>(
  { variables, from }: Sources,
  name: string,
  known: readonly T[],
  instead: string,
): readonly T[] | undefined => {
  const text = textOf(variables, name);
  if (text === undefined) return undefined;
  const given = parseList(text);
  if (given.includes('none')) return [];
  const used = known.filter((one) => given.includes(one));
  const unknown = given.filter((one) => !(known as readonly string[]).includes(one));
  const result = used.length > 0 ? used.join(',') : instead;
  if (unknown.length > 0) {
    from.warn(
      `${name}: '${unknown.join(',')}' is not one of ${[...known, 'none'].join(', ')}; ${result} is used instead`,
    );
  }
  return used.length > 0 ? used : undefined;
};

/** Which signals are on (boot.md: variables switch on what they name, unless `otel.enabled` is false). */
const switches = (sources: Sources) => {
  const { file, flags, variables, from } = sources;
  const isSet = (name: string) => textOf(variables, name) !== undefined;
  const isDisabled = from.choose({
    names: ['OTEL_SDK_DISABLED'],
    parse: parseBoolean,
    expected: 'true or false',
    fallback: false,
  });
  const push = ['otlp', 'console'] as const;
  const traceList = listVariable(sources, 'OTEL_TRACES_EXPORTER', push, 'otlp');
  const metricList = listVariable(sources, 'OTEL_METRICS_EXPORTER', [...push, 'prometheus'], 'the boot file');
  const metricPush = metricList?.filter((one) => one !== 'prometheus');
  const enabled = flags.enabled ?? file.enabled;
  const hasEndpoint = isSet('OTEL_EXPORTER_OTLP_ENDPOINT');
  const namesTraces = isSet('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') || (traceList?.length ?? 0) > 0;
  const namesMetrics = isSet('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT') || (metricPush?.length ?? 0) > 0;

  const isOn = (names: boolean) => !isDisabled && (enabled ?? (hasEndpoint || names));
  const wantsTraces = flags.traces_enabled ?? (traceList && traceList.length > 0) ?? file.traces_enabled ?? true;
  const wantsMetrics =
    flags.metrics_enabled ??
    (metricPush && metricPush.length > 0) ??
    (namesMetrics ? true : undefined) ??
    file.metrics_enabled ??
    false;
  const traces = isOn(namesTraces) && wantsTraces;
  const metrics = isOn(namesMetrics) && wantsMetrics;
  noteSwitches(sources, { isDisabled, isOn: traces || metrics, wantsTraces, wantsMetrics });
  if (!isDisabled && ((flags.logs_enabled ?? file.logs_enabled) === true || wantsLogs(variables))) {
    from.warn('OTLP logs come with a later version; logs are written to the standard output only');
  }
  const either = <T>(list: readonly T[] | undefined, fallback: T) => (list && list.length > 0 ? list : [fallback]);
  return {
    isDisabled,
    traceExporters: traces ? either(traceList, 'otlp' as const) : [],
    metricExporters: metrics ? either(metricPush, 'otlp' as const) : [],
    wantsOperationsPort: !isDisabled && metricList?.includes('prometheus') === true,
  };
};

/** Where the switches came from, with the variable that decided. */
const noteSwitches = (
  { file, flags, variables, from }: Sources,
  now: { isDisabled: boolean; isOn: boolean; wantsTraces: boolean; wantsMetrics: boolean },
): void => {
  const firstSet = (...names: string[]) => names.find((name) => textOf(variables, name) !== undefined);
  const byVariable = firstSet(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
    'OTEL_TRACES_EXPORTER',
    'OTEL_METRICS_EXPORTER',
  );
  const note = (key: 'enabled' | 'traces_enabled' | 'metrics_enabled', value: boolean, variable?: string): void => {
    if (flags[key] !== undefined) from.note(`otel.${key}`, { value, from: 'flag' });
    else if (key !== 'enabled' && variable !== undefined) {
      from.note(`otel.${key}`, { value, from: 'environment', variable });
    } else if (file[key] !== undefined) from.note(`otel.${key}`, { value, from: 'file' });
    else if (variable !== undefined && value) from.note(`otel.${key}`, { value, from: 'environment', variable });
    else from.note(`otel.${key}`, { value, from: 'default' });
  };
  if (now.isDisabled) {
    from.note('otel.enabled', { value: false, from: 'environment', variable: 'OTEL_SDK_DISABLED' });
  } else note('enabled', now.isOn, byVariable);
  note('traces_enabled', now.wantsTraces, firstSet('OTEL_TRACES_EXPORTER'));
  note('metrics_enabled', now.wantsMetrics, firstSet('OTEL_METRICS_EXPORTER', 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'));
};

const wantsLogs = (variables: Variables): boolean =>
  parseList(textOf(variables, 'OTEL_LOGS_EXPORTER') ?? 'none').some((name) => name !== 'none');

const samplerSettings = ({ file, flags, from }: Sources): OtelSettings['sampler'] => {
  const rate = flags.sample_rate ?? file.sample_rate ?? 1;
  const name = from.choose<SamplerName>({
    key: 'otel.sampler',
    flag: flags.sampler,
    names: ['OTEL_TRACES_SAMPLER'],
    parse: parseOneOf(SAMPLER_NAMES),
    expected: `one of ${SAMPLER_NAMES.join(', ')}`,
    file: file.sampler,
    fallback: rate < 1 ? 'parentbased_traceidratio' : 'parentbased_always_on',
  });
  const isByVariable = from.origins['otel.sampler']?.from === 'environment';
  const ratio = from.choose({
    key: 'otel.sample_rate',
    flag: flags.sample_rate,
    // The argument belongs to the variable that names the sampler, and to no other (OTel environment variables).
    names: isByVariable && name.endsWith('traceidratio') ? ['OTEL_TRACES_SAMPLER_ARG'] : [],
    parse: parseRatio,
    expected: 'a number from 0 to 1',
    file: file.sample_rate,
    fallback: 1,
  });
  return { name, ratio };
};

const limitSettings = ({ from }: Sources): SpanLimits => {
  const limit = (names: readonly string[], least: number, fallback: number) =>
    from.choose({ names, parse: parseWhole(least), expected: 'a whole number', fallback });
  return {
    attributeValueLengthLimit: limit(
      ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
      1,
      Number.POSITIVE_INFINITY,
    ),
    attributeCountLimit: limit(['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'], 0, 128),
    eventCountLimit: limit(['OTEL_SPAN_EVENT_COUNT_LIMIT'], 0, 128),
    linkCountLimit: limit(['OTEL_SPAN_LINK_COUNT_LIMIT'], 0, 128),
    attributePerEventCountLimit: limit(['OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'], 0, 128),
    attributePerLinkCountLimit: limit(['OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'], 0, 128),
  };
};

/** The variable that a key's value is from, else the key. */
const givenAs = ({ origins }: Sources['from'], key: string): string => origins[key]?.variable ?? key;

const batchSettings = ({ file, flags, from }: Sources): BatchSettings => {
  const one = (
    key: keyof NonNullable<OtelSection['batch']>,
    name: string,
    least: number,
    expected: string,
    fallback: number,
  ) =>
    from.choose({
      key: `otel.batch.${key}`,
      flag: flags.batch?.[key],
      names: [name],
      parse: parseWhole(least),
      expected,
      file: file.batch?.[key],
      fallback,
    });
  const maxQueueSize = one('max_queue_size', 'OTEL_BSP_MAX_QUEUE_SIZE', 1, COUNT, 2048);
  const size = one('max_export_batch_size', 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 1, COUNT, 512);
  if (size > maxQueueSize) {
    const given = givenAs(from, 'otel.batch.max_export_batch_size');
    from.warn(`${given}: ${size} is above max_queue_size; ${maxQueueSize} is used instead`);
  }
  return {
    maxQueueSize,
    maxExportBatchSize: Math.min(size, maxQueueSize),
    scheduleDelayMs: one('schedule_delay', 'OTEL_BSP_SCHEDULE_DELAY', 0, 'a whole number of milliseconds', 2000),
    exportTimeoutMs: one('export_timeout', 'OTEL_BSP_EXPORT_TIMEOUT', 1, MILLISECONDS, 10_000),
  };
};

const metricTimes = ({ file, flags, from }: Sources) => {
  const one = (key: 'metric_export_interval' | 'metric_export_timeout', name: string, fallback: number) =>
    from.choose({
      key: `otel.${key}`,
      flag: flags[key],
      names: [name],
      parse: parseWhole(1),
      expected: MILLISECONDS,
      file: file[key],
      fallback,
    });
  const metricIntervalMs = one('metric_export_interval', 'OTEL_METRIC_EXPORT_INTERVAL', 30_000);
  const timeout = one('metric_export_timeout', 'OTEL_METRIC_EXPORT_TIMEOUT', 10_000);
  const isGiven = from.origins['otel.metric_export_timeout']?.from !== 'default';
  if (timeout > metricIntervalMs && isGiven) {
    const given = givenAs(from, 'otel.metric_export_timeout');
    from.warn(`${given}: ${timeout} ms is above the interval; ${metricIntervalMs} ms is used instead`);
  }
  return { metricIntervalMs, metricTimeoutMs: Math.min(timeout, metricIntervalMs) };
};

const resourceSettings = ({ file, flags, from }: Sources): Readonly<Record<string, string>> => {
  const attributes = from.choose<Readonly<Record<string, string>>>({
    names: ['OTEL_RESOURCE_ATTRIBUTES'],
    parse: parsePairs,
    expected: 'a list of key=value',
    fallback: {},
  });
  const one = (key: 'service_name' | 'service_version', name: string, attribute: string, fallback: string) => {
    const value = from.choose({
      key: `otel.${key}`,
      flag: flags[key],
      names: [name],
      parse: (text) => text,
      expected: 'a text',
      // The variable's attribute stands above the file, and below the variable of its own.
      file: attributes[attribute] ?? file[key],
      fallback,
    });
    if (attributes[attribute] !== undefined && from.origins[`otel.${key}`]?.from === 'file') {
      from.note(`otel.${key}`, { value, from: 'environment', variable: 'OTEL_RESOURCE_ATTRIBUTES' });
    }
    return value;
  };
  const version = one('service_version', 'OTEL_SERVICE_VERSION', 'service.version', '');
  return {
    ...attributes,
    'service.name': one('service_name', 'OTEL_SERVICE_NAME', 'service.name', 'perilune'),
    ...(version === '' ? {} : { 'service.version': version }),
  };
};

const propagatorSettings = (sources: Sources): readonly PropagatorName[] => {
  const { file, flags, from } = sources;
  const configured = flags.propagators ?? file.propagators;
  const fromFile = PROPAGATOR_NAMES.filter((name) => configured?.includes(name) ?? true);
  const unknown = (configured ?? []).filter((name) => name !== 'none' && !PROPAGATOR_NAMES.some((one) => one === name));
  if (unknown.length > 0) from.warn(`otel.propagators: '${unknown.join(',')}' is not known and is ignored`);
  if (flags.propagators !== undefined) return fromFile;
  const instead = fromFile.join(',') || 'none';
  const listed = listVariable(sources, 'OTEL_PROPAGATORS', PROPAGATOR_NAMES, instead);
  if (listed === undefined) return fromFile;
  from.note('otel.propagators', { value: listed, from: 'environment', variable: 'OTEL_PROPAGATORS' });
  return listed;
};

/**
 * Everything about OpenTelemetry that a user can set (telemetry.md, section 3; boot.md): `--set` over variables over the boot file
 * over boot.md's defaults. Pure: the variables are an argument. An invalid variable gives one warning and never throws.
 */
export const resolveOtelSettings = (file: OtelSection, variables: Variables, flags: OtelSection = {}): ResolvedOtel => {
  const from = chooser(variables);
  const sources: Sources = { file, flags, variables, from };
  const settings: OtelSettings = {
    ...switches(sources),
    traces: otlpSettings(sources, 'TRACES'),
    metrics: otlpSettings(sources, 'METRICS'),
    sampler: samplerSettings(sources),
    limits: limitSettings(sources),
    batch: batchSettings(sources),
    ...metricTimes(sources),
    temporality: from.choose({
      key: 'otel.metrics_temporality',
      flag: flags.metrics_temporality,
      names: ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE'],
      parse: parseOneOf(TEMPORALITIES),
      expected: `one of ${TEMPORALITIES.join(', ')}`,
      file: file.metrics_temporality,
      fallback: 'cumulative',
    }),
    propagators: propagatorSettings(sources),
    resource: resourceSettings(sources),
  };
  return { settings, warnings: from.warnings, origins: from.origins };
};
