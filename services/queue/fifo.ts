/** First in, first out, without moving what is left: `Array.shift` of a long array copies it. */
export interface Fifo<T> extends Iterable<T> {
  readonly size: number;
  push(item: T): void;
  shift(): T | undefined;
  first(): T | undefined;
}

/** The used-up front is cut off when it is longer than this and than half of the array. */
const LEAST_CUT = 64;

export const fifo = <T>(): Fifo<T> => {
  let items: (T | undefined)[] = [];
  let head = 0;
  return {
    get size() {
      return items.length - head;
    },
    push(item) {
      items.push(item);
    },
    shift() {
      if (head === items.length) return undefined;
      const item = items[head];
      items[head] = undefined; // it must not be kept alive
      head += 1;
      if (head > LEAST_CUT && head * 2 > items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
    first: () => items[head],
    *[Symbol.iterator]() {
      for (let i = head; i < items.length; i += 1) yield items[i] as T;
    },
  };
};
