import { test } from 'tap';
import { cronTimes } from '../../../services/schedule/cron.ts';
import { cronTicks, everyTicks, type Ticks } from '../../../services/schedule/ticks.ts';
import { fakeClock } from '../fake-clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What came since it was asked last, by the clock on the wall of the system. */
const watch = (clock: ReturnType<typeof fakeClock>, ticks: Ticks) => {
  let came: string[] = [];
  ticks.start(() => void came.push(new Date(clock.systemTime()).toISOString().replace(':00.000Z', '')));
  return (ms: number): readonly string[] => {
    came = [];
    clock.pass(ms);
    return came;
  };
};
const cronAt = (start: string, pattern: string, timezone = 'UTC') => {
  const clock = fakeClock(Date.parse(start));
  const ticks = cronTicks(clock, cronTimes(pattern, timezone));
  return { clock, ticks, pass: watch(clock, ticks) };
};

test('cron: five fields by the minute, six by the second; never at the start itself', async (t) => {
  t.same(cronAt('2026-03-01T12:00:00Z', '*/5 * * * *').pass(10 * MINUTE), ['2026-03-01T12:05', '2026-03-01T12:10']);
  t.same(cronAt('2026-03-01T12:00:30.250Z', '0,30 * * * * *').pass(MINUTE), [
    '2026-03-01T12:01',
    '2026-03-01T12:01:30.000Z',
  ]);
});

test('cron: times are those of the time zone, UTC where none is named', async (t) => {
  t.same(cronAt('2026-07-01T00:00:00Z', '0 9 * * *').pass(DAY), ['2026-07-01T09:00']);
  t.same(cronAt('2026-07-01T00:00:00Z', '0 9 * * *', 'Europe/Berlin').pass(DAY), ['2026-07-01T07:00']);
  t.same(cronAt('2026-07-01T00:00:00Z', '0 9 * * *', 'America/New_York').pass(DAY), ['2026-07-01T13:00']);
});

test('cron: in the gap of a time change one time of day comes at its end, intervals skip it', async (t) => {
  // In Berlin 02:00 becomes 03:00 on 2026-03-29, at 01:00 UTC.
  t.same(cronAt('2026-03-28T00:00:00Z', '30 2 * * *', 'Europe/Berlin').pass(3 * DAY), [
    '2026-03-28T01:30',
    '2026-03-29T01:00',
    '2026-03-30T00:30',
  ]);
  t.same(cronAt('2026-03-29T00:10:00Z', '*/30 * * * *', 'Europe/Berlin').pass(2 * HOUR), [
    '2026-03-29T00:30',
    '2026-03-29T01:00',
    '2026-03-29T01:30',
    '2026-03-29T02:00',
  ]);
});

test('cron: in the overlap of a time change one time of day comes once, intervals in both hours', async (t) => {
  // In Berlin 03:00 becomes 02:00 on 2026-10-25, at 01:00 UTC.
  t.same(cronAt('2026-10-24T12:00:00Z', '30 2 * * *', 'Europe/Berlin').pass(2 * DAY), [
    '2026-10-25T00:30',
    '2026-10-26T01:30',
  ]);
  t.same(cronAt('2026-10-25T00:10:00Z', '*/30 * * * *', 'Europe/Berlin').pass(2 * HOUR), [
    '2026-10-25T00:30',
    '2026-10-25T01:00',
    '2026-10-25T01:30',
    '2026-10-25T02:00',
  ]);
});

test('cron: a wait of more than 2^31 ms', async (t) => {
  const { pass } = cronAt('2026-03-01T00:00:00Z', '0 0 1 6 *');
  t.same(pass(92 * DAY - 1), []);
  t.same(pass(1), ['2026-06-01T00:00']);
  t.same(pass(365 * DAY), ['2027-06-01T00:00']);
});

