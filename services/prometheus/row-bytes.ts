/** UTF-8 needs at most so many bytes for a UTF-16 unit. */
const BYTES_PER_CHARACTER = 3;
/** Rows that share one buffer: few enough that packing it anew takes no time worth a word. */
const GROUP_BITS = 8;
const NONE = -1;

/** Of what a rendering is longer than expected: copying so much together takes well under a millisecond. */
const PART_BYTES = 1 << 19;

/** Bytes of a rendering, one after the other. */
export interface GrowingBytes {
  addText(text: string): void;
  addBytes(source: Buffer, from: number, to: number): void;
  /** All of it, in order; no copies. One part when there were no more bytes than expected. */
  parts(): readonly Buffer[];
}

/** Grows by one part after the other: a buffer that is copied into a larger one holds everything up, 10 ms for 20 MB. */
export const growingBytes = (expected: number): GrowingBytes => {
  const full: Buffer[] = [];
  let bytes = Buffer.allocUnsafe(expected);
  let used = 0;
  const reserve = (size: number): void => {
    if (used + size <= bytes.length) return;
    if (used > 0) full.push(bytes.subarray(0, used));
    bytes = Buffer.allocUnsafe(Math.max(size, PART_BYTES));
    used = 0;
  };
  return {
    addText(text) {
      reserve(text.length * BYTES_PER_CHARACTER);
      used += bytes.write(text, used, 'utf8');
    },
    addBytes(source, from, to) {
      reserve(to - from);
      used += source.copy(bytes, used, from, to);
    },
    parts: () => [...full, bytes.subarray(0, used)],
  };
};

/**
 * The lines of many series, kept as bytes until a series changes. Bytes and not texts: 100,000 texts that live from scrape
 * to scrape are what the garbage collector stops the program for, 40 ms at a time.
 */
export interface RowBytes {
  /** Whether these are the lines of this version. */
  has(row: number, version: number): boolean;
  put(row: number, version: number, text: string): void;
  /** The lines of all rows from `first` on to `last`, in order; a row without lines adds nothing. */
  copyTo(out: GrowingBytes, first: number, last: number): void;
}

interface Group {
  bytes: Buffer;
  used: number;
  /** By row of the group: where its lines begin, how long they are, and how much room is there. */
  starts: number[];
  lengths: number[];
  rooms: number[];
}

const newGroup = (): Group => ({ bytes: Buffer.allocUnsafeSlow(0), used: 0, starts: [], lengths: [], rooms: [] });

/** Makes room for `size` more bytes at the end: rows are moved together where their lines are now. */
const pack = (group: Group, size: number): void => {
  const live = group.rooms.reduce((sum, room) => sum + room, 0);
  const packed = Buffer.allocUnsafeSlow(live + Math.max(live, size * 2));
  let used = 0;
  for (let i = 0; i < group.starts.length; i += 1) {
    const start = group.starts[i] as number;
    group.bytes.copy(packed, used, start, start + (group.lengths[i] as number));
    group.starts[i] = used;
    used += group.rooms[i] as number;
  }
  group.bytes = packed;
  group.used = used;
};

const write = (group: Group, at: number, text: string): void => {
  const most = text.length * BYTES_PER_CHARACTER;
  if (group.used + most > group.bytes.length) pack(group, most);
  const { bytes, used } = group;
  const length = bytes.write(text, used, 'utf8');
  group.lengths[at] = length;
  if (length <= (group.rooms[at] as number)) {
    bytes.copyWithin(group.starts[at] as number, used, used + length);
    return;
  }
  group.starts[at] = used;
  group.rooms[at] = length;
  group.used = used + length;
};

export const rowBytes = (): RowBytes => {
  const versions: number[] = [];
  const groups: Group[] = [];
  return {
    has: (row, version) => versions[row] === version,
    put(row, version, text) {
      // Arrays without holes: a series that is not shown yet has no lines.
      while (versions.length <= row) {
        const index = versions.push(NONE) - 1;
        if (groups.length <= index >> GROUP_BITS) groups.push(newGroup());
        const { starts, lengths, rooms } = groups[index >> GROUP_BITS] as Group;
        starts.push(0);
        lengths.push(0);
        rooms.push(0);
      }
      write(groups[row >> GROUP_BITS] as Group, row & ((1 << GROUP_BITS) - 1), text);
      versions[row] = version;
    },
    copyTo(out, first, last) {
      let from = 0;
      let to = 0;
      let group: Group | undefined;
      // Lines that lie one after the other, as most do, are copied together.
      for (let row = first; row < Math.min(last, versions.length); row += 1) {
        const at = row & ((1 << GROUP_BITS) - 1);
        const own = groups[row >> GROUP_BITS] as Group;
        const start = own.starts[at] as number;
        if (own !== group || start !== to) {
          if (group !== undefined && to > from) out.addBytes(group.bytes, from, to);
          group = own;
          from = start;
        }
        to = start + (own.lengths[at] as number);
      }
      if (group !== undefined && to > from) out.addBytes(group.bytes, from, to);
    },
  };
};
