import type { CallSite, Next } from './call.ts';
import type { Clock } from './clock.ts';
import type { EntryRegistry } from './entry.ts';
import type { Health } from './health.ts';
import type { Logger } from './logger.ts';
import type { LuaEngine } from './lua/engine.ts';
import type { Collector } from './metrics/collector.ts';
import type { Propagator, ThirdPartyScope } from './trace.ts';

/** Names a port; compared by identity, so that no text can collide. */
export interface PortKey<T> {
  readonly name: string;
  /** Carries the type only; never set. */
  readonly type?: T;
}
export const portKey = <T>(name: string): PortKey<T> => ({ name });

export interface BuildInfo {
  readonly version: string;
  readonly revision: string;
  readonly command: 'run' | 'test' | 'invoke' | 'embed' | 'validate';
}

/** The settings of the boot file that surfaces read; the schema of the whole file is `boot/config/schema.ts`. */
export interface Settings {
  readonly luaLimits: { readonly instructions: number; readonly cpuMs: number; readonly resultBytes: number };
  readonly blockPrivateIps: boolean;
  readonly nodeName: string;
  readonly strictSecurity: boolean;
  /** Absolute path of the app's source root. */
  readonly root: string;
  /** The environment of the program, read once at boot: what `env.storage.os` shows and placeholders fall back to. */
  readonly osVariables: Readonly<Record<string, string | undefined>>;
  readonly http: { readonly extractHeaders: boolean; readonly injectHeaders: boolean };
  /** Endpoint ids or exact route templates that make no spans, and none that are measured. */
  readonly httpTraceExclude: readonly string[];
  readonly httpMetricsExclude: readonly string[];
  /** `otel.http.enabled`, `otel.queue.enabled` ...: whether the sites of a surface have spans. */
  readonly events: { readonly maxBacklog: number; readonly maxSubscribers: number };
  readonly spans: {
    readonly function: boolean;
    readonly http: boolean;
    readonly queue: boolean;
    readonly process: boolean;
    /** `.started` and `.terminated`. */
    readonly processLifecycle: boolean;
    readonly kv: boolean;
    readonly sql: boolean;
    readonly cdc: boolean;
  };
}

/** What a surface is built from. It does not grow with surfaces. */
export interface Env {
  readonly clock: Clock;
  readonly collector: Collector;
  readonly engine: LuaEngine;
  readonly logger: Logger;
  readonly registry: EntryRegistry;
  readonly propagator: Propagator;
  readonly thirdParty: ThirdPartyScope;
  readonly settings: Settings;
  readonly build: BuildInfo;
  /** Composes the chain of interceptors around a core: once per site, never per call. */
  site<In, Out>(site: CallSite<In, Out>, core: Next<In, Out>): Next<In, Out>;
  /** While a surface is built. @throws Error when the port is provided twice. */
  provide<T>(key: PortKey<T>, port: T): void;
  /** From a component's `start` on (all surfaces are built by then). @throws Error when nobody provides the port. */
  use<T>(key: PortKey<T>): T;
  /** The same for what may be switched off: undefined when nobody provides the port. */
  find<T>(key: PortKey<T>): T | undefined;
  health(component: string): Health;
}
