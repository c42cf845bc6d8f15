/**
 * What a call knows of the call that caused it. Immutable: `with` returns a child that shares everything else.
 * A context is handed along explicitly; every Lua thread carries its own (architecture.md, "Core types").
 */
export interface CallContext {
  /** Aborts when the call is cancelled or its deadline has passed; `reason` is the CallError to fail with. */
  readonly signal: AbortSignal;
  /** The same for who only looks: where nobody has asked for the signal yet, none is made. */
  readonly cancellation: Cancellation;
  get<T>(key: ContextKey<T>): T;
  with<T>(key: ContextKey<T>, value: T): CallContext;
  withSignal(signal: AbortSignal | LateSignal): CallContext;
  /** For a call that this one makes: the same without what is private to this call. */
  inherited(): CallContext;
}

/** What an AbortSignal tells without its events. */
export type Cancellation = Pick<AbortSignal, 'aborted' | 'reason'>;

/** A signal that is made for who asks for it: making one costs more than a short call, and most calls never ask. */
export class LateSignal implements Cancellation {
  #isAborted = false;
  #reason: unknown;
  #controller: AbortController | undefined;

  get aborted(): boolean {
    return this.#isAborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** The first reason counts. */
  abort(reason: unknown): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

export interface ContextKey<T> {
  readonly name: string;
  readonly initial: T;
  /** A private value (an HTTP exchange) is not seen by the calls that this call makes. */
  readonly isPrivate: boolean;
}

export const contextKey = <T>(name: string, initial: T, options: { isPrivate?: boolean } = {}): ContextKey<T> => ({
  name,
  initial,
  isPrivate: options.isPrivate ?? false,
});

const neverAborted = new AbortController().signal;

/** A chain of single values: contexts are made on every call and hold a handful of keys, so a map would cost more. */
class Link implements CallContext {
  readonly cancellation: AbortSignal | LateSignal;
  readonly #parent: Link | undefined;
  readonly #key: ContextKey<unknown> | undefined;
  readonly #value: unknown;
  /** Public for its children, which hold it under its own type only. */
  readonly hasPrivate: boolean;

  constructor(
    cancellation: AbortSignal | LateSignal,
    parent: Link | undefined,
    key: ContextKey<unknown> | undefined,
    value: unknown,
  ) {
    this.cancellation = cancellation;
    this.#parent = parent;
    this.#key = key;
    this.#value = value;
    this.hasPrivate = key?.isPrivate === true || parent?.hasPrivate === true;
  }

  get signal(): AbortSignal {
    const { cancellation } = this;
    return cancellation instanceof LateSignal ? cancellation.signal : cancellation;
  }

  get<T>(key: ContextKey<T>): T {
    for (let link: Link | undefined = this; link !== undefined; link = link.#parent) {
      if (link.#key === key) return link.#value as T;
    }
    return key.initial;
  }

  with<T>(key: ContextKey<T>, value: T): CallContext {
    // A coroutine that sets the same key again and again (each message's trace) does not make the chain longer.
    if (this.#key === key) return new Link(this.cancellation, this.#parent, key as ContextKey<unknown>, value);
    return new Link(this.cancellation, this, key as ContextKey<unknown>, value);
  }

  withSignal(signal: AbortSignal | LateSignal): CallContext {
    return new Link(signal, this, undefined, undefined);
  }

  inherited(): CallContext {
    if (!this.hasPrivate) return this;
    const kept: Link[] = [];
    for (let link: Link | undefined = this; link !== undefined; link = link.#parent) {
      if (link.#key !== undefined && !link.#key.isPrivate) kept.push(link);
    }
    let out = new Link(this.cancellation, undefined, undefined, undefined);
    for (const link of kept.reverse()) out = new Link(this.cancellation, out, link.#key, link.#value);
    return out;
  }
}

/** Where every chain of calls begins. */
export const rootContext: CallContext = new Link(neverAborted, undefined, undefined, undefined);