test('cron: a clock that is set back runs nothing twice, and nothing waits for the old time', async (t) => {
  for (const back of [2000, 90_000, 20 * MINUTE, 3 * HOUR, 40 * DAY]) {
    const { clock, pass } = cronAt('2026-03-01T12:00:00Z', '*/5 * * * *');
    t.equal(pass(5 * MINUTE + 1000).length, 1);
    clock.set(-back);
    let count = 0;
    for (let minute = 0; minute < 60; minute += 1) {
      const came = pass(MINUTE).length;
      count += came;
      if (minute === 2) t.equal(count, 0, `${back} ms back: none sooner than the distance of two ticks`);
      if (minute === 9) t.ok(count > 0, `${back} ms back: none later than twice that`);
    }
    t.ok(count === 11 || count === 12, `${back} ms back: ${count} in the hour after`);
  }
});

test('cron: a clock that is set back over a daily run does not bring that day again', async (t) => {
  const { clock, pass } = cronAt('2026-03-01T09:00:00Z', '0 10 * * *');
  t.same(pass(HOUR + 2 * MINUTE), ['2026-03-01T10:00']);
  clock.set(-HOUR);
  t.same(pass(DAY), []);
  t.same(pass(2 * HOUR), ['2026-03-02T10:00']);
  clock.set(-7 * DAY);
  t.same(pass(DAY), ['2026-02-24T10:00'], 'and one that was a week off does not wait a week');
});

test('cron: set back before the first tick, the schedule goes by the new time', async (t) => {
  const { clock, pass } = cronAt('2026-03-01T12:00:00Z', '0 * * * *');
  pass(MINUTE);
  clock.set(-30 * MINUTE);
  t.same(pass(HOUR), ['2026-03-01T12:00']);
});

test('cron: a clock that is set forward over ticks brings one of them, within a minute', async (t) => {
  const { clock, pass } = cronAt('2026-03-01T12:00:00Z', '0 * * * *');
  pass(30_000);
  clock.set(8 * HOUR + 10 * MINUTE);
  t.equal(pass(MINUTE).length, 1);
  t.same(pass(HOUR), ['2026-03-01T21:00']);
});

test('every: multiples from the start, whatever the lateness of a tick and whoever sets the clock', async (t) => {
  const clock = fakeClock(0);
  const at: number[] = [];
  let late = 0;
  const slow = { ...clock, after: (ms: number, body: () => void) => clock.after(ms + late, body) };
  const ticks = everyTicks(slow, 1000);
  ticks.start(() => void at.push(clock.now()));
  clock.pass(1500);
  late = 300;
  clock.pass(2000); // armed before it was slow, then late
  late = 2500;
  clock.pass(1000);
  late = 0;
  clock.set(-HOUR);
  clock.pass(5000);
  t.same(at, [1000, 2000, 3300, 4300, 7500, 8000, 9000]);
  ticks.stop();
  ticks.stop();
  t.equal(clock.timers, 0);
});

test('every: fractions of a second do not add up, and a wait of more than 2^31 ms is one', async (t) => {
  const thirds = fakeClock(0);
  let count = 0;
  everyTicks(thirds, 1000 / 3).start(() => {
    count += 1;
  });
  thirds.pass(1_000_000.5);
  t.equal(count, 3000);

  const clock = fakeClock(0);
  const pass = watch(clock, everyTicks(clock, 40 * DAY));
  t.same(pass(40 * DAY - 1), []);
  t.same(pass(1), ['1970-02-10T00:00']);
});

test('stop ends the timer, and a second start begins anew', async (t) => {
  const { clock, ticks, pass } = cronAt('2026-03-01T12:00:00Z', '* * * * *');
  t.equal(pass(MINUTE).length, 1);
  ticks.stop();
  ticks.stop();
  t.equal(clock.timers, 0);
  t.same(pass(HOUR), []);
  const again = watch(clock, ticks);
  t.same(again(MINUTE), ['2026-03-01T13:02']);
  watch(clock, ticks);
  t.equal(clock.timers, 1, 'one timer, however often it was started');
});
