import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import type { PoolClient, Submittable } from 'pg';
import { type CallError, invalid, unavailable } from '../../../runtime/errors.ts';
import type { Connection, Executed, Isolation, Rows, SqlParam, Statement, TransactionOptions } from '../driver.ts';
import { postgresError, sqlStateOf } from './errors.ts';
import { type ParsedStatements, parseStatement } from './parse-statement.ts';
import { type StatementResult, StatementRun } from './statement-run.ts';

/** Prepared statements that one connection keeps; the one that was used longest ago is given up. */
const KEPT_STATEMENTS = 128;
/** The plan is of another schema, or somebody has discarded it: it is made anew, once. */
const STALE_PLANS = new Set(['0A000', '26000']);

const LEVELS: Readonly<Record<Isolation, string | undefined>> = {
  default: '',
  read_uncommitted: ' ISOLATION LEVEL READ UNCOMMITTED',
  read_committed: ' ISOLATION LEVEL READ COMMITTED',
  write_committed: undefined,
  repeatable_read: ' ISOLATION LEVEL REPEATABLE READ',
  serializable: ' ISOLATION LEVEL SERIALIZABLE',
};

/** Text for all types, which the server reads as the parameter's own; bytes go as they are. */
const bound = (param: SqlParam): string | Buffer | null => {
  if (param === null || typeof param === 'string') return param;
  if (param instanceof Uint8Array) return Buffer.from(param.buffer, param.byteOffset, param.byteLength);
  return String(param);
};

/** The same text has the same name, so that all who prepare it share one plan per connection. */
const nameOf = (text: string): string => `perilune_${createHash('sha256').update(text).digest('hex').slice(0, 40)}`;

/** What is kept of a client from one user to the next. */
export interface ClientState {
  /** Names of its prepared statements, in the order of their use. */
  readonly names: Set<string>;
  isLost: boolean;
}
/** What the driver's types leave out. */
interface ClientInternals {
  readonly connection: {
    readonly parsedStatements: ParsedStatements;
    readonly submittedNamedStatements: ParsedStatements;
  };
  readonly processID: number | null;
  readonly secretKey: number | null;
}

export interface ConnectionEnd {
  /** Back to the pool; `isUnfit`: it is closed instead. */
  end(isUnfit: boolean): void;
  readonly address: { readonly host: string; readonly port: number };
}

export const postgresConnection = (client: PoolClient, state: ClientState, pool: ConnectionEnd): Connection =>
  new PostgresConnection(client, state, pool);

/** A class, because each statement outside of a transaction has one. */
class PostgresConnection implements Connection {
  readonly #client: PoolClient;
  readonly #state: ClientState;
  readonly #pool: ConnectionEnd;
  #running = 0;
  /** Statements that were asked for and have not ended; what settles with the last of them. */
  #open = 0;
  #turn: Promise<unknown> | undefined;
  #isReleased = false;
  /** Of a transaction: why a statement is not run that comes after its end. */
  #refusal: (() => CallError | undefined) | undefined;

  constructor(client: PoolClient, state: ClientState, pool: ConnectionEnd) {
    this.#client = client;
    this.#state = state;
    this.#pool = pool;
  }

  query(statement: Statement): Promise<Rows> {
    return this.#run(statement);
  }

  execute(statement: Statement): Promise<Executed> {
    return this.#run(statement).then(({ tag }) => ({ lastInsertId: 0, rowsAffected: countOf(tag) }));
  }

