import type { HostData } from '../../runtime/codec/host-data.ts';
import { internal, unavailable } from '../../runtime/errors.ts';
import type { RedisLink } from '../../runtime/redis/link.ts';
import type { BackendInfo, ListQuery, Page, PutOptions, PutOutcome, StoreBackend, StoredEntry } from './backend.ts';
import { jsonText } from './json-text.ts';
import { WRITE } from './redis-scripts.ts';

const INFO: BackendInfo = {
  backend: 'redis',
  consistency: 'linearizable',
  durable: true,
  list: true,
  versioned: true,
  conditional_put: true,
  ttl: true,
};
/** Keys looked at per step of a scan: large enough to be quick, small enough not to hold up others. */
const SCAN_COUNT = 1000;
const DEFAULT_PORT = 6379;

/**
 * `store.redis`: one hash per key with `value`, JSON text, and `version` (extensions.md, section 4). One command or one
 * script per operation, so that each is atomic; the server removes what has expired.
 */
export const redisBackend = (id: string, link: RedisLink, prefix: string): StoreBackend => {
  let running = false;
  const nameOf = (key: string): string => prefix + givenKey(key);
  const alive = (): void => {
    if (!running) throw unavailable('store is stopped');
  };
  const write = async (
    key: string,
    value: HostData,
    { ttl, onlyIfAbsent, ifVersion }: PutOptions,
  ): Promise<Written> => {
    alive();
    const ms = ttl === undefined || ttl <= 0 ? '' : Math.max(1, Math.ceil(ttl * 1000));
    const condition = onlyIfAbsent === true ? 'absent' : ifVersion === undefined ? '' : 'version';
    return (await link.script(
      WRITE,
      [nameOf(key)],
      [jsonText(value, 'store.redis'), ms, condition, ifVersion ?? ''],
    )) as Written;
  };
  const get = async (key: string): Promise<StoredEntry | undefined> => {
    alive();
    return entryOf(key, await link.run((redis) => redis.hmget(nameOf(key), 'value', 'version')));
  };

  return {
    info: INFO,
    system: 'redis',
    isEmbedded: false,
    spanAttributes() {
      // What is under the prefix is a collection of the database, and others are beside it.
      const collection = { 'db.collection.name': id };
      if (link.address === undefined) return collection;
      const { host, port, index } = link.address;
      return {
        ...collection,
        'db.namespace': String(index),
        'server.address': host,
        ...(port !== DEFAULT_PORT && { 'server.port': port }),
      };
    },
    get,
    async has(key) {
      alive();
      return (await link.run((redis) => redis.exists(nameOf(key)))) === 1;
    },
    async set(key, value, ttl) {
      await write(key, value, { ttl });
    },
    async delete(key) {
      alive();
      return (await link.run((redis) => redis.del(nameOf(key)))) === 1;
    },
    async put(key, value, options): Promise<PutOutcome> {
      const [result, version = ''] = await write(key, value, options);
      // What is read back, as from any other read: not the value that came in.
      return result === 'ok'
        ? { result, entry: { key, value: JSON.parse(jsonText(value, 'store.redis')) as HostData, version } }
        : { result };
    },
    /** By ascending key. Redis knows no order of keys: every page walks over all keys of the server (SCAN). */
    async list(query): Promise<Page> {
      alive();
      const keys = await firstKeys(link, prefix, query);
      const page = keys.slice(0, query.limit);
      const reads = page.map((key) => get(key));
      const items = (await Promise.all(reads)).filter((entry) => entry !== undefined); // expired meanwhile: left out
      return { items, hasMore: keys.length > page.length };
    },
    async start() {
      await link.start();
      running = true;
    },
    async stop() {
      running = false;
      link.stop();
    },
  };
};

type Written = readonly [result: PutOutcome['result'], version?: string];

/** A key that is reported as `:k` was given as `k`, and is called so in Redis: prefix and key, as everyone else reads it. */
const givenKey = (key: string): string => (key.length > 1 && key.lastIndexOf(':') === 0 ? key.slice(1) : key);
const reportedKey = (key: string): string => (key.includes(':') ? key : `:${key}`);

const entryOf = (key: string, [value, version]: readonly (string | null)[]): StoredEntry | undefined => {
  if (value == null || version == null) return undefined;
  try {
    return { key, value: JSON.parse(value) as HostData, version };
  } catch {
    throw internal('a value in redis is not JSON: something else has written it'); // the cause quotes the value
  }
};

/** The first `limit` keys of the query and one more where there is one, sorted. */
const firstKeys = async (link: RedisLink, prefix: string, { prefix: wanted, after, limit }: ListQuery) => {
  let found = new Set<string>();
  const firstOf = (keys: Iterable<string>): string[] => [...keys].sort().slice(0, limit + 1);
  // What begins with `:` may be called without it in Redis: only the prefix of the store narrows that down.
  const pattern = `${escaped(prefix + (wanted.startsWith(':') ? '' : wanted))}*`;
  await link.runOnEach(async (redis) => {
    let cursor = '0';
    do {
      const [next, names] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT, 'TYPE', 'hash');
      cursor = next;
      for (const name of names) {
        const key = reportedKey(name.slice(prefix.length));
        if (key.startsWith(wanted) && (after === '' || key > after)) found.add(key);
      }
      // However many keys there are, only a page of them is kept.
      if (found.size > 4 * (limit + SCAN_COUNT)) found = new Set(firstOf(found));
    } while (cursor !== '0');
  });
  return firstOf(found);
};

const escaped = (text: string): string => text.replace(/[\\*?[\]]/g, '\\$&');
