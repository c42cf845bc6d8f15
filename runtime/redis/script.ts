import { createHash } from 'node:crypto';
import type { RedisClient } from './cluster.ts';
import { hasCode } from './failure.ts';

/** Lua that Redis runs as one step: nobody sees it half done. */
export interface RedisScript {
  readonly source: string;
  readonly sha: string;
}

export const redisScript = (source: string): RedisScript => ({
  source,
  sha: createHash('sha1').update(source).digest('hex'),
});

export type ScriptArgument = string | number;

/** By its digest; a server that does not know it yet (a new one, a restarted one) gets the source. */
export const runScript = async (
  client: RedisClient,
  { source, sha }: RedisScript,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<unknown> => {
  try {
    return await client.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!hasCode(error, 'NOSCRIPT')) throw error;
    return await client.eval(source, keys.length, ...keys, ...args);
  }
};
