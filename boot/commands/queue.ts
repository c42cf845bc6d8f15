import { resolve } from 'node:path';
import { systemClock } from '../../runtime/clock.ts';
import type { Declared } from '../../runtime/entry.ts';
import { CallError, StartError } from '../../runtime/errors.ts';
import { redisLink } from '../../runtime/redis/link.ts';
import { envVariables } from '../../services/env/variables.ts';
import { withoutDeath } from '../../services/queue/headers.ts';
import type { QueueConfig, RedisDriverConfig } from '../../services/queue/kinds.ts';
import { type QueueBrowser, queueBrowser, type WaitingMessage } from '../../services/queue/redis/browser.ts';
import { queueKeys } from '../../services/queue/redis/keys.ts';
import { redisUrl } from '../../services/redis/port.ts';
import type { App } from '../app.ts';
import { type CommandLine, UsageError } from '../arguments.ts';
import { loadCheckedApp } from './load.ts';
import type { Terminal } from './terminal.ts';

const ACTIONS = ['list', 'peek', 'replay'] as const;
type Action = (typeof ACTIONS)[number];

/** `queue list|peek|replay <dir> <queue> [id...]`: looks into a queue from outside; the app is not started. */
export const queueCommand = async (line: CommandLine, terminal: Terminal): Promise<number> => {
  const [word, dir, id, ...only] = line.positionals;
  const action = ACTIONS.find((one) => one === word);
  if (action === undefined || dir === undefined || id === undefined) {
    throw new UsageError(
      `queue takes an action, a folder and a queue: perilune queue ${ACTIONS.join('|')} <dir> <queue>.`,
    );
  }
  const app = loadCheckedApp(line, resolve(dir), terminal);
  const { queue, driver } = declaredQueue(app, id);
  const link = redisLink({
    clock: systemClock(),
    name: 'perilune queue',
    url: () => urlOf(app, driver, terminal),
    connectTimeoutMs: driver.config.lifecycle.start_timeout,
  });
  try {
    await link.start();
    const browser = queueBrowser(link, keysOf(queue, driver), driver.config.group);
    const chosen = only.length === 0 ? undefined : new Set(only);
    return await ACTION[action]({ app, driver, browser, chosen, asJson: line.json, terminal });
  } catch (error) {
    throw error instanceof CallError ? new StartError(`${id}: ${error.message}`, error) : error;
  } finally {
    link.stop();
  }
};

interface Look {
  readonly app: App;
  readonly driver: Declared<RedisDriverConfig>;
  readonly browser: QueueBrowser;
  /** Ids of messages; undefined: all. */
  readonly chosen: ReadonlySet<string> | undefined;
  readonly asJson: boolean;
  readonly terminal: Terminal;
}

const ACTION: Readonly<Record<Action, (look: Look) => Promise<number>>> = {
  async list(look) {
    for await (const one of chosen(look)) write(look, rowOf(one));
    return 0;
  },
  /** The first that waits, with all that it holds. */
  async peek(look) {
    for await (const one of chosen(look)) {
      const { headers, body } = one.message;
      if (look.asJson) write(look, { ...rowOf(one), headers, body: String(body) });
      else {
        write(look, rowOf(one));
        look.terminal.out.write(`${visible(JSON.stringify(headers))}\n${visible(String(body))}\n`);
      }
      break;
    }
    return 0;
  },
  /** Tells of each that went back; of those that stay, on stderr why. */
  async replay(look) {
    let failed = 0;
    const waiting: WaitingMessage[] = [];
    // All that is there now: what fails again meanwhile is not replayed once more.
    for await (const one of chosen(look)) waiting.push(one);
    for (const one of waiting) {
      const why = await replayed(look, one);
      if (why === undefined) write(look, rowOf(one));
      else {
        failed += 1;
        look.terminal.err.write(`${one.message.id}: ${why}\n`);
      }
    }
    return failed === 0 ? 0 : 1;
  },
};

