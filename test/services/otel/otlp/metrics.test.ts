import { ValueType } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { test } from 'tap';
import { systemClock } from '../../../../runtime/clock.ts';
import { createCollector } from '../../../../runtime/metrics/core.ts';
import { metricProducer } from '../../../../services/otel/metric-producer.ts';
import { jsonMetrics } from '../../../../services/otel/otlp/metric-json.ts';
import { protobufMetrics } from '../../../../services/otel/otlp/metric-request.ts';
import type { Temporality } from '../../../../services/otel/settings-types.ts';
import { officialDecoder } from '../../../harness/official-otlp.ts';
import { decodePoints } from '../../../harness/otlp-decode.ts';
import { RESOURCE, stockSerializers } from './span-fixture.ts';

const official = officialDecoder();
const skip = 'missing' in official ? `the official schema is not to be had: ${official.missing}` : false;
const resource = resourceFromAttributes(RESOURCE);
const IDS = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) };
const OTHER = { traceId: '12'.repeat(16), spanId: '34'.repeat(8) };

/** Every kind of point, as third parties' instruments give them: no exemplars. */
const thirdParty = (): ResourceMetrics => {
  const times = { startTime: [1_700_000_000, 1] as [number, number], endTime: [1_700_000_060, 0] as [number, number] };
  const metric = (name: string, valueType: ValueType, rest: object): MetricData =>
    ({
      descriptor: {
        name,
        description: name === 'bare' ? '' : `what ${name} is`,
        unit: name === 'bare' ? '' : 's',
        valueType,
      },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      ...rest,
    }) as MetricData;
  const point = <T>(value: T, attributes: object = { q: 'a', n: 3, list: [true, false] }) => ({
    ...times,
    attributes,
    value,
  });
  const buckets = { boundaries: [0.5, 1], counts: [1, 2, 2 ** 33] };
  const exponential = (offset: number) => ({ offset, bucketCounts: [1, 0, 300, 2 ** 40] });
  return {
    resource,
    scopeMetrics: [
      {
        scope: { name: 'lib', version: '1', schemaUrl: 'https://example.test/1' },
        metrics: [
          metric('sum', ValueType.INT, {
            dataPointType: DataPointType.SUM,
            isMonotonic: true,
            dataPoints: [point(5), point(2 ** 40, {}), point(-7, { q: 'ü' })],
          }),
          metric('delta', ValueType.DOUBLE, {
            dataPointType: DataPointType.SUM,
            isMonotonic: false,
            aggregationTemporality: AggregationTemporality.DELTA,
            dataPoints: [point(0.25)],
          }),
          metric('bare', ValueType.DOUBLE, { dataPointType: DataPointType.GAUGE, dataPoints: [point(-1.5), point(0)] }),
        ],
      },
      {
        scope: { name: 'other' },
        metrics: [
          metric('histogram', ValueType.DOUBLE, {
            dataPointType: DataPointType.HISTOGRAM,
            dataPoints: [
              point({ buckets, sum: 7.5, count: 2 ** 33 + 3, min: 0.1, max: 3 }),
              point({ buckets: { boundaries: [], counts: [4] }, count: 4 }),
            ],
          }),
          metric('exponential', ValueType.DOUBLE, {
            dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
            dataPoints: [
              point({
                count: 10,
                sum: 2,
                scale: -3,
                zeroCount: 4,
                positive: exponential(-12),
                negative: exponential(7),
                min: -1,
                max: 5,
              }),
            ],
          }),
        ],
      },
    ],
  };
};

test('every kind of point is what the stock serializers say, by the official schema', { skip }, async (t) => {
  if ('missing' in official) return;
  const metrics = thirdParty();
  const stock = stockSerializers();
  const ours = official.decode('metrics', protobufMetrics()(metrics));
  t.same(ours, official.decode('metrics', stock.ProtobufMetricsSerializer.serializeRequest(metrics)));
  t.equal(ours.resourceMetrics[0].scopeMetrics.length, 2);

  const json = official.decode('metrics', jsonMetrics(metrics), 'json');
  t.same(json, official.decode('metrics', stock.JsonMetricsSerializer.serializeRequest(metrics), 'json'));
  t.equal(json.resourceMetrics[0].scopeMetrics[1].metrics.length, 2);
});

