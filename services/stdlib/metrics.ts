import { invalid } from '../../runtime/errors.ts';
import { numberArgument, textArgument } from '../../runtime/lua/arguments.ts';
import type { HostFunction, HostResults, LuaModule, LuaThread } from '../../runtime/lua/engine.ts';
import { isLuaString, LuaTable, type LuaValue, textOf } from '../../runtime/lua/values.ts';
import type { Collector, DynamicResult } from '../../runtime/metrics/collector.ts';
import { isSampled, type SpanIds, TRACE } from '../../runtime/trace.ts';

/** The module `metrics` (lua/metrics.md): names and labels are the program's own, so nothing is bound before the call. */
export const metricsModule = ({ dynamic }: Pick<Collector, 'dynamic'>): LuaModule => {
  type Emit = (
    name: string,
    value: number,
    labels: Readonly<Record<string, string>>,
    exemplar?: SpanIds,
  ) => DynamicResult;
  /** `(name, value [, labels])` */
  const given =
    (lua: string, emit: Emit): HostFunction =>
    (thread, args) =>
      results(emit(textArgument(args, 1, lua), numberArgument(args, 2, lua), labelsOf(args[2]), exemplarOf(thread)));
  /** `(name [, labels])` */
  const fixed =
    (lua: string, emit: Emit, value: number): HostFunction =>
    (thread, args) =>
      results(emit(textArgument(args, 1, lua), value, labelsOf(args[1]), exemplarOf(thread)));
  return {
    name: 'metrics',
    functions: {
      counter_inc: fixed('counter_inc', dynamic.counterAdd, 1),
      counter_add: given('counter_add', dynamic.counterAdd),
      gauge_set: given('gauge_set', dynamic.gaugeSet),
      gauge_inc: fixed('gauge_inc', dynamic.gaugeAdd, 1),
      gauge_dec: fixed('gauge_dec', dynamic.gaugeAdd, -1),
      histogram: given('histogram', dynamic.histogramObserve),
    },
  };
};

const results = (result: DynamicResult): HostResults =>
  result.ok ? [true, undefined] : [undefined, invalid(result.problem)];

/** The span that the call is in, when it is sampled; gauges have no use for it. */
const exemplarOf = ({ context }: LuaThread): SpanIds | undefined => {
  const trace = context.get(TRACE);
  return trace !== undefined && isSampled(trace) ? trace : undefined;
};

const NO_LABELS: Readonly<Record<string, string>> = {};

/** Members that are text on both sides; anything else is no label. */
const labelsOf = (value: LuaValue): Readonly<Record<string, string>> => {
  if (!(value instanceof LuaTable)) return NO_LABELS;
  const labels: Record<string, string> = {};
  for (const [key, label] of value.map) {
    if (!isLuaString(key) || !isLuaString(label)) continue;
    const name = textOf(key);
    // Assigned, it would be lost without a word; as a label it is refused for its name.
    if (name === '__proto__') Object.defineProperty(labels, name, { value: textOf(label), enumerable: true });
    else labels[name] = textOf(label);
  }
  return labels;
};
