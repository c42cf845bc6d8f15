import { entryKind, type Surface } from '../../runtime/surface.ts';
import { hostsOfCalled, uncallableProblems } from '../process/port.ts';
import { processSchedule, type ScheduleConfig } from './kinds.ts';
import { schedule } from './schedule.ts';

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
        { path: 'lock', kinds: ['store.redis', 'db.sql.postgres'] },
      ],
    }),
  },
  modules: [],
  check: (registry) => uncallableProblems(registry, 'process.schedule', 'Name it in process, beside its host.'),
  sites: ({ kind }) => (kind === 'process.schedule' ? { isMeasured: true, hasSpan: true, hasLine: true } : undefined),
  build: (env) =>
    env.registry.declared<ScheduleConfig>('process.schedule').map((declared) => {
      const component = schedule(env, declared);
      return { ...component, needs: [...component.needs, ...hostsOfCalled(env.registry, [declared.config.func])] };
    }),
};
