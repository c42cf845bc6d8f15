import type { AttributeFields, FieldAttributes, KnownKey } from './attribute-fields.ts';
import type { ProtobufWriter } from './protobuf-writer.ts';

/** So many attributes of a site are remembered. */
const MAX_ATTRIBUTES = 32;
/** Only what is short: a stack trace would stay in memory for nothing. */
const MAX_TEXT = 127;
/** A value that was another one so many times (the id of a message) is not compared any more, */
const PATIENCE = 8;
/** until so many spans have come: what was new for a while may repeat by then. */
const FORGIVEN_AFTER = 256;

/**
 * The attributes of a site's spans. Most of them are those of the span before, and the first ones always: what does not
 * change is one piece of bytes, copied at once.
 */
export interface AttributeRun {
  write(writer: ProtobufWriter, tag: number, attributes: FieldAttributes): void;
}

const isKept = (value: unknown): boolean =>
  typeof value === 'string' ? value.length <= MAX_TEXT : typeof value === 'number' || typeof value === 'boolean';

/** For attributes that are written with `fields` and always under the same tag. */
export const attributeRun = (fields: AttributeFields): AttributeRun => {
  /** By place: what is known of the key, which is mostly the one that comes there in the next span. */
  const known: (KnownKey | undefined)[] = [];
  /** By place: the value that came there last, the length of `bytes` up to its end. */
  const values: unknown[] = [];
  const ends: number[] = [];
  /** By place: how often its value was another one than the last. */
  const changes = new Uint8Array(MAX_ATTRIBUTES);
  let spans = 0;
  let bytes = new Uint8Array(256);
  /** By place: `bytes` up to its end. */
  const pieces: (Uint8Array | undefined)[] = [];
  /** The first so many attributes of the last span are in `bytes`. */
  let length = 0;

  const copy = (writer: ProtobufWriter, count: number): void => {
    if (count === 0) return;
    let piece = pieces[count - 1];
    if (piece === undefined) {
      piece = bytes.subarray(0, ends[count - 1]);
      pieces[count - 1] = piece;
    }
    writer.raw(piece);
  };
  /** The attribute behind the run was the same twice, and is written now at the end of `writer`, from `from` on. */
  const extend = (writer: ProtobufWriter, from: number): void => {
    const start = length === 0 ? 0 : (ends[length - 1] as number);
    const end = start + writer.at - from;
    if (end > bytes.length) {
      const grown = new Uint8Array(Math.max(end, bytes.length * 2));
      grown.set(bytes.subarray(0, start));
      bytes = grown;
      pieces.length = 0;
    }
    bytes.set(writer.bytes.subarray(from, writer.at), start);
    ends[length] = end;
    pieces[length] = undefined;
    length += 1;
  };

  return {
    write(writer, tag, attributes) {
      let place = 0;
      let isSame = true;
      spans += 1;
      if (spans % FORGIVEN_AFTER === 0) changes.fill(0);
      for (const key in attributes) {
        const value = attributes[key];
        if (isSame) {
          if (place < length && values[place] === value && known[place]?.key === key) {
            place += 1;
            continue;
          }
          isSame = false;
          copy(writer, place);
          length = place; // what came behind it is no run any more
        }
        let of = known[place];
        if (of === undefined || of.key !== key) {
          of = fields.known(key);
          if (place < MAX_ATTRIBUTES) {
            known[place] = of;
            values[place] = undefined;
          }
        }
        if (place >= MAX_ATTRIBUTES || (changes[place] as number) > PATIENCE) fields.writeNew(writer, tag, of, value);
        else {
          const from = writer.at;
          fields.write(writer, tag, of, value);
          if (values[place] !== value || !isKept(value)) {
            changes[place] = (changes[place] as number) + 1;
            values[place] = isKept(value) ? value : undefined;
          } else if (place === length) extend(writer, from);
        }
        place += 1;
      }
      if (isSame) copy(writer, place);
    },
  };
};
