import { type CallError, invalid, messageOf, notFound, unavailable } from '../../runtime/errors.ts';
import { Fifo } from '../../runtime/fifo.ts';
import {
  type LuaChannel,
  type LuaClass,
  type LuaEngine,
  LuaRaise,
  type LuaRun,
  NOTHING,
} from '../../runtime/lua/engine.ts';
import { resultsOf } from '../../runtime/lua/results.ts';
import { hostObject } from '../../runtime/lua/values.ts';
import type { Captured, Change } from './change.ts';
import type { Fault } from './fault.ts';
import { changeFilter } from './filter.ts';
import type { CdcSource } from './source.ts';
import type { StreamOptions } from './stream-options.ts';

interface Waiting {
  readonly value: Change | CallError;
  readonly bytes: number;
}

/** Where the streams of Lua come from. */
export interface StreamEnv {
  readonly engine: LuaEngine;
  find(name: string): CdcSource | undefined;
}

/** `cdc.stream` (lua/cdc.md, section 2): nothing is subscribed before the first `channel()`. */
export class ChangeStream {
  readonly [hostObject] = true as const;
  readonly #env: StreamEnv;
  readonly #run: LuaRun;
  readonly #name: string;
  readonly #options: StreamOptions;
  readonly #waiting = new Fifo<Waiting>();
  /** The snapshot shows what was committed before. */
  #from = 0n;
  /** Live changes that came while the snapshot was read. */
  #live: Captured[] | undefined;
  readonly #stopping = new AbortController();
  #backlog = 0;
  #onRoom: (() => void) | undefined;
  #channel: LuaChannel | undefined;
  #source: CdcSource | undefined;
  #release: (() => void) | undefined;
  #isEnded = false;
  #isClosed = false;

  constructor(env: StreamEnv, run: LuaRun, name: string, options: StreamOptions) {
    this.#env = env;
    this.#run = run;
    this.#name = name;
    this.#options = options;
  }

