import type { LuaEngine, LuaRun } from '../../runtime/lua/engine.ts';
import type { Span, TraceContext } from '../../runtime/trace.ts';
import { Mailbox } from './mailbox.ts';
import type { ProcessExit } from './port.ts';

export interface ActorParts {
  readonly pid: string;
  /** Id of the entry that it runs. */
  readonly entryId: string;
  /** Id of its process host; undefined for a function call. */
  readonly host: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly parent: string | undefined;
  /** Id of the security actor that it acts as. */
  readonly actorId?: string;
}

/** Whoever has a pid while it lives: a process, or a function call that uses the module `process`. */
export class Actor {
  readonly pid: string;
  readonly entryId: string;
  readonly host: string | undefined;
  readonly startedAt: number;
  readonly parent: string | undefined;
  readonly actorId: string | undefined;
  readonly mailbox: Mailbox;
  /** Undefined until it first runs. */
  run: LuaRun | undefined;
  isAlive = true;
  /** Somebody has asked for its end. */
  isTerminated = false;
  /** Cannot be terminated (a terminal's process). */
  isProtected = false;
  /** A linked peer's failure is an event, not the end. */
  trapLinks = false;
  names: Set<string> | undefined;
  links: Set<Actor> | undefined;
  /** Who is told of its end. */
  monitors: Set<Actor> | undefined;
  /** Whose ends it is told of. */
  monitored: Set<Actor> | undefined;
  /** Told when it has ended, after its names are free. */
  readonly onExit: ((exit: ProcessExit) => void)[] = [];
  /** The long span around its life, where it is sampled. */
  span: Span | undefined;
  /** The position of the long span. */
  trace: TraceContext | undefined;
  /** Times that it was resumed. */
  steps = 0;

  constructor(parts: ActorParts, engine: LuaEngine) {
    this.pid = parts.pid;
    this.entryId = parts.entryId;
    this.host = parts.host;
    this.startedAt = parts.startedAt;
    this.parent = parts.parent;
    this.actorId = parts.actorId;
    this.mailbox = new Mailbox(engine);
  }
}
