import { test } from 'tap';
import { lsnText, lsnTextAt } from '../../../services/cdc/pgoutput/lsn.ts';
import { shortText } from '../../../services/cdc/pgoutput/short-text.ts';

test('short texts of ASCII are read as the decoder reads them; all others are left to it', (t) => {
  const around = Buffer.from('é');
  for (let length = 0; length <= 14; length += 1) {
    const text = 'a\u007f0\0bcdefghijklmn'.slice(0, length);
    const bytes = Buffer.concat([around, Buffer.from(text), around]);
    t.equal(shortText(bytes, around.length, length), length <= 12 ? text : undefined, `${length} letters`);
  }
  for (let at = 0; at < 12; at += 1) {
    const bytes = Buffer.alloc(12, 0x61);
    bytes[at] = 0x80;
    t.equal(shortText(bytes, 0, 12), undefined, `byte ${at} is not ASCII`);
    t.equal(shortText(bytes, at, 1), undefined, 'nor is it read alone');
    t.equal(shortText(bytes, 0, at), 'a'.repeat(at), 'what is before it is read');
  }
  t.end();
});

test('a position in a message has the text that its number has', (t) => {
  const bytes = Buffer.alloc(12);
  for (const position of [
    0n,
    1n,
    0xffn,
    0xff_ffffn,
    0x100_0000n,
    0x0a0b_0c0dn,
    0x1000_0000n,
    0xffff_ffffn,
    0x1_0000_0000n,
    0x16_b374_d848n,
    0xffff_ffff_ffff_ffffn,
  ]) {
    bytes.writeBigUInt64BE(position, 3);
    t.equal(lsnTextAt(bytes, 3), lsnText(position));
  }
  t.end();
});
