import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Clock } from '../../runtime/clock.ts';
import { waitAtMost } from '../../runtime/deadline.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Collector } from '../../runtime/metrics/collector.ts';
import { CALLBACK_ERRORS } from '../../runtime/metrics/self-metrics.ts';
import { ScrapeTimeout } from '../operations/port.ts';
import { type Exposition, exposition } from './exposition.ts';
import { acceptsGzip, negotiateType, type TextType } from './negotiation.ts';
import { openMetrics } from './openmetrics.ts';
import type { ForeignFamily } from './port.ts';
import { promText } from './text-format.ts';

/** What a scrape asks for: the values of its headers. */
export interface ScrapeRequest {
  readonly accept?: string | undefined;
  readonly acceptEncoding?: string | undefined;
  /** How long the scraper waits for all of it. */
  readonly timeoutMs?: number | undefined;
}
export interface Rendering {
  readonly contentType: string;
  readonly contentEncoding: 'gzip' | undefined;
  readonly body: Buffer;
}
export interface Renderer {
  /** Rejects with ScrapeTimeout when `timeoutMs` has passed. */
  render(request: ScrapeRequest): Promise<Rendering>;
}

export interface RendererOptions {
  readonly collector: Collector;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What third parties measure, shown after ours. */
  readonly foreign?: () => Promise<readonly ForeignFamily[]>;
}

/** How long third parties may take; a scrape without them is better than none. */
const FOREIGN_TIMEOUT_MS = 2000;
/** Their part of what a scraper waits: the rest is for ours, and for the way. */
const FOREIGN_SHARE = 0.5;
const THIRD_PARTY = 'third_party';

const compress = promisify(gzip);

/** One rendering under way, for everybody who asks for the same type meanwhile. */
interface Shared {
  readonly plain: Promise<Buffer>;
  packed: Promise<Buffer> | undefined;
  /** Goes on without third parties. */
  readonly cut: (afterMs: number) => void;
}

/** Renders the collector's numbers for a scrape, in the format and encoding that it asks for. */
export const prometheusRenderer = ({ collector, clock, logger, foreign }: RendererOptions): Renderer => {
  const pending = new Map<string, Shared>();
  let isForeignFailing = false;

  const kept = new Map<string, Exposition>();
  const expositionOf = ({ format, escaping }: TextType): Exposition => {
    const key = `${format} ${escaping}`;
    let one = kept.get(key);
    if (one === undefined) {
      one = exposition(format === 'text' ? promText : openMetrics, escaping, clock);
      kept.set(key, one);
    }
    return one;
  };

  const thirdParty = async (cut: Promise<number>): Promise<readonly ForeignFamily[]> => {
    if (foreign === undefined) return [];
    const late = cut.then((ms) => {
      throw new Error(`no answer within ${ms} ms`);
    });
    late.catch(() => {}); // of no interest once third parties have answered
    try {
      const families = await Promise.race([foreign(), late]);
      isForeignFailing = false;
      return families;
    } catch (error) {
      collector.counter(CALLBACK_ERRORS).bind({ metric: THIRD_PARTY }).add(1);
      const message = 'metrics of third parties could not be read; /metrics shows ours only';
      if (!isForeignFailing) logger.warn(message, { error: messageOf(error) });
      isForeignFailing = true;
      return [];
    }
  };

  const textOf = async (type: TextType, cut: Promise<number>): Promise<Buffer> => {
    const theirs = await thirdParty(cut);
    return expositionOf(type).render(collector.capture(), theirs, type.format === 'openmetrics' ? '# EOF\n' : '');
  };

  const share = (type: TextType): Shared => {
    const cut = Promise.withResolvers<number>();
    const timers: (() => void)[] = [];
    const plain = textOf(type, cut.promise).finally(() => {
      pending.delete(type.contentType);
      for (const cancel of timers) cancel();
    });
    const shared: Shared = {
      plain,
      packed: undefined,
      cut: (afterMs) => void timers.push(clock.after(afterMs, () => cut.resolve(afterMs), { unref: true })),
    };
    pending.set(type.contentType, shared);
    return shared;
  };

  const bodyOf = async (shared: Shared, isGzip: boolean): Promise<Buffer> => {
    if (!isGzip) return shared.plain;
    shared.packed ??= shared.plain.then((plain) => compress(plain, { level: constants.Z_BEST_SPEED }));
    return shared.packed;
  };

  const within = async (ms: number, work: Promise<Buffer>): Promise<Buffer> => {
    const waited = await waitAtMost(clock, ms, work, { unref: true });
    if (!waited.inTime) throw new ScrapeTimeout(ms);
    return waited.value;
  };

  return {
    async render({ accept, acceptEncoding, timeoutMs }) {
      const type = negotiateType(accept);
      const isGzip = acceptsGzip(acceptEncoding);
      const shared = pending.get(type.contentType) ?? share(type);
      // Whoever waits the shortest decides how long third parties are waited for.
      shared.cut(Math.min(FOREIGN_TIMEOUT_MS, (timeoutMs ?? Number.POSITIVE_INFINITY) * FOREIGN_SHARE));
      const making = bodyOf(shared, isGzip);
      const body = await (timeoutMs === undefined ? making : within(timeoutMs, making));
      return { contentType: type.contentType, contentEncoding: isGzip ? 'gzip' : undefined, body };
    },
  };
};
