import { test } from 'tap';
import { createComponents } from '../../../boot/supervisor/components.ts';
import type { Declared } from '../../../runtime/entry.ts';
import { BODY_CODECS } from '../../../services/queue/codec.ts';
import { queueConsumer } from '../../../services/queue/consumer.ts';
import type { DeclaredQueue } from '../../../services/queue/declared-queue.ts';
import type { ConsumerConfig, QueueConfig } from '../../../services/queue/kinds.ts';
import { poll } from '../../harness/poll.ts';
import { decode, lua, surfaceBench } from '../surface-bench.ts';

const CONSUMER = {
  id: 'app:consumer',
  kind: 'queue.consumer',
  queue: 'app:jobs',
  func: 'app:work',
  concurrency: 2,
  lifecycle: { auto_start: true, restart: { initial_delay: '1ms' } },
};

test('a consumer that has lost a worker is started again', async (t) => {
  const bench = await surfaceBench(t, [lua('app:work', '')]);
  let intakes = 0;
  let open = 0;
  const queue = {
    id: 'app:jobs',
    system: 'test',
    driverId: 'app:driver',
    codec: BODY_CODECS['json/plain'],
    config: decode({ id: 'app:jobs', kind: 'queue.queue', driver: 'app:driver' }).config as unknown as QueueConfig,
    queue: {
      consume() {
        intakes += 1;
        open += 1;
        let asked = 0;
        const closed = Promise.withResolvers<undefined>();
        return {
          async next() {
            asked += 1;
            if (intakes === 1 && asked === 2) throw new Error('the broker speaks in tongues');
            return closed.promise;
          },
          close() {
            open -= 1;
            closed.resolve(undefined);
          },
        };
      },
    },
  } as unknown as DeclaredQueue;
  const config = decode(CONSUMER).config as unknown as ConsumerConfig;
  const declared = { id: CONSUMER.id, config } as Declared<ConsumerConfig>;
  const components = createComponents({
    components: [queueConsumer(bench.env, declared, queue, undefined)],
    clock: bench.env.clock,
    logger: bench.env.logger,
    health: bench.env.health,
  });
  await components.start();
  await components.open();
  await poll('it takes from the queue again', () => intakes === 2);
  t.equal(open, 1, 'the first intake is closed');
  t.match(components.state(CONSUMER.id), {
    status: 'running',
    details: 'a worker was lost: the broker speaks in tongues',
  });
  t.match(
    bench.lines.filter(({ level }) => level !== 'info').map(({ message }) => message),
    ['app:consumer has failed and is started again: a worker was lost: the broker speaks in tongues'],
    'one line',
  );
  t.same(await components.stop(1000), []);
  t.equal(open, 0);
});