/** Undefined when it went back, else why it did not. */
const replayed = async (
  { app, driver, browser }: Look,
  { entryId, message }: WaitingMessage,
): Promise<string | undefined> => {
  const origin = message.headers.x_dead_letter_queue;
  if (typeof origin !== 'string') return 'not replayed: it is no dead letter (no header x_dead_letter_queue)';
  const target = queuesOf(app).find(({ id }) => id === origin);
  if (target === undefined) return `not replayed: it came from ${origin}, which the app does not declare`;
  if (target.config.driver !== driver.id) {
    return `not replayed: it came from ${origin}, whose driver is another one (${target.config.driver})`;
  }
  const back = { entryId, message: { ...message, headers: withoutDeath(message.headers) } };
  const isBack = await browser.replay(back, keysOf(target, driver));
  return isBack ? undefined : 'not replayed: it is being delivered, or has been';
};

async function* chosen({ browser, chosen: ids }: Look): AsyncGenerator<WaitingMessage> {
  for await (const one of browser.messages()) {
    if (ids === undefined || ids.has(one.message.id)) yield one;
  }
}

type Row = Readonly<Record<'id' | 'time' | 'reason', string>> & { readonly attempt: number };

const rowOf = ({ message: { id, publishedAt, attempt, headers, fault } }: WaitingMessage): Row => ({
  id,
  time: new Date(publishedAt).toISOString(),
  attempt: typeof headers.x_dead_letter_attempts === 'number' ? headers.x_dead_letter_attempts : attempt,
  reason: String(headers.x_dead_letter_reason ?? fault ?? ''),
});

/** What a terminal would take for commands is shown as what it is: ids, reasons and bodies are anybody's. */
const visible = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (one) => {
    const code = one.charCodeAt(0).toString(16).padStart(2, '0');
    return `\\x${code}`;
  });

/** One line each: what breaks lines in a reason is shown as a blank. */
const write = ({ asJson, terminal }: Look, row: Row & Readonly<Record<string, unknown>>): void => {
  const { id, time, attempt, reason } = row;
  const line = (given: string): string => visible(given.replace(/\s+/g, ' ').trim());
  const text = asJson ? JSON.stringify(row) : [line(id), time, attempt, line(reason) || '-'].join('\t');
  terminal.out.write(`${text}\n`);
};

const queuesOf = ({ registry }: App): readonly Declared<QueueConfig>[] => registry.declared<QueueConfig>('queue.queue');

/** @throws UsageError for a queue that is none, or that no other program can see. */
const declaredQueue = (app: App, id: string): { queue: Declared<QueueConfig>; driver: Declared<RedisDriverConfig> } => {
  const all = queuesOf(app);
  const queue = all.find((one) => one.id === id);
  if (queue === undefined) {
    const known = all.length === 0 ? 'The app declares none.' : `There are: ${all.map((one) => one.id).join(', ')}.`;
    throw new UsageError(`${id}: no such queue. ${known}`);
  }
  const driver = app.registry
    .declared<RedisDriverConfig>('queue.driver.redis')
    .find((one) => one.id === queue.config.driver);
  if (driver === undefined) {
    throw new UsageError(`${id}: its messages are in memory (${queue.config.driver}): it lives in the running program`);
  }
  return { queue, driver };
};

const keysOf = ({ entry, config }: Declared<QueueConfig>, driver: Declared<RedisDriverConfig>) =>
  queueKeys(driver.config.prefix, config.queue_name ?? entry.name);

const urlOf = (app: App, driver: Declared<RedisDriverConfig>, terminal: Terminal): string => {
  const variables = envVariables(app.registry, {
    osVariables: terminal.variables,
    root: app.root,
    onUnlisted(storage, error) {
      throw new StartError(`${storage}: ${String(error)}`);
    },
  });
  return redisUrl(driver, (name, namespace) => variables.resolve(name, namespace));
};
