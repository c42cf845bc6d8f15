import type { COMPONENT_ERROR_KINDS } from './metrics/vocabulary.ts';

/** The state of one component, as the `<ns>_component_*` rows of telemetry.md tell it. */
export interface Health {
  /** On while it cannot do its work: between a failed attempt and the next success. */
  degraded(on: boolean): void;
  error(kind: (typeof COMPONENT_ERROR_KINDS)[number]): void;
  activity(): void;
  restarted(): void;
}
