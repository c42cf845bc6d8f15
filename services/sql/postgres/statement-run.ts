import type { Connection } from 'pg';
import type { Cell } from '../driver.ts';
import type { ParsedStatements } from './parse-statement.ts';
import { typeParserOf } from './types.ts';

/** What the last statement of a text has given. */
export interface StatementResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** Of the server: `SELECT 1`, `INSERT 0 5`, `COMMIT`. */
  readonly tag: string;
}

/** What the driver's types leave out. */
type Wire = Connection & {
  readonly stream: { cork(): void; uncork(): void; write(bytes: Buffer): void; readonly writable: boolean };
  readonly parsedStatements: ParsedStatements;
  readonly submittedNamedStatements: ParsedStatements;
  bind(config: { portal: string; statement: string | undefined; values: readonly (string | Buffer | null)[] }): void;
  sendCopyFail(message: string): void;
};

/** Describe and Execute of the portal without a name, Sync: the same behind every Bind. */
const REST = Buffer.from('D\0\0\0\x06P\0E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04', 'latin1');
const NOTHING = { columns: [], rows: [], tag: '' };

/**
 * One statement as the driver's client runs it (pg, lib/client.js calls these handlers; pg-cursor is made in the same way). The
 * driver's own query makes an emitter, a copy of its options, objects for rows that nobody asked for, and two promises: more
 * than all else that a short statement costs here.
 */
export class StatementRun {
  readonly text: string;
  /** Undefined: parsed anew. The driver notes what it has parsed under this name. */
  readonly name: string | undefined;
  readonly #values: readonly (string | Buffer | null)[];
  readonly #refusal: (() => Error | undefined) | undefined;
  readonly #resolve: (result: StatementResult) => void;
  readonly #reject: (error: unknown) => void;
  #parsers: readonly ((text: string) => Cell)[] = [];
  #columns: readonly string[] = NOTHING.columns;
  #rows: Cell[][] = [];
  #result: StatementResult = NOTHING;

  constructor(
    statement: {
      text: string;
      name: string | undefined;
      values: readonly (string | Buffer | null)[];
      /** Asked right before it is sent, when the server has told the state it is in; what it gives is the statement's failure. */
      refusal: (() => Error | undefined) | undefined;
    },
    resolve: (result: StatementResult) => void,
    reject: (error: unknown) => void,
  ) {
    this.text = statement.text;
    this.name = statement.name;
    this.#values = statement.values;
    this.#refusal = statement.refusal;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: Wire): Error | null {
    const { name, text } = this;
    const refused = this.#refusal?.();
    if (refused !== undefined) return refused;
    // Only without parameters may a text hold several statements.
    if (name === undefined && this.#values.length === 0) {
      connection.query(text);
      return null;
    }
    const { stream, parsedStatements, submittedNamedStatements } = connection;
    stream.cork(); // one write for all messages
    try {
      if (
        name === undefined ||
        (parsedStatements[name] === undefined && submittedNamedStatements[name] === undefined)
      ) {
        connection.parse({ text, name: name ?? '', types: [] }, true);
        if (name !== undefined) submittedNamedStatements[name] = text;
      }
      connection.bind({ portal: '', statement: name, values: this.#values });
      if (stream.writable) stream.write(REST);
    } finally {
      stream.uncork();
    }
    return null;
  }

  handleRowDescription({
    fields,
  }: {
    fields: readonly { readonly name: string; readonly dataTypeID: number }[];
  }): void {
    this.#columns = fields.map(({ name }) => name);
    this.#parsers = fields.map(({ dataTypeID }) => typeParserOf(dataTypeID));
    this.#rows = [];
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    const cells = new Array<Cell>(fields.length);
    for (let i = 0; i < fields.length; i += 1) {
      const text = fields[i] as string | null;
      cells[i] = text === null ? undefined : (this.#parsers[i] as (text: string) => Cell)(text);
    }
    this.#rows.push(cells);
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.#result = { columns: this.#columns, rows: this.#rows, tag: text };
    this.#columns = NOTHING.columns;
    this.#rows = [];
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#result);
  }

  handleError(error: unknown): void {
    this.#reject(error);
  }

  /** A text without a statement has given nothing. */
  handleEmptyQuery(): void {}

  /** Asked for with no limit, rows never come in parts. */
  handlePortalSuspended(): void {}

  handleCopyInResponse(connection: Wire): void {
    connection.sendCopyFail('No source stream defined');
  }

  handleCopyData(): void {}
}
