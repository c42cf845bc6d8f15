/** What the end-to-end scripts send to test/e2e/app/base, and the trace that each request must make. */
import { randomUUID } from 'node:crypto';

export interface Step {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly status: number;
  /** As `spanTrees` writes it, without a remote parent. */
  readonly tree: string;
  /** Traces of their own that the request starts: processes, whose lives may outlast it. */
  readonly started?: readonly string[];
  /** The same with `otel.{kv,sql,cdc}.spans` on, where that differs. */
  readonly spanned?: string;
  readonly spannedStarted?: readonly string[];
}

const hello = 'server GET e2e:hello.endpoint\n  internal e2e:hello';
const indent = (text: string, by: number): string => text.replaceAll(/^/gm, ' '.repeat(by));

/** Texts that must appear in no span, log line or label: a body, a header's value, a stored value. */
export const SECRETS = { body: 's3cret-body', header: 's3cret-header' };

/** A process's life, with what else it shows. */
const life = (status: '' | ' [error]', more = ''): string =>
  `internal e2e:child${status}\n  internal e2e:child.terminated${more}`;

export const STEPS: readonly Step[] = [
  { method: 'GET', path: '/hello', status: 200, tree: hello },
  {
    method: 'GET',
    path: '/stats',
    status: 200,
    tree: 'server GET e2e:stats.endpoint\n  internal e2e:stats\n    internal e2e:compute',
  },
  {
    method: 'PUT',
    path: '/kv/one',
    body: SECRETS.body,
    status: 204,
    tree: 'server PUT e2e:kv_set.endpoint\n  internal e2e:kv_set',
  },
  { method: 'GET', path: '/kv/one', status: 200, tree: 'server GET e2e:kv_get.endpoint\n  internal e2e:kv_get' },
  { method: 'GET', path: '/kv/none', status: 404, tree: 'server GET e2e:kv_get.endpoint\n  internal e2e:kv_get' },
  {
    method: 'DELETE',
    path: '/kv/one',
    status: 200,
    tree: 'server DELETE e2e:kv_delete.endpoint\n  internal e2e:kv_delete',
  },
  {
    method: 'POST',
    path: '/pub',
    status: 202,
    tree: `server POST e2e:pub.endpoint
  internal e2e:pub
    producer e2e:jobs.publish
      consumer e2e:work
        client GET
${indent(hello, 10)}
        internal e2e:compute`,
  },
  {
    method: 'GET',
    path: '/out',
    status: 200,
    tree: `server GET e2e:out.endpoint\n  internal e2e:out\n    client GET\n${indent(hello, 6)}`,
  },
  {
    method: 'GET',
    path: '/out?to=/nothing',
    status: 200,
    tree: 'server GET e2e:out.endpoint\n  internal e2e:out\n    client GET [error]\n      server GET',
  },
  {
    method: 'GET',
    path: '/fail',
    status: 500,
    tree: 'server GET e2e:fail.endpoint [error]\n  internal e2e:fail [error]',
  },
  {
    method: 'POST',
    path: '/spawn',
    status: 200,
    tree: `server POST e2e:spawn.endpoint
  internal e2e:spawn
    internal e2e:child.cancel
    internal e2e:child.started
    internal e2e:child.started
    internal e2e:child.started
    internal e2e:child.started`,
    started: [life(''), life(''), life(' [error]'), life('', '\n  internal e2e:compute')],
  },
  { method: 'POST', path: '/events', status: 200, tree: 'server POST e2e:events.endpoint\n  internal e2e:events' },
  { method: 'GET', path: '/nothing', status: 404, tree: 'server GET' },
  { method: 'DELETE', path: '/hello', status: 405, tree: 'server DELETE' },
];

/** What test/e2e/app's schedule shows of each run; how many there are is a matter of time. */
export const SCHEDULED = { root: 'e2e:clock', tree: 'internal e2e:clock\n  internal e2e:tick' };

/** Sends one step; returns the status. */
export const send = async (base: string, step: Step, headers: Record<string, string> = {}): Promise<number> => {
  const response = await fetch(base + step.path, {
    method: step.method,
    headers: { 'x-secret': SECRETS.header, 'x-once': randomUUID(), ...headers },
    ...(step.body === undefined ? {} : { body: step.body }),
  });
  await response.arrayBuffer();
  return response.status;
};

/** The consumer spans of queues that a round of `steps` makes: its deliveries. */
export const deliveriesOf = (steps: readonly Step[]): number =>
  steps
    .flatMap(({ tree, started = [] }) => [tree, ...started])
    .reduce((sum, tree) => sum + (tree.match(/^ +consumer /gm)?.length ?? 0), 0);
