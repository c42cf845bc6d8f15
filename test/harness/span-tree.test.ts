import { test } from 'tap';
import { spansFromJson } from './otlp-spans.ts';
import { spanTrees } from './span-tree.ts';

const span = (
  traceId: string,
  spanId: string,
  parentSpanId: string,
  name: string,
  kind: number | string,
  code = 0,
) => ({
  traceId,
  spanId,
  parentSpanId,
  name,
  kind,
  status: { code },
});

test('OTLP JSON: kinds and statuses as numbers or names, attributes of every type, the resource on each span', async (t) => {
  const [first, second] = spansFromJson({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'a' } }] },
        scopeSpans: [
          {
            scope: { name: 'perilune' },
            spans: [
              {
                ...span('t', '1', '', 'GET', 'SPAN_KIND_SERVER', 2),
                attributes: [
                  { key: 'i', value: { intValue: '7' } },
                  { key: 'd', value: { doubleValue: 0.5 } },
                  { key: 'b', value: { boolValue: false } },
                  { key: 'l', value: { arrayValue: { values: [{ stringValue: 'x' }] } } },
                ],
                events: [{ name: 'exception', attributes: [{ key: 'k', value: { stringValue: 'v' } }] }],
                links: [{ traceId: 'x', spanId: 'y' }],
              },
              {
                traceId: 't',
                spanId: '2',
                parentSpanId: '1',
                name: 'f',
                kind: 1,
                status: { code: 'STATUS_CODE_ERROR' },
              },
            ],
          },
        ],
      },
    ],
  });
  t.match(first, { kind: 'server', status: 'error', parentId: undefined, scope: 'perilune' });
  t.same(first?.attributes, { i: 7, d: 0.5, b: false, l: ['x'] });
  t.same(first?.resource, { 'service.name': 'a' });
  t.same(first?.events, [{ name: 'exception', attributes: { k: 'v' } }]);
  t.same(first?.links, [{ traceId: 'x', spanId: 'y' }]);
  t.match(second, { kind: 'internal', status: 'error', parentId: '1' });
  t.throws(() => spansFromJson({ resourceSpans: [{ scopeSpans: [{ spans: [span('t', '1', '', 'x', 9)] }] }] }));
});

test('a tree shows kinds, names, parents and errors, and does not depend on ids or order', async (t) => {
  const of = (spans: ReturnType<typeof span>[]) => [
    ...spanTrees(spansFromJson({ resourceSpans: [{ scopeSpans: [{ spans }] }] })).values(),
  ];
  const expected = ['server GET\n  internal a\n  internal f\n    client GET [error]', '(remote)\n  consumer work'];
  const one = [
    span('t', '1', '', 'GET', 2),
    span('t', '2', '1', 'f', 1),
    span('t', '3', '2', 'GET', 3, 2),
    span('t', '4', '1', 'a', 1),
    span('u', '5', 'ff', 'work', 5),
  ];
  t.same(of(one), expected);
  t.same(of([one[3], one[2], one[1], one[0], one[4]].filter((s) => s !== undefined)), expected);
  t.not(of(one.map((s) => (s.spanId === '3' ? { ...s, parentSpanId: '1' } : s)))[0], expected[0]);
});
