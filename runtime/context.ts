/**
 * What a call knows of the call that caused it. Immutable: `with` returns a child that shares everything else.
 * A context is handed along explicitly; every Lua thread carries its own (architecture.md, "Core types").
 */
export interface CallContext {
  /** Aborts when the call is cancelled or its deadline has passed; `reason` is the CallError to fail with. */
  readonly signal: AbortSignal;
  get<T>(key: ContextKey<T>): T;
  with<T>(key: ContextKey<T>, value: T): CallContext;
  withSignal(signal: AbortSignal): CallContext;
  /** For a call that this one makes: the same without what is private to this call. */
  inherited(): CallContext;
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
  readonly signal: AbortSignal;
  readonly #parent: Link | undefined;
  readonly #key: ContextKey<unknown> | undefined;
  readonly #value: unknown;
  /** Public for its children, which hold it under its own type only. */
  readonly hasPrivate: boolean;

  constructor(signal: AbortSignal, parent: Link | undefined, key: ContextKey<unknown> | undefined, value: unknown) {
    this.signal = signal;
    this.#parent = parent;
    this.#key = key;
    this.#value = value;
    this.hasPrivate = key?.isPrivate === true || parent?.hasPrivate === true;
  }

  get<T>(key: ContextKey<T>): T {
    for (let link: Link | undefined = this; link !== undefined; link = link.#parent) {
      if (link.#key === key) return link.#value as T;
    }
    return key.initial;
  }

  with<T>(key: ContextKey<T>, value: T): CallContext {
    // A coroutine that sets the same key again and again (each message's trace) does not make the chain longer.
    if (this.#key === key) return new Link(this.signal, this.#parent, key as ContextKey<unknown>, value);
    return new Link(this.signal, this, key as ContextKey<unknown>, value);
  }

  withSignal(signal: AbortSignal): CallContext {
    return new Link(signal, this, undefined, undefined);
  }

  inherited(): CallContext {
    if (!this.hasPrivate) return this;
    const kept: Link[] = [];
    for (let link: Link | undefined = this; link !== undefined; link = link.#parent) {
      if (link.#key !== undefined && !link.#key.isPrivate) kept.push(link);
    }
    let out = new Link(this.signal, undefined, undefined, undefined);
    for (const link of kept.reverse()) out = new Link(this.signal, out, link.#key, link.#value);
    return out;
  }
}

/** Where every chain of calls begins. */
export const rootContext: CallContext = new Link(neverAborted, undefined, undefined, undefined);
