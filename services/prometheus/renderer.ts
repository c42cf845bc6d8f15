import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Collector } from '../../runtime/metrics/collector.ts';
import { CALLBACK_ERRORS } from '../../runtime/metrics/self-metrics.ts';
import { acceptsGzip, negotiateType, type TextType } from './negotiation.ts';
import { openMetrics } from './openmetrics.ts';
import { clashesWithTargetInfo, type Resource, targetInfo } from './target-info.ts';
import { text004 } from './text-format.ts';

/** What a scrape asks for: the values of its headers. */
export interface ScrapeRequest {
  readonly accept?: string | undefined;
  readonly acceptEncoding?: string | undefined;
}
export interface Rendering {
  readonly contentType: string;
  readonly contentEncoding: 'gzip' | undefined;
  readonly body: Buffer;
}
export interface Renderer {
  render(request: ScrapeRequest): Promise<Rendering>;
}

export interface RendererOptions {
  readonly collector: Collector;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Text 0.0.4 of what third parties measure, appended to ours in that format only (its OpenMetrics is not valid there). */
  readonly appendText?: () => Promise<string>;
  /** Shown as `target_info`; absent without it. */
  readonly resource?: Resource;
}

/** How long the text of third parties may take; a scrape without it is better than none. */
const APPEND_TIMEOUT_MS = 2000;
const THIRD_PARTY = 'third_party';

const compress = promisify(gzip);

/** Renders the collector's snapshot for a scrape, in the format and encoding that it asks for. */
export const prometheusRenderer = (options: RendererOptions): Renderer => {
  const { collector, clock, logger, appendText } = options;
  const target = targetInfo(options.resource ?? {});
  const formats = { text: text004(), openmetrics: openMetrics() };
  const pending = new Map<string, Promise<Rendering>>();
  let isAppendFailing = false;

  const thirdParty = async (): Promise<string> => {
    if (appendText === undefined) return '';
    const late = Promise.withResolvers<never>();
    const problem = new Error(`no answer within ${APPEND_TIMEOUT_MS} ms`);
    const cancel = clock.after(APPEND_TIMEOUT_MS, () => late.reject(problem), { unref: true });
    try {
      const text = await Promise.race([appendText(), late.promise]);
      isAppendFailing = false;
      return text === '' || text.endsWith('\n') ? text : `${text}\n`;
    } catch (error) {
      collector.counter(CALLBACK_ERRORS).bind({ metric: THIRD_PARTY }).add(1);
      const message = 'metrics of third parties could not be read; /metrics shows ours only';
      if (!isAppendFailing) logger.warn(message, { error: messageOf(error) });
      isAppendFailing = true;
      return '';
    } finally {
      cancel();
    }
  };

  const textOf = async ({ format }: TextType): Promise<string> => {
    const theirs = format === 'text' ? await thirdParty() : '';
    const { families } = collector.snapshot();
    const info = options.resource === undefined || clashesWithTargetInfo(families) ? '' : target[format];
    return info + formats[format](families) + (format === 'text' ? theirs : '# EOF\n');
  };

  const render = async (type: TextType, isGzip: boolean): Promise<Rendering> => {
    const plain = Buffer.from(await textOf(type), 'utf8');
    const { contentType } = type;
    if (!isGzip) return { contentType, contentEncoding: undefined, body: plain };
    return { contentType, contentEncoding: 'gzip', body: await compress(plain, { level: constants.Z_BEST_SPEED }) };
  };

  return {
    render({ accept, acceptEncoding }) {
      const type = negotiateType(accept);
      const isGzip = acceptsGzip(acceptEncoding);
      const key = `${type.contentType} ${isGzip}`;
      // Scrapes that ask for the same thing while it is being made share it.
      let shared = pending.get(key);
      if (shared === undefined) {
        shared = render(type, isGzip).finally(() => pending.delete(key));
        pending.set(key, shared);
      }
      return shared;
    },
  };
};
