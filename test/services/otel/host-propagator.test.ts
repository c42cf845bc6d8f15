import {
  baggageEntryMetadataFromString,
  propagation,
  ROOT_CONTEXT,
  type TextMapPropagator,
  trace as traceApi,
} from '@opentelemetry/api';
import { W3CBaggagePropagator } from '@opentelemetry/core';
import { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { BAGGAGE, TRACE } from '../../../runtime/trace.ts';
import { apiContextOf, callContextOf, hostPropagator } from '../../../services/otel/host-propagator.ts';
import { propagator } from '../../../services/otel/propagator.ts';

const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: 1, isRemote: false };

test('one of ours is used as it is', async (t) => {
  const ours = propagator(['tracecontext']);
  t.equal(hostPropagator(ours, silentLogger), ours);
});

test('span and baggage survive the way to the API and back', async (t) => {
  const members = ['user=a%20b;tier=1', 'odd=%', 'empty='];
  const context = rootContext.with(TRACE, trace).with(BAGGAGE, members);
  const api = apiContextOf(context);
  t.match(traceApi.getSpanContext(api), { traceId: trace.traceId, spanId: trace.spanId, traceFlags: 1 });
  const back = callContextOf(api);
  t.match(back.get(TRACE), trace);
  t.same(back.get(BAGGAGE), ['user=a%20b;tier=1', 'odd=%25', 'empty=']);
  t.equal(callContextOf(ROOT_CONTEXT).get(TRACE), undefined);
  const headers: Record<string, string> = {};
  hostPropagator(new W3CBaggagePropagator(), silentLogger).inject(context, (name, value) => {
    headers[name] = value;
  });
  t.same(headers, { baggage: 'user=a%20b;tier=1,odd=%25,empty=' });
});

test('baggage of a host program goes out as headers can hold it; keys are texts like any other', async (t) => {
  const note = baggageEntryMetadataFromString('note=\nx');
  const given = propagation.createBaggage({
    'user.id': { value: 'a,b' },
    'имя и': { value: 'ok' },
    'a=b,c': { value: '\ud800' },
    '(': { value: 'no token, encoded or not' },
    bad: { value: 'x', metadata: note },
    '': { value: 'no key' },
  });
  const context = callContextOf(propagation.setBaggage(ROOT_CONTEXT, given));
  const members = ['user.id=a%2Cb', '%D0%B8%D0%BC%D1%8F%20%D0%B8=ok', 'a%3Db%2Cc=%EF%BF%BD'];
  t.same(context.get(BAGGAGE), members);
  const odd = ['__proto__=1', 'constructor=2'];
  t.same(callContextOf(apiContextOf(rootContext.with(BAGGAGE, odd))).get(BAGGAGE), odd);
});

test('one that throws is told about once; calls go on without it', async (t) => {
  const lines: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void lines.push(message) };
  const fail = (): never => {
    throw new Error('no');
  };
  const broken: TextMapPropagator = { fields: () => ['X-A'], inject: fail, extract: fail };
  const guarded = hostPropagator(broken, logger);
  t.same(guarded.fields, ['x-a']);
  const context = rootContext.with(TRACE, trace);
  t.equal(
    guarded.extract(context, () => []),
    context,
  );
  t.doesNotThrow(() => guarded.inject(context, () => {}));
  t.equal(lines.length, 1);
});
