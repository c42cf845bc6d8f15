import { test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import type { ChangeHub } from '../../../services/cdc/hub.ts';
import { Progress } from '../../../services/cdc/progress.ts';
import { LogFeed } from '../../../services/cdc/sqlite/feed.ts';
import { logReading } from '../../../services/cdc/sqlite/reading.ts';
import type { ChangeLog } from '../../../services/sql/port.ts';
import { poll } from '../../harness/poll.ts';

test('lines that somebody has removed are asked for once', async (t) => {
  let reads = 0;
  let waitsBehind = -1;
  const hub = { room: () => Promise.resolve() } as ChangeHub;
  const feed = new LogFeed({
    hub,
    progress: new Progress(0n, () => {}),
    traits: { source: '', source_id: '', generation: '' },
    wants: () => true,
    keysOfTable: () => undefined,
    onChange: () => {},
    position: 0,
  });
  const log = {
    ended: new Promise<never>(() => {}),
    changed(after: number) {
      if (after < 5) return Promise.resolve(5);
      waitsBehind = after;
      return new Promise<number>(() => {});
    },
    async read() {
      reads += 1;
      return [];
    },
  } as unknown as ChangeLog;
  const reading = logReading({ log, feed, hub, clock: systemClock(), onKeepFailed: (error) => t.fail(String(error)) });
  void reading.run();
  await poll('it waits', () => waitsBehind === 5);
  t.equal(reads, 1);
  reading.end();
});
