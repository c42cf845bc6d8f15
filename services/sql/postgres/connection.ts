import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import type { PoolClient, QueryArrayResult } from 'pg';
import { type CallError, invalid, unavailable } from '../../../runtime/errors.ts';
import type { Connection, Executed, Isolation, Rows, SqlParam, Statement } from '../driver.ts';
import { postgresError, sqlStateOf } from './errors.ts';
import { type ParsedStatements, parseStatement } from './parse-statement.ts';

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

type Result = QueryArrayResult<(string | number | boolean | Uint8Array | null)[]>;

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

export const postgresConnection = (client: PoolClient, state: ClientState, pool: ConnectionEnd): Connection => {
  const internals = client as unknown as ClientInternals;
  let running = 0;
  /** Settles when the last one that was asked for has ended. */
  let turn: Promise<void> | undefined;
  let isReleased = false;

  const forget = async (name: string): Promise<void> => {
    state.names.delete(name);
    delete internals.connection.parsedStatements[name];
    delete internals.connection.submittedNamedStatements[name];
    if (client.getTransactionStatus() !== 'E') await client.query(`DEALLOCATE ${name}`);
  };
  const remember = async (name: string): Promise<void> => {
    state.names.delete(name);
    state.names.add(name);
    if (state.names.size > KEPT_STATEMENTS) await forget(state.names.values().next().value as string);
  };
  const usable = (): void => {
    if (isReleased) throw unavailable('the connection was given back');
    if (state.isLost) throw unavailable('the connection to the database is lost', { telemetryKind: 'connect' });
  };
  /** One after the other, also where several coroutines share a transaction: the driver wants it so. */
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    const before = turn;
    const mine = Promise.withResolvers<void>();
    turn = mine.promise;
    if (before !== undefined) await before;
    running += 1;
    try {
      usable();
      return await work();
    } catch (error) {
      throw postgresError(error);
    } finally {
      running -= 1;
      if (turn === mine.promise) turn = undefined;
      mine.resolve();
    }
  };
  const runOnce = async ({ text, params, isPrepared }: Statement): Promise<Result> => {
    const values = params.map(bound);
    const query = { text, values, rowMode: 'array' as const, name: isPrepared ? nameOf(text) : undefined };
    return (await client.query(query)) as unknown as Result;
  };
  const run = (statement: Statement): Promise<Result> =>
    attempt(async () => {
      if (!statement.isPrepared) return lastOf(await runOnce(statement));
      const name = nameOf(statement.text);
      await remember(name);
      try {
        return await runOnce(statement);
      } catch (error) {
        const isStale = STALE_PLANS.has(sqlStateOf(error) ?? '');
        if (!isStale || client.getTransactionStatus() !== 'I') throw error;
        await forget(name).catch((problem: unknown) => {
          if (sqlStateOf(problem) !== '26000') throw problem; // it was gone: that is what was wanted
        });
        state.names.add(name);
        return await runOnce(statement);
      }
    });
  const command = (text: string): Promise<string> =>
    attempt(async () => lastOf(await runOnce({ text, params: [], isPrepared: false })).command);

  const end = (isUnfit: boolean): void => {
    if (isReleased) return;
    isReleased = true;
    // In the middle of a statement or of a transaction it is no good to others.
    pool.end(isUnfit || state.isLost || running > 0 || client.getTransactionStatus() !== 'I');
  };
  return {
    async query(statement): Promise<Rows> {
      const { fields, rows } = await run(statement);
      return { columns: fields.map(({ name }) => name), rows: rows as unknown as Rows['rows'] };
    },
    async execute(statement): Promise<Executed> {
      return { lastInsertId: 0, rowsAffected: (await run(statement)).rowCount ?? 0 };
    },
    prepare: (text) =>
      attempt(async () => {
        const name = nameOf(text);
        await remember(name);
        if (internals.connection.parsedStatements[name] === undefined) {
          await parseStatement(client, internals.connection.parsedStatements, name, text);
        }
      }),
    async begin({ isolation, readOnly }) {
      const level = LEVELS[isolation];
      if (level === undefined) throw invalid(`isolation level ${isolation} is not supported by postgres`);
      await command(`BEGIN${level}${readOnly ? ' READ ONLY' : ''}`);
    },
    async commit() {
      // A transaction in which a statement has failed is rolled back by the server, and that is no error to it.
      const wasLost = state.isLost;
      const tag = await command('COMMIT').catch((error: CallError) => {
        // Lost after it was sent: whether it took effect is not known, so nobody is told to do it again.
        throw error.kind === 'Unavailable' && !wasLost ? error.with({ retryable: undefined }) : error;
      });
      if (tag === 'ROLLBACK') {
        throw postgresError(Object.assign(new Error(ROLLED_BACK), { severity: 'ERROR', code: '25P02' }));
      }
    },
    async rollback() {
      await command('ROLLBACK');
    },
    release: () => end(false),
    abandon() {
      const { processID, secretKey } = internals;
      if (running > 0 && processID !== null && secretKey !== null) cancelStatement(pool.address, processID, secretKey);
      end(true);
    },
  };
};
const ROLLED_BACK = 'the transaction was rolled back, because a statement in it had failed';

/** Of a text of several statements the driver gives a result each. */
const lastOf = (result: Result | readonly Result[]): Result =>
  Array.isArray(result) ? (result.at(-1) as Result) : (result as Result);

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
