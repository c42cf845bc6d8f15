import type { CallContext } from '../../runtime/context.ts';
import type { Env } from '../../runtime/env.ts';
import { unavailable } from '../../runtime/errors.ts';
import { Fifo } from '../../runtime/fifo.ts';
import type { Counter } from '../../runtime/metrics/collector.ts';
import type { Actor } from './actor.ts';
import { type ActorTable, terminated } from './actor-table.ts';
import { mailboxDepthMax, sendsRefused } from './instruments.ts';
import { type Life, runLife } from './life.ts';
import { formatPid } from './pid.ts';

/** How long one batch of starts holds the event loop (ms). */
const SLICE_MS = 5;

export interface HostOptions {
  readonly id: string;
  readonly workers: number;
  /** 0 = without limit. */
  readonly maxMailbox: number;
  readonly maxProcesses: number;
  readonly stopTimeoutMs: number;
  /** `process.terminate` has no effect on its processes. */
  readonly isProtected: boolean;
}

/** One `process.host` or `terminal.host`: who runs on it, and what waits to run for the first time. */
export class Host {
  readonly id: string;
  readonly options: HostOptions;
  /** The sender of what the host itself says. */
  readonly pid: string;
  readonly actors = new Set<Actor>();
  executed = 0;
  state: 'stopped' | 'running' | 'stopping' = 'stopped';
  readonly #table: ActorTable;
  readonly #clock: Env['clock'];
  readonly #refused: Counter<'host'>;
  readonly #starting = new Fifo<{ life: Life; context: CallContext }>();
  #isScheduled = false;
  #onEmpty: (() => void) | undefined;

  constructor(env: Env, table: ActorTable, options: HostOptions) {
    this.id = options.id;
    this.options = options;
    this.pid = formatPid(env.settings.nodeName, options.id, 0);
    this.#table = table;
    this.#clock = env.clock;
    this.#refused = env.collector.counter(sendsRefused);
    env.collector.observe('gauge', mailboxDepthMax, { host: options.id }, () => this.#deepest());
  }

  /** @throws CallError Unavailable: it is not running, or full. */
  admit(): void {
    if (this.state === 'stopping') throw unavailable(`host is shutting down: ${this.id}`);
    if (this.state === 'stopped') throw unavailable(`host is not running: ${this.id}`);
    const { maxProcesses } = this.options;
    if (maxProcesses > 0 && this.actors.size >= maxProcesses) {
      throw unavailable(`host is full: ${this.id} runs ${maxProcesses} processes (host.max_processes)`);
    }
  }

  /** @throws CallError Unavailable where the mailbox is full. */
  admitMessage(target: Actor): void {
    const { maxMailbox } = this.options;
    if (maxMailbox === 0 || target.mailbox.depth < maxMailbox) return;
    this.#refused.bind({ host: this.id }).add(1);
    throw unavailable(`mailbox is full: ${target.pid} has ${maxMailbox} messages waiting (host.max_mailbox)`);
  }

  add(actor: Actor): void {
    this.actors.add(actor);
    this.executed += 1;
    actor.onExit.push(() => {
      this.actors.delete(actor);
      if (this.actors.size === 0) this.#onEmpty?.();
    });
  }

  /** Runs it after what is running now, in the order of the spawns. */
  begin(life: Life, context: CallContext): void {
    this.#starting.push({ life, context });
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#run);
  }

  start(): void {
    this.state = 'running';
  }

  /** Asks all to end, waits for them, and ends the rest when the time is over. */
  async stop(): Promise<void> {
    if (this.state !== 'running') return;
    this.state = 'stopping';
    for (const actor of [...this.actors]) this.#table.cancel(actor, this.pid, 'scheduler shutdown');
    if (this.actors.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(this.options.stopTimeoutMs, resolve);
        this.#onEmpty = () => {
          cancel();
          resolve();
        };
      });
      this.#onEmpty = undefined;
    }
    for (const actor of [...this.actors]) this.#table.kill(actor, terminated());
    this.state = 'stopped';
  }

  readonly #run = (): void => {
    this.#isScheduled = false;
    const begin = this.#clock.now();
    for (let next = this.#starting.shift(); next !== undefined; next = this.#starting.shift()) {
      runLife(next.life, next.context, this.#table);
      if (this.#starting.size > 0 && this.#clock.now() - begin > SLICE_MS) {
        this.#isScheduled = true;
        setImmediate(this.#run); // timers and sockets get their turn
        return;
      }
    }
  };

  #deepest(): number {
    let deepest = 0;
    for (const { mailbox } of this.actors) if (mailbox.depth > deepest) deepest = mailbox.depth;
    return deepest;
  }
}
