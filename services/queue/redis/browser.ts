import { hasCode } from '../../../runtime/redis/failure.ts';
import type { RedisLink } from '../../../runtime/redis/link.ts';
import { type Fields, fieldsOf, messageOf, type StoredMessage } from './entry.ts';
import type { QueueKeys } from './keys.ts';
import { REPLAY, WAITS } from './scripts.ts';

const PAGE = 100;

/** A message that waits. Without an entry id it is a delayed one. */
export interface WaitingMessage {
  readonly entryId: string | undefined;
  readonly message: StoredMessage;
}

/** Messages that wait in a queue, looked at from outside: nothing is taken, and no consumer notices. */
export interface QueueBrowser {
  /** In order of delivery, delayed ones last. What is being delivered is not among them. @throws CallError */
  messages(): AsyncGenerator<WaitingMessage>;
  /** Puts it into another queue, as its first attempt. False when it has been taken meanwhile. @throws CallError */
  replay(waiting: WaitingMessage, to: QueueKeys): Promise<boolean>;
}

export const queueBrowser = (link: RedisLink, keys: QueueKeys, group: string): QueueBrowser => {
  /** Id of the last entry that the group has been given; all of them wait where there is no group yet. */
  const lastDelivered = async (): Promise<string> => {
    if ((await link.run((redis) => redis.exists(keys.stream))) === 0) return '0-0';
    const groups = (await link.run((redis) => redis.xinfo('GROUPS', keys.stream))) as unknown[][];
    const mine = groups.find((one) => one[one.indexOf('name') + 1] === group);
    return mine === undefined ? '0-0' : String(mine[mine.indexOf('last-delivered-id') + 1]);
  };
  return {
    async *messages() {
      let after = await lastDelivered();
      for (;;) {
        const page = await link.run((redis) => redis.xrange(keys.stream, `(${after}`, '+', 'COUNT', PAGE));
        for (const [entryId, fields] of page) yield { entryId, message: messageOf(entryId, fields) };
        if (page.length < PAGE) break;
        after = page.at(-1)?.[0] ?? after;
      }
      const delayed = await link.run((redis) => redis.zrange(keys.delayed, 0, '-1'));
      for (const member of delayed) {
        yield { entryId: undefined, message: messageOf('', JSON.parse(member) as Fields) };
      }
    },
    async replay({ entryId, message }, to) {
      if (entryId === undefined) return false;
      const fields = fieldsOf(message, 1);
      try {
        return (await link.script(REPLAY, [keys.stream, to.stream], [group, entryId, ...fields])) === 1;
      } catch (error) {
        if (!hasCode(error, 'CROSSSLOT')) throw error;
      }
      // Queues in two slots of a cluster: what is cut off in between is in both, and nothing is lost.
      if ((await link.script(WAITS, [keys.stream], [group, entryId])) !== 1) return false;
      await link.run((redis) => redis.xadd(to.stream, '*', ...fields));
      await link.run((redis) => redis.xdel(keys.stream, entryId));
      return true;
    },
  };
};
