import { test } from 'tap';
import { ProtobufWriter } from '../../../../services/otel/otlp/protobuf-writer.ts';
import { decodeMessage } from '../../../harness/protobuf.ts';

const written = (write: (writer: ProtobufWriter) => void): Buffer => {
  const writer = new ProtobufWriter(4); // grows in every test
  write(writer);
  return Buffer.from(writer.take());
};

test('whole numbers of every size', async (t) => {
  const numbers = [0, 1, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 3, Number.MAX_SAFE_INTEGER];
  for (const value of numbers) {
    for (const signed of [value, -value]) {
      const bytes = written((writer) => {
        writer.reserve(1);
        writer.byte(8);
        writer.int64(signed);
      });
      t.equal(decodeMessage(bytes, { 1: { name: 'n', type: 'int64' } }).n, BigInt(signed));
      const fixed = written((writer) => writer.sfixed64(signed));
      t.equal(fixed.readBigInt64LE(), BigInt(signed));
    }
    t.equal(written((writer) => writer.fixed64(value)).readBigUInt64LE(), BigInt(value));
  }
  t.same([...written((writer) => writer.sint32(-1))], [1]);
  t.same([...written((writer) => writer.sint32(2 ** 31 - 1))], [0xfe, 0xff, 0xff, 0xff, 0x0f]);
  t.same([...written((writer) => writer.sint32(-(2 ** 31)))], [0xff, 0xff, 0xff, 0xff, 0x0f]);
});

test('times keep their nanoseconds', async (t) => {
  const times: [number, number][] = [
    [0, 0],
    [1_700_000_000, 999_999_999],
    [1_700_000_000, 1],
    [4, 294_967_295],
    [4, 294_967_296], // 2^32 nanoseconds
    [18_446_744_073, 709_551_615], // the last that fits
    [0, 5],
  ];
  const bytes = written((writer) => {
    for (const time of times) writer.time(time);
  });
  for (const [i, [seconds, rest]] of times.entries()) {
    t.equal(bytes.readBigUInt64LE(i * 8), BigInt(seconds) * 1_000_000_000n + BigInt(rest));
  }
});

test('messages within messages, at every border of a length', async (t) => {
  for (const size of [0, 1, 126, 127, 128, 16_380, 16_384, 2_097_152]) {
    const text = 'x'.repeat(size);
    const bytes = written((writer) => {
      const outer = writer.begin(0x0a);
      const inner = writer.begin(0x0a);
      writer.text(0x0a, text);
      writer.end(inner);
      writer.text(0x12, 'after');
      writer.end(outer);
    });
    const message = { 1: { name: 'text', type: 'string' as const } };
    const outer = { 1: { name: 'inner', type: message }, 2: { name: 'after', type: 'string' as const } };
    const read = decodeMessage(bytes, { 1: { name: 'outer', type: outer } }) as { outer: Record<string, unknown> };
    t.equal(read.outer.after, 'after');
    t.ok((read.outer.inner as { text: string }).text === text, `${size}`);
  }
});
