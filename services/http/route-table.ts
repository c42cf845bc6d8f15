import type { Declared, EntryRegistry } from '../../runtime/entry.ts';
import type { SurfaceProblem } from '../../runtime/surface.ts';
import { ENDPOINT, type EndpointConfig, ROUTER, type RouterConfig, SERVICE, type ServiceConfig } from './kinds.ts';
import { parsePattern } from './pattern.ts';
import type { Route } from './router.ts';

export interface RouteTable {
  /** The routes of each service, by the service's id. */
  readonly routes: ReadonlyMap<string, readonly Route[]>;
  /** What is wrong across entries: nothing of it shows in one entry alone. */
  readonly problems: readonly SurfaceProblem[];
}

const problemAt = ({ id }: Declared<unknown>, path: string, message: string): SurfaceProblem => ({ id, path, message });

/** Collects the routes of all services; two that match the same requests, or two equal prefixes, are problems. */
export const routeTable = (registry: EntryRegistry): RouteTable => {
  const problems: SurfaceProblem[] = [];
  const routes = new Map<string, Route[]>();
  for (const service of registry.declared<ServiceConfig>(SERVICE)) routes.set(service.id, []);

  const routers = new Map<string, Declared<RouterConfig>>();
  const prefixes = new Map<string, string>();
  for (const router of registry.declared<RouterConfig>(ROUTER)) {
    const { prefix, meta } = router.config;
    const key = `${meta.server} ${prefix}`;
    const other = prefixes.get(key);
    if (other !== undefined) {
      problems.push(
        problemAt(
          router,
          'prefix',
          `AlreadyExists: prefix '${prefix}' is used by ${other} on the same server. Choose another one.`,
        ),
      );
    } else {
      prefixes.set(key, router.id);
      routers.set(router.id, router);
    }
  }

  const taken = new Map<string, Route>();
  for (const endpoint of registry.declared<EndpointConfig>(ENDPOINT)) {
    const router = routers.get(endpoint.config.meta.router);
    const served = router === undefined ? undefined : routes.get(router.config.meta.server);
    if (router === undefined || served === undefined) continue; // reported where the reference or the prefix is wrong
    const pattern = parsePattern(router.config.prefix + endpoint.config.path);
    if (typeof pattern === 'string') {
      problems.push(problemAt(endpoint, 'path', pattern));
      continue;
    }
    const route = { id: endpoint.id, method: endpoint.config.method, pattern, func: endpoint.config.func };
    const key = `${router.config.meta.server} ${route.method} ${pattern.canonical}`;
    const other = taken.get(key);
    if (other !== undefined) {
      const message = `Conflict: ${route.method} ${pattern.template} matches the same requests as ${other.method} ${other.pattern.template} of ${other.id}. Change one of the two.`;
      problems.push(problemAt(endpoint, 'path', message));
      continue;
    }
    taken.set(key, route);
    served.push(route);
  }
  return { routes, problems };
};
