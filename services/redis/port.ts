import { z } from 'zod';
import type { Declared } from '../../runtime/entry.ts';
import type { Env } from '../../runtime/env.ts';
import { StartError } from '../../runtime/errors.ts';
import type { LinkWatch } from '../../runtime/redis/link.ts';
import { ENV } from '../env/port.ts';

const SCHEME = /^rediss?:\/\//;

/** `url` and `url_env` of what lives in Redis (extensions.md, sections 3 and 4); one of them is required. */
export const redisUrlFields = {
  url: z.string().optional(),
  url_env: z.string().optional(),
};
export interface RedisUrl {
  readonly url?: string | undefined;
  readonly url_env?: string | undefined;
}

/** For `superRefine` of a kind that has these fields. The url itself may hold a password: no message shows it. */
export const checkRedisUrl = ({ url = '', url_env = '' }: RedisUrl, ctx: z.RefinementCtx): void => {
  if (url === '' && url_env === '') ctx.addIssue({ code: 'custom', message: 'url is required', path: ['url'] });
  else if (url !== '' && !isRedisUrl(url)) {
    ctx.addIssue({ code: 'custom', message: 'expected redis://host:port or rediss://host:port', path: ['url'] });
  }
};

const isRedisUrl = (text: string): boolean => SCHEME.test(text) && URL.canParse(text);

/** What finds the value of a variable: the port ENV, or what stands for it on the command line. */
export type ResolveVariable = (name: string, namespace: string) => string | undefined;

/**
 * The url to connect to. Variables are read when it is asked for: they may be set between two starts.
 * @throws StartError naming the variable that has no value, or none that can be used.
 */
export const redisUrl = ({ id, entry, config }: Declared<RedisUrl>, resolve: ResolveVariable): string => {
  if (config.url !== undefined && config.url !== '') return config.url;
  const name = config.url_env ?? '';
  const found = resolve(name, entry.namespace);
  if (found === undefined || found === '') throw new StartError(`${id}: url_env: variable ${name} is not set`);
  if (!isRedisUrl(found)) throw new StartError(`${id}: url_env: ${name} is not of the form redis://host:port`);
  return found;
};

/** The same in a running program. */
export const redisUrlIn = (env: Env, declared: Declared<RedisUrl>): string =>
  redisUrl(declared, (name, namespace) => env.use(ENV).resolve(name, namespace));

/** Shows a connection that breaks and comes back as the state of the service that owns it; one line for each. */
export const redisWatch = ({ health, logger }: Env, id: string, subsystem: 'kv' | 'queue'): LinkWatch => {
  const state = health(id);
  const log = logger.subsystem(subsystem);
  return {
    lost(reason) {
      state.degraded(true);
      state.error('connect');
      log.warn('connection to redis lost, trying again', { component: id, error: reason });
    },
    back() {
      state.degraded(false);
      log.info('connection to redis is back', { component: id });
    },
  };
};
