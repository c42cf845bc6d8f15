import { isPromise } from '../../runtime/call.ts';
import { Fifo } from '../../runtime/fifo.ts';

interface Task<T> {
  readonly item: T;
  readonly group: string;
  readonly keys: readonly string[] | undefined;
  /** Earlier tasks that must end first. */
  blockers: number;
  /** Made by the first. */
  dependents: Task<T>[] | undefined;
}

/** Work that never waits would keep timers and sockets from their turn: after so many items they get it. */
const ITEMS_PER_TURN = 16;

/**
 * Runs items with `concurrency` at once. Those that share a key within their group (the primary key, the table) run in the
 * order in which they came; one without keys waits for all of its group before it, and all after it wait. With a
 * concurrency of 1 everything runs in the order in which it came.
 */
export class OrderedWork<T> {
  readonly #concurrency: number;
  /** Rejects or throws: the work stops for good. */
  readonly #run: (item: T) => void | Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  readonly #ready = new Fifo<Task<T>>();
  readonly #lastOfKey = new Map<string, Task<T>>();
  readonly #lastBarrier = new Map<string, Task<T>>();
  readonly #openOfGroup = new Map<string, Set<Task<T>>>();
  readonly #idle: (() => void)[] = [];
  #running = 0;
  #isOpen = false;
  #isPumping = false;

  constructor(options: {
    concurrency: number;
    run: (item: T) => void | Promise<void>;
    onFailure: (error: unknown) => void;
  }) {
    this.#concurrency = options.concurrency;
    this.#run = options.run;
    this.#onFailure = options.onFailure;
  }

  push(item: T, group: string, keys: readonly string[] | undefined): void {
    const task: Task<T> = { item, group, keys, blockers: 0, dependents: undefined };
    if (this.#concurrency > 1) this.#place(task);
    if (task.blockers > 0) return;
    const isNext = this.#ready.size === 0 && this.#isOpen && !this.#isPumping && this.#running < this.#concurrency;
    if (isNext) this.#startNow(task);
    else {
      this.#ready.push(task);
      this.#pump();
    }
  }

  open(): void {
    this.#isOpen = true;
    this.#pump();
  }

  /** Begins nothing more; resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#isOpen = false;
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #place(task: Task<T>): void {
    const open = this.#openOfGroup.get(task.group) ?? new Set<Task<T>>();
    this.#openOfGroup.set(task.group, open);
    const before = new Set<Task<T>>();
    if (task.keys === undefined) {
      for (const one of open) before.add(one);
      this.#lastBarrier.set(task.group, task);
    } else {
      const barrier = this.#lastBarrier.get(task.group);
      if (barrier !== undefined) before.add(barrier);
      for (const key of task.keys) {
        const last = this.#lastOfKey.get(keyOf(task, key));
        if (last !== undefined) before.add(last);
        this.#lastOfKey.set(keyOf(task, key), task);
      }
      before.delete(task);
    }
    for (const one of before) {
      one.dependents ??= [];
      one.dependents.push(task);
    }
    task.blockers = before.size;
    open.add(task);
  }

  #remove(task: Task<T>): void {
    const open = this.#openOfGroup.get(task.group);
    open?.delete(task);
    if (open?.size === 0) this.#openOfGroup.delete(task.group);
    if (this.#lastBarrier.get(task.group) === task) this.#lastBarrier.delete(task.group);
    for (const key of task.keys ?? []) {
      if (this.#lastOfKey.get(keyOf(task, key)) === task) this.#lastOfKey.delete(keyOf(task, key));
    }
    if (task.dependents === undefined) return;
    for (const one of task.dependents) {
      one.blockers -= 1;
      if (one.blockers === 0) this.#ready.push(one);
    }
  }

  /** Starts what may run. Never called within itself: what ends at once must not deepen the stack. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (let count = 0; this.#isOpen && this.#running < this.#concurrency; count += 1) {
      if (count === ITEMS_PER_TURN) {
        setImmediate(() => this.#pump());
        break;
      }
      const task = this.#ready.shift();
      if (task === undefined) break;
      this.#start(task);
    }
    this.#isPumping = false;
  }

  /** Without a way through the queue, which most tasks would leave at once. */
  #startNow(task: Task<T>): void {
    this.#isPumping = true;
    this.#start(task);
    this.#isPumping = false;
    if (this.#ready.size > 0) this.#pump();
  }

  #start(task: Task<T>): void {
    this.#running += 1;
    try {
      const out = this.#run(task.item);
      if (isPromise(out)) {
        out.then(
          () => this.#end(task),
          (error: unknown) => this.#fail(error),
        );
      } else this.#end(task);
    } catch (error) {
      this.#fail(error);
    }
  }

  #end(task: Task<T>): void {
    this.#running -= 1;
    if (this.#concurrency > 1) this.#remove(task);
    this.#settle();
  }

  /** What depends on it, and everything else, must not overtake it. */
  #fail(error: unknown): void {
    this.#running -= 1;
    this.#isOpen = false;
    this.#onFailure(error);
    this.#settle();
  }

  #settle(): void {
    if (this.#running === 0 && this.#idle.length > 0) for (const resolve of this.#idle.splice(0)) resolve();
    this.#pump();
  }
}

const keyOf = ({ group }: { group: string }, key: string): string => `${group}\0${key}`;
