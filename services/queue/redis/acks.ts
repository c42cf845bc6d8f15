import type { RedisLink } from '../../../runtime/redis/link.ts';
import { ACK } from './scripts.ts';

/** Ids that one script call takes, well below what Lua's `unpack` does. */
const MOST = 500;

/** Acknowledges entries: those that come in one turn of the event loop go to Redis as one command. */
export const acknowledging = (link: RedisLink, stream: string, group: string): ((entryId: string) => Promise<void>) => {
  let batch: { readonly ids: string[]; readonly done: Promise<void> } | undefined;
  const send = async (ids: readonly string[]): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (batch?.ids === ids) batch = undefined;
    await link.script(ACK, [stream], [group, ...ids]);
  };
  return (entryId) => {
    if (batch !== undefined && batch.ids.length < MOST) batch.ids.push(entryId);
    else {
      const ids = [entryId];
      batch = { ids, done: send(ids) };
    }
    return batch.done;
  };
};
