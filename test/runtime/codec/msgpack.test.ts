import { test } from 'tap';
import type { HostData } from '../../../runtime/codec/host-data.ts';
import { decodeMsgpack, encodeMsgpack } from '../../../runtime/codec/msgpack.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const from = (text: string): HostData => decodeMsgpack(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** From the specification's formats: first byte, length, content. */
const FORMS: readonly [HostData, string][] = [
  [null, 'c0'],
  [false, 'c2'],
  [true, 'c3'],
  [0, '00'],
  [127, '7f'],
  [-1, 'ff'],
  [-32, 'e0'],
  [128, 'd200000080'],
  [-33, 'd2ffffffdf'],
  [2 ** 31 - 1, 'd27fffffff'],
  [2 ** 31, 'd30000000080000000'],
  [2 ** 53 - 1, 'd3001fffffffffffff'],
  [-(2 ** 53) + 1, 'd3ffe0000000000001'],
  [1.5, 'cb3ff8000000000000'],
  [2 ** 63, 'cb43e0000000000000'],
  [Number.POSITIVE_INFINITY, 'cb7ff0000000000000'],
  ['', 'a0'],
  ['ä', 'a2c3a4'],
  [new Uint8Array([0xff, 0]), 'c402ff00'],
  [[], '90'],
  [[1, [null]], '920191c0'],
  [{}, '80'],
  [{ a: 1, b: { c: [] } }, '82a16101a16281a16390'],
];

test('values have the forms of the specification, and come back', async (t) => {
  for (const [data, text] of FORMS) {
    t.equal(hex(encodeMsgpack(data)), text, text);
    t.same(from(text), data, text);
  }
  t.ok(Number.isNaN(decodeMsgpack(encodeMsgpack(Number.NaN))));
});

test('lengths have the smallest form that holds them', async (t) => {
  const heads: readonly [HostData, string][] = [
    ['x'.repeat(31), 'bf'],
    ['x'.repeat(32), 'd920'],
    ['x'.repeat(256), 'da0100'],
    ['x'.repeat(65_536), 'db00010000'],
    [new Uint8Array(256).fill(255), 'c50100'],
    [new Uint8Array(65_536).fill(255), 'c600010000'],
    [Array.from({ length: 16 }, () => 1), 'dc0010'],
    [Array.from({ length: 65_536 }, () => 1), 'dd00010000'],
    [Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`k${i}`, i])), 'de0010'],
    [Object.fromEntries(Array.from({ length: 65_536 }, (_, i) => [`k${i}`, i])), 'df00010000'],
  ];
  for (const [data, head] of heads) {
    const bytes = encodeMsgpack(data);
    t.equal(hex(bytes.subarray(0, head.length / 2)), head);
    t.same(decodeMsgpack(bytes), data, head);
  }
});

test('what others write is read: every form of a number, bytes that are text, keys that are numbers', async (t) => {
  const cases: readonly [string, HostData][] = [
    ['cc ff', 255],
    ['cd ffff', 65_535],
    ['ce ffffffff', 4_294_967_295],
    ['cf 0000000100000000', 4_294_967_296],
    ['d0 80', -128],
    ['d1 8000', -32_768],
    ['ca 3fc00000', 1.5],
    ['c4 03 616263', 'abc'],
    ['82 01 a161 c3 a162', { 1: 'a', true: 'b' }],
  ];
  for (const [text, data] of cases) t.same(from(text), data, text);
  const odd = from('81 a9 5f5f70726f746f5f5f 01') as object;
  t.same(Object.keys(odd), ['__proto__']);
});

test('what is malformed is refused without a word of it', async (t) => {
  const cases: readonly [string, RegExp][] = [
    ['', /it ends in the middle of a value/],
    ['a3 6162', /it ends in the middle of a value/],
    ['db ffffffff', /it ends in the middle of a value/],
    ['dd ffffffff', /it ends in the middle of an array/],
    ['df ffffffff', /it ends in the middle of a map/],
    ['00 00', /1 bytes follow the value/],
    ['c1', /type 0xc1 is not supported/],
    ['d6 ff 00000000', /type 0xd6 is not supported/],
    ['81 90 01', /a key of a map is neither a text nor a number/],
    ['91'.repeat(200), /nesting deeper than 128/],
  ];
  for (const [text, message] of cases) {
    t.throws(() => from(text), { kind: 'Internal', retryable: false, message }, text.slice(0, 20));
  }
});

test('no text larger than 64 MiB', async (t) => {
  const half = 'x'.repeat(40 * 1024 * 1024);
  t.equal(encodeMsgpack(half).length, half.length + 5);
  t.throws(() => encodeMsgpack([half, half]), { message: /^value too large for msgpack/ });
});