  /** @throws CallError NotFound, Unavailable, Invalid; a LuaRaise after `close`. */
  channel(): LuaChannel {
    if (this.#isClosed) throw new LuaRaise('cdc stream is closed');
    this.#channel ??= this.#open();
    return this.#channel;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopping.abort();
    this.#end();
  }

  #open(): LuaChannel {
    const { buffer, maxBytes, snapshot, after } = this.#options;
    const source = this.#env.find(this.#name);
    if (source === undefined) throw notFound(`cdc source not found: ${this.#name}`);
    if (source.state !== 'running') throw unavailable(`cdc source is not ready: ${source.id} (${source.state})`);
    if (after !== undefined && !source.capabilities.replayable) {
      throw invalid(`cdc source cannot resume from a cursor: ${source.id}`);
    }
    this.#source = source;
    const release = source.admission.claim(maxBytes);
    let releaseSnapshot: (() => void) | undefined;
    try {
      releaseSnapshot = snapshot ? source.admission.claimSnapshot() : undefined;
    } catch (error) {
      release();
      throw error;
    }
    const wants = changeFilter(this.#options);
    if (snapshot) this.#live = [];
    const removeListener = source.hub.addListener({
      push: (captured) => {
        if (wants(captured.change)) this.#take(captured);
      },
      end: (error) => this.#end(error),
    });
    const forget = this.#run.defer(() => this.close());
    this.#release = () => {
      removeListener();
      release();
      releaseSnapshot?.();
      forget();
    };
    const channel = this.#env.engine.channel(buffer, {
      take: () => {
        const next = this.#waiting.shift();
        if (next === undefined) return NOTHING;
        this.#backlog -= next.bytes;
        this.#onRoom?.();
        return next.value;
      },
    });
    this.#channel = channel;
    if (releaseSnapshot !== undefined) void this.#readSnapshot(source, wants, releaseSnapshot);
    return channel;
  }

  /** Rows first; then the live changes of transactions that the snapshot does not show. */
  async #readSnapshot(source: CdcSource, wants: (change: Change) => boolean, release: () => void): Promise<void> {
    try {
      const position = await source.snapshot({
        wants: changeOfTable(this.#options),
        row: async (captured) => {
          if (!wants(captured.change)) return;
          await this.#room();
          this.#push(captured);
        },
        signal: this.#stopping.signal,
      });
      const live = this.#live ?? [];
      this.#live = undefined;
      this.#backlog -= sum(live);
      this.#from = position;
      for (const captured of live) this.#take(captured);
    } catch (error) {
      this.#fail(unavailable(`the snapshot of ${source.id} failed: ${messageOf(error)}`), 'read');
    } finally {
      release();
    }
  }

  #take(captured: Captured): void {
    if (this.#live === undefined) {
      // Also behind the snapshot: the source may still be reading what the rows have shown already.
      if (captured.commitPosition >= this.#from) this.#push(captured);
      return;
    }
    if (this.#backlog + captured.bytes > this.#options.maxBytes) this.#overflow();
    else {
      this.#live.push(captured);
      this.#backlog += captured.bytes;
    }
  }

  /** Rows of a snapshot wait for their reader: they are still there. */
  #room(): Promise<void> {
    if (this.#waiting.size < this.#options.buffer || this.#isEnded) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  #push({ change, bytes }: Captured): void {
    if (this.#isEnded) return;
    if (this.#channel?.closed === true) {
      this.close(); // Lua has closed the channel itself
      return;
    }
    if (this.#waiting.size >= this.#options.buffer && this.#backlog + bytes > this.#options.maxBytes) {
      this.#overflow();
      return;
    }
    this.#backlog += bytes;
    this.#waiting.push({ value: change, bytes });
    this.#channel?.serve();
  }

  #overflow(): void {
    const { maxBytes } = this.#options;
    this.#fail(
      unavailable(
        `cdc stream overflow: more than ${maxBytes} bytes of changes wait to be received. Receive faster, or raise max_bytes`,
      ),
      'downstream',
    );
  }

  /** Changes are lost to this reader, and to nobody else. */
  #fail(error: CallError, kind: Fault['kind']): void {
    if (this.#isEnded) return;
    this.#source?.faults.report({ message: 'a stream of changes was ended', error, kind, level: 'warn' });
    this.#end(error);
  }

  /** What waits can still be received, then the error, then nothing more. */
  #end(error?: CallError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#live = undefined;
    this.#stopping.abort();
    this.#onRoom?.();
    this.#release?.();
    if (this.#isClosed) this.#waiting.clear();
    else if (error !== undefined) {
      this.#waiting.push({ value: error, bytes: 0 });
      this.#channel?.serve();
    }
    this.#channel?.close();
  }
}

const sum = (list: readonly Captured[]): number => list.reduce((total, { bytes }) => total + bytes, 0);

/** The same filter for a table alone: rows of others are not even read. */
const changeOfTable = ({ tables, ops }: StreamOptions): ((schema: string, table: string) => boolean) => {
  const wants = changeFilter(tables === undefined ? {} : { tables });
  const wantsSnapshot = ops === undefined || ops.includes('snapshot');
  const probe = { source: '', source_id: '', op: 'snapshot', lsn: '' } as const;
  return (schema, table) => wantsSnapshot && wants({ ...probe, schema, table, relation: `${schema}.${table}` });
};

const channelOf = (self: ChangeStream) =>
  resultsOf(
    () => self.channel(),
    (channel) => [channel, undefined],
  );
const close = (self: ChangeStream) => {
  self.close();
  return [true, undefined];
};

export const streamClass: LuaClass<ChangeStream> = {
  name: 'cdc.Stream',
  constructor: ChangeStream,
  methods: { channel: channelOf, receive: channelOf, close, release: close },
  yields: ['channel', 'receive'],
  tostring: () => 'cdc.Stream{}',
};