test('a serializer is used again and again', async (t) => {
  const serialize = protobufMetrics();
  const first = Buffer.from(serialize(thirdParty()));
  const kept = Buffer.from(first);
  const broken = { ...thirdParty(), scopeMetrics: [{ scope: { name: 's' }, metrics: [{} as MetricData] }] };
  t.throws(() => serialize(broken));
  t.same(Buffer.from(serialize(thirdParty())), kept);
  t.same(first, kept, 'what was handed out is not written again');
});

const encodings = { 'http/protobuf': 'application/x-protobuf', 'http/json': 'application/json' } as const;
for (const [protocol, type] of Object.entries(encodings)) {
  const start = (temporality: Temporality) => {
    const collector = createCollector({
      namespace: 'wippy',
      clock: systemClock(),
      exponentialHistograms: ['fine_seconds'],
    });
    const serialize = protocol === 'http/json' ? jsonMetrics : protobufMetrics();
    const producer = metricProducer(collector, '1', temporality);
    return {
      collector,
      async collect(name?: string) {
        const { resourceMetrics } = await producer.collect();
        const bytes = Buffer.from(serialize({ ...resourceMetrics, resource }));
        if (!('missing' in official)) official.decode('metrics', bytes, protocol === 'http/json' ? 'json' : 'protobuf');
        return decodePoints(bytes, type).filter((point) => name === undefined || point.name === name);
      },
    };
  };

  test(`exemplars of counters and histograms reach the wire over ${protocol}`, async (t) => {
    const { collector, collect } = start('cumulative');
    const counter = collector.counter({ name: 'jobs', help: 'h', unit: '1', labels: ['q'] });
    counter.bind({ q: 'a' }).add(3, IDS);
    counter.bind({ q: 'b' }).add(1);
    const spec = { name: 'seconds', help: 'h', unit: 's', labels: [], boundaries: [1, 2] };
    const histogram = collector.histogram(spec).bind({});
    histogram.observe(0.5, IDS);
    histogram.observe(1.5);
    histogram.observe(5, OTHER);
    const before = Date.now();

    const [a, b] = await collect('wippy_jobs');
    t.match(a?.exemplars, [{ ...IDS, value: 3 }]);
    t.equal(a?.exemplars.length, 1);
    t.ok(Math.abs((a?.exemplars[0]?.timeMs ?? 0) - before) < 60_000);
    t.same(b?.exemplars, []);
    const [point] = await collect('wippy_seconds');
    t.match(point?.exemplars, [
      { ...IDS, value: 0.5 },
      { ...OTHER, value: 5 },
    ]);
    t.equal(point?.exemplars.length, 2);
  });

  test(`delta over ${protocol}: an exemplar is sent with the interval it is of`, async (t) => {
    const { collector, collect } = start('delta');
    const bound = collector.counter({ name: 'jobs', help: 'h', unit: '1', labels: [] }).bind({});
    bound.add(3, IDS);
    t.match(await collect('wippy_jobs'), [{ value: 3, exemplars: [IDS] }]);
    bound.add(1);
    const [second] = await collect('wippy_jobs');
    t.match(second, { value: 1, temporality: 'delta' });
    t.same(second?.exemplars, []);
    bound.add(2, OTHER);
    t.match(await collect('wippy_jobs'), [{ value: 2, exemplars: [OTHER] }]);
  });

  test(`lowmemory over ${protocol}: what is read at collection stays cumulative`, async (t) => {
    const { collector, collect } = start('lowmemory');
    const spec = { help: 'h', unit: '1', labels: ['q'] };
    let total = 0;
    const read = () => (total += 2);
    collector.observe('counter', { ...spec, name: 'read_total' }, { q: 'a' }, read);
    collector.observe('counter', { ...spec, name: 'mixed_total' }, { q: 'a' }, read);
    const mixed = collector.counter({ ...spec, name: 'mixed_total' }).bind({ q: 'b' });
    const counted = collector.counter({ ...spec, name: 'counted_total' }).bind({ q: 'a' });
    const took = collector.histogram({ ...spec, name: 'took', boundaries: [1] }).bind({ q: 'a' });
    for (let i = 0; i < 2; i += 1) {
      counted.add(3);
      mixed.add(3);
      took.observe(1);
      const points = await collect();
      const told = points.map(({ name, temporality, value }) => [name.replace('wippy_', ''), temporality, value]);
      t.strictSame(told, [
        ['counted_total', 'delta', 3],
        ['mixed_total', 'cumulative', 3 * (i + 1)],
        ['mixed_total', 'cumulative', 2 + 4 * i],
        ['read_total', 'cumulative', 4 + 4 * i],
        ['took', 'delta', 1],
      ]);
    }
  });

  test(`a histogram that is configured so is exponential over ${protocol}, others are not`, async (t) => {
    const { collector, collect } = start('cumulative');
    const spec = { name: 'fine_seconds', help: 'h', unit: 's', labels: ['q'], boundaries: [1, 2] };
    const bound = collector.histogram(spec).bind({ q: 'a' });
    for (const value of [0, 0, 1, 2, 4]) bound.observe(value, value === 2 ? IDS : undefined);
    const coarse = collector.histogram({ ...spec, name: 'coarse_seconds' }).bind({ q: 'a' });
    coarse.observe(1);
    const [point] = await collect('wippy_fine_seconds');
    t.match(point, { kind: 'exponentialHistogram', temporality: 'cumulative', count: 5, zeroCount: 2, value: 7 });
    t.match(point?.exemplars, [{ ...IDS, value: 2 }]);
    const { scale = 0, positive = { offset: 0, counts: [] } } = point ?? {};
    // Bucket i is (2^(i/2^scale), 2^((i+1)/2^scale)]: 1, 2 and 4 are upper bounds.
    const bounds = positive.counts.flatMap((count, i) =>
      count === 0 ? [] : [2 ** ((positive.offset + i + 1) / 2 ** scale)],
    );
    t.same(bounds, [1, 2, 4]);
    t.match(await collect('wippy_coarse_seconds'), [{ kind: 'histogram', bucketCounts: [1, 0, 0] }]);
    const family = collector.snapshot().families.find((one) => one.name === 'wippy_fine_seconds');
    t.same(Array.from(family?.series[0]?.bucketCounts ?? []), [3, 1, 1], 'Prometheus has its buckets still');
  });

  test(`delta over ${protocol}: an exponential histogram sends what was added, at the scale it has now`, async (t) => {
    const { collector, collect } = start('delta');
    const spec = { name: 'fine_seconds', help: 'h', unit: 's', labels: [], boundaries: [1] };
    const bound = collector.histogram(spec).bind({});
    for (const value of [0, 1, 1.001]) bound.observe(value);
    const [first] = await collect('wippy_fine_seconds');
    t.match(first, { count: 3, zeroCount: 1 });
    for (const value of [0, 0, 1, 1000]) bound.observe(value);
    const [second] = await collect('wippy_fine_seconds');
    t.match(second, { count: 4, zeroCount: 2, temporality: 'delta', startMs: first?.timeMs });
    t.ok((second?.scale ?? 0) < (first?.scale ?? 0), 'it became coarser in between');
    t.equal(
      second?.positive.counts.reduce((sum, count) => sum + count, 0),
      2,
      '1 and 1000, without what was before',
    );
    bound.observe(0);
    const [third] = await collect('wippy_fine_seconds');
    t.match(third, { count: 1, zeroCount: 1 });
    t.same(third?.positive.counts, []);
    t.same(await collect('wippy_fine_seconds'), [], 'no change, no point');
  });
}

test('each reader has its own changes, and start times stay', async (t) => {
  const collector = createCollector({ namespace: 'wippy', clock: systemClock() });
  const bound = collector.counter({ name: 'jobs', help: 'h', unit: '1', labels: [] }).bind({});
  const pointsOf = async (producer: ReturnType<typeof metricProducer>) => {
    const { resourceMetrics } = await producer.collect();
    const bytes = Buffer.from(protobufMetrics()({ ...resourceMetrics, resource }));
    return decodePoints(bytes, 'application/x-protobuf').find((point) => point.name === 'wippy_jobs');
  };
  const [one, two] = [metricProducer(collector, '1', 'delta'), metricProducer(collector, '1', 'delta')];
  const total = metricProducer(collector, '1', 'cumulative');
  bound.add(1);
  t.equal((await pointsOf(one))?.value, 1);
  const began = (await pointsOf(total))?.startMs;
  bound.add(2);
  t.equal((await pointsOf(one))?.value, 2);
  t.equal((await pointsOf(two))?.value, 3);
  bound.add(4);
  t.equal((await pointsOf(two))?.value, 4);
  t.equal((await pointsOf(one))?.value, 4);
  t.match(await pointsOf(total), { value: 7, startMs: began });
});
