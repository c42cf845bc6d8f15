import { CallError } from '../errors.ts';

/** Levels of tables inside tables that may leave Lua as host data (architecture.md, "Engine rules"). */
export const MAX_DATA_DEPTH = 128;

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The tables that enclose the value being converted, outermost first. Its errors say where: `items[3].owner`.
 * One per conversion; `enter` and `leave` come in pairs unless an error ends the conversion.
 */
export class DataPath {
  readonly #tables: object[] = [];
  readonly #keys: (string | number)[] = [];

  /** @throws CallError Internal `recursive table at <path>`, or when the nesting is deeper than 128. */
  enter(table: object): void {
    if (this.#tables.includes(table)) throw codecError(`recursive table at ${this.toString()}`);
    if (this.#tables.length === MAX_DATA_DEPTH) {
      throw codecError(`nesting deeper than ${MAX_DATA_DEPTH} tables at ${this.toString()}`);
    }
    this.#tables.push(table);
  }

  leave(): void {
    this.#tables.pop();
  }

  /** Names the member of the innermost table that comes next. */
  at(key: string | number): void {
    this.#keys[this.#tables.length - 1] = key;
  }

  toString(): string {
    let text = '';
    for (let i = 0; i < this.#tables.length; i += 1) {
      const key = this.#keys[i] ?? '';
      if (typeof key === 'number') text += `[${key}]`;
      else if (!IDENTIFIER.test(key)) text += `[${JSON.stringify(key)}]`;
      else text += text === '' ? key : `.${key}`;
    }
    return text === '' ? 'the top level' : text;
  }
}

/** What codecs fail with: never worth a retry (lua/json.md). */
export const codecError = (message: string, cause?: unknown): CallError =>
  new CallError(message, { kind: 'Internal', retryable: false, cause });
