import { type Declared, type Entry, type EntryRegistry, resolveId } from '../../runtime/entry.ts';
import { entryKind, type Surface, type SurfaceProblem } from '../../runtime/surface.ts';
import { processSchedule, type ScheduleConfig } from './kinds.ts';
import { schedule } from './schedule.ts';

/** The host that a process.lua is called on as a function (processes-declarations.md, section 6). */
const defaultHost = ({ meta, namespace }: Entry): string | undefined => {
  const options = meta.options as { default_host?: unknown } | null | undefined;
  const host = meta.default_host ?? options?.default_host;
  return typeof host === 'string' && host !== '' ? resolveId(host, namespace) : undefined;
};

const calledProcess = ({ config }: Declared<ScheduleConfig>, registry: EntryRegistry): Entry | undefined => {
  const entry = registry.get(config.func ?? '');
  return entry?.kind === 'process.lua' ? entry : undefined;
};

/** A process without a default host is no function: every run would fail. */
const hostProblems = (registry: EntryRegistry): readonly SurfaceProblem[] =>
  registry.declared<ScheduleConfig>('process.schedule').flatMap((declared) => {
    const called = calledProcess(declared, registry);
    if (called === undefined || defaultHost(called) !== undefined) return [];
    const message = `${declared.id} refers to ${called.id}, a process.lua without meta.default_host. Name it in process, beside its host.`;
    return [{ id: declared.id, path: 'func', message }];
  });

/** `process.schedule` (extensions.md, section 6). */
export const scheduleSurface: Surface = {
  name: 'schedule',
  kinds: {
    'process.schedule': entryKind({
      schema: processSchedule,
      references: [
        { path: 'func', kinds: ['function.lua', 'process.lua'] },
        { path: 'process', kinds: ['process.lua'] },
        { path: 'host', kinds: ['process.host'] },
      ],
    }),
  },
  modules: [],
  check: hostProblems,
  sites: ({ kind }) => (kind === 'process.schedule' ? { isMeasured: true, hasSpan: true, hasLine: true } : undefined),
  build: (env) =>
    env.registry.declared<ScheduleConfig>('process.schedule').map((declared) => {
      const component = schedule(env, declared);
      const called = calledProcess(declared, env.registry);
      const host = called && defaultHost(called);
      return host === undefined ? component : { ...component, needs: [...component.needs, host] };
    }),
};
