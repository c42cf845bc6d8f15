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

/** Whether a span is going to be sampled, found out without the SDK, and for a root before it has a trace id. */
export interface SamplingDecision {
  /** The same for all roots, or told by what the words of its trace id come to (`TraceIds.fold`). */
  readonly root: boolean | ((fold: number) => boolean);
  readonly child: (parent: TraceContext) => boolean;
}

const ofRoots = (name: SamplerName, ratio: number): SamplingDecision['root'] => {
  if (name === 'always_on' || (name === 'traceidratio' && ratio >= 1)) return true;
  if (name === 'always_off' || ratio <= 0) return false;
  const bound = Math.floor(ratio * 0xffffffff); // sdk-trace 2.12, TraceIdRatioBasedSampler
  return (fold) => fold >>> 0 < bound;
};

const ofTraceId = (root: SamplingDecision['root'], ratio: number): SamplingDecision['child'] => {
  if (typeof root === 'boolean') return () => root;
  const sdk = new TraceIdRatioBasedSampler(ratio);
  return ({ traceId }) => sdk.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecisionCode.RECORD_AND_SAMPLED;
};

/** What `sampler` of the same arguments decides: all six look at nothing but the parent's flag and the trace id. */
export const samplingDecision = (name: SamplerName, ratio: number): SamplingDecision => {
  if (name.startsWith(PARENT_BASED)) {
    return { root: ofRoots(name.slice(PARENT_BASED.length) as SamplerName, ratio), child: isSampled };
  }
  const root = ofRoots(name, ratio);
  return { root, child: ofTraceId(root, ratio) };
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

/** A sampler that is not asked again about what has been decided. */
export interface AnnouncedSampler {
  readonly sampler: Sampler;
  /** The next span that the sampler is asked about is sampled: it was decided here. */
  readonly announce: () => void;
}

export const announcedSampler = (inner: Sampler): AnnouncedSampler => {
  const yes = { decision: SamplingDecisionCode.RECORD_AND_SAMPLED };
  let isAnnounced = false;
  return {
    sampler: {
      shouldSample(context, traceId, name, kind, attributes, links) {
        if (!isAnnounced) return inner.shouldSample(context, traceId, name, kind, attributes, links);
        isAnnounced = false;
        return yes;
      },
      toString: () => inner.toString(),
    },
    announce() {
      isAnnounced = true;
    },
  };
};
