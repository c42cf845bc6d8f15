import type { EntryRegistry } from '../../runtime/entry.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Surface, SurfaceProblem } from '../../runtime/surface.ts';
import { operationGuard } from '../security/port.ts';
import { envKinds, type VariableConfig } from './kinds.ts';
import { envModule } from './module.ts';
import { ENV } from './port.ts';
import { envVariables } from './variables.ts';

/** Registered environment variables: entry kinds `env.*`, the port ENV, the Lua module `env`. Always on. */
export const envSurface: Surface = {
  kinds: envKinds,
  modules: ['env'],
  check: (registry) => takenNames(registry),
  build(env) {
    const logger = env.logger.subsystem('lua');
    const variables = envVariables(env.registry, {
      osVariables: env.settings.osVariables,
      root: env.settings.root,
      onUnlisted: (storage, error) =>
        logger.warn('an environment storage could not be listed', { storage, error: messageOf(error) }),
    });
    env.provide(ENV, variables);
    env.engine.define(envModule(variables, operationGuard(env.settings)));
    return [];
  },
};

/** Public names are unique in the runtime. */
const takenNames = (registry: EntryRegistry): readonly SurfaceProblem[] => {
  const owners = new Map<string, string>();
  const problems: SurfaceProblem[] = [];
  for (const { id, config } of registry.declared<VariableConfig>('env.variable')) {
    if (config.variable === '') continue;
    const owner = owners.get(config.variable);
    if (owner === undefined) owners.set(config.variable, id);
    else {
      const message = `environment variable ${config.variable} of ${id} already exists: ${owner} declares it. Give one of them another name.`;
      problems.push({ id, path: 'variable', message });
    }
  }
  return problems;
};
