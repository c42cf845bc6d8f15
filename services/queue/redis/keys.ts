/** What one queue has in Redis. All of it in one slot of a cluster: a hash tag names the stream. */
export interface QueueKeys {
  readonly stream: string;
  /** Sorted set of messages that are not due yet, by the millisecond in which they are. */
  readonly delayed: string;
  idempotency(key: string): string;
}

export const queueKeys = (prefix: string, name: string): QueueKeys => {
  const stream = prefix + name;
  // A name that has a hash tag itself keeps it: its slot is that tag's, for every key that begins with the name.
  const base = /\{[^}]+\}/.test(stream) ? stream : `{${stream}}`;
  return { stream, delayed: `${base}:delayed`, idempotency: (key) => `${base}:idempotency:${key}` };
};
