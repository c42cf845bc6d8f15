import { isPlainMap } from '../runtime/dotted-path.ts';
import type { OtelSection } from '../services/otel/settings-types.ts';
import type { Origin } from './config/layers.ts';
import type { LoadedConfig } from './config/load.ts';

/**
 * The part of the section `otel` that one kind of source gave: what stands in no file and no flag must not look as if it
 * did, because a variable beats a file but not a flag.
 */
export const otelSectionFrom = (loaded: LoadedConfig, from: Origin['from']): OtelSection => {
  const pick = (value: Readonly<Record<string, unknown>>, path: string): Record<string, unknown> | undefined => {
    const out: Record<string, unknown> = {};
    for (const [key, one] of Object.entries(value)) {
      const at = `${path}.${key}`;
      if (loaded.explicit.has(at) && loaded.origins.get(at)?.from === from) out[key] = one;
      else if (isPlainMap(one)) {
        const inner = pick(one, at);
        if (inner !== undefined) out[key] = inner;
      }
    }
    return Object.keys(out).length > 0 ? out : undefined;
  };
  return (pick(loaded.config.otel, 'otel') ?? {}) as OtelSection;
};
