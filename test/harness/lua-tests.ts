import { fileURLToPath } from 'node:url';
import { loadDeclarations } from '../../boot/declarations/load.ts';
import { runChild } from './child.ts';
import type { Scope } from './teardown.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const bin = `${project}bin/perilune.js`;

/** What `perilune test --reporter json` writes of one test (extensions.md, section 10). */
interface Row {
  readonly id: string;
  readonly suite: string;
  readonly ok: boolean;
  readonly error: string | null;
  readonly ms: number;
}

type Extra = Readonly<Record<string, unknown>>;
/** The part of tap's `t` that takes the results. */
export interface Assertions extends Scope {
  ok(value: unknown, message: string, extra: Extra): unknown;
  same(found: unknown, wanted: unknown, message: string, extra: Extra): unknown;
}

export interface LuaTestOptions {
  /** Each becomes `--set key=value`. */
  readonly set?: Readonly<Record<string, string | number | boolean>>;
  /** Environment variables of the app. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Ids of the entries that are tests, as the declarations have them and not as the runner found them. */
const declaredTests = (dir: string): readonly string[] =>
  loadDeclarations(dir)
    .entries.filter(({ kind, meta }) => kind === 'function.lua' && meta.type === 'test')
    .map(({ id }) => id);

/**
 * Runs the Lua tests of an app (a path relative to the project, or absolute) with the real program; each is one
 * assertion, named by its suite and id. Fails too where a declared test did not run, where there is none, and where the
 * exit code says otherwise than the results.
 */
export const luaTests = async (t: Assertions, folder: string, options: LuaTestOptions = {}): Promise<void> => {
  const dir = folder.startsWith('/') ? folder : project + folder;
  const sets = Object.entries(options.set ?? {}).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const { code, stdout, stderr } = await runChild(
    t,
    process.execPath,
    [bin, 'test', dir, '--reporter', 'json', ...sets],
    { env: { NO_COLOR: '1', ...options.env } },
  );
  const said = () => ({ stderr }); // tap writes into what it is given
  const rows = stdout.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Row);
  t.same(
    stdout.filter((line) => !line.startsWith('{')),
    [],
    'stdout holds results and nothing else',
    said(),
  );
  for (const { suite, id, ok, error } of rows) t.ok(ok, `${suite}: ${id}${ok ? '' : `: ${error}`}`, ok ? {} : said());
  const declared = declaredTests(dir);
  t.ok(declared.length > 0, `${folder} declares tests`, said());
  t.same(rows.map(({ id }) => id).sort(), [...declared].sort(), 'every declared test ran', said());
  t.same(code, rows.every(({ ok }) => ok) ? 0 : 1, 'the exit code', said());
};
