import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';

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

export const isParentBased = (name: SamplerName): boolean => name.startsWith(PARENT_BASED);

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
