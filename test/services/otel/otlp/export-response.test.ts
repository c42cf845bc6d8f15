import { test } from 'tap';
import { jsonResponse, protobufResponse } from '../../../../services/otel/otlp/export-response.ts';

/** ExportTracePartialSuccess with 300 rejected spans and a reason. */
const PARTIAL = Buffer.from([0x08, 0xac, 0x02, 0x12, 0x03, ...Buffer.from('why')]);

test('a partial success is read', async (t) => {
  const said = { partialSuccess: { rejected: 300, errorMessage: 'why' } };
  t.same(protobufResponse(Buffer.from([0x0a, PARTIAL.length, ...PARTIAL])), said);
  t.same(protobufResponse(Buffer.from([0x12, 0x01, 0x61, 0x0a, PARTIAL.length, ...PARTIAL])), said, 'after a field');
  const json = (partialSuccess: object) => Buffer.from(JSON.stringify({ partialSuccess }));
  t.same(jsonResponse(json({ rejectedSpans: '300', errorMessage: 'why' })), said);
  t.same(jsonResponse(json({ rejectedDataPoints: 300, errorMessage: 'why' })), said);
});

test('a full success is nothing', async (t) => {
  for (const bytes of [[], [0x0a, 0x00], [0x0a, 0x02, 0x08, 0x00]]) {
    t.same(protobufResponse(Uint8Array.from(bytes)), {});
  }
  for (const text of ['', '{}', 'null', '{"partialSuccess":{}}']) t.same(jsonResponse(Buffer.from(text)), {});
});

test('what is no answer is refused', async (t) => {
  t.throws(() => protobufResponse(Buffer.from('<html>')), /not expected in an answer/);
  t.throws(() => protobufResponse(Uint8Array.of(0x0a, 0x80)), /ends within a number/);
  t.throws(() => jsonResponse(Buffer.from('<html>')), SyntaxError);
});
