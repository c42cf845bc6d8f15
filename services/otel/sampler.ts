import { ROOT_CONTEXT } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision as SamplingDecisionCode,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { isSampled, type TraceContext } from '../../runtime/trace.ts';

export const SAMPLER_NAMES = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type SamplerName = (typeof SAMPLER_NAMES)[number];

const PARENT_BASED = 'parentbased_';

/** Whether a span is going to be sampled, found out without the SDK; `parent` is undefined for a root. */
export type SamplingDecision = (parent: TraceContext | undefined, traceId: string) => boolean;

const ofTraceId = (name: SamplerName, ratio: number): ((traceId: string) => boolean) => {
  if (name === 'always_on' || (name === 'traceidratio' && ratio >= 1)) return () => true;
  if (name === 'always_off' || ratio <= 0) return () => false;
  const sdk = new TraceIdRatioBasedSampler(ratio); // the same as below, so that both always agree
  return (traceId) => sdk.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecisionCode.RECORD_AND_SAMPLED;
};

/** What `sampler` of the same arguments decides: all six look at nothing but the parent's flag and the trace id. */
export const samplingDecision = (name: SamplerName, ratio: number): SamplingDecision => {
  if (!name.startsWith(PARENT_BASED)) {
    const decide = ofTraceId(name, ratio);
    return (_parent, traceId) => decide(traceId);
  }
  const decide = ofTraceId(name.slice(PARENT_BASED.length) as SamplerName, ratio);
  return (parent, traceId) => (parent === undefined ? decide(traceId) : isSampled(parent));
};

/** `ratio` (0..1) counts for the two `traceidratio` samplers only: the others mean what they say. */
export const sampler = (name: SamplerName, ratio: number): Sampler => {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    default:
      return new ParentBasedSampler({ root: sampler(name.slice(PARENT_BASED.length) as SamplerName, ratio) });
  }
};
