/** The kinds an error that crosses a call boundary can have (lua/errors.md, section 1). `''` is unknown. */
export const ERROR_KINDS = [
  'NotFound',
  'AlreadyExists',
  'Invalid',
  'PermissionDenied',
  'Unavailable',
  'Internal',
  'Canceled',
  'Conflict',
  'Timeout',
  'RateLimited',
  '',
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/** One frame of a traceback, innermost first. `line` is 1-based; absent for host frames. */
export interface LuaFrame {
  readonly source: string;
  readonly line?: number;
  readonly name?: string;
  readonly type: 'Lua' | 'host' | 'main';
}

export interface CallErrorOptions {
  readonly kind?: ErrorKind;
  /** `undefined` means that nobody has decided. */
  readonly retryable?: boolean;
  /** Plain JSON-like data; an empty object counts as none. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Texts added by `errors.wrap`, newest first. Shown in `stack()` only. */
  readonly contexts?: readonly string[];
  /** Where in Lua it was made or raised. */
  readonly frames?: readonly LuaFrame[];
  readonly cause?: unknown;
  /** What makes it worth a warning of its own in telemetry, e.g. `connect`, `tls`. Never shown to Lua. */
  readonly telemetryKind?: string;
  /** What spans and lines say in place of a message that may quote the app's data: a database's. Never shown to Lua. */
  readonly telemetryMessage?: string | undefined;
  /** Set by `with`: see CallError.origin. */
  readonly origin?: object;
}

/**
 * A failure with a kind: what a host operation reports, what a Lua `error()` becomes when it leaves a call, and what
 * Lua sees as an error value (lua/errors.md). It crosses calls and queues unchanged.
 */
export class CallError extends Error {
  readonly kind: ErrorKind;
  readonly retryable: boolean | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly contexts: readonly string[];
  readonly frames: readonly LuaFrame[];
  readonly telemetryKind: string | undefined;
  readonly telemetryMessage: string | undefined;
  /** The same object in every copy of one failure: how telemetry knows that it has recorded it already. */
  readonly origin: object;

  constructor(message: string, options: CallErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CallError';
    this.kind = options.kind ?? '';
    this.retryable = options.retryable;
    const details = options.details;
    this.details = details !== undefined && Object.keys(details).length > 0 ? details : undefined;
    this.contexts = options.contexts ?? [];
    this.frames = options.frames ?? [];
    this.telemetryKind = options.telemetryKind;
    this.telemetryMessage = options.telemetryMessage;
    this.origin = options.origin ?? {};
  }

  /** A copy with some options replaced; message and everything else kept. */
  with(options: CallErrorOptions): CallError {
    return new CallError(this.message, {
      kind: this.kind,
      retryable: this.retryable,
      details: this.details,
      contexts: this.contexts,
      frames: this.frames,
      cause: this.cause,
      telemetryKind: this.telemetryKind,
      telemetryMessage: this.telemetryMessage,
      origin: this.origin,
      ...options,
    });
  }
}

/** `Invalid`, never worth a retry: what most argument checks of the Lua modules return. */
export const invalid = (message: string, details?: Record<string, unknown>): CallError =>
  new CallError(message, { kind: 'Invalid', retryable: false, details });
export const notFound = (message: string, details?: Record<string, unknown>): CallError =>
  new CallError(message, { kind: 'NotFound', retryable: false, details });
export const alreadyExists = (message: string, details?: Record<string, unknown>): CallError =>
  new CallError(message, { kind: 'AlreadyExists', retryable: false, details });
/** `Internal`; pass `retryable: true` for what the specification writes as `Internal~`. */
export const internal = (message: string, options: CallErrorOptions = {}): CallError =>
  new CallError(message, { retryable: false, ...options, kind: 'Internal' });
export const unavailable = (message: string, options: CallErrorOptions = {}): CallError =>
  new CallError(message, { retryable: true, ...options, kind: 'Unavailable' });
export const permissionDenied = (message: string): CallError =>
  new CallError(message, { kind: 'PermissionDenied', retryable: false });
export const canceled = (message: string, cause?: unknown): CallError =>
  new CallError(message, { kind: 'Canceled', retryable: false, cause });

/** The text of anything that was thrown, without a stack. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** How far a chain of causes is followed: deep enough for wrapped errors, and an end for cycles. */
const MAX_CAUSES = 16;

/** The same for spans and lines: what must not be exported is replaced, also where the text of a wrapped error is repeated. */
export const telemetryMessageOf = (thrown: unknown): string => {
  let text = messageOf(thrown);
  for (let i = 0, at = thrown; i < MAX_CAUSES && at instanceof Error; i += 1, at = at.cause) {
    if (at instanceof CallError && at.telemetryMessage !== undefined && at.message !== '') {
      text = text.replaceAll(at.message, () => at.telemetryMessage ?? '');
    }
  }
  return text;
};

/** What was thrown, as a CallError: itself, or `Internal` with the same message and the original as its cause. */
export const asCallError = (thrown: unknown): CallError =>
  thrown instanceof CallError ? thrown : internal(messageOf(thrown), { cause: thrown });

/** The value of `error.type` on spans and metrics: the kind, `Internal` where there is none. */
export const errorType = (thrown: unknown): string => asCallError(thrown).kind || 'Internal';

/** One thing wrong in a file that the user wrote. `line` and `column` are 1-based. */
export interface Problem {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** Dotted path, e.g. `entries[2].pool.size`; empty where the whole file is meant. */
  readonly path: string;
  /** What is wrong and what to do about it. */
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

/** `file:line:col: path: text`, the form of every declaration and boot-file message (extensions.md, section 9). */
export const renderProblem = (p: Problem): string => {
  const place = p.line === undefined ? p.file : `${p.file}:${p.line}${p.column === undefined ? '' : `:${p.column}`}`;
  return p.path === '' ? `${place}: ${p.message}` : `${place}: ${p.path}: ${p.message}`;
};

/** Everything that is wrong with what the user wrote, at once; the command line exits with 2. */
export class DeclarationError extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map(renderProblem).join('\n'));
    this.name = 'DeclarationError';
    this.problems = problems;
  }
}

/** A start or run that failed for a reason outside the user's files (a port in use ...); the command line exits with 1. */
export class StartError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StartError';
  }
}
