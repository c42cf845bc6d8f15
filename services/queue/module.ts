import type { Clock } from '../../runtime/clock.ts';
import { invalid } from '../../runtime/errors.ts';
import { textArgument } from '../../runtime/lua/arguments.ts';
import type { HostFunction, LuaModule } from '../../runtime/lua/engine.ts';
import { resultsOf } from '../../runtime/lua/results.ts';
import { LuaTable, type LuaValue } from '../../runtime/lua/values.ts';
import type { Allows } from '../security/port.ts';
import { currentMessage } from './message.ts';
import type { Queues } from './port.ts';
import { headersOf, publishOptions } from './publish-options.ts';

/** @throws CallError Invalid for a missing id; a LuaRaise for another type. */
const queueId = (args: readonly LuaValue[], name: string): string => {
  const id = args[0] === undefined ? '' : textArgument(args, 1, name);
  if (id === '') throw invalid('queue ID required');
  return id;
};

/** The checks come in the order of lua/queue.md, section 1: an empty table is refused before the queue is looked for. */
const publish =
  (queues: Queues, clock: Clock, allows: Allows): HostFunction =>
  ({ context }, args) =>
    resultsOf(
      () => {
        if (!allows(context, 'queue.publish', '')) throw invalid('queue publishing not allowed');
        const id = queueId(args, 'publish');
        if (!allows(context, 'queue.publish.queue', id)) throw invalid(`not allowed to publish to queue: ${id}`);
        if (args.length < 2) throw invalid('message data required');
        const body = args[1];
        if (body instanceof LuaTable && body.map.size === 0) throw invalid('message data cannot be empty');
        return queues.publish(id, body, headersOf(args[2]), context, publishOptions(args[3], clock));
      },
      () => [true, undefined],
    );

export const queueModule = (queues: Queues, clock: Clock, allows: Allows): LuaModule => ({
  name: 'queue',
  functions: {
    publish: publish(queues, clock, allows),
    message: currentMessage,
    info: (_thread, args) =>
      resultsOf(
        () => queues.info(queueId(args, 'info')),
        (info) => [{ ...info }, undefined],
      ),
  },
  yields: ['publish', 'info'],
  measured: ['publish'],
});
