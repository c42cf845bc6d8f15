import { type OtlpCollector, startOtlpCollector } from '../harness/otlp-collector.ts';
import { POSTGRES_MISSING, type Postgres, startPostgres } from '../harness/postgres.ts';
import { type Program, startProgram } from '../harness/program.ts';
import { type OwnRedisServer, startOwnRedis } from '../harness/redis.ts';
import { startProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { type Scope, scriptScope } from '../harness/teardown.ts';
import { type Ledger, positionOf, startLedger } from './ledger.ts';
import { seededRandom } from './random.ts';

/** Ways to do it wrong, so that a test sees the losses that each of them has. */
export interface Defects {
  /** Messages are acknowledged before they are handled. */
  readonly acksFirst?: boolean;
  /** Changes are taken off the log before they are handled. */
  readonly confirmsFirst?: boolean;
  /** Redis keeps nothing on disk. */
  readonly forgets?: boolean;
  /** Messages do not carry their trace. */
  readonly losesTrace?: boolean;
}

/** One process of the program, from its start to its end. Times are performance.now(). */
export interface Life {
  readonly startedAt: number;
  /** Up to here every change was confirmed when it started: those before are never to come again. */
  readonly confirmed: bigint;
  /** Undefined: it lives. */
  killedAt: number | undefined;
}

/** The program, its servers and the network between them. */
export interface Stage {
  readonly redis: OwnRedisServer;
  readonly postgres: Postgres;
  readonly collector: OtlpCollector;
  readonly ledger: Ledger;
  readonly lives: readonly Life[];
  readonly redisProxy: TcpProxy;
  readonly postgresProxy: TcpProxy;
  /** Undefined while it is away. */
  readonly program: Program | undefined;
  killProgram(): Promise<void>;
  /** As a supervisor does: again and again, until it is ready. */
  startProgram(): Promise<void>;
}

/** Spans leave the program so often; what has not left at a SIGKILL is lost. */
export const SPAN_DELAY_MS = 200;
/** Of the app's consumers. */
export const WORKERS = { job: 8, dead: 2 };
const MOST_STARTS = 20;
const APP = 'test/chaos/app';

/** @throws Error where Redis or PostgreSQL is missing, or PostgreSQL is not one of our own. */
export const startStage = async (scope: Scope, seed: number, defects: Defects = {}): Promise<Stage> => {
  const redis = await startOwnRedis(scope, { appendOnly: defects.forgets !== true });
  const postgres = await startPostgres(scope);
  if (postgres?.kill === undefined) {
    throw new Error(postgres === undefined ? POSTGRES_MISSING : 'PERILUNE_TEST_POSTGRES_URL names a server: unset it');
  }
  await postgres.run('CREATE TABLE items (id int PRIMARY KEY, batch int NOT NULL)');
  const collector = await startOtlpCollector();
  scope.teardown(() => collector.close());
  const ledger = await startLedger(scope, seededRandom(seed + 1));
  const redisProxy = await startProxy(scope, Number(new URL(redis.url).port));
  const postgresProxy = await startProxy(scope, postgres.port);
  const lives: Life[] = [];
  let program: Program | undefined;

  const start = (life: Scope): Promise<Program> =>
    startProgram(life, APP, {
      ports: ['CHAOS_PORT'],
      env: {
        CHAOS_REDIS_URL: `redis://127.0.0.1:${redisProxy.port}`,
        CHAOS_POSTGRES_PORT: String(postgresProxy.port),
        CHAOS_POSTGRES_PASSWORD: postgres.password,
        CHAOS_LEDGER_URL: `${ledger.url}/${lives.length - 1}`,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        ...(defects.losesTrace && { OTEL_PROPAGATORS: 'none' }),
      },
      // Thousands of lines of what went well would be kept with those of what did not.
      set: {
        'logger.level': 'warn',
        'otel.batch.schedule_delay': `${SPAN_DELAY_MS}ms`,
        'otel.batch.max_queue_size': 20_000,
      },
      args: [
        ...(defects.acksFirst ? ['-o', 'chaos:worker:auto_ack=true'] : []),
        ...(defects.confirmsFirst
          ? [
              '-o',
              'chaos:captured:lifecycle.auto_start=false',
              '-o',
              'chaos:captured_loosely:lifecycle.auto_start=true',
              '-o',
              'chaos:passer:concurrency=1', // so slow that there is always something to lose
            ]
          : []),
      ],
    });
  const stage: Stage = {
    redis,
    postgres,
    collector,
    ledger,
    lives,
    redisProxy,
    postgresProxy,
    get program() {
      return program;
    },
    async killProgram() {
      const life = lives.at(-1);
      const killed = program;
      program = undefined;
      if (life !== undefined) life.killedAt = performance.now();
      await killed?.kill();
    },
    async startProgram() {
      for (let count = 1; program === undefined; count += 1) {
        const life: Life = {
          startedAt: performance.now(),
          confirmed: await confirmedPosition(postgres),
          killedAt: undefined,
        };
        lives.push(life);
        const ends = scriptScope();
        scope.teardown(() => ends.end());
        try {
          program = await start(ends);
        } catch (error) {
          await ends.end(); // two of them would share the work
          life.killedAt = performance.now();
          if (count === MOST_STARTS) throw error;
        }
      }
    },
  };
  await stage.startProgram();
  return stage;
};

/** The slot's, or what the source has written down where that is further: the slot's own is written only now and then. */
const confirmedPosition = async ({ run }: Postgres): Promise<bigint> => {
  const [table] = await run<{ found: string | null }>(`SELECT to_regclass('wippy_cdc_offsets')::text AS found`);
  const kept = table?.found == null ? '' : `UNION ALL SELECT lsn FROM wippy_cdc_offsets WHERE slot = 'chaos'`;
  const [row] = await run<{ lsn: string }>(
    `SELECT coalesce(max(lsn), '0/0')::text AS lsn
     FROM (SELECT confirmed_flush_lsn AS lsn FROM pg_replication_slots WHERE slot_name = 'chaos' ${kept}) positions`,
  );
  return positionOf(row?.lsn ?? '0/0');
};
