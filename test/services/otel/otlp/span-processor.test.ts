import { context as contextApi, ROOT_CONTEXT, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { isTracingSuppressed } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { test } from 'tap';
import type { EncodedSpans } from '../../../../services/otel/otlp/span-batch.ts';
import { encodingSpanProcessor } from '../../../../services/otel/otlp/span-processor.ts';
import type { SpanCounts } from '../../../../services/otel/span-counts.ts';
import { decodeSpans } from '../../../harness/otlp-decode.ts';
import { spanSource } from './span-fixture.ts';
import { timerClock } from './timer-clock.ts';

const SETTINGS = { maxQueueSize: 6, maxExportBatchSize: 3, scheduleDelayMs: 5000, exportTimeoutMs: 30_000 };

/** A processor whose exports end when the test says so. */
const start = (settings: Partial<typeof SETTINGS> = {}) => {
  const clock = timerClock();
  const sent: { readonly names: readonly string[]; readonly end: (failure?: Error) => Promise<void> }[] = [];
  const lost = { dropped: 0, failed: 0 };
  const errors: unknown[] = [];
  const counts: SpanCounts = {
    exported() {},
    failed(spans) {
      lost.failed += spans;
    },
    dropped(spans) {
      lost.dropped += spans;
    },
  };
  const send = ({ bytes }: EncodedSpans): Promise<Error | undefined> => {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    const names = decodeSpans(Buffer.from(bytes), 'application/x-protobuf').map((span) => span.name);
    const end = async (failure?: Error): Promise<void> => {
      resolve(failure);
      await promise;
      await Promise.resolve();
    };
    sent.push({ names, end });
    return promise;
  };
  const processor = encodingSpanProcessor({
    batch: { ...SETTINGS, ...settings },
    clock,
    counts,
    send,
    broken: (error) => void errors.push(error),
  });
  const { provider, ended } = spanSource();
  const tracer = provider.getTracer('lib');
  const end = (...names: readonly string[]): void => {
    for (const name of names) {
      tracer.startSpan(name, {}, ROOT_CONTEXT).end();
      processor.onEnd(ended.at(-1) as ReadableSpan);
    }
  };
  return { processor, clock, sent, lost, errors, end, ended, names: () => sent.map((one) => one.names) };
};

test('spans wait for the schedule, and a full batch does not', async (t) => {
  const { end, clock, names, sent } = start();
  end('a', 'b');
  clock.advance(4999);
  t.same(names(), []);
  clock.advance(1);
  t.same(names(), [['a', 'b']]);
  await sent[0]?.end();
  end('c', 'd', 'e');
  t.same(names().slice(1), [['c', 'd', 'e']]);
});

test('one scheduled export runs at a time, the next begins when it ends, well or not', async (t) => {
  const { end, clock, names, sent } = start();
  end('a', 'b', 'c', 'd', 'e', 'f', 'g');
  t.same(names(), [['a', 'b', 'c']]);
  await sent[0]?.end(new Error('no'));
  t.same(names().slice(1), [['d', 'e', 'f']]);
  await sent[1]?.end();
  t.same(names().slice(2), [], 'what is left waits for the schedule');
  clock.advance(5000);
  t.same(names().slice(2), [['g']]);
});

test('an export that takes too long holds up nothing', async (t) => {
  const { end, clock, names, sent, processor } = start();
  end('a', 'b', 'c', 'd', 'e', 'f');
  clock.advance(29_999);
  t.equal(sent.length, 1);
  clock.advance(1);
  t.same(names()[1], ['d', 'e', 'f']);
  let isFlushed = false;
  const flushing = processor.forceFlush().then(() => {
    isFlushed = true;
  });
  await sent[1]?.end();
  t.equal(isFlushed, false, 'but a flush still waits for it');
  await sent[0]?.end();
  await flushing;
  t.equal(clock.timers, 0);
});

test('what ends while the queue is full is dropped, and counted', async (t) => {
  const { end, lost, sent, processor } = start();
  end('1', '2', '3'); // under way: no longer in the queue
  end('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  t.equal(lost.dropped, 2);
  await sent[0]?.end();
  end('i');
  t.equal(lost.dropped, 2, 'there is room again');
  const flushing = processor.forceFlush();
  t.same(
    sent.slice(2).map((one) => one.names),
    [['d', 'e', 'f'], ['i']],
  );
  for (const one of sent) void one.end();
  await flushing;
});

test('a batch is never larger than the queue', async (t) => {
  const { end, names, lost } = start({ maxQueueSize: 2, maxExportBatchSize: 512 });
  end('a', 'b');
  t.same(names(), [['a', 'b']]);
  t.equal(lost.dropped, 0);
});

test('a flush sends everything at once and says what went wrong first', async (t) => {
  const { end, names, sent, processor, clock } = start();
  end('a', 'b', 'c', 'd');
  const flushing = processor.forceFlush();
  t.same(names(), [['a', 'b', 'c'], ['d']]);
  void sent[1]?.end(new Error('refused'));
  void sent[0]?.end();
  await t.rejects(flushing, { message: 'refused' });
  await processor.forceFlush();
  t.equal(sent.length, 2, 'nothing waits');
  t.equal(clock.timers, 0);
});

test('after the shutdown a span is lost, and counted; a second shutdown is the first', async (t) => {
  const { end, sent, processor, lost } = start();
  end('a');
  const first = processor.shutdown();
  t.equal(processor.shutdown(), first);
  t.equal(processor.forceFlush(), first);
  end('late');
  t.equal(lost.dropped, 1);
  void sent[0]?.end();
  await first;
  t.equal(sent.length, 1);
});

test('a span that cannot be written costs only itself', async (t) => {
  const { processor, ended, end, lost, errors, names } = start();
  end('a');
  const [a] = ended as [ReadableSpan];
  processor.onEnd({ ...a, spanContext: () => a.spanContext(), events: undefined as never });
  t.equal(lost.failed, 1);
  t.equal(errors.length, 1);
  end('b');
  void processor.forceFlush();
  t.same(names(), [['a', 'b']]);
});

test('a span that is recorded but not sampled is not exported', async (t) => {
  const { processor, ended, end, names } = start();
  end('a');
  const [a] = ended as [ReadableSpan];
  processor.onEnd({ ...a, spanContext: () => ({ ...a.spanContext(), traceFlags: TraceFlags.NONE }) });
  void processor.forceFlush();
  t.same(names(), [['a']]);
});

test('the requests of an export are not traced', async (t) => {
  const manager = new AsyncLocalStorageContextManager().enable();
  contextApi.setGlobalContextManager(manager);
  t.teardown(() => contextApi.disable());
  const seen: boolean[] = [];
  const processor = encodingSpanProcessor({
    batch: SETTINGS,
    clock: timerClock(),
    counts: { exported() {}, failed() {}, dropped() {} },
    broken() {},
    send: () => {
      seen.push(isTracingSuppressed(contextApi.active()));
      return Promise.resolve(undefined);
    },
  });
  const { provider, ended } = spanSource();
  provider.getTracer('lib').startSpan('a').end();
  processor.onEnd(ended[0] as ReadableSpan);
  await processor.forceFlush();
  t.same([...seen, isTracingSuppressed(contextApi.active())], [true, false]);
});
