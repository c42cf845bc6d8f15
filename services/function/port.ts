import { type CallContext, contextKey } from '../../runtime/context.ts';
import { portKey } from '../../runtime/env.ts';
import type { LuaCallResult } from '../../runtime/lua/engine.ts';
import type { HostValue, LuaValue } from '../../runtime/lua/values.ts';
import type { Attributes, SpanKind, SpanLink } from '../../runtime/trace.ts';

/** What makes a call something other than a plain nested one: it decides the kind of the function's span. */
export interface Cause {
  /** `server` for a root call, `consumer` for a delivery or a change. */
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  readonly links?: readonly SpanLink[];
}
/** Set by a consumer on the context that it calls the function with; private to that one call. */
export const CAUSE = contextKey<Cause | undefined>('cause', undefined, { isPrivate: true });

/** The bag of `ctx.get`: inherited by everything a call starts (lua/ctx.md). Values are plain copies. */
export const VALUES = contextKey<ReadonlyMap<string, LuaValue>>('values', new Map());

/** Options of a call: the target's `meta.options` under those of `with_options`. Interceptors read them. */
export const OPTIONS = contextKey<Readonly<Record<string, unknown>>>('options', {}, { isPrivate: true });

/** Calls functions by id, through their site (interceptors included). */
export interface Functions {
  /** Whether something callable has this id. */
  has(id: string): boolean;
  /**
   * Calls `id`. Takes `context` as the caller's own and hands on what is inherited of it; CAUSE, OPTIONS and other private
   * values that are set on it reach the callee.
   * @throws CallError NotFound `no handler registered for target`, or what the callee failed with.
   */
  call(id: string, args: readonly HostValue[], context: CallContext): LuaCallResult | Promise<LuaCallResult>;
  /** The next number of this run for a pid: functions and processes share one count (lua/process.md, section 1). */
  nextUnique(): number;
  /** From a component's `start` on. */
  addTargets(targets: OtherTargets): void;
}
/** What can be called by its id though it is no function (a process with a default host). */
export type OtherTargets = Pick<Functions, 'has' | 'call'>;
export const FUNCTIONS = portKey<Functions>('functions');
