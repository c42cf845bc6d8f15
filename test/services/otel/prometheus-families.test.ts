import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, AggregationType, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { test } from 'tap';
import { prometheusFamilies } from '../../../services/otel/prometheus-families.ts';
import type { TranslationStrategy } from '../../../services/otel/prometheus-names.ts';
import { parsePrometheusText, select } from '../../harness/prometheus-text.ts';
import { openMetricsFormatter, textFormatter } from '../prometheus/format.ts';

class PulledReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** Real meters of the SDK, read as a scrape reads them. */
const meters = (owned: readonly string[] = []) => {
  const reader = new PulledReader();
  const provider = new MeterProvider({
    readers: [reader],
    resource: resourceFromAttributes({ 'service.name': 'lab', 'process.pid': 7 }),
    views: [{ instrumentName: 'expo', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  });
  const refused: string[] = [];
  const families = async (strategy: TranslationStrategy = 'UnderscoreEscapingWithSuffixes') => {
    const { resourceMetrics } = await reader.collect();
    return prometheusFamilies(resourceMetrics, {
      strategy,
      isOwned: (name) => owned.includes(name),
      refuse: (name, why) => void refused.push(`${name}: ${why}`),
    });
  };
  return { provider, families, refused };
};
const nothing = { capture: () => ({ time: 0, families: [] }) };
const textOf = async ({ families }: ReturnType<typeof meters>) => textFormatter()(nothing, await families());

test('rule 7: scopes become labels of one family, its numbers those of the meters', async (t) => {
  const lab = meters();
  const { provider } = lab;
  provider
    .getMeter('a', '1.0', { schemaUrl: 'https://x/1' })
    .createCounter('jobs', { unit: '{job}' })
    .add(2, { k: 'v' });
  provider.getMeter('b').createCounter('jobs', { unit: '{job}' }).add(3, { k: 'v' });
  provider.getMeter('b').createUpDownCounter('open').add(-1);
  const took = provider
    .getMeter('b')
    .createHistogram('took', { unit: 's', advice: { explicitBucketBoundaries: [1, 2] } });
  for (const value of [0.5, 1.5, 9]) took.record(value);
  const text = await textOf(lab);
  const parsed = parsePrometheusText(text);
  t.equal(parsed.families.get('jobs_total')?.type, 'counter');
  t.equal(
    select(parsed, 'jobs_total', {
      otel_scope_name: 'a',
      otel_scope_version: '1.0',
      otel_scope_schema_url: 'https://x/1',
    })[0]?.value,
    2,
  );
  t.strictSame(select(parsed, 'jobs_total', { otel_scope_name: 'b' })[0]?.labels, { k: 'v', otel_scope_name: 'b' });
  t.equal(parsed.families.get('open')?.type, 'gauge');
  t.strictSame(
    select(parsed, 'took_seconds_bucket').map(({ value }) => value),
    [1, 2, 3],
  );
  t.equal(select(parsed, 'took_seconds_sum')[0]?.value, 11);
  t.strictSame(select(parsed, 'target_info')[0]?.labels, { service_name: 'lab', process_pid: '7' });
  t.equal(text.match(/target_info\{/g)?.length, 1);
  t.notMatch(text, /\} \S+ \d/, 'no timestamps');
});

test('OpenMetrics: created, units, and the target as an info', async (t) => {
  const lab = meters();
  lab.provider.getMeter('a').createCounter('sent', { unit: 'By', description: 'Sent.' }).add(2);
  const text = await openMetricsFormatter()(nothing, await lab.families());
  t.match(text, /^# TYPE target info\n# HELP target Target metadata\ntarget_info\{/);
  t.match(
    text,
    /# TYPE sent_bytes counter\n# UNIT sent_bytes bytes\n# HELP sent_bytes Sent\.\nsent_bytes_total\{otel_scope_name="a"\} 2\n/,
  );
  const created = Number(/sent_bytes_created\{.*\} (\S+)\n/.exec(text)?.[1]);
  t.ok(Math.abs(created - Date.now() / 1000) < 60);
});

test('names in UTF-8 stand in quotes where that is allowed', async (t) => {
  const lab = meters();
  lab.provider.getMeter('a').createCounter('sent.all', { unit: 'By' }).add(2, { 'peer.name': 'x' });
  const families = await lab.families('NoUTF8EscapingWithSuffixes');
  t.match(
    await textFormatter('allow-utf-8')(nothing, families),
    /# TYPE "sent\.all_bytes_total" counter\n\{"sent\.all_bytes_total",otel_scope_name="a","peer\.name"="x"\} 2\n/,
  );
  t.match(
    await textFormatter('underscores')(nothing, families),
    /\nsent_all_bytes_total\{otel_scope_name="a",peer_name="x"\} 2\n/,
  );
});

test('what is ours, of another kind, of taken samples or not for text is left out and told; the rest is shown', async (t) => {
  const lab = meters(['mine_total', 'lat_count']);
  const meter = lab.provider.getMeter('a');
  meter.createCounter('mine').add(1);
  meter.createHistogram('lat').record(1);
  meter.createCounter('jobs.total').add(1);
  meter.createGauge('jobs_total').record(5);
  meter.createHistogram('expo').record(1);
  meter.createHistogram('size').record(1);
  meter.createGauge('size.count').record(1);
  const twins = meter.createCounter('twins');
  twins.add(1, { a: '1' });
  twins.add(2, { a: 1 });
  const parsed = parsePrometheusText(await textOf(lab));
  t.strictSame([...parsed.families.keys()], ['target_info', 'jobs_total', 'size', 'twins_total']);
  t.equal(parsed.families.get('jobs_total')?.type, 'counter');
  t.strictSame(lab.refused.map((line) => line.split(':')[0]).sort(), [
    'expo',
    'jobs_total',
    'lat',
    'mine_total',
    'size_count',
    'twins_total',
  ]);
  t.equal(select(parsed, 'twins_total')[0]?.value, 1);
});

test('target_info is there once, and not at all where a metric of ours has its name', async (t) => {
  const lab = meters();
  lab.provider.getMeter('a').createGauge('target_info').record(9);
  t.equal((await textOf(lab)).match(/^target_info\{.*\} (.*)$/gm)?.length, 1);
  t.match(lab.refused, [/^target_info: it has samples of the same name/]);
  const owning = meters(['target_info']);
  t.equal(await textOf(owning), '');
  t.match(owning.refused, [/^target_info: a metric of that name exists/]);
});

test('cumulative, from the reader that the program uses', async (t) => {
  const lab = meters();
  t.equal(new PulledReader().selectAggregationTemporality(0 as never), AggregationTemporality.CUMULATIVE);
  const counter = lab.provider.getMeter('a').createCounter('jobs');
  counter.add(1);
  await lab.families();
  counter.add(1);
  t.match(await textOf(lab), /jobs_total\{.*\} 2\n/);
});
