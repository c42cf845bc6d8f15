import root, { type Test, test } from 'tap';
import { checkChaos } from './checks.ts';
import { type ChaosOptions, type ChaosResult, runChaos } from './run.ts';

/** What `make chaos` does at length, in short; and that it can fail. */
const OPTIONS = { timeout: 600_000 };
root.setTimeout(3 * OPTIONS.timeout);

const run = async (t: Test, options: ChaosOptions): Promise<ChaosResult> =>
  runChaos(t, { ...options, tell: (line) => t.comment(line) });

test('kills and pauses of everything: nothing is lost', OPTIONS, async (t) => {
  const result = await run(t, {
    seed: 6,
    messages: 1000,
    rows: 1000,
    faults: {
      'kill program': 2,
      'kill redis': 1,
      'kill postgres': 1,
      'kill redis and program': 1,
      'pause program': 1,
      'cut postgres': 1,
    },
  });
  checkChaos(
    {
      say: (text) => void text.split('\n').map((line) => t.comment(line)),
      ok: (holds, title) => t.ok(holds, title),
      equal: (actual, expected, title) => t.same(actual, expected, title),
    },
    result,
  );
});

test(
  'what acknowledges before it handles is seen to lose, and what does not carry its trace is seen',
  OPTIONS,
  async (t) => {
    const { judgement, joined } = await run(t, {
      seed: 6,
      messages: 500,
      rows: 500,
      faults: { 'kill program': 8 },
      defects: { acksFirst: true, confirmsFirst: true, losesTrace: true },
    });
    const lost = judgement.losses.map(({ what }) => what);
    t.ok(
      lost.some((what) => /message .* acknowledged and never handled/.test(what)),
      'messages',
    );
    t.ok(
      lost.some((what) => /row .* committed and its change never handled/.test(what)),
      'changes',
    );
    t.ok(joined.broken.length > 0, 'traces');
  },
);

test('a Redis that keeps nothing on disk is seen to lose', OPTIONS, async (t) => {
  const { judgement } = await run(t, {
    seed: 6,
    messages: 300,
    rows: 300,
    faults: { 'kill redis': 2 },
    defects: { forgets: true },
  });
  t.ok(judgement.losses.length > 0, `${judgement.losses.length} losses`);
});