  prepare(text: string): Promise<void> {
    return this.#attempt(async () => {
      const { parsedStatements } = this.#internals.connection;
      const name = nameOf(text);
      await this.#remember(name);
      if (parsedStatements[name] === undefined) await parseStatement(this.#client, parsedStatements, name, text);
    });
  }

  async begin({ isolation, readOnly }: TransactionOptions): Promise<void> {
    const level = LEVELS[isolation];
    if (level === undefined) throw invalid(`isolation level ${isolation} is not supported by postgres`);
    await this.#command(`BEGIN${level}${readOnly ? ' READ ONLY' : ''}`);
    // A statement may say COMMIT or ROLLBACK too: what comes then must not be written outside of the transaction.
    this.#refusal = () => (this.#client.getTransactionStatus() === 'I' ? invalid(OVER) : undefined);
  }

  async commit(): Promise<void> {
    // A transaction in which a statement has failed is rolled back by the server, and that is no error to it.
    const wasLost = this.#state.isLost;
    const tag = await this.#last('COMMIT').catch((error: CallError) => {
      // Lost after it was sent: whether it took effect is not known, so nobody is told to do it again.
      throw error.kind === 'Unavailable' && !wasLost ? error.with({ retryable: undefined }) : error;
    });
    if (tag === 'ROLLBACK') {
      throw postgresError(Object.assign(new Error(ROLLED_BACK), { severity: 'ERROR', code: '25P02' }));
    }
  }

  async rollback(): Promise<void> {
    await this.#last('ROLLBACK');
  }

  release(): void {
    this.#end(false);
  }

  abandon(): void {
    const { processID, secretKey } = this.#internals;
    if (this.#running > 0 && processID !== null && secretKey !== null) {
      cancelStatement(this.#pool.address, processID, secretKey);
    }
    this.#end(true);
  }

  get #internals(): ClientInternals {
    return this.#client as unknown as ClientInternals;
  }

  #end(isUnfit: boolean): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    // In the middle of a statement or of a transaction it is no good to others.
    const isInUse = this.#running > 0 || this.#client.getTransactionStatus() !== 'I';
    this.#pool.end(isUnfit || this.#state.isLost || isInUse);
  }

  #usable(): void {
    if (this.#isReleased) throw unavailable('the connection was given back');
    if (this.#state.isLost) throw unavailable('the connection to the database is lost', { telemetryKind: 'connect' });
  }

  /** One after the other, also where several coroutines share a transaction: the driver wants it so. */
  #attempt<T>(work: () => Promise<T>): Promise<T> {
    this.#open += 1;
    const begin = (): Promise<T> => this.#begin(work);
    const before = this.#turn;
    const mine = before === undefined ? begin() : before.then(begin, begin);
    this.#turn = mine;
    return mine;
  }
  async #begin<T>(work: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      this.#usable();
      return await work();
    } catch (error) {
      throw postgresError(error);
    } finally {
      this.#running -= 1;
      this.#open -= 1;
      if (this.#open === 0) this.#turn = undefined; // and its result is let go
    }
  }

  #run(statement: Statement): Promise<StatementResult> {
    return this.#attempt(() =>
      statement.isPrepared ? this.#runPrepared(statement) : this.#send(statement, undefined),
    );
  }

  async #runPrepared(statement: Statement): Promise<StatementResult> {
    const name = nameOf(statement.text);
    await this.#remember(name);
    try {
      return await this.#send(statement, name);
    } catch (error) {
      const isStale = STALE_PLANS.has(sqlStateOf(error) ?? '');
      if (!isStale || this.#client.getTransactionStatus() !== 'I') throw error;
      await this.#forget(name).catch((problem: unknown) => {
        if (sqlStateOf(problem) !== '26000') throw problem; // it was gone: that is what was wanted
      });
      this.#state.names.add(name);
      return await this.#send(statement, name);
    }
  }

  #send({ text, params }: Statement, name: string | undefined): Promise<StatementResult> {
    return new Promise((resolve, reject) => {
      const values = params.map(bound);
      const statement = { text, name, values, refusal: this.#refusal };
      this.#client.query(new StatementRun(statement, resolve, reject) as unknown as Submittable);
    });
  }

  /** The word that the server answers with. */
  async #command(text: string): Promise<string> {
    const { tag } = await this.#attempt(() => this.#send({ text, params: [], isPrepared: false }, undefined));
    return tag;
  }
  /** Of the transaction, whatever comes of it. */
  #last(text: string): Promise<string> {
    return this.#command(text).finally(() => {
      this.#refusal = undefined;
    });
  }

  async #forget(name: string): Promise<void> {
    const { parsedStatements, submittedNamedStatements } = this.#internals.connection;
    this.#state.names.delete(name);
    delete parsedStatements[name];
    delete submittedNamedStatements[name];
    if (this.#client.getTransactionStatus() !== 'E') await this.#client.query(`DEALLOCATE ${name}`);
  }
  async #remember(name: string): Promise<void> {
    const { names } = this.#state;
    names.delete(name);
    names.add(name);
    if (names.size > KEPT_STATEMENTS) await this.#forget(names.values().next().value as string);
  }
}
const OVER = 'transaction is not active: a statement has ended it';
const ROLLED_BACK = 'the transaction was rolled back, because a statement in it had failed';

/** Rows that a statement has affected: the last number of the server's answer; 0 where it has none. */
const countOf = (tag: string): number => Number(/ (\d+)$/.exec(tag)?.[1] ?? 0);

const CANCEL_REQUEST_CODE = 80877102;
/**
 * Asks the server to end the statement that a connection runs (protocol, "Canceling Requests in Progress"). It goes without
 * TLS, as libpq's does: it holds nothing but the ids. Best effort: the connection is closed in any case.
 */
const cancelStatement = ({ host, port }: ConnectionEnd['address'], processId: number, secretKey: number): void => {
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(CANCEL_REQUEST_CODE, 4);
  message.writeInt32BE(processId, 8);
  message.writeInt32BE(secretKey, 12);
  const socket = connect({ host, port }, () => socket.end(message));
  socket.setTimeout(5_000, () => socket.destroy());
  socket.unref();
  socket.on('error', () => {}); // a server that is away runs nothing
};
